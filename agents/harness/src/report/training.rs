//! The returns of training episodes, where a report or a picture takes them in place of evaluations.

use std::num::NonZeroUsize;

use gymnast_core::statistics::{Curve, moving_average};

use crate::{Episode, Evaluation};

/// The number of training episodes averaged in a point; a shorter training has one point, the mean of
/// all.
pub const MEAN_OF_EPISODES: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not 0");

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
    /// Returns means over this many episodes, at the last one's env step, or the program's own means.
    /// Fewer episodes have none. A mean over a return that is not finite is NaN.
    #[must_use]
    pub fn means_over(&self, window: NonZeroUsize) -> Vec<ReturnAt> {
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

    /// Returns the means of each seed of a run in the place of evaluations. What a mean does not say (the
    /// deviation, the extremes) is NaN, and the number of episodes 0.
    ///
    /// They are over [`MEAN_OF_EPISODES`], or as many fewer that each seed has one at the last env step
    /// that all have reached.
    #[must_use]
    pub fn evaluations_of(seeds: &[Self]) -> Vec<Vec<Evaluation>> {
        let window = common_window(seeds);
        let means = |seed: &Self| seed.means_over(window).iter().map(mean_alone).collect();
        seeds.iter().map(means).collect()
    }
}

impl FromIterator<Episode> for TrainingReturns {
    fn from_iter<I: IntoIterator<Item = Episode>>(episodes: I) -> Self {
        let point = |episode: Episode| ReturnAt {
            env_step: episode.env_step,
            wall_time_s: episode.wall_time_s,
            value: episode.episode_return,
        };
        Self::Episodes(episodes.into_iter().map(point).collect())
    }
}

/// The number of episodes in a mean: at most as many as each seed has until the last env step that all have
/// reached.
fn common_window(seeds: &[TrainingReturns]) -> NonZeroUsize {
    let episodes: Vec<&[ReturnAt]> = seeds
        .iter()
        .filter_map(|training| match training {
            TrainingReturns::Episodes(episodes) if !episodes.is_empty() => Some(&episodes[..]),
            _ => None,
        })
        .collect();
    let ends = episodes.iter().filter_map(|episodes| episodes.last()).map(|last| last.env_step);
    let end = ends.min().unwrap_or(0);
    let until_end =
        |episodes: &&[ReturnAt]| episodes.partition_point(|point| point.env_step <= end);
    let fewest = episodes.iter().map(until_end).min().unwrap_or(0);
    NonZeroUsize::new(fewest).unwrap_or(NonZeroUsize::MIN).min(MEAN_OF_EPISODES)
}

/// An evaluation of which only the mean is known.
pub(crate) fn mean_alone(point: &ReturnAt) -> Evaluation {
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

    /// The means of one seed.
    fn means(training: TrainingReturns) -> Vec<Evaluation> {
        TrainingReturns::evaluations_of(&[training]).remove(0)
    }

    #[test]
    fn a_point_is_the_mean_of_a_hundred_episodes() {
        // 1 to 102: three windows, with the means 50.5, 51.5 and 52.5.
        let means = means(episodes((1..=102).map(f64::from)));
        let points: Vec<_> = means.iter().map(|mean| (mean.env_step, mean.mean_return)).collect();
        assert_eq!(points, [(1000, 50.5), (1010, 51.5), (1020, 52.5)]);
    }

    #[test]
    fn a_short_training_is_one_point_and_an_empty_one_none() {
        let three = means(episodes([1.0, 2.0, 6.0].into_iter()));
        assert_eq!((three.len(), three[0].env_step, three[0].mean_return), (1, 30, 3.0));
        assert!(means(episodes(std::iter::empty())).is_empty());
        assert!(means(episodes([1.0, f64::NAN].into_iter()))[0].mean_return.is_nan());
    }

    #[test]
    fn means_stay_as_the_program_wrote_them() {
        let points = vec![ReturnAt { env_step: 5, wall_time_s: 1.0, value: 2.0 }; 3];
        assert_eq!(TrainingReturns::Means(points.clone()).means_over(MEAN_OF_EPISODES), points);
    }

    #[test]
    fn short_trainings_are_averaged_where_all_have_a_mean() {
        let explored = |steps: &[u64]| {
            let point = |&env_step: &u64| ReturnAt {
                env_step,
                wall_time_s: f64::NAN,
                value: env_step as f64,
            };
            TrainingReturns::Episodes(steps.iter().map(point).collect())
        };
        // At 25 the second has two episodes; the third has none, and does not count.
        let seeds = [explored(&[5, 10, 20, 25]), explored(&[15, 25, 90]), explored(&[])];
        let points: Vec<Vec<_>> = TrainingReturns::evaluations_of(&seeds)
            .iter()
            .map(|seed| seed.iter().map(|e| (e.env_step, e.mean_return)).collect())
            .collect();
        assert_eq!(points[0], [(10, 7.5), (20, 15.0), (25, 22.5)]);
        assert_eq!(points[1], [(25, 20.0), (90, 57.5)]);
        assert!(points[2].is_empty());
    }
}
