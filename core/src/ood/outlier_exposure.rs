//! Outlier exposure: trains a network to be uncertain about outliers.

use tch::{Kind, Tensor};

use super::OodError;
use crate::data::{Batch, DataError, Dataset, Table};
use crate::loss::LossError;
use crate::loss::check::{check_labels, check_prediction, check_setting};
use crate::nn::Network;
use crate::supervised::{FitError, Objective};

/// The cross-entropy of labelled rows plus the cross-entropy of outliers to the uniform
/// distribution, so that the network is confident on labelled rows only.
///
/// Hendrycks, Mazeika and Dietterich, "Deep anomaly detection with outlier exposure" (2019),
/// <https://arxiv.org/abs/1812.04606>, section 3. Do not train on the outliers of the test.
///
/// As an [`Objective`] it trains on rows of both kinds ([`join`](Self::join)). Held-out rows
/// without outliers are evaluated by cross-entropy alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutlierExposure {
    /// The number of classes, equal to the network's outputs.
    pub classes: usize,
    /// The weight of the mean over outliers, relative to the mean over labelled rows; ≥ 0.
    pub weight: f64,
}

impl OutlierExposure {
    /// Creates the objective with the paper's weight, ½.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, weight: 0.5 }
    }

    /// Returns the training rows followed by the outliers, whose class number is `classes`.
    ///
    /// # Errors
    /// [`OodError::Data`] if training rows have no classes below `classes` or outliers are not
    /// finite, [`OodError::Data`] if outliers have another width.
    pub fn join(&self, train: &Dataset, outliers: &Table) -> Result<Dataset, OodError> {
        let (known, classes) = (train.classes()?, self.classes);
        if let Some(row) = known.iter().position(|&class| class >= classes) {
            let (value, below) = (known[row] as f32, Some(classes));
            return Err(DataError::NotAClass { row, value, below }.into());
        }
        let (expected, got) = (train.input_width(), outliers.width());
        if expected != got {
            return Err(
                DataError::Count { what: "numbers in a row of outliers", expected, got }.into()
            );
        }
        let inputs = [train.inputs(), outliers.values()].concat();
        let targets = [train.targets(), &vec![classes as f32; outliers.len()]].concat();
        let joined = Dataset::new(inputs, expected, targets, 1)?;
        Ok(if train.is_resampled() { joined.into_resampled() } else { joined })
    }
}

impl<N: Network> Objective<N> for OutlierExposure {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let outputs = network.try_forward(&batch.inputs())?; // [B, C]
        let (classes, got) = (self.classes, outputs.size());
        // To a network of more outputs an outlier would be a row of one class more.
        if got.last() != Some(&(classes as i64)) {
            let expected = format!("[B, {classes}], one output for each class");
            return Err(LossError::Shape { what: "the prediction", expected, got }.into());
        }
        Ok(outlier_exposure_loss(&outputs, &batch.classes()?, self.weight)?)
    }

    crate::mean_over_rows!();

    fn description(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

/// Computes the mean cross-entropy of labelled rows plus `weight` times the mean cross-entropy of
/// outliers to the uniform distribution, `−1/C Σ_c ln p_c`: `[]`, differentiable. A mean over no
/// rows is 0.
///
/// `logits` is `[B, C]`; `class` is `[B]` of kind `Int64`, where C marks an outlier.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that do not match, classes above C, a weight below 0.
pub fn outlier_exposure_loss(
    logits: &Tensor,
    class: &Tensor,
    weight: f64,
) -> Result<Tensor, LossError> {
    check_setting("weight", weight, "finite and ≥ 0", weight >= 0.0 && weight.is_finite())?;
    check_prediction(logits, "[B, C]", |size| size.len() == 2)?;
    let (rows, classes) = (logits.size()[0], logits.size()[1]);
    check_labels(class, &[rows], classes + 1, logits)?;
    let log_softmax = logits.log_softmax(1, None::<Kind>); // [B, C]
    let is_outlier = class.eq(classes).to_kind(logits.kind()); // [B]
    let own = class.clamp_max(classes - 1).unsqueeze(1);
    let unlikeliness = -log_softmax.gather(1, &own, false).squeeze_dim(1); // [B]
    let unevenness = -log_softmax.mean_dim(1, false, None::<Kind>); // [B]
    let mean = |losses: Tensor, counts: &Tensor| {
        (losses * counts).sum(None::<Kind>) / counts.sum(None::<Kind>).clamp_min(1.0)
    };
    let has_class = 1.0 - &is_outlier;
    Ok(mean(unlikeliness, &has_class) + mean(unevenness, &is_outlier) * weight)
}
