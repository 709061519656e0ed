//! The result of a training.

use serde::{Deserialize, Serialize};

use crate::Evaluation;

/// Why a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All env steps were taken.
    Budget,
    /// An evaluation reached the threshold.
    Threshold,
    /// A callback stopped it (for example on Ctrl-C): it can be resumed.
    Stopped,
}

/// The result of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Why it ended.
    pub ending: Ending,
    /// The env steps taken.
    pub env_steps: u64,
    /// The episodes finished.
    pub episodes: u64,
    /// The seconds of the training, including evaluations and earlier sessions.
    pub wall_time_s: f64,
    /// Env steps per second of learning, without evaluations and checkpoints. `None` if no time
    /// passed.
    pub env_steps_per_s: Option<f64>,
    /// Whether the agent made an update. If not, it has learned nothing.
    #[serde(default = "yes")]
    pub learned: bool,
    /// Every evaluation, in order.
    pub evaluations: Vec<Evaluation>,
}

impl Summary {
    /// Of a training that was told to stop before it began.
    pub(crate) fn not_begun() -> Self {
        Self {
            ending: Ending::Stopped,
            env_steps: 0,
            episodes: 0,
            wall_time_s: 0.0,
            env_steps_per_s: None,
            learned: false,
            evaluations: Vec::new(),
        }
    }
}

/// A summary from before this was written is of an agent that learned.
fn yes() -> bool {
    true
}
