//! Units in which squares neither overflow nor vanish.

/// A power of two in which numbers are measured. It grows with the greatest of them, so that squares of
/// numbers of any size can be summed: those of 1e-160 would vanish, those of 1e200 overflow. Nothing is
/// rounded by it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    exponent: i32,
}

impl Default for Unit {
    /// The least, in which the least number of all still has a square.
    fn default() -> Self {
        Self { exponent: -LARGEST }
    }
}

/// Beyond these a power of two, or its inverse, is no number that everything can be multiplied by.
const LARGEST: i32 = 1000;

impl Unit {
    /// Grows to hold a number. Sums of what was measured before are to be multiplied by what is
    /// returned.
    pub(super) fn hold(&mut self, number: f64) -> f64 {
        let exponent = number.abs().log2().ceil().clamp(-f64::from(LARGEST), LARGEST.into()) as i32;
        let grown = (exponent - self.exponent).max(0);
        self.exponent += grown;
        power(-grown)
    }

    /// The number in this unit.
    pub(super) fn measure(self, number: f64) -> f64 {
        number * power(-self.exponent)
    }

    /// The number that measures `measured`.
    pub(super) fn number(self, measured: f64) -> f64 {
        measured * power(self.exponent)
    }
}

/// 2 to this power; below the least number it is 0.
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
