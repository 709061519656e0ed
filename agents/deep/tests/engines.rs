//! Plain Rust and libtorch compute the same updates of every deep agent.

use gymnast_core::nn::{Activation, Engine, LayerConfig};
use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Distribution, Dqn, DqnConfig, Mbpo, MbpoConfig, Networks, Ppo, PpoConfig, Reinforce,
    ReinforceConfig, Sac, SacConfig, Td3, Td3Config,
};
use gymnast_envs::{
    Env, FeatureSpace, Seed, SyncVectorEnv,
    bsuite::Catch,
    classic::{CartPole, Pendulum},
};
use gymnast_harness::{Agent, AgentError, Demonstrations, Plan, Trainer, Training};

/// The parameters of all networks of an agent after `env_steps`.
fn trained<E, G>(
    env_steps: u64,
    engine: Engine,
    env: fn() -> E,
    make: &impl Fn(E::ObservationSpace, E::ActionSpace, &Plan) -> Result<G, AgentError>,
) -> Vec<(String, Vec<f32>)>
where
    E: Env + Send + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace> + Networks,
{
    let training = Training { env_steps, num_envs: 2, ..Training::default() };
    let plan = training.plan(3);
    let mut envs = SyncVectorEnv::of(2, plan.seed.child("envs", 0), || Ok(env())).unwrap();
    let mut agent = make(env().observation_space(), env().action_space(), &plan).unwrap();
    agent.set_engine(engine).unwrap();
    let expected = if engine == Engine::Plan { "plain Rust" } else { "libtorch" };
    assert_eq!(agent.evaluated_by(), expected);
    Trainer::new(&training, 3, &mut agent, &mut envs).run().unwrap();
    parameters(&agent)
}

fn parameters(agent: &impl Networks) -> Vec<(String, Vec<f32>)> {
    let networks = agent.named_parameters().into_iter();
    networks.map(|(name, parameters)| (name, parameters.to_vec())).collect()
}

fn assert_agree<E, G>(
    what: &str,
    env_steps: u64,
    env: fn() -> E,
    make: impl Fn(E::ObservationSpace, E::ActionSpace, &Plan) -> Result<G, AgentError>,
) where
    E: Env + Send + 'static,
    E::ObservationSpace: FeatureSpace,
    G: Agent<E::ObservationSpace, E::ActionSpace> + Networks,
{
    let plan = Training { num_envs: 2, ..Training::default() }.plan(3);
    let fresh = make(env().observation_space(), env().action_space(), &plan).unwrap();
    let before = parameters(&fresh);
    let [ours, theirs] =
        [Engine::Plan, Engine::Libtorch].map(|engine| trained(env_steps, engine, env, &make));
    let mut moved = 0;
    for (((name, before), (_, ours)), (_, theirs)) in before.iter().zip(&ours).zip(&theirs) {
        moved += before.iter().zip(ours).filter(|(before, after)| before != after).count();
        for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
            assert!((a - b).abs() <= 1e-5, "{what}, {name}, {i}: {a} {b}");
        }
    }
    assert!(moved > 0, "{what} has not learned");
}

fn pictures() -> Vec<LayerConfig> {
    vec![LayerConfig::conv2d(3, 3, 1), Activation::Tanh.into(), LayerConfig::Flatten]
}

fn blocks() -> Vec<LayerConfig> {
    let block = vec![LayerConfig::linear(12), Activation::Tanh.into()];
    vec![
        LayerConfig::linear(12),
        LayerConfig::layer_norm(),
        Activation::Tanh.into(),
        LayerConfig::Residual { layers: block },
    ]
}

#[test]
fn of_the_dqn_family() {
    let small = || DqnConfig {
        hidden: vec![12],
        activation: Activation::Tanh,
        learning_rate: 1e-3.into(),
        learning_starts: 20,
        train_every: 2,
        batch_size: 8,
        buffer_size: 100,
        ..DqnConfig::default()
    };
    let distributional = |distribution| DqnConfig { distribution, atoms: 7, ..small() };
    let configs = [
        ("DQN", small()),
        ("double DQN", DqnConfig { double: true, ..small() }),
        ("dueling DQN", DqnConfig { dueling: true, ..small() }),
        ("C51", DqnConfig { v_min: -1.0, v_max: 5.0, ..distributional(Distribution::Categorical) }),
        ("QR-DQN", distributional(Distribution::Quantile)),
        ("dueling QR-DQN", DqnConfig { dueling: true, ..distributional(Distribution::Quantile) }),
        ("prioritized DQN", DqnConfig { priority_exponent: 0.6, ..small() }),
        ("noisy DQN", DqnConfig { noise: 0.5, ..small() }),
        ("DQN with blocks", DqnConfig { hidden: vec![], head: blocks(), ..small() }),
    ];
    for (what, config) in configs {
        assert_agree(what, 22, CartPole::default, |o, a, plan| {
            Dqn::new(o, a, config.clone(), plan)
        });
    }
    let conv = DqnConfig { encoder: pictures(), ..small() };
    for contrastive in [0.0, 0.5] {
        let config = DqnConfig { contrastive, contrastive_shift: 1, ..conv.clone() };
        let what = format!("DQN of pictures, contrastive {contrastive}");
        assert_agree(&what, 22, Catch::default, |o, a, plan| Dqn::new(o, a, config.clone(), plan));
    }
}

/// The settings of an agent with an actor and critics, small.
macro_rules! small {
    ($config:ident, $head:ident) => {
        $config {
            hidden: if $head.is_empty() { vec![12] } else { vec![] },
            head: $head.clone(),
            activation: Activation::Tanh,
            learning_rate: 1e-3.into(),
            learning_starts: 20,
            batch_size: 8,
            buffer_size: 100,
            ..$config::default()
        }
    };
}

#[test]
fn of_actors_with_critics() {
    let env = Pendulum::default;
    for head in [vec![], blocks()] {
        let (sac, td3) = (small!(SacConfig, head), small!(Td3Config, head));
        let ddpg = small!(DdpgConfig, head);
        let mbpo = MbpoConfig {
            sac: sac.clone(),
            ensemble: 2,
            elites: 1,
            model_hidden: vec![8],
            ..MbpoConfig::default()
        };
        assert_agree("SAC", 22, env, |o, a, plan| Sac::new(o, a, sac.clone(), plan));
        assert_agree("MBPO", 24, env, |o, a, plan| Mbpo::new(o, a, mbpo.clone(), plan));
        assert_agree("TD3", 22, env, |o, a, plan| Td3::new(o, a, td3.clone(), plan));
        assert_agree("DDPG", 22, env, |o, a, plan| Ddpg::new(o, a, ddpg.clone(), plan));
    }
}

#[test]
fn of_policy_gradients() {
    let ppo = PpoConfig {
        n_steps: 8,
        batch_size: 16,
        epochs: 2,
        hidden: vec![12],
        ..PpoConfig::default()
    };
    let a2c = A2cConfig { n_steps: 8, hidden: vec![12], ..A2cConfig::default() };
    let reinforce =
        ReinforceConfig { episodes_per_update: 2, hidden: vec![12], ..ReinforceConfig::default() };
    assert_agree("PPO", 16, CartPole::default, |o, a, plan| {
        Ppo::new(o, Categorical::new(a), ppo.clone(), plan)
    });
    assert_agree("PPO, real-valued", 16, Pendulum::default, |o, a, plan| {
        Ppo::new(o, DiagonalGaussian::new(a), ppo.clone(), plan)
    });
    let conv = PpoConfig { encoder: pictures(), ..ppo.clone() };
    assert_agree("PPO of pictures", 16, Catch::default, |o, a, plan| {
        Ppo::new(o, Categorical::new(a), conv.clone(), plan)
    });
    assert_agree("A2C", 16, CartPole::default, |o, a, plan| {
        A2c::new(o, Categorical::new(a), a2c.clone(), plan)
    });
    assert_agree("REINFORCE", 120, CartPole::default, |o, a, plan| {
        Reinforce::new(o, Categorical::new(a), reinforce.clone(), plan)
    });
}

#[test]
fn of_a_clone() {
    let cart = CartPole::default();
    let mut demonstrations = Demonstrations::new(cart.observation_space(), cart.action_space());
    let mut envs = SyncVectorEnv::of(1, Seed::new(1), || Ok(CartPole::default())).unwrap();
    for _ in 0..3 {
        // Pushes the pole back.
        let choose = |observation: &[f32; 4]| Ok(i64::from(observation[2] > 0.0));
        demonstrations.record(&mut envs, 100, choose).unwrap();
    }
    let config = BcConfig { hidden: vec![12], ..BcConfig::default() };
    assert_agree("BC", 2, CartPole::default, |_, a, plan| {
        Bc::new(&demonstrations, Categorical::new(a), &config, plan)
    });
}

/// The numbers of all networks of an agent whose settings choose the engine.
fn set<E, G>(
    env: fn() -> E,
    make: impl Fn(E::ObservationSpace, E::ActionSpace, Engine, &Plan) -> Result<G, AgentError>,
) -> [Vec<f32>; 3]
where
    E: Env + Send + 'static,
    G: Agent<E::ObservationSpace, E::ActionSpace> + Networks,
{
    [Engine::Plan, Engine::PlanBf16, Engine::Libtorch].map(|engine| {
        let training = Training { env_steps: 64, ..Training::default() };
        let plan = training.plan(3);
        let mut envs = SyncVectorEnv::of(1, plan.seed.child("envs", 0), || Ok(env())).unwrap();
        let (observations, actions) = (env().observation_space(), env().action_space());
        let mut agent = make(observations, actions, engine, &plan).unwrap();
        let libtorch = engine == Engine::Libtorch;
        assert_eq!(agent.evaluated_by(), if libtorch { "libtorch" } else { "plain Rust" });
        Trainer::new(&training, 3, &mut agent, &mut envs).run().unwrap();
        parameters(&agent).into_iter().flat_map(|(_, values)| values).collect()
    })
}

#[test]
fn by_their_settings() {
    let (hidden, learning_starts, batch_size) = (vec![24, 24], 40, 16);
    let all = [
        set(CartPole::default, |o, a, engine, plan| {
            let hidden = hidden.clone();
            let config =
                DqnConfig { hidden, learning_starts, batch_size, engine, ..DqnConfig::default() };
            Dqn::new(o, a, config, plan)
        }),
        set(Pendulum::default, |o, a, engine, plan| {
            let hidden = hidden.clone();
            let config =
                SacConfig { hidden, learning_starts, batch_size, engine, ..SacConfig::default() };
            Sac::new(o, a, config, plan)
        }),
        set(CartPole::default, |o, a, engine, plan| {
            let hidden = hidden.clone();
            let config =
                PpoConfig { hidden, n_steps: 32, batch_size, engine, ..PpoConfig::default() };
            Ppo::new(o, Categorical::new(a), config, plan)
        }),
    ];
    for [plan, rounded, libtorch] in all {
        assert!(plan != rounded && plan != libtorch, "settings choose");
        let change = plan.iter().zip(&rounded).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(change < 0.1, "{change}");
    }
}

#[test]
fn an_engine_that_cannot_train_the_layers_is_refused() {
    let plan = Training::default().plan(0);
    let head = vec![LayerConfig::linear(8), LayerConfig::Dropout { p: 0.5 }];
    let make = |engine| {
        let config =
            DqnConfig { hidden: vec![], head: head.clone(), engine, ..DqnConfig::default() };
        let cart = CartPole::default();
        Dqn::new(cart.observation_space(), cart.action_space(), config, &plan)
    };
    for engine in [Engine::Auto, Engine::Libtorch] {
        assert_eq!(make(engine).unwrap().evaluated_by(), "libtorch");
    }
    for engine in [Engine::Plan, Engine::PlanBf16] {
        let error = make(engine).err().unwrap();
        let AgentError::InvalidConfig(error) = error else { panic!("{error}") };
        assert_eq!((error.key, error.value), ("engine", format!("\"{}\"", engine.name())));
    }
}

#[test]
fn of_a3c_needs_plain_rust_in_all_workers() {
    let cart = CartPole::default();
    let training = Training { num_envs: 2, env_steps: 200, ..Training::default() };
    let make = |engine| {
        let config = A3cConfig { hidden: vec![32; 2], t_max: 20, engine, ..A3cConfig::default() };
        let (seen, head) = (cart.observation_space(), Categorical::new(cart.action_space()));
        A3c::new(seen, head, config, &training.plan(3))
    };
    let trained = |mut agent: A3c<_, _>| {
        let seed = training.plan(3).seed.child("envs", 0);
        let mut envs = SyncVectorEnv::of(2, seed, || Ok(CartPole::default())).unwrap();
        Trainer::new(&training, 3, &mut agent, &mut envs).run().unwrap();
        parameters(&agent)
    };
    let mut changed = make(Engine::Plan).unwrap();
    changed.set_engine(Engine::PlanBf16).unwrap();
    assert_eq!(trained(changed), trained(make(Engine::PlanBf16).unwrap()), "workers too");
    assert_ne!(trained(make(Engine::Auto).unwrap()), trained(make(Engine::PlanBf16).unwrap()));
    for error in [
        make(Engine::Libtorch).err(),
        make(Engine::Auto).unwrap().set_engine(Engine::Libtorch).err(),
    ] {
        assert!(matches!(error, Some(AgentError::InvalidConfig(error)) if error.key == "engine"));
    }
}
