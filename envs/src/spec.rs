//! One registered environment: how it is called, limited and made.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use crate::{
    BoundedSpace, CheckReport, Documented, DynEnv, Env, EnvError, EnvOption, EnvOptions,
    FactoredSpace, FeatureSpace, FiniteSpace, Seed, Space, SpaceDescription, SyncVectorEnv,
    ToChoices, ToIndex, ToRow, VectorEnv, check_env,
    erased::{Codec, Seeded},
    kind::{self, ByKind, Kind, PerKind},
    wrappers::{
        TimeLimit,
        by_name::{MakeBoxed, Wrapper, boxed},
    },
};

/// How environments of a kind are made.
pub(crate) struct MakersOf;

impl PerKind for MakersOf {
    type Of<K: Kind> = Makers<K::Observation, K::Action>;
}

/// How environments with these spaces are made, their types erased.
pub(crate) struct Makers<O: Space, A: Space> {
    pub(crate) vector: Make<Box<dyn VectorEnv<O, A>>>,
    /// One at a time, for wrappers by name.
    pub(crate) single: MakeBoxed<O, A>,
}

pub(crate) type Make<T> =
    Box<dyn Fn(usize, Seed, &EnvOptions) -> Result<T, EnvError> + Send + Sync>;
pub(crate) type Check = Arc<dyn Fn(&EnvOptions) -> CheckReport + Send + Sync>;
pub(crate) type MakeOne =
    Arc<dyn Fn(u64, &EnvOptions) -> Result<Box<dyn DynEnv>, EnvError> + Send + Sync>;

/// One registered environment: its name, limits, and how to make it.
#[derive(Clone)]
pub struct EnvSpec {
    pub(crate) id: String,
    description: String,
    max_episode_steps: Option<u32>,
    reward_threshold: Option<f64>,
    tolerance: f64,
    options: Vec<EnvOption>,
    evaluation: EnvOptions,
    pub(crate) make: MakeOne,
    pub(crate) check: Check,
    pub(crate) makers: Arc<ByKind<MakersOf>>,
    pub(crate) wrappers: Vec<Wrapper>,
    /// What an evaluation plays, where that is another.
    pub(crate) evaluated: Option<Arc<EnvSpec>>,
}

impl EnvSpec {
    /// An environment with finite observations and actions: tables and networks serve it.
    pub fn finite<E>(
        id: &str,
        make: impl Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace: FiniteSpace + FeatureSpace, ActionSpace: FiniteSpace> + 'static,
    {
        let make = Arc::new(make);
        let makers = ByKind::default()
            .with(kind::Finite, erased::<E, ToIndex, ToIndex, _>(id, make.clone()))
            .with(kind::Discrete, erased::<E, ToRow, ToIndex, _>(id, make.clone()));
        Self::new(id, make, makers)
    }

    /// An environment with finite actions whose observations networks read.
    pub fn discrete<E>(
        id: &str,
        make: impl Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace: FeatureSpace, ActionSpace: FiniteSpace> + 'static,
    {
        let make = Arc::new(make);
        let rows = erased::<E, ToRow, ToIndex, _>(id, make.clone());
        Self::new(id, make, ByKind::default().with(kind::Discrete, rows))
    }

    /// An environment with several finite choices at a time whose observations networks read.
    pub fn multi_discrete<E>(
        id: &str,
        make: impl Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace: FeatureSpace, ActionSpace: FactoredSpace> + 'static,
    {
        let make = Arc::new(make);
        let rows = erased::<E, ToRow, ToChoices, _>(id, make.clone());
        Self::new(id, make, ByKind::default().with(kind::MultiDiscrete, rows))
    }

    /// An environment with real-valued actions whose observations networks read.
    pub fn continuous<E>(
        id: &str,
        make: impl Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace: FeatureSpace, ActionSpace: BoundedSpace> + 'static,
    {
        let make = Arc::new(make);
        let rows = erased::<E, ToRow, ToRow, _>(id, make.clone());
        Self::new(id, make, ByKind::default().with(kind::Continuous, rows))
    }

    fn new<E, F>(id: &str, make: Arc<F>, makers: ByKind<MakersOf>) -> Self
    where
        E: Env + 'static,
        F: Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
    {
        Self {
            id: id.to_owned(),
            description: String::new(),
            max_episode_steps: None,
            reward_threshold: None,
            tolerance: 1e-12,
            options: Vec::new(),
            evaluation: EnvOptions::none(),
            check: {
                let make = make.clone();
                Arc::new(move |options| check_env(|| limited(&*make, options)))
            },
            make: {
                let id = id.to_owned();
                Arc::new(move |seed, options| {
                    Ok(Box::new(Seeded::new(&id, limited(&*make, options)?, seed)))
                })
            },
            makers: Arc::new(makers),
            wrappers: Vec::new(),
            evaluated: None,
        }
    }

    /// The same with one line on what the environment is about.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// The same with a limit on the steps of an episode, after which it is truncated.
    #[must_use]
    pub fn max_episode_steps(mut self, steps: u32) -> Self {
        self.max_episode_steps = Some(steps);
        self
    }

    /// The same with the mean return from which the task counts as solved.
    #[must_use]
    pub fn reward_threshold(mut self, threshold: f64) -> Self {
        self.reward_threshold = Some(threshold);
        self
    }

    /// The same with another tolerance in [`trace::replay`](crate::trace::replay): 1e-6 suits an
    /// environment that Gymnasium computes partly in f32. Unless set it is 1e-12.
    #[must_use]
    pub fn trace_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// The same with one more option. What is not listed is refused before the constructor sees it,
    /// and a run's configuration holds the default of each.
    #[must_use]
    pub fn option(
        mut self,
        name: &'static str,
        default: impl Into<Value>,
        doc: &'static str,
    ) -> Self {
        self.options.retain(|option| option.name != name);
        self.options.push(EnvOption { name, default: default.into(), doc: doc.trim() });
        self
    }

    /// The same with the fields of a configuration as its options.
    #[must_use]
    pub fn options_of<C: Documented + Default + Serialize>(self) -> Self {
        let defaults = serde_json::to_value(C::default()).unwrap_or_default();
        let add = |spec: Self, &(name, doc): &(&'static str, &'static str)| {
            spec.option(name, defaults[name].clone(), doc)
        };
        C::FIELDS.iter().fold(self, add)
    }

    /// The same, evaluated with another value of an option than it is learned with: against a strong
    /// opponent what is learned by self-play, say.
    #[must_use]
    pub fn evaluated_with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.evaluation = self.evaluation.with(name, value);
        self
    }

    /// The options in which an evaluation differs from the training, and its values of them.
    #[must_use]
    pub fn evaluation(&self) -> &EnvOptions {
        &self.evaluation
    }

    /// The options that its constructor understands beside `max_episode_steps`.
    #[must_use]
    pub fn options(&self) -> &[EnvOption] {
        &self.options
    }

    /// The name, `Name-vN`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// One line on what the environment is about.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.description
    }

    /// The limit on the steps of an episode.
    #[must_use]
    pub fn step_limit(&self) -> Option<u32> {
        self.max_episode_steps
    }

    /// The mean return from which the task counts as solved.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        self.reward_threshold
    }

    /// How far, relatively, a step may lie from Gymnasium's.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// The observation and action space with these options.
    ///
    /// # Errors
    /// Where the environment cannot be made.
    pub fn spaces(
        &self,
        options: &EnvOptions,
    ) -> Result<(SpaceDescription, SpaceDescription), EnvError> {
        let env = self.make(0, options)?;
        Ok((env.observation_space(), env.action_space()))
    }

    /// One environment with its own stream.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`]; what the constructor returns.
    pub fn make(&self, seed: u64, options: &EnvOptions) -> Result<Box<dyn DynEnv>, EnvError> {
        (self.make)(seed, &self.complete(options)?)
    }

    /// Holds the environment, within its step limit, against what agents rely on: see
    /// [`check_env`].
    #[must_use]
    pub fn check(&self, options: &EnvOptions) -> CheckReport {
        match self.complete(options) {
            Ok(options) => (self.check)(&options),
            Err(error) => CheckReport::not_made(&error),
        }
    }

    /// `n` environments for agents of a kind. `None` where none of that kind serves.
    pub fn vector<K: Kind>(
        &self,
        kind: K,
        n: usize,
        seed: Seed,
        options: &EnvOptions,
    ) -> Option<Result<kind::Vector<K>, EnvError>> {
        let makers = self.makers.get(kind)?;
        Some(self.complete(options).and_then(|options| (makers.vector)(n, seed, &options)))
    }

    /// Whether agents of a kind serve the environment.
    #[must_use]
    pub fn serves(&self, kind: impl Kind) -> bool {
        self.makers.get(kind).is_some()
    }

    /// The options with the registered step limit where they name none, checked.
    fn complete(&self, options: &EnvOptions) -> Result<EnvOptions, EnvError> {
        options.expect_known(&self.id, &self.options)?;
        let limit = options.max_episode_steps(&self.id)?.or(self.max_episode_steps);
        Ok(match limit {
            Some(limit) => options.clone().with("max_episode_steps", limit),
            None => options.clone(),
        })
    }
}

/// The environment within its step limit. Only called with options that are complete.
pub(crate) fn limited<E: Env>(
    make: &impl Fn(&EnvOptions) -> Result<E, EnvError>,
    options: &EnvOptions,
) -> Result<TimeLimit<E>, EnvError> {
    let limit = options.max_episode_steps("")?;
    Ok(TimeLimit::new(make(options)?, limit))
}

/// Makers of erased environments from one of typed ones.
fn erased<E, OC, AC, F>(id: &str, make: Arc<F>) -> Makers<OC::Target, AC::Target>
where
    E: Env + 'static,
    OC: Codec<E::ObservationSpace>,
    AC: Codec<E::ActionSpace>,
    F: Fn(&EnvOptions) -> Result<E, EnvError> + Send + Sync + 'static,
{
    let single = boxed::<E, OC, AC, F>(id, make.clone());
    let id = id.to_owned();
    let vector: Make<Box<dyn VectorEnv<_, _>>> = Box::new(move |n, seed, options| {
        let envs = SyncVectorEnv::of(n, seed, || limited(&*make, options))?;
        Ok(Box::new(envs.named(&id).erased::<OC, AC>()))
    });
    Makers { vector, single }
}
