//! Environments of one type.

use super::{
    AutoresetMode, Experience, Gate, Lane, Restored, VectorEnv, VectorSnapshot,
    gate::type_name,
    lane::lanes,
    part::{How, Part},
};
use crate::{Act, Env, EnvError, Obs, Outcome, Rng, Seed, Space as _, render::Frame};

/// Environments of one type, stepped one after the other on the calling thread, or on
/// [several](VectorEnv::set_threads).
///
/// Every step is checked as it comes in: a reward or an observation that is no finite number, or an
/// observation outside a finite space, is an [`EnvError::InvalidStep`], so that nothing learns from it.
///
/// Stepping on one thread allocates nothing. Each environment draws from a stream of its own, so its episodes do
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
    /// The environment's id, or its type where it has none.
    pub(super) name: String,
    pub(super) envs: Vec<E>,
    pub(super) rngs: Vec<Rng>,
    pub(super) observation_space: E::ObservationSpace,
    action_space: E::ActionSpace,
    pub(super) observations: Vec<Obs<E>>,
    experience: Experience<E::ObservationSpace, E::ActionSpace>,
    pub(super) finished: Vec<bool>,
    /// The steps of each running episode.
    pub(super) steps: Vec<u64>,
    pub(super) mode: AutoresetMode,
    threads: usize,
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

    /// A vector of `n` environments, each made by `make`.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if there are none; what `make` returns.
    pub fn of(
        n: usize,
        seed: Seed,
        make: impl FnMut() -> Result<E, EnvError>,
    ) -> Result<Self, EnvError> {
        let envs = std::iter::repeat_with(make).take(n).collect::<Result<_, _>>()?;
        Self::new(envs, seed)
    }

    /// The same with another rule for finished environments.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if there are none.
    pub fn with_autoreset(envs: Vec<E>, seed: Seed, mode: AutoresetMode) -> Result<Self, EnvError> {
        let first = envs.first().ok_or(EnvError::WrongBatch { expected: 1, got: 0 })?;
        let n = envs.len();
        Ok(Self {
            name: type_name::<E>(),
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
            steps: vec![0; n],
            envs,
            mode,
            threads: 1,
        })
    }

    /// The same under a name of its own in messages, where it is otherwise called by its type.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
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
            self.observations[i] = self.reset_env(i)?;
            self.finished[i] = false;
        }
        Ok(())
    }

    /// Starts a new episode in the i-th environment.
    fn reset_env(&mut self, i: usize) -> Result<Obs<E>, EnvError> {
        let observation = self.envs[i].reset(&mut self.rngs[i])?;
        self.gate(i).reset(&observation)?;
        self.steps[i] = 0;
        Ok(observation)
    }

    /// What checks the steps of the i-th environment.
    fn gate(&self, i: usize) -> Gate<'_, E::ObservationSpace> {
        let index = (self.envs.len() > 1).then_some(i);
        Gate { space: &self.observation_space, env: &self.name, index }
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
        for i in 0..self.envs.len() {
            let observation = self.reset_env(i)?;
            self.observations.push(observation);
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
        let all = Part {
            first: 0,
            envs: &mut self.envs,
            rngs: &mut self.rngs,
            observations: &mut self.observations,
            finished: &mut self.finished,
            steps: &mut self.steps,
            columns: self.experience.columns(),
            actions,
        };
        let how = How { space: &self.observation_space, env: &self.name, mode: self.mode, of: n };
        if self.threads == 1 {
            all.step(&how)?;
        } else {
            all.step_on(self.threads, &how)?;
        }
        Ok(&self.experience)
    }

    fn lanes(&mut self) -> Vec<Box<dyn Lane<E::ObservationSpace, E::ActionSpace> + '_>> {
        lanes(self)
    }

    fn set_autoreset(&mut self, mode: AutoresetMode) {
        self.mode = mode;
    }

    fn set_threads(&mut self, threads: usize) {
        self.threads = threads.clamp(1, self.envs.len());
    }

    fn save(&self) -> VectorSnapshot {
        let space = &self.observation_space;
        VectorSnapshot {
            envs: self.envs.iter().map(Env::save).collect(),
            rngs: self.rngs.clone(),
            observations: self.observations.iter().map(|o| space.to_jsonable(o)).collect(),
            finished: self.finished.clone(),
            steps: self.steps.clone(),
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
        self.steps.clone_from(&snapshot.steps);
        self.steps.resize(n, 0);
        let mut restored = Restored::Exactly;
        let mut observations = Vec::with_capacity(n);
        for i in 0..n {
            observations.push(if let Some(state) = &snapshot.envs[i] {
                self.envs[i].restore(state)?;
                // Whatever the bounds of a box, which an environment may have left.
                let seen = &snapshot.observations[i];
                let observation = self.observation_space.from_jsonable_unbounded(seen)?;
                self.gate(i).step(&observation, 0.0, self.steps[i])?;
                observation
            } else {
                restored = Restored::AtEpisodeStart;
                self.finished[i] = false;
                self.reset_env(i)?
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
