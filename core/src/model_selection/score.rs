//! Cross-validation scores.

use std::borrow::Borrow;
use std::collections::BTreeMap;

use super::{Fold, KFoldError};
use crate::statistics::{mean, sample_std};

/// The scores of the folds, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct FoldScores {
    /// One score for each fold.
    pub values: Vec<f64>,
}

impl FoldScores {
    /// Returns the mean of the scores; `None` if one is not finite.
    pub fn mean(&self) -> Option<f64> {
        mean(&self.values)
    }

    /// Returns the standard deviation of the scores, with divisor n − 1; `None` for one fold, or if
    /// a score is not finite. Folds share training rows, so it does not give a standard error:
    /// Bengio and Grandvalet, "No unbiased estimator of the variance of k-fold cross-validation"
    /// (2004).
    pub fn std(&self) -> Option<f64> {
        sample_std(&self.values)
    }
}

/// Computes the score of each fold. `score` trains a new model, scaling included, on the training
/// rows and evaluates it on the test rows.
///
/// # Errors
/// Those of `score`; the scores of earlier folds are then lost, so store expensive ones in `score`.
/// [`KFoldError::Nothing`] without folds.
pub fn cross_val_score<E: From<KFoldError>>(
    folds: impl IntoIterator<Item: Borrow<Fold>>,
    mut score: impl FnMut(&Fold) -> Result<f64, E>,
) -> Result<FoldScores, E> {
    let mut values = Vec::new();
    for fold in folds {
        values.push(score(fold.borrow())?);
    }
    if values.is_empty() {
        Err(KFoldError::Nothing("folds").into())
    } else {
        Ok(FoldScores { values })
    }
}

/// Computes several named scores of each fold; see [`cross_val_score`].
///
/// # Errors
/// Those of `score`; [`KFoldError::Nothing`] without folds, [`KFoldError::ScoreNames`] if the names
/// differ between folds.
pub fn cross_validate<S, I, E>(
    folds: impl IntoIterator<Item: Borrow<Fold>>,
    mut score: impl FnMut(&Fold) -> Result<I, E>,
) -> Result<BTreeMap<String, FoldScores>, E>
where
    S: Into<String>,
    I: IntoIterator<Item = (S, f64)>,
    E: From<KFoldError>,
{
    let (mut scores, mut is_empty) = (BTreeMap::<String, FoldScores>::new(), true);
    for (fold, rows) in folds.into_iter().enumerate() {
        is_empty = false;
        let of_fold: BTreeMap<String, f64> =
            score(rows.borrow())?.into_iter().map(|(name, score)| (name.into(), score)).collect();
        if fold > 0 && !of_fold.keys().eq(scores.keys()) {
            let expected = scores.into_keys().collect();
            let got = of_fold.into_keys().collect();
            return Err(KFoldError::ScoreNames { fold, expected, got }.into());
        }
        for (name, score) in of_fold {
            scores
                .entry(name)
                .or_insert_with(|| FoldScores { values: Vec::new() })
                .values
                .push(score);
        }
    }
    if is_empty { Err(KFoldError::Nothing("folds").into()) } else { Ok(scores) }
}

/// The result of [`nested_cross_validate`].
#[derive(Debug, Clone, PartialEq)]
pub struct Nested {
    /// The score of each outer fold, with the candidate chosen for it.
    pub scores: FoldScores,
    /// The candidate chosen for each outer fold, from 0.
    pub chosen: Vec<usize>,
    /// The inner scores of each candidate, for each outer fold; the choice is based on them.
    pub inner_scores: Vec<Vec<FoldScores>>,
}

/// Chooses settings by inner folds and evaluates the choice on the outer test rows, which it did
/// not use.
///
/// ```text
/// for each outer fold:
///     inner folds of its training rows
///     the candidate with the highest mean score over these; of several the first
///     its score when it trains with all training rows of the outer fold and is judged by its test rows
/// ```
///
/// `inner` splits the outer training rows: it gets their numbers and returns folds that count them
/// from 0, for example `|rows| KFold { n_splits: 3 }.split(rows.len())`. `score` gets row numbers
/// of the whole dataset; higher is better.
///
/// Source: Varma and Simon, "Bias in error estimation when using cross-validation for model selection"
/// (2006).
///
/// # Errors
/// Those of `inner` and `score`; [`KFoldError::Nothing`] without outer folds, inner folds or
/// candidates; [`KFoldError::NoSuchRow`] if an inner fold contains a number beyond the given rows;
/// [`KFoldError::Score`].
pub fn nested_cross_validate<C, F, E: From<KFoldError>>(
    outer: impl IntoIterator<Item: Borrow<Fold>>,
    mut inner: impl FnMut(&[usize]) -> Result<F, E>,
    candidates: &[C],
    mut score: impl FnMut(&C, &Fold) -> Result<f64, E>,
) -> Result<Nested, E>
where
    F: IntoIterator<Item: Borrow<Fold>> + Clone,
{
    if candidates.is_empty() {
        return Err(KFoldError::Nothing("candidates").into());
    }
    let (mut chosen, mut inner_scores) = (Vec::new(), Vec::new());
    let scores = cross_val_score(outer, |fold| {
        let folds = inner(&fold.train)?;
        let (mut best, mut best_score) = (0, f64::NEG_INFINITY);
        let mut all = Vec::with_capacity(candidates.len());
        for (candidate, settings) in candidates.iter().enumerate() {
            let scores = cross_val_score(folds.clone(), |inner| {
                let score = score(settings, &within(inner, &fold.train)?)?;
                let error = KFoldError::Score { candidate, score };
                if score.is_finite() { Ok(score) } else { Err(E::from(error)) }
            })?;
            let mean = scores.mean().expect("every score is finite");
            if mean > best_score {
                (best, best_score) = (candidate, mean);
            }
            all.push(scores);
        }
        chosen.push(best);
        inner_scores.push(all);
        score(&candidates[best], fold)
    })?;
    Ok(Nested { scores, chosen, inner_scores })
}

/// A fold of some rows, by their numbers in the whole.
fn within(fold: &Fold, rows: &[usize]) -> Result<Fold, KFoldError> {
    let whole = |places: &[usize]| -> Result<Vec<usize>, KFoldError> {
        let row = |&place: &usize| rows.get(place).copied().ok_or(place);
        let found: Result<Vec<usize>, usize> = places.iter().map(row).collect();
        found.map_err(|place| KFoldError::NoSuchRow { row: place, rows: rows.len() })
    };
    Ok(Fold { train: whole(&fold.train)?, test: whole(&fold.test)? })
}
