//! What goes wrong in one place stays there: the last good checkpoint, and the other seeds.

use std::{fs, path::Path, sync::Arc};

use gymnast_envs::{
    Discrete, Env, EnvError, Experience, Rng, Seed, Step, SyncVectorEnv, VectorEnv,
};
use gymnast_harness::{
    Agent, AgentError, Callback, Checkpoint, CheckpointError, Ending, Evaluation, Existing,
    Experiment, Flow, Metrics, Mode, Policy, Quiet, Record as _, RunIdentity, SeedDir,
    SettingError, Setup, StateDict, Summary, TrainError, Training, Which, read_records,
};
use serde_json::{Value, json};

/// Episodes of ten steps, whose rewards are told by how many steps were taken in all.
struct Scripted {
    steps: u64,
    reward: fn(u64) -> f64,
}

impl Env for Scripted {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(10)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn reset(&mut self, _: &mut Rng) -> Result<i64, EnvError> {
        Ok(0)
    }

    fn step(&mut self, _: &i64, _: &mut Rng) -> Result<Step<i64>, EnvError> {
        self.steps += 1;
        let place = self.steps % 10;
        Ok(Step::new(place as i64, (self.reward)(self.steps), place == 0))
    }

    fn save(&self) -> Option<Value> {
        Some(json!(self.steps))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        self.steps = snapshot.as_u64().expect("what was saved");
        Ok(())
    }
}

/// Adds up its rewards, and fails as it is told.
struct Sum {
    sum: f64,
    steps: u64,
    first_update: u64,
    fault: fn(u64) -> Result<f64, AgentError>,
}

impl Policy<Discrete, Discrete> for Sum {
    fn act(
        &self,
        observations: &[i64],
        _: Mode,
        _: &mut Rng,
        actions: &mut Vec<i64>,
    ) -> Result<(), AgentError> {
        actions.clear();
        actions.resize(observations.len(), 0);
        Ok(())
    }
}

impl Agent<Discrete, Discrete> for Sum {
    fn first_update(&self) -> u64 {
        self.first_update
    }

    fn has_learned(&self) -> bool {
        self.steps > 0
    }

    fn learn(
        &mut self,
        experience: &Experience<Discrete, Discrete>,
    ) -> Result<Option<Metrics>, AgentError> {
        self.steps += experience.len() as u64;
        self.sum += experience.rewards.iter().sum::<f64>() + (self.fault)(self.steps)?;
        Ok(None)
    }

    fn begin_episodes(&mut self) {}
}

impl Checkpoint for Sum {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("steps", &self.steps)?;
        state.insert_array("sum", &[1], &[self.sum]);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.sum = state.array("sum", &[1])?[0];
        self.steps = state.get("steps")?;
        Ok(())
    }
}

fn one(_: u64) -> f64 {
    1.0
}

fn sound(_: u64) -> Result<f64, AgentError> {
    Ok(0.0)
}

type Script = fn(u64) -> f64;

fn setup(
    reward: Script,
    eval_reward: Script,
    fault: fn(u64) -> Result<f64, AgentError>,
) -> Setup<Discrete, Discrete> {
    let envs = |n: usize, seed: Seed, reward: Script| {
        let envs = (0..n).map(|_| Scripted { steps: 0, reward }).collect();
        let envs: Box<dyn VectorEnv<_, _>> = Box::new(SyncVectorEnv::new(envs, seed)?);
        Ok(envs)
    };
    Setup {
        agent: Box::new(Sum { sum: 0.0, steps: 0, first_update: 1, fault }),
        envs: envs(1, Seed::new(0), reward).expect("one environment"),
        eval_envs: Arc::new(move |n, seed| envs(n, seed, eval_reward)),
    }
}

fn training() -> Training {
    Training {
        env_steps: 1_000,
        eval_every: 500,
        eval_episodes: 2,
        checkpoint_every: 100,
        ..Training::default()
    }
}

/// Trains in a directory, from its newest checkpoint where it has one.
fn run(
    dir: &Path,
    mut setup: Setup<Discrete, Discrete>,
    callbacks: &mut [&mut dyn Callback],
) -> Result<Summary, TrainError> {
    let is_there = dir.join("config.toml").exists();
    let existing = if is_there { Existing::Resume } else { Existing::Refuse };
    let trainer = setup.trainer(&training(), 0).record_to(dir, existing, &toml::Table::new())?;
    let callbacks = callbacks.iter_mut();
    callbacks.fold(trainer, |trainer, callback| trainer.callback(&mut **callback)).run()
}

/// The env steps of the newest checkpoint, and the sum that the agent had by then.
fn newest(dir: &Path) -> (u64, f64) {
    newest_of(dir, 0)
}

/// The same of a seed of an experiment.
fn newest_of(dir: &Path, seed: u64) -> (u64, f64) {
    let config = fs::read_to_string(dir.join("config.toml")).unwrap();
    let identity = RunIdentity::new(&config.parse().unwrap(), seed);
    let newest = SeedDir::below(dir, seed)
        .saved(Which::Newest, &identity, |state| Ok(state.array::<f64>("agent/sum", &[1])?[0]));
    let newest = newest.unwrap().unwrap();
    (newest.env_steps, newest.state)
}

#[test]
fn a_reward_that_is_no_number_ends_the_training_and_leaves_its_last_checkpoint() {
    let scripts: [(Script, &str); 3] = [
        (|step| if step == 650 { f64::NAN } else { 1.0 }, "NaN"),
        (|step| if step == 650 { f64::INFINITY } else { 1.0 }, "inf"),
        (|step| if step == 650 { f64::NEG_INFINITY } else { 1.0 }, "-inf"),
    ];
    for (reward, got) in scripts {
        let dir = tempfile::tempdir().unwrap();
        let error = run(dir.path(), setup(reward, one, sound), &mut []).unwrap_err();
        assert!(
            matches!(&error, TrainError::Env(EnvError::InvalidStep { step: 10, got: g, .. }) if g == got),
            "{error}"
        );
        assert!(!error.to_string().contains("learning rate"), "{error}");
        assert_eq!(newest(dir.path()), (600, 600.0));
        // Mended, it goes on as if nothing had happened.
        let summary = run(dir.path(), setup(one, one, sound), &mut []).unwrap();
        assert_eq!((summary.ending, summary.episodes), (Ending::Budget, 100));
        assert_eq!(newest(dir.path()), (1_000, 1_000.0));
    }
}

#[test]
fn an_evaluation_that_brings_no_number_is_an_error_and_no_summary() {
    let scripts: [Script; 3] = [|_| f64::NAN, |_| f64::INFINITY, |_| f64::MAX];
    for eval_reward in scripts {
        let dir = tempfile::tempdir().unwrap();
        let error = run(dir.path(), setup(one, eval_reward, sound), &mut []).unwrap_err();
        assert!(matches!(error, TrainError::Env(_)), "{error}");
        assert_eq!(newest(dir.path()).0, 400);
        assert!(evaluations(dir.path()).is_empty());
        let summary = run(dir.path(), setup(one, one, sound), &mut []).unwrap();
        assert_eq!(summary.evaluations.len(), 2);
    }
}

#[test]
fn rewards_that_overflow_their_sum_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let reward = |step| if step > 950 { f64::MAX } else { 1.0 };
    let error = run(dir.path(), setup(reward, one, sound), &mut []).unwrap_err();
    assert!(error.to_string().contains("sum over an episode"), "{error}");
    assert_eq!(newest(dir.path()).0, 900);
}

#[test]
fn a_checkpoint_that_holds_no_number_is_not_written() {
    for x in [
        |step| Ok(if step == 650 { f64::NAN } else { 0.0 }),
        |step| Ok(if step == 650 { f64::INFINITY } else { 0.0 }),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = run(dir.path(), setup(one, one, x), &mut []).unwrap_err().to_string();
        assert!(error.contains("agent/sum") && error.contains("learning rate"), "{error}");
        assert_eq!(newest(dir.path()), (600, 600.0));
        assert!(!dir.path().join("seed-0/summary.json").exists());
    }
}

/// Stops at the so-many-th step of all evaluations.
struct StopInEvaluation(u64);

impl Callback for StopInEvaluation {
    fn on_evaluation_step(&mut self) -> Flow {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Flow::Stop } else { Flow::Continue }
    }
}

fn evaluations(dir: &Path) -> Vec<Evaluation> {
    let mut all: Vec<Evaluation> = read_records(&dir.join("seed-0")).unwrap();
    all.iter_mut().for_each(|evaluation| evaluation.wall_time_s = 0.0);
    all
}

#[test]
fn an_evaluation_that_is_abandoned_is_done_again() {
    let whole = tempfile::tempdir().unwrap();
    run(whole.path(), setup(one, one, sound), &mut []).unwrap();
    assert_eq!(evaluations(whole.path()).len(), 2);
    // In the first of two, at its first and its last step; in the one at the end.
    for (moment, env_steps) in [(1, 500), (10, 500), (15, 1_000)] {
        let dir = tempfile::tempdir().unwrap();
        let mut stop = StopInEvaluation(moment);
        let stopped = run(dir.path(), setup(one, one, sound), &mut [&mut stop]).unwrap();
        assert_eq!((stopped.ending, stopped.env_steps), (Ending::Stopped, env_steps));
        assert_eq!(newest(dir.path()).0, env_steps);
        // Told again before it is done.
        let again = run(dir.path(), setup(one, one, sound), &mut [&mut StopInEvaluation(2)]);
        assert_eq!(again.unwrap().env_steps, env_steps);
        let resumed = run(dir.path(), setup(one, one, sound), &mut []).unwrap();
        assert_eq!(resumed.ending, Ending::Budget);
        assert_eq!(evaluations(dir.path()), evaluations(whole.path()));
        let values = "seed-0/checkpoints/000000001000/values.json";
        let last = |dir: &Path| fs::read(dir.join(values)).unwrap();
        assert!(last(dir.path()) == last(whole.path()));
    }
}

#[test]
fn an_update_that_is_given_up_goes_back_to_the_last_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let interrupted = |step| if step == 650 { Err(AgentError::Interrupted) } else { Ok(0.0) };
    let stopped = run(dir.path(), setup(one, one, interrupted), &mut []).unwrap();
    assert_eq!((stopped.ending, stopped.env_steps, stopped.episodes), (Ending::Stopped, 600, 60));
    assert_eq!(newest(dir.path()), (600, 600.0));
    let resumed = run(dir.path(), setup(one, one, sound), &mut []).unwrap();
    assert_eq!((resumed.ending, resumed.episodes), (Ending::Budget, 100));
}

#[test]
fn a_seed_that_panics_leaves_the_others_alone() {
    let dir = tempfile::tempdir().unwrap();
    let experiment = |existing, seeds: &[u64]| Experiment {
        dir: dir.path().to_owned(),
        training: training(),
        seeds: seeds.to_vec(),
        defaults: toml::Table::new(),
        jobs: 2,
        existing,
        progress: Arc::new(Quiet),
    };
    let panics: Script = |step| if step == 650 { panic!("a bug of mine") } else { 1.0 };
    let fails: Script = |step| if step == 750 { f64::NAN } else { 1.0 };
    let seeds = [0, 1, 2, 3, 4];
    let error = experiment(Existing::Refuse, &seeds).run("", |plan| {
        let reward = match plan.seed {
            seed if seed == Seed::new(1) => panics,
            seed if seed == Seed::new(3) => fails,
            _ => one,
        };
        Ok(setup(reward, one, sound))
    });
    let error = error.unwrap_err();
    assert!(error.to_string().contains("a bug of mine"), "{error}");
    assert!(error.to_string().contains("seed 3 failed too"), "{error}");
    let TrainError::SeedsFailed { summaries, failures } = error else { panic!("{error}") };
    let [(1, panicked), (3, failed)] = &failures[..] else { panic!("{failures:?}") };
    assert!(matches!(panicked, TrainError::Panicked { seed: 1, .. }), "{panicked}");
    assert!(matches!(failed, TrainError::Env(EnvError::InvalidStep { .. })), "{failed}");
    // What the others came to is not lost with it.
    assert_eq!(summaries.iter().map(|(seed, _)| *seed).collect::<Vec<_>>(), [0, 2, 4]);
    for seed in seeds {
        let saved = SeedDir::below(dir.path(), seed).summary().unwrap();
        let told = summaries.iter().find(|(other, _)| *other == seed);
        assert_eq!(saved.as_ref(), told.map(|(_, summary)| summary), "seed {seed}");
    }
    let first = TrainError::SeedsFailed { summaries, failures }.first_failure();
    assert!(matches!(first, TrainError::Panicked { seed: 1, .. }), "{first}");
    let all = experiment(Existing::Resume, &seeds).run("", |_| Ok(setup(one, one, sound))).unwrap();
    assert!(all.iter().all(|summary| summary.ending == Ending::Budget));
    assert_eq!(newest_of(dir.path(), 1), (1_000, 1_000.0));
    assert!(dir.path().join("seed-1").join(Evaluation::FILE).exists());
}

#[test]
fn a_training_that_would_end_before_its_first_update_is_refused() {
    let waiting = |first_update| {
        let agent = Box::new(Sum { sum: 0.0, steps: 0, first_update, fault: sound });
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), Setup { agent, ..setup(one, one, sound) }, &mut [])
    };
    assert_eq!(waiting(1_000).unwrap().env_steps, 1_000);
    let error = waiting(1_001).unwrap_err();
    let is_setting =
        |key| matches!(error, TrainError::InvalidSetting(SettingError { key: k, .. }) if k == key);
    assert!(is_setting("training.env_steps"), "{error}");
    assert!(error.to_string().contains("at least 1001: nothing is learned"), "{error}");
}
