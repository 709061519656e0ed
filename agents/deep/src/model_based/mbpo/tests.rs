use gymnast_envs::{BoxSpace, Env as _, Outcome, Seed, classic::Pendulum};
use gymnast_harness::Schedule;

use super::*;
use crate::off_policy::sac::SacConfig;

fn small() -> MbpoConfig {
    MbpoConfig {
        ensemble: 3,
        elites: 2,
        model_hidden: vec![8],
        model_batch_size: 8,
        max_epochs: 2,
        model_train_every: 10,
        rollouts: 4,
        model_retain: 5,
        sac: SacConfig {
            hidden: vec![8],
            buffer_size: 100,
            batch_size: 8,
            learning_starts: 40,
            gradient_steps: 1,
            ..SacConfig::default()
        },
        ..MbpoConfig::default()
    }
}

fn agent(config: MbpoConfig) -> Mbpo<BoxSpace<3>, BoxSpace<1>> {
    let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
    let pendulum = Pendulum::default();
    Mbpo::new(pendulum.observation_space(), pendulum.action_space(), config, &plan).unwrap()
}

/// Shows the agent one transition, recognisable by its reward.
fn show(agent: &mut Mbpo<BoxSpace<3>, BoxSpace<1>>, step: usize, outcome: Outcome) {
    let angle = 0.1 * step as f32;
    let experience = Experience {
        observations: vec![[angle.cos(), angle.sin(), 0.0]],
        actions: vec![[angle.sin()]],
        rewards: vec![-1_000.0],
        next_observations: vec![[angle.cos(), angle.sin(), 0.1]],
        outcomes: vec![outcome],
        is_reset: vec![false],
    };
    agent.learn(&experience).unwrap();
}

/// An agent whose model has been trained, on episodes that end after ten steps.
fn trained(config: MbpoConfig) -> Mbpo<BoxSpace<3>, BoxSpace<1>> {
    let mut agent = agent(config);
    for step in 1..=40 {
        let outcome = if step % 10 == 0 { Outcome::Terminated } else { Outcome::Continues };
        show(&mut agent, step, outcome);
    }
    assert_eq!(agent.trained_at, Some(40));
    agent
}

#[test]
fn rollouts_end_where_the_model_says_so() {
    let gamma = SacConfig::default().gamma as f32;
    for (logit, rows, discount) in [(50.0, 1, 0.0), (-50.0, 6, gamma)] {
        let mut agent = trained(MbpoConfig { rollout_length: 6.0.into(), ..small() });
        assert!(agent.model.knows_ends);
        agent.model.ensemble.set_end_logit(logit);
        agent.imagined = Replay::new(1_000, (3, 1), 1, 1).unwrap();
        agent.roll_out(4).unwrap();
        let imagined = agent.imagined.transitions();
        assert_eq!(imagined.discount, vec![discount; 4 * rows]);
        // Where a rollout goes on, it goes on from where it was.
        if rows > 1 {
            let next = &imagined.next_observation[..4 * 3];
            assert_eq!(&imagined.observation[4 * 3..][..4 * 3], next);
        }
    }
}

#[test]
fn half_of_the_rollouts_end_where_that_is_their_chance() {
    let mut agent = trained(MbpoConfig { rollout_length: 2.0.into(), ..small() });
    agent.model.ensemble.set_end_logit(0.0);
    agent.imagined = Replay::new(10_000, (3, 1), 1, 1).unwrap();
    agent.roll_out(2_000).unwrap();
    let discounts = agent.imagined.transitions().discount;
    let ended = discounts[..2_000].iter().filter(|discount| **discount == 0.0).count();
    assert_eq!(discounts.len(), 4_000 - ended);
    assert!((900..1_100).contains(&ended), "{ended}");
}

#[test]
fn a_model_that_saw_no_end_predicts_none() {
    let mut agent = agent(MbpoConfig { rollout_length: 3.0.into(), ..small() });
    for step in 1..=40 {
        // A time limit is not an end.
        let outcome = if step % 10 == 0 { Outcome::Truncated } else { Outcome::Continues };
        show(&mut agent, step, outcome);
    }
    assert!(!agent.model.knows_ends);
    assert_eq!(agent.imagined.len(), 4 * 3);
    assert!(!agent.imagined.transitions().discount.contains(&0.0));
}

#[test]
fn elites_are_drawn_for_each_row() {
    let mut agent = trained(small());
    // Members that differ by far: all parameters are 0 or all are 1.
    agent.model.elites = vec![0, 2];
    let mut values = agent.model.ensemble.parameters().to_vec();
    let zeros = vec![0.0; values.len()];
    agent.model.ensemble.copy_member(0, &zeros, &mut values);
    let large = vec![1.0; values.len()];
    agent.model.ensemble.copy_member(2, &large, &mut values);
    agent.model.ensemble.load_parameters(&values).unwrap();
    let (mut rng, mut step) = (Seed::new(3).rng(), Imagined::default());
    agent.model.step(&[1.0; 600], &[0.0; 200], &mut rng, &mut step).unwrap();
    let changes = step.next_observations.chunks_exact(3).map(|row| (row[2] - 1.0).abs());
    let large = changes.filter(|change| *change > 10.0).count();
    assert!((70..130).contains(&large), "{large} of 200 rows from one of two elites");
}

#[test]
fn an_update_sees_a_few_real_transitions() {
    let mut agent = trained(MbpoConfig { real_ratio: 0.25, ..small() });
    for _ in 0..10 {
        agent.sample().unwrap();
        let real = agent.batch.reward.iter().filter(|reward| **reward == -1_000.0).count();
        assert_eq!((real, agent.batch.reward.len()), (2, 8));
    }
}

#[test]
fn imagined_transitions_live_as_long_as_they_should() {
    // Rollouts of two steps from half of the training on; five env steps of them are kept.
    let rollout_length = Schedule::linear(1.0, 3.0, 1.0);
    let mut agent = trained(MbpoConfig { rollout_length, ..small() });
    assert_eq!(agent.imagined.len(), 4);
    (41..50).for_each(|step| show(&mut agent, step, Outcome::Continues));
    assert_eq!((agent.length, agent.imagined.len()), (1, 4 * 5));
    show(&mut agent, 50, Outcome::Continues);
    assert_eq!((agent.length, agent.imagined.len()), (2, 4 * 5 + 4 * 2));
    (51..60).for_each(|step| show(&mut agent, step, Outcome::Continues));
    assert_eq!(agent.imagined.len(), 4 * 5 * 2);
}

#[test]
fn settings_out_of_range_are_named() {
    let falling = Schedule::linear(1.0, 0.0, 1.0);
    for (key, config) in [
        ("ensemble", MbpoConfig { ensemble: 0, ..small() }),
        ("elites", MbpoConfig { elites: 4, ..small() }),
        ("model_hidden", MbpoConfig { model_hidden: vec![0], ..small() }),
        ("model_learning_rate", MbpoConfig { model_learning_rate: f64::NAN, ..small() }),
        ("model_batch_size", MbpoConfig { model_batch_size: 0, ..small() }),
        ("model_weight_decay", MbpoConfig { model_weight_decay: -1.0, ..small() }),
        ("holdout", MbpoConfig { holdout: 0.0, ..small() }),
        ("patience", MbpoConfig { patience: 0, ..small() }),
        ("max_epochs", MbpoConfig { max_epochs: 0, ..small() }),
        ("model_train_every", MbpoConfig { model_train_every: 0, ..small() }),
        ("rollouts", MbpoConfig { rollouts: 0, ..small() }),
        ("rollout_length", MbpoConfig { rollout_length: falling, ..small() }),
        ("model_retain", MbpoConfig { model_retain: u64::MAX, ..small() }),
        ("real_ratio", MbpoConfig { real_ratio: 1.5, ..small() }),
        ("gamma", MbpoConfig { sac: SacConfig { gamma: 0.0, ..small().sac }, ..small() }),
        ("tau", MbpoConfig { sac: SacConfig { tau: 0.0, ..small().sac }, ..small() }),
    ] {
        let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
        let unit = BoxSpace::symmetric([1.0]);
        let error = Mbpo::new(unit, unit, config, &plan).err().expect(key).to_string();
        assert!(error.starts_with(&format!("{key} = ")), "{error}");
    }
}
