//! Nearest neighbours by exhaustive search: a baseline that needs no training.

use gymnast::core::data::Table;

/// Of each of `rows` the distances (Euclidean) to its `k` nearest rows of `known` and their numbers, the
/// nearest first.
pub(crate) fn nearest(known: &Table, rows: &Table, k: usize) -> Vec<Vec<(f64, usize)>> {
    let one = |row: &[f32]| {
        let squares = |other: &[f32]| -> f64 {
            row.iter().zip(other).map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        let all = known.values().chunks(known.width()).enumerate();
        let mut all: Vec<(f64, usize)> =
            all.map(|(number, other)| (squares(other).sqrt(), number)).collect();
        all.sort_by(|a, b| a.0.total_cmp(&b.0));
        all.truncate(k);
        all
    };
    rows.values().chunks(rows.width()).map(one).collect()
}
