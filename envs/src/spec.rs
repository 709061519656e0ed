//! One registered environment: its name, limits and constructor.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
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

/// The constructors of environments of each kind.
pub(crate) struct MakersOf;

impl PerKind for MakersOf {
    type Of<K: Kind> = Makers<K::Observation, K::Action>;
}

/// The constructors of environments with these spaces, with their types erased.
pub(crate) struct Makers<O: Space, A: Space> {
    pub(crate) vector: Make<Box<dyn VectorEnv<O, A>>>,
    /// Creates one environment, for wrappers by name.
    pub(crate) single: MakeBoxed<O, A>,
}

pub(crate) type Make<T> =
    Box<dyn Fn(usize, Seed, &EnvOptions) -> Result<T, EnvError> + Send + Sync>;
pub(crate) type Check = Arc<dyn Fn(&EnvOptions) -> CheckReport + Send + Sync>;
pub(crate) type MakeOne =
    Arc<dyn Fn(u64, &EnvOptions) -> Result<Box<dyn DynEnv>, EnvError> + Send + Sync>;

/// Two returns of an environment that normalise all others: 0 is what random actions reach, 1 the best.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceReturns {
    /// The mean return of uniformly random actions.
    pub random: f64,
    /// The return of an optimal policy, or the published one that counts as solved where no optimum
    /// is known.
    pub best: f64,
}

impl ReferenceReturns {
    /// Returns a return on the scale from 0 (random) to 1 (best); better ones exceed 1.
    #[must_use]
    pub fn normalize(&self, mean_return: f64) -> f64 {
        (mean_return - self.random) / (self.best - self.random)
    }
}

/// One registered environment: its name, limits and constructor.
#[derive(Clone)]
pub struct EnvSpec {
    pub(crate) id: String,
    description: String,
    max_episode_steps: Option<u32>,
    reward_threshold: Option<f64>,
    reference_returns: Option<ReferenceReturns>,
    tolerance: f64,
    options: Vec<EnvOption>,
    evaluation: EnvOptions,
    pub(crate) make: MakeOne,
    pub(crate) check: Check,
    pub(crate) makers: Arc<ByKind<MakersOf>>,
    pub(crate) wrappers: Vec<Wrapper>,
    /// The environment of evaluations, if it differs.
    pub(crate) evaluated: Option<Arc<EnvSpec>>,
}

impl EnvSpec {
    /// Creates the entry of an environment with finite observations and actions, for tables and networks.
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

    /// Creates the entry of an environment with finite actions, for networks.
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

    /// Creates the entry of an environment with several finite choices per action, for networks.
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

    /// Creates the entry of an environment with real-valued actions, for networks.
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
            reference_returns: None,
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

    /// Sets a one-line description.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Sets the maximum number of steps of an episode, after which it is truncated.
    #[must_use]
    pub fn max_episode_steps(mut self, steps: u32) -> Self {
        self.max_episode_steps = Some(steps);
        self
    }

    /// Sets the mean return from which the task counts as solved.
    #[must_use]
    pub fn reward_threshold(mut self, threshold: f64) -> Self {
        self.reward_threshold = Some(threshold);
        self
    }

    /// Sets the returns that normalise all others. Both must be finite, and `best` above `random`;
    /// else there are none.
    #[must_use]
    pub fn reference_returns(mut self, random: f64, best: f64) -> Self {
        let is_scale = random.is_finite() && best.is_finite() && best > random;
        self.reference_returns = is_scale.then_some(ReferenceReturns { random, best });
        self
    }

    /// Sets the tolerance of [`trace::replay`](crate::trace::replay). Default: 1e-12; 1e-6 suits an
    /// environment that Gymnasium computes partly in f32.
    #[must_use]
    pub fn trace_tolerance(mut self, tolerance: f64) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Adds an option. Options not added are rejected before the constructor sees them, and a run's
    /// configuration stores each default.
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

    /// Adds the fields of a configuration as options.
    #[must_use]
    pub fn options_of<C: Documented + Default + Serialize>(self) -> Self {
        let defaults = serde_json::to_value(C::default()).unwrap_or_default();
        let add = |spec: Self, &(name, doc): &(&'static str, &'static str)| {
            spec.option(name, defaults[name].clone(), doc)
        };
        C::FIELDS.iter().fold(self, add)
    }

    /// Sets an option to another value for evaluations than for training, for example a strong
    /// opponent instead of self-play.
    #[must_use]
    pub fn evaluated_with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.evaluation = self.evaluation.with(name, value);
        self
    }

    /// Returns the options that differ in evaluations, with their values.
    #[must_use]
    pub fn evaluation(&self) -> &EnvOptions {
        &self.evaluation
    }

    /// Returns the constructor's options, without `max_episode_steps`.
    #[must_use]
    pub fn options(&self) -> &[EnvOption] {
        &self.options
    }

    /// Returns the name, `Name-vN`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the one-line description.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.description
    }

    /// Returns the maximum number of steps of an episode.
    #[must_use]
    pub fn step_limit(&self) -> Option<u32> {
        self.max_episode_steps
    }

    /// Returns the mean return from which the task counts as solved.
    #[must_use]
    pub fn threshold(&self) -> Option<f64> {
        self.reward_threshold
    }

    /// Returns the returns that normalise all others.
    #[must_use]
    pub fn reference(&self) -> Option<ReferenceReturns> {
        self.reference_returns
    }

    /// Returns the relative tolerance of a step against Gymnasium's.
    #[must_use]
    pub fn tolerance(&self) -> f64 {
        self.tolerance
    }

    /// Returns the observation and action space with these options.
    ///
    /// # Errors
    /// If the environment cannot be created.
    pub fn spaces(
        &self,
        options: &EnvOptions,
    ) -> Result<(SpaceDescription, SpaceDescription), EnvError> {
        let env = self.make(0, options)?;
        Ok((env.observation_space(), env.action_space()))
    }

    /// Creates one environment with its own random stream.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`]; the errors of the constructor.
    pub fn make(&self, seed: u64, options: &EnvOptions) -> Result<Box<dyn DynEnv>, EnvError> {
        (self.make)(seed, &self.complete(options)?)
    }

    /// Checks that the environment, within its step limit, does what agents rely on: see
    /// [`check_env`].
    #[must_use]
    pub fn check(&self, options: &EnvOptions) -> CheckReport {
        match self.complete(options) {
            Ok(options) => (self.check)(&options),
            Err(error) => CheckReport::not_made(&error),
        }
    }

    /// Creates `n` environments for agents of a kind. `None` if the environment does not support
    /// the kind.
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

    /// Returns whether the environment supports agents of a kind.
    #[must_use]
    pub fn serves(&self, kind: impl Kind) -> bool {
        self.makers.get(kind).is_some()
    }

    /// Checks the options and adds the registered step limit if they set none.
    fn complete(&self, options: &EnvOptions) -> Result<EnvOptions, EnvError> {
        options.expect_known(&self.id, &self.options)?;
        let limit = options.max_episode_steps(&self.id)?.or(self.max_episode_steps);
        Ok(match limit {
            Some(limit) => options.clone().with("max_episode_steps", limit),
            None => options.clone(),
        })
    }
}

/// Applies the step limit of options completed by `complete`.
pub(crate) fn limited<E: Env>(
    make: &impl Fn(&EnvOptions) -> Result<E, EnvError>,
    options: &EnvOptions,
) -> Result<TimeLimit<E>, EnvError> {
    let limit = options.max_episode_steps("")?;
    Ok(TimeLimit::new(make(options)?, limit))
}

/// Creates constructors of erased environments from one of typed environments.
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
