use gymnast_core::optim::ParamGroup;
use gymnast_envs::{Discrete, Env as _, Seed, SyncVectorEnv, VectorEnv as _, classic::CartPole};

use gymnast_harness::{Agent as _, Checkpoint as _, Mode, Plan, Policy as _, StateDict};

use super::*;
use crate::{distributions::policy_head::Categorical, networks::network::Networks as _};

type Agent1 = Ppo<gymnast_envs::BoxSpace<4>, Categorical<Discrete>>;

fn agent(seed: u64) -> Agent1 {
    let pole = CartPole::default();
    let plan = Plan { seed: Seed::new(seed), num_envs: 4, env_steps: 400 };
    let config = PpoConfig {
        n_steps: 16,
        batch_size: 32,
        hidden: vec![8],
        normalize_observations: true,
        ..PpoConfig::default()
    };
    Ppo::new(pole.observation_space(), Categorical::new(pole.action_space()), config, &plan)
        .unwrap()
}

fn learn(agent: &mut Agent1) {
    let (mut rng, mut actions) = (Seed::new(5).rng(), Vec::new());
    let mut envs = SyncVectorEnv::new(vec![CartPole::default(); 4], Seed::new(4)).unwrap();
    envs.reset().unwrap();
    for _ in 0..100 {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions).unwrap();
        agent.learn(envs.step(&actions).unwrap()).unwrap();
    }
}

/// Its logits of two observations, which it normalises first.
fn logits(agent: &Agent1) -> Vec<f32> {
    let mut logits = Vec::new();
    agent.networks().write_outputs(&[[0.5, 0.4, -0.1, 1.0], [2.0, -3.0, 0.2, 0.0]], &mut logits);
    logits
}

#[test]
fn it_goes_on_from_another_and_trains_its_last_layers_alone() {
    let (mut source, mut adapted) = (agent(1), agent(2));
    learn(&mut source);
    adapted.begin_from(&source).unwrap();
    let before = source.networks().parameters().values().to_vec();
    assert_eq!(adapted.networks().parameters().values(), before);
    assert_eq!(logits(&adapted), logits(&source), "observations are normalised alike");
    let last = adapted.networks().last_layers();
    let layers: Vec<_> = adapted.networks().parameters().ranges().collect();
    let ranges: Vec<_> = layers.into_iter().filter(|range| !last.contains(range)).collect();
    let frozen = ParamGroup { ranges: ranges.clone(), frozen: true, ..ParamGroup::default() };
    adapted.set_param_groups(&[frozen]).unwrap();
    let mut state = StateDict::new();
    adapted.save(&mut state).unwrap();
    let mut resumed = agent(2);
    resumed.load(&state).unwrap();
    learn(&mut adapted);
    learn(&mut resumed);
    let now = adapted.networks().parameters().values();
    assert!(ranges.iter().all(|range| now[range.clone()] == before[range.clone()]));
    let trained = last.iter().filter(|range| !range.is_empty());
    assert!(trained.into_iter().all(|range| now[range.clone()] != before[range.clone()]));
    assert_eq!(resumed.networks().parameters().values(), now);
    let far =
        ParamGroup { ranges: std::iter::once(0..1_000_000).collect(), ..ParamGroup::default() };
    assert!(matches!(adapted.set_param_groups(&[far]), Err(AgentError::Backend(_))));
}
