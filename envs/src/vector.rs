//! Vectors: several environments stepped together.

mod gate;
mod lane;
mod part;
mod sync;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use gate::Gate;
pub use lane::Lane;
pub use sync::SyncVectorEnv;

use crate::{EnvError, Outcome, Rng, Space, render::Frame};

/// `n` environments that take `n` actions at a time.
///
/// The spaces are its only parameters, so `Box<dyn VectorEnv<O, A>>`, for environments chosen by
/// name at run time, works with an agent like a typed vector.
pub trait VectorEnv<O: Space, A: Space>: Send {
    /// Returns the number of environments, at least 1.
    fn num_envs(&self) -> usize;

    /// Returns the observation space of each environment.
    fn observation_space(&self) -> &O;

    /// Returns the action space of each environment.
    fn action_space(&self) -> &A;

    /// Starts a new episode in every environment.
    ///
    /// # Errors
    /// The errors of an environment.
    fn reset(&mut self) -> Result<(), EnvError>;

    /// Returns the current observation of each environment. Choose the next actions from them.
    fn observations(&self) -> &[O::Element];

    /// Takes one action in each environment. The next call overwrites the result.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] unless there is one action per environment; the errors of an
    /// environment.
    fn step(&mut self, actions: &[A::Element]) -> Result<&Experience<O, A>, EnvError>;

    /// Returns the environments one by one, in order, so that each can be stepped at its own pace.
    /// Empty before the first reset. After the lanes are dropped, the vector continues from their
    /// states.
    fn lanes(&mut self) -> Vec<Box<dyn Lane<O, A> + '_>>;

    /// Sets what happens when an episode ends, from the next end on.
    fn set_autoreset(&mut self, mode: AutoresetMode);

    /// Steps the environments on `threads` threads from now on, at most one per environment. The
    /// results do not depend on the number. It pays if a step of all environments takes more than
    /// about 200 µs, because threads are started for each step.
    fn set_threads(&mut self, threads: usize);

    /// Returns the state of every environment and random stream. An environment that cannot be
    /// saved is marked.
    fn save(&self) -> VectorSnapshot;

    /// Restores a state returned by [`save`](VectorEnv::save).
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the snapshot belongs to other environments.
    fn restore(&mut self, snapshot: &VectorSnapshot) -> Result<Restored, EnvError>;

    /// Renders one of the environments as text.
    fn render_ansi(&self, index: usize) -> Option<String>;

    /// Renders one of the environments as a picture.
    fn render_rgb(&self, index: usize) -> Option<Frame>;
}

/// `n` simultaneous transitions, one per row.
#[derive(Clone, Debug)]
pub struct Experience<O: Space, A: Space> {
    /// The observations before the actions.
    pub observations: Vec<O::Element>,
    /// The actions taken.
    pub actions: Vec<A::Element>,
    /// The rewards received.
    pub rewards: Vec<f64>,
    /// The true successors, never the observations after a reset.
    pub next_observations: Vec<O::Element>,
    /// Whether each episode continues.
    pub outcomes: Vec<Outcome>,
    /// Whether the row is the reset of an environment instead of a transition. Only true with
    /// [`AutoresetMode::NextStep`].
    pub is_reset: Vec<bool>,
}

impl<O: Space, A: Space> Experience<O, A> {
    /// Returns the number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// Returns whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rewards.is_empty()
    }
}

/// What happens when an episode of a vector's environment ends (Gymnasium's modes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AutoresetMode {
    /// The environment is reset at once: `observations()` returns the first observation of the new
    /// episode, `next_observations` the true successor. Every row is a transition.
    #[default]
    SameStep,
    /// The final observation is returned, and the next step resets the environment, whatever the
    /// action. That row is marked in [`Experience::is_reset`], has reward 0 and must not be learned
    /// from.
    NextStep,
    /// The environment stays finished until [`SyncVectorEnv::reset_where`]. Stepping it is an
    /// error.
    Disabled,
}

/// The state of a vector of environments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VectorSnapshot {
    envs: Vec<Option<Value>>,
    rngs: Vec<Rng>,
    observations: Vec<Value>,
    /// Whether the observations are elements of the vector's space. In older snapshots they are
    /// elements of the environment's own space.
    #[serde(default)]
    is_as_shown: bool,
    finished: Vec<bool>,
    /// Missing in older snapshots.
    #[serde(default)]
    steps: Vec<u64>,
}

/// How completely a vector of environments was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// Every environment continues mid-episode.
    Exactly,
    /// At least one environment cannot be saved and starts a new episode.
    AtEpisodeStart,
}
