//! Random crops of an image or signal.

use rand::{Rng, RngExt as _};

use super::{Shape, warp};

/// Shifts by up to `padding` pixels each way and fills with zeros.
pub(super) fn shift<R: Rng + ?Sized>(row: &mut [f32], shape: Shape, padding: usize, rng: &mut R) {
    let along_height = if shape.height == 1 { 0 } else { padding };
    let down = rng.random_range(0..=2 * along_height);
    let right = rng.random_range(0..=2 * padding);
    let from = row.to_vec();
    row.fill(0.0);
    for y in 0..shape.height {
        for x in 0..shape.width {
            // The pixel of the padded image, brought back to the image.
            let (Some(from_y), Some(from_x)) =
                ((y + down).checked_sub(along_height), (x + right).checked_sub(padding))
            else {
                continue;
            };
            if from_y < shape.height && from_x < shape.width {
                let (to, place) = (shape.place(y, x), shape.place(from_y, from_x));
                row[to..to + shape.channels].copy_from_slice(&from[place..place + shape.channels]);
            }
        }
    }
}

/// Cuts out a random part whose sides are the fraction `share` of the whole, and resizes it.
pub(super) fn resized<R: Rng + ?Sized>(row: &mut [f32], shape: Shape, share: f64, rng: &mut R) {
    let mut start = |side: usize| (1.0 - share) * side as f64 * rng.random::<f64>();
    let (top, left) = (start(shape.height), start(shape.width));
    warp::resize(row, shape, (top, left), share);
}
