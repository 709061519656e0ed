//! Pictures of LunarLander.

use super::{Canvas, Colour, Frame, Pixel, View};

/// The scene of LunarLander, in metres from the lower left corner of a view of 20 by 13⅓.
#[derive(Clone, Copy, Debug)]
pub struct Moon<'a> {
    /// The corners of the surface, from the left to the right edge.
    pub ground: &'a [[f64; 2]],
    /// The positions of the pad's two flags.
    pub flags: [[f64; 2]; 2],
    /// The corners of the hull, the lowest two in the middle; the outline is symmetric.
    pub hull: &'a [[f64; 2]; 6],
    /// The corners of each leg.
    pub legs: &'a [[[f64; 2]; 4]; 2],
    /// The power of the main engine and of the side engines, negative where they push to the left.
    pub burn: [f64; 2],
}

const SKY: Colour = Colour([24, 27, 38]);

/// Draws a lander above the surface of the moon. 600 x 400 pixels; the flags mark the pad.
#[must_use]
pub fn lunar_lander(moon: &Moon<'_>) -> Frame {
    let mut canvas = Canvas::new(600, 400, SKY);
    let view = View { origin: [0.0, 400.0], scale: 30.0 };
    let surface: Vec<Pixel> = moon.ground.iter().map(|&point| view.pixel(point)).collect();
    let mut ground = surface.clone();
    ground.extend([[600.0, 400.0], [0.0, 400.0]]);
    canvas.polygon(&ground, Colour::MIST);
    canvas.line(&surface, 2.0, Colour::GREY);
    for foot in moon.flags.map(|foot| view.pixel(foot)) {
        canvas.line(&[foot, [foot[0], foot[1] - 50.0]], 2.0, Colour::WHITE);
        let pennant = [[1.0, -50.0], [26.0, -45.0], [1.0, -40.0]];
        canvas.polygon(&pennant.map(|[x, y]| [foot[0] + x, foot[1] + y]), Colour::YELLOW);
    }
    flames(&mut canvas, view, moon);
    for leg in moon.legs {
        canvas.polygon(&leg.map(|corner| view.pixel(corner)), Colour::SKY_BLUE);
    }
    let hull = moon.hull.map(|corner| view.pixel(corner));
    canvas.polygon(&hull, Colour::PURPLE);
    canvas.line(&[hull[1], hull[4]], 2.0, Colour::PURPLE.mix(SKY, 0.5));
    canvas.into()
}

/// A tongue of fire from each engine that fires, as long as it is strong.
fn flames(canvas: &mut Canvas, view: View, moon: &Moon<'_>) {
    let [top_left, left, low_left, low_right, right, top_right] = moon.hull.map(|c| view.pixel(c));
    let between = |a: Pixel, b: Pixel, share: f64| -> Pixel {
        [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
    };
    let mut tongue = |root: [Pixel; 2], away: Pixel, power: f64| {
        for (colour, reach) in [(Colour::VERMILLION, 1.0), (Colour::YELLOW, 0.5)] {
            let middle = between(root[0], root[1], 0.5);
            let tip = [middle[0] + reach * power * away[0], middle[1] + reach * power * away[1]];
            canvas.polygon(&[root[0], root[1], tip], colour);
        }
    };
    let [main, side] = moon.burn;
    if main > 0.0 {
        let down = [low_left[0] - left[0], low_left[1] - left[1]];
        let root = [between(low_left, low_right, 0.3), between(low_left, low_right, 0.7)];
        tongue(root, down.map(|x| 2.6 * x), main);
    }
    if side != 0.0 {
        // The jet is on the side away from which the lander is pushed.
        let (foot, top, other) =
            if side < 0.0 { (right, top_right, left) } else { (left, top_left, right) };
        let outwards = [0, 1].map(|i| (foot[i] - other[i]) / 2.0);
        tongue([between(foot, top, 0.65), between(foot, top, 0.95)], outwards, side.abs());
    }
}
