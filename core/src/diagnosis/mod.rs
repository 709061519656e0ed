//! What is wrong with a model, and what to do about it.
//!
//! - [`diagnose`] reads over- and underfitting from a training's [`History`];
//! - [`bias_variance`] takes a model's error apart, on a problem whose noise is known;
//! - [`learning_curve`] shows how the score grows with the rows to learn from.

mod bias_variance;
mod learning_curve;
#[cfg(test)]
mod tests;

pub use bias_variance::{BiasVariance, Problem, bias_variance};
pub use learning_curve::{LearningCurve, SizeScores, learning_curve};

use std::fmt;

use crate::supervised::{FitError, History};
use crate::text::rounded;

/// How a network fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fitting {
    /// Neither of the others.
    Good,
    /// Its losses were still falling when the training ended.
    Unfinished,
    /// It does not even fit the rows that it was trained with.
    Underfitting,
    /// It fits the rows that it was trained with better than others.
    Overfitting,
}

/// From where on a loss is too high.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Thresholds {
    /// Underfitting: the training loss is above this share of the baseline's; in (0, 1].
    pub train_share: f64,
    /// Overfitting: the validation loss is above the training loss by more than this share of the
    /// baseline's; > 0.
    pub gap_share: f64,
    /// Overfitting too: by the end the validation loss has risen by more than this share of its least
    /// value while the training loss fell; > 0.
    pub rise: f64,
    /// Unfinished: over its last tenth the training still lowered the validation loss by more than
    /// this share; > 0.
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
            if !(value > 0.0 && value.is_finite()) {
                return Err(FitError::Setting { key, value, allowed: "positive" });
            }
        }
        Ok(())
    }
}

impl Default for Thresholds {
    /// Half of the baseline, a tenth of it, a tenth, one percent.
    fn default() -> Self {
        Self { train_share: 0.5, gap_share: 0.1, rise: 0.1, slope: 0.01 }
    }
}

/// What [`diagnose`] found.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnosis {
    /// The verdict.
    pub fitting: Fitting,
    /// What it was read from, in words and numbers.
    pub reasons: Vec<String>,
    /// What usually helps, what helps most first.
    pub remedies: &'static [&'static str],
}

/// Reads from a training's losses how its network fits.
///
/// `baseline` is the loss of whoever does not look at the inputs: the variance of the targets for the
/// squared error, the entropy of the class frequencies for the cross-entropy. Without it nobody can
/// say whether a loss is high. Needs rows held out.
///
/// Underfitting is looked for first: a network that fits nothing has no gap either. See Goodfellow,
/// Bengio and Courville, "Deep Learning" (2016), section 5.2.
///
/// # Errors
/// [`FitError::Empty`] where no epoch is over or nothing was held out, [`FitError::Setting`] for a
/// baseline or a threshold that is not positive, or a best epoch that the history does not have;
/// [`FitError::NotFinite`] where a loss is not.
pub fn diagnose(
    history: &History,
    baseline: f64,
    thresholds: &Thresholds,
) -> Result<Diagnosis, FitError> {
    if !(baseline > 0.0 && baseline.is_finite()) {
        return Err(FitError::Setting { key: "baseline", value: baseline, allowed: "positive" });
    }
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
    if best >= losses.len() {
        let (key, value, allowed) = ("best_epoch", best as f64, "one of the history's epochs");
        return Err(FitError::Setting { key, value, allowed });
    }
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
    "get more rows, or augment those that there are",
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
