//! A matrix product whose left factor is gathered from places of a picture instead of copied first.

use crate::simd::{multiply_add, wide};

wide! {
    /// `C ← C + A B`, where `A[i, j] = x[rows[i] + columns[j]]`: `B` is `[columns, n]` and `C`
    /// `[rows, n]`, both by rows. Each number is one sum over `j`, first to last. The last of `rows`
    /// and of `columns` must be their largest.
    pub(super) fn add_gathered_product<FMA, LANES>(
        x: &[f32], rows: &[usize], columns: &[usize], b: &[f32], n: usize, c: &mut [f32],
    ) {
        let mut column = 0;
        while column < n {
            let (b, c) = (&b[column..], &mut c[column..]);
            column += match n - column {
                32.. if LANES == 16 => panel::<32, FMA, LANES>(x, rows, columns, b, n, c),
                16.. => panel::<16, FMA, LANES>(x, rows, columns, b, n, c),
                8.. => panel::<8, FMA, LANES>(x, rows, columns, b, n, c),
                4.. => panel::<4, FMA, LANES>(x, rows, columns, b, n, c),
                2.. => panel::<2, FMA, LANES>(x, rows, columns, b, n, c),
                _ => panel::<1, FMA, LANES>(x, rows, columns, b, n, c),
            };
        }
    }
}

/// Computes all rows of a group of `C` columns; returns `C`.
#[inline(always)]
fn panel<const C: usize, const FMA: bool, const LANES: usize>(
    x: &[f32],
    rows: &[usize],
    columns: &[usize],
    b: &[f32],
    n: usize,
    c: &mut [f32],
) -> usize {
    let mut row = 0;
    while row < rows.len() {
        let (rows, c) = (&rows[row..], &mut c[row * n..]);
        // As many rows as the registers hold. Not eight: the compiler would put those side by side.
        row += match rows.len() {
            6.. if LANES == 16 => tile::<6, C, FMA>(x, rows, columns, b, n, c),
            4.. => tile::<4, C, FMA>(x, rows, columns, b, n, c),
            3 => tile::<3, C, FMA>(x, rows, columns, b, n, c),
            2 => tile::<2, C, FMA>(x, rows, columns, b, n, c),
            _ => tile::<1, C, FMA>(x, rows, columns, b, n, c),
        };
    }
    C
}

/// Computes `R` rows of `C` columns, whose sums stay in registers; returns `R`.
#[inline(always)]
fn tile<const R: usize, const C: usize, const FMA: bool>(
    x: &[f32],
    rows: &[usize],
    columns: &[usize],
    b: &[f32],
    n: usize,
    c: &mut [f32],
) -> usize {
    let Some(last) = columns.last() else { return R };
    let mut sums = [[0.0; C]; R];
    for (r, sums) in sums.iter_mut().enumerate() {
        sums.copy_from_slice(&c[r * n..][..C]);
    }
    // All of one length: one check serves all rows.
    let x: [&[f32]; R] = std::array::from_fn(|r| &x[rows[r]..][..last + 1]);
    for (&column, b) in columns.iter().zip(b.chunks(n)) {
        let (x, b): ([f32; R], _) = (std::array::from_fn(|r| x[r][column]), &b[..C]);
        for r in 0..R {
            for c in 0..C {
                sums[r][c] = multiply_add::<FMA>(x[r], b[c], sums[r][c]);
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        c[r * n..][..C].copy_from_slice(sums);
    }
    R
}

#[cfg(test)]
mod tests {
    use super::add_gathered_product;
    use crate::nn::matmul;

    #[test]
    fn is_the_product_of_the_gathered_matrix() {
        let x: Vec<f32> = (0..400).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect();
        for (m, k, n) in [(1, 1, 1), (3, 9, 5), (64, 36, 16), (37, 144, 70), (15, 60, 32)] {
            let rows: Vec<usize> = (0..m).map(|i| i + i / 8 * 2).collect();
            let columns: Vec<usize> = (0..k).map(|j| j + j / 3 * 7 % 29).chain([300]).collect();
            let columns = &columns[1..];
            let of_row = |row: &usize| columns.iter().map(|column| x[row + column]).collect();
            let a: Vec<Vec<f32>> = rows.iter().map(of_row).collect();
            let b: Vec<f32> = (0..k * n).map(|i| ((i * 29 % 97) as f32 - 40.0) / 3.0).collect();
            let start: Vec<f32> = (0..m * n).map(|i| (i % 13) as f32 / 11.0).collect();
            let (mut ours, mut expected) = (start.clone(), start);
            add_gathered_product(&x, &rows, columns, &b, n, &mut ours);
            matmul::product(&a.concat(), &b, n, matmul::Start::Sum, &mut expected);
            assert_eq!(ours, expected, "{m} {k} {n}");
        }
    }
}
