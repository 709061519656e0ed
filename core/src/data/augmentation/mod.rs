//! Data augmentation: random changes of training rows that keep their meaning.
//!
//! An [`Augmentation`] is one change, [`Compose`] applies several in order. Settings are checked
//! once against the width of the rows; each row draws from the caller's stream. A row keeps its
//! width. [`mixup`] mixes pairs of rows. Augment training rows only.
//!
//! ```
//! use gymnast_core::data::{Augmentation, Compose, Shape, load_digits};
//! use rand::SeedableRng;
//!
//! let (digits, shape) = (load_digits(), Shape { height: 8, width: 8, channels: 1 });
//! let views = Compose::new(
//!     vec![
//!         Augmentation::Rotation { shape, degrees: (-15.0, 15.0) },
//!         Augmentation::GaussianNoise { std: 0.5 },
//!     ],
//!     digits.input_width(),
//! )?;
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
//! let augmented = views.apply_to_inputs(&digits, &mut rng)?;
//! assert_ne!(augmented.inputs(), digits.inputs());
//! # Ok::<(), gymnast_core::data::DataError>(())
//! ```

mod compose;
mod crop;
mod mask;
mod mixup;
mod shape;
#[cfg(test)]
mod tests;
mod warp;

pub use compose::Compose;
pub use mixup::{Mixed, mixup};
pub use shape::Shape;

use rand::{Rng, RngExt as _};
use rand_distr::{Distribution as _, StandardNormal};
use serde::{Deserialize, Serialize};

use super::DataError;

use crate::require;

/// A random change of a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Augmentation {
    /// Adds normal noise to each number.
    GaussianNoise {
        /// The standard deviation of the noise, in the unit of the data; ≥ 0.
        std: f32,
    },
    /// Replaces each number independently.
    FeatureMask {
        /// The probability that a number is replaced; in [0, 1].
        probability: f64,
        /// The replacement.
        value: f32,
    },
    /// Replaces a rectangle of an image. Its centre may be any pixel, so it may cross the edge:
    /// DeVries and Taylor, "Improved regularization of convolutional neural networks with cutout"
    /// (2017).
    Cutout {
        /// The layout of the image in the row.
        shape: Shape,
        /// The height of the rectangle; from 1 to the image's height.
        height: usize,
        /// The width of the rectangle; from 1 to the image's width.
        width: usize,
        /// The replacement.
        value: f32,
    },
    /// Replaces a stretch of a signal, of random length from 0 to `max_length`: the time masking of
    /// SpecAugment, Park et al. (2019).
    TimeMask {
        /// The layout of the signal in the row.
        shape: Shape,
        /// The longest stretch, in steps; at most the length of the signal.
        max_length: usize,
        /// The replacement.
        value: f32,
    },
    /// Shifts an image or signal: pads it with zeros and crops a part of the original size.
    RandomCrop {
        /// The layout of the image in the row.
        shape: Shape,
        /// The width of the zero padding on each side, in pixels: the largest shift. A signal, of
        /// height 1, is shifted in time only.
        padding: usize,
    },
    /// Crops a part of an image or signal and resizes it to the full size (bilinear). The part
    /// keeps the aspect ratio.
    RandomResizedCrop {
        /// The layout of the image in the row.
        shape: Shape,
        /// The range of the part's side relative to the whole; in (0, 1].
        scale: (f64, f64),
    },
    /// Flips an image left to right, or a signal in time.
    HorizontalFlip {
        /// The layout of the image in the row.
        shape: Shape,
        /// The probability of a flip; in [0, 1].
        probability: f64,
    },
    /// Flips an image upside down.
    VerticalFlip {
        /// The layout of the image in the row.
        shape: Shape,
        /// The probability of a flip; in [0, 1].
        probability: f64,
    },
    /// Rotates an image about its centre (bilinear, zeros beyond the edge).
    Rotation {
        /// The layout of the image in the row.
        shape: Shape,
        /// The range of the angle, in degrees counter-clockwise.
        degrees: (f64, f64),
    },
    /// Plays a signal faster or slower about its middle, by linear interpolation. Gaps at the ends
    /// repeat the first and the last value.
    TimeStretch {
        /// The layout of the signal in the row.
        shape: Shape,
        /// The range of the rate, > 0; above 1 is faster.
        rate: (f64, f64),
    },
    /// Applies another augmentation with a given probability.
    RandomApply {
        /// The probability; in [0, 1].
        probability: f64,
        /// The augmentation to apply.
        augmentation: Box<Augmentation>,
    },
}

impl Augmentation {
    /// Augments a row in place.
    ///
    /// Checks the settings on every call; [`Compose`] does so once.
    ///
    /// # Errors
    /// [`DataError::Setting`] if a setting is out of its range, [`DataError::Count`] unless the
    /// row's length matches the shape.
    pub fn apply<R: Rng + ?Sized>(&self, row: &mut [f32], rng: &mut R) -> Result<(), DataError> {
        self.check(row.len())?;
        self.change(row, rng);
        Ok(())
    }

    /// Checks that the settings are in their ranges and fit rows of this width.
    fn check(&self, row_width: usize) -> Result<(), DataError> {
        match self {
            Self::GaussianNoise { std } => at_least_0("std", f64::from(*std)),
            Self::FeatureMask { probability: share, value } => {
                probability(*share)?;
                finite("value", f64::from(*value))
            }
            Self::Cutout { shape, height, width, value } => {
                shape.check(row_width)?;
                between("height", *height, 1, shape.height, "at least 1 and at most the image's")?;
                between("width", *width, 1, shape.width, "at least 1 and at most the image's")?;
                finite("value", f64::from(*value))
            }
            Self::TimeMask { shape, max_length, value } => {
                shape.check_signal(row_width)?;
                between("max_length", *max_length, 0, shape.width, "at most the signal's length")?;
                finite("value", f64::from(*value))
            }
            Self::RandomCrop { shape, padding } => {
                shape.check(row_width)?;
                between("padding", *padding, 0, shape.width, "at most the image's width")
            }
            Self::RandomResizedCrop { shape, scale } => {
                shape.check(row_width)?;
                let allowed = "in (0, 1], the first not above the second";
                rising("scale", *scale, |share| share > 0.0 && share <= 1.0, allowed)
            }
            Self::HorizontalFlip { shape, probability: share }
            | Self::VerticalFlip { shape, probability: share } => {
                shape.check(row_width)?;
                probability(*share)
            }
            Self::Rotation { shape, degrees } => {
                shape.check(row_width)?;
                let allowed = "finite, the first not above the second";
                rising("degrees", *degrees, f64::is_finite, allowed)
            }
            Self::TimeStretch { shape, rate } => {
                shape.check_signal(row_width)?;
                let allowed = "positive, the first not above the second";
                rising("rate", *rate, |rate| rate > 0.0 && rate.is_finite(), allowed)
            }
            Self::RandomApply { probability: share, augmentation } => {
                probability(*share)?;
                augmentation.check(row_width)
            }
        }
    }

    /// Does the work of [`apply`](Self::apply) without its checks.
    fn change<R: Rng + ?Sized>(&self, row: &mut [f32], rng: &mut R) {
        match self {
            Self::GaussianNoise { std } => row.iter_mut().for_each(|x| {
                let normal: f32 = StandardNormal.sample(rng);
                *x += std * normal;
            }),
            Self::FeatureMask { probability, value } => row.iter_mut().for_each(|x| {
                if rng.random_bool(*probability) {
                    *x = *value;
                }
            }),
            Self::Cutout { shape, height, width, value } => {
                mask::cutout(row, *shape, (*height, *width), *value, rng);
            }
            Self::TimeMask { shape, max_length, value } => {
                mask::time_mask(row, *shape, *max_length, *value, rng);
            }
            Self::RandomCrop { shape, padding } => crop::shift(row, *shape, *padding, rng),
            Self::RandomResizedCrop { shape, scale } => {
                crop::resized(row, *shape, draw(*scale, rng), rng);
            }
            Self::HorizontalFlip { shape, probability } => {
                if rng.random_bool(*probability) {
                    shape.flip_horizontally(row);
                }
            }
            Self::VerticalFlip { shape, probability } => {
                if rng.random_bool(*probability) {
                    shape.flip_vertically(row);
                }
            }
            Self::Rotation { shape, degrees } => warp::rotate(row, *shape, draw(*degrees, rng)),
            Self::TimeStretch { shape, rate } => warp::stretch(row, *shape, draw(*rate, rng)),
            Self::RandomApply { probability, augmentation } => {
                if rng.random_bool(*probability) {
                    augmentation.change(row, rng);
                }
            }
        }
    }
}

/// Draws uniformly between two numbers, which may be equal.
fn draw<R: Rng + ?Sized>((low, high): (f64, f64), rng: &mut R) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

fn finite(key: &'static str, value: f64) -> Result<(), DataError> {
    Ok(require(value.is_finite(), key, value, "finite")?)
}

fn at_least_0(key: &'static str, value: f64) -> Result<(), DataError> {
    Ok(require(value >= 0.0 && value.is_finite(), key, value, "at least 0")?)
}

fn probability(value: f64) -> Result<(), DataError> {
    Ok(require((0.0..=1.0).contains(&value), "probability", value, "in [0, 1]")?)
}

fn between(
    key: &'static str,
    value: usize,
    least: usize,
    most: usize,
    allowed: &'static str,
) -> Result<(), DataError> {
    Ok(require((least..=most).contains(&value), key, value as f64, allowed)?)
}

fn rising(
    key: &'static str,
    (low, high): (f64, f64),
    holds: impl Fn(f64) -> bool,
    allowed: &'static str,
) -> Result<(), DataError> {
    require(holds(low), key, low, allowed)?;
    // The distance too: what is not finite cannot be drawn from.
    Ok(require(holds(high) && low <= high && (high - low).is_finite(), key, high, allowed)?)
}
