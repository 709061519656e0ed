//! What a run says on standard error though its progress is hidden.

use std::process::Command;

use gymnast_envs::{Discrete, Experience, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Ending, Existing, Experiment, Interrupt,
    Metrics, Mode, Policy, Quiet, StateDict, Training,
    testing::{self, TwoArmedBandit},
};

/// Tells the child process what its agent does.
const CASE: &str = "GYMNAST_TEST_CASE";
const LEARNS: &str = "learns";
const LEARNS_NOTHING: &str = "learns nothing";
/// It learns nothing either, as it is told to end before.
const IS_STOPPED: &str = "is stopped";

/// Expects its first update at the first step, and does what its case says.
struct Idle {
    case: String,
    steps: u64,
}

impl Policy<Discrete, Discrete> for Idle {
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

impl Agent<Discrete, Discrete> for Idle {
    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        self.case == LEARNS
    }

    fn learn(
        &mut self,
        experience: &Experience<Discrete, Discrete>,
    ) -> Result<Option<Metrics>, AgentError> {
        self.steps += experience.len() as u64;
        if self.case == IS_STOPPED && self.steps == 10 {
            Interrupt::request();
        }
        Ok(None)
    }

    fn begin_episodes(&mut self) {}
}

impl Checkpoint for Idle {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("steps", &self.steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.steps = state.counter("steps")?;
        Ok(())
    }
}

#[test]
#[ignore = "started by the other test, in a process of its own"]
fn child() {
    let case = std::env::var(CASE).unwrap_or_default();
    let dir = tempfile::tempdir().unwrap();
    let training = Training { env_steps: 40, eval_episodes: 2, ..Training::default() };
    let experiment = Experiment {
        dir: dir.path().join("run"),
        training,
        seeds: vec![3],
        defaults: toml::Table::new(),
        jobs: 1,
        existing: Existing::Refuse,
        progress: std::sync::Arc::new(Quiet),
    };
    let make = |plan: &_| {
        let idle = Idle { case: case.clone(), steps: 0 };
        testing::setup(plan, TwoArmedBandit::default, |_, _| Ok(idle))
    };
    let summaries = experiment.run("", make).unwrap();
    let ending = if case == IS_STOPPED { Ending::Stopped } else { Ending::Budget };
    assert_eq!((summaries[0].ending, summaries[0].learned), (ending, case == LEARNS));
}

#[test]
fn a_training_that_learned_nothing_says_so() {
    let said = |case: &str| {
        let mut child = Command::new(std::env::current_exe().unwrap());
        let child = child.args(["--exact", "child", "--ignored", "--nocapture"]).env(CASE, case);
        let output = child.output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{case}: {stderr}");
        stderr.lines().filter(|line| line.starts_with("seed")).map(str::to_owned).collect()
    };
    let lines: Vec<String> = said(LEARNS_NOTHING);
    let expected = "seed 3: nothing was learned: the agent made no update in 40 env steps";
    assert_eq!(lines, [expected]);
    for case in [LEARNS, IS_STOPPED] {
        let lines: Vec<String> = said(case);
        assert!(lines.is_empty(), "{case}: {lines:?}");
    }
}
