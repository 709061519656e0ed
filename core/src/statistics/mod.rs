//! Statistics of runs: summaries over seeds, bootstrap intervals, curves and thresholds.
//!
//! A statistic of too few values, or of values that are not finite, is `None`, never a made-up
//! number; an invalid argument is a [`StatisticsError`]. Random draws come only from the caller's
//! generator, so the same generator gives the same bits.

mod aggregate;
mod bootstrap;
mod comparison;
mod curve;
mod interval;
mod paired;
mod quantiles;
mod smoothing;
mod summary;
mod survival;
mod threshold;

pub use aggregate::{aggregate_iqm, aggregate_mean, aggregate_median, optimality_gap};
pub use bootstrap::{Bootstrap, Interval, Method};
pub use comparison::{performance_profile, probability_of_improvement};
pub use curve::{Curve, Interpolation, common_grid};
pub use interval::{MedianInterval, mean_interval, median_interval, sample_size};
pub use paired::paired_difference;
pub use smoothing::{Bin, bin_means, moving_average};
pub(crate) use summary::unit_scale;
pub use summary::{argmax, iqm, mean, median, quantile, sample_std};
pub use survival::KaplanMeier;
pub use threshold::{StepsToThreshold, censored_median, steps_to_threshold};

use crate::text::number;

/// An argument is invalid, or a statistic is undefined.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// There are no values.
    #[error("got no values: expected at least one in every group")]
    Empty,
    /// Too few values for an interval: a single one has no spread.
    #[error("an interval needs at least {needed} values in every group: got {got}; run more seeds")]
    TooFew {
        /// The number needed.
        needed: usize,
        /// The number given.
        got: usize,
    },
    /// The coordinates of a curve differ in length.
    #[error("a curve needs one y for each x: got {x} x and {y} y")]
    Length {
        /// The number of x.
        x: usize,
        /// The number of y.
        y: usize,
    },
    /// Two samples differ in length.
    #[error("a paired difference needs two samples of the same length: got {a} and {b} values")]
    Pairs {
        /// The length of the first sample.
        a: usize,
        /// The length of the second sample.
        b: usize,
    },
    /// An x is NaN, infinite or smaller than the one before.
    #[error("x must be finite and never decrease: x[{index}] is {}", number(*value))]
    Order {
        /// Index of the first offending x.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The confidence level is outside (0, 1).
    #[error("confidence must lie between 0 and 1, both excluded (for example 0.95): got {}", number(*.0))]
    Confidence(f64),
    /// The number of resamples is 0.
    #[error("a bootstrap needs at least one resample (for example 10000): got 0")]
    NoResamples,
    /// The number of resamples is too large.
    #[error("a bootstrap takes at most a million resamples (for example 10000): got {0}")]
    TooManyResamples(usize),
    /// The statistic is undefined on the sample or on one of its resamples.
    #[error(
        "the statistic is undefined on this sample: are all values finite, and enough of them?"
    )]
    Undefined,
    /// A bin width that is zero, negative or not finite.
    #[error("the bin width must be positive and finite: got {}", number(*.0))]
    BinWidth(f64),
    /// There would be too many bins.
    #[error("{} bins are too many (at most ten million): choose a wider bin", number(*.0))]
    TooManyBins(f64),
}
