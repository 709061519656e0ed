//! Diagnoses a model's problems and suggests remedies.
//!
//! - [`diagnose`] detects over- and underfitting in a training's [`History`];
//! - [`bias_variance`] decomposes a model's error, on a problem with known noise;
//! - [`learning_curve`] shows the score as a function of the number of training rows.

mod bias_variance;
mod learning_curve;
#[cfg(test)]
mod tests;

pub use bias_variance::{BiasVariance, Problem, bias_variance};
pub use learning_curve::{LearningCurve, SizeScores, learning_curve};

use std::fmt;

use crate::supervised::{FitError, History};
use crate::text::rounded;

use crate::require;

/// How well a network fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitting {
    /// Neither unfinished nor under- or overfitting.
    Good,
    /// The losses were still falling when the training ended.
    Unfinished,
    /// The network does not fit even its training rows.
    Underfitting,
    /// The network fits its training rows better than others.
    Overfitting,
}

/// The thresholds of [`diagnose`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Underfitting: the training loss exceeds this fraction of the baseline; in (0, 1].
    pub train_share: f64,
    /// Overfitting: the validation loss exceeds the training loss by more than this fraction of the
    /// baseline; > 0.
    pub gap_share: f64,
    /// Also overfitting: by the end the validation loss has risen by more than this fraction of its
    /// minimum while the training loss fell; > 0.
    pub rise: f64,
    /// Unfinished: the last tenth of the training lowered the validation loss by more than this
    /// fraction; > 0.
    pub slope: f64,
}

impl Thresholds {
    fn check(&self) -> Result<(), FitError> {
        let Self { train_share, gap_share, rise, slope } = *self;
        for (key, value) in [
            ("train_share", train_share),
            ("gap_share", gap_share),
            ("rise", rise),
            ("slope", slope),
        ] {
            require(value > 0.0 && value.is_finite(), key, value, "positive")?;
        }
        Ok(())
    }
}

impl Default for Thresholds {
    /// Half of the baseline, a tenth of it, a tenth, and one percent.
    fn default() -> Self {
        Self { train_share: 0.5, gap_share: 0.1, rise: 0.1, slope: 0.01 }
    }
}

/// The result of [`diagnose`].
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// The verdict.
    pub fitting: Fitting,
    /// The evidence, in words and numbers.
    pub reasons: Vec<String>,
    /// The usual remedies, the most effective first.
    pub remedies: &'static [&'static str],
}

/// Diagnoses from a training's losses how well its network fits.
///
/// `baseline` is the loss of the best constant prediction: the variance of the targets for the
/// squared error, the entropy of the class frequencies for the cross-entropy. It tells whether a
/// loss is high. Needs held-out rows.
///
/// Underfitting is checked first: a network that fits nothing has no gap either. See Goodfellow,
/// Bengio and Courville, "Deep Learning" (2016), section 5.2.
///
/// # Errors
/// [`FitError::Empty`] if no epoch is complete or nothing was held out, [`FitError::Setting`] if
/// the baseline or a threshold is not positive, or the best epoch is not in the history;
/// [`FitError::NotFinite`] if a loss is not finite.
pub fn diagnose(
    history: &History,
    baseline: f64,
    thresholds: &Thresholds,
) -> Result<Diagnosis, FitError> {
    require(baseline > 0.0 && baseline.is_finite(), "baseline", baseline, "positive")?;
    thresholds.check()?;
    let losses: Option<Vec<(f64, f64)>> = history
        .epochs
        .iter()
        .map(|epoch| Some((epoch.train_loss, epoch.validation_loss?)))
        .collect();
    let losses = losses.filter(|losses| !losses.is_empty()).ok_or(FitError::Empty)?;
    let not_finite = |&(train, held_out): &(f64, f64)| !(train.is_finite() && held_out.is_finite());
    if let Some(epoch) = losses.iter().position(not_finite) {
        let (train, held_out) = losses[epoch];
        let loss = if train.is_finite() { held_out } else { train };
        return Err(FitError::NotFinite { epoch: epoch + 1, loss });
    }
    let best = history.best_epoch.unwrap_or(losses.len() - 1);
    let exists = best < losses.len();
    require(exists, "best_epoch", best as f64, "one of the history's epochs")?;
    let ((train, validation), (last_train, last)) = (losses[best], losses[losses.len() - 1]);
    let shown = |loss: f64| rounded(loss, 4);
    let percent = |share: f64, decimals: u8| rounded(100.0 * share, decimals);

    let tail = losses.len().div_ceil(10);
    let before = losses[..losses.len() - tail].iter().map(|&(_, held_out)| held_out);
    let before = before.fold(f64::INFINITY, f64::min);
    let still = (before - validation) / before.abs();
    let unfinished = before.is_finite() && !history.stopped_early && still > thresholds.slope;
    let still_falling = format!(
        "the last {tail} epochs still lowered the validation loss by {} %",
        percent(still, 1)
    );

    let mut reasons = Vec::new();
    if train > thresholds.train_share * baseline {
        reasons.push(format!(
            "the training loss, {}, is {} % of the {} that a constant reaches",
            shown(train),
            percent(train / baseline, 0),
            shown(baseline)
        ));
        if unfinished {
            reasons.push(still_falling);
            return Ok(Diagnosis { fitting: Fitting::Unfinished, reasons, remedies: LONGER });
        }
        return Ok(Diagnosis { fitting: Fitting::Underfitting, reasons, remedies: MORE });
    }
    let gap = validation - train;
    if gap > thresholds.gap_share * baseline {
        reasons.push(format!(
            "the validation loss, {}, is above the training loss, {}, by {} % of the {} that a \
             constant reaches",
            shown(validation),
            shown(train),
            percent(gap / baseline, 0),
            shown(baseline)
        ));
    }
    if last - validation > thresholds.rise * validation.abs() && last_train < train {
        reasons.push(format!(
            "after epoch {} the validation loss rose from {} to {} while the training loss fell \
             from {} to {}",
            best + 1,
            shown(validation),
            shown(last),
            shown(train),
            shown(last_train)
        ));
    }
    if !reasons.is_empty() {
        return Ok(Diagnosis { fitting: Fitting::Overfitting, reasons, remedies: LESS });
    }
    if unfinished {
        reasons.push(still_falling);
        return Ok(Diagnosis { fitting: Fitting::Unfinished, reasons, remedies: LONGER });
    }
    reasons.push(format!(
        "the training loss, {}, is {} % of the {} that a constant reaches, and the validation loss, \
         {}, is close to it",
        shown(train),
        percent(train / baseline, 0),
        shown(baseline),
        shown(validation)
    ));
    Ok(Diagnosis { fitting: Fitting::Good, reasons, remedies: &[] })
}

const LONGER: &[&str] = &["train for more epochs", "raise the learning rate"];
const MORE: &[&str] = &[
    "use a wider or deeper network",
    "weaken weight decay and dropout",
    "raise the learning rate or train for more epochs",
    "standardise the inputs, and add features that the targets depend on",
];
const LESS: &[&str] = &[
    "get more rows, or augment the existing ones",
    "stop early: keep the weights of the best epoch",
    "add weight decay or dropout",
    "use a smaller network",
];

impl fmt::Display for Fitting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "a good fit",
            Self::Unfinished => "unfinished",
            Self::Underfitting => "underfitting",
            Self::Overfitting => "overfitting",
        })
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.fitting)?;
        for reason in &self.reasons {
            write!(f, "\n  - {reason}")?;
        }
        if !self.remedies.is_empty() {
            write!(f, "\n  What usually helps: {}.", self.remedies.join("; "))?;
        }
        Ok(())
    }
}
