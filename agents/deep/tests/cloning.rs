//! Behaviour cloning does as the one it learns from, and resumes bit for bit.

use gymnast_core::{data::Sampler, imbalance::ClassWeight};
use gymnast_deep::{Bc, BcConfig, Categorical, DiagonalGaussian};
use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvError, Obs, Rng, Seed, Step, SyncVectorEnv, classic::CartPole,
    wrappers::TimeLimit,
};
use gymnast_harness::{
    Demonstrations, Mode, Plan, Policy,
    testing::{Quadratic, assert_learns, assert_resumes_exactly, setup, training},
};

use rand::RngExt as _;

type Pole = Demonstrations<BoxSpace<4>, Discrete>;

fn cart_pole() -> TimeLimit<CartPole> {
    TimeLimit::new(CartPole::default(), 200)
}

/// Keeps the pole upright, and the cart near the middle.
fn controller([place, speed, angle, turning]: &[f32; 4]) -> i64 {
    (0.1 * place + 0.2 * speed + angle + 0.4 * turning > 0.0).into()
}

fn record<E: Env>(
    env: E,
    episodes: usize,
    choose: impl Fn(&Obs<E>) -> <E::ActionSpace as gymnast_envs::Space>::Element,
) -> Demonstrations<E::ObservationSpace, E::ActionSpace> {
    let mut recorded = Demonstrations::new(env.observation_space(), env.action_space());
    let mut envs = SyncVectorEnv::new(vec![env], Seed::new(1)).unwrap();
    for _ in 0..episodes {
        let choose = |seen: &_| Ok(choose(seen));
        recorded.record(&mut envs, 1_000, choose).unwrap();
    }
    recorded
}

fn small() -> BcConfig {
    BcConfig { hidden: vec![16, 16], learning_rate: 1e-2, ..BcConfig::default() }
}

#[test]
fn it_clones_a_controller() {
    let episodes: Pole = record(cart_pole(), 10, controller);
    assert!(episodes.returns().iter().all(|&sum| sum == 200.0));
    let make = |plan: &Plan| {
        setup(plan, cart_pole, |_, a| Bc::new(&episodes, Categorical::new(a), &small(), plan))
    };
    assert_learns(make, &training(800, 1), 190.0);
    // And where the controller has not been.
    let plan = Plan { seed: Seed::new(2), num_envs: 1, env_steps: 800 };
    let mut setup = make(&plan).unwrap();
    let unseen: Pole = record(TimeLimit::new(CartPole::default(), 50), 20, controller);
    let agreement = |agent: &dyn Policy<BoxSpace<4>, Discrete>| {
        let mut actions = Vec::new();
        agent
            .act(unseen.observations(), Mode::Exploit, &mut Seed::new(0).rng(), &mut actions)
            .unwrap();
        let same = actions.iter().zip(unseen.actions()).filter(|(a, b)| a == b).count();
        same as f64 / unseen.len() as f64
    };
    let before = agreement(&*setup.agent);
    setup.envs.reset().unwrap();
    for _ in 0..plan.env_steps {
        let experience = setup.envs.step(&[0]).unwrap();
        setup.agent.learn(experience).unwrap();
    }
    let after = agreement(&*setup.agent);
    assert!(before < 0.8 && after > 0.95, "{before} {after}");
}

#[test]
fn it_clones_real_valued_actions() {
    let episodes = record(Quadratic::default(), 300, |[seen]| [1.0 + seen]);
    let make = |plan: &Plan| {
        setup(plan, Quadratic::default, |_, a| {
            Bc::new(&episodes, DiagonalGaussian::new(a), &small(), plan)
        })
    };
    assert_learns(make, &training(600, 1), -0.002);
}

#[test]
fn it_resumes_exactly() {
    let episodes: Pole = record(cart_pole(), 4, controller);
    // One ends for want of improvement, one at the end of its epochs, one goes on.
    for (patience, epochs, validation_share) in [(2, 50, 0.25), (0, 20, 0.0), (0, 1_000, 0.5)] {
        for num_envs in [1, 3] {
            let make = |plan: &Plan| {
                let config = BcConfig { patience, epochs, validation_share, ..small() };
                setup(plan, cart_pole, |_, a| {
                    Bc::new(&episodes, Categorical::new(a), &config, plan)
                })
            };
            assert_resumes_exactly(make, &training(600, num_envs));
        }
    }
}

/// A random place in the square; which of three actions suits it, one of them rarely, depends on it.
struct Places;

impl Env for Places {
    type ObservationSpace = BoxSpace<2>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<2> {
        BoxSpace::symmetric([1.0; 2])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 2], EnvError> {
        Ok([rng.random_range(-1.0..1.0), rng.random_range(-1.0..1.0)])
    }

    fn step(&mut self, _: &i64, rng: &mut Rng) -> Result<Step<[f32; 2]>, EnvError> {
        Ok(Step::new(self.reset(rng)?, 0.0, false))
    }
}

fn suits([x, y]: &[f32; 2]) -> i64 {
    if x * x + y * y < 0.04 { 2 } else { (*x > 0.0).into() } // 2 in 3 % of the square
}

#[test]
fn balanced_it_learns_what_is_done_rarely() {
    let places = || TimeLimit::new(Places, 50);
    let (episodes, unseen) = (record(places(), 40, suits), record(places(), 60, suits));
    let recall = |config: BcConfig| {
        let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 400 };
        let make = |_, a| Bc::new(&episodes, Categorical::new(a), &config, &plan);
        let mut setup = setup(&plan, places, make).unwrap();
        setup.envs.reset().unwrap();
        for _ in 0..plan.env_steps {
            setup.agent.learn(setup.envs.step(&[0]).unwrap()).unwrap();
        }
        let mut actions = Vec::new();
        let agent = &setup.agent;
        agent
            .act(unseen.observations(), Mode::Exploit, &mut Seed::new(0).rng(), &mut actions)
            .unwrap();
        let rare = || actions.iter().zip(unseen.actions()).filter(|(_, truth)| **truth == 2);
        assert!(rare().count() > 50);
        rare().filter(|(action, _)| **action == 2).count() as f64 / rare().count() as f64
    };
    let plain = recall(small());
    for config in [
        BcConfig { sampler: Sampler::Balanced, ..small() },
        BcConfig { class_weight: ClassWeight::Balanced, ..small() },
    ] {
        let balanced = recall(config.clone());
        assert!(balanced > 0.95 && balanced > plain + 0.1, "{config:?} {balanced}, plain {plain}");
    }
}

#[test]
fn balanced_it_resumes_exactly() {
    let episodes: Pole = record(cart_pole(), 4, controller);
    let (sampler, class_weight) = (Sampler::Balanced, ClassWeight::EffectiveNumber { beta: 0.99 });
    let config = BcConfig { sampler, class_weight, ..small() };
    let make = |plan: &Plan| {
        setup(plan, cart_pole, |_, a| Bc::new(&episodes, Categorical::new(a), &config, plan))
    };
    assert_resumes_exactly(make, &training(600, 1));
}

#[test]
fn only_finite_actions_are_balanced() {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 10 };
    let episodes = record(Quadratic::default(), 5, |[seen]| [1.0 + seen]);
    for (key, config) in [
        ("sampler", BcConfig { sampler: Sampler::Balanced, ..small() }),
        ("class_weight", BcConfig { class_weight: ClassWeight::Balanced, ..small() }),
    ] {
        let head = DiagonalGaussian::new(Quadratic::default().action_space());
        let error = Bc::new(&episodes, head, &config, &plan).err().unwrap().to_string();
        assert!(error.contains(key) && error.contains("these actions are no classes"), "{error}");
    }
}

#[test]
fn a_checkpoint_of_other_episodes_is_refused() {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 10 };
    let agent = |episodes: &Pole| {
        Bc::new(episodes, Categorical::new(Discrete::new(2)), &small(), &plan).unwrap()
    };
    let mut state = gymnast_harness::StateDict::new();
    state.insert_part("agent", &agent(&record(cart_pole(), 2, controller))).unwrap();
    let mut other = agent(&record(cart_pole(), 3, controller));
    let error = state.load_part("agent", &mut other).unwrap_err().to_string();
    assert!(error.contains("agent/demonstrations") && error.contains("400 steps"), "{error}");
}

#[test]
fn it_says_what_it_needs() {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 10 };
    let (seen, done) = (cart_pole().observation_space(), cart_pole().action_space());
    let error = BcConfig::default().read_demonstrations(seen, done).unwrap_err().to_string();
    assert!(error.contains("gymnast record"), "{error}");
    let none = Pole::new(seen, done);
    assert!(Bc::new(&none, Categorical::new(done), &small(), &plan).is_err());
    let one: Pole = record(cart_pole(), 1, controller);
    for (key, config) in [
        ("validation_share", BcConfig { validation_share: 1.0, ..small() }),
        ("learning_rate", BcConfig { learning_rate: 0.0, ..small() }),
        ("updates_per_step", BcConfig { updates_per_step: 0, ..small() }),
    ] {
        let made = Bc::new(&one, Categorical::new(done), &config, &plan);
        let error = made.err().expect(key).to_string();
        assert!(error.starts_with(key), "{error}");
    }
}
