//! An axis: its label, unit and scale, and the range that it spans.

use super::PlotError;
use super::ticks::{Tick, Unit, log_ticks, ticks};

/// An axis: its label, unit and scale.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Axis {
    /// The label beside the axis; may be empty.
    pub label: String,
    /// How tick labels are formatted.
    pub unit: Unit,
    /// The spacing of values.
    pub scale: AxisScale,
}

/// The spacing of values on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum AxisScale {
    /// Equal differences have equal distances.
    #[default]
    Linear,
    /// Equal ratios have equal distances: 1, 10 and 100 are equally spaced. Ticks show the values,
    /// which must be positive.
    Logarithmic,
}

impl AxisScale {
    /// Where a value stands: itself, or its logarithm to base 10.
    pub(super) fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear => value,
            Self::Logarithmic => value.log10(),
        }
    }
}

impl Axis {
    /// Creates an axis of plain numbers.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Creates an axis of positive numbers with a logarithmic scale.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Self { scale: AxisScale::Logarithmic, ..Self::new(label) }
    }

    /// Creates an axis of seconds.
    pub fn seconds(label: impl Into<String>) -> Self {
        Self { unit: Unit::Seconds, ..Self::new(label) }
    }

    /// Refuses finite values that have no place on this axis.
    pub(super) fn check(&self, values: impl Iterator<Item = f64>) -> Result<(), PlotError> {
        let mut bad = values.filter(|value| value.is_finite() && *value <= 0.0);
        match bad.next() {
            Some(value) if self.scale == AxisScale::Logarithmic => {
                Err(PlotError::NotPositive(value))
            }
            _ => Ok(()),
        }
    }

    /// The positions that the finite ones of `values` span on this axis, on which they have a place.
    pub(super) fn range(&self, values: impl Iterator<Item = f64>) -> Result<Range, PlotError> {
        Range::of(values.filter(|value| value.is_finite()).map(|x| self.scale.position(x)))
    }

    /// The positions from one value to another, which a user chose.
    pub(super) fn between(&self, (low, high): (f64, f64)) -> Result<Range, PlotError> {
        let is_small = |value: f64| value.abs() <= 1e300;
        if !(is_small(low) && is_small(high) && low < high) {
            return Err(PlotError::Limits { low, high });
        }
        if self.scale == AxisScale::Logarithmic && low <= 0.0 {
            return Err(PlotError::NotPositive(low));
        }
        let range = Range { low: self.scale.position(low), high: self.scale.position(high) };
        // Between two numbers so close there is no room for a tick.
        let largest = range.low.abs().max(range.high.abs());
        if range.high - range.low < largest * 1e-10 || range.high - range.low < 1e-300 {
            return Err(PlotError::Limits { low, high });
        }
        Ok(range)
    }

    pub(super) fn ticks(&self, range: Range, most: usize) -> Vec<Tick> {
        match self.scale {
            AxisScale::Linear => ticks(range.low, range.high, most, self.unit),
            AxisScale::Logarithmic => log_ticks(range.low, range.high, most, self.unit),
        }
    }

    /// The positions of 2, 3, …, 9 times each power of ten on a logarithmic axis, unless there are too
    /// many to be told apart.
    pub(super) fn minor_ticks(&self, range: Range) -> Vec<f64> {
        let decades = range.low.floor() as i32..=range.high.floor() as i32;
        if self.scale == AxisScale::Linear || decades.clone().count() > 9 {
            return Vec::new();
        }
        let within =
            |decade: i32| (2..10).map(move |digit| f64::from(decade) + f64::from(digit).log10());
        decades.flat_map(within).filter(|&position| range.holds(position)).collect()
    }
}

/// The positions that an axis spans (values, or their logarithms), `low < high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Range {
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Range {
    /// The span of the finite ones of `values`, widened where they are all (nearly) the same.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Result<Self, PlotError> {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        if low > high {
            return Err(PlotError::Empty);
        }
        let largest = low.abs().max(high.abs());
        // Beyond this, differences and margins would leave what a number can hold.
        if largest > 1e300 {
            return Err(PlotError::OutOfRange(if high == largest { high } else { low }));
        }
        if largest < 1e-300 {
            return Ok(Self { low: -1.0, high: 1.0 });
        }
        if high - low < largest * 1e-10 {
            return Ok(Self { low: low - largest * 0.05, high: high + largest * 0.05 });
        }
        Ok(Self { low, high })
    }

    /// Begins at zero where the data begin a little above it.
    pub(super) fn starting_at_zero_if_near(self) -> Self {
        let near = self.low > 0.0 && self.low <= 0.25 * self.high;
        Self { low: if near { 0.0 } else { self.low }, ..self }
    }

    pub(super) fn widened(self, below: f64, above: f64) -> Self {
        let span = self.high - self.low;
        Self { low: self.low - span * below, high: self.high + span * above }
    }

    pub(super) fn holds(self, position: f64) -> bool {
        (self.low..=self.high).contains(&position)
    }

    /// How far along the range a position lies: 0 at its start, 1 at its end.
    pub(super) fn share(self, position: f64) -> f64 {
        (position - self.low) / (self.high - self.low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(values: &[f64]) -> Result<Range, PlotError> {
        Range::of(values.iter().copied())
    }

    #[test]
    fn a_range_spans_what_is_finite() {
        assert_eq!(
            range(&[3.0, f64::NAN, -1.0, f64::INFINITY]).unwrap(),
            Range { low: -1.0, high: 3.0 }
        );
        assert!(matches!(range(&[f64::NAN]), Err(PlotError::Empty)));
        assert!(matches!(range(&[]), Err(PlotError::Empty)));
        assert!(matches!(range(&[0.0, -1e301]), Err(PlotError::OutOfRange(_))));
    }

    #[test]
    fn a_constant_gets_room_around_it() {
        assert_eq!(range(&[100.0]).unwrap(), Range { low: 95.0, high: 105.0 });
        assert_eq!(range(&[0.0]).unwrap(), Range { low: -1.0, high: 1.0 });
        let tiny = range(&[-2e-9, -2e-9]).unwrap();
        assert!(tiny.low < -2e-9 && tiny.high > -2e-9 && tiny.high < 0.0);
    }

    #[test]
    fn data_a_little_above_zero_begin_at_zero() {
        let range = Range { low: 1000.0, high: 50_000.0 };
        assert_eq!(range.starting_at_zero_if_near().low, 0.0);
        let far = Range { low: 90.0, high: 100.0 };
        assert_eq!(far.starting_at_zero_if_near(), far);
    }

    #[test]
    fn a_logarithmic_axis_has_eight_minor_ticks_a_decade() {
        let log = Axis::logarithmic("x");
        assert_eq!(log.minor_ticks(Range { low: -1.0, high: 1.0 }).len(), 16);
        assert!(log.minor_ticks(Range { low: -20.0, high: 20.0 }).is_empty());
        assert!(Axis::new("x").minor_ticks(Range { low: 0.0, high: 1.0 }).is_empty());
    }

    #[test]
    fn limits_are_taken_as_they_are_or_refused() {
        let (linear, log) = (Axis::new("x"), Axis::logarithmic("x"));
        assert_eq!(linear.between((-3.0, 7.0)).unwrap(), Range { low: -3.0, high: 7.0 });
        assert_eq!(log.between((1.0, 100.0)).unwrap(), Range { low: 0.0, high: 2.0 });
        for limits in [(1.0, 1.0), (2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY), (0.0, 1e301)]
        {
            let refused = linear.between(limits);
            assert!(matches!(refused, Err(PlotError::Limits { .. })), "{limits:?}");
        }
        assert!(matches!(log.between((0.0, 1.0)), Err(PlotError::NotPositive(_))));
        let bad = log.check([1.0, f64::NAN, 0.0].into_iter());
        assert!(matches!(bad, Err(PlotError::NotPositive(0.0))));
        assert!(linear.check([-1.0].into_iter()).is_ok() && log.check([2.0].into_iter()).is_ok());
    }
}
