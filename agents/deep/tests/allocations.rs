//! Between updates a vector step allocates nothing: acting, stepping, remembering. An update itself may, as libtorch
//! makes tensors.

#[path = "../../../envs/tests/allocations/counting.rs"]
mod counting;

use gymnast_deep::{Dqn, DqnConfig, Sac, SacConfig};
use gymnast_envs::{
    EnvOptions, Registry, Seed, Space, SyncVectorEnv, VectorEnv, classic::CartPole, kind,
};
use gymnast_harness::{Agent, Mode, Plan};

use counting::allocations;

fn plan(num_envs: usize) -> Plan {
    Plan { seed: Seed::new(3), num_envs, env_steps: 10_000 }
}

/// Plays 1,000 vector steps after 4,000 that warm everything: memories of 500 transitions are full then, as
/// what they hold of ended episodes grows until they are.
fn steps_allocate_nothing<O: Space, A: Space>(
    agent: &mut dyn Agent<O, A>,
    envs: &mut dyn VectorEnv<O, A>,
) {
    let (mut rng, mut actions) = (Seed::new(1).rng(), Vec::new());
    envs.reset().unwrap();
    let mut play = |steps: usize| {
        for i in 0..steps {
            // An evaluation's calls too.
            let mode = if i % 2 == 0 { Mode::Explore } else { Mode::Exploit };
            agent.act(envs.observations(), mode, &mut rng, &mut actions).unwrap();
            let step = envs.step(&actions).unwrap();
            assert!(agent.learn(step).unwrap().is_none());
        }
    };
    play(4_000);
    assert_eq!(allocations(|| play(1_000)), 0);
    assert!(!agent.has_learned());
}

/// DQN, and Rainbow with its noise and its distributions: they act from the first step on, and wait to learn.
fn dqns() -> [DqnConfig; 2] {
    [DqnConfig::default(), DqnConfig::rainbow()].map(|config| DqnConfig {
        learning_starts: 20_000,
        buffer_size: 500,
        ..config
    })
}

#[test]
fn dqn_allocates_nothing_in_a_typed_cart_pole() {
    for config in dqns() {
        for num_envs in [1, 3] {
            let plan = plan(num_envs);
            let mut envs =
                SyncVectorEnv::new(vec![CartPole::default(); num_envs], plan.seed).unwrap();
            let (o, a) = (*envs.observation_space(), *envs.action_space());
            let mut agent = Dqn::new(o, a, config.clone(), &plan).unwrap();
            steps_allocate_nothing(&mut agent, &mut envs);
        }
    }
}

#[test]
fn dqn_allocates_nothing_in_an_environment_by_name() {
    for id in ["CartPole-v1", "FrozenLake-v1", "TicTacToe-v0"] {
        for config in dqns() {
            for num_envs in [1, 3] {
                let plan = plan(num_envs);
                let (registry, options) = (Registry::builtin(), EnvOptions::none());
                let spec = registry.spec(id).unwrap();
                let envs = spec.vector(kind::Discrete, num_envs, plan.seed, &options);
                let mut envs = envs.unwrap().unwrap();
                let (o, a) = (envs.observation_space().clone(), *envs.action_space());
                let mut agent = Dqn::new(o, a, config.clone(), &plan).unwrap();
                steps_allocate_nothing(&mut agent, &mut *envs);
            }
        }
    }
}

#[test]
fn sac_allocates_nothing_in_an_environment_by_name() {
    let (registry, plan) = (Registry::builtin(), plan(2));
    let spec = registry.spec("Pendulum-v1").unwrap();
    let envs = spec.vector(kind::Continuous, 2, plan.seed, &EnvOptions::none());
    let mut envs = envs.unwrap().unwrap();
    let (o, a) = (envs.observation_space().clone(), envs.action_space().clone());
    // Random actions as long as it waits; an evaluation's are its own.
    let config = SacConfig { learning_starts: 20_000, buffer_size: 500, ..SacConfig::default() };
    let mut agent = Sac::new(o, a, config, &plan).unwrap();
    steps_allocate_nothing(&mut agent, &mut *envs);
}
