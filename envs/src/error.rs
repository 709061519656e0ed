//! Errors of environments and spaces.

use thiserror::Error;

use crate::Space;

/// Why an environment failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnvError {
    /// An action lies outside the action space.
    #[error("invalid action {got}: expected an element of {expected}")]
    InvalidAction {
        /// The action space, in words.
        expected: String,
        /// The action given.
        got: String,
    },
    /// `step` was called before `reset` or after the end of an episode.
    #[error("step was called {when}: call reset first")]
    NeedsReset {
        /// "before the first reset" or "after the episode ended".
        when: &'static str,
    },
    /// A state to restore does not fit the environment.
    #[error("invalid state: expected {expected}, got {got}")]
    InvalidState {
        /// The form of a state.
        expected: String,
        /// The state given.
        got: String,
    },
    /// A step or reset returned a reward that is not finite or an observation that its space does
    /// not admit.
    #[error(
        "{env}{} returned {what} at step {step} of its episode: expected {expected}, got {got}. The \
         environment or its options are at fault, not the agent: fix them, then continue",
        index.map(|i| format!(", number {i} of the vector,")).unwrap_or_default()
    )]
    InvalidStep {
        /// The environment's id, or its type if it has none.
        env: String,
        /// Its index in a vector.
        index: Option<usize>,
        /// The number of steps of the episode so far, including this one; 0 at a reset.
        step: u64,
        /// "a reward" or "an observation".
        what: &'static str,
        /// The valid values.
        expected: String,
        /// The value returned.
        got: String,
    },
    /// The environment does not offer a capability.
    #[error("{env} does not support {what}: implement `{method}` for it")]
    Unsupported {
        /// The environment's type.
        env: &'static str,
        /// The capability, in words.
        what: &'static str,
        /// The method of [`Env`](crate::Env) to implement.
        method: &'static str,
    },
    /// An option of an environment's constructor is invalid.
    #[error("invalid option for {id}: {reason}")]
    InvalidOption {
        /// The environment's id.
        id: String,
        /// The option, its valid values and the value given.
        reason: String,
    },
    /// The number of actions differs from the number of environments.
    #[error("expected {expected} actions, one an environment, got {got}")]
    WrongBatch {
        /// The number of environments.
        expected: usize,
        /// The number of actions given.
        got: usize,
    },
    /// No environment with this name is registered.
    #[error(
        "unknown environment `{}`: {}",
        id.escape_debug(),
        suggestion.as_ref().map_or_else(
            || "gymnast envs lists the available environments".to_owned(),
            |suggestion| format!("did you mean `{suggestion}`?")
        )
    )]
    UnknownId {
        /// The name asked for.
        id: String,
        /// The nearest registered name, if one is similar.
        suggestion: Option<String>,
    },
    /// No wrapper with this name is registered.
    #[error(
        "unknown wrapper `{}`{}: the wrappers are {known}",
        name.escape_debug(),
        suggestion.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
    )]
    UnknownWrapper {
        /// The name asked for.
        name: String,
        /// The nearest registered name, if one is similar.
        suggestion: Option<String>,
        /// All names.
        known: String,
    },
    /// The wrapper does not support environments of this kind.
    #[error(
        "{} does not fit {}: it needs {}, got {}. The wrappers that fit: {}",
        .0.wrapper, .0.env, .0.needs, .0.got, .0.fitting
    )]
    WrapperMisfit(Box<WrapperMisfit>),
    /// A wrapper with this name is already registered.
    #[error("wrapper `{name}` is already registered: choose another name")]
    DuplicateWrapper {
        /// The name.
        name: String,
    },
    /// An environment with this name is already registered.
    #[error("environment `{id}` is already registered: choose another id or version")]
    DuplicateId {
        /// The name.
        id: String,
    },
    /// An element does not fit its space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The environment itself failed, for example because the connection to another process was
    /// lost.
    #[error("the environment failed: {0}")]
    Failed(String),
}

/// A wrapper around an environment that it does not support.
#[derive(Debug)]
pub struct WrapperMisfit {
    /// The wrapper.
    pub wrapper: String,
    /// The environment, with the wrappers that it already has.
    pub env: String,
    /// The observations and actions that the wrapper needs.
    pub needs: String,
    /// The observations and actions of the environment.
    pub got: String,
    /// The names of the wrappers that fit.
    pub fitting: String,
}

/// Why a value is not an element of a space, or a space cannot be built.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpaceError {
    /// The value lies outside the space or has another form.
    #[error("expected an element of {expected}, got {got}")]
    NotAnElement {
        /// The value given.
        expected: String,
        /// What came.
        got: String,
    },
    /// The space cannot be built from these parameters.
    #[error("cannot build {space}: {reason}")]
    Invalid {
        /// The kind of space.
        space: &'static str,
        /// The reason, and the valid values.
        reason: String,
    },
    /// Features of this space cannot be turned back into an element.
    #[error("{space} cannot be unflattened: implement `FeatureSpace::unflatten` for it")]
    NotInvertible {
        /// The space.
        space: String,
    },
}

impl EnvError {
    /// Creates the error for an action outside `space`.
    pub fn invalid_action<S: Space>(space: &S, action: &S::Element) -> Self {
        Self::InvalidAction { expected: space.describe().to_string(), got: format!("{action:?}") }
    }

    /// Creates the error for an option of the environment `id`: the valid values and the value
    /// given.
    pub(crate) fn invalid_option(id: &str, reason: String) -> Self {
        Self::InvalidOption { id: id.to_owned(), reason }
    }

    /// Replaces the environment's id in an error about an option.
    pub(crate) fn under(self, id: &str) -> Self {
        match self {
            Self::InvalidOption { reason, .. } => Self::invalid_option(id, reason),
            other => other,
        }
    }

    /// Checks that a state has `N` finite numbers and returns them; `names` names them in the
    /// error.
    ///
    /// # Errors
    /// [`EnvError::InvalidState`].
    pub fn expect_state<const N: usize>(state: &[f64], names: &str) -> Result<[f64; N], Self> {
        let numbers = state.try_into().ok().filter(|s: &[f64; N]| s.iter().all(|x| x.is_finite()));
        numbers.ok_or_else(|| Self::InvalidState {
            expected: format!("{names}, finite"),
            got: format!("{state:?}"),
        })
    }
}
