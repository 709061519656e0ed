//! Splitters that keep the proportions of the classes.

use rand::{Rng, seq::SliceRandom as _};

use super::folds::check_size;
use super::{Folds, KFoldError, at_least, check_rows};
use crate::data::rows_by_class;

/// Splits rows so that each fold has about the same class frequencies as all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StratifiedKFold {
    /// The number of folds; from 2 to the number of rows in the smallest class.
    pub n_splits: usize,
}

impl StratifiedKFold {
    /// Splits into folds of neighbouring rows within each class, given the class of each row.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`], [`KFoldError::MoreFoldsThanRows`], [`KFoldError::SmallClass`], for
    /// which scikit-learn only warns.
    pub fn split(&self, classes: &[usize]) -> Result<Folds, KFoldError> {
        Ok(Folds::assigned(self.n_splits, classes.len(), self.fold_of(classes, |_| ())?))
    }

    /// Splits into folds of randomly drawn rows within each class.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_shuffled<R: Rng + ?Sized>(
        &self,
        classes: &[usize],
        rng: &mut R,
    ) -> Result<Folds, KFoldError> {
        let fold_of = self.fold_of(classes, |folds| folds.shuffle(rng))?;
        Ok(Folds::assigned(self.n_splits, classes.len(), fold_of))
    }

    /// Follows scikit-learn: with the rows sorted by class, fold `i` takes every `n_splits`-th row
    /// from the `i`-th on, so it has its share of each class. `order` decides which rows of the
    /// class these are.
    fn fold_of(
        &self,
        classes: &[usize],
        mut order: impl FnMut(&mut [usize]),
    ) -> Result<Vec<usize>, KFoldError> {
        let n_splits = self.n_splits;
        check_rows(n_splits, classes.len())?;
        let seen = rows_by_class(classes);
        if let Some((&class, rows)) = seen.iter().find(|(_, rows)| rows.len() < n_splits) {
            return Err(KFoldError::SmallClass { class, rows: rows.len(), n_splits });
        }
        // Classes are sorted by which comes first among the rows.
        let mut by_class: Vec<Vec<usize>> = seen.into_values().collect();
        by_class.sort_unstable_by_key(|rows| rows[0]);
        let mut fold_of = vec![0; classes.len()];
        let mut place = 0;
        for rows in by_class {
            let mut folds: Vec<usize> =
                (place..place + rows.len()).map(|place| place % n_splits).collect();
            place += rows.len();
            folds.sort_unstable();
            order(&mut folds);
            rows.into_iter().zip(folds).for_each(|(row, fold)| fold_of[row] = fold);
        }
        Ok(fold_of)
    }
}

impl Default for StratifiedKFold {
    /// Five folds.
    fn default() -> Self {
        Self { n_splits: 5 }
    }
}

/// Repeats [`StratifiedKFold`] with new shuffles, which averages out the effect of a single draw of
/// folds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepeatedStratifiedKFold {
    /// The number of folds in each repetition; from 2 to the number of rows in the smallest class.
    pub n_splits: usize,
    /// The number of repetitions; ≥ 1.
    pub n_repeats: usize,
}

impl RepeatedStratifiedKFold {
    /// Returns the folds of all repetitions in order.
    ///
    /// # Errors
    /// Those of [`StratifiedKFold::split`]; [`KFoldError::TooManyRows`] if all repetitions together
    /// have too many rows.
    pub fn split<R: Rng + ?Sized>(
        &self,
        classes: &[usize],
        rng: &mut R,
    ) -> Result<Folds, KFoldError> {
        let Self { n_splits, n_repeats } = *self;
        at_least("n_repeats", 1, n_repeats)?;
        check_size(classes.len(), n_repeats)?;
        let mut fold_of = Vec::new();
        for _ in 0..n_repeats {
            fold_of.extend(StratifiedKFold { n_splits }.fold_of(classes, |f| f.shuffle(rng))?);
        }
        Ok(Folds::assigned(n_splits, classes.len(), fold_of))
    }
}

impl Default for RepeatedStratifiedKFold {
    /// Five folds, ten times.
    fn default() -> Self {
        Self { n_splits: 5, n_repeats: 10 }
    }
}
