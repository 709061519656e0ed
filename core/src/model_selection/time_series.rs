//! Splitter for time series: never trains on the future.

use super::{Folds, KFoldError, at_least, check_rows};

/// Splits rows in order of time: each fold tests the rows after its training rows, and later folds
/// also train on earlier test rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSeriesSplit {
    /// The number of folds; ≥ 2.
    pub n_splits: usize,
    /// The largest number of training rows, the latest ones, ≥ 1; `None`: all.
    pub max_train_size: Option<usize>,
    /// The number of test rows in each fold, ≥ 1; `None`: the number of rows divided by `n_splits +
    /// 1`.
    pub test_size: Option<usize>,
    /// The number of rows left out between training and test part; ≥ 0.
    pub gap: usize,
}

impl Default for TimeSeriesSplit {
    /// Five folds of equal size, without a gap.
    fn default() -> Self {
        Self { n_splits: 5, max_train_size: None, test_size: None, gap: 0 }
    }
}

impl TimeSeriesSplit {
    /// Splits the rows, earliest fold first.
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
