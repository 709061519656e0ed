//! A vector of environments of one type.

use super::{
    AutoresetMode, Experience, Gate, Lane, Restored, VectorEnv, VectorSnapshot,
    gate::type_name,
    lane::lanes,
    part::{Columns, How, Part, Place, Shown},
};
use crate::{
    Act, AsIs, Codec, Env, EnvError, Obs, Outcome, Rng, Seed, Space, SpaceError, render::Frame,
};

/// Environments of one type, stepped one after the other on the calling thread or on [several
/// threads](VectorEnv::set_threads).
///
/// Every step is checked: a reward or observation that is not finite, or an observation outside a
/// finite space, is an [`EnvError::InvalidStep`], so that no agent learns from it.
///
/// Stepping on one thread allocates nothing unless the environments do. An environment with
/// observations on the heap can write into those that it is [given back](Env::recycle). Each
/// environment has its own random stream, so its episodes do not depend on the number of
/// environments.
///
/// The codecs `OC` and `AC` define the form of observations and actions: that of the environment,
/// or with their types [erased](Self::erased), so that environments of different types fit one
/// vector type.
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
pub struct SyncVectorEnv<E, OC = AsIs, AC = AsIs>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    /// The environment's id, or its type if it has none.
    pub(super) name: String,
    pub(super) envs: Vec<E>,
    pub(super) rngs: Vec<Rng>,
    /// The environments' own spaces.
    pub(super) spaces: (E::ObservationSpace, E::ActionSpace),
    observation_space: OC::Target,
    action_space: AC::Target,
    pub(super) observations: Vec<Shown<E, OC>>,
    /// The actions in the environments' own form, if the codec changes them.
    actions: Vec<Act<E>>,
    experience: Experience<OC::Target, AC::Target>,
    pub(super) finished: Vec<bool>,
    /// The number of steps of each running episode.
    pub(super) steps: Vec<u64>,
    pub(super) mode: AutoresetMode,
    threads: usize,
}

impl<E: Env> SyncVectorEnv<E> {
    /// Creates a vector of these environments, each with its own random stream below `seed`. Call
    /// [`reset`](VectorEnv::reset) before the first step.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if `envs` is empty.
    pub fn new(envs: Vec<E>, seed: Seed) -> Result<Self, EnvError> {
        Self::with_autoreset(envs, seed, AutoresetMode::SameStep)
    }

    /// Creates a vector of `n` environments, each created by `make`.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if `n` is 0; the errors of `make`.
    pub fn of(
        n: usize,
        seed: Seed,
        make: impl FnMut() -> Result<E, EnvError>,
    ) -> Result<Self, EnvError> {
        let envs = std::iter::repeat_with(make).take(n).collect::<Result<_, _>>()?;
        Self::new(envs, seed)
    }

    /// Creates a vector with this autoreset mode.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if `envs` is empty.
    pub fn with_autoreset(envs: Vec<E>, seed: Seed, mode: AutoresetMode) -> Result<Self, EnvError> {
        let first = envs.first().ok_or(EnvError::WrongBatch { expected: 1, got: 0 })?;
        let spaces = (first.observation_space(), first.action_space());
        let rngs = (0..envs.len() as u64).map(|i| seed.child("env", i).rng()).collect();
        Ok(Self::assembled(type_name::<E>(), (envs, rngs), spaces, mode))
    }

    /// Changes the codecs of observations and actions; keeps the environments and streams. Call
    /// [`reset`](VectorEnv::reset) before the first step.
    #[must_use]
    pub fn erased<OC, AC>(self) -> SyncVectorEnv<E, OC, AC>
    where
        OC: Codec<E::ObservationSpace>,
        AC: Codec<E::ActionSpace>,
    {
        let Self { name, envs, rngs, spaces, mode, threads, .. } = self;
        SyncVectorEnv { threads, ..SyncVectorEnv::assembled(name, (envs, rngs), spaces, mode) }
    }
}

impl<E, OC, AC> SyncVectorEnv<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    fn assembled(
        name: String,
        (envs, rngs): (Vec<E>, Vec<Rng>),
        spaces: (E::ObservationSpace, E::ActionSpace),
        mode: AutoresetMode,
    ) -> Self {
        let n = envs.len();
        Self {
            name,
            observation_space: OC::target(&spaces.0),
            action_space: AC::target(&spaces.1),
            spaces,
            rngs,
            observations: Vec::with_capacity(n),
            actions: Vec::with_capacity(n),
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
        }
    }

    /// Sets the name in messages. Default: the environment's type.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Returns the environments.
    #[must_use]
    pub fn envs(&self) -> &[E] {
        &self.envs
    }

    /// Returns the transitions of the last step.
    #[must_use]
    pub fn experience(&self) -> &Experience<OC::Target, AC::Target> {
        &self.experience
    }

    /// Starts a new episode in the environments selected by `mask`.
    ///
    /// # Errors
    /// [`EnvError::WrongBatch`] if the mask has another length or the vector was never reset; the
    /// errors of an environment.
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
    fn reset_env(&mut self, i: usize) -> Result<Shown<E, OC>, EnvError> {
        let observation: Obs<E> = self.envs[i].reset(&mut self.rngs[i])?;
        self.gate(&self.spaces.0, i).reset(&observation)?;
        self.steps[i] = 0;
        Ok(OC::encoded(&self.spaces.0, &observation))
    }

    /// Returns what is kept of the first environment, where it is the only one, and the columns.
    #[inline(always)]
    fn only(&mut self) -> (Place<'_, E, OC>, Columns<'_, OC::Target>) {
        let place = Place {
            gate: Gate { space: &self.spaces.0, env: &self.name, index: None },
            env: &mut self.envs[0],
            rng: &mut self.rngs[0],
            observation: &mut self.observations[0],
            finished: &mut self.finished[0],
            steps: &mut self.steps[0],
        };
        (place, self.experience.columns())
    }

    /// Returns the check of the i-th environment's steps.
    fn gate<'a, S>(&'a self, space: &'a S, i: usize) -> Gate<'a, S> {
        let index = (self.envs.len() > 1).then_some(i);
        Gate { space, env: &self.name, index }
    }

    /// Reads an observation from a snapshot; ignores the bounds of a box, which observations may
    /// exceed.
    fn read(&self, snapshot: &VectorSnapshot, i: usize) -> Result<Shown<E, OC>, SpaceError> {
        let seen = &snapshot.observations[i];
        if snapshot.is_as_shown {
            return self.observation_space.from_jsonable_unbounded(seen);
        }
        let space = &self.spaces.0;
        Ok(OC::encoded(space, &space.from_jsonable_unbounded(seen)?))
    }
}

impl<E, OC, AC> VectorEnv<OC::Target, AC::Target> for SyncVectorEnv<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    fn num_envs(&self) -> usize {
        self.envs.len()
    }

    fn observation_space(&self) -> &OC::Target {
        &self.observation_space
    }

    fn action_space(&self) -> &AC::Target {
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

    fn observations(&self) -> &[Shown<E, OC>] {
        &self.observations
    }

    fn step(
        &mut self,
        actions: &[<AC::Target as Space>::Element],
    ) -> Result<&Experience<OC::Target, AC::Target>, EnvError> {
        let n = self.envs.len();
        if actions.len() != n {
            return Err(EnvError::WrongBatch { expected: n, got: actions.len() });
        }
        if self.observations.len() != n {
            return Err(EnvError::NeedsReset { when: "before the first reset" });
        }
        // Checked before any environment is stepped, so that after an error all are unchanged.
        if self.mode == AutoresetMode::Disabled && self.finished.contains(&true) {
            return Err(EnvError::NeedsReset { when: "after the episode ended" });
        }
        if let ([_], [action]) = (&self.envs[..], actions) {
            // Loops of one round cost more than the step of a grid.
            let taken = AC::decode(&self.spaces.1, action)?;
            std::mem::swap(&mut self.experience.observations, &mut self.observations);
            match &mut self.experience.actions[..] {
                [last] => last.clone_from(action),
                _ => self.experience.actions.push(action.clone()),
            }
            let mode = self.mode;
            let (mut place, mut rows) = self.only();
            if place.step(&taken, mode, &mut rows, 0)? {
                self.only().0.reset()?;
            }
            return Ok(&self.experience);
        }
        let taken = AC::decode_all(&self.spaces.1, actions, &mut self.actions)?;
        std::mem::swap(&mut self.experience.observations, &mut self.observations);
        actions.clone_into(&mut self.experience.actions);
        let all = Part::<E, OC> {
            first: 0,
            envs: &mut self.envs,
            rngs: &mut self.rngs,
            observations: &mut self.observations,
            finished: &mut self.finished,
            steps: &mut self.steps,
            columns: self.experience.columns(),
            actions: taken,
        };
        let how = How { space: &self.spaces.0, env: &self.name, mode: self.mode, of: n };
        if self.threads == 1 {
            all.step(&how)?;
        } else {
            all.step_on(self.threads, &how)?;
        }
        Ok(&self.experience)
    }

    fn lanes(&mut self) -> Vec<Box<dyn Lane<OC::Target, AC::Target> + '_>> {
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
            is_as_shown: true,
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
                let observation = self.read(snapshot, i)?;
                let gate = self.gate(&self.observation_space, i);
                gate.step(&observation, 0.0, self.steps[i])?;
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
