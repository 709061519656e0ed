//! Matrix products for the small matrices of agents' networks.
//!
//! Each number of a product is one sum over the inner index, first to last, whatever the sizes;
//! only how many such sums run at once varies. So a row gives the same bits alone and in any batch.

use crate::simd::{multiply_add, wide};

/// The inner index is processed in blocks of this length, so that the block of the right factor
/// stays in the nearest cache.
const STRETCH: usize = 128;

/// `C ← C + A B`: `A` is `[m, k]`, `B` `[k, n]` and `C` `[m, n]`, all by rows.
pub(super) fn add_product(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
    let (m, k) = (c.len() / n, b.len() / n);
    assert_eq!(a.len(), m * k, "the factors fit together");
    product(a, b, n, c);
}

/// `C ← C + Aᵀ B`: `A` is `[k, m]`, `B` `[k, n]` and `C` `[m, n]`, all by rows.
pub(super) fn add_transposed_product(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
    let (m, k) = (c.len() / n, b.len() / n);
    assert_eq!(a.len(), m * k, "the factors fit together");
    transposed_product(a, b, n, c);
}

/// Writes `Aᵀ` to `transposed`; `A` has `n` columns.
pub(super) fn transpose(a: &[f32], n: usize, transposed: &mut [f32]) {
    const TOGETHER: usize = 16; // rows, whose numbers fill a line of the cache side by side
    let m = a.len() / n;
    assert_eq!(a.len(), transposed.len(), "there is room");
    for (i, rows) in a.chunks(TOGETHER * n).enumerate() {
        for (j, column) in transposed.chunks_exact_mut(m).enumerate() {
            let column = column[i * TOGETHER..].iter_mut();
            column.zip(rows[j..].iter().step_by(n)).for_each(|(to, from)| *to = *from);
        }
    }
}

wide! {
    fn product<FMA, LANES>(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
        blocks::<false, FMA, LANES>(a, b, n, c);
    }
}

wide! {
    fn transposed_product<FMA, LANES>(a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
        blocks::<true, FMA, LANES>(a, b, n, c);
    }
}

/// The position of the left factor's numbers: `A` begins at `a`; its rows, or those of `Aᵀ`, are
/// `stride` apart.
#[derive(Clone, Copy)]
struct Left<'a> {
    a: &'a [f32],
    stride: usize,
}

/// Computes the product in blocks of the inner index, in each by groups of columns.
#[inline(always)]
fn blocks<const TRANSPOSED: bool, const FMA: bool, const LANES: usize>(
    a: &[f32],
    b: &[f32],
    n: usize,
    c: &mut [f32],
) {
    let (m, k) = (c.len() / n, b.len() / n);
    if m == 0 {
        return;
    }
    let stride = if TRANSPOSED { m } else { k };
    for (i, b) in b.chunks(STRETCH * n).enumerate() {
        let a = &a[i * STRETCH * if TRANSPOSED { stride } else { 1 }..];
        let left = Left { a, stride };
        let mut column = 0;
        while column < n {
            // As many columns as fill the registers.
            column += match n - column {
                64.. if LANES == 16 || m == 1 => rows::<64, TRANSPOSED, FMA>(left, b, n, column, c),
                32.. if LANES == 16 => rows::<32, TRANSPOSED, FMA>(left, b, n, column, c),
                16.. => rows::<16, TRANSPOSED, FMA>(left, b, n, column, c),
                8.. => rows::<8, TRANSPOSED, FMA>(left, b, n, column, c),
                4.. => rows::<4, TRANSPOSED, FMA>(left, b, n, column, c),
                2.. => rows::<2, TRANSPOSED, FMA>(left, b, n, column, c),
                _ => rows::<1, TRANSPOSED, FMA>(left, b, n, column, c),
            };
        }
    }
}

/// Computes all rows of groups of `C` columns; returns `C`.
#[inline(always)]
fn rows<const C: usize, const TRANSPOSED: bool, const FMA: bool>(
    left: Left<'_>,
    b: &[f32],
    n: usize,
    column: usize,
    c: &mut [f32],
) -> usize {
    let (mut c, mut row) = (c, 0);
    while !c.is_empty() {
        let a = &left.a[row * if TRANSPOSED { 1 } else { left.stride }..];
        let left = Left { a, ..left };
        let count = (c.len() / n).min(6);
        let (some, more) = c.split_at_mut(count * n);
        match count {
            6 => tile::<6, C, TRANSPOSED, FMA>(left, b, n, column, some),
            5 => tile::<5, C, TRANSPOSED, FMA>(left, b, n, column, some),
            4 => tile::<4, C, TRANSPOSED, FMA>(left, b, n, column, some),
            3 => tile::<3, C, TRANSPOSED, FMA>(left, b, n, column, some),
            2 => tile::<2, C, TRANSPOSED, FMA>(left, b, n, column, some),
            _ => tile::<1, C, TRANSPOSED, FMA>(left, b, n, column, some),
        }
        (c, row) = (more, row + count);
    }
    C
}

/// Computes `R` rows of `C` columns; the sums stay in registers.
#[inline(always)]
fn tile<const R: usize, const C: usize, const TRANSPOSED: bool, const FMA: bool>(
    Left { a, stride }: Left<'_>,
    b: &[f32],
    n: usize,
    column: usize,
    c: &mut [f32],
) {
    let mut sums = [[0.0; C]; R];
    for (sums, c) in sums.iter_mut().zip(c.chunks_exact(n)) {
        sums.copy_from_slice(&c[column..][..C]);
    }
    assert!(column + C <= n, "the columns are there"); // once, instead of in every turn
    let length = b.len() / n;
    let b = b.chunks_exact(n).map(|b| &b[column..][..C]);
    if TRANSPOSED {
        for (a, b) in a.chunks(stride).zip(b) {
            let a = &a[..R];
            for r in 0..R {
                for c in 0..C {
                    sums[r][c] = multiply_add::<FMA>(a[r], b[c], sums[r][c]);
                }
            }
        }
    } else {
        let a: [&[f32]; R] = std::array::from_fn(|r| &a[r * stride..][..length]);
        for (i, b) in (0..length).zip(b) {
            let a: [f32; R] = std::array::from_fn(|r| a[r][i]);
            for r in 0..R {
                for c in 0..C {
                    sums[r][c] = multiply_add::<FMA>(a[r], b[c], sums[r][c]);
                }
            }
        }
    }
    for (sums, c) in sums.iter().zip(c.chunks_exact_mut(n)) {
        c[column..][..C].copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A left factor and how it is multiplied.
    type Product<'a> = (&'a [f32], fn(&[f32], &[f32], usize, &mut [f32]));

    /// Small whole numbers, whose products have no rounding.
    fn whole(length: usize, step: usize) -> Vec<f32> {
        (0..length).map(|i| (i * step % 11) as f32 - 5.0).collect()
    }

    #[test]
    fn products_of_all_shapes() {
        for m in [1, 2, 5, 6, 7, 16, 33] {
            for k in [1, 2, 63, 128, 129, 300] {
                for n in [1, 2, 3, 7, 16, 31, 64, 70, 130] {
                    let (a, b) = (whole(m * k, 7), whole(k * n, 5));
                    let mut expected = whole(m * n, 3);
                    for (i, row) in expected.chunks_mut(n).enumerate() {
                        for (j, c) in row.iter_mut().enumerate() {
                            *c += (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f32>();
                        }
                    }
                    let mut transposed = vec![f32::NAN; a.len()];
                    transpose(&a, k, &mut transposed);
                    // As this processor does it, and as others would.
                    let products: [Product<'_>; 6] = [
                        (&a, add_product),
                        (&a, blocks::<false, false, 4>),
                        (&a, blocks::<false, false, 16>),
                        (&transposed, add_transposed_product),
                        (&transposed, blocks::<true, false, 4>),
                        (&transposed, blocks::<true, false, 16>),
                    ];
                    for (which, (a, product)) in products.into_iter().enumerate() {
                        let mut c = whole(m * n, 3);
                        product(a, &b, n, &mut c);
                        assert_eq!(c, expected, "{m} {k} {n}, {which}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_sum_goes_first_to_last() {
        // 1e8 swallows a 1 that comes after it, not one that comes before its opposite.
        let (a, b) = ([1e8, 1.0, -1e8, 1.0], [1.0; 4]);
        let mut c = [0.0];
        add_product(&a, &b, 1, &mut c);
        assert_eq!(c, [1.0]);
    }
}
