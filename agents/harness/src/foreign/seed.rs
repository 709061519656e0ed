//! One training of another program.

use std::{
    fmt,
    num::NonZeroUsize,
    path::{Path, PathBuf},
};

use gymnast_core::statistics::{Curve, moving_average};

use crate::Evaluation;

/// The number of training episodes averaged in a point; a shorter training has one point, the mean of
/// all.
pub const MEAN_OF_EPISODES: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not 0");

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

/// A return, or a mean of returns, at some moment of the training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReturnAt {
    /// The env steps of training.
    pub env_step: u64,
    /// The seconds since the start of the training; NaN if unknown.
    pub wall_time_s: f64,
    /// The return.
    pub value: f64,
}

/// The returns of training episodes, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum TrainingReturns {
    /// Of each episode.
    Episodes(Vec<ReturnAt>),
    /// Means over episodes, as the program wrote them.
    Means(Vec<ReturnAt>),
}

impl Default for TrainingReturns {
    fn default() -> Self {
        Self::Episodes(Vec::new())
    }
}

impl TrainingReturns {
    /// Returns means over [`MEAN_OF_EPISODES`] episodes, at the last one's env step, or the program's own
    /// means. A mean over a return that is not finite is NaN.
    #[must_use]
    pub fn means(&self) -> Vec<ReturnAt> {
        let (Self::Episodes(points) | Self::Means(points)) = self;
        let Some(all) = NonZeroUsize::new(points.len()) else { return Vec::new() };
        self.means_over(MEAN_OF_EPISODES.min(all))
    }

    /// Returns means over this many episodes, or the program's own means.
    pub(super) fn means_over(&self, window: NonZeroUsize) -> Vec<ReturnAt> {
        let episodes = match self {
            Self::Means(means) => return means.clone(),
            Self::Episodes(episodes) => episodes,
        };
        // By the number of the episode, which always increases.
        let x = (0..episodes.len()).map(|index| index as f64).collect();
        let curve = Curve::new(x, episodes.iter().map(|episode| episode.value).collect())
            .expect("as many returns as numbers, which increase");
        let means = moving_average(&curve, window);
        let ends = episodes.get(window.get() - 1..).unwrap_or_default();
        ends.iter().zip(means.y()).map(|(end, &value)| ReturnAt { value, ..*end }).collect()
    }

    /// Returns whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let (Self::Episodes(points) | Self::Means(points)) = self;
        points.is_empty()
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

/// An evaluation of which only the mean is known.
pub(super) fn mean_alone(point: &ReturnAt) -> Evaluation {
    let unknown = f64::NAN;
    Evaluation {
        env_step: point.env_step,
        wall_time_s: point.wall_time_s,
        mean_return: point.value,
        std_return: unknown,
        min_return: unknown,
        max_return: unknown,
        episodes: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn episodes(returns: impl Iterator<Item = f64>) -> TrainingReturns {
        let point =
            |(i, value)| ReturnAt { env_step: 10 * (i + 1_u64), wall_time_s: f64::NAN, value };
        TrainingReturns::Episodes((0..).zip(returns).map(point).collect())
    }

    #[test]
    fn a_point_is_the_mean_of_a_hundred_episodes() {
        // 1 to 102: three windows, with the means 50.5, 51.5 and 52.5.
        let means = episodes((1..=102).map(f64::from)).means();
        let points: Vec<_> = means.iter().map(|mean| (mean.env_step, mean.value)).collect();
        assert_eq!(points, [(1000, 50.5), (1010, 51.5), (1020, 52.5)]);
    }

    #[test]
    fn a_short_training_is_one_point_and_an_empty_one_none() {
        let means = episodes([1.0, 2.0, 6.0].into_iter()).means();
        assert_eq!((means.len(), means[0].env_step, means[0].value), (1, 30, 3.0));
        assert!(episodes(std::iter::empty()).means().is_empty());
        assert!(episodes([1.0, f64::NAN].into_iter()).means()[0].value.is_nan());
    }

    #[test]
    fn means_stay_as_the_program_wrote_them() {
        let points = vec![ReturnAt { env_step: 5, wall_time_s: 1.0, value: 2.0 }; 3];
        assert_eq!(TrainingReturns::Means(points.clone()).means(), points);
    }
}
