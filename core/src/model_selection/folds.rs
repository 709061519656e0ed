//! Folds, created one at a time.

use std::ops::Range;
use std::sync::Arc;

use super::KFoldError;
use crate::data::{DataError, Dataset, MOST_ROWS};

/// The numbers of training rows and test rows, from 0, in ascending order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// The rows to train on.
    pub train: Vec<usize>,
    /// The rows to test on.
    pub test: Vec<usize>,
}

impl Fold {
    /// Returns the two parts of a dataset: training rows and test rows.
    ///
    /// # Errors
    /// [`DataError::NoSuchRow`] if the fold was made for more rows than the dataset has,
    /// [`DataError::Resampled`].
    pub fn select(&self, data: &Dataset) -> Result<(Dataset, Dataset), DataError> {
        data.check_not_resampled("split")?;
        Ok((data.select(&self.train)?, data.select(&self.test)?))
    }

    /// Rows that are tested together while all others are trained with.
    fn of_neighbours(test: Range<usize>, rows: usize) -> Self {
        Self { train: (0..test.start).chain(test.end..rows).collect(), test: test.collect() }
    }

    /// The rows of this fold, by the number of the fold in which each is tested.
    fn of_assigned(fold: usize, fold_of: &[usize]) -> Self {
        let (test, train) = (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
        Self { train, test }
    }
}

/// The folds of a splitter. The assignment of rows is drawn once; the lists of rows are created
/// fold by fold, so leave-one-out on 60,000 rows does not take 29 GB.
///
/// An iterator over [`Fold`]s. Functions that take folds ([`cross_validate`](super::cross_validate)
/// and others) also accept `&folds`, which starts again from the first.
///
/// ```
/// use gymnast_core::model_selection::{KFoldError, LeaveOneOut};
///
/// let mut folds = LeaveOneOut.split(60_000)?;
/// assert_eq!(folds.len(), 60_000);
/// assert_eq!(folds.nth(7).expect("one of them").test, [7]);
/// # Ok::<(), KFoldError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "folds are made when they are asked for"]
pub struct Folds {
    plan: Plan,
    left: Range<usize>,
}

/// How a fold follows from its number.
#[derive(Debug, Clone)]
enum Plan {
    /// Neighbouring rows, of sizes that differ by one at most.
    Neighbours { rows: usize, n_splits: usize },
    /// The fold in which each row is tested: all rows for one time, then for the next.
    Assigned { fold_of: Arc<[usize]>, rows: usize, n_splits: usize },
    /// The rows after those that are trained with.
    Series { first: usize, test_size: usize, gap: usize, max_train_size: usize },
}

impl Folds {
    pub(super) fn neighbours(n_splits: usize, rows: usize) -> Self {
        Self { plan: Plan::Neighbours { rows, n_splits }, left: 0..n_splits }
    }

    /// Of one time or several, each with the fold in which each of `rows` rows is tested.
    pub(super) fn assigned(n_splits: usize, rows: usize, fold_of: Vec<usize>) -> Self {
        let times = fold_of.len() / rows;
        let plan = Plan::Assigned { fold_of: fold_of.into(), rows, n_splits };
        Self { plan, left: 0..n_splits * times }
    }

    pub(super) fn series(
        n_splits: usize,
        first: usize,
        test_size: usize,
        gap: usize,
        max_train_size: usize,
    ) -> Self {
        Self { plan: Plan::Series { first, test_size, gap, max_train_size }, left: 0..n_splits }
    }

    fn make(&self, number: usize) -> Fold {
        match self.plan {
            Plan::Neighbours { rows, n_splits } => {
                Fold::of_neighbours(neighbours(number, n_splits, rows), rows)
            }
            Plan::Assigned { ref fold_of, rows, n_splits } => {
                let time = number / n_splits;
                Fold::of_assigned(number % n_splits, &fold_of[time * rows..][..rows])
            }
            Plan::Series { first, test_size, gap, max_train_size } => {
                let test = first + number * test_size;
                let end = test - gap;
                Fold {
                    train: (end.saturating_sub(max_train_size)..end).collect(),
                    test: (test..test + test_size).collect(),
                }
            }
        }
    }
}

/// The rows that a fold of neighbours tests; the first folds have one more.
pub(super) fn neighbours(fold: usize, n_splits: usize, rows: usize) -> Range<usize> {
    let (least, longer) = (rows / n_splits, rows % n_splits);
    let start = |fold: usize| fold * least + fold.min(longer);
    start(fold)..start(fold + 1)
}

impl Iterator for Folds {
    type Item = Fold;

    fn next(&mut self) -> Option<Fold> {
        self.nth(0)
    }

    fn nth(&mut self, n: usize) -> Option<Fold> {
        self.left.nth(n).map(|number| self.make(number))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.left.size_hint()
    }
}

impl ExactSizeIterator for Folds {}

impl IntoIterator for &Folds {
    type Item = Fold;
    type IntoIter = Folds;

    fn into_iter(self) -> Folds {
        self.clone()
    }
}

/// Checks that `rows` rows, `times` over, can be numbered in memory.
pub(super) fn check_size(rows: usize, times: usize) -> Result<(), KFoldError> {
    match rows.checked_mul(times) {
        Some(numbers) if numbers <= MOST_ROWS => Ok(()),
        _ => Err(KFoldError::TooManyRows { rows, times, most: MOST_ROWS }),
    }
}
