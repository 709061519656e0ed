//! Going on where the environment cannot be saved.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use gymnast_envs::{Discrete, Env, EnvError, Experience, Restored, Rng, Seed, Step, SyncVectorEnv};
use gymnast_harness::{
    Agent, AgentError, Callback, Checkpoint, CheckpointError, Ending, Episode, Existing, Flow,
    Metrics, Mode, Policy, Progress, StateDict, Trainer, Training, read_records,
};

/// Ten steps an episode, each worth 1, and no way to save it.
struct Clock(u32);

impl Env for Clock {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        self.0 = 0;
        Ok(0)
    }

    fn step(&mut self, _action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        self.0 += 1;
        Ok(Step::new(0, 1.0, self.0 == 10))
    }
}

/// Has no choice and learns nothing, but counts how often it was told to begin anew.
struct Watcher(Arc<AtomicU32>);

impl Policy<Discrete, Discrete> for Watcher {
    fn act(
        &self,
        observations: &[i64],
        _mode: Mode,
        _rng: &mut Rng,
        actions: &mut Vec<i64>,
    ) -> Result<(), AgentError> {
        actions.clear();
        actions.resize(observations.len(), 0);
        Ok(())
    }
}

impl Agent<Discrete, Discrete> for Watcher {
    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        true
    }

    fn learn(
        &mut self,
        _experience: &Experience<Discrete, Discrete>,
    ) -> Result<Option<Metrics>, AgentError> {
        Ok(None)
    }

    fn begin_episodes(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Checkpoint for Watcher {
    fn save(&self, _state: &mut StateDict) -> Result<(), CheckpointError> {
        Ok(())
    }

    fn load(&mut self, _state: &StateDict) -> Result<(), CheckpointError> {
        Ok(())
    }
}

/// Ends the training at a step, and remembers how it was taken up.
struct StopAt(u64, Option<(u64, Restored)>);

impl Callback for StopAt {
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        self.1 = Some((env_steps, restored));
    }

    fn on_step(&mut self, progress: &Progress) -> Flow {
        Flow::stop_if(progress.env_steps == self.0)
    }
}

#[test]
fn lost_episodes_are_not_counted_on() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let training = Training { env_steps: 60, eval_every: 0, log_every: 0, ..Training::default() };
    let begun = Arc::new(AtomicU32::new(0));
    let run = |stop: &mut StopAt, existing| {
        let mut agent = Watcher(begun.clone());
        let mut envs = SyncVectorEnv::new(vec![Clock(0)], Seed::new(0)).unwrap();
        let trainer = Trainer::new(&training, 0, &mut agent, &mut envs).callback(stop);
        let trainer = trainer.evaluate_on(|| Ok(Clock(0)));
        trainer.record_to(&dir, existing, &toml::Table::new()).unwrap().run().unwrap()
    };
    let summary = run(&mut StopAt(25, None), Existing::Refuse);
    assert_eq!((summary.ending, summary.env_steps), (Ending::Stopped, 25));

    // An agent may have been trained before: the first episodes are begun too.
    assert_eq!(begun.load(Ordering::Relaxed), 1);

    let mut callback = StopAt(0, None);
    run(&mut callback, Existing::Resume);
    assert_eq!(begun.load(Ordering::Relaxed), 2);
    assert_eq!(callback.1, Some((25, Restored::AtEpisodeStart)));
    // Two whole episodes before; the one of 5 steps is lost; three after, the first at step 35.
    let episodes: Vec<Episode> = read_records(&dir.join("seed-0")).unwrap();
    assert!(episodes.iter().all(|e| (e.length, e.episode_return) == (10, 10.0)), "{episodes:?}");
    let steps: Vec<_> = episodes.iter().map(|episode| episode.env_step).collect();
    assert_eq!(steps, [10, 20, 35, 45, 55]);
}
