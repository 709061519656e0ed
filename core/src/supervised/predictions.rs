//! The predictions of a network, with their targets.

use crate::data::{Batch, DataError, Dataset, class_of};
use crate::nn::{Network, NetworkError, check_outputs};
use crate::statistics::argmax;

use super::FitError;
use crate::likelihood::largest;
use crate::require;

/// The outputs of a network for rows, with their targets: scores are computed from all rows at
/// once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Predictions {
    /// `[N, outputs]`, row by row.
    pub outputs: Vec<f32>,
    /// The number of outputs in a row.
    pub width: usize,
    /// `[N, target_width]`, row by row.
    pub targets: Vec<f32>,
}

impl Predictions {
    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.outputs.len().checked_div(self.width).unwrap_or(0)
    }

    /// Returns whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
    }

    /// Returns the class with the largest output in each row, the first of equals.
    ///
    /// # Errors
    /// [`DataError::NotFinite`] if an output is NaN; [`DataError::Ragged`] if the outputs do not
    /// form whole rows.
    pub fn classes(&self) -> Result<Vec<usize>, DataError> {
        self.check()?;
        let class = |(row, outputs): (usize, &[f32])| {
            argmax(outputs).ok_or_else(|| {
                let column = outputs.iter().position(|output| output.is_nan()).unwrap_or(0);
                DataError::NotFinite { part: "outputs", row, column, value: outputs[column] }
            })
        };
        self.outputs.chunks_exact(self.width.max(1)).enumerate().map(class).collect()
    }

    /// Returns the softmax of each row of outputs: `[N, outputs]`, row by row.
    ///
    /// # Errors
    /// [`DataError::Ragged`] if the outputs do not form whole rows.
    pub fn probabilities(&self) -> Result<Vec<f64>, DataError> {
        self.check()?;
        let mut probabilities = Vec::with_capacity(self.outputs.len());
        for row in self.outputs.chunks_exact(self.width.max(1)) {
            let largest = largest(row);
            let exponentials = row.iter().map(|&x| f64::from(x - largest).exp());
            let sum: f64 = exponentials.clone().sum();
            probabilities.extend(exponentials.map(|x| x / sum));
        }
        Ok(probabilities)
    }

    fn check(&self) -> Result<(), DataError> {
        let (numbers, width) = (self.outputs.len(), self.width);
        let is_whole = numbers == 0 || (width > 0 && numbers.is_multiple_of(width));
        if is_whole { Ok(()) } else { Err(DataError::Ragged { numbers, width }) }
    }

    /// Returns the targets as class numbers.
    ///
    /// # Errors
    /// [`DataError::NotAClass`] if a target is negative or not whole.
    pub fn true_classes(&self) -> Result<Vec<usize>, DataError> {
        self.targets.iter().enumerate().map(|(row, &value)| class_of(row, value)).collect()
    }
}

/// Computes a network's outputs for rows of inputs in evaluation mode: `[N, outputs]`, row by row.
/// `batch_size` rows are processed at a time.
///
/// # Errors
/// [`FitError::Width`]; [`FitError::Setting`] if the batch size is 0; [`FitError::Network`] if the
/// network's outputs have another shape than it declares.
pub fn predict<N: Network>(
    network: &N,
    data: &Dataset,
    batch_size: usize,
) -> Result<Predictions, FitError> {
    check_width("rows to predict for", network, data)?;
    require(batch_size > 0, "batch_size", 0.0, "at least 1")?;
    let (width, limit) = (network.outputs(), isize::MAX as usize / size_of::<f32>());
    let length = data.len().checked_mul(width).filter(|&length| length <= limit);
    let too_large = NetworkError::TooLarge { what: "the outputs of all rows", limit };
    let mut outputs = vec![0.0; length.ok_or(too_large)?];
    let rows: Vec<usize> = (0..data.len()).collect();
    let batch_size = batch_size.min(rows.len().max(1));
    let mut batch = Batch::default();
    for (rows, out) in rows.chunks(batch_size).zip(outputs.chunks_mut((batch_size * width).max(1)))
    {
        data.gather(rows, &mut batch);
        let answers = network.predict(&batch.inputs());
        check_outputs(&answers, rows.len(), width)?;
        answers.f_copy_data(out, rows.len() * width).map_err(NetworkError::from)?;
    }
    Ok(Predictions { outputs, width, targets: data.targets().to_vec() })
}

pub(super) fn check_width<N: Network>(
    what: &'static str,
    network: &N,
    data: &Dataset,
) -> Result<(), FitError> {
    let (expected, got) = (network.inputs(), data.input_width());
    if data.is_empty() || expected == got {
        return Ok(());
    }
    Err(FitError::Width { what, expected, got })
}
