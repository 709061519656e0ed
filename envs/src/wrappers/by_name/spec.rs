//! One registered wrapper: its name, its options and how to apply it.

use std::{fmt, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::{Boxed, BoxedEnv};
use crate::{
    Discrete, Documented, Env, EnvError, EnvOptions, Registry, RowSpace, Space, each_kind,
    kind::{self, ByKind, Kind, PerKind},
    spec::MakersOf,
};

/// Wraps an environment of one kind with these options. `P` is the space of the wrapper's
/// observations.
pub(super) type Slot<O, A, P> =
    Arc<dyn Fn(BoxedEnv<O, A>, &EnvOptions) -> Result<BoxedEnv<P, A>, EnvError> + Send + Sync>;

/// How to wrap environments of each kind.
pub(super) struct SlotOf;

impl PerKind for SlotOf {
    type Of<K: Kind> = Slot<K::Observation, K::Action, K::Observation>;
}

type Complete = dyn Fn(&EnvOptions) -> Result<Map<String, Value>, EnvError> + Send + Sync;

/// One registered wrapper: its name, its options, and how to wrap an environment of each kind.
///
/// ```
/// use gymnast_envs::{
///     Env, EnvError, Registry, documented, each_kind,
///     serde_json::json,
///     wrappers::{InEvaluation, TransformReward, WrapperSpec},
/// };
/// use serde::{Deserialize, Serialize};
///
/// documented! {
///     /// Options of `Penalty`.
///     #[derive(Serialize, Deserialize)]
///     #[serde(deny_unknown_fields)]
///     pub struct PenaltyOptions {
///         /// What each step costs, at least 0.
///         pub cost: f64,
///     }
/// }
///
/// fn penalty<E: Env>(env: E, options: &PenaltyOptions) -> Result<TransformReward<E>, EnvError> {
///     let cost = options.cost;
///     Ok(TransformReward::new(env, move |reward| reward - cost))
/// }
///
/// let summary = "Subtracts a cost from the reward of each step.";
/// let defaults = json!({ "cost": 0.1 });
/// let mut spec =
///     WrapperSpec::new::<PenaltyOptions>("Penalty", summary, &defaults, InEvaluation::LeftOut);
/// each_kind!(kind => spec = spec.around(kind, penalty));
/// let mut registry = Registry::builtin();
/// registry.register_wrapper(spec)?;
/// let env = registry.wrapped(registry.spec("CartPole-v1")?, &json!(["Penalty"]))?;
/// assert_eq!(env.title(), "CartPole-v1 + Penalty");
/// # Ok::<(), EnvError>(())
/// ```
#[derive(Clone)]
pub struct WrapperSpec {
    name: &'static str,
    summary: &'static str,
    options: Vec<WrapperOption>,
    in_evaluation: InEvaluation,
    complete: Arc<Complete>,
    pub(super) slots: ByKind<SlotOf>,
    pub(super) into_finite: Option<Slot<RowSpace, Discrete, Discrete>>,
}

/// One option of a wrapper, as data for listings.
#[derive(Clone, Debug, PartialEq)]
pub struct WrapperOption {
    /// The name.
    pub name: &'static str,
    /// The default: null if the option stays unset by default, `None` if it is required.
    pub default: Option<Value>,
    /// The documentation, with the range.
    pub doc: &'static str,
}

/// How a wrapper is treated in the environments of evaluations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InEvaluation {
    /// Applied as in the training.
    Same,
    /// Left out: it changes only rewards, and an evaluation reports the environment's own.
    LeftOut,
    /// Applied as in the training if all these options are given. Otherwise the wrapper would learn
    /// statistics that an evaluation does not share, and a training by name rejects it.
    Given(&'static [&'static str]),
}

impl WrapperSpec {
    /// Creates a wrapper with options `C` that supports no kind of environment yet. `defaults`
    /// holds the options' defaults by name: null for an option that may stay unset, no entry for a
    /// required one.
    #[must_use]
    pub fn new<C: Documented + Serialize + DeserializeOwned>(
        name: &'static str,
        summary: &'static str,
        defaults: &Value,
        in_evaluation: InEvaluation,
    ) -> Self {
        let option = |&(name, doc): &(&'static str, &'static str)| WrapperOption {
            name,
            default: defaults.get(name).cloned(),
            doc: doc.trim(),
        };
        let options: Vec<_> = C::FIELDS.iter().map(option).collect();
        let declared = options.clone();
        Self {
            name,
            summary,
            options,
            in_evaluation,
            complete: Arc::new(move |given| complete::<C>(name, &declared, given)),
            slots: ByKind::default(),
            into_finite: None,
        }
    }

    /// Adds support for environments of one more [kind](crate::kind).
    #[must_use]
    pub fn around<K: Kind, C: DeserializeOwned, E>(
        mut self,
        kind: K,
        wrap: impl Fn(Boxed<K>, &C) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace = K::Observation, ActionSpace = K::Action> + 'static,
    {
        kind.set(&mut self.slots, slot(self.name, wrap));
        self
    }

    /// Adds support for environments with finite actions, with finite observations as the result,
    /// for tables.
    #[must_use]
    pub fn into_finite<C: DeserializeOwned, E>(
        mut self,
        wrap: impl Fn(BoxedEnv<RowSpace, Discrete>, &C) -> Result<E, EnvError> + Send + Sync + 'static,
    ) -> Self
    where
        E: Env<ObservationSpace = Discrete, ActionSpace = Discrete> + 'static,
    {
        self.into_finite = Some(slot(self.name, wrap));
        self
    }

    /// Returns the name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the one-line description.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        self.summary
    }

    /// Returns the options.
    #[must_use]
    pub fn options(&self) -> &[WrapperOption] {
        &self.options
    }

    /// Returns how it is treated in the environments of evaluations.
    #[must_use]
    pub fn in_evaluation(&self) -> InEvaluation {
        self.in_evaluation
    }

    /// Returns what it needs of an environment, in words.
    #[must_use]
    pub fn needs(&self) -> String {
        let mut all = true;
        each_kind!(kind => all &= self.slots.get(kind).is_some());
        if all { "every environment".to_owned() } else { self.slots.needs().join(", or ") }
    }

    /// Returns whether it supports one of these kinds.
    pub(super) fn fits(&self, makers: &ByKind<MakersOf>) -> bool {
        let mut fits = self.into_finite.is_some() && makers.get(kind::Discrete).is_some();
        each_kind!(kind => fits |= self.slots.get(kind).is_some() && makers.get(kind).is_some());
        fits
    }

    /// Creates the wrapper with these options; omitted options take their defaults.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`], which names the option.
    pub fn configure(&self, options: &EnvOptions) -> Result<Wrapper, EnvError> {
        Ok(Wrapper { spec: self.clone(), options: (self.complete)(options)?.into() })
    }
}

fn slot<O: Space, A: Space, P: Space, C: DeserializeOwned, E>(
    name: &'static str,
    wrap: impl Fn(BoxedEnv<O, A>, &C) -> Result<E, EnvError> + Send + Sync + 'static,
) -> Slot<O, A, P>
where
    E: Env<ObservationSpace = P, ActionSpace = A> + 'static,
{
    Arc::new(move |env, options| Ok(BoxedEnv::new(wrap(env, &options.parse_all(name)?)?)))
}

/// Writes every option as its type does: 1e1 as 10 for a count.
fn complete<C: Serialize + DeserializeOwned>(
    name: &str,
    declared: &[WrapperOption],
    given: &EnvOptions,
) -> Result<Map<String, Value>, EnvError> {
    given.expect_names(name, || declared.iter().map(|option| option.name))?;
    let mut all = Map::new();
    for option in declared {
        let value = given.as_map().get(option.name).or(option.default.as_ref());
        let value = value.ok_or_else(|| {
            let reason = format!("`{}` is missing. {}", option.name, option.doc);
            EnvError::invalid_option(name, reason)
        })?;
        if !value.is_null() {
            all.insert(option.name.to_owned(), value.clone());
        }
    }
    let options: C = EnvOptions::from(all).parse_all(name)?;
    let written = gymnast_json::to_value(&options).ok();
    let written = written.and_then(|written| written.as_object().cloned()).unwrap_or_default();
    Ok(written.into_iter().filter(|(_, value)| !value.is_null()).collect())
}

/// A wrapper with its options.
#[derive(Clone)]
pub struct Wrapper {
    pub(super) spec: WrapperSpec,
    pub(super) options: EnvOptions,
}

impl Wrapper {
    /// Returns its specification.
    #[must_use]
    pub fn spec(&self) -> &WrapperSpec {
        &self.spec
    }

    /// Returns every option that is set, including defaults.
    #[must_use]
    pub fn options(&self) -> &EnvOptions {
        &self.options
    }

    /// Returns the `name` and options in the form that [`Registry::wrapped`] reads.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut table = Map::from_iter([("name".to_owned(), self.spec.name.into())]);
        table.extend(self.options.as_map().clone());
        table.into()
    }

    /// Returns whether evaluations can use it, because it learns nothing during training.
    #[must_use]
    pub fn serves_evaluation(&self) -> bool {
        match self.spec.in_evaluation {
            InEvaluation::Same | InEvaluation::LeftOut => true,
            InEvaluation::Given(names) => {
                let is_set = |name: &&str| self.options.as_map().contains_key(*name);
                !names.is_empty() && names.iter().all(is_set)
            }
        }
    }
}

impl fmt::Debug for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple(self.spec.name).field(self.options.as_map()).finish()
    }
}

/// Reads a list of wrappers: names, or tables with a `name` and options.
pub(crate) fn read(list: &Value, registry: &Registry) -> Result<Vec<Wrapper>, EnvError> {
    let wrong = |got: &Value| {
        let reason = format!(
            "expected a list of names and tables, for example [\"ClipAction\", {{name = \"FrameStack\", \
             k = 4}}], got {got}"
        );
        EnvError::invalid_option("wrappers", reason)
    };
    let entries = list.as_array().ok_or_else(|| wrong(list))?;
    let read_one = |entry: &Value| {
        let mut options = entry.as_object().cloned().unwrap_or_default();
        let named = options.remove("name");
        let name = named.as_ref().unwrap_or(entry).as_str().ok_or_else(|| wrong(entry))?;
        registry.wrapper(name)?.configure(&options.into())
    };
    entries.iter().map(read_one).collect()
}
