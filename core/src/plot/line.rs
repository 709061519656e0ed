//! Geometry of lines on the screen: gaps, and no more points than can be seen.

use super::drawing::Point;

/// The stretches between the points that are not finite.
pub(super) fn stretches(points: &[Point]) -> impl Iterator<Item = &[Point]> {
    points.split(|(x, y)| !(x.is_finite() && y.is_finite())).filter(|stretch| !stretch.is_empty())
}

/// The same line to the eye: of consecutive points within half a pixel across, only the first, the
/// lowest, the highest and the last are kept.
pub(super) fn thinned(points: &[Point]) -> Vec<Point> {
    let column = |point: &Point| (point.0 * 2.0).floor();
    let mut kept = Vec::new();
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        let extreme = |better: fn(f64, f64) -> bool| {
            (1..group.len())
                .fold(0, |best, i| if better(group[i].1, group[best].1) { i } else { best })
        };
        let mut indices = [0, extreme(|a, b| a < b), extreme(|a, b| a > b), group.len() - 1];
        indices.sort_unstable();
        for (place, &index) in indices.iter().enumerate() {
            if place == 0 || indices[place - 1] != index {
                kept.push(group[index]);
            }
        }
    }
    kept
}

/// A dot as a polygon, for a point that has no neighbour to be joined to.
pub(super) fn dot((x, y): Point, radius: f64) -> Vec<Point> {
    (0..24)
        .map(|i| f64::from(i) / 24.0 * std::f64::consts::TAU)
        .map(|angle| (x + radius * angle.cos(), y + radius * angle.sin()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_that_are_not_finite_are_gaps() {
        let points = [(0.0, f64::NAN), (1.0, 1.0), (2.0, 2.0), (3.0, f64::INFINITY), (4.0, 4.0)];
        let parts: Vec<_> = stretches(&points).map(<[Point]>::len).collect();
        assert_eq!(parts, [2, 1]);
    }

    #[test]
    fn thinning_keeps_every_extreme() {
        let points: Vec<Point> = (0..100_000)
            .map(|i| (f64::from(i) / 1000.0, if i == 54_321 { 99.0 } else { f64::from(i % 7) }))
            .collect();
        let thin = thinned(&points);
        assert!(thin.len() <= 4 * 200 + 4, "{}", thin.len());
        assert!(thin.contains(&(54.321, 99.0)));
        assert_eq!((thin[0], thin[thin.len() - 1]), (points[0], points[99_999]));
        let few = [(0.0, 1.0), (5.0, 2.0), (9.0, 0.0)];
        assert_eq!(thinned(&few), few);
    }
}
