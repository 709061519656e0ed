//! Trains one agent.

mod best;
mod borrowed;
mod progression;
mod session;
mod summary;

use std::sync::Arc;

use gymnast_envs::{Seed, Space, VectorEnv};

pub use best::save_best;
pub(crate) use best::{BEST, read_best};
pub use borrowed::Trainer;
pub(crate) use progression::Start;
use session::Parts;
pub use summary::{Ending, Summary};

use crate::{Agent, MakeEnvs, TrainError, Training, training::require};

/// An agent whose type is not known, with the environments to train and to evaluate it in: what an
/// [`Experiment`](crate::Experiment) makes for each seed.
pub struct Setup<O: Space, A: Space> {
    /// The agent.
    pub agent: Box<dyn Agent<O, A>>,
    /// The environments to train in.
    pub envs: Box<dyn VectorEnv<O, A>>,
    /// Creates the environments of an evaluation.
    pub eval_envs: Arc<MakeEnvs<O, A>>,
}

impl<O: Space, A: Space> Setup<O, A> {
    /// Returns a training of the agent, with evaluations. An update that is abandoned because the
    /// process was asked to end is no error: the summary is that of the last checkpoint.
    pub fn trainer(
        &mut self,
        training: &Training,
        seed: u64,
    ) -> Trainer<'_, O, A, dyn Agent<O, A>> {
        let eval_envs = Some(self.eval_envs.clone());
        let (agent, envs) = (&mut *self.agent, &mut *self.envs);
        Trainer::with_parts(training, seed, Parts { agent, envs, eval_envs, is_held: false })
    }
}

/// Returns an error for a training that would end before the agent's first update.
///
/// # Errors
/// [`TrainError::InvalidSetting`].
pub fn check_first_update(first_update: u64, training: &Training) -> Result<(), TrainError> {
    require(
        training.env_steps >= first_update,
        "training.env_steps",
        training.env_steps,
        format!(
            "at least {first_update}: nothing is learned before the agent's first update. Train longer \
             (--steps), or lower the settings that it waits for (learning_starts, train_every, n_steps, \
             episodes_per_update, training.num_envs)"
        ),
    )
}

/// The seed of the evaluation after so many env steps: a stream for each, so that none depends on
/// those before it.
pub(crate) fn evaluation_seed(seed: Seed, env_steps: u64) -> Seed {
    seed.child("evaluation", env_steps)
}
