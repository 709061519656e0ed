//! Trained to be unsure of what is no training row.

use tch::{Kind, Tensor};

use super::OodError;
use crate::data::{Batch, DataError, Dataset, Table};
use crate::loss::LossError;
use crate::loss::check::{check_labels, check_prediction, check_setting};
use crate::nn::Network;
use crate::supervised::{FitError, Objective};

/// Outlier Exposure: the cross-entropy of rows with a class, and of rows without one that to the uniform
/// distribution, so that the network is sure of the former only.
///
/// Hendrycks, Mazeika and Dietterich, "Deep anomaly detection with outlier exposure" (2019),
/// <https://arxiv.org/abs/1812.04606>, section 3. The outliers must not be those that it is tested by.
///
/// As an [`Objective`] it descends rows of both kinds ([`join`](Self::join)), so that shuffling, resuming
/// and seeds are the training's own. Held-out rows without outliers are judged by cross-entropy alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutlierExposure {
    /// The classes of the training rows, as many as the network has outputs.
    pub classes: usize,
    /// How much the mean over outliers counts beside that over rows with a class; ≥ 0.
    pub weight: f64,
}

impl OutlierExposure {
    /// With the paper's weight, ½.
    #[must_use]
    pub fn new(classes: usize) -> Self {
        Self { classes, weight: 0.5 }
    }

    /// Training rows, and behind them the outliers, whose class is `classes`: none of theirs.
    ///
    /// # Errors
    /// [`OodError::Data`] where training rows have no classes below `classes` or outliers are not
    /// finite, [`OodError::Count`] where outliers are not as wide.
    pub fn join(&self, train: &Dataset, outliers: &Table) -> Result<Dataset, OodError> {
        let (known, classes) = (train.classes()?, self.classes);
        if let Some(row) = known.iter().position(|&class| class >= classes) {
            let (value, below) = (known[row] as f32, Some(classes));
            return Err(DataError::NotAClass { row, value, below }.into());
        }
        let (expected, got) = (train.input_width(), outliers.width());
        if expected != got {
            return Err(OodError::Count { what: "numbers in a row of outliers", expected, got });
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

/// The mean cross-entropy of rows with a class plus `weight` times the mean cross-entropy of outliers
/// to the uniform distribution, `−1/C Σ_c ln p_c`: `[]`, differentiable. A mean over no rows is 0.
///
/// `logits` is `[B, C]`; `class` is `[B]` of kind `Int64`, where C is an outlier's.
///
/// # Errors
/// [`LossError`]: shapes, kinds or devices that do not fit, classes above C, a weight below 0.
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
