//! Rows drawn again, or left out, at random.

use rand::{Rng, RngExt as _, seq::SliceRandom as _};

use super::Origin;
use crate::rounding;

/// The rows that a class lacks until it has at least `ratio` times those of the largest.
pub(super) fn lacking(rows_of: &[Vec<usize>], class: usize, ratio: f64) -> usize {
    let most = rows_of.iter().map(Vec::len).max().unwrap_or(0);
    rounding::ceil(most as f64 * ratio).saturating_sub(rows_of[class].len())
}

/// The additional rows, class by class.
pub(super) fn over<R: Rng + ?Sized>(
    rows_of: &[Vec<usize>],
    ratio: f64,
    rng: &mut R,
) -> Vec<Origin> {
    let mut more = Vec::new();
    for (class, rows) in rows_of.iter().enumerate().filter(|(_, rows)| !rows.is_empty()) {
        more.extend((0..lacking(rows_of, class, ratio)).map(|_| draw(rows, rng)));
    }
    more
}

/// The rows that are kept, in their order.
pub(super) fn under<R: Rng + ?Sized>(
    rows_of: &[Vec<usize>],
    ratio: f64,
    rng: &mut R,
) -> Vec<Origin> {
    let most = rounding::floor(smallest(rows_of) as f64 / ratio);
    let mut kept = Vec::new();
    for rows in rows_of {
        let mut rows = rows.clone();
        if rows.len() > most {
            rows.shuffle(rng);
            rows.truncate(most);
        }
        kept.extend(rows);
    }
    kept.sort_unstable();
    kept.into_iter().map(Origin::Row).collect()
}

/// As many rows of each class as the smallest has, with replacement.
pub(super) fn balanced_bootstrap<R: Rng + ?Sized>(
    rows_of: &[Vec<usize>],
    rng: &mut R,
) -> Vec<Origin> {
    let least = smallest(rows_of);
    let classes = rows_of.iter().filter(|rows| !rows.is_empty());
    classes.flat_map(|rows| (0..least).map(|_| draw(rows, rng)).collect::<Vec<_>>()).collect()
}

fn draw<R: Rng + ?Sized>(rows: &[usize], rng: &mut R) -> Origin {
    Origin::Row(rows[rng.random_range(0..rows.len())])
}

/// The rows of the smallest class that has any.
fn smallest(rows_of: &[Vec<usize>]) -> usize {
    rows_of.iter().map(Vec::len).filter(|&rows| rows > 0).min().unwrap_or(0)
}
