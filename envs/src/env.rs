//! The environment trait.

use serde_json::Value;

use crate::{EnvError, Rng, Space, Transition, render::Frame};

/// The observations of an environment.
pub type Obs<E> = <<E as Env>::ObservationSpace as Space>::Element;

/// The actions of an environment.
pub type Act<E> = <<E as Env>::ActionSpace as Space>::Element;

/// An environment: one sequential decision problem.
///
/// The caller owns the random stream. The same state, action and stream give the same step. Only
/// the spaces, `reset` and `step` are required; the other methods are optional.
///
/// An episode starts with [`reset`](Env::reset) and lasts until a step's [`outcome`](Step::outcome)
/// is final. Stepping a finished environment is not defined;
/// [`OrderEnforcing`](crate::wrappers::OrderEnforcing) makes it an error.
pub trait Env: Send {
    /// The space of observations.
    type ObservationSpace: Space;
    /// The space of actions.
    type ActionSpace: Space;

    /// Returns the space of all observations.
    fn observation_space(&self) -> Self::ObservationSpace;

    /// Returns the space of all actions.
    fn action_space(&self) -> Self::ActionSpace;

    /// Starts a new episode and returns its first observation.
    ///
    /// # Errors
    /// If the environment itself fails (it may run in another process).
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError>;

    /// Advances by one step.
    ///
    /// # Errors
    /// [`EnvError::InvalidAction`] if `action` lies outside the action space; other errors if the
    /// environment itself fails.
    fn step(&mut self, action: &Act<Self>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError>;

    /// Takes one action in each of several environments and returns whether it did, so that an
    /// environment can be fast where many are stepped together. The i-th environment is inside the
    /// i-th holder, perhaps in wrappers, where `env` finds it; the i-th stream is its own. Each step
    /// is given to `each` with its holder and stream, in order.
    ///
    /// Steps and states must be, bit for bit, those of [`step`](Env::step) one after the other. If
    /// one of these would fail, return `false` before anything has changed: then they are stepped
    /// one after the other. So does the default. (If a vector refuses one of the steps, because an
    /// observation lies outside its space, the others have been taken: reset the vector.)
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[Act<Self>],
        rngs: &mut [Rng],
        each: impl FnMut(usize, &mut H, &mut Rng, Step<Obs<Self>>),
    ) -> bool
    where
        Self: Sized,
    {
        let _ = (holders, env, actions, rngs, each);
        false
    }

    /// Gives back an observation that is no longer needed, so that the next one can reuse its
    /// memory. Vectors of environments call it after copying an observation. Useful for
    /// observations on the heap; by default they are dropped.
    #[inline]
    fn recycle(&mut self, observation: Obs<Self>) {
        drop(observation);
    }

    /// Returns the complete state, from which [`restore`](Env::restore) continues mid-episode.
    /// `None` if not supported. [`snapshot!`](crate::snapshot) implements both methods for
    /// environments that implement serde's traits.
    fn save(&self) -> Option<Value> {
        None
    }

    /// Restores a state returned by [`save`](Env::save).
    ///
    /// # Errors
    /// [`EnvError::Unsupported`] without `save`; [`EnvError::InvalidState`] if the snapshot does
    /// not fit.
    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let _ = snapshot;
        Err(unsupported::<Self>("snapshots", "restore"))
    }

    /// Returns the state of the dynamics as numbers: Gymnasium's internal `state` or `s`. `None` if
    /// not supported.
    fn state(&self) -> Option<Vec<f64>> {
        None
    }

    /// Sets the state of the dynamics, in the form of [`state`](Env::state).
    ///
    /// # Errors
    /// [`EnvError::Unsupported`] or [`EnvError::InvalidState`].
    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let _ = state;
        Err(unsupported::<Self>("setting its state", "set_state"))
    }

    /// Returns the observation of the current state, if it can be computed without a step. Use it
    /// after [`set_state`](Env::set_state) to call [`transitions`](Env::transitions).
    fn observe(&self) -> Option<Obs<Self>> {
        None
    }

    /// Returns every possible transition of `action` in the state observed as `observation`, if the
    /// dynamics are known and finite. Value iteration computes the exact optimum from them.
    fn transitions(
        &self,
        observation: &Obs<Self>,
        action: &Act<Self>,
    ) -> Option<Vec<Transition<Obs<Self>>>> {
        let _ = (observation, action);
        None
    }

    /// Returns the probabilities and observations of the initial states, if they are known and
    /// finite.
    fn initial_states(&self) -> Option<Vec<(f64, Obs<Self>)>> {
        None
    }

    /// Renders the environment as text (Gymnasium's `ansi` mode). `None` if not supported.
    fn render_ansi(&self) -> Option<String> {
        None
    }

    /// Renders the environment as a picture (Gymnasium's `rgb_array` mode). `None` if not
    /// supported. Needs neither a window nor a display.
    fn render_rgb(&self) -> Option<Frame> {
        None
    }
}

fn unsupported<E: ?Sized>(what: &'static str, method: &'static str) -> EnvError {
    let env = std::any::type_name::<E>();
    EnvError::Unsupported { env, what, method }
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step<O> {
    /// The observation after the step: the true successor, also at the end of an episode.
    pub observation: O,
    /// The reward of the step.
    pub reward: f64,
    /// Whether the episode continues, and if not, why.
    pub outcome: Outcome,
}

impl<O> Step<O> {
    /// Creates a step after which the episode continues, or terminates if `terminated`.
    pub fn new(observation: O, reward: f64, terminated: bool) -> Self {
        let outcome = if terminated { Outcome::Terminated } else { Outcome::Continues };
        Self { observation, reward, outcome }
    }

    /// Applies a function to the observation.
    pub fn map<P>(self, f: impl FnOnce(O) -> P) -> Step<P> {
        Step { observation: f(self.observation), reward: self.reward, outcome: self.outcome }
    }
}

/// Whether an episode continues after a step.
///
/// A time limit is not a termination: after `Truncated` the successor state still has a value,
/// after `Terminated` it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Outcome {
    /// The episode continues.
    Continues,
    /// A terminal state was reached: do not bootstrap.
    Terminated,
    /// The episode was cut short, for example by a time limit: bootstrap from the successor state.
    Truncated,
}

impl Outcome {
    /// Returns whether a terminal state was reached.
    #[must_use]
    pub fn terminated(self) -> bool {
        self == Self::Terminated
    }

    /// Returns whether the episode was cut short.
    #[must_use]
    pub fn truncated(self) -> bool {
        self == Self::Truncated
    }

    /// Returns whether the episode is over, for either reason.
    #[must_use]
    pub fn is_final(self) -> bool {
        self != Self::Continues
    }

    /// Returns the factor on the successor's value: `gamma`, or 0 after termination.
    #[must_use]
    pub fn discount(self, gamma: f64) -> f64 {
        if self.terminated() { 0.0 } else { gamma }
    }
}

/// Implements [`Env::save`] and [`Env::restore`] for an environment that is
/// `Serialize + DeserializeOwned`. Use it inside `impl Env for …`.
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
