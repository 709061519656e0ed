//! Matrix products for the small matrices of agents' networks and of contrastive losses.
//!
//! Each number of a product is one sum over the inner index, first to last, whatever the sizes;
//! only how many such sums run at once varies. So a row gives the same bits alone and in any batch.

use std::cell::RefCell;

#[path = "matmul/bf16.rs"] // of this file also where the benchmark includes it
mod bf16;

use crate::simd::{multiply_add, transpose_block, wide};

/// The inner index is processed in blocks of this length, so that the block of the right factor
/// stays in the nearest cache.
const STRETCH: usize = 128;

/// The same, where the block is copied and shares that cache with what it is copied from.
const PACKED_STRETCH: usize = 64;

/// The width of the blocks of the right factor: as much as four of the widest registers hold.
const PANEL: usize = 64;

/// Fewer columns than this do not fill a register. If there are at least as many rows, they are computed as
/// the rows of the transposed product.
const NARROW: usize = 8;

/// Fewer rows or columns of a factor than this are not worth their rounding to bf16.
const WORTH_ROUNDING: usize = 16;

/// What the factors of a product are rounded to. Its sums are `f32`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Precision {
    #[default]
    F32,
    /// bf16, but where a factor has few rows or columns.
    Bf16,
}

impl Precision {
    /// `C ← start + A B`: `A` is `[m, k]`, `B` `[k, n]` and `C` `[m, n]`, all by rows.
    pub(crate) fn product(self, a: &[f32], b: &[f32], n: usize, start: Start<'_>, c: &mut [f32]) {
        let k = b.len() / n;
        self.add(Factor::by_rows(a, k), Factor::by_rows(b, n), [k, n], start, c);
    }

    /// `C ← C + Aᵀ B`: `A` is `[k, m]`, `B` `[k, n]` and `C` `[m, n]`, all by rows.
    pub(crate) fn add_transposed_product(self, a: &[f32], b: &[f32], n: usize, c: &mut [f32]) {
        let (k, m) = (b.len() / n, c.len() / n);
        let precision = if m < WORTH_ROUNDING { Self::F32 } else { self };
        precision.add(Factor::by_columns(a, m), Factor::by_rows(b, n), [k, n], Start::Sum, c);
    }

    /// `C ← start + A Bᵀ`: `A` is `[m, k]`, `B` `[n, k]` and `C` `[m, n]`, all by rows.
    pub(crate) fn product_with_transpose(
        self,
        a: &[f32],
        b: &[f32],
        n: usize,
        start: Start<'_>,
        c: &mut [f32],
    ) {
        let k = b.len() / n;
        self.add(Factor::by_rows(a, k), Factor::by_columns(b, k), [k, n], start, c);
    }

    fn add(self, a: Factor<'_>, b: Factor<'_>, sizes: [usize; 2], start: Start<'_>, c: &mut [f32]) {
        // Whatever the number of rows: a row gives the same bits alone and in any batch.
        if self == Self::Bf16 && sizes.iter().all(|&size| size >= WORTH_ROUNDING) {
            bf16::add(a, b, sizes, start, c);
        } else {
            add(a, b, sizes, start, c, KERNELS);
        }
    }
}

/// [`Precision::product`] of `f32`.
pub(crate) fn product(a: &[f32], b: &[f32], n: usize, start: Start<'_>, c: &mut [f32]) {
    Precision::F32.product(a, b, n, start, c);
}

/// Writes the numbers of `A Aᵀ` above the diagonal and on it, and some below, to `c`: `A` is `[n, k]`,
/// `c` `[n, n]`.
pub(crate) fn product_with_own_transpose(a: &[f32], k: usize, c: &mut [f32]) {
    let n = a.len() / k;
    for first in (0..n).step_by(PANEL) {
        let a = &a[first * k..];
        let rows = PANEL.min(n - first);
        let (left, right) = (Factor::by_rows(&a[..rows * k], k), Factor::by_columns(a, k));
        let c = &mut c[first * n + first..][..rows * n - first];
        add_blocks(left, right, [k, n - first], Start::Zeros, c, n, KERNELS);
    }
}

/// `C ← S B` of a symmetric `S`, `[n, n]`, of which the numbers above the diagonal and on it are given.
/// Some below are overwritten. `B` and `C` are `[n, width]`.
pub(crate) fn symmetric_product(s: &mut [f32], b: &[f32], width: usize, c: &mut [f32]) {
    let n = c.len() / width;
    let mut block = [0.0; PANEL * PANEL];
    c.fill(0.0);
    for first in (0..n).step_by(PANEL) {
        let end = n.min(first + PANEL);
        let lines = &mut s[first * n..end * n];
        transpose_block([end - first; 2], &lines[first..], n, &mut block, PANEL);
        for (i, line) in lines.chunks_exact_mut(n).enumerate() {
            line[first..][..i].copy_from_slice(&block[i * PANEL..][..i]);
        }
        // These lines, and right of the diagonal's block the same numbers as columns.
        let (upper, lower) = c.split_at_mut(end * width);
        let (lines, b) = (&*lines, &b[first * width..]);
        let right = Factor::by_rows(b, width);
        let (left, c) = (Factor::by_rows(&lines[first..], n), &mut upper[first * width..]);
        add_blocks(left, right, [n - first, width], Start::Sum, c, width, KERNELS);
        if end < n {
            let left = Factor::by_columns(&lines[end..], n);
            add_blocks(left, right, [end - first, width], Start::Sum, lower, width, KERNELS);
        }
    }
}

/// What the sums of a product start from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Start<'a> {
    /// What `C` holds.
    Sum,
    /// Zeros.
    Zeros,
    /// The same row for each row of `C`.
    Row(&'a [f32]),
}

impl<'a> Start<'a> {
    /// Returns the part for `width` columns of a block, from `column` on; empty for what `C` holds.
    fn of_block(self, column: usize, width: usize) -> &'a [f32] {
        const ZEROS: &[f32] = &[0.0; PANEL];
        match self {
            Self::Sum => &[],
            Self::Zeros => &ZEROS[..width],
            Self::Row(row) => &row[column..][..width],
        }
    }

    /// Fills the columns of `C`, which has `n`, from `first` on.
    fn fill(self, c: &mut [f32], n: usize, first: usize) {
        for c in c.chunks_exact_mut(n) {
            match self {
                Self::Sum => return,
                Self::Zeros => c[first..].fill(0.0),
                Self::Row(row) => c[first..].copy_from_slice(&row[first..]),
            }
        }
    }
}

/// Adds rows of the width of `sum` to it, first to last.
pub(super) fn add_rows(rows: &[f32], sum: &mut [f32]) {
    let n = sum.len();
    for rows in rows.chunks(STRETCH * n) {
        let ones = &[1.0; STRETCH][..rows.len() / n];
        Precision::F32.add_transposed_product(ones, rows, n, sum);
    }
}

/// Writes `Aᵀ` to `transposed`; `A` has `n` columns.
pub(super) fn transpose(a: &[f32], n: usize, transposed: &mut [f32]) {
    assert_eq!(a.len(), transposed.len(), "there is room");
    let m = a.len() / n;
    transpose_block([m, n], a, n, transposed, m);
}

/// A factor of a product, or a part of one. `values` lie by rows or by columns, which begin
/// `stride` apart.
#[derive(Clone, Copy)]
struct Factor<'a> {
    values: &'a [f32],
    stride: usize,
    by_columns: bool,
}

impl<'a> Factor<'a> {
    fn by_rows(values: &'a [f32], stride: usize) -> Self {
        Self { values, stride, by_columns: false }
    }

    fn by_columns(values: &'a [f32], stride: usize) -> Self {
        Self::by_rows(values, stride).transpose()
    }

    fn transpose(self) -> Self {
        Self { by_columns: !self.by_columns, ..self }
    }

    /// Returns the part from this row and column on.
    fn from(self, row: usize, column: usize) -> Self {
        let (line, place) = if self.by_columns { (column, row) } else { (row, column) };
        Self { values: &self.values[line * self.stride + place..], ..self }
    }
}

/// Adds a product to `c`, of which it computes the first `n` columns: `kernel(left, right, start, c,
/// [the strides of left, right and c, and n])`. The right factor lies by rows. Each row of `c` starts from
/// `start`, or from what it holds where that is empty.
///
/// Slices instead of a struct that holds them: the compiler must know that `c` overlaps no factor,
/// or it uses no wide registers.
type Kernel = fn(&[f32], &[f32], &[f32], &mut [f32], [usize; 4]);

/// The kernels for left factors by rows and by columns on this processor.
const KERNELS: [Kernel; 2] = [rows_by_rows, columns_by_rows];

wide! {
    fn rows_by_rows<FMA, LANES>(
        a: &[f32], b: &[f32], start: &[f32], c: &mut [f32], sizes: [usize; 4],
    ) {
        panel::<false, FMA, LANES>(a, b, start, c, sizes);
    }
}

wide! {
    fn columns_by_rows<FMA, LANES>(
        a: &[f32], b: &[f32], start: &[f32], c: &mut [f32], sizes: [usize; 4],
    ) {
        panel::<true, FMA, LANES>(a, b, start, c, sizes);
    }
}

/// Adds a product of `[m, k]` and `[k, n]` to `start`.
fn add(
    a: Factor<'_>,
    b: Factor<'_>,
    [k, n]: [usize; 2],
    start: Start<'_>,
    c: &mut [f32],
    kernels: [Kernel; 2],
) {
    let m = c.len() / n;
    assert_eq!((a.values.len(), b.values.len()), (m * k, k * n), "the factors fit together");
    if m == 0 || k == 0 {
        return start.fill(c, n, 0);
    }
    let narrow = if m < NARROW { 0 } else { n % NARROW };
    let wide = n - narrow;
    add_blocks(a, b, [k, wide], start, c, n, kernels);
    if narrow > 0 {
        start.fill(c, n, wide);
        // Some rows of C at a time: Cᵀ = Bᵀ Aᵀ.
        let left = b.from(0, wide).transpose();
        let mut transposed = [0.0; NARROW * PANEL];
        let transposed = &mut transposed[..narrow * PANEL];
        for (i, c) in c.chunks_mut(PANEL * n).enumerate() {
            let rows = c.len() / n;
            let right = a.from(i * PANEL, 0).transpose();
            transpose_block([rows, narrow], &c[wide..], n, transposed, PANEL);
            add_blocks(left, right, [k, rows], Start::Sum, transposed, PANEL, kernels);
            transpose_block([narrow, rows], transposed, PANEL, &mut c[wide..], n);
        }
    }
}

/// A block of a right factor. Numbers that fill a register must not lie in two lines of the cache.
#[repr(align(64))]
struct Packed([f32; PACKED_STRETCH * PANEL]);

thread_local! {
    static PACKED: RefCell<Packed> =
        const { RefCell::new(Packed([0.0; PACKED_STRETCH * PANEL])) };
}

/// Adds a product to the first `n` columns of `c`, block by block of the right factor. Packs each
/// block by rows if it lies by columns.
fn add_blocks(
    a: Factor<'_>,
    b: Factor<'_>,
    [k, n]: [usize; 2],
    start: Start<'_>,
    c: &mut [f32],
    stride: usize,
    kernels: [Kernel; 2],
) {
    let kernel = kernels[usize::from(a.by_columns)];
    let stretch = if b.by_columns { PACKED_STRETCH } else { STRETCH };
    for first in (0..k).step_by(stretch) {
        let (a, length) = (a.from(0, first), stretch.min(k - first));
        let start = if first == 0 { start } else { Start::Sum };
        for column in (0..n).step_by(PANEL) {
            let (b, width) = (b.from(first, column), PANEL.min(n - column));
            let (start, c) = (start.of_block(column, width), &mut c[column..]);
            if b.by_columns {
                PACKED.with_borrow_mut(|Packed(packed)| {
                    let packed = &mut packed[..length * PANEL];
                    transpose_block([width, length], b.values, b.stride, packed, PANEL);
                    kernel(a.values, packed, start, c, [a.stride, PANEL, stride, width]);
                });
            } else {
                let rows = &b.values[..(length - 1) * b.stride + width];
                kernel(a.values, rows, start, c, [a.stride, b.stride, stride, width]);
            }
        }
    }
}

/// Adds a product by groups of as many columns as fill the registers.
#[inline(always)]
fn panel<const BY_COLUMNS: bool, const FMA: bool, const LANES: usize>(
    a: &[f32],
    b: &[f32],
    start: &[f32],
    c: &mut [f32],
    [a_stride, b_stride, stride, n]: [usize; 4],
) {
    let m = c.len().div_ceil(stride);
    let mut column = 0;
    while column < n {
        let (a, b, c) = ((a, a_stride), (&b[column..], b_stride), (&mut c[column..], stride));
        let start = if start.is_empty() { start } else { &start[column..] };
        // As many columns as fill the registers.
        column += match n - column {
            64.. if LANES == 16 || m == 1 => rows::<64, BY_COLUMNS, FMA>(m, a, b, start, c),
            32.. if LANES == 16 => rows::<32, BY_COLUMNS, FMA>(m, a, b, start, c),
            16.. => rows::<16, BY_COLUMNS, FMA>(m, a, b, start, c),
            8.. => rows::<8, BY_COLUMNS, FMA>(m, a, b, start, c),
            4.. => rows::<4, BY_COLUMNS, FMA>(m, a, b, start, c),
            2.. => rows::<2, BY_COLUMNS, FMA>(m, a, b, start, c),
            _ => rows::<1, BY_COLUMNS, FMA>(m, a, b, start, c),
        };
    }
}

/// Computes all `m` rows of a group of `C` columns; returns `C`. Each matrix comes with its stride.
#[inline(always)]
fn rows<const C: usize, const BY_COLUMNS: bool, const FMA: bool>(
    m: usize,
    (a, a_stride): (&[f32], usize),
    b: (&[f32], usize),
    start: &[f32],
    (c, stride): (&mut [f32], usize),
) -> usize {
    let mut row = 0;
    while row < m {
        let a = (&a[row * if BY_COLUMNS { 1 } else { a_stride }..], a_stride);
        let c = (&mut c[row * stride..], stride);
        row += match m - row {
            6.. => tile::<6, C, BY_COLUMNS, FMA>(a, b, start, c),
            5 => tile::<5, C, BY_COLUMNS, FMA>(a, b, start, c),
            4 => tile::<4, C, BY_COLUMNS, FMA>(a, b, start, c),
            3 => tile::<3, C, BY_COLUMNS, FMA>(a, b, start, c),
            2 => tile::<2, C, BY_COLUMNS, FMA>(a, b, start, c),
            _ => tile::<1, C, BY_COLUMNS, FMA>(a, b, start, c),
        };
    }
    C
}

/// Computes `R` rows of `C` columns, whose sums stay in registers; returns `R`.
#[inline(always)]
fn tile<const R: usize, const C: usize, const BY_COLUMNS: bool, const FMA: bool>(
    (a, a_stride): (&[f32], usize),
    (b, b_stride): (&[f32], usize),
    start: &[f32],
    (c, stride): (&mut [f32], usize),
) -> usize {
    let mut sums = [[0.0; C]; R];
    for (r, sums) in sums.iter_mut().enumerate() {
        let from = if start.is_empty() { &c[r * stride..] } else { start };
        sums.copy_from_slice(&from[..C]);
    }
    let k = b.len().div_ceil(b_stride);
    let b = b.chunks(b_stride).map(|b| &b[..C]);
    if BY_COLUMNS {
        for (a, b) in a.chunks(a_stride).zip(b) {
            let a = &a[..R];
            for r in 0..R {
                for c in 0..C {
                    sums[r][c] = multiply_add::<FMA>(a[r], b[c], sums[r][c]);
                }
            }
        }
    } else {
        let a: [&[f32]; R] = std::array::from_fn(|r| &a[r * a_stride..][..k]);
        for (i, b) in (0..k).zip(b) {
            let a: [f32; R] = std::array::from_fn(|r| a[r][i]);
            for r in 0..R {
                for c in 0..C {
                    sums[r][c] = multiply_add::<FMA>(a[r], b[c], sums[r][c]);
                }
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        c[r * stride..][..C].copy_from_slice(sums);
    }
    R
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The kernels of this processor, and as those with narrower registers would run them.
    const OTHERS: [[Kernel; 2]; 3] = [
        KERNELS,
        [panel::<false, false, 4>, panel::<true, false, 4>],
        [panel::<false, false, 16>, panel::<true, false, 16>],
    ];

    /// Whether this processor's kernels round once for a product and its sum.
    fn fuses() -> bool {
        let tiny = [1.0 + f32::EPSILON];
        let mut c = [-1.0 - 2.0 * f32::EPSILON];
        product(&tiny, &tiny, 1, Start::Sum, &mut c);
        c[0] != 0.0
    }

    /// Small whole numbers, whose products have no rounding.
    pub(super) fn whole(length: usize, step: usize) -> Vec<f32> {
        (0..length).map(|i| (i * step % 11) as f32 - 5.0).collect()
    }

    fn transposed(a: &[f32], n: usize) -> Vec<f32> {
        let mut transposed = vec![f32::NAN; a.len()];
        transpose(a, n, &mut transposed);
        transposed
    }

    /// Adds `A B` to `c` in each of the ways to store the factors.
    fn all_ways(a: &[f32], b: &[f32], n: usize, c: &[f32], kernels: [Kernel; 2]) -> [Vec<f32>; 4] {
        let (k, m) = (b.len() / n, c.len() / n);
        let (a_columns, b_columns) = (transposed(a, k), transposed(b, n));
        let a = [Factor::by_rows(a, k), Factor::by_columns(&a_columns, m)];
        let b = [Factor::by_rows(b, n), Factor::by_columns(&b_columns, k)];
        [(a[0], b[0]), (a[1], b[0]), (a[0], b[1]), (a[1], b[1])].map(|(a, b)| {
            let mut c = c.to_vec();
            add(a, b, [k, n], Start::Sum, &mut c, kernels);
            c
        })
    }

    /// Sums that start from zeros or a row, whatever `c` held.
    #[test]
    fn products_start_from_zeros_or_a_row() {
        for (m, k, n) in [(1, 3, 1), (7, 70, 3), (9, 200, 70), (16, 0, 5), (33, 5, 130)] {
            let (a, b, row) = (whole(m * k, 7), whole(k * n, 5), whole(n, 3));
            let row_each: Vec<f32> = row.iter().copied().cycle().take(m * n).collect();
            for (start, held) in [(Start::Zeros, vec![0.0; m * n]), (Start::Row(&row), row_each)] {
                let mut expected = held;
                let (mut c, mut d) = (vec![f32::NAN; m * n], vec![f32::NAN; m * n]);
                let by_rows = [Factor::by_rows(&a, k), Factor::by_rows(&b, n)];
                add(by_rows[0], by_rows[1], [k, n], Start::Sum, &mut expected, KERNELS);
                add(by_rows[0], by_rows[1], [k, n], start, &mut c, KERNELS);
                assert_eq!(c, expected, "{m} {k} {n}");
                let b_columns = transposed(&b, n);
                let by_columns = Factor::by_columns(&b_columns, k);
                add(by_rows[0], by_columns, [k, n], start, &mut d, KERNELS);
                assert_eq!(d, expected, "{m} {k} {n}");
            }
        }
    }

    #[test]
    fn products_of_all_shapes() {
        for m in [1, 2, 5, 7, 8, 16, 33, 70] {
            for k in [1, 2, 63, 64, 129, 300] {
                for n in [1, 2, 3, 7, 16, 31, 64, 70, 130] {
                    let (a, b, c) = (whole(m * k, 7), whole(k * n, 5), whole(m * n, 3));
                    let mut expected = c.clone();
                    for (i, row) in expected.chunks_mut(n).enumerate() {
                        for (j, c) in row.iter_mut().enumerate() {
                            *c += (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f32>();
                        }
                    }
                    for kernels in OTHERS {
                        for (way, c) in all_ways(&a, &b, n, &c, kernels).iter().enumerate() {
                            assert_eq!(*c, expected, "{m} {k} {n}, {way}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn each_number_is_one_sum_first_to_last() {
        // Numbers whose sums depend on the order.
        let rough = |length: usize, step: usize| -> Vec<f32> {
            (0..length).map(|i| ((i * step % 101) as f32 - 50.0) / 7.0).collect()
        };
        let product =
            |a: f32, b: f32, c: f32, fused| if fused { a.mul_add(b, c) } else { a * b + c };
        for (kernels, fused) in OTHERS.into_iter().zip([fuses(), false, false]) {
            for (m, k, n) in [(1, 300, 1), (1, 70, 9), (7, 70, 3), (70, 200, 3), (19, 130, 71)] {
                let (a, b, c) = (rough(m * k, 37), rough(k * n, 29), rough(m * n, 17));
                let mut expected = c.clone();
                for (i, row) in expected.chunks_mut(n).enumerate() {
                    for (j, c) in row.iter_mut().enumerate() {
                        let add = |sum, l| product(a[i * k + l], b[l * n + j], sum, fused);
                        *c = (0..k).fold(*c, add);
                    }
                }
                for (way, c) in all_ways(&a, &b, n, &c, kernels).iter().enumerate() {
                    assert_eq!(*c, expected, "{m} {k} {n}, {way}, {fused}");
                }
            }
        }
    }

    #[test]
    fn products_of_symmetric_matrices() {
        for (n, k) in [(1, 1), (5, 3), (64, 7), (70, 130), (200, 33)] {
            let a = whole(n * k, 7);
            let (mut ours, mut expected) = (vec![f32::NAN; n * n], vec![0.0; n * n]);
            Precision::F32.product_with_transpose(&a, &a, n, Start::Zeros, &mut expected);
            product_with_own_transpose(&a, k, &mut ours);
            let above = |c: &[f32]| -> Vec<f32> {
                c.chunks(n).enumerate().flat_map(|(i, row)| row[i..].to_vec()).collect()
            };
            assert_eq!(above(&ours), above(&expected), "{n} {k}");
            // What lies below the diagonal has no say.
            let small = |c: &[f32]| -> Vec<f32> { c.iter().map(|x| x % 8.0).collect() };
            let (mut symmetric, full) = (small(&ours), small(&expected));
            for i in 0..n {
                symmetric[i * n..][..i].fill(f32::NAN);
            }
            let (mut ours, mut expected) = (vec![f32::NAN; n * k], vec![0.0; n * k]);
            symmetric_product(&mut symmetric, &a, k, &mut ours);
            product(&full, &a, k, Start::Zeros, &mut expected);
            assert_eq!(ours, expected, "{n} {k}");
        }
    }

    #[test]
    fn adds_rows_of_any_width() {
        for (rows, width) in [(1, 1), (5, 3), (128, 64), (300, 70)] {
            let (rows, start) = (whole(rows * width, 7), whole(width, 3));
            let mut sum = start.clone();
            add_rows(&rows, &mut sum);
            for (j, sum) in sum.iter().enumerate() {
                assert_eq!(*sum, start[j] + rows[j..].iter().step_by(width).sum::<f32>());
            }
        }
    }

    #[test]
    fn transposes_any_shape() {
        for (m, n) in [(1, 1), (1, 9), (8, 4), (17, 5), (7, 3), (40, 33)] {
            let a = whole(m * n, 7);
            let transposed = transposed(&a, n);
            for (i, x) in a.iter().enumerate() {
                assert_eq!(transposed[i % n * m + i / n], *x, "{m} {n}");
            }
        }
    }
}
