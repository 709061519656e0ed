//! The contract between an environment and everything that drives it.

use serde_json::Value;

use crate::{EnvError, Rng, Space, Transition, render::Frame};

/// What an environment lets an agent see.
pub type Obs<E> = <<E as Env>::ObservationSpace as Space>::Element;

/// What an agent may do in an environment.
pub type Act<E> = <<E as Env>::ActionSpace as Space>::Element;

/// One sequential decision problem.
///
/// The caller owns the random stream, so an environment is state and dynamics only: the same
/// state, action and stream give the same step. Only the first five items are required; the rest
/// are capabilities with defaults that say "not offered".
///
/// An episode starts with [`reset`](Env::reset) and lasts until a step's
/// [`outcome`](Step::outcome) is final. What happens when a finished environment is stepped again
/// is the environment's own affair; [`OrderEnforcing`](crate::wrappers::OrderEnforcing) makes it
/// an error.
pub trait Env: Send {
    /// The space of observations.
    type ObservationSpace: Space;
    /// The space of actions.
    type ActionSpace: Space;

    /// The space that every observation lies in.
    fn observation_space(&self) -> Self::ObservationSpace;

    /// The space that every action must lie in.
    fn action_space(&self) -> Self::ActionSpace;

    /// Starts a new episode and returns its first observation.
    ///
    /// # Errors
    /// Where the environment itself fails (it may live in another process).
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError>;

    /// Advances by one step.
    ///
    /// # Errors
    /// [`EnvError::InvalidAction`] if `action` lies outside the action space; others where the
    /// environment itself fails.
    fn step(&mut self, action: &Act<Self>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError>;

    /// Takes back an observation that is no longer needed, so that the next one can be written into its memory.
    /// Vectors of environments call it once an observation is copied. Of use where observations are on the
    /// heap; by default they are dropped.
    #[inline]
    fn recycle(&mut self, observation: Obs<Self>) {
        drop(observation);
    }

    /// Everything that changes, so that [`restore`](Env::restore) continues in mid-episode.
    /// `None` where it cannot be had. [`snapshot!`](crate::snapshot) writes both methods for any
    /// environment that serde can write.
    fn save(&self) -> Option<Value> {
        None
    }

    /// Takes up the state that [`save`](Env::save) gave.
    ///
    /// # Errors
    /// [`EnvError::Unsupported`] where there is no `save`, [`EnvError::InvalidState`] where the
    /// snapshot does not fit.
    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let _ = snapshot;
        Err(unsupported::<Self>("snapshots", "restore"))
    }

    /// The state of the dynamics as numbers: what Gymnasium holds internally (`state`, `s`).
    fn state(&self) -> Option<Vec<f64>> {
        None
    }

    /// Sets the state of the dynamics, as [`state`](Env::state) gives it.
    ///
    /// # Errors
    /// [`EnvError::Unsupported`] or [`EnvError::InvalidState`].
    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let _ = state;
        Err(unsupported::<Self>("setting its state", "set_state"))
    }

    /// What the present state looks like, where the environment can tell without a step. After
    /// [`set_state`](Env::set_state) it is how [`transitions`](Env::transitions) may be asked.
    fn observe(&self) -> Option<Obs<Self>> {
        None
    }

    /// Every way in which `action` can turn out in a state seen as `observation`, where the
    /// dynamics are known and finite. From it value iteration finds the exact optimum.
    fn transitions(
        &self,
        observation: &Obs<Self>,
        action: &Act<Self>,
    ) -> Option<Vec<Transition<Obs<Self>>>> {
        let _ = (observation, action);
        None
    }

    /// How an episode may start: probabilities and observations, where they are known and finite.
    fn initial_states(&self) -> Option<Vec<(f64, Obs<Self>)>> {
        None
    }

    /// The environment as text (Gymnasium's `ansi` mode), where it offers that.
    fn render_ansi(&self) -> Option<String> {
        None
    }

    /// The environment as a picture (Gymnasium's `rgb_array` mode), where it offers that. Needs
    /// neither a window nor a display.
    fn render_rgb(&self) -> Option<Frame> {
        None
    }
}

fn unsupported<E: ?Sized>(what: &'static str, method: &'static str) -> EnvError {
    let env = std::any::type_name::<E>();
    EnvError::Unsupported { env, what, method }
}

/// What one step brings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<O> {
    /// The observation after the step: the true successor, also at an episode's end.
    pub observation: O,
    /// The reward of the step.
    pub reward: f64,
    /// Whether the episode goes on, and if not, why.
    pub outcome: Outcome,
}

impl<O> Step<O> {
    /// A step after which the episode goes on, or ends for good where `terminated`.
    pub fn new(observation: O, reward: f64, terminated: bool) -> Self {
        let outcome = if terminated { Outcome::Terminated } else { Outcome::Continues };
        Self { observation, reward, outcome }
    }

    /// The same step with another observation.
    pub fn map<P>(self, f: impl FnOnce(O) -> P) -> Step<P> {
        Step { observation: f(self.observation), reward: self.reward, outcome: self.outcome }
    }
}

/// How an episode stands after a step.
///
/// A time limit is not an end: after `Truncated` the successor state still has a value, after
/// `Terminated` it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// The episode goes on.
    Continues,
    /// A terminal state was reached: there is no future reward to bootstrap from.
    Terminated,
    /// The episode was cut short (a time limit): the future is there, only not played.
    Truncated,
}

impl Outcome {
    /// Whether a terminal state was reached.
    #[must_use]
    pub fn terminated(self) -> bool {
        self == Self::Terminated
    }

    /// Whether the episode was cut short.
    #[must_use]
    pub fn truncated(self) -> bool {
        self == Self::Truncated
    }

    /// Whether the episode is over, for either reason.
    #[must_use]
    pub fn is_final(self) -> bool {
        self != Self::Continues
    }

    /// The factor on the successor's value: `gamma`, or 0 after termination.
    #[must_use]
    pub fn discount(self, gamma: f64) -> f64 {
        if self.terminated() { 0.0 } else { gamma }
    }
}

/// Writes [`Env::save`] and [`Env::restore`] for an environment that is `Serialize +
/// DeserializeOwned`. Stands inside `impl Env for …`.
///
/// ```ignore
/// impl Env for Walk {
///     // spaces, reset, step …
///     gymnast_envs::snapshot!();
/// }
/// ```
#[macro_export]
macro_rules! snapshot {
    () => {
        fn save(&self) -> Option<$crate::serde_json::Value> {
            $crate::json::to_value(self).ok()
        }

        fn restore(
            &mut self,
            snapshot: &$crate::serde_json::Value,
        ) -> Result<(), $crate::EnvError> {
            *self = $crate::json::from_value(snapshot).map_err(|error| {
                $crate::EnvError::InvalidState {
                    expected: format!("a snapshot of {}", std::any::type_name::<Self>()),
                    got: error.to_string(),
                }
            })?;
            Ok(())
        }
    };
}
