//! A vector step allocates nothing: acting, stepping, remembering, and learning, but where it returns metrics.

#[path = "../../../envs/tests/allocations/counting.rs"]
mod counting;

use gymnast_deep::{Dqn, DqnConfig, Sac, SacConfig, Td3, Td3Config};
use gymnast_envs::{
    Env, EnvOptions, Registry, Seed, Space, SyncVectorEnv, VectorEnv,
    classic::{CartPole, Pendulum},
    kind,
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

/// Plays 300 vector steps after 300 that warm everything; each learns. Those that return metrics may allocate.
fn updates_allocate_nothing<E, G>(env: E, mut agent: G)
where
    E: Env + Send,
    G: Agent<E::ObservationSpace, E::ActionSpace>,
{
    let mut envs = SyncVectorEnv::new(vec![env], Seed::new(2)).unwrap();
    let (mut rng, mut actions) = (Seed::new(1).rng(), Vec::new());
    envs.reset().unwrap();
    let mut quiet = 0;
    for i in 0..600 {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions).unwrap();
        let step = envs.step(&actions).unwrap();
        let mut metrics = None;
        let counted = allocations(|| metrics = agent.learn(step).unwrap());
        if i >= 300 && metrics.is_none() {
            assert_eq!(counted, 0, "in step {i}");
            quiet += 1;
        }
    }
    assert!(agent.has_learned() && quiet > 200);
}

#[test]
fn updates_of_a_dqn_allocate_nothing() {
    let small = |config: DqnConfig| DqnConfig {
        hidden: vec![16],
        learning_starts: 50,
        train_every: 1,
        buffer_size: 200,
        batch_size: 8,
        ..config
    };
    let dueling = DqnConfig { double: true, dueling: true, ..DqnConfig::default() };
    for config in [DqnConfig::default(), dueling, DqnConfig::rainbow()].map(small) {
        let cart = CartPole::default();
        let (o, a) = (cart.observation_space(), cart.action_space());
        updates_allocate_nothing(cart, Dqn::new(o, a, config, &plan(1)).unwrap());
    }
}

#[test]
fn updates_of_actors_and_critics_allocate_nothing() {
    let pendulum = Pendulum::default();
    let (o, a) = (pendulum.observation_space(), pendulum.action_space());
    let sac = SacConfig {
        hidden: vec![16],
        learning_starts: 50,
        buffer_size: 200,
        batch_size: 8,
        ..SacConfig::default()
    };
    updates_allocate_nothing(pendulum.clone(), Sac::new(o, a, sac, &plan(1)).unwrap());
    let td3 = Td3Config {
        hidden: vec![16],
        learning_starts: 50,
        buffer_size: 200,
        batch_size: 8,
        ..Td3Config::default()
    };
    updates_allocate_nothing(pendulum, Td3::new(o, a, td3, &plan(1)).unwrap());
}
