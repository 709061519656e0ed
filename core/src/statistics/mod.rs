//! Statistics of runs: summaries over seeds, bootstrap intervals, curves and thresholds.
//!
//! Nothing here invents a number: a statistic of too few values, or of values that are not finite,
//! is `None`, and an unusable argument is a [`StatisticsError`]. What is random draws from the
//! caller's generator only, so the same generator gives the same bits.

mod aggregate;
mod bootstrap;
mod curve;
mod interval;
mod paired;
mod smoothing;
mod summary;
mod threshold;

pub use aggregate::{aggregate_iqm, aggregate_mean, aggregate_median};
pub use bootstrap::{Bootstrap, Interval};
pub use curve::{Curve, Interpolation, common_grid};
pub use interval::{MedianInterval, mean_interval, median_interval, sample_size};
pub use paired::paired_difference;
pub use smoothing::{Bin, bin_means, moving_average};
pub(crate) use summary::unit_scale;
pub use summary::{argmax, iqm, mean, median, quantile, sample_std};
pub use threshold::{Reached, censored_median, steps_to_threshold};

use crate::text::number;

/// An argument for which a statistic has no meaning.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StatisticsError {
    /// There is nothing to compute from.
    #[error("no values were given: at least one is needed in every group")]
    Empty,
    /// Too few values for an interval: a single one has no spread.
    #[error("an interval needs at least {needed} values in every group: got {got}; run more seeds")]
    TooFew {
        /// The least number that would do.
        needed: usize,
        /// How many there were.
        got: usize,
    },
    /// The two coordinates of a curve do not pair up.
    #[error("a curve needs one y for each x: got {x} x and {y} y")]
    Length {
        /// How many x were given.
        x: usize,
        /// How many y were given.
        y: usize,
    },
    /// Two samples do not pair up.
    #[error("a paired difference needs as many of the one as of the other: got {a} and {b}")]
    Pairs {
        /// How many of the one were given.
        a: usize,
        /// How many of the other.
        b: usize,
    },
    /// A position on the x-axis is NaN, infinite or left of the one before it.
    #[error("x must be finite and never decrease: x[{index}] is {}", number(*value))]
    Order {
        /// Index of the first offending x.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// The confidence level is not a probability strictly between 0 and 1.
    #[error("confidence must lie between 0 and 1, both excluded (0.95, say): got {}", number(*.0))]
    Confidence(f64),
    /// A bootstrap without resamples.
    #[error("a bootstrap needs at least one resample (10000, say): got 0")]
    NoResamples,
    /// So many resamples that they cannot have been meant.
    #[error("a bootstrap takes at most a million resamples (10000, say): got {0}")]
    TooManyResamples(usize),
    /// The statistic has no value on the sample or on one of its resamples.
    #[error(
        "the statistic is undefined on this sample: are all values finite, and enough of them?"
    )]
    Undefined,
    /// A bin width that is zero, negative or not finite.
    #[error("the bin width must be positive and finite: got {}", number(*.0))]
    BinWidth(f64),
    /// So many bins that they cannot have been meant.
    #[error("{} bins are too many (at most ten million): choose a wider bin", number(*.0))]
    TooManyBins(f64),
}
