//! One training of another program.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use crate::{Evaluation, report::TrainingReturns};

/// The program that wrote a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Program {
    /// Stable-Baselines3, also by way of rl-zoo.
    StableBaselines3,
    /// CleanRL.
    CleanRl,
    /// Another program that writes event files.
    TensorBoard,
    /// Weights & Biases.
    WeightsAndBiases,
    /// A program whose scores are kept as rliable reads them.
    Rliable,
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::StableBaselines3 => "SB3",
            Self::CleanRl => "CleanRL",
            Self::TensorBoard => "TensorBoard",
            Self::WeightsAndBiases => "W&B",
            Self::Rliable => "rliable",
        })
    }
}

/// One training of another program: the results of one seed.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignSeed {
    /// The file or folder that it was read from.
    pub path: PathBuf,
    /// The program that wrote it.
    pub program: Program,
    /// The agent; `None`: not said.
    pub agent: Option<String>,
    /// Whether the agent has the name that the user gave it.
    pub is_named: bool,
    /// The environment, by our name for it if we have the same; `None`: not said.
    pub env: Option<String>,
    /// The seed, or the number of the run; `None`: not said.
    pub seed: Option<u64>,
    /// Whether the returns are normalised already: 0 for random actions, 1 for the reference.
    pub is_normalized: bool,
    /// The evaluations, in order; what the file lacks (deviation, extremes, times) is NaN, and an unknown
    /// number of episodes is 0.
    pub evaluations: Vec<Evaluation>,
    /// The returns of training episodes.
    pub training: TrainingReturns,
    /// What a reader of the results should know.
    pub remarks: Vec<String>,
}

/// What the files of a training hold, without its names.
#[derive(Debug, Default)]
pub(super) struct Series {
    pub(super) evaluations: Vec<Evaluation>,
    pub(super) training: TrainingReturns,
    /// The environment that a file names.
    pub(super) env: Option<String>,
    pub(super) program: Option<Program>,
    pub(super) remarks: Vec<String>,
}

impl Series {
    /// Adds what this one lacks from another of the same training.
    pub(super) fn or(self, other: Self) -> Self {
        let or = |own: TrainingReturns, other| if own.is_empty() { other } else { own };
        Self {
            evaluations: match self.evaluations.is_empty() {
                true => other.evaluations,
                false => self.evaluations,
            },
            training: or(self.training, other.training),
            env: self.env.or(other.env),
            program: self.program.or(other.program),
            remarks: [self.remarks, other.remarks].concat(),
        }
    }
}

/// The names that a path gives to a training.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SeedNames {
    pub(super) agent: Option<String>,
    pub(super) env: Option<String>,
    pub(super) seed: Option<u64>,
    pub(super) program: Option<Program>,
}

impl SeedNames {
    /// Returns a training with these names.
    pub(super) fn with(self, path: &Path, series: Series) -> ForeignSeed {
        let env = self.env.or(series.env);
        ForeignSeed {
            path: path.to_owned(),
            program: self.program.or(series.program).unwrap_or(Program::StableBaselines3),
            agent: self.agent,
            is_named: false,
            env: env.map(|env| super::names::our_env(&env)),
            seed: self.seed,
            is_normalized: false,
            evaluations: series.evaluations,
            training: series.training,
            remarks: series.remarks,
        }
    }
}
