//! Scores for each group of rows: whether a model works for all of them.

use std::collections::BTreeMap;
use std::fmt;

use super::metric::{Metric, NamedScores, Update};
use super::{MetricError, checks};
use crate::text::rounded;

/// A collector for each value of a group column and one for all rows.
///
/// ```
/// use gymnast_core::metrics::{BinaryScores, Subgroups};
///
/// let mut by_site = Subgroups::new(BinaryScores::new());
/// by_site.update(&["north", "south", "north"], &[0, 1, 1], &[0.2, 0.9, 0.6])?;
/// by_site.update(&["south", "south"], &[0, 1], &[0.4, 0.3])?;
/// println!("{}", by_site.compute()); // the usual scores
/// let report = by_site.report(&[("ROC-AUC", &BinaryScores::roc_auc)]); // or some
/// assert_eq!(report.groups[1].rows, 3);
/// assert_eq!(report.groups[1].scores, [("ROC-AUC", Ok(0.5))]);
/// # Ok::<(), gymnast_core::metrics::MetricError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Subgroups<K, M> {
    empty: M,
    all: (usize, M),
    groups: BTreeMap<K, (usize, M)>,
}

/// The name of a score and the function that computes it from a collector.
pub type NamedScore<'a, M> = (&'static str, &'a dyn Fn(&M) -> Result<f64, MetricError>);

/// Scores by group; prints as a table, undefined scores as a dash.
#[derive(Debug, Clone, PartialEq)]
pub struct SubgroupReport<K> {
    /// The groups, in the order of their keys.
    pub groups: Vec<SubgroupRow<K>>,
    /// The scores of all rows.
    pub all: SubgroupRow<()>,
}

/// One group of a [`SubgroupReport`].
#[derive(Debug, Clone, PartialEq)]
pub struct SubgroupRow<K> {
    /// The value of the group column.
    pub group: K,
    /// The number of its rows.
    pub rows: usize,
    /// Its scores by name; scores of a small group may be undefined.
    pub scores: NamedScores,
}

impl<K: Ord + Clone, M: Metric + Clone> Subgroups<K, M> {
    /// Creates an empty report. Each group starts with a copy of `empty`, a collector without rows.
    pub fn new(empty: M) -> Self {
        Self { all: (0, empty.clone()), empty, groups: BTreeMap::new() }
    }

    /// Adds a batch: the groups of its rows, `[B]`, and the collector's own inputs.
    ///
    /// # Errors
    /// [`MetricError::Length`] unless every row has one group; the errors of the collector's
    /// `update`.
    pub fn update<T: Copy, P: Copy>(
        &mut self,
        groups: &[K],
        truth: &[T],
        predicted: &[P],
    ) -> Result<(), MetricError>
    where
        M: Update<T, P>,
    {
        checks::length("groups", truth.len(), groups.len())?;
        // First all together: where it is refused, no group has changed.
        self.all.1.update(truth, predicted)?;
        self.all.0 += truth.len();
        let mut rows_of: BTreeMap<&K, Vec<usize>> = BTreeMap::new();
        for (row, group) in groups.iter().enumerate() {
            rows_of.entry(group).or_default().push(row);
        }
        let width = self.empty.predictions_per_row();
        for (group, rows) in rows_of {
            let truth: Vec<T> = rows.iter().map(|&row| truth[row]).collect();
            let predicted: Vec<P> =
                rows.iter().flat_map(|&row| &predicted[row * width..][..width]).copied().collect();
            let entry = self.groups.entry(group.clone());
            let (size, metric) = entry.or_insert_with(|| (0, self.empty.clone()));
            metric.update(&truth, &predicted)?;
            *size += rows.len();
        }
        Ok(())
    }

    /// Returns a group's collector; `None` if the group has no rows.
    pub fn get(&self, group: &K) -> Option<&M> {
        self.groups.get(group).map(|(_, metric)| metric)
    }

    /// Returns the usual scores of every group and of all rows.
    pub fn compute(&self) -> SubgroupReport<K> {
        self.report_by(M::compute)
    }

    /// Returns the named scores of every group and of all rows.
    pub fn report(&self, scores: &[NamedScore<'_, M>]) -> SubgroupReport<K> {
        self.report_by(|metric| scores.iter().map(|(name, score)| (*name, score(metric))).collect())
    }

    fn report_by(&self, scores: impl Fn(&M) -> NamedScores) -> SubgroupReport<K> {
        let group = |(group, (rows, metric)): (&K, &(usize, M))| SubgroupRow {
            group: group.clone(),
            rows: *rows,
            scores: scores(metric),
        };
        let all = SubgroupRow { group: (), rows: self.all.0, scores: scores(&self.all.1) };
        SubgroupReport { groups: self.groups.iter().map(group).collect(), all }
    }
}

impl<K: fmt::Display> fmt::Display for SubgroupReport<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.groups.iter().map(|row| row.group.to_string()).collect();
        let width =
            names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max("all".len());
        write!(f, "{:>width$} {:>9}", "", "rows")?;
        self.all.scores.iter().try_for_each(|(name, _)| write!(f, " {name:>9}"))?;
        let groups = self.groups.iter().map(|row| (row.rows, &row.scores));
        let all = ("all", (self.all.rows, &self.all.scores));
        for (name, (rows, scores)) in names.iter().map(String::as_str).zip(groups).chain([all]) {
            write!(f, "\n{name:>width$} {rows:>9}")?;
            for (name, score) in scores {
                let width = name.chars().count().max(9);
                match score {
                    Ok(score) => write!(f, " {:>width$}", rounded(*score, 4))?,
                    Err(_) => write!(f, " {:>width$}", "–")?,
                }
            }
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Average, ConfusionMatrix, Probabilities, Regression, ZeroDivision};

    #[test]
    fn each_group_has_its_rows_and_all_have_all() {
        let mut groups = Subgroups::new(ConfusionMatrix::new(2).unwrap());
        groups.update(&["b", "a", "b"], &[0, 1, 1], &[0, 0, 1]).unwrap();
        groups.update(&["a", "b"], &[1, 1], &[1, 0]).unwrap();
        let precision =
            |matrix: &ConfusionMatrix| matrix.precision(Average::Class(0), ZeroDivision::Undefined);
        let report =
            groups.report(&[("accuracy", &ConfusionMatrix::accuracy), ("precision", &precision)]);
        let rows: Vec<_> = report.groups.iter().map(|row| (row.group, row.rows)).collect();
        assert_eq!(rows, [("a", 2), ("b", 3)]);
        assert_eq!(report.groups[0].scores, [("accuracy", Ok(0.5)), ("precision", Ok(0.0))]);
        assert_eq!(report.groups[1].scores, [("accuracy", Ok(2.0 / 3.0)), ("precision", Ok(0.5))]);
        assert_eq!((report.all.rows, &report.all.scores[0]), (5, &("accuracy", Ok(0.6))));
        let table = report.to_string();
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[0], "         rows  accuracy precision");
        assert_eq!(lines[2], "  b         3    0.6667    0.5000");
        assert_eq!(lines[3], "all         5    0.6000    0.3333");
    }

    #[test]
    fn rows_of_several_predictions_stay_together() {
        let mut groups = Subgroups::new(Probabilities::new(2).unwrap());
        groups.update(&[7, 3, 7], &[0, 1, 1], &[1.0_f32, 0.0, 0.5, 0.5, 0.25, 0.75]).unwrap();
        let brier = |group| groups.get(&group).unwrap().brier().unwrap();
        assert_eq!((brier(7), brier(3)), (0.0625 / 2.0, 0.25));
        assert_eq!(groups.get(&0), None);
    }

    #[test]
    fn a_refused_batch_changes_no_group() {
        let mut groups = Subgroups::new(Regression::new());
        groups.update(&['x'], &[1.0], &[2.0]).unwrap();
        let before = groups.clone();
        assert!(groups.update(&['x', 'y'], &[1.0, f64::NAN], &[2.0, 0.0]).is_err());
        let error = groups.update(&['x'], &[1.0, 2.0], &[2.0, 0.0]).unwrap_err();
        assert_eq!(error.to_string(), "expected 2 groups, got 1");
        assert_eq!(groups, before);
        let report = groups.report(&[("R²", &Regression::r2), ("MAE", &Regression::mae)]);
        assert!(report.groups[0].scores[0].1.is_err());
        assert!(report.to_string().contains("x         1         –    1.0000"));
        assert_eq!(groups.compute().all.scores, groups.get(&'x').unwrap().compute());
    }
}
