//! Linear maps between boxes.

use super::ArraySpace;
use crate::SpaceError;

/// The map that takes one box to another, number by number (Gymnasium's `rescale_box`).
///
/// An unbounded side must be unbounded in both boxes; a number with one unbounded side is shifted,
/// one with two is left as it is.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    scale: Vec<f64>,
    from: Vec<f64>,
    to: Vec<f64>,
}

impl Affine {
    /// The map from `from` to `to`.
    pub(super) fn between<S: ArraySpace>(from: &S, to: &S) -> Result<Self, SpaceError> {
        let ((from_low, from_high), (to_low, to_high)) = (from.bounds(), to.bounds());
        let mut map = Self { scale: vec![], from: vec![], to: vec![] };
        for i in 0..from_low.len() {
            let [a, b, c, d] = [from_low[i], from_high[i], to_low[i], to_high[i]].map(f64::from);
            let is_unbounded_alike = |x: f64, y: f64| (x.is_finite() && y.is_finite()) || x == y;
            if !is_unbounded_alike(a, c) || !is_unbounded_alike(b, d) {
                let reason = format!(
                    "number {i}: unbounded sides must match, got [{a}, {b}] for [{c}, {d}]"
                );
                return Err(SpaceError::Invalid { space: "Box", reason });
            }
            if a >= b || c >= d {
                let reason = format!(
                    "number {i}: low must be below high to be rescaled, got [{a}, {b}] for [{c}, {d}]"
                );
                return Err(SpaceError::Invalid { space: "Box", reason });
            }
            let (scale, from, to) = match (a.is_finite(), b.is_finite()) {
                (true, true) => ((d - c) / (b - a), a, c),
                (true, false) => (1.0, a, c),
                (false, true) => (1.0, b, d),
                (false, false) => (1.0, 0.0, 0.0),
            };
            map.scale.push(scale);
            map.from.push(from);
            map.to.push(to);
        }
        Ok(map)
    }

    /// The numbers where the map takes them, in place; outside the box it goes on in a line.
    pub(super) fn apply(&self, numbers: &mut [f32]) {
        let points = self.from.iter().zip(&self.to);
        for (x, (scale, (from, to))) in numbers.iter_mut().zip(self.scale.iter().zip(points)) {
            *x = (to + (f64::from(*x) - from) * scale) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BoxSpace;

    #[test]
    fn bounded_half_bounded_and_unbounded_numbers() {
        let inf = f32::INFINITY;
        let from = BoxSpace::new([-2.0, 1.0, -inf, -inf], [2.0, inf, 3.0, inf]).unwrap();
        let to = BoxSpace::new([0.0, 5.0, -inf, -inf], [1.0, inf, 0.0, inf]).unwrap();
        let mut numbers = [1.0, 2.0, 1.0, 7.0];
        Affine::between(&from, &to).unwrap().apply(&mut numbers);
        assert_eq!(numbers, [0.75, 6.0, -2.0, 7.0]);
    }

    #[test]
    fn boxes_without_a_linear_map_are_refused() {
        let unit = BoxSpace::symmetric([1.0]);
        let point = BoxSpace::new([1.0], [1.0]).unwrap();
        for (from, to) in [(unit, BoxSpace::unbounded()), (unit, point), (point, unit)] {
            assert!(Affine::between(&from, &to).is_err());
            assert!(Affine::between(&to, &from).is_err());
        }
    }
}
