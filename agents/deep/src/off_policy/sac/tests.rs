use gymnast_core::nn::Network as _;
use gymnast_envs::{BoxSpace, Env as _, Experience, Outcome, Seed, classic::Pendulum};
use gymnast_harness::{Agent as _, Mode, Plan, Policy as _};
use tch::Tensor;

use super::*;

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape(-1)).unwrap()
}

fn agent(config: SacConfig) -> Sac<BoxSpace<3>, BoxSpace<1>> {
    let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
    let pendulum = Pendulum::default();
    Sac::new(pendulum.observation_space(), pendulum.action_space(), config, &plan).unwrap()
}

fn small() -> SacConfig {
    SacConfig { hidden: vec![8], buffer_size: 100, batch_size: 8, ..SacConfig::default() }
}

#[test]
fn an_ended_episode_has_no_future_a_cut_one_has() {
    // Without a future the target is the reward; with one it is that plus γ (min Q' − α log π).
    for (outcome, has_future) in [(Outcome::Terminated, false), (Outcome::Truncated, true)] {
        let mut sac = agent(SacConfig { learning_starts: 1, gamma: 0.5, ..small() });
        let experience = Experience {
            observations: vec![[1.0, 0.0, 0.0]],
            actions: vec![[2.0]],
            rewards: vec![-3.0],
            next_observations: vec![[0.0, 1.0, 1.0]],
            outcomes: vec![outcome],
            is_reset: vec![false],
        };
        sac.learn(&experience).unwrap();
        assert_eq!(sac.batch.action, [1.0; 8]); // torque 2 is the upper bound
        let Next { target, value: next_value, log_prob: next_log_prob, .. } = &sac.learner.next;
        for (target, (value, log_prob)) in target.iter().zip(next_value.iter().zip(next_log_prob)) {
            let future = if has_future { 0.5 * (value - log_prob) } else { 0.0 };
            assert!((target - (-3.0 + future)).abs() < 1e-5);
        }
        assert!(next_value.iter().all(|value| *value != 0.0));
    }
}

#[test]
fn several_rewards_are_summed_before_it_bootstraps() {
    let several =
        SacConfig { learning_starts: 3, gamma: 0.5, n_step: 2, batch_size: 32, ..small() };
    let mut sac = agent(several);
    for (reward, outcome) in
        [(1.0, Outcome::Continues), (4.0, Outcome::Continues), (8.0, Outcome::Terminated)]
    {
        let experience = Experience {
            observations: vec![[1.0, 0.0, 0.0]],
            actions: vec![[2.0]],
            rewards: vec![reward],
            next_observations: vec![[0.0, 1.0, 1.0]],
            outcomes: vec![outcome],
            is_reset: vec![false],
        };
        sac.learn(&experience).unwrap();
    }
    let (batch, next) = (&sac.batch, &sac.learner.next);
    for i in 0..32 {
        // From the first step 1 + 4/2 and a quarter of what comes then, from the others to the end.
        let (sum, share) = [(3.0, 0.25), (8.0, 0.0), (8.0, 0.0)][batch.row[i]];
        let future = share * (next.value[i] - next.log_prob[i]);
        assert!((next.target[i] - (sum + future)).abs() < 1e-5);
    }
    assert!((0..3).all(|row| batch.row.contains(&row)));
}

#[test]
fn it_exploits_by_averaged_weights_where_asked_to() {
    let mut sac = agent(SacConfig { learning_starts: 1, average: 0.75, ..small() });
    let mut weights = vec![sac.learner.actor.network().parameters().to_vec()];
    for _ in 0..2 {
        let experience = Experience {
            observations: vec![[1.0, 0.0, 0.0]],
            actions: vec![[2.0]],
            rewards: vec![-3.0],
            next_observations: vec![[0.0, 1.0, 1.0]],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![false],
        };
        sac.learn(&experience).unwrap();
        weights.push(sac.learner.actor.network().parameters().to_vec());
    }
    let averaged = sac.learner.actor.averaged().unwrap().parameters().values();
    for (i, averaged) in averaged.iter().enumerate() {
        // The newest counts 1 / (1 + ¾), then 1 / (1 + ¾ · 2).
        let first = weights[0][i] + (weights[1][i] - weights[0][i]) / 1.75;
        let second = first + (weights[2][i] - first) / 2.5;
        assert!((averaged - second).abs() < 1e-6, "{averaged} {second}");
    }
    assert_ne!(averaged, weights[2]);
    let mut actions = Vec::new();
    sac.act(&[[1.0, 0.0, 0.5]], Mode::Exploit, &mut Seed::new(0).rng(), &mut actions).unwrap();
    let head = sac.learner.actor.averaged().unwrap();
    let head = head.forward(&Tensor::from_slice(&[1.0_f32, 0.0, 0.5]).view([1, 3]));
    assert!((actions[0][0] - 2.0 * numbers(&head)[0].tanh()).abs() < 1e-5);
}

#[test]
fn it_exploits_without_chance_and_explores_with_it() {
    let sac = agent(SacConfig { learning_starts: 0, ..small() });
    let act = |mode, seed| {
        let mut actions = Vec::new();
        sac.act(&[[1.0, 0.0, 0.5]], mode, &mut Seed::new(seed).rng(), &mut actions).unwrap();
        actions
    };
    assert_eq!(act(Mode::Exploit, 0), act(Mode::Exploit, 1));
    assert_ne!(act(Mode::Explore, 0), act(Mode::Explore, 1));
    let head =
        sac.learner.actor.network().forward(&Tensor::from_slice(&[1.0_f32, 0.0, 0.5]).view([1, 3]));
    let mean = numbers(&head)[0];
    assert!((act(Mode::Exploit, 0)[0][0] - 2.0 * mean.tanh()).abs() < 1e-5);
}

#[test]
fn settings_out_of_range_are_named() {
    for (key, config) in [
        ("alpha", SacConfig { alpha: 0.0, ..small() }),
        ("target_entropy", SacConfig { target_entropy: f64::NAN, ..small() }),
        ("tau", SacConfig { tau: 0.0, ..small() }),
        ("gamma", SacConfig { gamma: 1.5, ..small() }),
        ("repeat_random", SacConfig { repeat_random: 1.0, ..small() }),
        ("buffer_size", SacConfig { buffer_size: 1, ..small() }),
        ("train_every", SacConfig { train_every: 0, ..small() }),
        ("n_step", SacConfig { n_step: 0, ..small() }),
        ("average", SacConfig { average: 1.0, ..small() }),
        ("hidden", SacConfig { hidden: vec![0], ..small() }),
    ] {
        let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
        let unit = BoxSpace::symmetric([1.0]);
        let error = Sac::new(unit, unit, config, &plan).err().expect(key).to_string();
        assert!(error.starts_with(&format!("{key} = ")), "{error}");
    }
}
