//! What a training came to.

use serde::{Deserialize, Serialize};

use crate::Evaluation;

/// How a training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All env steps were taken.
    Budget,
    /// An evaluation reached the threshold.
    Threshold,
    /// A callback ended it (Ctrl-C, say): it can be resumed.
    Stopped,
}

/// What a training came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How it ended.
    pub ending: Ending,
    /// The env steps taken.
    pub env_steps: u64,
    /// The episodes finished.
    pub episodes: u64,
    /// The seconds it took, evaluations and earlier sessions included.
    pub wall_time_s: f64,
    /// Env steps a second while learning: evaluations and checkpoints not counted. None where the clock
    /// stood still meanwhile.
    pub env_steps_per_s: Option<f64>,
    /// Whether the agent made an update. Where it made none, the training was for nothing.
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
