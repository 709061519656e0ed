//! Learning-rate schedules: the factor of the learning rate at each step.
//!
//! Each schedule is a pure function of the step: it has no state to save, and resuming cannot shift
//! it. The formulas are those of PyTorch's schedulers of the same names, relative to the
//! optimiser's learning rate, which is the highest rate unless settings make it grow. The caller
//! decides whether a step is an update or an epoch.
//!
//! ```
//! use gymnast_core::lr_schedule::LrSchedule;
//!
//! // Up in 100 steps, then half a cosine down to nothing at step 1000.
//! let then = Box::new(LrSchedule::Cosine { t_max: None, min_factor: 0.0 });
//! let schedule = LrSchedule::WarmUp { steps: 100, start_factor: 0.1, then };
//! assert_eq!(schedule.at(0, 1000)?, 0.1);
//! assert_eq!(schedule.at(100, 1000)?, 1.0);
//! assert!(schedule.at(1000, 1000)? < 1e-12);
//! # Ok::<(), gymnast_core::SettingError>(())
//! ```

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::{SettingError, require};

/// How the learning rate changes during training, with PyTorch's names and defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LrSchedule {
    /// A constant learning rate.
    #[default]
    Constant,
    /// Multiplies the rate by `gamma` after every `step_size` steps (`StepLR`).
    Step {
        /// The steps between two changes; ≥ 1.
        step_size: u64,
        /// The factor of each change; > 0.
        #[serde(default = "one_tenth")]
        gamma: f64,
    },
    /// Multiplies the rate by `gamma` after every step (`ExponentialLR`).
    Exponential {
        /// The factor of each step; > 0.
        gamma: f64,
    },
    /// Half a cosine from 1 to `min_factor`, then constant (`CosineAnnealingLR`; Loshchilov and
    /// Hutter 2017, <https://arxiv.org/abs/1608.03983>, without restarts).
    Cosine {
        /// The length of the half cosine in steps, ≥ 1; `None`: all steps.
        #[serde(default)]
        t_max: Option<u64>,
        /// The final factor, PyTorch's `eta_min` divided by the learning rate; ≥ 0.
        #[serde(default)]
        min_factor: f64,
    },
    /// A straight line, then constant (`LinearLR`, which by default rises over 5 steps).
    Linear {
        /// The initial factor; ≥ 0.
        #[serde(default = "one")]
        start_factor: f64,
        /// The final factor; ≥ 0.
        #[serde(default)]
        end_factor: f64,
        /// The length of the line in steps, ≥ 1; `None`: all steps.
        #[serde(default)]
        total_iters: Option<u64>,
    },
    /// A linear warm-up, then another schedule for the remaining steps (`SequentialLR` of
    /// `LinearLR` and another).
    WarmUp {
        /// The length of the warm-up in steps.
        steps: u64,
        /// The initial factor, relative to the first factor of `then`; ≥ 0.
        #[serde(default)]
        start_factor: f64,
        /// The schedule after the warm-up; its steps count from 0.
        then: Box<LrSchedule>,
    },
    /// Cycles from `base_factor` up to 1 and down again (`CyclicLR`; Smith 2017,
    /// <https://arxiv.org/abs/1506.01186>).
    Cyclic {
        /// The lowest factor, PyTorch's `base_lr / max_lr`; in [0, 1].
        base_factor: f64,
        /// The steps of the rise; ≥ 1.
        #[serde(default = "two_thousand")]
        step_size_up: u64,
        /// The steps of the fall, ≥ 1; `None`: the same as the rise.
        #[serde(default)]
        step_size_down: Option<u64>,
        /// How the height of the cycles changes.
        #[serde(default)]
        mode: CyclicMode,
    },
    /// One rise and one long fall over all steps (`OneCycleLR`; Smith and Topin 2018,
    /// <https://arxiv.org/abs/1708.07120>). The momentum does not change.
    OneCycle {
        /// The fraction of the steps spent rising; in [0, 1], with three phases in [0, ½].
        #[serde(default = "three_tenths")]
        pct_start: f64,
        /// The shape of each phase.
        #[serde(default)]
        anneal_strategy: Anneal,
        /// The initial factor is 1 / `div_factor`; > 0.
        #[serde(default = "twenty_five")]
        div_factor: f64,
        /// The initial factor divided by the final one; > 0.
        #[serde(default = "ten_thousand")]
        final_div_factor: f64,
        /// Whether to fall at the speed of the rise first, then on to the final factor (three
        /// phases).
        #[serde(default)]
        three_phase: bool,
    },
}

/// How the height of the cycles of [`LrSchedule::Cyclic`] changes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum CyclicMode {
    /// All cycles have the same height.
    #[default]
    Triangular,
    /// Each cycle is half as high as the one before.
    Triangular2,
    /// The height is multiplied by `gamma` at every step.
    ExpRange {
        /// The factor; in (0, 1].
        gamma: f64,
    },
}

/// The shape of a phase of [`LrSchedule::OneCycle`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Anneal {
    /// Half a cosine.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl Anneal {
    fn between(self, start: f64, end: f64, part: f64) -> f64 {
        match self {
            Self::Cos => end + (start - end) / 2.0 * ((PI * part).cos() + 1.0),
            Self::Linear => start + (end - start) * part,
        }
    }
}

impl LrSchedule {
    /// Returns the factor of the learning rate at `step`, from 0, of a training of `total_steps`.
    /// After its end a schedule keeps its last factor.
    ///
    /// # Errors
    /// [`SettingError`] if a setting is out of its range, the schedule needs `total_steps` and it
    /// is 0, or the factor exceeds the range of `f64`.
    pub fn at(&self, step: u64, total_steps: u64) -> Result<f64, SettingError> {
        self.check()?;
        let factor = self.factor(step, total_steps)?;
        require(factor.is_finite(), "the factor of the rate", factor, "finite")?;
        Ok(factor)
    }

    fn factor(&self, step: u64, total_steps: u64) -> Result<f64, SettingError> {
        let all_if = |steps: Option<u64>| match steps.unwrap_or(total_steps) {
            0 => Err(SettingError::new("total_steps", 0.0, "at least 1")),
            steps => Ok(steps as f64),
        };
        let now = step as f64;
        Ok(match *self {
            Self::Constant => 1.0,
            Self::Step { step_size, gamma } => gamma.powf((step / step_size) as f64),
            Self::Exponential { gamma } => gamma.powf(now),
            Self::Cosine { t_max, min_factor } => {
                Anneal::Cos.between(1.0, min_factor, (now / all_if(t_max)?).min(1.0))
            }
            Self::Linear { start_factor, end_factor, total_iters } => {
                let part = (now / all_if(total_iters)?).min(1.0);
                Anneal::Linear.between(start_factor, end_factor, part)
            }
            Self::WarmUp { steps, start_factor, ref then } => {
                // Its first factor counts even where it has no step left.
                let left = total_steps.saturating_sub(steps).max(1);
                let factor = then.at(step.saturating_sub(steps), left)?;
                let part = if step < steps { now / steps as f64 } else { 1.0 };
                factor * Anneal::Linear.between(start_factor, 1.0, part)
            }
            Self::Cyclic { base_factor, step_size_up, step_size_down, mode } => {
                let (up, down) = (step_size_up, step_size_down.unwrap_or(step_size_up));
                let cycle = u128::from(up) + u128::from(down);
                let (cycles, within) = (u128::from(step) / cycle, u128::from(step) % cycle);
                let height = match within as f64 {
                    within if within <= up as f64 => within / up as f64,
                    within => (cycle as f64 - within) / down as f64,
                };
                let scale = match mode {
                    CyclicMode::Triangular => 1.0,
                    CyclicMode::Triangular2 => 0.5_f64.powf(cycles as f64),
                    CyclicMode::ExpRange { gamma } => gamma.powf(now),
                };
                base_factor + (1.0 - base_factor) * height * scale
            }
            Self::OneCycle {
                pct_start,
                anneal_strategy,
                div_factor,
                final_div_factor,
                three_phase,
            } => {
                let total = all_if(None)?;
                let (first, up) = (1.0 / div_factor, pct_start * total - 1.0);
                let last = (total - 1.0, first / final_div_factor);
                let down = 2.0 * pct_start * total - 2.0;
                let two = [(up, 1.0), last];
                let three = [(up, 1.0), (down, first), last];
                phases(if three_phase { &three } else { &two }, first, anneal_strategy, now)
            }
        })
    }

    /// Checks that every setting is in its range; [`at`](Self::at) checks as well.
    ///
    /// # Errors
    /// [`SettingError`].
    pub fn check(&self) -> Result<(), SettingError> {
        let check = |key, got, allowed, holds| require(holds, key, got, allowed);
        let whole = |key, got: u64| check(key, got as f64, "at least 1", got > 0);
        let positive =
            |key, got: f64| check(key, got, "finite and > 0", got > 0.0 && got.is_finite());
        let nonnegative =
            |key, got: f64| check(key, got, "finite and ≥ 0", got >= 0.0 && got.is_finite());
        match *self {
            Self::Constant => Ok(()),
            Self::Step { step_size, gamma } => {
                whole("step_size", step_size)?;
                positive("gamma", gamma)
            }
            Self::Exponential { gamma } => positive("gamma", gamma),
            Self::Cosine { t_max, min_factor } => {
                whole("t_max", t_max.unwrap_or(1))?;
                nonnegative("min_factor", min_factor)
            }
            Self::Linear { start_factor, end_factor, total_iters } => {
                whole("total_iters", total_iters.unwrap_or(1))?;
                nonnegative("start_factor", start_factor)?;
                nonnegative("end_factor", end_factor)
            }
            Self::WarmUp { start_factor, ref then, .. } => {
                nonnegative("start_factor", start_factor)?;
                then.check()
            }
            Self::Cyclic { base_factor, step_size_up, step_size_down, mode } => {
                let is_part = (0.0..=1.0).contains(&base_factor);
                check("base_factor", base_factor, "in [0, 1]", is_part)?;
                whole("step_size_up", step_size_up)?;
                whole("step_size_down", step_size_down.unwrap_or(1))?;
                match mode {
                    CyclicMode::ExpRange { gamma } => {
                        check("gamma", gamma, "in (0, 1]", gamma > 0.0 && gamma <= 1.0)
                    }
                    CyclicMode::Triangular | CyclicMode::Triangular2 => Ok(()),
                }
            }
            Self::OneCycle { pct_start, div_factor, final_div_factor, three_phase, .. } => {
                let (most, allowed) =
                    if three_phase { (0.5, "in [0, ½]") } else { (1.0, "in [0, 1]") };
                check("pct_start", pct_start, allowed, (0.0..=most).contains(&pct_start))?;
                positive("div_factor", div_factor)?;
                positive("final_div_factor", final_div_factor)
            }
        }
    }
}

/// Phases that follow each other, each given by the step at which it ends and the factor there.
fn phases(ends: &[(f64, f64)], first: f64, anneal: Anneal, step: f64) -> f64 {
    let (mut start, mut from) = (0.0, first);
    for &(end, to) in ends {
        if step <= end {
            // A phase of no length is over as soon as it begins.
            let part = if end > start { (step - start) / (end - start) } else { 1.0 };
            return anneal.between(from, to, part);
        }
        (start, from) = (end, to);
    }
    from
}

fn one() -> f64 {
    1.0
}

fn one_tenth() -> f64 {
    0.1
}

fn three_tenths() -> f64 {
    0.3
}

fn twenty_five() -> f64 {
    25.0
}

fn ten_thousand() -> f64 {
    1e4
}

fn two_thousand() -> u64 {
    2000
}
