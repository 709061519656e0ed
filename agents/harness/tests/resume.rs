//! Going on where the environment cannot be saved.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use gymnast_envs::{
    Discrete, Env, EnvError, Experience, Restored, Rng, Seed, Step, SyncVectorEnv, VectorEnv,
};
use gymnast_harness::{
    Agent, AgentError, Callback, Checkpoint, CheckpointError, Ending, Episode, Flow, Metrics, Mode,
    Policy, Progress, Recorder, RunIdentity, Setup, StateDict, Training, read_records, train,
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
        if progress.env_steps == self.0 { Flow::Stop } else { Flow::Continue }
    }
}

fn setup(begun: &Arc<AtomicU32>) -> Setup<Discrete, Discrete> {
    let make = |n, seed| {
        let envs = SyncVectorEnv::new((0..n).map(|_| Clock(0)).collect(), seed)?;
        Ok(Box::new(envs) as Box<dyn VectorEnv<Discrete, Discrete>>)
    };
    let envs = make(1, Seed::new(0)).unwrap();
    Setup { agent: Box::new(Watcher(begun.clone())), envs, eval_envs: Box::new(make) }
}

#[test]
fn lost_episodes_are_not_counted_on() {
    let dir = tempfile::tempdir().unwrap();
    let training = Training { env_steps: 60, eval_every: 0, log_every: 0, ..Training::default() };
    let (seed, mut stop) = (Seed::new(0), StopAt(25, None));
    let recorder = Recorder::create(dir.path(), &RunIdentity::default()).unwrap();
    let begun = Arc::new(AtomicU32::new(0));
    let summary =
        train(&mut setup(&begun), &training, seed, recorder, None, &mut [&mut stop]).unwrap();
    assert_eq!((summary.ending, summary.env_steps), (Ending::Stopped, 25));

    // An agent may have been trained before: the first episodes are begun too.
    assert_eq!(begun.load(Ordering::Relaxed), 1);

    let resumed = Recorder::resume(dir.path(), &RunIdentity::default(), Ok).unwrap().unwrap();
    let (state, mut callback) = ((resumed.state, resumed.evaluations), StopAt(0, None));
    let recorder = resumed.recorder;
    train(&mut setup(&begun), &training, seed, recorder, Some(state), &mut [&mut callback])
        .unwrap();
    assert_eq!(begun.load(Ordering::Relaxed), 2);
    assert_eq!(callback.1, Some((25, Restored::AtEpisodeStart)));
    // Two whole episodes before; the one of 5 steps is lost; three after, the first at step 35.
    let episodes: Vec<Episode> = read_records(dir.path()).unwrap();
    assert!(episodes.iter().all(|e| (e.length, e.episode_return) == (10, 10.0)), "{episodes:?}");
    let steps: Vec<_> = episodes.iter().map(|episode| episode.env_step).collect();
    assert_eq!(steps, [10, 20, 35, 45, 55]);
}
