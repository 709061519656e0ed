use gymnast_envs::{BoxSpace, Experience, Outcome, Seed};
use gymnast_harness::{Agent as _, Checkpoint as _, Plan, StateDict};

use super::*;

fn agent(config: Td3Config) -> Result<Td3<BoxSpace<1>, BoxSpace<1>>, AgentError> {
    let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
    let box_of = |limit| BoxSpace::symmetric([limit]);
    Td3::new(box_of(1.0), box_of(2.0), config, &plan)
}

fn small() -> Td3Config {
    Td3Config {
        hidden: vec![8],
        learning_starts: 1,
        buffer_size: 100,
        batch_size: 8,
        gamma: 0.5,
        ..Td3Config::default()
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
fn the_actor_and_the_targets_learn_late() {
    let mut agent = agent(Td3Config { policy_delay: 3, ..small() }).unwrap();
    let saved = |agent: &Td3<_, _>| {
        let (mut actor, mut critics) = (StateDict::new(), StateDict::new());
        agent.learner.actor.save(&mut actor).unwrap();
        agent.learner.critics.save(&mut critics).unwrap();
        let target: Vec<f32> = critics.array_of_any_shape("0/target/values").unwrap().1;
        let online: Vec<f32> = actor.array_of_any_shape("online/network/values").unwrap().1;
        let critic: Vec<f32> = critics.array_of_any_shape("0/network/values").unwrap().1;
        (online, target, critic)
    };
    let before = saved(&agent);
    for update in 1..=3 {
        agent.learn(&transition(Outcome::Continues)).unwrap();
        let after = saved(&agent);
        assert_ne!(before.2, after.2);
        assert_eq!(before.0 != after.0, update == 3, "the actor after {update} updates");
        assert_eq!(before.1 != after.1, update == 3, "the target after {update} updates");
    }
}

#[test]
fn the_target_actions_noise_is_cut() {
    let with = |target_noise, target_noise_clip| {
        let mut agent = agent(Td3Config { target_noise, target_noise_clip, ..small() }).unwrap();
        agent.learn(&transition(Outcome::Continues)).unwrap();
        agent.learner.next.action
    };
    let (exact, noisy) = (with(0.0, 0.5), with(5.0, 0.25));
    assert!(exact.windows(2).all(|pair| pair[0] == pair[1]));
    let off: Vec<f32> = exact.iter().zip(&noisy).map(|(a, b)| (a - b).abs()).collect();
    assert!(off.iter().all(|&x| x <= 0.2501) && off.iter().any(|&x| x > 0.24), "{off:?}");
}

#[test]
fn settings_out_of_range_are_named() {
    for (key, config) in [
        ("policy_delay", Td3Config { policy_delay: 0, ..small() }),
        ("target_noise", Td3Config { target_noise: -1.0, ..small() }),
        ("target_noise_clip", Td3Config { target_noise_clip: f64::NAN, ..small() }),
        ("exploration_noise", Td3Config { exploration_noise: (-1.0).into(), ..small() }),
        ("batch_size", Td3Config { batch_size: 0, ..small() }),
        ("gradient_steps", Td3Config { gradient_steps: 0, ..small() }),
        ("gradient_steps", Td3Config { gradient_steps: 10_001, ..small() }),
    ] {
        let error = agent(config).err().expect(key).to_string();
        assert!(error.starts_with(&format!("{key} = ")), "{error}");
    }
}
