//! The arms of a bandit as a picture.

use super::lettering::write_centred;
use super::{Canvas, Colour, Frame};

/// Draws a bandit: its arms' values, the standard deviation of their rewards (a bar around each
/// value) and the arm and reward of the last pull (a large dot). The best arm is green. 600 x 400
/// pixels.
#[must_use]
pub fn bandit(values: &[f64], noise: f64, last_pull: Option<(usize, f64)>) -> Frame {
    let mut canvas = Canvas::new(600, 400, Colour([250, 251, 252]));
    let (left, right, top, bottom) = (45.0, 585.0, 20.0, 350.0);
    let low = values.iter().copied().fold(f64::INFINITY, f64::min) - 2.0 * noise;
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 2.0 * noise;
    let range = if high > low { high - low } else { 1.0 };
    // A reward beyond the picture is drawn at its edge.
    let y = |value: f64| (bottom - (value - low) / range * (bottom - top)).clamp(8.0, 362.0);
    let column = (right - left) / values.len().max(1) as f64;
    if low < 0.0 && 0.0 < high {
        canvas.line(&[[left, y(0.0)], [right, y(0.0)]], 2.0, Colour::MIST);
        write_centred(&mut canvas, "0", [24.0, y(0.0)], 14.0, Colour::GREY);
    }
    let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for (arm, &value) in values.iter().enumerate() {
        let x = left + column * (arm as f64 + 0.5);
        let colour = if value == best { Colour::GREEN } else { Colour::BLUE };
        let half = (0.3 * column).min(14.0);
        let size = [2.0 * half, (y(value - noise) - y(value + noise)).max(2.0)];
        let corner = [x - half, y(value + noise)];
        canvas.rounded_rect(corner, size, 0.5 * half, colour.mix(Colour::WHITE, 0.65));
        canvas.line(&[[x - half, y(value)], [x + half, y(value)]], 4.0, colour);
        if values.len() <= 20 {
            write_centred(&mut canvas, &arm.to_string(), [x, 380.0], 14.0, Colour::INK);
        }
        if let Some((_, reward)) = last_pull.filter(|pull| pull.0 == arm) {
            canvas.circle([x, y(reward)], 9.0, Colour::WHITE);
            canvas.circle([x, y(reward)], 7.0, Colour::VERMILLION);
        }
    }
    canvas.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_changes_is_seen() {
        let frame = bandit(&[0.5, -1.0, 1.5], 1.0, None);
        assert_eq!((frame.width, frame.height), (600, 400));
        let others = [
            bandit(&[0.5, -1.0, 1.4], 1.0, None),
            bandit(&[0.5, -1.0, 1.5], 0.5, None),
            bandit(&[0.5, -1.0, 1.5], 1.0, Some((0, 1.0))),
            bandit(&[0.5, -1.0, 1.5], 1.0, Some((1, 1.0))),
        ];
        assert!(others.iter().all(|other| *other != frame));
        // Nothing to compare, and a reward from far off.
        assert_ne!(bandit(&[2.0], 0.0, None), bandit(&[2.0], 0.0, Some((0, 1e9))));
    }
}
