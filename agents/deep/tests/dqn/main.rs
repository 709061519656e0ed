//! DQN learns and resumes bit for bit, with every switch alone and with all together.

mod distributional;

use gymnast_core::{nn::ConvConfig, optim::ParamGroup, supervised::FitConfig};
use gymnast_deep::{Distribution, Dqn, DqnConfig, Networks as _, PretrainConfig, random_play};
use gymnast_envs::{
    Discrete, Env as _, RowSpace, Seed, SyncVectorEnv, VectorEnv as _,
    bsuite::{Catch, CatchConfig},
    classic::CartPole,
    wrappers::TimeLimit,
};
use gymnast_harness::{
    Agent as _, Checkpoint as _, Mode, Plan, Policy as _, Setup, StateDict, TrainError,
    testing::{TwoArmedBandit, assert_learns, assert_resumes_exactly, setup, training},
};

fn small() -> DqnConfig {
    let (hidden, buffer_size, learning_starts) = (vec![16, 16], 500, 100);
    DqnConfig { hidden, buffer_size, batch_size: 32, learning_starts, ..DqnConfig::default() }
}

/// Every switch alone, and Rainbow, for returns up to `v_max`.
fn switches(v_max: f64) -> Vec<(&'static str, DqnConfig)> {
    let plain = DqnConfig { double: false, ..small() };
    let epsilon = 0.0.into();
    let (categorical, quantile) = (Distribution::Categorical, Distribution::Quantile);
    let distributional = DqnConfig { atoms: 21, v_min: 0.0, v_max, ..plain.clone() };
    let DqnConfig { hidden, buffer_size, batch_size, learning_starts, .. } = small();
    vec![
        ("plain", plain.clone()),
        ("double", DqnConfig { double: true, ..plain.clone() }),
        ("dueling", DqnConfig { dueling: true, ..plain.clone() }),
        ("prioritized", DqnConfig { priority_exponent: 0.6, ..plain.clone() }),
        ("n-step", DqnConfig { n_step: 3, ..plain.clone() }),
        ("noise", DqnConfig { noise: 0.5, epsilon, ..plain.clone() }),
        ("averaged", DqnConfig { average: 0.1, ..plain }),
        ("categorical", DqnConfig { distribution: categorical, ..distributional.clone() }),
        ("quantile", DqnConfig { distribution: quantile, ..distributional }),
        (
            "rainbow",
            DqnConfig {
                hidden,
                buffer_size,
                batch_size,
                learning_starts,
                atoms: 21,
                v_min: 0.0,
                v_max,
                ..DqnConfig::rainbow()
            },
        ),
    ]
}

#[test]
fn it_learns_a_bandit() {
    for (name, config) in switches(1.0) {
        println!("{name}");
        let make = |plan: &Plan| {
            setup(plan, TwoArmedBandit::default, |o, a| Dqn::new(o, a, config.clone(), plan))
        };
        assert_learns(make, &training(1_000, 1), 0.75);
    }
}

#[test]
fn it_resumes_exactly() {
    for (i, (name, config)) in switches(50.0).into_iter().enumerate() {
        println!("{name}");
        let make = |plan: &Plan| {
            let cart_pole = || TimeLimit::new(CartPole::default(), 500);
            setup(plan, cart_pole, |o, a| Dqn::new(o, a, config.clone(), plan))
        };
        assert_resumes_exactly(make, &training(900, 1 + 2 * (i % 2)));
    }
}

/// Catch on a small board, with convolutions.
fn catch(config: &DqnConfig, plan: &Plan) -> Result<Setup<RowSpace, Discrete>, TrainError> {
    let catch = || Catch::new(CatchConfig { rows: 5, columns: 4 }).expect("a small board");
    let conv = vec![ConvConfig { channels: 8, kernel: 3, stride: 1 }];
    let config = DqnConfig { conv, hidden: vec![32], ..config.clone() };
    setup(plan, catch, |o, a| Dqn::new(o, a, config, plan))
}

fn catching() -> DqnConfig {
    DqnConfig {
        learning_rate: 3e-3.into(),
        batch_size: 32,
        buffer_size: 2_000,
        learning_starts: 200,
        tau: 0.02,
        ..DqnConfig::default()
    }
}

#[test]
fn it_learns_to_catch_from_pixels() {
    assert_learns(|plan: &Plan| catch(&catching(), plan), &training(2_000, 1), 0.9);
}

#[test]
fn pixels_resume_exactly() {
    let rainbow = DqnConfig { buffer_size: 400, learning_starts: 100, ..DqnConfig::rainbow() };
    let rainbow = DqnConfig { atoms: 11, v_min: -1.0, v_max: 1.0, ..rainbow };
    assert_resumes_exactly(|plan: &Plan| catch(&rainbow, plan), &training(700, 1));
}

/// A DQN's online and target weights after its first updates, and its contrastive losses till then.
fn first_updates(config: &DqnConfig) -> (Vec<f32>, Vec<f32>, Vec<f64>) {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1_000 };
    let board = Catch::new(CatchConfig { rows: 5, columns: 4 }).unwrap();
    let mut envs = SyncVectorEnv::new(vec![board.clone()], Seed::new(1)).unwrap();
    let mut agent =
        Dqn::new(board.observation_space(), board.action_space(), config.clone(), &plan).unwrap();
    let (mut rng, mut actions, mut losses) = (Seed::new(2).rng(), vec![], vec![]);
    envs.reset().unwrap();
    for _ in 0..400 {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions).unwrap();
        let metrics = agent.learn(envs.step(&actions).unwrap()).unwrap().unwrap_or_default();
        losses.extend(metrics.iter().filter(|(name, _)| *name == "contrastive_loss").map(|m| m.1));
    }
    let mut state = StateDict::new();
    agent.save(&mut state).unwrap();
    let numbers = |name| state.array_of_any_shape::<f32>(name).unwrap().1;
    (numbers("online/values"), numbers("target/values"), losses)
}

#[test]
fn contrast_moves_the_convolutions_and_not_the_target() {
    let conv = vec![ConvConfig { channels: 8, kernel: 3, stride: 1 }];
    let still = DqnConfig { conv, hidden: vec![32], target_every: 10_000, ..catching() };
    let (plain, plain_target, none) = first_updates(&still);
    let (curl, target, losses) = first_updates(&DqnConfig { contrastive: 1.0, ..still.clone() });
    let weights = 3 * 3 * 8 + 8;
    assert_ne!(plain[..weights], curl[..weights]);
    assert_eq!(plain_target, target, "no gradient reaches the target");
    assert!(none.is_empty() && losses.len() == 4, "{losses:?}");
    assert!(losses[3] < losses[0], "{losses:?}");
}

/// DQN with the contrastive loss on the small board.
fn curl() -> DqnConfig {
    DqnConfig { contrastive: 0.1, ..catching() }
}

#[test]
fn with_contrast_it_learns_to_catch_from_pixels() {
    assert_learns(|plan: &Plan| catch(&curl(), plan), &training(2_000, 1), 0.9);
}

#[test]
fn with_contrast_it_resumes_exactly() {
    assert_resumes_exactly(|plan: &Plan| catch(&curl(), plan), &training(700, 1));
}

#[test]
fn pretraining_teaches_the_convolutions_and_nothing_else() {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 10 };
    let mut board = Catch::new(CatchConfig { rows: 5, columns: 4 }).unwrap();
    let seen = random_play(&mut board, 200, &mut Seed::new(1).rng()).unwrap();
    assert_eq!(seen.len(), 200);
    let conv = vec![ConvConfig { channels: 8, kernel: 3, stride: 1 }];
    let pretrain = |agent: &mut Dqn<RowSpace, Discrete>, fit: FitConfig| {
        let config = PretrainConfig { fit, ..PretrainConfig::default() };
        agent.pretrain(&board.observation_space(), &seen, &config, plan.seed)
    };
    let parts = |config: &DqnConfig| {
        let agent = || {
            Dqn::new(board.observation_space(), board.action_space(), config.clone(), &plan)
                .unwrap()
        };
        let (mut pretrained, again, fresh) = (agent(), &mut agent(), agent());
        let settings = FitConfig { epochs: 3, ..FitConfig::adam(1e-2) };
        let history = pretrain(&mut pretrained, settings.clone()).unwrap();
        assert_eq!(pretrain(again, settings).unwrap(), history);
        let loss = |epoch: usize| history.epochs[epoch].train_loss;
        assert!(loss(2) < loss(0), "{history:?}");
        let numbers = |agent: &Dqn<RowSpace, Discrete>, part: &str| -> Vec<f32> {
            let mut state = StateDict::new();
            agent.save(&mut state).unwrap();
            state.array_of_any_shape(&format!("{part}/values")).unwrap().1
        };
        let (before, after) = (numbers(&fresh, "online"), numbers(&pretrained, "online"));
        assert_eq!(after, numbers(again, "online"));
        assert_eq!(after, numbers(&pretrained, "target"));
        let weights = 3 * 3 * 8 + 8;
        assert_ne!(after[..weights], before[..weights]);
        assert_eq!(after[weights..], before[weights..]);
    };
    parts(&DqnConfig { conv: conv.clone(), ..small() });
    parts(&DqnConfig { conv, ..DqnConfig { buffer_size: 500, ..DqnConfig::rainbow() } });
    let mut rows =
        Dqn::new(board.observation_space(), board.action_space(), small(), &plan).unwrap();
    let error = pretrain(&mut rows, FitConfig::default()).unwrap_err().to_string();
    assert!(error.starts_with("encoder ="), "{error}");
    let grouped = FitConfig { param_groups: vec![ParamGroup::default()], ..FitConfig::default() };
    let config = DqnConfig { conv: vec![ConvConfig::min_atar()[0]], ..small() };
    let mut agent =
        Dqn::new(board.observation_space(), board.action_space(), config, &plan).unwrap();
    let error = pretrain(&mut agent, grouped).unwrap_err().to_string();
    assert!(error.starts_with("param_groups ="), "{error}");
    // A last minibatch of one picture has none to be told from.
    let one_left = FitConfig { batch_size: seen.len() - 1, ..FitConfig::adam(1e-2) };
    let error = pretrain(&mut agent, one_left).unwrap_err().to_string();
    assert!(error.contains("drop_last"), "{error}");
}

#[test]
fn settings_out_of_range_are_named() {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 10 };
    let error = |config: DqnConfig| {
        let make = |plan: &Plan| {
            setup(plan, CartPole::default, |o, a| Dqn::new(o, a, config.clone(), plan))
        };
        make(&plan).map(drop).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let conv = ConvConfig::min_atar();
    let contrastive = DqnConfig { conv: conv.clone(), contrastive: 0.1, ..small() };
    for (config, key) in [
        (DqnConfig { conv, ..small() }, "conv ="),
        (DqnConfig { gamma: -1.1, ..small() }, "gamma ="),
        (DqnConfig { priority_exponent: 2.0, ..small() }, "priority_exponent ="),
        (DqnConfig { importance_exponent: 2.0.into(), ..small() }, "importance_exponent ="),
        (DqnConfig { priority_offset: 0.0, ..small() }, "priority_offset ="),
        (DqnConfig { noise: -0.5, ..small() }, "noise ="),
        (DqnConfig { atoms: 1, ..small() }, "atoms ="),
        (DqnConfig { v_min: 10.0, ..small() }, "v_max ="),
        (DqnConfig { contrastive: 0.1, ..small() }, "contrastive ="),
        (DqnConfig { contrastive: f64::NAN, ..small() }, "contrastive ="),
        (DqnConfig { contrastive_temperature: 0.0, ..small() }, "contrastive_temperature ="),
        (DqnConfig { contrastive: 0.1, conv: ConvConfig::min_atar(), ..small() }, "conv ="),
        (DqnConfig { contrastive_shift: 0, ..contrastive.clone() }, "contrastive_shift ="),
        (DqnConfig { batch_size: 1, ..contrastive }, "batch_size ="),
    ] {
        let error = error(config);
        assert!(error.starts_with(key), "{key} {error}");
    }
    // Self-play learns from the other player's values.
    assert_eq!(error(DqnConfig { gamma: -1.0, ..small() }), "");
}
