//! Folds that test each row once.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use rand::{Rng, seq::SliceRandom as _};

use super::folds::neighbours;
use super::{Folds, KFoldError, at_least, check_rows};

/// As many parts of about the same size, each tested once while the others are trained with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KFold {
    /// The number of folds; ≥ 2, at most the rows.
    pub n_splits: usize,
}

impl KFold {
    /// Folds of neighbouring rows.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`], [`KFoldError::MoreFoldsThanRows`], [`KFoldError::TooManyRows`].
    pub fn split(&self, rows: usize) -> Result<Folds, KFoldError> {
        check_rows(self.n_splits, rows)?;
        Ok(Folds::neighbours(self.n_splits, rows))
    }

    /// Folds of rows drawn at random.
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

/// Each row tested alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeaveOneOut;

impl LeaveOneOut {
    /// As many folds as rows.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`] for fewer than two rows, [`KFoldError::TooManyRows`].
    pub fn split(&self, rows: usize) -> Result<Folds, KFoldError> {
        at_least("rows", 2, rows)?;
        KFold { n_splits: rows }.split(rows)
    }
}

/// Folds in which rows of one group (of one patient, say) are all trained with or all tested.
///
/// The largest group first, each goes to the fold with the fewest rows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupKFold {
    /// The number of folds; ≥ 2, at most the groups.
    pub n_splits: usize,
}

impl GroupKFold {
    /// Folds of rows, by the group of each.
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
