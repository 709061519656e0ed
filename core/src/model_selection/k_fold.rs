//! Folds that test each row once.

use std::{cmp::Reverse, collections::BTreeMap};

use rand::{Rng, seq::SliceRandom as _};

use super::{Fold, KFoldError, at_least, check_rows};

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
    /// [`KFoldError::TooFew`], [`KFoldError::MoreFoldsThanRows`].
    pub fn split(&self, rows: usize) -> Result<Vec<Fold>, KFoldError> {
        Ok(Fold::all(self.n_splits, &self.fold_of(rows)?))
    }

    /// Folds of rows drawn at random.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_shuffled<R: Rng + ?Sized>(
        &self,
        rows: usize,
        rng: &mut R,
    ) -> Result<Vec<Fold>, KFoldError> {
        let mut fold_of = self.fold_of(rows)?;
        fold_of.shuffle(rng);
        Ok(Fold::all(self.n_splits, &fold_of))
    }

    fn fold_of(&self, rows: usize) -> Result<Vec<usize>, KFoldError> {
        check_rows(self.n_splits, rows)?;
        let (least, longer) = (rows / self.n_splits, rows % self.n_splits);
        let size = |fold| least + usize::from(fold < longer);
        Ok((0..self.n_splits).flat_map(|fold| vec![fold; size(fold)]).collect())
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
    /// [`KFoldError::TooFew`] for fewer than two rows.
    pub fn split(&self, rows: usize) -> Result<Vec<Fold>, KFoldError> {
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
    pub fn split(&self, groups: &[usize]) -> Result<Vec<Fold>, KFoldError> {
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
        let mut rows_of = vec![0; n_splits];
        let mut fold_of = BTreeMap::new();
        for (group, size) in order {
            let lightest = (0..n_splits).min_by_key(|&fold| rows_of[fold]).expect("two or more");
            rows_of[lightest] += size;
            fold_of.insert(group, lightest);
        }
        let fold_of: Vec<usize> = groups.iter().map(|group| fold_of[group]).collect();
        Ok(Fold::all(n_splits, &fold_of))
    }
}

impl Default for GroupKFold {
    /// Five folds.
    fn default() -> Self {
        Self { n_splits: 5 }
    }
}
