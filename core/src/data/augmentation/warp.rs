//! Images and signals resampled at fractional positions.

use super::Shape;

/// The value beyond the edge.
#[derive(Clone, Copy)]
enum Beyond {
    Zeros,
    /// Repeats the nearest pixel.
    Edge,
}

/// A distance beyond any pixel.
const FAR: f64 = 1e15;

/// Rotates counter-clockwise about the centre.
pub(super) fn rotate(row: &mut [f32], shape: Shape, degrees: f64) {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let middle = |side: usize| (side as f64 - 1.0) / 2.0;
    let (middle_y, middle_x) = (middle(shape.height), middle(shape.width));
    // y counts downwards: where a pixel comes from is found by turning it clockwise.
    warp(row, shape, Beyond::Zeros, |y, x| {
        let (y, x) = (y - middle_y, x - middle_x);
        (middle_y + cos * y + sin * x, middle_x + cos * x - sin * y)
    });
}

/// Plays at `rate` times the speed about the middle.
pub(super) fn stretch(row: &mut [f32], shape: Shape, rate: f64) {
    let middle = (shape.width as f64 - 1.0) / 2.0;
    warp(row, shape, Beyond::Edge, |y, x| (y, middle + rate * (x - middle)));
}

/// Resizes the part that begins at `(top, left)`, with sides the fraction `share` of the whole, to
/// full size. Pixel centres lie at ½, as in PyTorch's `interpolate` without `align_corners`.
pub(super) fn resize(row: &mut [f32], shape: Shape, (top, left): (f64, f64), share: f64) {
    let from = |start: f64, place: f64| start + (place + 0.5) * share - 0.5;
    warp(row, shape, Beyond::Edge, |y, x| (from(top, y), from(left, x)));
}

/// Sets each pixel to the bilinear mean of the four around its source position.
fn warp(row: &mut [f32], shape: Shape, beyond: Beyond, source: impl Fn(f64, f64) -> (f64, f64)) {
    let from = row.to_vec();
    for y in 0..shape.height {
        for x in 0..shape.width {
            let (source_y, source_x) = source(y as f64, x as f64);
            let place = shape.place(y, x);
            for channel in 0..shape.channels {
                let value = bilinear(&from, shape, beyond, channel, (source_y, source_x));
                row[place + channel] = value;
            }
        }
    }
}

fn bilinear(from: &[f32], shape: Shape, beyond: Beyond, channel: usize, (y, x): (f64, f64)) -> f32 {
    let pixel = |y: f64, x: f64| {
        let (bottom, right) = (shape.height as f64 - 1.0, shape.width as f64 - 1.0);
        let outside = !(0.0..=bottom).contains(&y) || !(0.0..=right).contains(&x);
        match beyond {
            Beyond::Zeros if outside => 0.0,
            _ => {
                let (y, x) = (y.clamp(0.0, bottom) as usize, x.clamp(0.0, right) as usize);
                f64::from(from[shape.place(y, x) + channel])
            }
        }
    };
    // Whatever lies so far beyond the edge is as what lies next to it; infinity has no fraction.
    let (y, x) = (y.clamp(-FAR, FAR), x.clamp(-FAR, FAR));
    let (top, left) = (y.floor(), x.floor());
    let (down, right) = (y - top, x - left);
    // A pixel of no weight may be infinite in the source: it is not read.
    let corners = [
        (top, left, (1.0 - down) * (1.0 - right)),
        (top, left + 1.0, (1.0 - down) * right),
        (top + 1.0, left, down * (1.0 - right)),
        (top + 1.0, left + 1.0, down * right),
    ];
    let weighed = corners.into_iter().filter(|(.., weight)| *weight != 0.0);
    weighed.map(|(y, x, weight)| weight * pixel(y, x)).sum::<f64>() as f32
}
