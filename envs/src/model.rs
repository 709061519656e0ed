//! Known dynamics, for dynamic programming.

use serde::{Deserialize, Serialize};

/// One possible result of an action.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition<O> {
    /// The probability of this result. The probabilities of a state and action sum to 1.
    pub probability: f64,
    /// The successor state, as its observation.
    pub next_state: O,
    /// The reward of the step.
    pub reward: f64,
    /// Whether the successor is a terminal state.
    pub terminated: bool,
}

impl<O> Transition<O> {
    /// Applies a function to the successor.
    pub fn map<P>(self, f: impl FnOnce(O) -> P) -> Transition<P> {
        Transition {
            probability: self.probability,
            next_state: f(self.next_state),
            reward: self.reward,
            terminated: self.terminated,
        }
    }
}
