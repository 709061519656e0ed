//! Out-of-fold predictions.

use std::borrow::Borrow;

use super::EnsembleError;
use crate::data::DataError;
use crate::model_selection::Fold;
use crate::require;

/// The most numbers that are predicted: 16 GiB.
const MOST_NUMBERS: usize = 1 << 31;

/// Predicts each of `rows` rows with a model trained on the other folds: `[rows, width]`, in the
/// order of the rows. A second model stacked on these predictions learns how far to trust the
/// first; on predictions for training rows it would trust it too much. Wolpert, "Stacked
/// generalization" (1992).
///
/// `predict` trains a new model on a fold's training rows and returns `width` numbers for each test
/// row, in order.
///
/// # Errors
/// [`EnsembleError::Folds`] unless each row is tested by exactly one fold, which does not train on
/// it; [`EnsembleError::Length`] if the number of predictions is wrong (its `member` is the fold);
/// [`EnsembleError::Setting`] if they would not fit in memory; the errors of `predict`.
pub fn out_of_fold<E: From<EnsembleError>>(
    folds: impl IntoIterator<Item: Borrow<Fold>> + Clone,
    rows: usize,
    width: usize,
    mut predict: impl FnMut(&Fold) -> Result<Vec<f64>, E>,
) -> Result<Vec<f64>, E> {
    check(folds.clone(), rows)?;
    let (mut all, numbers) = (Vec::new(), rows.saturating_mul(width));
    let fits = numbers <= MOST_NUMBERS && all.try_reserve_exact(numbers).is_ok();
    require(fits, "rows times width", numbers as f64, "few enough to fit in memory")
        .map_err(EnsembleError::from)?;
    all.resize(numbers, 0.0);
    for (member, fold) in folds.into_iter().enumerate() {
        let fold = fold.borrow();
        let predictions = predict(fold)?;
        let (what, expected, got) = ("predictions", fold.test.len() * width, predictions.len());
        if expected != got {
            return Err(EnsembleError::Length { member, what, expected, got }.into());
        }
        for (place, &row) in fold.test.iter().enumerate() {
            all[row * width..][..width].copy_from_slice(&predictions[place * width..][..width]);
        }
    }
    Ok(all)
}

fn check(
    folds: impl IntoIterator<Item: Borrow<Fold>> + Clone,
    rows: usize,
) -> Result<(), EnsembleError> {
    // Before memory is taken for all rows: that there are so many.
    let tests: usize = folds.clone().into_iter().map(|fold| fold.borrow().test.len()).sum();
    if tests < rows {
        let mut tested = Vec::with_capacity(tests);
        folds.into_iter().for_each(|fold| tested.extend_from_slice(&fold.borrow().test));
        if let Some(&row) = tested.iter().find(|row| **row >= rows) {
            return Err(DataError::NoSuchRow { row, rows }.into());
        }
        tested.sort_unstable();
        tested.dedup();
        let row = (0..).zip(&tested).find(|(row, tested)| row != *tested);
        let row = row.map_or(tested.len(), |(row, _)| row);
        return Err(EnsembleError::Folds { row, tested: 0, leaks: 0 });
    }
    let (mut tested, mut leaks) = (vec![0_usize; rows], vec![0_usize; rows]);
    for fold in folds {
        let fold = fold.borrow();
        let mut trains = vec![false; rows];
        for &row in &fold.train {
            *trains.get_mut(row).ok_or(DataError::NoSuchRow { row, rows })? = true;
        }
        for &row in &fold.test {
            *tested.get_mut(row).ok_or(DataError::NoSuchRow { row, rows })? += 1;
            leaks[row] += usize::from(trains[row]);
        }
    }
    match (0..rows).find(|&row| tested[row] != 1 || leaks[row] > 0) {
        None => Ok(()),
        Some(row) => Err(EnsembleError::Folds { row, tested: tested[row], leaks: leaks[row] }),
    }
}
