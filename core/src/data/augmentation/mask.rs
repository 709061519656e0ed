//! Random masks of an image or signal.

use std::ops::Range;

use rand::{Rng, RngExt as _};

use super::Shape;

pub(super) fn cutout<R: Rng + ?Sized>(
    row: &mut [f32],
    shape: Shape,
    (height, width): (usize, usize),
    value: f32,
    rng: &mut R,
) {
    let lines = around(rng.random_range(0..shape.height), height, shape.height);
    let columns = around(rng.random_range(0..shape.width), width, shape.width);
    for y in lines {
        row[shape.place(y, columns.start)..shape.place(y, columns.end)].fill(value);
    }
}

/// Returns `length` places around a centre, cut at 0 and `end`.
fn around(centre: usize, length: usize, end: usize) -> Range<usize> {
    centre.saturating_sub(length / 2)..(centre + length.div_ceil(2)).min(end)
}

pub(super) fn time_mask<R: Rng + ?Sized>(
    row: &mut [f32],
    shape: Shape,
    max_length: usize,
    value: f32,
    rng: &mut R,
) {
    let length = rng.random_range(0..=max_length);
    let start = rng.random_range(0..=shape.width - length);
    row[shape.place(0, start)..shape.place(0, start + length)].fill(value);
}
