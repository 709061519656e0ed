//! Bootstrap samples for bagging.

use rand::{Rng, RngExt as _};

use crate::data::{DataError, Dataset};

/// Rows drawn with replacement, and the rows that were not drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct BootstrapSample {
    /// The drawn rows, the same number as before; [`Dataset::is_resampled`], so that no split
    /// separates copies.
    pub data: Dataset,
    /// The numbers of the rows that were never drawn, about 37 %; use them to evaluate the member.
    pub out_of_bag: Vec<usize>,
}

/// Draws a bootstrap sample of training rows: Breiman, "Bagging predictors" (1996).
///
/// # Errors
/// [`DataError::TooFewRows`] without rows.
pub fn bootstrap<R: Rng + ?Sized>(
    train: &Dataset,
    rng: &mut R,
) -> Result<BootstrapSample, DataError> {
    if train.is_empty() {
        return Err(DataError::TooFewRows { needed: 1, rows: 0 });
    }
    let rows: Vec<usize> = (0..train.len()).map(|_| rng.random_range(0..train.len())).collect();
    let mut drawn = vec![false; train.len()];
    rows.iter().for_each(|&row| drawn[row] = true);
    let out_of_bag = (0..train.len()).filter(|&row| !drawn[row]).collect();
    Ok(BootstrapSample { data: train.select(&rows)?.into_resampled(), out_of_bag })
}
