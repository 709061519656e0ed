//! Environments chosen by name at run time: the types erased, a batch at a time.

mod dynamic;
mod lane;

use serde_json::Value;

pub use dynamic::DynEnv;
pub(crate) use dynamic::Seeded;

use crate::{
    AutoresetMode, ChoiceSpace, Discrete, Env, EnvError, Experience, FactoredSpace, FeatureSpace,
    FiniteSpace, Lane, Restored, RowSpace, Space, SpaceError, SyncVectorEnv, VectorEnv,
    VectorSnapshot, render::Frame, space::not_an_element,
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

/// Writes the elements of a factored space as the number of each choice.
pub struct ToChoices;

impl<S: FactoredSpace> Codec<S> for ToChoices {
    type Target = ChoiceSpace;

    fn target(source: &S) -> ChoiceSpace {
        ChoiceSpace::new(source.nvec().to_vec()).expect("a space's choices have values")
    }

    fn encode(_source: &S, element: &S::Element, target: &mut Vec<i64>) {
        target.clear();
        target.extend_from_slice(element.as_ref());
    }

    fn decode(source: &S, target: &Vec<i64>) -> Result<S::Element, SpaceError> {
        let as_many = target.len() == source.nvec().len();
        let element = as_many.then(|| source.choose(|i| target[i]));
        element
            .filter(|element| source.contains(element))
            .ok_or_else(|| not_an_element(source, format!("{target:?}")))
    }
}

/// Writes the elements of a space as rows of numbers: what networks read.
pub struct ToRow;

impl<S: FeatureSpace> Codec<S> for ToRow {
    type Target = RowSpace;

    fn target(source: &S) -> RowSpace {
        let (low, high) = source.bounds();
        let row = RowSpace::new(low, high, source.shape()).expect("a space's bounds fit its shape");
        // `f32` holds what does not fit a promise of the source's.
        let row = row.clone().with_storage(source.storage()).unwrap_or(row);
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

    fn set_threads(&mut self, threads: usize) {
        self.inner.set_threads(threads);
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
