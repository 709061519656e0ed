//! The surface of the moon.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::{LEG_DOWN, SCALE, VIEWPORT};
use crate::Rng;

/// The width and the height of what is seen, in metres.
pub(super) const WORLD: [f64; 2] = [VIEWPORT[0] / SCALE, VIEWPORT[1] / SCALE];
/// The height of the landing pad, in metres.
pub(super) const PAD: f64 = WORLD[1] / 4.0;
/// The height of a lander that stands on the pad with its legs straight: where y is 0.
pub(super) const GROUND_LEVEL: f64 = PAD + LEG_DOWN / SCALE;

/// The corners of the surface.
const CORNERS: usize = 11;
/// From one corner to the next, in metres.
const WIDTH: f64 = WORLD[0] / (CORNERS - 1) as f64;
/// Bodies touch at this distance, in metres: the thickness of Box2D's skins.
const SKIN: f64 = 0.02;
/// The corners between which the pad lies.
pub(super) const PAD_CORNERS: [usize; 2] = [CORNERS / 2 - 1, CORNERS / 2 + 1];
/// No corner is higher: a mean of heights of which each is at most half the view.
const MAX_HEIGHT: f64 = 0.99 * WORLD[1] / 2.0;

/// A line from the left to the right edge, level around the pad.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Terrain(pub(super) [f64; CORNERS]);

impl Terrain {
    /// Level ground, at the height of the pad.
    pub(super) fn level() -> Self {
        Self([PAD; CORNERS])
    }

    /// Random heights, those around the pad set to its height, each smoothed by its neighbours. As
    /// in Gymnasium three times 0.33 make the mean, so the ground lies a hundredth lower than the
    /// pad's flags.
    pub(super) fn random(rng: &mut Rng) -> Self {
        // One more than there are corners: the first one's left neighbour.
        let mut heights: [f64; CORNERS + 1] =
            std::array::from_fn(|_| rng.random_range(0.0..WORLD[1] / 2.0));
        heights[CORNERS / 2 - 2..=CORNERS / 2 + 2].fill(PAD);
        Self(std::array::from_fn(|i| {
            let left = heights[(i + CORNERS) % (CORNERS + 1)];
            0.33 * (left + heights[i] + heights[i + 1])
        }))
    }

    /// Whether `random` could have drawn it.
    pub(super) fn is_valid(&self) -> bool {
        self.0.iter().all(|height| (0.0..=MAX_HEIGHT).contains(height))
    }

    /// Whether a body with this outline, its corners counter-clockwise, touches the ground.
    pub(super) fn touches(&self, outline: &[[f64; 2]]) -> bool {
        let lands = |&[x, y]: &[f64; 2]| y <= self.height(x) + SKIN;
        // A peak may reach into an outline between its corners.
        let pierces = |peak: [f64; 2]| {
            let edges = outline.iter().zip(outline.iter().cycle().skip(1));
            edges
                .clone()
                .all(|(a, b)| (b[0] - a[0]) * (peak[1] - a[1]) >= (b[1] - a[1]) * (peak[0] - a[0]))
        };
        outline.iter().any(lands) || (0..CORNERS).any(|i| pierces(self.corner(i)))
    }

    /// The height of the ground at a place, beyond the edges that of the edge.
    pub(super) fn height(&self, x: f64) -> f64 {
        let place = (x / WIDTH).clamp(0.0, (CORNERS - 1) as f64);
        let left = (place as usize).min(CORNERS - 2);
        let share = place - left as f64;
        self.0[left] + share * (self.0[left + 1] - self.0[left])
    }

    /// The height of the highest corner of the pieces that lie between two places.
    pub(super) fn top(&self, left: f64, right: f64) -> f64 {
        let [left, right] = [left, right].map(|x| (x / WIDTH).clamp(0.0, (CORNERS - 1) as f64));
        self.0[left as usize..=right.ceil() as usize].iter().copied().fold(0.0, f64::max)
    }

    /// The greatest height between two places.
    pub(super) fn highest(&self, left: f64, right: f64) -> f64 {
        let ends = self.height(left).max(self.height(right));
        let [left, right] = [left, right].map(|x| (x / WIDTH).clamp(0.0, (CORNERS - 1) as f64));
        let inside = self.0.get(left.ceil() as usize..=right as usize).unwrap_or_default();
        inside.iter().copied().fold(ends, f64::max)
    }

    /// The place of a corner, in metres.
    pub(super) fn corner(&self, i: usize) -> [f64; 2] {
        [WIDTH * i as f64, self.0[i]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn the_ground_is_level_around_the_pad_only() {
        let mut rng = Seed::new(0).rng();
        for _ in 0..100 {
            let terrain = Terrain::random(&mut rng);
            assert!(terrain.is_valid(), "{terrain:?}");
            assert!(terrain.0[4..=6].iter().all(|height| (height - 0.99 * PAD).abs() < 1e-12));
            assert!((terrain.0[3] - 0.99 * PAD).abs() > 1e-6 && terrain.0[0] != terrain.0[10]);
        }
        // Above, on and in level ground; a box over a peak, none of whose corners is low.
        let square = |[x, y]: [f64; 2]| [[x, y], [x + 1.0, y], [x + 1.0, y + 1.0], [x, y + 1.0]];
        let level = Terrain::level();
        assert!(!level.touches(&square([3.0, PAD + 0.03])));
        assert!(level.touches(&square([3.0, PAD + 0.01])) && level.touches(&square([3.0, 1.0])));
        let mut peak = Terrain::level();
        peak.0[2] += 1.0;
        assert!(
            peak.touches(&square([3.5, PAD + 0.9])) && !peak.touches(&square([3.5, PAD + 1.1]))
        );
        assert_eq!(Terrain::level().corner(10), [WORLD[0], PAD]);
        assert_eq!([Terrain::level().corner(4)[0], Terrain::level().corner(6)[0]], [8.0, 12.0]);
    }
}
