use gymnast_envs::{Discrete, Outcome, RowSpace, Seed};
use gymnast_harness::{Mode, Policy as _};

use super::*;

const ACTIONS: usize = 8;

/// Observations are a number and a mask of the actions.
fn space() -> RowSpace {
    let width = 1 + ACTIONS;
    let space = RowSpace::new(vec![0.0; width], vec![1.0; width], vec![width]).unwrap();
    space.with_action_mask(1..width).unwrap()
}

fn seen(x: f32, allowed: &[usize]) -> Vec<f32> {
    let mask = (0..ACTIONS).map(|action| f32::from(u8::from(allowed.contains(&action))));
    std::iter::once(x).chain(mask).collect()
}

fn agent(config: DqnConfig) -> Dqn<RowSpace, Discrete> {
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1_000 };
    let config = DqnConfig { hidden: vec![16], learning_rate: 3e-3.into(), ..config };
    Dqn::new(space(), Discrete::new(ACTIONS), config, &plan).unwrap()
}

/// Every way to learn of returns between −2 and 2.
fn configs() -> Vec<DqnConfig> {
    let base = DqnConfig {
        buffer_size: 100,
        batch_size: 16,
        learning_starts: 10,
        tau: 0.1,
        gamma: 0.9,
        atoms: 21,
        v_min: -2.0,
        v_max: 2.0,
        ..DqnConfig::default()
    };
    let categorical = Distribution::Categorical;
    let rainbow = DqnConfig { priority_exponent: 0.5, noise: 0.1, dueling: true, ..base.clone() };
    vec![
        DqnConfig { double: false, ..base.clone() },
        DqnConfig { double: true, ..base.clone() },
        DqnConfig { distribution: Distribution::Quantile, ..base },
        DqnConfig { distribution: categorical, ..rainbow },
    ]
}

type Transition<'a> = (&'a Vec<f32>, i64, f64, &'a Vec<f32>, Outcome);

fn experience(
    (observation, action, reward, next, outcome): Transition<'_>,
) -> Experience<RowSpace, Discrete> {
    Experience {
        observations: vec![observation.clone()],
        actions: vec![action],
        rewards: vec![reward],
        next_observations: vec![next.clone()],
        outcomes: vec![outcome],
        is_reset: vec![false],
    }
}

#[test]
fn targets_bootstrap_from_allowed_actions_only() {
    for config in configs() {
        let what = format!("{config:?}");
        let mut agent = agent(config);
        // Two forced moves, the second of which costs 1 and ends; every other action is forbidden,
        // never tried, and so looks better. Nothing is allowed at the end.
        let (first, second, end) = (seen(0.0, &[0]), seen(0.5, &[3]), seen(1.0, &[]));
        let moves = [
            (&first, 0, 0.0, &second, Outcome::Continues),
            (&second, 3, -1.0, &end, Outcome::Terminated),
        ];
        let mut q = f64::NAN;
        for step in moves.into_iter().cycle().take(800) {
            if let Some(metrics) = agent.learn(&experience(step)).unwrap() {
                q = metrics.iter().find(|(name, _)| *name == "q").unwrap().1;
            }
        }
        // Half of the batch is worth 0.9 · −1, half −1, more or less as they were drawn.
        assert!((-1.02..-0.88).contains(&q), "{q} {what}");
    }
}

#[test]
fn only_allowed_actions_are_taken() {
    for config in configs() {
        let agent = agent(DqnConfig { epsilon: 0.5.into(), ..config });
        let (mut rng, mut actions) = (Seed::new(1).rng(), Vec::new());
        for mode in [Mode::Explore, Mode::Exploit] {
            let mut taken = [0; ACTIONS];
            for i in 0..200 {
                let observations = [seen(i as f32 / 200.0, &[2, 5]), seen(0.5, &[7])];
                agent.act(&observations, mode, &mut rng, &mut actions).unwrap();
                taken[actions[0] as usize] += 1;
                assert_eq!(actions[1], 7);
            }
            assert_eq!(taken[2] + taken[5], 200, "{mode:?} {taken:?}");
            // A half of the steps is random, half of those each.
            assert!(mode == Mode::Exploit || taken[2].min(taken[5]) > 25, "{taken:?}");
        }
    }
}

#[test]
fn noise_explores_and_its_means_exploit() {
    let agent = agent(DqnConfig { noise: 0.5, epsilon: 0.0.into(), ..DqnConfig::default() });
    let all: Vec<usize> = (0..ACTIONS).collect();
    let taken = |mode: Mode| {
        let (mut rng, mut actions) = (Seed::new(1).rng(), Vec::new());
        let mut taken = Vec::new();
        for _ in 0..50 {
            agent.act(&[seen(0.5, &all)], mode, &mut rng, &mut actions).unwrap();
            taken.push(actions[0]);
        }
        taken.sort_unstable();
        taken.dedup();
        taken
    };
    assert_eq!(taken(Mode::Exploit).len(), 1);
    assert!(taken(Mode::Explore).len() > 1);
}

#[test]
fn what_cannot_be_foreseen_is_replayed_more_often() {
    for config in configs() {
        let what = format!("{config:?}");
        let mut agent = agent(DqnConfig { priority_exponent: 1.0, ..config });
        // One move always pays nothing, the other 1 or −1.
        let (sure, unsure, end) = (seen(0.0, &[0]), seen(0.5, &[3]), seen(1.0, &[]));
        let moves = [(&sure, 0, 0.0), (&unsure, 3, 1.0), (&sure, 0, 0.0), (&unsure, 3, -1.0)];
        for (observation, action, reward) in moves.into_iter().cycle().take(600) {
            let step = (observation, action, reward, &end, Outcome::Terminated);
            agent.learn(&experience(step)).unwrap();
        }
        let (mut batch, mut rng) = (Batch::default(), Seed::new(1).rng());
        agent.replay.sample_by_priority(400, 1.0, &mut rng, &mut batch).unwrap();
        let unsure = batch.action.iter().filter(|&&action| action == 3).count();
        assert!(unsure > 260, "{unsure} {what}");
    }
}
