//! Splitters that test each row once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::{Rng, seq::SliceRandom as _};

use super::folds::neighbours;
use super::{Folds, KFoldError, at_least, check_rows};

/// Splits rows into parts of about equal size; each fold tests one part and trains on the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KFold {
    /// The number of folds; from 2 to the number of rows.
    pub n_splits: usize,
}

impl KFold {
    /// Splits into folds of neighbouring rows.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`], [`KFoldError::MoreFoldsThanRows`], [`KFoldError::TooManyRows`].
    pub fn split(&self, rows: usize) -> Result<Folds, KFoldError> {
        check_rows(self.n_splits, rows)?;
        Ok(Folds::neighbours(self.n_splits, rows))
    }

    /// Splits into folds of randomly drawn rows.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_shuffled<R: Rng + ?Sized>(
        &self,
        rows: usize,
        rng: &mut R,
    ) -> Result<Folds, KFoldError> {
        let n_splits = self.n_splits;
        check_rows(n_splits, rows)?;
        let size = |fold| neighbours(fold, n_splits, rows).len();
        let mut fold_of: Vec<usize> =
            (0..n_splits).flat_map(|fold| std::iter::repeat_n(fold, size(fold))).collect();
        fold_of.shuffle(rng);
        Ok(Folds::assigned(n_splits, rows, fold_of))
    }
}

impl Default for KFold {
    /// Five folds.
    fn default() -> Self {
        Self { n_splits: 5 }
    }
}

/// Tests each row alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeaveOneOut;

impl LeaveOneOut {
    /// Splits into one fold for each row.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`] for fewer than two rows, [`KFoldError::TooManyRows`].
    pub fn split(&self, rows: usize) -> Result<Folds, KFoldError> {
        at_least("rows", 2, rows)?;
        KFold { n_splits: rows }.split(rows)
    }
}

/// Keeps the rows of a group (for example of one patient) together, all in training or all in the
/// test part.
///
/// Groups are assigned from the largest on, each to the fold with the fewest rows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKFold {
    /// The number of folds; from 2 to the number of groups.
    pub n_splits: usize,
}

impl GroupKFold {
    /// Splits rows, given the group of each row.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`], [`KFoldError::TooFewGroups`].
    pub fn split(&self, groups: &[usize]) -> Result<Folds, KFoldError> {
        let n_splits = self.n_splits;
        at_least("n_splits", 2, n_splits)?;
        let mut sizes = BTreeMap::<usize, usize>::new();
        groups.iter().for_each(|group| *sizes.entry(*group).or_default() += 1);
        if sizes.len() < n_splits {
            return Err(KFoldError::TooFewGroups { n_splits, groups: sizes.len() });
        }
        let mut order: Vec<(usize, usize)> = sizes.into_iter().collect();
        // Of groups of the same size the one with the greater number first, as in scikit-learn.
        order.sort_by_key(|&(group, size)| Reverse((size, group)));
        // The fold with the fewest rows first, of equals the first.
        let mut lightest: BinaryHeap<Reverse<(usize, usize)>> =
            (0..n_splits).map(|fold| Reverse((0, fold))).collect();
        let mut fold_of = BTreeMap::new();
        for (group, size) in order {
            let Reverse((rows, fold)) = lightest.pop().expect("two folds or more");
            lightest.push(Reverse((rows + size, fold)));
            fold_of.insert(group, fold);
        }
        let fold_of: Vec<usize> = groups.iter().map(|group| fold_of[group]).collect();
        Ok(Folds::assigned(n_splits, groups.len(), fold_of))
    }
}

impl Default for GroupKFold {
    /// Five folds.
    fn default() -> Self {
        Self { n_splits: 5 }
    }
}
