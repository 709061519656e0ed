//! Smoothing of episode returns: moving averages and bins.

use std::num::NonZeroUsize;

use super::{Curve, StatisticsError, mean};
use crate::rounding::settled;

/// Returns the mean over every full window of `window` consecutive points, at the window's last x.
///
/// The first `window − 1` points have no full window and are left out, so a curve shorter than the
/// window gives an empty one. A window with a value that is not finite gives a gap (NaN).
pub fn moving_average(curve: &Curve, window: NonZeroUsize) -> Curve {
    let window = window.get();
    let y = curve.y().windows(window).map(|values| mean(values).unwrap_or(f64::NAN)).collect();
    let x = curve.x().get(window - 1..).unwrap_or_default().to_vec();
    Curve::new(x, y).expect("the tail of an ordered x, one for each window")
}

/// One bin of a curve: the points with `start < x <= end`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Left end, excluded.
    pub start: f64,
    /// Right end, included.
    pub end: f64,
    /// The number of points in the bin.
    pub count: usize,
    /// Mean of their y; `None` without points or if one is not finite.
    pub mean: Option<f64>,
}

/// Returns the means of `curve` over bins of `width`, from 0 to the last point.
///
/// Bins are open on the left and closed on the right: an episode that ends at env step 1000 used
/// steps 1 to 1000 and belongs to the first bin of width 1000. Points at x ≤ 0 belong to no bin.
///
/// # Errors
/// [`StatisticsError::BinWidth`] if `width` is not positive and finite;
/// [`StatisticsError::TooManyBins`] if there would be more than ten million.
pub fn bin_means(curve: &Curve, width: f64) -> Result<Vec<Bin>, StatisticsError> {
    if !(width > 0.0 && width.is_finite()) {
        return Err(StatisticsError::BinWidth(width));
    }
    let last = curve.x().last().copied().unwrap_or(0.0);
    let needed = settled(last / width).ceil().max(0.0);
    if needed > 1e7 {
        return Err(StatisticsError::TooManyBins(needed));
    }
    let bins = (0..needed as usize).map(|index| {
        let (start, end) = (index as f64 * width, (index + 1) as f64 * width);
        // The quotient above may round down at the very end; the last bin takes what is left.
        let end = if index + 1 == needed as usize { end.max(last) } else { end };
        let from = curve.x().partition_point(|&x| x <= start);
        let to = curve.x().partition_point(|&x| x <= end);
        Bin { start, end, count: to - from, mean: mean(&curve.y()[from..to]) }
    });
    Ok(bins.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[(f64, f64)]) -> Curve {
        let (x, y) = points.iter().copied().unzip();
        Curve::new(x, y).unwrap()
    }

    #[test]
    fn only_full_windows_are_averaged() {
        let returns = curve(&[(1.0, 3.0), (2.0, 5.0), (4.0, 7.0), (9.0, 0.0)]);
        let smooth = moving_average(&returns, NonZeroUsize::new(3).unwrap());
        assert_eq!(smooth, curve(&[(4.0, 5.0), (9.0, 4.0)]));
        assert!(moving_average(&returns, NonZeroUsize::new(5).unwrap()).is_empty());
        assert_eq!(moving_average(&returns, NonZeroUsize::MIN), returns);
    }

    #[test]
    fn a_nan_spoils_its_own_windows_only() {
        let returns = curve(&[(1.0, 1.0), (2.0, f64::NAN), (3.0, 3.0), (4.0, 5.0)]);
        let smooth = moving_average(&returns, NonZeroUsize::new(2).unwrap());
        assert!(smooth.y()[0].is_nan() && smooth.y()[1].is_nan());
        assert_eq!(smooth.y()[2], 4.0);
    }

    #[test]
    fn an_episode_belongs_to_the_bin_it_ends_in() {
        let returns = curve(&[(0.0, 99.0), (4.0, 1.0), (10.0, 3.0), (11.0, 8.0), (35.0, 6.0)]);
        let bins = bin_means(&returns, 10.0).unwrap();
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [2, 1, 0, 1]);
        let means: Vec<_> = bins.iter().map(|bin| bin.mean).collect();
        assert_eq!(means, [Some(2.0), Some(8.0), None, Some(6.0)]);
        assert_eq!((bins[3].start, bins[3].end), (30.0, 40.0));
        assert!(bin_means(&Curve::default(), 10.0).unwrap().is_empty());
    }

    #[test]
    fn no_point_is_lost_to_rounding() {
        let x: Vec<f64> = (1..=300).map(|i| f64::from(i) * 0.1).collect();
        let returns = Curve::new(x.clone(), x).unwrap();
        let counted: usize = bin_means(&returns, 0.1).unwrap().iter().map(|bin| bin.count).sum();
        assert_eq!(counted, 300);
        // 0.30000000000000004 / 0.1 is 3.0000000000000004: no fourth bin, of nothing.
        let tenths = curve(&[(0.1, 1.0), (0.1 + 0.2, 3.0)]);
        let counts: Vec<_> = bin_means(&tenths, 0.1).unwrap().iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [1, 0, 1]);
    }

    #[test]
    fn a_useless_width_is_refused() {
        let returns = curve(&[(1e9, 1.0)]);
        assert_eq!(bin_means(&returns, 0.0), Err(StatisticsError::BinWidth(0.0)));
        assert!(bin_means(&returns, f64::NAN).is_err());
        assert_eq!(bin_means(&returns, 1.0), Err(StatisticsError::TooManyBins(1e9)));
    }
}
