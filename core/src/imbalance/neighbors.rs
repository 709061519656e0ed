//! The rows nearest to a row.

use crate::data::Dataset;

/// Of the rows `among`, the `k` nearest to `row`, itself left out, the nearest first: Euclidean, of
/// equals the one that stands first.
pub(super) fn nearest(data: &Dataset, row: usize, among: &[usize], k: usize) -> Vec<usize> {
    let width = data.input_width();
    let numbers = |row: usize| &data.inputs()[row * width..][..width];
    let own = numbers(row);
    let squared_distance = |other: usize| -> f64 {
        let pairs = own.iter().zip(numbers(other));
        pairs.map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum()
    };
    let others = among.iter().copied().filter(|&other| other != row);
    let mut by_distance: Vec<(f64, usize)> =
        others.map(|other| (squared_distance(other), other)).collect();
    let order = |a: &(f64, usize), b: &(f64, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    if k > 0 && k < by_distance.len() {
        by_distance.select_nth_unstable_by(k - 1, order);
    }
    by_distance.truncate(k);
    by_distance.sort_unstable_by(order);
    by_distance.into_iter().map(|(_, other)| other).collect()
}
