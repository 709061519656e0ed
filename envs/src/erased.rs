//! Environments chosen by name at run time: the types erased, a batch at a time.

mod lane;

use rand::SeedableRng as _;
use serde_json::Value;

use crate::{
    AutoresetMode, Discrete, Env, EnvError, Experience, FeatureSpace, FiniteSpace, Lane, Obs,
    Restored, Rng, RowSpace, Seed, Space, SpaceDescription, SpaceError, Step, SyncVectorEnv,
    Transition, VectorEnv, VectorSnapshot, render::Frame,
};

/// How the elements of a space are written in a space known without its type.
pub trait Codec<S: Space>: Send + 'static {
    /// The space written to.
    type Target: Space<Element: Default>;

    /// The space that the elements of `source` are written in.
    fn target(source: &S) -> Self::Target;

    /// Writes an element, reusing what `target` has allocated.
    fn encode(source: &S, element: &S::Element, target: &mut <Self::Target as Space>::Element);

    /// Reads an element.
    ///
    /// # Errors
    /// Where it is no element of `source`.
    fn decode(
        source: &S,
        target: &<Self::Target as Space>::Element,
    ) -> Result<S::Element, SpaceError>;
}

/// Writes the elements of a finite space as their numbers: what tables read.
pub struct ToIndex;

impl<S: FiniteSpace> Codec<S> for ToIndex {
    type Target = Discrete;

    fn target(source: &S) -> Discrete {
        Discrete::new(source.size())
    }

    fn encode(source: &S, element: &S::Element, target: &mut i64) {
        *target = source.index_of(element) as i64;
    }

    fn decode(source: &S, target: &i64) -> Result<S::Element, SpaceError> {
        // Checks the range, so that an index out of it is an error and not a panic.
        Self::target(source).from_jsonable(&Value::from(*target))?;
        Ok(source.element(*target as usize))
    }
}

/// Writes the elements of a space as rows of numbers: what networks read.
pub struct ToRow;

impl<S: FeatureSpace> Codec<S> for ToRow {
    type Target = RowSpace;

    fn target(source: &S) -> RowSpace {
        let (low, high) = source.bounds();
        let row = RowSpace::new(low, high, source.shape()).expect("a space's bounds fit its shape");
        match source.action_mask() {
            Some(places) => row.with_action_mask(places).expect("a mask is between 0 and 1"),
            None => row,
        }
    }

    fn encode(source: &S, element: &S::Element, target: &mut Vec<f32>) {
        target.resize(source.width(), 0.0);
        source.flatten(element, target);
    }

    fn decode(source: &S, target: &Vec<f32>) -> Result<S::Element, SpaceError> {
        source.unflatten(target)
    }
}

/// A vector of environments whose observations and actions are written through codecs, so that
/// environments of different types share one.
pub struct Erased<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    inner: SyncVectorEnv<E>,
    observation_space: OC::Target,
    action_space: AC::Target,
    observations: Vec<<OC::Target as Space>::Element>,
    actions: Vec<<E::ActionSpace as Space>::Element>,
    experience: Experience<OC::Target, AC::Target>,
}

impl<E, OC, AC> Erased<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    /// Erases the types of a vector of environments.
    pub fn new(inner: SyncVectorEnv<E>) -> Self {
        let n = inner.num_envs();
        let rows = || vec![Default::default(); n];
        Self {
            observation_space: OC::target(inner.observation_space()),
            action_space: AC::target(inner.action_space()),
            observations: rows(),
            actions: Vec::with_capacity(n),
            experience: Experience {
                observations: rows(),
                actions: Vec::with_capacity(n),
                rewards: vec![0.0; n],
                next_observations: rows(),
                outcomes: vec![crate::Outcome::Continues; n],
                is_reset: vec![false; n],
            },
            inner,
        }
    }

    fn encode_observations(&mut self) {
        encode_rows::<_, OC>(
            self.inner.observation_space(),
            self.inner.observations(),
            &mut self.observations,
        );
    }
}

fn encode_rows<S: Space, C: Codec<S>>(
    space: &S,
    elements: &[S::Element],
    rows: &mut [<C::Target as Space>::Element],
) {
    for (element, row) in elements.iter().zip(rows) {
        C::encode(space, element, row);
    }
}

impl<E, OC, AC> VectorEnv<OC::Target, AC::Target> for Erased<E, OC, AC>
where
    E: Env,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
{
    fn num_envs(&self) -> usize {
        self.inner.num_envs()
    }

    fn observation_space(&self) -> &OC::Target {
        &self.observation_space
    }

    fn action_space(&self) -> &AC::Target {
        &self.action_space
    }

    fn reset(&mut self) -> Result<(), EnvError> {
        self.inner.reset()?;
        self.encode_observations();
        Ok(())
    }

    fn observations(&self) -> &[<OC::Target as Space>::Element] {
        &self.observations
    }

    fn step(
        &mut self,
        actions: &[<AC::Target as Space>::Element],
    ) -> Result<&Experience<OC::Target, AC::Target>, EnvError> {
        self.actions.clear();
        for action in actions {
            self.actions.push(AC::decode(self.inner.action_space(), action)?);
        }
        self.inner.step(&self.actions)?;
        std::mem::swap(&mut self.experience.observations, &mut self.observations);
        self.encode_observations();
        let (stepped, rows) = (self.inner.experience(), &mut self.experience);
        let space = self.inner.observation_space();
        encode_rows::<_, OC>(space, &stepped.next_observations, &mut rows.next_observations);
        rows.actions.clear();
        rows.actions.extend_from_slice(actions);
        rows.rewards.copy_from_slice(&stepped.rewards);
        rows.outcomes.copy_from_slice(&stepped.outcomes);
        rows.is_reset.copy_from_slice(&stepped.is_reset);
        Ok(&self.experience)
    }

    fn lanes(&mut self) -> Vec<Box<dyn Lane<OC::Target, AC::Target> + '_>> {
        lane::lanes(self)
    }

    fn set_autoreset(&mut self, mode: AutoresetMode) {
        self.inner.set_autoreset(mode);
    }

    fn save(&self) -> VectorSnapshot {
        self.inner.save()
    }

    fn restore(&mut self, snapshot: &VectorSnapshot) -> Result<Restored, EnvError> {
        let restored = self.inner.restore(snapshot)?;
        self.encode_observations();
        Ok(restored)
    }

    fn render_ansi(&self, index: usize) -> Option<String> {
        self.inner.render_ansi(index)
    }

    fn render_rgb(&self, index: usize) -> Option<Frame> {
        self.inner.render_rgb(index)
    }
}

/// One environment of any type with its own stream: observations and actions as JSON.
///
/// What [`Registry::make`](crate::Registry::make) returns: convenient where speed does not matter
/// (checking, replaying, watching).
pub trait DynEnv: Send {
    /// The observation space.
    fn observation_space(&self) -> SpaceDescription;

    /// The action space.
    fn action_space(&self) -> SpaceDescription;

    /// Starts an episode; with a seed, from a new stream.
    ///
    /// # Errors
    /// Where the environment fails.
    fn reset(&mut self, seed: Option<u64>) -> Result<Value, EnvError>;

    /// Advances by one step.
    ///
    /// # Errors
    /// [`EnvError::Space`] if the action has not the space's form, [`EnvError::InvalidAction`] if
    /// the environment refuses it; [`EnvError::NeedsReset`] before the first reset and after an
    /// episode's end.
    fn step(&mut self, action: &Value) -> Result<Step<Value>, EnvError>;

    /// Draws an action from the action space.
    fn sample_action(&mut self) -> Value;

    /// See [`Env::state`].
    fn state(&self) -> Option<Vec<f64>>;

    /// See [`Env::set_state`]. The environment may be stepped from here without a reset.
    ///
    /// # Errors
    /// As [`Env::set_state`].
    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError>;

    /// See [`Env::transitions`], from the present state; successors as they are observed.
    ///
    /// # Errors
    /// As [`DynEnv::step`] for an invalid action.
    fn transitions(&self, action: &Value) -> Result<Option<Vec<Transition<Value>>>, EnvError>;

    /// See [`Env::render_ansi`].
    fn render_ansi(&self) -> Option<String>;

    /// See [`Env::render_rgb`].
    fn render_rgb(&self) -> Option<Frame>;
}

/// A typed environment with its stream, as a [`DynEnv`].
pub(crate) struct Seeded<E: Env> {
    env: E,
    rng: Rng,
    current: Option<Obs<E>>,
    running: bool,
}

impl<E: Env> Seeded<E> {
    pub(crate) fn new(env: E, seed: u64) -> Self {
        Self { env, rng: Seed::new(seed).rng(), current: None, running: false }
    }
}

impl<E: Env> DynEnv for Seeded<E> {
    fn observation_space(&self) -> SpaceDescription {
        self.env.observation_space().describe()
    }

    fn action_space(&self) -> SpaceDescription {
        self.env.action_space().describe()
    }

    fn reset(&mut self, seed: Option<u64>) -> Result<Value, EnvError> {
        if let Some(seed) = seed {
            self.rng = Seed::new(seed).rng();
        }
        let observation = self.env.reset(&mut self.rng)?;
        self.running = true;
        let json = self.env.observation_space().to_jsonable(&observation);
        self.current = Some(observation);
        Ok(json)
    }

    fn step(&mut self, action: &Value) -> Result<Step<Value>, EnvError> {
        if !self.running {
            let ended = self.current.is_some();
            let when = if ended { "after the episode ended" } else { "before the first reset" };
            return Err(EnvError::NeedsReset { when });
        }
        let action = self.env.action_space().from_jsonable_unbounded(action)?;
        let step = self.env.step(&action, &mut self.rng)?;
        self.running = !step.outcome.is_final();
        self.current = Some(step.observation.clone());
        Ok(step.map(|observation| self.env.observation_space().to_jsonable(&observation)))
    }

    fn sample_action(&mut self) -> Value {
        let space = self.env.action_space();
        // A stream of its own, so that sampling does not shift the environment's.
        let mut stream = Rng::from_rng(&mut self.rng.clone());
        stream.set_stream(1);
        space.to_jsonable(&space.sample(&mut stream))
    }

    fn state(&self) -> Option<Vec<f64>> {
        self.env.state()
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.current = self.env.observe();
        self.running = true;
        Ok(())
    }

    fn transitions(&self, action: &Value) -> Result<Option<Vec<Transition<Value>>>, EnvError> {
        let action = self.env.action_space().from_jsonable(action)?;
        let space = self.env.observation_space();
        let json = |t: Transition<Obs<E>>| t.map(|next| space.to_jsonable(&next));
        let model = self.current.as_ref().and_then(|now| self.env.transitions(now, &action));
        Ok(model.map(|model| model.into_iter().map(json).collect()))
    }

    fn render_ansi(&self) -> Option<String> {
        self.env.render_ansi()
    }

    fn render_rgb(&self) -> Option<Frame> {
        self.env.render_rgb()
    }
}
