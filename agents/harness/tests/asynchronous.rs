//! Agents that play by themselves.

use gymnast_envs::{Discrete, Experience, Rng, Seed, SyncVectorEnv, VectorEnv};
use gymnast_harness::{
    Agent, AgentError, Asynchronous, Checkpoint, CheckpointError, Flow, Metrics, Mode, Policy,
    StateDict, TrainError, Trainer, Turn,
    testing::{self, TwoArmedBandit, training},
};

/// Plays by itself, and comes back without a step; with another error where it is asked too often.
#[derive(Default)]
struct Stuck {
    calls: u64,
}

impl Policy<Discrete, Discrete> for Stuck {
    fn act(&self, _: &[i64], _: Mode, _: &mut Rng, _: &mut Vec<i64>) -> Result<(), AgentError> {
        Ok(())
    }
}

impl Agent<Discrete, Discrete> for Stuck {
    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        false
    }

    fn learn(&mut self, _: &Experience<Discrete, Discrete>) -> Result<Option<Metrics>, AgentError> {
        Err(AgentError::Asynchronous)
    }

    fn begin_episodes(&mut self) {}

    fn asynchronous(&mut self) -> Option<&mut dyn Asynchronous<Discrete, Discrete>> {
        Some(self)
    }
}

impl Asynchronous<Discrete, Discrete> for Stuck {
    fn advance(
        &mut self,
        _: &mut dyn VectorEnv<Discrete, Discrete>,
        _: u64,
    ) -> Result<Vec<Turn>, AgentError> {
        self.calls += 1;
        if self.calls > 10 { Err(AgentError::Asynchronous) } else { Ok(vec![Turn::default()]) }
    }
}

impl Checkpoint for Stuck {
    fn save(&self, _: &mut StateDict) -> Result<(), CheckpointError> {
        Ok(())
    }

    fn load(&mut self, _: &StateDict) -> Result<(), CheckpointError> {
        Ok(())
    }
}

#[test]
fn workers_that_take_no_step_end_the_training() {
    let training = training(100, 1);
    let stuck = |_, _| Ok(Stuck::default());
    let mut setup = testing::setup(&training.plan(0), TwoArmedBandit::default, stuck).unwrap();
    let error = setup.trainer(&training, 0).run().unwrap_err();
    let TrainError::Agent(AgentError::Stalled { until, counted }) = error else {
        panic!("{error}");
    };
    // The first evaluation is due by then.
    assert_eq!((until, counted), (25, 0));
}

#[test]
fn their_experience_cannot_be_looked_at() {
    let mut envs = SyncVectorEnv::new(vec![TwoArmedBandit::default()], Seed::new(0)).unwrap();
    let result = Trainer::new(&training(100, 1), 0, &mut Stuck::default(), &mut envs)
        .look_at_experience(|_, _| Ok(Flow::Continue))
        .run();
    assert!(matches!(result, Err(TrainError::InvalidSetting(_))), "{result:?}");
}
