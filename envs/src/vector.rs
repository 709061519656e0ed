//! Several environments stepped as one.

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
/// Parametrised by the spaces alone, so that an environment chosen by name at run time, boxed as
/// `Box<dyn VectorEnv<O, A>>`, drives an agent as a typed one does.
pub trait VectorEnv<O: Space, A: Space>: Send {
    /// The number of environments, at least 1.
    fn num_envs(&self) -> usize;

    /// The observation space of each environment.
    fn observation_space(&self) -> &O;

    /// The action space of each environment.
    fn action_space(&self) -> &A;

    /// Starts a new episode in every environment.
    ///
    /// # Errors
    /// Where an environment fails.
    fn reset(&mut self) -> Result<(), EnvError>;

    /// What each environment shows now: what the next actions should be chosen from.
    fn observations(&self) -> &[O::Element];

    /// Takes one action in each environment. The result is valid until the next call, and is
    /// overwritten by it.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if there is not one action an environment; what the environments
    /// themselves return.
    fn step(&mut self, actions: &[A::Element]) -> Result<&Experience<O, A>, EnvError>;

    /// The environments one by one, in order, each to be stepped at its own pace; none before the
    /// first reset. Once the lanes are gone the vector goes on from where they are.
    fn lanes(&mut self) -> Vec<Box<dyn Lane<O, A> + '_>>;

    /// Sets what happens to an environment when its episode ends, from the next end on.
    fn set_autoreset(&mut self, mode: AutoresetMode);

    /// Steps the environments on `threads` threads from now on, at most one an environment. The results are the
    /// same, whatever the number. It pays where a step of all of them takes more than about 200 µs: threads
    /// are started anew with each step.
    fn set_threads(&mut self, threads: usize);

    /// The state of every environment and stream. An environment that cannot be saved is marked
    /// as such.
    fn save(&self) -> VectorSnapshot;

    /// Takes up what [`save`](VectorEnv::save) gave.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`] if the snapshot belongs to other environments.
    fn restore(&mut self, snapshot: &VectorSnapshot) -> Result<Restored, EnvError>;

    /// One of the environments as text.
    fn render_ansi(&self, index: usize) -> Option<String>;

    /// One of the environments as a picture.
    fn render_rgb(&self, index: usize) -> Option<Frame>;
}

/// `n` simultaneous transitions, one a row.
#[derive(Clone, Debug)]
pub struct Experience<O: Space, A: Space> {
    /// What was seen before the actions.
    pub observations: Vec<O::Element>,
    /// The actions taken.
    pub actions: Vec<A::Element>,
    /// The rewards received.
    pub rewards: Vec<f64>,
    /// The true successors, never what came after a reset.
    pub next_observations: Vec<O::Element>,
    /// Whether each episode goes on.
    pub outcomes: Vec<Outcome>,
    /// Whether the row is not a transition but the reset of an environment. Only ever true under
    /// [`AutoresetMode::NextStep`].
    pub is_reset: Vec<bool>,
}

impl<O: Space, A: Space> Experience<O, A> {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rewards.is_empty()
    }
}

/// What happens to an environment of a vector when its episode ends (Gymnasium's modes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AutoresetMode {
    /// It is reset at once: `observations()` shows the new episode's first observation, and
    /// `next_observations` still the true successor. Every row is a transition.
    #[default]
    SameStep,
    /// It shows the final observation, and the next step resets it, whatever the action: that row
    /// is marked in [`Experience::is_reset`], carries reward 0 and must not be learned from.
    NextStep,
    /// It stays finished until [`SyncVectorEnv::reset_where`]; stepping it is an error.
    Disabled,
}

/// The state of a vector of environments.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VectorSnapshot {
    envs: Vec<Option<Value>>,
    rngs: Vec<Rng>,
    observations: Vec<Value>,
    /// Whether the observations are elements of the vector's space. Older snapshots have those of the
    /// environment's own.
    #[serde(default)]
    is_as_shown: bool,
    finished: Vec<bool>,
    /// Older snapshots have none.
    #[serde(default)]
    steps: Vec<u64>,
}

/// How exactly a vector of environments was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// Every environment goes on in mid-episode.
    Exactly,
    /// At least one cannot be saved and starts a new episode.
    AtEpisodeStart,
}
