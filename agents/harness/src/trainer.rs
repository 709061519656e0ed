//! Trains one agent.

mod best;
mod borrowed;
mod progression;
mod session;
mod summary;

use gymnast_envs::{Seed, Space, VectorEnv};

pub use best::save_best;
pub use borrowed::Trainer;
pub(crate) use progression::Start;
pub(crate) use session::{Looks, Parts};
pub use summary::{Ending, Summary};

use crate::{
    Agent, AgentError, Callback, Evaluation, MakeEnvs, Recorder, StateDict, TrainError, Training,
    training::require,
};
use session::Session;

/// An agent, with the environments to train and to evaluate it in.
pub struct Setup<O: Space, A: Space> {
    /// The agent.
    pub agent: Box<dyn Agent<O, A>>,
    /// The environments to train in.
    pub envs: Box<dyn VectorEnv<O, A>>,
    /// Creates the environments of an evaluation.
    pub eval_envs: Box<MakeEnvs<O, A>>,
}

/// Trains an agent.
///
/// Starts from `resumed` (a state and the evaluations up to it) if given, else anew.
///
/// # Errors
/// [`TrainError::InvalidSetting`]; the errors of the agent, an environment or a file.
pub fn train<O: Space, A: Space>(
    setup: &mut Setup<O, A>,
    training: &Training,
    seed: Seed,
    recorder: Recorder,
    resumed: Option<(StateDict, Vec<Evaluation>)>,
    callbacks: &mut [&mut dyn Callback],
) -> Result<Summary, TrainError> {
    let start = match resumed {
        Some((state, evaluations)) => Start::resumed(&state, &mut setup.parts())?.with(evaluations),
        None => Start::anew(&mut setup.parts(), seed)?,
    };
    let looks = &mut Looks::default();
    go_on(setup.parts(), training, seed, recorder, start, callbacks, looks)
}

impl<O: Space, A: Space> Setup<O, A> {
    pub(crate) fn parts(&mut self) -> Parts<'_, O, A, dyn Agent<O, A>> {
        Parts {
            agent: &mut *self.agent,
            envs: &mut *self.envs,
            eval_envs: Some(&*self.eval_envs),
            is_held: false,
        }
    }
}

/// Trains from there on.
pub(crate) fn go_on<'a, O: Space, A: Space, G: Agent<O, A> + ?Sized>(
    parts: Parts<'a, O, A, G>,
    training: &'a Training,
    seed: Seed,
    recorder: Recorder,
    start: Start,
    callbacks: &'a mut [&mut dyn Callback],
    looks: &'a mut Looks<'_, G>,
) -> Result<Summary, TrainError> {
    parts.check(training)?;
    if training.env_threads > 1 {
        parts.envs.set_threads(training.env_threads);
    }
    let Start { progress, restored, evaluations } = start;
    if let Some(restored) = restored {
        let env_steps = progress.env_steps;
        callbacks.iter_mut().for_each(|callback| callback.on_resume(env_steps, restored));
    }
    let saved = (progress.env_steps, progress.episodes);
    let mut session =
        Session { parts, training, seed, recorder, callbacks, looks, progress, saved, evaluations };
    let ending = match session.drive() {
        // A caller who keeps the agent has it as it is now, not as it was saved.
        Err(TrainError::Agent(AgentError::Interrupted)) if !session.parts.is_held => {
            session.go_back()
        }
        ending => ending?,
    };
    Ok(session.summary(ending))
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
