//! What the engines do to the lander.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::SCALE;
use super::craft::{Craft, Place};
use crate::Rng;

/// Newton-seconds of the main engine to each metre of its arm.
const MAIN_POWER: f64 = 13.0;
const SIDE_POWER: f64 = 0.6;
/// Where the main engine pushes, in pixels below the hull's origin.
const MAIN_DOWN: f64 = 4.0;
/// Where the side engines push, in pixels beside and above the hull's origin.
const SIDE_AWAY: f64 = 12.0;
const SIDE_UP: f64 = 14.0;
/// Gymnasium's number where the other coordinate has `SIDE_UP`.
const SIDE_UP_ACROSS: f64 = 17.0;

/// The engines of one step, as they fire.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Burn {
    /// The power of the main engine: 0, or between a half and 1.
    pub(super) main: f64,
    /// The power of the side engines, likewise; negative where the left one fires.
    pub(super) side: f64,
    /// By how much the jets stray, in metres.
    dispersion: [f64; 2],
}

impl Burn {
    /// Engines of this power with jets that stray at random. The stream gives two numbers, whatever
    /// the power.
    pub(super) fn random(main: f64, side: f64, rng: &mut Rng) -> Self {
        let dispersion = std::array::from_fn(|_| rng.random_range(-1.0..1.0) / SCALE);
        Self { main, side, dispersion }
    }

    /// The same without randomness.
    #[cfg(test)]
    pub(super) fn straight(main: f64, side: f64) -> Self {
        Self { main, side, dispersion: [0.0; 2] }
    }

    /// Whether any engine fires.
    pub(super) fn is_any(&self) -> bool {
        self.main != 0.0 || self.side != 0.0
    }

    /// Whether `random` could have drawn it for an action.
    pub(super) fn is_valid(&self) -> bool {
        let is_power = |power: f64| power == 0.0 || (0.5..=1.0).contains(&power);
        let strays = |x: &f64| x.abs() <= 1.0 / SCALE;
        is_power(self.main) && is_power(self.side.abs()) && self.dispersion.iter().all(strays)
    }

    /// What it costs.
    pub(super) fn fuel(&self) -> f64 {
        0.30 * self.main + 0.03 * self.side.abs()
    }

    /// Pushes the hull. The arms are Gymnasium's, with their peculiarities.
    pub(super) fn push(&self, craft: &mut Craft) {
        let Place { origin: [x, y], angle } = craft.hull();
        let (tip, [first, second]) = ([angle.sin(), angle.cos()], self.dispersion);
        let side = [-tip[1], tip[0]];
        if self.main > 0.0 {
            let along = MAIN_DOWN / SCALE + 2.0 * first;
            let arm = [tip[0] * along + side[0] * second, -tip[1] * along - side[1] * second];
            let impulse = arm.map(|arm| -arm * MAIN_POWER * self.main);
            craft.push_at(impulse, [x + arm[0], y + arm[1]]);
        }
        if self.side != 0.0 {
            let across = 3.0 * second + self.side.signum() * SIDE_AWAY / SCALE;
            let arm = [tip[0] * first + side[0] * across, -tip[1] * first - side[1] * across];
            let impulse = arm.map(|arm| -arm * SIDE_POWER * self.side.abs());
            let place = [
                x + arm[0] - tip[0] * SIDE_UP_ACROSS / SCALE,
                y + arm[1] + tip[1] * SIDE_UP / SCALE,
            ];
            craft.push_at(impulse, place);
        }
    }
}
