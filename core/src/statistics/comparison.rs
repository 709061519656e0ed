//! Comparisons of agents over several tasks, as rliable defines them.
//!
//! Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice" (2021),
//! sections 4.2 and 4.3.

use super::summary::mean;

/// Returns the performance profile: for each threshold the fraction of runs whose score exceeds it,
/// averaged over tasks.
///
/// Scores are grouped by task, `[tasks][runs]`; normalise those of different tasks first. The whole
/// profile says what one number hides: of two agents, the one whose profile is higher everywhere is
/// better in distribution. `None` without tasks, if one has no runs, or if a score is NaN.
#[must_use]
pub fn performance_profile<S: AsRef<[f64]>>(scores: &[S], thresholds: &[f64]) -> Option<Vec<f64>> {
    if scores.is_empty()
        || scores.iter().any(|task| task.as_ref().iter().any(|score| score.is_nan()))
    {
        return None;
    }
    let above = |task: &S, threshold: f64| {
        let exceeds: Vec<_> =
            task.as_ref().iter().map(|&score| f64::from(score > threshold)).collect();
        mean(&exceeds)
    };
    let fraction = |&threshold: &f64| {
        mean(&scores.iter().map(|task| above(task, threshold)).collect::<Option<Vec<_>>>()?)
    };
    thresholds.iter().map(fraction).collect()
}

/// Returns the probability that a run of `x` scores higher than a run of `y` on the same task,
/// averaged over tasks. Equal scores count one half.
///
/// This is the Mann–Whitney statistic divided by its range. Both are `[tasks][runs]`, with the tasks
/// in the same order; the numbers of runs may differ. For an interval use
/// [`Bootstrap::improvement`](super::Bootstrap::improvement). `None` if they differ in their number
/// of tasks, have none, if one has no runs, or if a score is NaN.
#[must_use]
pub fn probability_of_improvement<S: AsRef<[f64]>>(x: &[S], y: &[S]) -> Option<f64> {
    if x.len() != y.len() {
        return None;
    }
    let of_task = |(x, y): (&S, &S)| {
        let (x, y) = (x.as_ref(), y.as_ref());
        let points = x.iter().flat_map(|a| y.iter().map(|b| Some(points(a.partial_cmp(b)?))));
        mean(&points.collect::<Option<Vec<_>>>()?)
    };
    mean(&x.iter().zip(y).map(of_task).collect::<Option<Vec<_>>>()?)
}

fn points(order: std::cmp::Ordering) -> f64 {
    match order {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 1.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_counts_what_exceeds_a_threshold() {
        let scores = [vec![0.0, 0.5, 1.0, 1.0], vec![2.0]];
        let profile = performance_profile(&scores, &[-1.0, 0.5, 1.0, 2.0]).unwrap();
        assert_eq!(profile, [1.0, 0.75, 0.5, 0.0]);
        assert_eq!(performance_profile(&scores, &[]), Some(vec![]));
    }

    #[test]
    fn the_better_agent_wins_its_pairs() {
        let (x, y) = ([vec![3.0, 1.0], vec![5.0]], [vec![2.0, 1.0], vec![4.0]]);
        // 3 beats both, 1 loses to 2 and draws with 1: 2.5 of 4; the other task is won.
        assert_eq!(probability_of_improvement(&x, &y), Some((2.5 / 4.0 + 1.0) / 2.0));
        assert_eq!(probability_of_improvement(&y, &x), Some((1.5 / 4.0) / 2.0));
        assert_eq!(probability_of_improvement(&x, &x), Some(0.5));
    }

    #[test]
    fn the_undefined_is_none() {
        let [none, empty, nan] = [vec![], vec![vec![]], vec![vec![f64::NAN]]];
        for scores in [&none, &empty, &nan] {
            assert_eq!(performance_profile(scores, &[0.0]), None);
            assert_eq!(performance_profile::<Vec<f64>>(&[], &[]), None);
            assert_eq!(probability_of_improvement(scores, scores), None);
        }
        assert_eq!(probability_of_improvement(&[vec![1.0]], &[]), None);
    }
}
