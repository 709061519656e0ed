//! Aggregates over several tasks, as rliable defines them.
//!
//! Scores are grouped by task, `[tasks][runs]`; tasks may differ in their number of runs. Agarwal
//! et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (2021), section
//! 4; normalise the scores of different tasks before pooling them.

use super::summary::{iqm, mean, median};

/// Returns the mean over tasks of each task's mean over runs; `None` if a task has no runs or a
/// score is not finite.
pub fn aggregate_mean<S: AsRef<[f64]>>(scores: &[S]) -> Option<f64> {
    mean(&task_means(scores)?)
}

/// Returns the median over tasks of each task's mean over runs; `None` as for [`aggregate_mean`].
pub fn aggregate_median<S: AsRef<[f64]>>(scores: &[S]) -> Option<f64> {
    median(&task_means(scores)?)
}

/// Returns the interquartile mean of all runs of all tasks pooled; `None` as for
/// [`aggregate_mean`].
pub fn aggregate_iqm<S: AsRef<[f64]>>(scores: &[S]) -> Option<f64> {
    if scores.iter().any(|task| task.as_ref().is_empty()) {
        return None;
    }
    let pooled: Vec<f64> = scores.iter().flat_map(|task| task.as_ref().iter().copied()).collect();
    iqm(&pooled)
}

/// Returns the optimality gap: by how much runs fall short of `target`, where what exceeds it counts
/// as the target; the mean over tasks of each task's mean. A lower value is better. `None` as for
/// [`aggregate_mean`], or if `target` is not finite.
pub fn optimality_gap<S: AsRef<[f64]>>(scores: &[S], target: f64) -> Option<f64> {
    let short = |score: &f64| if score.is_finite() { target - score.min(target) } else { *score };
    let gaps: Vec<Vec<f64>> =
        scores.iter().map(|task| task.as_ref().iter().map(short).collect()).collect();
    aggregate_mean(&gaps)
}

pub(super) fn task_means<S: AsRef<[f64]>>(scores: &[S]) -> Option<Vec<f64>> {
    scores.iter().map(|task| mean(task.as_ref())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_weigh_equally_in_mean_and_median_and_runs_in_the_iqm() {
        let scores = [vec![0.0, 2.0], vec![10.0, 10.0, 10.0], vec![4.0]];
        assert_eq!(aggregate_mean(&scores), Some(5.0));
        assert_eq!(aggregate_median(&scores), Some(4.0));
        // 0 2 4 10 10 10: one is cut at each end.
        assert_eq!(aggregate_iqm(&scores), Some(6.5));
        // (4 + 2) / 2, 0 and 0: what is above the target counts as the target.
        assert_eq!(optimality_gap(&scores, 4.0), Some(1.0));
    }

    #[test]
    fn a_task_without_runs_is_undefined() {
        let scores = [vec![1.0], vec![]];
        assert_eq!(aggregate_mean(&scores), None);
        assert_eq!(aggregate_median(&scores), None);
        assert_eq!(aggregate_iqm(&scores), None);
        assert_eq!(optimality_gap(&scores, 1.0), None);
        assert_eq!(optimality_gap(&[[f64::INFINITY]], 1.0), None);
        assert_eq!(aggregate_iqm::<Vec<f64>>(&[]), None);
    }
}
