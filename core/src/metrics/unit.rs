//! Units in which squares neither overflow nor vanish.

/// A power of two that numbers are measured in. It grows with the largest number, so that the
/// squares of numbers of any size can be summed: without it 1e-160 would vanish and 1e200 overflow.
/// It rounds nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    exponent: i32,
}

impl Default for Unit {
    /// The smallest unit, in which the square of the smallest number is above 0.
    fn default() -> Self {
        Self { exponent: -LARGEST }
    }
}

/// The largest exponent: beyond it the power of two or its inverse leaves the range of `f64`.
const LARGEST: i32 = 1000;

impl Unit {
    /// Grows the unit to hold a number. Multiply sums of earlier measurements by the returned
    /// factor.
    pub(super) fn hold(&mut self, number: f64) -> f64 {
        let exponent = number.abs().log2().ceil().clamp(-f64::from(LARGEST), LARGEST.into()) as i32;
        let grown = (exponent - self.exponent).max(0);
        self.exponent += grown;
        power(-grown)
    }

    /// Returns the number in this unit.
    pub(super) fn measure(self, number: f64) -> f64 {
        number * power(-self.exponent)
    }

    /// Returns the number whose measurement is `measured`.
    pub(super) fn number(self, measured: f64) -> f64 {
        measured * power(self.exponent)
    }
}

/// Returns 2 to this power; 0 below the smallest number.
fn power(exponent: i32) -> f64 {
    2.0_f64.powi(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_squares_are_exact_at_any_size() {
        for size in [5e-324, 1e-300, 1e-160, 1.0, 1e160, 1e300] {
            let (mut unit, mut sum) = (Unit::default(), 0.0);
            for number in [size, 2.0 * size, 4.0 * size] {
                let factor = unit.hold(number);
                sum *= factor * factor;
                sum += unit.measure(number).powi(2);
            }
            let root = unit.number(f64::sqrt(sum / 21.0));
            assert!((root / size - 1.0).abs() < 1e-12, "{size}: {root}");
        }
    }

    #[test]
    fn nothing_is_measured_wrongly_after_something_large() {
        let mut unit = Unit::default();
        assert_eq!(unit.hold(0.0), 1.0);
        unit.hold(1e300);
        assert_eq!((unit.hold(1.0), unit.measure(0.0)), (1.0, 0.0));
        assert!(unit.measure(f64::INFINITY).is_infinite());
    }
}
