//! Products whose factors are rounded to bf16, which has the range of `f32` and 8 bits of its
//! precision. The sums are `f32`, each in the same order whatever the sizes.
//!
//! Processors with AVX512-BF16 multiply two such pairs in the time of one product of `f32`. The
//! others multiply the rounded numbers as `f32`, which is slower and may differ in the last bits, and
//! where numbers are too small to be normal ones, which the instructions take for zeros.

use std::cell::RefCell;

use super::{Factor, KERNELS, PANEL, Start};

thread_local! {
    /// Memory for both factors as they are multiplied.
    static FACTORS: RefCell<[Vec<f32>; 2]> = const { RefCell::new([Vec::new(), Vec::new()]) };
}

/// Adds a product of `[m, k]` and `[k, n]` to `start`.
pub(super) fn add(
    a: Factor<'_>,
    b: Factor<'_>,
    [k, n]: [usize; 2],
    start: Start<'_>,
    c: &mut [f32],
) {
    let m = c.len() / n;
    assert_eq!((a.values.len(), b.values.len()), (m * k, k * n), "the factors fit together");
    if m == 0 || k == 0 {
        return start.fill(c, n, 0);
    }
    FACTORS.with_borrow_mut(|[left, right]| {
        #[cfg(target_arch = "x86_64")]
        if has_bf16() {
            // SAFETY: the processor has just said that it knows these instructions.
            #[allow(unsafe_code)] // there is no safe way to call what was detected
            unsafe {
                pairs::add(a, b, [k, n], start, c, left, right);
            }
            return;
        }
        let (a, b) = (rounded(a, left), rounded(b, right));
        super::add(a, b, [k, n], start, c, KERNELS);
    });
}

#[cfg(target_arch = "x86_64")]
fn has_bf16() -> bool {
    gymnast_base::simd::has_avx512() && is_x86_feature_detected!("avx512bf16")
}

/// Rounds a factor's numbers.
fn rounded<'a>(factor: Factor<'_>, memory: &'a mut Vec<f32>) -> Factor<'a> {
    memory.clear();
    memory.extend(factor.values.iter().map(|&x| round(x)));
    Factor { values: memory, ..factor }
}

/// The nearest number of bf16; of two equally near ones, that with an even last digit.
fn round(x: f32) -> f32 {
    let bits = x.to_bits();
    let up = 0x7fff + (bits >> 16 & 1);
    if x.is_nan() { x } else { f32::from_bits((bits + up) & 0xffff_0000) }
}

/// The products of processors that know bf16. A pair of numbers that follow each other along the
/// inner index lies in the place of an `f32`; behind the last of an odd number lies a zero.
#[cfg(target_arch = "x86_64")]
mod pairs {
    use std::arch::x86_64::*;

    use super::{Factor, PANEL, Start};
    use crate::simd::transpose_block;

    /// The inner index is processed in blocks of this length, so that the block of the right factor
    /// stays in the nearest cache.
    const STRETCH: usize = 256;

    /// The numbers of a register.
    const LANES: usize = 16;

    #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512bf16,avx2")]
    pub(super) fn add(
        a: Factor<'_>,
        b: Factor<'_>,
        [k, n]: [usize; 2],
        start: Start<'_>,
        c: &mut [f32],
        left: &mut Vec<f32>,
        right: &mut Vec<f32>,
    ) {
        let (m, pairs) = (c.len() / n, k.div_ceil(2));
        left.resize(m * pairs, 0.0);
        // The places of the pairs of the left factor: those of a row, and those of a column, lie so far apart.
        let apart = if a.by_columns {
            side_by_side(a, [k, m], left, m);
            [1, m]
        } else {
            along_rows(a, [m, k], left);
            [pairs, 1]
        };
        right.resize(STRETCH * PANEL, 0.0);
        let (block, lines) = right.split_at_mut(STRETCH / 2 * PANEL);
        for first in (0..k).step_by(STRETCH) {
            let length = STRETCH.min(k - first);
            let start = if first == 0 { start } else { Start::Sum };
            for column in (0..n).step_by(PANEL) {
                let width = PANEL.min(n - column);
                let b = b.from(first, column);
                if b.by_columns {
                    let pairs = length.div_ceil(2);
                    along_rows(b, [width, length], lines);
                    transpose_block([width, pairs], lines, pairs, block, PANEL);
                } else {
                    side_by_side(b, [length, width], block, PANEL);
                }
                let start = start.of_block(column, width);
                let block = &block[..length.div_ceil(2) * PANEL];
                let left = (&left[first / 2 * apart[1]..], apart);
                panel(left, block, start, &mut c[column..], n, width);
            }
        }
    }

    /// Writes the pairs of numbers that lie side by side in each line of `from`, `[lines, length]`.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn along_rows(from: Factor<'_>, [lines, length]: [usize; 2], to: &mut [f32]) {
        let pairs = length.div_ceil(2);
        for (line, to) in to.chunks_exact_mut(pairs).take(lines).enumerate() {
            let from = &from.values[line * from.stride..][..length];
            for (from, to) in from.chunks(2 * LANES).zip(to.chunks_mut(LANES)) {
                let (low, high) = from.split_at(from.len().min(LANES));
                store(_mm512_cvtne2ps_pbh(load(high), load(low)), to);
            }
        }
    }

    /// Writes the pairs of numbers that lie one below the other in each two lines of `from`, `[length,
    /// width]`, as lines that begin `stride` apart.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn side_by_side(from: Factor<'_>, [length, width]: [usize; 2], to: &mut [f32], stride: usize) {
        // The numbers of the upper line in the lower half, those of the lower one in the upper half.
        let order: [i16; 2 * LANES] = std::array::from_fn(|i| (i / 2 + LANES * (i % 2)) as i16);
        // SAFETY: an array of as many bytes as are loaded.
        #[allow(unsafe_code)] // there is no safe load
        let order = unsafe { _mm512_loadu_si512(order.as_ptr().cast()) };
        let line = |line: usize| &from.values[line * from.stride..][..width];
        for (first, to) in (0..length).step_by(2).zip(to.chunks_mut(stride)) {
            let above = line(first);
            let below = if first + 1 < length { line(first + 1) } else { &[] };
            for (i, to) in to[..width].chunks_mut(LANES).enumerate() {
                let part = |line: &'_ [f32]| load(line.get(i * LANES..).unwrap_or_default());
                let both = _mm512_cvtne2ps_pbh(part(below), part(above));
                store(to_bf16(_mm512_permutexvar_epi16(order, to_integers(both))), to);
            }
        }
    }

    /// Adds the products of all rows to a block of at most [`PANEL`] columns.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    fn panel(
        (a, apart): (&[f32], [usize; 2]),
        b: &[f32],
        start: &[f32],
        c: &mut [f32],
        stride: usize,
        width: usize,
    ) {
        let m = c.len().div_ceil(stride);
        let mut row = 0;
        while row < m {
            let a = (&a[row * apart[0]..], apart);
            let c = &mut c[row * stride..];
            row += match m - row {
                6.. => columns::<6>(a, b, start, c, stride, width),
                4.. => columns::<4>(a, b, start, c, stride, width),
                2.. => columns::<2>(a, b, start, c, stride, width),
                _ => columns::<1>(a, b, start, c, stride, width),
            };
        }
    }

    /// Computes `R` rows; returns `R`.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    #[inline]
    fn columns<const R: usize>(
        a: (&[f32], [usize; 2]),
        b: &[f32],
        start: &[f32],
        c: &mut [f32],
        stride: usize,
        width: usize,
    ) -> usize {
        match width.div_ceil(LANES) {
            4 => tile::<R, 4>(a, b, start, c, stride, width),
            3 => tile::<R, 3>(a, b, start, c, stride, width),
            2 => tile::<R, 2>(a, b, start, c, stride, width),
            _ => tile::<R, 1>(a, b, start, c, stride, width),
        }
        R
    }

    /// Computes `R` rows of `V` registers each, the last of which need not be full.
    #[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
    #[inline]
    fn tile<const R: usize, const V: usize>(
        (a, apart): (&[f32], [usize; 2]),
        b: &[f32],
        start: &[f32],
        c: &mut [f32],
        stride: usize,
        width: usize,
    ) {
        let mut sums = [[_mm512_setzero_ps(); V]; R];
        for (r, sums) in sums.iter_mut().enumerate() {
            let from = if start.is_empty() { &c[r * stride..][..width] } else { start };
            for (v, sum) in sums.iter_mut().enumerate() {
                *sum = load(from.get(v * LANES..).unwrap_or_default());
            }
        }
        let (lines, _) = b.as_chunks::<PANEL>();
        assert!(
            a.len() > (R - 1) * apart[0] + (lines.len() - 1) * apart[1],
            "a pair for each line"
        );
        for (i, line) in lines.iter().enumerate() {
            let (line, _) = line.as_chunks::<LANES>();
            for (r, sums) in sums.iter_mut().enumerate() {
                // SAFETY: the last place that is read lies within the slice, as asserted.
                #[allow(unsafe_code)] // checks at each number halve the speed
                let pair = unsafe { *a.get_unchecked(r * apart[0] + i * apart[1]) };
                let pair = to_bf16(_mm512_castps_si512(_mm512_set1_ps(pair)));
                for (sum, b) in sums.iter_mut().zip(line) {
                    let b = to_bf16(_mm512_castps_si512(load_all(b)));
                    *sum = _mm512_dpbf16_ps(*sum, pair, b);
                }
            }
        }
        for (r, sums) in sums.iter().enumerate() {
            let to = &mut c[r * stride..][..width];
            for (v, &sum) in sums.iter().enumerate() {
                let to = to.get_mut(v * LANES..).unwrap_or_default();
                store(to_bf16(_mm512_castps_si512(sum)), to);
            }
        }
    }

    /// The numbers of a slice, of which at most [`LANES`], and zeros behind them.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load(from: &[f32]) -> __m512 {
        // SAFETY: only as many numbers are read as the slice has.
        #[allow(unsafe_code)] // there is no safe load
        unsafe {
            _mm512_maskz_loadu_ps(mask(from.len()), from.as_ptr())
        }
    }

    #[target_feature(enable = "avx512f")]
    #[inline]
    fn load_all(from: &[f32; LANES]) -> __m512 {
        // SAFETY: as many numbers are read as there are.
        #[allow(unsafe_code)] // there is no safe load
        unsafe {
            _mm512_loadu_ps(from.as_ptr())
        }
    }

    /// Writes as many numbers, or pairs, as the slice has places.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn store(from: __m512bh, to: &mut [f32]) {
        // SAFETY: only as many places are written as the slice has.
        #[allow(unsafe_code)] // there is no safe store
        unsafe {
            let mask = mask(to.len());
            _mm512_mask_storeu_epi32(to.as_mut_ptr().cast(), mask, to_integers(from));
        }
    }

    fn mask(length: usize) -> __mmask16 {
        if length >= LANES { __mmask16::MAX } else { (1 << length) - 1 }
    }

    fn to_bf16(bits: __m512i) -> __m512bh {
        // SAFETY: both are 512 bits, of any value.
        #[allow(unsafe_code)] // there is no safe conversion
        unsafe {
            std::mem::transmute(bits)
        }
    }

    fn to_integers(bits: __m512bh) -> __m512i {
        // SAFETY: both are 512 bits, of any value.
        #[allow(unsafe_code)] // there is no safe conversion
        unsafe {
            std::mem::transmute(bits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Precision, Start, product, tests::whole, transpose};
    use super::round;

    /// Small whole numbers, which bf16 holds: nothing is rounded.
    #[test]
    fn products_of_all_shapes() {
        for m in [0, 1, 2, 5, 16, 33] {
            for k in [16, 17, 31, 64, 255, 256, 300] {
                for n in [16, 17, 31, 64, 70, 130] {
                    let (a, b, row) = (whole(m * k, 7), whole(k * n, 5), whole(n, 3));
                    let mut expected = vec![0.0; m * n];
                    product(&a, &b, n, Start::Row(&row), &mut expected);
                    let mut c = vec![f32::NAN; m * n];
                    Precision::Bf16.product(&a, &b, n, Start::Row(&row), &mut c);
                    assert_eq!(c, expected, "{m} {k} {n}");
                    let (mut a_columns, mut b_columns) = (a.clone(), b.clone());
                    transpose(&a, k, &mut a_columns);
                    transpose(&b, n, &mut b_columns);
                    c.fill(f32::NAN);
                    let start = Start::Row(&row);
                    Precision::Bf16.product_with_transpose(&a, &b_columns, n, start, &mut c);
                    assert_eq!(c, expected, "{m} {k} {n}");
                    c.fill(1.0);
                    Precision::Bf16.add_transposed_product(&a_columns, &b, n, &mut c);
                    let sums = expected.iter().enumerate().map(|(i, x)| x - row[i % n] + 1.0);
                    assert_eq!(c, sums.collect::<Vec<_>>(), "{m} {k} {n}");
                }
            }
        }
    }

    #[test]
    fn factors_are_rounded_and_sums_are_not() {
        let (m, k, n) = (3, 40, 20);
        let values = |length: usize| (0..length).map(|i| (i as f32 * 0.37).sin() * 100.0);
        let (a, b): (Vec<_>, Vec<_>) = (values(m * k).collect(), values(k * n).collect());
        let mut c = vec![0.0; m * n];
        Precision::Bf16.product(&a, &b, n, Start::Zeros, &mut c);
        let mut batch = c.clone();
        for (i, c) in c.chunks(n).enumerate() {
            let row = &a[i * k..][..k];
            Precision::Bf16.product(row, &b, n, Start::Zeros, &mut batch[..n]);
            assert_eq!(&batch[..n], c, "a row alone");
            for (j, &c) in c.iter().enumerate() {
                let terms =
                    (0..k).map(|l| f64::from(round(row[l])) * f64::from(round(b[l * n + j])));
                let (sum, size) = terms.fold((0.0, 0.0), |(s, z), x| (s + x, z + x.abs()));
                assert!((f64::from(c) - sum).abs() <= 1e-6 * size, "{c} {sum}");
            }
        }
    }

    #[test]
    fn rounds_to_the_nearest_or_even() {
        let step = 1.0 / 128.0; // between numbers of bf16 above 1
        for (x, rounded) in [
            (1.0 + 0.4 * step, 1.0),
            (1.0 + 0.5 * step, 1.0),
            (1.0 + 1.5 * step, 1.0 + 2.0 * step),
            (-1.0 - 0.6 * step, -1.0 - step),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ] {
            assert_eq!(round(x), rounded);
        }
        assert!(round(f32::NAN).is_nan());
    }
}
