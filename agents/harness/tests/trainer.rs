//! What `Trainer` owes to its caller, who keeps the agent.

use gymnast_envs::{Discrete, Experience, Rng, Seed, SyncVectorEnv};
use gymnast_harness::{
    Agent, AgentError, Callback, Checkpoint, CheckpointError, Ending, Evaluation, Existing, Flow,
    Metrics, Mode, Policy, RunIdentity, SeedDir, SettingError, StateDict, Summary, TrainError,
    Trainer, Training, Which, testing::TwoArmedBandit,
};

/// Remembers what it was told.
#[derive(Default)]
struct Told {
    steps: u64,
    begun: u64,
    /// Where it says that a signal came in the middle of an update.
    interrupted_at: Option<u64>,
}

impl Policy<Discrete, Discrete> for Told {
    fn act(
        &self,
        observations: &[i64],
        _: Mode,
        _: &mut Rng,
        actions: &mut Vec<i64>,
    ) -> Result<(), AgentError> {
        *actions = vec![1; observations.len()];
        Ok(())
    }
}

impl Agent<Discrete, Discrete> for Told {
    fn learn(
        &mut self,
        step: &Experience<Discrete, Discrete>,
    ) -> Result<Option<Metrics>, AgentError> {
        self.steps += step.len() as u64;
        if self.interrupted_at == Some(self.steps) {
            return Err(AgentError::Interrupted);
        }
        Ok(None)
    }

    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        self.steps > 0
    }

    fn begin_episodes(&mut self) {
        self.begun += 1;
    }
}

impl Checkpoint for Told {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("steps", &self.steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.steps = state.counter("steps")?;
        Ok(())
    }
}

fn bandits(n: usize) -> SyncVectorEnv<TwoArmedBandit> {
    SyncVectorEnv::of(n, Seed::new(0), || Ok(TwoArmedBandit::default())).unwrap()
}

fn training(env_steps: u64) -> Training {
    Training { env_steps, eval_every: 100, checkpoint_every: 100, ..Training::default() }
}

#[test]
fn a_second_training_begins_with_new_episodes() {
    let (mut agent, mut envs) = (Told::default(), bandits(1));
    for (trainings, steps) in [(1, 300), (2, 600)] {
        Trainer::new(&training(300), 0, &mut agent, &mut envs).run().unwrap();
        assert_eq!((agent.begun, agent.steps), (trainings, steps));
    }
}

#[test]
fn an_old_run_is_not_replaced_by_one_that_cannot_be() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let run = |training: &Training, existing| {
        let (mut agent, mut envs) = (Told::default(), bandits(1));
        Trainer::new(training, 0, &mut agent, &mut envs)
            .record_to(&dir, existing, &toml::Table::new())?
            .run()
    };
    let record = |existing| run(&training(300), existing);
    record(Existing::Refuse).unwrap();
    let episodes = dir.join("seed-0/episodes.csv");
    let before = std::fs::read(&episodes).unwrap();
    let eight = Training { num_envs: 8, env_steps: 800, ..training(800) };
    let error = run(&eight, Existing::Replace).unwrap_err();
    assert!(
        matches!(error, TrainError::InvalidSetting(SettingError { key: "training.num_envs", .. })),
        "{error}"
    );
    let endless = Training { max_eval_steps: u64::MAX, ..training(300) };
    let error = run(&endless, Existing::Replace).unwrap_err();
    assert!(matches!(error, TrainError::InvalidSetting(_)), "{error}");
    assert_eq!(std::fs::read(&episodes).unwrap(), before);
    record(Existing::Replace).unwrap();
}

#[test]
fn a_finished_run_gives_its_agent_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let record = |agent: &mut Told, existing| -> Result<Summary, TrainError> {
        let mut envs = bandits(1);
        Trainer::new(&training(300), 0, agent, &mut envs)
            .record_to(&dir, existing, &toml::Table::new())?
            .run()
    };
    let first = record(&mut Told::default(), Existing::Refuse).unwrap();
    let file = dir.join("seed-0/summary.json");
    let before = std::fs::read(&file).unwrap();
    let mut agent = Told::default();
    assert_eq!(record(&mut agent, Existing::Resume).unwrap(), first);
    assert_eq!(agent.steps, 300);
    assert_eq!(std::fs::read(&file).unwrap(), before);
    // Without a checkpoint there is no agent to give, and what was recorded is not begun anew.
    let checkpoints = dir.join("seed-0/checkpoints");
    std::fs::remove_dir_all(&checkpoints).unwrap();
    std::fs::create_dir(&checkpoints).unwrap();
    let error = record(&mut agent, Existing::Resume).unwrap_err();
    assert!(matches!(error, TrainError::NoUsableCheckpoint { .. }), "{error}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

/// Remembers the warnings.
#[derive(Default)]
struct Warnings(Vec<String>);

impl Callback for Warnings {
    fn on_warning(&mut self, message: &str) {
        self.0.push(message.to_owned());
    }
}

#[test]
fn it_is_said_that_an_older_checkpoint_is_used() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let record = |last: u64, existing| {
        let (mut agent, mut envs, mut warnings) =
            (Told::default(), bandits(1), Warnings::default());
        Trainer::new(&training(500), 0, &mut agent, &mut envs)
            .callback(&mut warnings)
            .record_to(&dir, existing, &toml::Table::new())
            .unwrap()
            .look(move |_, progress| Ok(Flow::stop_if(progress.env_steps == last)))
            .run()
            .unwrap();
        (agent.steps, warnings.0)
    };
    assert_eq!(record(250, Existing::Refuse), (250, vec![]));
    let newest = dir.join("seed-0/checkpoints/000000000250/manifest.json");
    std::fs::write(newest, "no manifest").unwrap();
    let (steps, warnings) = record(0, Existing::Resume);
    assert_eq!(steps, 500);
    assert!(warnings[0].contains("an older checkpoint is used"), "{warnings:?}");
    // Of a training that has ended, too.
    let newest = dir.join("seed-0/checkpoints/000000000500/manifest.json");
    std::fs::write(newest, "no manifest").unwrap();
    let (steps, warnings) = record(0, Existing::Resume);
    assert!(steps < 500 && warnings.len() == 1, "{steps} {warnings:?}");
    assert!(warnings[0].contains("an older checkpoint is used"), "{warnings:?}");
}

#[test]
fn whoever_holds_the_agent_is_told_that_an_update_was_given_up() {
    let (mut agent, mut envs) = (Told::default(), bandits(1));
    agent.interrupted_at = Some(150);
    let result = Trainer::new(&training(300), 0, &mut agent, &mut envs).run();
    assert!(matches!(result, Err(TrainError::Agent(AgentError::Interrupted))), "{result:?}");
    assert_eq!(agent.steps, 150);
}

#[test]
fn what_waits_for_an_evaluation_is_refused_where_there_is_none() {
    let (mut agent, mut envs) = (Told::default(), bandits(1));
    let look = |_: &Told, _: &Evaluation| Ok(Flow::Continue);
    let result =
        Trainer::new(&training(300), 0, &mut agent, &mut envs).look_when_evaluated(look).run();
    assert!(matches!(result, Err(TrainError::InvalidSetting(_))), "{result:?}");
    let until = Training { stop_at: Some(1.0), ..training(300) };
    let result = Trainer::new(&until, 0, &mut agent, &mut envs).run();
    assert!(matches!(result, Err(TrainError::InvalidSetting(_))), "{result:?}");
    assert_eq!(agent.steps, 0);
}

#[test]
fn an_evaluation_that_was_abandoned_is_not_missed_where_there_are_none_any_more() {
    /// Ends the training in the first evaluation.
    struct Impatient;

    impl Callback for Impatient {
        fn on_evaluation_step(&mut self) -> Flow {
            Flow::Stop
        }
    }

    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let (mut agent, mut envs) = (Told::default(), bandits(1));
    let summary = Trainer::new(&training(300), 0, &mut agent, &mut envs)
        .evaluate_on(|| Ok(TwoArmedBandit::default()))
        .callback(&mut Impatient)
        .record_to(&dir, Existing::Refuse, &toml::Table::new())
        .unwrap()
        .run()
        .unwrap();
    assert_eq!(summary.env_steps, 100);
    let summary = Trainer::new(&training(300), 0, &mut agent, &mut envs)
        .record_to(&dir, Existing::Resume, &toml::Table::new())
        .unwrap()
        .run()
        .unwrap();
    assert_eq!((summary.env_steps, summary.evaluations.len()), (300, 0));
}

#[test]
fn the_number_of_threads_is_nothing_that_a_run_must_keep() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    for (threads, existing, last) in [(1, Existing::Refuse, 100), (2, Existing::Resume, 0)] {
        let (mut agent, mut envs) = (Told::default(), bandits(2));
        let training = Training { num_envs: 2, env_threads: threads, ..training(400) };
        Trainer::new(&training, 0, &mut agent, &mut envs)
            .record_to(&dir, existing, &toml::Table::new())
            .unwrap()
            .look(move |_, progress| Ok(Flow::stop_if(progress.env_steps == last)))
            .run()
            .unwrap();
    }
}

#[test]
fn each_transition_may_be_looked_at_and_end_the_training() {
    let (mut agent, mut envs, mut seen) = (Told::default(), bandits(2), Vec::new());
    let training = Training { num_envs: 2, ..training(300) };
    let summary = Trainer::new(&training, 0, &mut agent, &mut envs)
        .look_at_experience(|agent, step| {
            seen.push((agent.steps, step.rewards.len(), step.actions.clone()));
            Ok(Flow::stop_if(seen.len() == 3))
        })
        .run()
        .unwrap();
    assert_eq!((summary.ending, summary.env_steps), (Ending::Stopped, 6));
    assert_eq!(seen, [2, 4, 6].map(|steps| (steps, 2, vec![1, 1])));
}

#[test]
fn the_best_agent_of_a_run_is_kept_beside_its_newest() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let run = |keep_best, existing| {
        let (mut agent, mut envs) = (Told::default(), bandits(1));
        let training = Training { keep_best, ..training(400) };
        Trainer::new(&training, 0, &mut agent, &mut envs)
            .evaluate_on(|| Ok(TwoArmedBandit::default()))
            .named("told", "Bandit-v0")
            .record_to(&dir, existing, &toml::Table::new())
            .unwrap()
            .run()
            .unwrap()
    };
    let summary = run(true, Existing::Refuse);
    let config: toml::Table =
        std::fs::read_to_string(dir.join("config.toml")).unwrap().parse().unwrap();
    assert_eq!(config["agent"]["name"].as_str(), Some("told"));
    assert_eq!(config["env"]["id"].as_str(), Some("Bandit-v0"));
    let best =
        summary.evaluations.iter().rev().max_by(|a, b| a.mean_return.total_cmp(&b.mean_return));
    let identity = RunIdentity::new(&config, 0);
    let saved = |which| {
        let saved = SeedDir::below(&dir, 0).saved(which, &identity, |state| {
            let mut agent = Told::default();
            state.load_part("agent", &mut agent)?;
            Ok(agent.steps)
        });
        saved.unwrap().map(|saved| (saved.env_steps, saved.state))
    };
    let best = best.unwrap().env_step;
    assert_eq!(saved(Which::Best), Some((best, best)));
    assert_eq!(saved(Which::Newest), Some((400, 400)));
    // The run that replaces it keeps none.
    run(false, Existing::Replace);
    assert_eq!(saved(Which::Best), None);
    let waits = Training { keep_best: true, ..training(300) };
    let result = Trainer::new(&waits, 0, &mut Told::default(), &mut bandits(1)).run();
    assert!(matches!(result, Err(TrainError::InvalidSetting(_))), "{result:?}");
}
