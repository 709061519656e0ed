//! Curves: one seed's evaluations or episode returns over env steps or seconds.

use super::StatisticsError;

/// Points (x, y) from left to right: x is finite and never decreases; a NaN y is a gap.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Curve {
    x: Vec<f64>,
    y: Vec<f64>,
}

/// How a curve is interpolated between its points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// A straight line from one point to the next.
    #[default]
    Linear,
    /// The last value at or before x: a step curve, for evaluations that hold until the next.
    Previous,
}

impl Curve {
    /// Creates a curve through the points (`x[i]`, `y[i]`).
    ///
    /// # Errors
    /// [`StatisticsError::Length`] if the lengths differ; [`StatisticsError::Order`] if an x is not
    /// finite, is smaller than the one before, or its distance from the first exceeds `f64`.
    pub fn new(x: Vec<f64>, y: Vec<f64>) -> Result<Self, StatisticsError> {
        if x.len() != y.len() {
            return Err(StatisticsError::Length { x: x.len(), y: y.len() });
        }
        let mut previous = f64::NEG_INFINITY;
        for (index, &value) in x.iter().enumerate() {
            // Two of them may lie further apart than any number.
            let range = value - x[0];
            if !range.is_finite() || value < previous {
                return Err(StatisticsError::Order { index, value });
            }
            previous = value;
        }
        Ok(Self { x, y })
    }

    /// Returns the horizontal coordinates, from left to right.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Returns the vertical coordinates, one for each x.
    pub fn y(&self) -> &[f64] {
        &self.y
    }

    /// Returns the points (x, y), from left to right.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.x.iter().copied().zip(self.y.iter().copied())
    }

    /// Returns the number of points.
    pub fn len(&self) -> usize {
        self.x.len()
    }

    /// Returns whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.x.is_empty()
    }

    /// Returns the curve's value at `x`.
    ///
    /// `None` outside the curve's range (no extrapolation), or if a value needed is not finite. Of
    /// several points with the same x the last one counts.
    pub fn at(&self, x: f64, interpolation: Interpolation) -> Option<f64> {
        let after = self.x.partition_point(|&known| known <= x);
        let before = after.checked_sub(1)?;
        if x.is_nan() || x > *self.x.last()? {
            return None;
        }
        let (x0, y0) = (self.x[before], self.y[before]);
        let value = if x0 == x || interpolation == Interpolation::Previous {
            y0
        } else {
            y0 + (self.y[after] - y0) * ((x - x0) / (self.x[after] - x0))
        };
        value.is_finite().then_some(value)
    }

    /// Returns the curve's values at each place of `grid`; see [`at`](Self::at).
    pub fn onto(&self, grid: &[f64], interpolation: Interpolation) -> Vec<Option<f64>> {
        grid.iter().map(|&x| self.at(x, interpolation)).collect()
    }

    /// Returns the part of the curve from `low` to `high`, with an interpolated point at an end that
    /// lies between two points; nothing where they lie the other way round.
    #[must_use]
    pub fn between(&self, low: f64, high: f64) -> Self {
        if low > high {
            return Self::default();
        }
        let mut points: Vec<_> = self.points().filter(|(x, _)| (low..=high).contains(x)).collect();
        let end = |x: f64| Some((x, self.at(x, Interpolation::Linear)?));
        if points.first().is_none_or(|(x, _)| *x > low) {
            points.splice(0..0, end(low));
        }
        if points.last().is_some_and(|(x, _)| *x < high) {
            points.extend(end(high));
        }
        let (x, y) = points.into_iter().unzip();
        Self { x, y }
    }

    /// Returns the area under the curve by the trapezoidal rule, divided by the range of x.
    ///
    /// This is the mean height between the first and the last point, in units of y: a higher value
    /// means more was reached sooner. Compare it only between curves over the same range. `None` if
    /// the range is empty or a y is not finite.
    pub fn area_under(&self) -> Option<f64> {
        let range = self.x.last()? - self.x.first()?;
        if range <= 0.0 {
            return None;
        }
        let area: f64 = (1..self.len())
            .map(|i| (self.x[i] - self.x[i - 1]) / range * (self.y[i - 1] / 2.0 + self.y[i] / 2.0))
            .sum();
        area.is_finite().then_some(area)
    }
}

/// Returns places at which all curves can be compared, from left to right.
///
/// These are the curves' own x within the range that all curves cover, or `most` evenly spaced
/// places if there are more of them. Seeds evaluated at the same steps keep exactly these steps.
/// Empty if the curves' ranges do not overlap.
pub fn common_grid(curves: &[Curve], most: usize) -> Vec<f64> {
    let low = curves.iter().map(|curve| curve.x.first().copied().unwrap_or(f64::INFINITY));
    let high = curves.iter().map(|curve| curve.x.last().copied().unwrap_or(f64::NEG_INFINITY));
    let low = low.fold(f64::NEG_INFINITY, f64::max);
    let high = high.fold(f64::INFINITY, f64::min);
    let mut grid: Vec<f64> = curves.iter().flat_map(|curve| curve.x.iter().copied()).collect();
    grid.retain(|x| (low..=high).contains(x));
    grid.sort_unstable_by(f64::total_cmp);
    grid.dedup();
    if grid.len() <= most {
        return grid;
    }
    let last = most.saturating_sub(1).max(1) as f64;
    (0..most).map(|i| low + (high - low) * (i as f64 / last)).map(|x| x.clamp(low, high)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Interpolation::{Linear, Previous};

    fn curve(x: &[f64], y: &[f64]) -> Curve {
        Curve::new(x.to_vec(), y.to_vec()).unwrap()
    }

    #[test]
    fn unordered_or_unequal_coordinates_are_refused() {
        assert_eq!(Curve::new(vec![0.0], vec![]), Err(StatisticsError::Length { x: 1, y: 0 }));
        assert_eq!(
            Curve::new(vec![0.0, 2.0, 1.0], vec![0.0; 3]),
            Err(StatisticsError::Order { index: 2, value: 1.0 })
        );
        assert!(Curve::new(vec![f64::NAN], vec![0.0]).is_err());
        assert!(Curve::new(vec![0.0, f64::INFINITY], vec![0.0; 2]).is_err());
    }

    #[test]
    fn interpolates_inside_and_never_outside() {
        let curve = curve(&[0.0, 10.0, 20.0], &[0.0, 100.0, 50.0]);
        assert_eq!(
            curve.onto(&[-1.0, 0.0, 2.5, 10.0, 18.0, 20.0, 20.1, f64::NAN], Linear),
            [None, Some(0.0), Some(25.0), Some(100.0), Some(60.0), Some(50.0), None, None]
        );
        assert_eq!(curve.at(19.9, Previous), Some(100.0));
        assert_eq!(curve.at(20.0, Previous), Some(50.0));
        assert_eq!(Curve::default().at(0.0, Linear), None);
    }

    #[test]
    fn a_part_ends_where_it_was_cut() {
        let whole = curve(&[0.0, 10.0, 20.0], &[0.0, 100.0, 50.0]);
        assert_eq!(whole.between(5.0, 18.0), curve(&[5.0, 10.0, 18.0], &[50.0, 100.0, 60.0]));
        assert_eq!(whole.between(-1.0, 30.0), whole);
        assert_eq!(whole.between(12.0, 14.0), curve(&[12.0, 14.0], &[90.0, 80.0]));
        assert_eq!(whole.between(10.0, 10.0), curve(&[10.0], &[100.0]));
        assert!(whole.between(21.0, 30.0).is_empty() && whole.between(14.0, 12.0).is_empty());
    }

    #[test]
    fn a_gap_stays_a_gap_and_the_last_of_equal_x_counts() {
        let gap = curve(&[0.0, 1.0, 2.0], &[0.0, f64::NAN, 2.0]);
        assert_eq!(
            gap.onto(&[0.0, 0.5, 1.0, 1.5, 2.0], Linear),
            [Some(0.0), None, None, None, Some(2.0)]
        );
        let jump = curve(&[0.0, 1.0, 1.0, 2.0], &[0.0, 1.0, 5.0, 7.0]);
        assert_eq!(jump.onto(&[0.5, 1.0, 1.5], Linear), [Some(0.5), Some(5.0), Some(6.0)]);
    }

    #[test]
    fn the_area_is_the_mean_height() {
        assert_eq!(curve(&[0.0, 10.0, 20.0], &[0.0, 100.0, 100.0]).area_under(), Some(75.0));
        assert_eq!(curve(&[5.0, 6.0, 15.0], &[2.0, 2.0, 2.0]).area_under(), Some(2.0));
        assert_eq!(curve(&[1.0], &[3.0]).area_under(), None);
        assert_eq!(curve(&[1.0, 1.0], &[3.0, 3.0]).area_under(), None);
        assert_eq!(curve(&[0.0, 1.0], &[3.0, f64::NAN]).area_under(), None);
        assert_eq!(Curve::default().area_under(), None);
    }

    #[test]
    fn the_grid_is_what_all_curves_cover() {
        let flat = |x: &[f64]| curve(x, &vec![0.0; x.len()]);
        let same = [flat(&[10.0, 20.0, 30.0]), flat(&[10.0, 20.0, 30.0])];
        assert_eq!(common_grid(&same, 100), [10.0, 20.0, 30.0]);
        let staggered = [flat(&[0.0, 4.0, 8.0]), flat(&[2.0, 6.0, 10.0])];
        assert_eq!(common_grid(&staggered, 100), [2.0, 4.0, 6.0, 8.0]);
        assert_eq!(common_grid(&staggered, 3), [2.0, 5.0, 8.0]);
        assert_eq!(common_grid(&staggered, 1), [2.0]);
        assert!(common_grid(&[flat(&[0.0, 1.0]), flat(&[2.0])], 100).is_empty());
        assert!(common_grid(&[flat(&[0.0, 1.0]), Curve::default()], 100).is_empty());
        assert!(common_grid(&[], 100).is_empty());
    }
}
