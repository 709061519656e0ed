//! What can go wrong in an environment, and what to do about it.

use thiserror::Error;

use crate::Space;

/// Why an environment could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnvError {
    /// An action lies outside the action space.
    #[error("invalid action {got}: expected an element of {expected}")]
    InvalidAction {
        /// The action space, in words.
        expected: String,
        /// The action that came.
        got: String,
    },
    /// `step` was called where only `reset` makes sense.
    #[error("step was called {when}: call reset first")]
    NeedsReset {
        /// "before the first reset" or "after the episode ended".
        when: &'static str,
    },
    /// A state to restore does not fit the environment.
    #[error("invalid state: expected {expected}, got {got}")]
    InvalidState {
        /// What a state looks like.
        expected: String,
        /// What came.
        got: String,
    },
    /// A step or a reset brought a reward that is no finite number, or an observation that its space
    /// does not admit.
    #[error(
        "{env}{} brought {what} at step {step} of its episode: expected {expected}, got {got}. The \
         environment or its options are at fault, not the agent: mend them, then continue",
        index.map(|i| format!(", number {i} of the vector,")).unwrap_or_default()
    )]
    InvalidStep {
        /// The environment's id, or its type where it has none.
        env: String,
        /// Its place in a vector of several.
        index: Option<usize>,
        /// The steps of the episode by then, this one included; 0 at its reset.
        step: u64,
        /// "a reward" or "an observation".
        what: &'static str,
        /// What would be right.
        expected: String,
        /// What came.
        got: String,
    },
    /// The environment does not offer a capability.
    #[error("{env} does not support {what}: implement `{method}` for it")]
    Unsupported {
        /// The environment's type.
        env: &'static str,
        /// The capability, in words.
        what: &'static str,
        /// The method of [`Env`](crate::Env) that brings it.
        method: &'static str,
    },
    /// The options given to an environment's constructor do not fit.
    #[error("invalid option for {id}: {reason}")]
    InvalidOption {
        /// The environment's id.
        id: String,
        /// Which option, what was expected and what came.
        reason: String,
    },
    /// The number of actions differs from the number of environments.
    #[error("expected {expected} actions, one an environment, got {got}")]
    WrongBatch {
        /// The number of environments.
        expected: usize,
        /// The number of actions that came.
        got: usize,
    },
    /// No environment of that name is registered.
    #[error(
        "unknown environment `{}`: {}",
        id.escape_debug(),
        suggestion.as_ref().map_or_else(
            || "gymnast envs lists those that there are".to_owned(),
            |suggestion| format!("did you mean `{suggestion}`?")
        )
    )]
    UnknownId {
        /// The name asked for.
        id: String,
        /// The nearest registered name, where one is near.
        suggestion: Option<String>,
    },
    /// No wrapper of that name is registered.
    #[error(
        "unknown wrapper `{}`{}: the wrappers are {known}",
        name.escape_debug(),
        suggestion.as_ref().map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
    )]
    UnknownWrapper {
        /// The name asked for.
        name: String,
        /// The nearest registered name, where one is near.
        suggestion: Option<String>,
        /// Every name.
        known: String,
    },
    /// A wrapper is not for environments of this kind.
    #[error(
        "{wrapper} does not fit {env}: it needs {needs}, got {got}. The wrappers that fit: {fitting}"
    )]
    WrapperMisfit {
        /// The wrapper.
        wrapper: String,
        /// The environment, with the wrappers that it has already.
        env: String,
        /// The observations and actions that the wrapper needs.
        needs: String,
        /// Those of the environment.
        got: String,
        /// The names of the wrappers that fit.
        fitting: String,
    },
    /// The name of a wrapper is taken.
    #[error("wrapper `{name}` is registered already: choose another name")]
    DuplicateWrapper {
        /// The name.
        name: String,
    },
    /// The name is taken.
    #[error("environment `{id}` is registered already: choose another id or version")]
    DuplicateId {
        /// The name.
        id: String,
    },
    /// An element does not fit its space.
    #[error(transparent)]
    Space(#[from] SpaceError),
    /// The environment itself failed: a lost connection to another process, say.
    #[error("the environment failed: {0}")]
    Failed(String),
}

/// Why a value is not an element of a space.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpaceError {
    /// The value lies outside the space or has another form.
    #[error("expected an element of {expected}, got {got}")]
    NotAnElement {
        /// The space, in words.
        expected: String,
        /// What came.
        got: String,
    },
    /// The space cannot be built from these parameters.
    #[error("cannot build {space}: {reason}")]
    Invalid {
        /// The kind of space.
        space: &'static str,
        /// What is wrong and what would be right.
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
    /// The error for an action outside `space`.
    pub fn invalid_action<S: Space>(space: &S, action: &S::Element) -> Self {
        Self::InvalidAction { expected: space.describe().to_string(), got: format!("{action:?}") }
    }

    /// The error for an option of the environment `id`: what was expected and what came.
    pub(crate) fn invalid_option(id: &str, reason: String) -> Self {
        Self::InvalidOption { id: id.to_owned(), reason }
    }

    /// The same error about an option, of the environment that is registered as `id`.
    pub(crate) fn under(self, id: &str) -> Self {
        match self {
            Self::InvalidOption { reason, .. } => Self::invalid_option(id, reason),
            other => other,
        }
    }

    /// The numbers of a state, if they are `N` and finite; `names` says what they are.
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
