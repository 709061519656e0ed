//! Folds that never learn from the future.

use super::{Folds, KFoldError, at_least, check_rows};

/// Folds of rows in order of time: each tests the rows after those that it trains with, and the next
/// one trains with these too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSeriesSplit {
    /// The number of folds; ≥ 2.
    pub n_splits: usize,
    /// The most rows, the latest, that are trained with; `None`: all. ≥ 1.
    pub max_train_size: Option<usize>,
    /// The rows that each fold tests; `None`: an even share, the rows divided by `n_splits + 1`. ≥ 1.
    pub test_size: Option<usize>,
    /// The rows left out between the two parts.
    pub gap: usize,
}

impl Default for TimeSeriesSplit {
    /// Five folds of even size, without a gap.
    fn default() -> Self {
        Self { n_splits: 5, max_train_size: None, test_size: None, gap: 0 }
    }
}

impl TimeSeriesSplit {
    /// The folds, earliest first.
    ///
    /// # Errors
    /// [`KFoldError::TooFew`], [`KFoldError::MoreFoldsThanRows`], [`KFoldError::ShortSeries`],
    /// [`KFoldError::TooManyRows`].
    pub fn split(&self, rows: usize) -> Result<Folds, KFoldError> {
        let Self { n_splits, max_train_size, test_size, gap } = *self;
        check_rows(n_splits, rows)?;
        at_least("max_train_size", 1, max_train_size.unwrap_or(1))?;
        at_least("test_size", 1, test_size.unwrap_or(1))?;
        let test_size = test_size.unwrap_or(rows / (n_splits + 1));
        let tested = n_splits.checked_mul(test_size);
        let needed = tested.and_then(|tested| tested.checked_add(gap));
        let (Some(tested), true) = (tested, test_size > 0 && needed.is_some_and(|n| n < rows))
        else {
            return Err(KFoldError::ShortSeries { n_splits, test_size, gap, rows });
        };
        let most = max_train_size.unwrap_or(rows);
        Ok(Folds::series(n_splits, rows - tested, test_size, gap, most))
    }
}
