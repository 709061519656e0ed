//! How the score grows with the rows to learn from: the sample efficiency of a supervised model.

use rand::{Rng, seq::SliceRandom as _};

use crate::data::{DataError, Dataset};
use crate::plot::{Axis, LearningCurves, Series};
use crate::statistics::{Curve, StatisticsError};

/// The scores of models trained with so many rows, one a repetition.
#[derive(Debug, Clone, PartialEq)]
pub struct SizeScores {
    /// The rows.
    pub rows: usize,
    /// The scores on the rows trained with.
    pub train: Vec<f64>,
    /// The scores on other rows.
    pub test: Vec<f64>,
}

/// What [`learning_curve`] found, the fewest rows first.
#[derive(Debug, Clone, PartialEq)]
pub struct LearningCurve {
    /// Each number of rows.
    pub sizes: Vec<SizeScores>,
}

/// Trains with more and more of the rows, several times, and scores each model on the rows that it
/// was trained with and on others, as scikit-learn's `learning_curve`.
///
/// In a repetition the smaller sets are parts of the larger, each drawn at random. `train` gets the
/// rows and the number of the repetition, and returns the score on them and on others.
///
/// # Errors
/// What `train` returns; [`DataError::Setting`] unless `sizes` grow from at least 1 to at most the
/// number of rows, and there is at least one repetition.
pub fn learning_curve<R: Rng + ?Sized, E: From<DataError>>(
    data: &Dataset,
    sizes: &[usize],
    repetitions: usize,
    rng: &mut R,
    mut train: impl FnMut(&Dataset, usize) -> Result<(f64, f64), E>,
) -> Result<LearningCurve, E> {
    let setting = |key, value: usize, allowed| {
        E::from(DataError::Setting { key, value: value as f64, allowed })
    };
    if repetitions == 0 {
        return Err(setting("repetitions", 0, "at least 1"));
    }
    let mut least = 1;
    for &size in sizes {
        if size < least || size > data.len() {
            return Err(setting("sizes", size, "growing, from 1 to the number of rows"));
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
    /// The scores over the rows, to be drawn, with the spread over the repetitions.
    ///
    /// # Errors
    /// [`StatisticsError::Length`] where sizes have scores of more or fewer repetitions.
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
