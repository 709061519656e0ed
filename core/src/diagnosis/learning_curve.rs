//! Learning curves: the score as a function of the number of training rows.

use rand::{Rng, seq::SliceRandom as _};

use crate::SettingError;
use crate::data::{DataError, Dataset};
use crate::plot::{Axis, LearningCurves, Series, capitalized};
use crate::statistics::{Curve, StatisticsError};

/// The scores of models trained with `rows` rows, one for each repetition.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeScores {
    /// The number of training rows.
    pub rows: usize,
    /// The scores on the training rows.
    pub train: Vec<f64>,
    /// The scores on the other rows.
    pub test: Vec<f64>,
}

/// The result of [`learning_curve`], the smallest size first.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCurve {
    /// The scores for each size.
    pub sizes: Vec<SizeScores>,
}

/// Trains on growing parts of the rows, several times, and scores each model on its training rows
/// and on other rows, like scikit-learn's `learning_curve`.
///
/// Within a repetition smaller sets are parts of larger ones, drawn at random. `train` gets the
/// rows and the number of the repetition, and returns the scores on these and on other rows.
///
/// # Errors
/// The errors of `train`; [`DataError::Setting`] unless `sizes` increase, from at least 1 to at
/// most the number of rows, and `repetitions` is at least 1.
pub fn learning_curve<R: Rng + ?Sized, E: From<DataError>>(
    data: &Dataset,
    sizes: &[usize],
    repetitions: usize,
    rng: &mut R,
    mut train: impl FnMut(&Dataset, usize) -> Result<(f64, f64), E>,
) -> Result<LearningCurve, E> {
    let setting = |key, value: usize, allowed| {
        E::from(DataError::from(SettingError::new(key, value as f64, allowed)))
    };
    if repetitions == 0 {
        return Err(setting("repetitions", 0, "at least 1"));
    }
    let mut least = 1;
    for &size in sizes {
        if size < least || size > data.len() {
            return Err(setting("sizes", size, "increasing, from 1 to the number of rows"));
        }
        least = size + 1;
    }
    if sizes.is_empty() {
        return Err(setting("sizes", 0, "at least one number of rows"));
    }
    let empty = |&rows| SizeScores { rows, train: Vec::new(), test: Vec::new() };
    let mut curve = LearningCurve { sizes: sizes.iter().map(empty).collect() };
    for repetition in 0..repetitions {
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.shuffle(rng);
        for scores in &mut curve.sizes {
            let (on_train, on_test) = train(&data.select(&order[..scores.rows])?, repetition)?;
            scores.train.push(on_train);
            scores.test.push(on_test);
        }
    }
    Ok(curve)
}

impl LearningCurve {
    /// Plots the scores by the number of rows, with their spread over the repetitions.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] if sizes have different numbers of repetitions.
    pub fn plot(&self, score: &str) -> Result<LearningCurves, StatisticsError> {
        let rows: Vec<f64> = self.sizes.iter().map(|size| size.rows as f64).collect();
        let series = |label: &str, of: fn(&SizeScores) -> &[f64]| {
            let repetitions = self.sizes.first().map_or(0, |size| of(size).len());
            if let Some(other) = self.sizes.iter().find(|size| of(size).len() != repetitions) {
                return Err(StatisticsError::Length { x: repetitions, y: of(other).len() });
            }
            let seeds = (0..repetitions).map(|repetition| {
                let scores = self.sizes.iter().map(|size| of(size)[repetition]).collect();
                Curve::new(rows.clone(), scores)
            });
            Ok(Series { label: label.to_owned(), seeds: seeds.collect::<Result<_, _>>()? })
        };
        Ok(LearningCurves {
            title: format!("{} by training rows", capitalized(score)),
            units: "repetitions".to_owned(),
            x_axis: Axis::new("training rows"),
            y_axis: Axis::new(score),
            series: vec![
                series("training rows", |size| &size.train)?,
                series("other rows", |size| &size.test)?,
            ],
            ..LearningCurves::default()
        })
    }
}
