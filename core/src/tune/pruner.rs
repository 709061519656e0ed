//! Pruners: end unpromising trials early.

use serde::{Deserialize, Serialize};

use super::{StudyDirection, TrialRecord, TuneError};
use crate::require;
use crate::statistics::median;

/// Ends trials early, by comparing their reports with earlier trials' reports at the same step.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pruner {
    /// Ends no trial.
    #[default]
    None,
    /// Ends trials that are worse than the median.
    Median(Median),
    /// Keeps only the best fraction of trials at each of several steps that grow geometrically.
    SuccessiveHalving(SuccessiveHalving),
}

/// Ends a trial whose best report so far is worse than the median of the complete trials' reports
/// at the same step.
///
/// Golovin et al., "Google Vizier: A Service for Black-Box Optimization" (2017), section 3.2.2, without
/// its running averages, as Optuna does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Median {
    /// The number of complete trials before the first pruning; ≥ 1.
    pub n_startup_trials: usize,
    /// The first step at which trials are pruned.
    pub n_warmup_steps: u64,
}

impl Default for Median {
    fn default() -> Self {
        Self { n_startup_trials: 5, n_warmup_steps: 0 }
    }
}

/// Asynchronous successive halving (ASHA): of the trials that reached a rung, step `min_resource ·
/// reduction_factorᵏ`, the best fraction `1/reduction_factor` continues to the next rung.
///
/// Li et al., "A System for Massively Parallel Hyperparameter Tuning" (2020), algorithm 2. As in
/// Optuna, a trial that was ended is not resumed, and until `reduction_factor` trials have reached
/// a rung only the best of them continues.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuccessiveHalving {
    /// The step of the lowest rung; ≥ 1.
    pub min_resource: u64,
    /// The inverse of the fraction of trials that continue, η in the paper; ≥ 2.
    pub reduction_factor: u64,
}

impl Default for SuccessiveHalving {
    fn default() -> Self {
        Self { min_resource: 1, reduction_factor: 4 }
    }
}

impl Pruner {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        let at_least = |key, value: u64, least: u64, allowed| -> Result<(), TuneError> {
            Ok(require(value >= least, key, value as f64, allowed)?)
        };
        match self {
            Self::None => Ok(()),
            Self::Median(median) => {
                at_least("n_startup_trials", median.n_startup_trials as u64, 1, "at least 1")
            }
            Self::SuccessiveHalving(halving) => {
                at_least("min_resource", halving.min_resource, 1, "at least 1")?;
                at_least("reduction_factor", halving.reduction_factor, 2, "at least 2")
            }
        }
    }

    pub(super) fn should_prune(
        &self,
        reports: &[(u64, f64)],
        history: &[TrialRecord],
        direction: StudyDirection,
    ) -> bool {
        match self {
            Self::None => false,
            Self::Median(median) => median.should_prune(reports, history, direction),
            Self::SuccessiveHalving(halving) => halving.should_prune(reports, history, direction),
        }
    }
}

impl Median {
    fn should_prune(
        &self,
        reports: &[(u64, f64)],
        history: &[TrialRecord],
        direction: StudyDirection,
    ) -> bool {
        let Some(&(step, _)) = reports.last() else { return false };
        let complete = history.iter().filter(|trial| trial.value().is_some());
        if step < self.n_warmup_steps || complete.clone().count() < self.n_startup_trials {
            return false;
        }
        let at_step = |trial: &TrialRecord| {
            let reports = trial.reports.iter();
            reports.copied().find(|(other, _)| *other == step).map(|(_, value)| value)
        };
        let others: Vec<f64> = complete.filter_map(at_step).map(|x| direction.loss(x)).collect();
        let own =
            reports.iter().map(|(_, value)| direction.loss(*value)).fold(f64::INFINITY, f64::min);
        median(&others).is_some_and(|median| own > median)
    }
}

impl SuccessiveHalving {
    fn should_prune(
        &self,
        reports: &[(u64, f64)],
        history: &[TrialRecord],
        direction: StudyDirection,
    ) -> bool {
        let Some((&(step, value), earlier)) = reports.split_last() else { return false };
        let before = earlier.last().map_or(0, |(step, _)| *step);
        let mut rung = self.min_resource;
        while rung <= step {
            // Judged once a rung: by the first report that comes to it.
            if rung > before && !self.goes_on(rung, direction.loss(value), history, direction) {
                return true;
            }
            let Some(next) = rung.checked_mul(self.reduction_factor) else { break };
            rung = next;
        }
        false
    }

    /// Returns whether a trial with this loss at a rung is in the best fraction of all that reached
    /// it.
    fn goes_on(
        &self,
        rung: u64,
        own: f64,
        history: &[TrialRecord],
        direction: StudyDirection,
    ) -> bool {
        let at_rung = |trial: &TrialRecord| {
            let first = trial.reports.iter().find(|(step, _)| *step >= rung);
            first.map(|(_, value)| direction.loss(*value))
        };
        let mut losses: Vec<f64> = history.iter().filter_map(at_rung).chain([own]).collect();
        losses.sort_unstable_by(f64::total_cmp);
        let last = (losses.len() as u64 / self.reduction_factor).max(1) - 1;
        own <= losses[last as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tune::TrialOutcome;

    fn trial(number: u64, reports: &[(u64, f64)], outcome: TrialOutcome) -> TrialRecord {
        TrialRecord { number, params: Vec::new(), reports: reports.to_vec(), outcome }
    }

    fn complete(values: &[f64]) -> Vec<TrialRecord> {
        let ended = |(i, value): (u64, &f64)| {
            trial(i, &[(1, *value), (4, value * 2.0)], TrialOutcome::Complete(*value))
        };
        (0..).zip(values).map(ended).collect()
    }

    #[test]
    fn below_the_median_of_the_same_step_is_pruned() {
        let mut history = complete(&[1.0, 2.0, 3.0]);
        history.push(trial(3, &[(1, -100.0)], TrialOutcome::Pruned));
        let pruner = Pruner::Median(Median { n_startup_trials: 3, n_warmup_steps: 0 });
        let prunes =
            |reports: &[(u64, f64)], direction| pruner.should_prune(reports, &history, direction);
        assert!(prunes(&[(1, 2.1)], StudyDirection::Minimize));
        assert!(!prunes(&[(1, 2.0)], StudyDirection::Minimize));
        assert!(prunes(&[(1, 1.9)], StudyDirection::Maximize));
        // Its best so far counts, at the step it has come to; what nobody reported is no standard.
        assert!(!prunes(&[(1, 3.0), (4, 9.0)], StudyDirection::Minimize));
        assert!(prunes(&[(1, 5.0), (4, 9.0)], StudyDirection::Minimize));
        assert!(!prunes(&[(3, 99.0)], StudyDirection::Minimize));
        assert!(!prunes(&[], StudyDirection::Minimize));
        let patient = Pruner::Median(Median { n_startup_trials: 4, n_warmup_steps: 0 });
        assert!(!patient.should_prune(&[(1, 99.0)], &history, StudyDirection::Minimize));
        let late = Pruner::Median(Median { n_startup_trials: 3, n_warmup_steps: 4 });
        assert!(!late.should_prune(&[(1, 99.0)], &history, StudyDirection::Minimize));
    }

    #[test]
    fn the_best_share_of_a_rung_goes_on() {
        let history = complete(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let pruner = Pruner::SuccessiveHalving(SuccessiveHalving::default());
        let prunes = |reports: &[(u64, f64)]| {
            pruner.should_prune(reports, &history, StudyDirection::Minimize)
        };
        // Eight with this one: two go on.
        assert!(!prunes(&[(1, 1.5)]) && prunes(&[(1, 2.5)]));
        // Between rungs nothing is judged; the next lies at step 4, where values have doubled.
        assert!(!prunes(&[(1, 1.5), (3, 99.0)]));
        assert!(prunes(&[(1, 1.5), (3, 99.0), (4, 99.0)]));
        assert!(!prunes(&[(1, 1.5), (5, 3.5)]));
        // Of fewer than η only the best goes on.
        let few =
            |value| pruner.should_prune(&[(1, value)], &history[..2], StudyDirection::Minimize);
        assert!(!few(0.5) && few(1.5));
        let maximize = pruner.should_prune(&[(1, 6.5)], &history, StudyDirection::Maximize);
        assert!(!maximize && pruner.should_prune(&[(1, 5.5)], &history, StudyDirection::Maximize));
    }
}
