//! Known dynamics: what dynamic programming plans with.

use serde::{Deserialize, Serialize};

/// One way in which an action can turn out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition<O> {
    /// The probability of this outcome; those of a state and action sum to 1.
    pub probability: f64,
    /// The successor state, as it is observed.
    pub next_state: O,
    /// The reward of the step.
    pub reward: f64,
    /// Whether the successor is terminal.
    pub terminated: bool,
}

impl<O> Transition<O> {
    /// The same transition with its successor written otherwise.
    pub fn map<P>(self, f: impl FnOnce(O) -> P) -> Transition<P> {
        Transition {
            probability: self.probability,
            next_state: f(self.next_state),
            reward: self.reward,
            terminated: self.terminated,
        }
    }
}
