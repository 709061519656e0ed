//! What a model says of rows that it has not learned from.

use super::EnsembleError;
use crate::data::DataError;
use crate::model_selection::Fold;

/// For each of `rows` rows what a model says of it that learned from the other folds: `[rows, width]`,
/// in the rows' order. What is stacked on it then learns how far to trust the model; of rows that the
/// model has learned from it would learn to trust it too far. Wolpert, "Stacked generalization" (1992).
///
/// `predict` trains anew with a fold's training rows and returns `width` numbers for each of its test
/// rows, in their order.
///
/// # Errors
/// [`EnsembleError::Folds`] unless each row is tested by one fold, which does not train with it;
/// [`EnsembleError::Length`] where predictions are not as many (its `member` is the fold); what
/// `predict` returns.
pub fn out_of_fold<E: From<EnsembleError>>(
    folds: &[Fold],
    rows: usize,
    width: usize,
    mut predict: impl FnMut(&Fold) -> Result<Vec<f64>, E>,
) -> Result<Vec<f64>, E> {
    check(folds, rows)?;
    let mut all = vec![0.0; rows * width];
    for (member, fold) in folds.iter().enumerate() {
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

fn check(folds: &[Fold], rows: usize) -> Result<(), EnsembleError> {
    let (mut tested, mut leaks) = (vec![0_usize; rows], vec![0_usize; rows]);
    for fold in folds {
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
