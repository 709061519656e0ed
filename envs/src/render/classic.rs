//! Pictures of the classic-control environments, drawn from the numbers of their states.

use super::{Canvas, Colour, Frame, Pixel, View};

const PAPER: Colour = Colour([250, 251, 252]);

/// Draws a pole on a cart: the cart's position in metres, the pole's angle from upright in radians
/// and half its length in metres. 600 x 400 pixels; posts mark the ends of the track, at ±2.4 m.
#[must_use]
pub fn cart_pole(position: f64, angle: f64, half_length: f64) -> Frame {
    let mut canvas = Canvas::new(600, 400, PAPER);
    let view = View { origin: [300.0, 275.0], scale: 105.0 };
    let axle = view.pixel([position, 0.0]);
    let rail = axle[1] + 32.0;
    canvas.polygon(&[[0.0, rail], [600.0, rail], [600.0, 400.0], [0.0, 400.0]], Colour::MIST);
    canvas.line(&[[0.0, rail], [600.0, rail]], 3.0, Colour::INK);
    for x in [-2.4, 2.4] {
        let post = view.pixel([x, 0.0])[0];
        canvas.line(&[[post, rail - 26.0], [post, rail]], 5.0, Colour::VERMILLION);
    }
    let centre = view.pixel([0.0, 0.0])[0];
    canvas.line(&[[centre, rail + 8.0], [centre, rail + 16.0]], 3.0, Colour::GREY);

    for side in [-22.0, 22.0] {
        canvas.circle([axle[0] + side, rail - 10.0], 9.0, Colour::INK);
        canvas.circle([axle[0] + side, rail - 10.0], 3.5, Colour::GREY);
    }
    canvas.rounded_rect([axle[0] - 38.0, axle[1] - 14.0], [76.0, 34.0], 7.0, Colour::BLUE);
    let length = 2.0 * half_length;
    let tip = view.pixel([position + length * angle.sin(), length * angle.cos()]);
    canvas.line(&[axle, tip], 12.0, Colour::ORANGE);
    canvas.circle(axle, 4.5, Colour::INK);
    canvas.into()
}

/// Draws a car in a valley: its position and that of the goal. 600 x 400 pixels; the post on the
/// left is the wall.
#[must_use]
pub fn mountain_car(position: f64, goal: f64) -> Frame {
    /// How far the drawing reaches beyond what the car can, so that all of it is seen.
    const MARGIN: f64 = 0.13;
    let (left, right) = (-1.2 - MARGIN, 0.6 + MARGIN);
    let mut canvas = Canvas::new(600, 400, Colour::SKY_BLUE.mix(Colour::WHITE, 0.78));
    let scale = canvas.width() / (right - left);
    let view = View { origin: [-left * scale, 385.0], scale };
    let height = |x: f64| 0.45 * (3.0 * x).sin() + 0.55;
    let ground = |x: f64| view.pixel([x, height(x)]);

    let xs = (0..=150).map(|i| left + (right - left) * f64::from(i) / 150.0);
    let crest: Vec<Pixel> = xs.map(ground).collect();
    let mut hill = crest.clone();
    hill.extend([[600.0, 400.0], [0.0, 400.0]]);
    canvas.polygon(&hill, Colour::GREEN.mix(Colour::WHITE, 0.45));
    canvas.line(&crest, 3.0, Colour::INK);

    let wall = ground(-1.2 - 0.65 * MARGIN);
    canvas.line(&[wall, [wall[0], wall[1] - 40.0]], 7.0, Colour::INK);
    let foot = ground(goal);
    canvas.line(&[foot, [foot[0], foot[1] - 62.0]], 3.0, Colour::INK);
    let pennant = [[1.0, -63.0], [33.0, -52.0], [1.0, -41.0]];
    canvas.polygon(&pennant.map(|[x, y]| [foot[0] + x, foot[1] + y]), Colour::VERMILLION);

    let slope = (1.35 * (3.0 * position).cos()).atan();
    let (sin, cos) = slope.sin_cos();
    let [x, y] = ground(position);
    // From along the slope and up from it, in pixels.
    let on_slope = |[along, up]: Pixel| [x + along * cos - up * sin, y - along * sin - up * cos];
    let body = [
        [-25.0, 9.0],
        [25.0, 9.0],
        [25.0, 17.0],
        [15.0, 20.0],
        [8.0, 29.0],
        [-12.0, 29.0],
        [-18.0, 20.0],
        [-25.0, 18.0],
    ];
    let body = body.map(on_slope);
    canvas.polygon(&body, Colour::BLUE);
    let window = [[10.0, 20.0], [5.5, 26.0], [-9.5, 26.0], [-13.5, 20.0]].map(on_slope);
    canvas.polygon(&window, PAPER);
    for along in [-14.0, 14.0] {
        canvas.circle(on_slope([along, 8.5]), 8.0, Colour::INK);
        canvas.circle(on_slope([along, 8.5]), 3.0, Colour::GREY);
    }
    canvas.into()
}

/// Draws an arm of two links: the first angle from straight down, the second relative to the first
/// link, in radians. 500 x 500 pixels; the line marks the goal of the tip.
#[must_use]
pub fn acrobot(angle_1: f64, angle_2: f64) -> Frame {
    let mut canvas = Canvas::new(500, 500, PAPER);
    let view = View { origin: [250.0, 250.0], scale: 112.0 };
    let goal = view.pixel([0.0, 1.0])[1];
    dashes(&mut canvas, goal, Colour::GREEN);
    let (sum, pivot) = (angle_1 + angle_2, view.pixel([0.0, 0.0]));
    let elbow = [angle_1.sin(), -angle_1.cos()];
    let tip = view.pixel([elbow[0] + sum.sin(), elbow[1] - sum.cos()]);
    let elbow = view.pixel(elbow);
    canvas.line(&[pivot, elbow], 18.0, Colour::BLUE);
    canvas.line(&[elbow, tip], 18.0, Colour::SKY_BLUE);
    canvas.circle(pivot, 7.0, Colour::INK);
    canvas.circle(elbow, 7.0, Colour::YELLOW);
    canvas.circle(tip, 5.0, Colour::VERMILLION);
    canvas.into()
}

fn dashes(canvas: &mut Canvas, y: f64, colour: Colour) {
    for i in 0..25 {
        let x = 20.0 * f64::from(i) + 5.0;
        canvas.line(&[[x, y], [x + 10.0, y]], 3.0, colour);
    }
}

/// Draws a pendulum: its angle from upright in radians, counter-clockwise as in Gymnasium. 500 x
/// 500 pixels; the mark shows the upright position.
#[must_use]
pub fn pendulum(angle: f64) -> Frame {
    let mut canvas = Canvas::new(500, 500, PAPER);
    let view = View { origin: [250.0, 250.0], scale: 190.0 };
    let pivot = view.pixel([0.0, 0.0]);
    canvas.circle(pivot, view.scale + 26.0, Colour::MIST);
    canvas.circle(pivot, view.scale + 23.0, PAPER);
    let mark = [[0.0, 1.15], [-0.05, 1.23], [0.05, 1.23]];
    canvas.polygon(&mark.map(|point| view.pixel(point)), Colour::GREEN);
    let tip = view.pixel([-angle.sin(), angle.cos()]);
    canvas.line(&[pivot, tip], 30.0, Colour::ORANGE);
    canvas.circle(pivot, 8.0, Colour::INK);
    canvas.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_their_sizes() {
        let frames = [
            (cart_pole(0.0, 0.0, 0.5), (600, 400)),
            (mountain_car(-0.5, 0.5), (600, 400)),
            (acrobot(0.0, 0.0), (500, 500)),
            (pendulum(0.0), (500, 500)),
        ];
        for (frame, size) in frames {
            assert_eq!((frame.width, frame.height), size);
            assert_eq!(frame.rgb.len(), 3 * size.0 * size.1);
        }
    }

    #[test]
    fn each_number_of_a_state_moves_pixels() {
        assert_ne!(cart_pole(0.0, 0.0, 0.5), cart_pole(0.0, 0.05, 0.5));
        assert_ne!(cart_pole(0.0, 0.0, 0.5), cart_pole(0.05, 0.0, 0.5));
        assert_ne!(cart_pole(0.0, 0.0, 0.5), cart_pole(0.0, 0.0, 0.6));
        assert_ne!(mountain_car(-0.5, 0.5), mountain_car(-0.45, 0.5));
        assert_ne!(mountain_car(-0.5, 0.5), mountain_car(-0.5, 0.45));
        assert_ne!(acrobot(0.0, 0.0), acrobot(0.1, 0.0));
        assert_ne!(acrobot(0.0, 0.0), acrobot(0.0, 0.1));
        assert_ne!(pendulum(0.0), pendulum(0.1));
    }

    /// The mean column of the pixels of a colour.
    fn mean_x(frame: &Frame, colour: Colour) -> f64 {
        let pixels = frame.rgb.chunks_exact(3).enumerate();
        let xs = pixels.filter(|(_, rgb)| *rgb == colour.0).map(|(i, _)| i % frame.width);
        let (sum, count) = xs.fold((0, 0), |(sum, count), x| (sum + x, count + 1));
        f64::from(sum as u32) / f64::from(count)
    }

    #[test]
    fn things_lean_the_right_way() {
        assert!(mean_x(&cart_pole(0.0, 0.2, 0.5), Colour::ORANGE) > 302.0);
        assert!(mean_x(&cart_pole(1.0, 0.0, 0.5), Colour::BLUE) > 390.0);
        assert!(mean_x(&pendulum(0.5), Colour::ORANGE) < 248.0, "counter-clockwise");
        assert!(mean_x(&acrobot(0.5, 0.0), Colour::BLUE) > 252.0);
        assert!(mean_x(&mountain_car(0.3, 0.5), Colour::BLUE) > 400.0);
    }
}
