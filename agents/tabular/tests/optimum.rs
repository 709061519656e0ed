//! Q-learning's presets reach the exact optimum: what the greedy policy is worth is computed from
//! the environment's dynamics, not sampled.

use gymnast_envs::{
    Env, FiniteSpace, Seed, SyncVectorEnv, VectorEnv,
    toy_text::{CliffWalking, FrozenLake, Taxi},
    wrappers::TimeLimit,
};
use gymnast_harness::{Agent, Mode, Plan, Policy, Preset, Presets};
use gymnast_tabular::{Model, QLearning, QLearningConfig, policy_value};

/// The greedy policy's exact expected return within `limit` steps, mean over ten seeds.
fn mean_value<E>(id: &str, env: &E, limit: u32) -> f64
where
    E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace> + Clone,
{
    let Preset { settings, training, .. } = QLearningConfig::preset(id).unwrap();
    let model = Model::of(env).unwrap();
    let value = |seed| {
        let plan = Plan { seed: Seed::new(seed), num_envs: 1, env_steps: training.env_steps };
        let limited = TimeLimit::new(env.clone(), limit);
        let mut envs = SyncVectorEnv::new(vec![limited], plan.seed.child("envs", 0)).unwrap();
        envs.reset().unwrap();
        let spaces = (envs.observation_space().clone(), envs.action_space().clone());
        let mut agent = QLearning::new(spaces.0, spaces.1, settings.clone(), &plan).unwrap();
        let (mut rng, mut actions) = (plan.seed.child("policy", 0).rng(), Vec::new());
        for _ in 0..training.env_steps {
            agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions);
            agent.learn(envs.step(&actions).unwrap()).unwrap();
        }
        let table = agent.table();
        let policy: Vec<_> = (0..model.states()).map(|s| table.greedy(s, &mut rng)).collect();
        policy_value(&model, &policy, limit)
    };
    (0..10).map(value).sum::<f64>() / 10.0
}

/// 98 % of the optimum, whatever its sign.
fn near(optimum: f64) -> f64 {
    optimum - 0.02 * optimum.abs()
}

#[test]
fn frozen_lake() {
    let lake = FrozenLake::default();
    let optimum = Model::of(&lake).unwrap().optimal_within(100);
    assert!((optimum - 0.7442).abs() < 1e-4, "{optimum}");
    let value = mean_value("FrozenLake-v1", &lake, 100);
    assert!(value >= near(optimum), "{value}");
}

#[test]
fn cliff_walking() {
    let value = mean_value("CliffWalking-v1", &CliffWalking::default(), 500);
    assert!(value >= near(-13.0), "{value}");
}

#[test]
fn taxi() {
    let taxi = Taxi::default();
    let optimum = Model::of(&taxi).unwrap().optimal_within(200);
    assert!((optimum - 7.93).abs() < 0.005, "{optimum}");
    let value = mean_value("Taxi-v4", &taxi, 200);
    assert!(value >= near(optimum), "{value}");
}
