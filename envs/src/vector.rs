//! Several environments stepped as one.

mod lane;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use lane::Lane;

use crate::{Act, Env, EnvError, Obs, Outcome, Rng, Seed, Space, render::Frame};
use lane::Place;

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
    finished: Vec<bool>,
}

/// How exactly a vector of environments was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    /// Every environment goes on in mid-episode.
    Exactly,
    /// At least one cannot be saved and starts a new episode.
    AtEpisodeStart,
}

/// Environments of one type, stepped one after the other on the calling thread.
///
/// Stepping allocates nothing. Each environment draws from a stream of its own, so its episodes do
/// not depend on how many others there are.
///
/// ```
/// use gymnast_envs::{Seed, Space, SyncVectorEnv, VectorEnv, classic::CartPole};
///
/// let mut envs = SyncVectorEnv::new(vec![CartPole::default(); 4], Seed::new(0))?;
/// envs.reset()?;
/// let experience = envs.step(&[0, 1, 0, 1])?;
/// assert_eq!(experience.rewards, [1.0; 4]);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
pub struct SyncVectorEnv<E: Env> {
    envs: Vec<E>,
    rngs: Vec<Rng>,
    observation_space: E::ObservationSpace,
    action_space: E::ActionSpace,
    observations: Vec<Obs<E>>,
    experience: Experience<E::ObservationSpace, E::ActionSpace>,
    finished: Vec<bool>,
    mode: AutoresetMode,
}

impl<E: Env> SyncVectorEnv<E> {
    /// A vector of these environments, each with a stream of its own below `seed`. Call
    /// [`reset`](VectorEnv::reset) before the first step.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if there are none.
    pub fn new(envs: Vec<E>, seed: Seed) -> Result<Self, EnvError> {
        Self::with_autoreset(envs, seed, AutoresetMode::SameStep)
    }

    /// The same with another rule for finished environments.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if there are none.
    pub fn with_autoreset(envs: Vec<E>, seed: Seed, mode: AutoresetMode) -> Result<Self, EnvError> {
        let first = envs.first().ok_or(EnvError::WrongBatch { expected: 1, got: 0 })?;
        let n = envs.len();
        Ok(Self {
            observation_space: first.observation_space(),
            action_space: first.action_space(),
            rngs: (0..n as u64).map(|i| seed.child("env", i).rng()).collect(),
            observations: Vec::with_capacity(n),
            experience: Experience {
                observations: Vec::with_capacity(n),
                actions: Vec::with_capacity(n),
                rewards: vec![0.0; n],
                next_observations: Vec::with_capacity(n),
                outcomes: vec![Outcome::Continues; n],
                is_reset: vec![false; n],
            },
            finished: vec![false; n],
            envs,
            mode,
        })
    }

    /// The environments.
    #[must_use]
    pub fn envs(&self) -> &[E] {
        &self.envs
    }

    /// The transitions of the last step.
    #[must_use]
    pub fn experience(&self) -> &Experience<E::ObservationSpace, E::ActionSpace> {
        &self.experience
    }

    /// Starts a new episode in the environments that `mask` marks.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if the mask has another length or the vector was never reset;
    /// where an environment fails.
    pub fn reset_where(&mut self, mask: &[bool]) -> Result<(), EnvError> {
        let got = mask.len().min(self.observations.len());
        if got != self.envs.len() {
            return Err(EnvError::WrongBatch { expected: self.envs.len(), got });
        }
        for i in (0..mask.len()).filter(|&i| mask[i]) {
            self.observations[i] = self.envs[i].reset(&mut self.rngs[i])?;
            self.finished[i] = false;
        }
        Ok(())
    }
}

impl<E: Env> VectorEnv<E::ObservationSpace, E::ActionSpace> for SyncVectorEnv<E> {
    fn num_envs(&self) -> usize {
        self.envs.len()
    }

    fn observation_space(&self) -> &E::ObservationSpace {
        &self.observation_space
    }

    fn action_space(&self) -> &E::ActionSpace {
        &self.action_space
    }

    fn reset(&mut self) -> Result<(), EnvError> {
        self.observations.clear();
        for (env, rng) in self.envs.iter_mut().zip(&mut self.rngs) {
            self.observations.push(env.reset(rng)?);
        }
        self.finished.fill(false);
        self.experience.observations.clone_from(&self.observations);
        self.experience.next_observations.clone_from(&self.observations);
        Ok(())
    }

    fn observations(&self) -> &[Obs<E>] {
        &self.observations
    }

    fn step(
        &mut self,
        actions: &[Act<E>],
    ) -> Result<&Experience<E::ObservationSpace, E::ActionSpace>, EnvError> {
        let n = self.envs.len();
        if actions.len() != n {
            return Err(EnvError::WrongBatch { expected: n, got: actions.len() });
        }
        if self.observations.len() != n {
            return Err(EnvError::NeedsReset { when: "before the first reset" });
        }
        // Before any environment is stepped, so that the error leaves all as they were.
        if self.mode == AutoresetMode::Disabled && self.finished.contains(&true) {
            return Err(EnvError::NeedsReset { when: "after the episode ended" });
        }
        std::mem::swap(&mut self.experience.observations, &mut self.observations);
        self.experience.actions.clear();
        self.experience.actions.extend_from_slice(actions);
        for (i, action) in actions.iter().enumerate() {
            let mut place = Place {
                env: &mut self.envs[i],
                rng: &mut self.rngs[i],
                observation: &mut self.observations[i],
                finished: &mut self.finished[i],
            };
            place.step(action, self.mode, &mut self.experience, i)?;
        }
        Ok(&self.experience)
    }

    fn lanes(&mut self) -> Vec<Box<dyn Lane<E::ObservationSpace, E::ActionSpace> + '_>> {
        lane::lanes(self)
    }

    fn set_autoreset(&mut self, mode: AutoresetMode) {
        self.mode = mode;
    }

    fn save(&self) -> VectorSnapshot {
        let space = &self.observation_space;
        VectorSnapshot {
            envs: self.envs.iter().map(Env::save).collect(),
            rngs: self.rngs.clone(),
            observations: self.observations.iter().map(|o| space.to_jsonable(o)).collect(),
            finished: self.finished.clone(),
        }
    }

    fn restore(&mut self, snapshot: &VectorSnapshot) -> Result<Restored, EnvError> {
        let n = self.envs.len();
        let lengths = [
            snapshot.envs.len(),
            snapshot.rngs.len(),
            snapshot.observations.len(),
            snapshot.finished.len(),
        ];
        if lengths != [n; 4] {
            let got = format!("one of {lengths:?} parts");
            return Err(EnvError::InvalidState { expected: format!("{n} environments"), got });
        }
        self.rngs.clone_from(&snapshot.rngs);
        self.finished.clone_from(&snapshot.finished);
        let mut restored = Restored::Exactly;
        let mut observations = Vec::with_capacity(n);
        for (i, env) in self.envs.iter_mut().enumerate() {
            observations.push(if let Some(state) = &snapshot.envs[i] {
                env.restore(state)?;
                self.observation_space.from_jsonable(&snapshot.observations[i])?
            } else {
                restored = Restored::AtEpisodeStart;
                self.finished[i] = false;
                env.reset(&mut self.rngs[i])?
            });
        }
        self.experience.observations.clone_from(&observations);
        self.experience.next_observations.clone_from(&observations);
        self.observations = observations;
        Ok(restored)
    }

    fn render_ansi(&self, index: usize) -> Option<String> {
        self.envs.get(index)?.render_ansi()
    }

    fn render_rgb(&self, index: usize) -> Option<Frame> {
        self.envs.get(index)?.render_rgb()
    }
}
