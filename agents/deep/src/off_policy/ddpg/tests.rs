use gymnast_envs::{BoxSpace, Experience, Outcome, Seed};
use gymnast_harness::{Agent as _, Plan};

use super::*;

fn agent(config: DdpgConfig) -> Result<Ddpg<BoxSpace<1>, BoxSpace<1>>, AgentError> {
    let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
    let box_of = |limit| BoxSpace::symmetric([limit]);
    Ddpg::new(box_of(1.0), box_of(2.0), config, &plan)
}

fn small() -> DdpgConfig {
    DdpgConfig {
        hidden: vec![8],
        learning_starts: 1,
        buffer_size: 100,
        batch_size: 8,
        gamma: 0.5,
        ..DdpgConfig::default()
    }
}

fn transition(outcome: Outcome) -> Experience<BoxSpace<1>, BoxSpace<1>> {
    Experience {
        observations: vec![[1.0]],
        actions: vec![[-1.0]],
        rewards: vec![-3.0],
        next_observations: vec![[0.5]],
        outcomes: vec![outcome],
        is_reset: vec![false],
    }
}

#[test]
fn an_ended_episode_has_no_future_a_cut_one_has() {
    for (outcome, discount) in [(Outcome::Terminated, 0.0), (Outcome::Truncated, 0.5)] {
        let mut agent = agent(small()).unwrap();
        agent.learn(&transition(outcome)).unwrap();
        assert_eq!(agent.batch.action, [-0.5; 8]); // −1 between −2 and 2
        let Next { target, value: next_value, .. } = &agent.learner.next;
        for (target, value) in target.iter().zip(next_value) {
            assert!(*value != 0.0 && (target - (-3.0 + discount * value)).abs() < 1e-6);
        }
    }
}

#[test]
fn the_next_action_is_the_target_actors_without_noise() {
    let mut agent = agent(small()).unwrap();
    agent.learn(&transition(Outcome::Continues)).unwrap();
    let next_action = &agent.learner.next.action;
    assert!(next_action.len() == 8 && next_action.iter().all(|a| *a == next_action[0]));
}

#[test]
fn settings_out_of_range_are_named() {
    for (key, config) in [
        ("exploration_noise", DdpgConfig { exploration_noise: (-1.0).into(), ..small() }),
        ("reward_scale", DdpgConfig { reward_scale: 0.0, ..small() }),
        ("learning_rate", DdpgConfig { learning_rate: 2.0.into(), ..small() }),
    ] {
        let error = agent(config).err().expect(key).to_string();
        assert!(error.starts_with(&format!("{key} = ")), "{error}");
    }
}
