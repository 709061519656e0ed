//! Losses with their gradients in plain Rust, for what learns without libtorch's autograd.
//!
//! The contrastive ones compare rows of length 1, z = x / ‖x‖. Scores are s = cos / τ; as no cosine is
//! above 1, e = exp(s − 1 / τ) overflows nowhere, and one e serves the softmax of its row and that of
//! its column.

use super::Direction;
use super::contrastive::LEAST_NORM;
use crate::nn::matmul::{self, Precision, Start};
use crate::simd::{self, exp, multiply_add, wide};

/// The number of sums that run at once.
const LANES: usize = 16;

/// Below this temperature a whole row of e might vanish in `f32`.
const LEAST_TEMPERATURE: f64 = 1.0 / 40.0;

/// Returns the mean of −ln softmax(scores)\[class\] over rows of as many `scores` as classes, and sets
/// `by_scores` to its gradient. The classes are below that number.
pub(crate) fn cross_entropy(scores: &[f32], classes: &[usize], by_scores: &mut [f32]) -> f64 {
    let (rows, width) = (classes.len(), scores.len() / classes.len().max(1));
    let (mut loss, share) = (0.0, 1.0 / rows as f32);
    let lines = scores.chunks_exact(width.max(1)).zip(by_scores.chunks_exact_mut(width.max(1)));
    for ((scores, by_scores), &class) in lines.zip(classes) {
        let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        by_scores.copy_from_slice(scores);
        let sum = exp_and_add([1.0, -largest], by_scores, &mut []);
        by_scores.iter_mut().for_each(|e| *e *= share / sum);
        by_scores[class] -= share;
        loss += f64::from(sum).ln() + f64::from(largest - scores[class]);
    }
    loss / rows as f64
}

/// Returns NT-Xent of embeddings of `width` numbers, the first views of all examples before the second
/// ones, and sets `by_rows` to its gradient. `None` if [`nt_xent`](super::nt_xent) has to compute it.
pub(crate) fn nt_xent(
    rows: &[f32],
    width: usize,
    temperature: f64,
    by_rows: &mut [f32],
) -> Option<f64> {
    let n = 2 * pairs(rows, width, temperature, by_rows)?;
    let (z, norms) = normalize(rows, width);
    let mut scores = vec![0.0; n * n];
    matmul::product_with_own_transpose(&z, width, &mut scores);
    let cosines = (0..n / 2).map(|i| f64::from(scores[i * n + i + n / 2]) - 1.0);
    let own: f64 = cosines.sum::<f64>() * 2.0 / temperature;
    let (slope, mut sums) = (1.0 / temperature as f32, vec![0.0; n]);
    for (i, row) in scores.chunks_exact_mut(n).enumerate() {
        let (before, after) = sums.split_at_mut(i + 1);
        before[i] += exp_and_add([slope, -slope], &mut row[i + 1..], after);
    }
    let loss = (sums.iter().map(|&sum| f64::from(sum).ln()).sum::<f64>() - own) / n as f64;
    // The gradient by the cosines: each is a score in two rows.
    let share = 1.0 / (n as f64 * temperature) as f32;
    sums.iter_mut().for_each(|sum| *sum = share / *sum);
    for (i, row) in scores.chunks_exact_mut(n).enumerate() {
        row[i] = 0.0;
        weigh(sums[i], &sums[i + 1..], &mut row[i + 1..]);
        if let Some(own) = row.get_mut(i + n / 2) {
            *own -= 2.0 * share;
        }
    }
    matmul::symmetric_product(&mut scores, &z, width, by_rows);
    differentiate_norms(&z, &norms, by_rows);
    Some(loss)
}

/// Returns InfoNCE of queries and then as many keys, all of `width` numbers, and sets `by_rows` to its
/// gradient. `None` if [`info_nce`](super::info_nce) has to compute it.
pub(crate) fn info_nce(
    rows: &[f32],
    width: usize,
    temperature: f64,
    direction: Direction,
    by_rows: &mut [f32],
) -> Option<f64> {
    let n = pairs(rows, width, temperature, by_rows)?;
    let (z, norms) = normalize(rows, width);
    let (query, key) = z.split_at(n * width);
    let mut scores = vec![0.0; n * n];
    Precision::F32.product_with_transpose(query, key, n, Start::Zeros, &mut scores);
    let own: f64 = (0..n).map(|i| f64::from(scores[i * n + i]) - 1.0).sum::<f64>() / temperature;
    let (slope, mut sums) = (1.0 / temperature as f32, [vec![0.0; n], vec![0.0; n]]);
    let [of_rows, of_columns] = &mut sums;
    for (sum, row) in of_rows.iter_mut().zip(scores.chunks_exact_mut(n)) {
        *sum = exp_and_add([slope, -slope], row, of_columns);
    }
    let parts = if direction == Direction::Both { [0.5, 0.5] } else { [1.0, 0.0] };
    let mut loss = -own / n as f64;
    for (part, sums) in parts.into_iter().zip(&mut sums) {
        let logarithms: f64 = sums.iter().map(|&sum| f64::from(sum).ln()).sum();
        loss += part * logarithms / n as f64;
        let share = (part / (n as f64 * temperature)) as f32;
        sums.iter_mut().for_each(|sum| *sum = share / *sum);
    }
    for (i, row) in scores.chunks_exact_mut(n).enumerate() {
        weigh(sums[0][i], &sums[1], row);
        row[i] -= (1.0 / (n as f64 * temperature)) as f32;
    }
    let (by_query, by_key) = by_rows.split_at_mut(n * width);
    matmul::product(&scores, key, width, Start::Zeros, by_query);
    by_key.fill(0.0);
    Precision::F32.add_transposed_product(&scores, query, width, by_key);
    differentiate_norms(&z, &norms, by_rows);
    Some(loss)
}

/// Returns the number of pairs of rows, if formulas hold for them.
fn pairs(rows: &[f32], width: usize, temperature: f64, by_rows: &[f32]) -> Option<usize> {
    let pairs = rows.len().checked_div(2 * width)?;
    let fits = rows.len() == 2 * pairs * width && by_rows.len() == rows.len() && pairs >= 2;
    let holds = fits && temperature >= LEAST_TEMPERATURE && temperature.is_finite();
    holds.then_some(pairs)
}

/// Divides rows by their norms, as [`normalize`](super::normalize); returns the norms as well.
fn normalize(rows: &[f32], width: usize) -> (Vec<f32>, Vec<f64>) {
    let mut z = rows.to_vec();
    let divide = |row: &mut [f32]| {
        let norm = simd::sum_of_squares(row).sqrt();
        // In two steps: the scale of the largest rows is no normal number in `f32`.
        let root = (1.0 / norm.max(LEAST_NORM)).sqrt() as f32;
        simd::scale(row, root);
        simd::scale(row, root);
        norm
    };
    let norms = z.chunks_exact_mut(width).map(divide).collect();
    (z, norms)
}

/// Turns the gradient by rows of length 1 into that by the rows they were made of, with these norms:
/// `∂L/∂x = (∂L/∂z − z (z · ∂L/∂z)) / ‖x‖`.
fn differentiate_norms(z: &[f32], norms: &[f64], by_rows: &mut [f32]) {
    let width = z.len() / norms.len();
    let rows = z.chunks_exact(width).zip(by_rows.chunks_exact_mut(width));
    for ((z, by_row), &norm) in rows.zip(norms) {
        // The direction of a shorter one is lost in rounding.
        let scale = if norm < LEAST_NORM { 0.0 } else { 1.0 / norm };
        project(z, scale as f32, by_row);
    }
}

wide! {
    /// `by ← scale (by − z (z · by))`.
    fn project<FMA>(z: &[f32], scale: f32, by: &mut [f32]) {
        let mut sums = [0.0; LANES];
        let ((z_blocks, z_rest), (by_blocks, by_rest)) =
            (z.as_chunks::<LANES>(), by.as_chunks::<LANES>());
        for (z, by) in z_blocks.iter().zip(by_blocks) {
            for lane in 0..LANES {
                sums[lane] = multiply_add::<FMA>(z[lane], by[lane], sums[lane]);
            }
        }
        let rest: f32 = z_rest.iter().zip(by_rest).map(|(z, by)| z * by).sum();
        let along = sums.iter().sum::<f32>() + rest;
        for (z, by) in z.iter().zip(by) {
            *by = (*by - z * along) * scale;
        }
    }
}

wide! {
    /// Sets each x to e = exp(slope x + shift) and returns the sum. Adds the e to `sums`, which may be
    /// empty, as well.
    fn exp_and_add<FMA>(line: [f32; 2], row: &mut [f32], sums: &mut [f32]) -> f32 {
        let [slope, shift] = line;
        let mut total = [0.0; LANES];
        let (blocks, rest) = row.as_chunks_mut::<LANES>();
        for block in blocks {
            for (total, x) in total.iter_mut().zip(block) {
                *x = exp::<FMA>(multiply_add::<FMA>(*x, slope, shift));
                *total += *x;
            }
        }
        for (total, x) in total.iter_mut().zip(rest) {
            *x = exp::<FMA>(multiply_add::<FMA>(*x, slope, shift));
            *total += *x;
        }
        sums.iter_mut().zip(row).for_each(|(sum, e)| *sum += *e);
        total.iter().sum()
    }
}

wide! {
    /// Multiplies each number with the factors of its row and of its column, added.
    fn weigh<FMA>(of_row: f32, of_columns: &[f32], row: &mut [f32]) {
        for (x, of_column) in row.iter_mut().zip(of_columns) {
            *x *= of_row + of_column;
        }
    }
}

#[cfg(test)]
mod tests {
    use tch::Tensor;

    use super::*;
    use crate::loss::{self, Loss, LossError};

    fn wave(length: usize, step: f32) -> Vec<f32> {
        (0..length).map(|i| (step * i as f32).sin() * 3.0 + 0.2).collect()
    }

    /// Holds a value and gradient against those of libtorch, the gradient by each row times its size.
    #[track_caller]
    fn agrees(
        what: &str,
        (value, by_rows): (f64, &[f32]),
        (rows, sizes): (&[f32], &[f32]),
        theirs: impl Fn(&Tensor) -> Result<Tensor, LossError>,
    ) {
        let x = Tensor::from_slice(rows).view([sizes.len() as i64, -1]).set_requires_grad(true);
        let loss = theirs(&x).unwrap();
        loss.backward();
        let expected = loss.double_value(&[]);
        assert!((value - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}: {value}");
        let theirs = Vec::<f32>::try_from(x.grad().reshape(-1)).unwrap();
        let width = rows.len() / sizes.len();
        let sized = |gradient: &[f32]| -> Vec<f32> {
            let rows = gradient.chunks(width).zip(sizes);
            rows.flat_map(|(row, size)| row.iter().map(move |g| g * size)).collect()
        };
        let (ours, theirs) = (sized(by_rows), sized(&theirs));
        let largest = theirs.iter().fold(0.0, |largest, g| f32::max(largest, g.abs()));
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() <= 1e-5 * largest, "{what}: {a}, libtorch {b}, of {largest}");
        }
    }

    #[test]
    fn contrastive_losses_agree_with_libtorch() {
        for (pairs, width) in [(2, 2), (3, 5), (35, 16), (130, 70)] {
            let mut rows = wave(2 * pairs * width, 1.3);
            // A short one, one of zeros, and a long one.
            for (row, size) in rows.chunks_exact_mut(width).zip([1e-6, 0.0, 1e30]) {
                row.iter_mut().for_each(|x| *x *= size);
            }
            let sizes: Vec<f32> =
                rows.chunks(width).map(|row| simd::sum_of_squares(row).sqrt() as f32).collect();
            let halves = |x: &Tensor| [0, 1].map(|i| x.narrow(0, i * pairs as i64, pairs as i64));
            let mut by_rows = vec![f32::NAN; rows.len()];
            for temperature in [LEAST_TEMPERATURE, 0.5, 20.0] {
                let what = format!("{pairs} pairs of {width}, temperature {temperature}");
                let value = nt_xent(&rows, width, temperature, &mut by_rows).unwrap();
                agrees(&what, (value, &by_rows), (&rows, &sizes), |x| {
                    let [first, second] = halves(x);
                    loss::nt_xent(&first, &second, temperature)
                });
                assert_eq!(by_rows[width..2 * width], vec![0.0; width], "{what}");
                for direction in [Direction::QueryToKey, Direction::Both] {
                    by_rows.fill(f32::NAN);
                    let value = info_nce(&rows, width, temperature, direction, &mut by_rows);
                    let ours = (value.unwrap(), &*by_rows);
                    agrees(&format!("{what}, {direction:?}"), ours, (&rows, &sizes), |x| {
                        let [first, second] = halves(x);
                        loss::info_nce(&first, &second, temperature, direction)
                    });
                }
            }
        }
    }

    #[test]
    fn cross_entropy_agrees_with_libtorch() {
        for (rows, width) in [(1, 2), (3, 2), (7, 10), (5, 40)] {
            let scores = wave(rows * width, 1.3);
            let classes: Vec<usize> = (0..rows).map(|row| row * 7 % width).collect();
            let class: Vec<i64> = classes.iter().map(|&class| class as i64).collect();
            let mut by_scores = vec![f32::NAN; scores.len()];
            let value = cross_entropy(&scores, &classes, &mut by_scores);
            let (ours, ones) = ((value, &*by_scores), vec![1.0; rows]);
            agrees(&format!("{rows} {width}"), ours, (&scores, &ones), |x| {
                Loss::cross_entropy().compute(x, &Tensor::from_slice(&class))
            });
        }
        let mut by_scores = [f32::NAN; 2];
        let far = cross_entropy(&[1e4, -1e4], &[1], &mut by_scores);
        assert_eq!((far, by_scores), (2e4, [1.0, -1.0]));
        assert_eq!((cross_entropy(&[3.0], &[0], &mut by_scores[..1]), by_scores[0]), (0.0, 0.0));
    }

    #[test]
    fn what_is_not_finite_has_no_loss() {
        let by_rows = &mut [0.0; 12];
        for wrong in [f32::NAN, f32::INFINITY] {
            let mut rows = wave(12, 1.3);
            rows[4] = wrong;
            assert!(nt_xent(&rows, 3, 0.5, by_rows).unwrap().is_nan());
            for direction in [Direction::QueryToKey, Direction::Both] {
                assert!(info_nce(&rows, 3, 0.5, direction, by_rows).unwrap().is_nan());
            }
            assert!(cross_entropy(&rows, &[0, 1, 2, 0], by_rows).is_nan());
        }
    }

    #[test]
    fn libtorch_judges_what_has_no_formula() {
        let (rows, by_rows) = (wave(12, 1.3), &mut [0.0; 12]);
        for (length, width, temperature) in
            [(6, 3, 0.5), (9, 3, 0.5), (0, 0, 0.5), (12, 3, 0.0), (12, 3, f64::NAN), (12, 3, 0.01)]
        {
            let (rows, by_rows) = (&rows[..length], &mut by_rows[..length]);
            assert_eq!(nt_xent(rows, width, temperature, by_rows), None);
            assert_eq!(info_nce(rows, width, temperature, Direction::Both, by_rows), None);
        }
        assert_eq!(nt_xent(&rows, 3, 0.5, &mut by_rows[..9]), None);
    }
}
