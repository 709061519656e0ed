//! Loops over `f32` slices that use the processor's wide instructions where it has them, by
//! [`wide!`]. A machine that knows none may differ in the last bit.

/// `a · b + c`, in one rounding where the processor does that in one instruction.
#[inline(always)]
pub(crate) fn multiply_add<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `x`, or zero where `x` is too small to be a normal number: arithmetic on those is many times
/// slower, and an optimiser's moments decay through them when gradients stay zero.
#[inline(always)]
pub(crate) fn flush(x: f32) -> f32 {
    if x.abs() < f32::MIN_POSITIVE { 0.0 } else { x }
}

/// eˣ within 2 units in the last place: too large for `f32` it is infinite, too small zero, and NaN
/// stays.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    let x = if x > 89.0 { 89.0 } else { x }; // beyond, it is infinite
    let x = if x < -104.0 { -104.0 } else { x }; // beyond, it is zero
    let (n, rest) = reduce_exp::<FMA>(x);
    // 2ⁿ may be no normal number where eˣ is one; its two halves are.
    let half = n >> 1;
    (1.0 + rest) * power_of_two(half) * power_of_two(n.wrapping_sub(half))
}

/// eˣ − 1 for x ≤ 88, within 3 units in the last place also near zero; NaN stays.
#[inline(always)]
pub(crate) fn exp_m1<const FMA: bool>(x: f32) -> f32 {
    let x = if x < -87.0 { -87.0 } else { x }; // beyond, it is -1
    let (n, rest) = reduce_exp::<FMA>(x);
    let power = power_of_two(n);
    multiply_add::<FMA>(power, rest, power - 1.0)
}

/// Returns the whole n and eʳ − 1 for which eˣ = 2ⁿ eʳ and |r| ≤ ln 2 / 2. The method and the
/// polynomial are those of the Cephes library (Moshier 1989).
#[inline(always)]
fn reduce_exp<const FMA: bool>(x: f32) -> (i32, f32) {
    const POLYNOMIAL: [f32; 6] =
        [1.987_569_2e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1];
    // Added to a number, it leaves the nearest whole one in the last bits.
    const ROUND: f32 = 12_582_912.0;
    let rounded = multiply_add::<FMA>(x, std::f32::consts::LOG2_E, ROUND);
    let n = rounded - ROUND;
    // ln 2 in two parts, the first so short that its product with n is exact.
    let r = multiply_add::<FMA>(n, -0.693_359_4, x);
    let r = multiply_add::<FMA>(n, 2.121_944_4e-4, r);
    let mut sum = POLYNOMIAL[0];
    for c in &POLYNOMIAL[1..] {
        sum = multiply_add::<FMA>(sum, r, *c);
    }
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed();
    (n, multiply_add::<FMA>(sum, r * r, r))
}

/// 2ⁿ, for the `n` of normal numbers.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits(n.wrapping_add(127).cast_unsigned() << 23)
}

pub(crate) use gymnast_base::wide;

/// Writes the transpose of a block of `[rows, columns]`, whose rows begin `stride` apart, as rows
/// that begin `to_stride` apart.
pub(crate) fn transpose_block(
    [rows, columns]: [usize; 2],
    from: &[f32],
    stride: usize,
    to: &mut [f32],
    to_stride: usize,
) {
    const TOGETHER: usize = 16; // numbers that fill a line of the cache side by side
    let (mut done_rows, mut done_columns) = (0, columns);
    #[cfg(target_arch = "x86_64")]
    if gymnast_base::simd::has_avx2() {
        (done_rows, done_columns) = (rows - rows % 8, columns - columns % 4);
        // SAFETY: the processor has just said that it knows these instructions.
        #[allow(unsafe_code)] // there is no safe way to call what was detected
        unsafe {
            transpose_avx2([done_rows, done_columns], from, stride, to, to_stride);
        }
    }
    for (rows, columns) in [(0..done_rows, done_columns..columns), (done_rows..rows, 0..columns)] {
        for first in rows.clone().step_by(TOGETHER) {
            let some = first..rows.end.min(first + TOGETHER);
            for column in columns.clone() {
                let to = &mut to[column * to_stride..][some.clone()];
                some.clone().zip(to).for_each(|(row, to)| *to = from[row * stride + column]);
            }
        }
    }
}

/// Does that for multiples of 8 rows and 4 columns. The compiler makes nothing fast of plain loops.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn transpose_avx2(
    [rows, columns]: [usize; 2],
    from: &[f32],
    stride: usize,
    to: &mut [f32],
    to_stride: usize,
) {
    use std::arch::x86_64::*;
    if rows == 0 || columns == 0 {
        return;
    }
    assert!((rows - 1) * stride + columns <= from.len(), "the block is there");
    assert!((columns - 1) * to_stride + rows <= to.len(), "there is room");
    for row in (0..rows).step_by(8) {
        for column in (0..columns).step_by(4) {
            // SAFETY: the last number that is read or written lies within the slices, as asserted,
            // for `rows` and `columns` are multiples of the steps.
            #[allow(unsafe_code)] // safe loads and stores are checked each, which halves the speed
            unsafe {
                let from = from.as_ptr().add(row * stride + column);
                // Four numbers of row `i` in the lower half, of row `i` + 4 in the upper.
                let load = |i| _mm256_loadu2_m128(from.add((i + 4) * stride), from.add(i * stride));
                let (a, b, c, d) = (load(0), load(1), load(2), load(3));
                let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                let lines = [
                    _mm256_shuffle_ps::<0b01_00_01_00>(ab, cd),
                    _mm256_shuffle_ps::<0b11_10_11_10>(ab, cd),
                    _mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high),
                    _mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high),
                ];
                let to = to.as_mut_ptr().add(column * to_stride + row);
                for (i, line) in lines.into_iter().enumerate() {
                    _mm256_storeu_ps(to.add(i * to_stride), line);
                }
            }
        }
    }
}

/// Σ x². Where squares are beyond what `f32` holds, or vanish in it, all in `f64`, which holds those of
/// every `f32`.
pub(crate) fn sum_of_squares(values: &[f32]) -> f64 {
    /// Below, squares that vanish might count: of numbers that are no greater than 1e-19.
    const LEAST: f64 = 1e-24;
    let sum = fast_sum_of_squares(values);
    if (LEAST..f64::INFINITY).contains(&sum) {
        return sum;
    }
    values.iter().map(|&x| f64::from(x) * f64::from(x)).sum()
}

wide! {
    /// Σ x², in `f32` over short stretches and in `f64` over those.
    fn fast_sum_of_squares<FMA>(values: &[f32]) -> f64 {
        values.chunks(1024).map(|stretch| {
            const LANES: usize = 32;
            let (blocks, rest) = stretch.as_chunks::<LANES>();
            let mut sums = [0.0; LANES];
            for block in blocks {
                for (sum, &x) in sums.iter_mut().zip(block) {
                    *sum = multiply_add::<FMA>(x, x, *sum);
                }
            }
            let blocks: f64 = sums.iter().map(|&x| f64::from(x)).sum();
            blocks + rest.iter().map(|&x| f64::from(x * x)).sum::<f64>()
        }).sum()
    }
}

wide! {
    /// `x ← factor · x`.
    pub(crate) fn scale<FMA>(values: &mut [f32], factor: f32) {
        for x in values {
            *x *= factor;
        }
    }
}

wide! {
    /// `x ← x` brought into [−`limit`, `limit`]; NaN stays.
    pub(crate) fn clamp<FMA>(values: &mut [f32], limit: f32) {
        for x in values {
            let below = if *x > limit { limit } else { *x };
            *x = if below < -limit { -limit } else { below };
        }
    }
}

wide! {
    /// `x ← x + l1 · sign(w) + l2 · w`, where the sign of 0 is 0.
    pub(crate) fn add_penalty<FMA>(gradients: &mut [f32], values: &[f32], l1: f32, l2: f32) {
        for (x, &w) in gradients.iter_mut().zip(values) {
            let slope = if w == 0.0 { 0.0 } else { l1.copysign(w) };
            *x += multiply_add::<FMA>(l2, w, slope);
        }
    }
}

wide! {
    /// `x ← (1 − weight) · x + weight · towards`.
    pub(crate) fn interpolate<FMA>(values: &mut [f32], towards: &[f32], weight: f32) {
        for (x, &end) in values.iter_mut().zip(towards) {
            *x = multiply_add::<FMA>(weight, end - *x, *x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_squares_of_any_length() {
        for length in [0, 1, 31, 32, 33, 1024, 1057, 5000] {
            let values: Vec<f32> = (0..length).map(|i| (i % 7) as f32 - 3.0).collect();
            let exact: f64 = values.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
            assert!((sum_of_squares(&values) - exact).abs() <= 1e-6 * exact);
        }
    }

    #[test]
    fn no_square_overflows_or_vanishes() {
        for size in [1e-45_f32, 1e-38, 1e-30, 1e-20, 1e20, 1e38] {
            for length in [1, 3, 40, 5000] {
                let exact = length as f64 * f64::from(size).powi(2);
                let sum = sum_of_squares(&vec![size; length]);
                assert!((sum / exact - 1.0).abs() < 1e-5, "{size} {length}: {sum}");
            }
        }
        assert_eq!(sum_of_squares(&[0.0; 99]), 0.0);
        assert!(sum_of_squares(&[1.0, f32::NAN]).is_nan());
        assert!(sum_of_squares(&[1.0, f32::INFINITY]).is_infinite());
    }

    /// Returns the greatest error in units in the last place.
    fn worst(ours: fn(f32) -> f32, exact: fn(f64) -> f64, from: f32, to: f32) -> f64 {
        const STEPS: usize = 200_000;
        let x = |i| from + (to - from) * i as f32 / STEPS as f32;
        let error = |x: f32| {
            let exact = exact(f64::from(x));
            (f64::from(ours(x)) / exact - 1.0).abs() / f64::from(f32::EPSILON)
        };
        (0..=STEPS).map(|i| error(x(i))).fold(0.0, f64::max)
    }

    #[test]
    fn exponentials_are_accurate() {
        for exp in [exp::<true>, exp::<false>] {
            assert!(worst(exp, f64::exp, -87.3, 88.7) <= 2.0);
            assert_eq!((exp(0.0), exp(f32::NEG_INFINITY), exp(-200.0)), (1.0, 0.0, 0.0));
            assert_eq!((exp(f32::INFINITY), exp(89.0)), (f32::INFINITY, f32::INFINITY));
            assert!((exp(-100.0) - (-100_f32).exp()).abs() <= 1e-45, "not normal, yet not zero");
            assert!(exp(f32::NAN).is_nan());
        }
        for exp_m1 in [exp_m1::<true>, exp_m1::<false>] {
            for (from, to) in [(-87.3, 88.0), (-1.0, -1e-3), (-1e-3, -1e-6)] {
                assert!(worst(exp_m1, f64::exp_m1, from, to) <= 3.0, "{from}");
            }
            assert_eq!((exp_m1(0.0), exp_m1(f32::NEG_INFINITY)), (0.0, -1.0));
            assert_eq!(exp_m1(-1e-30), -1e-30);
            assert!(exp_m1(f32::NAN).is_nan());
        }
    }

    #[test]
    fn flushes_only_what_is_not_normal() {
        assert_eq!(flush(-1e-39), 0.0);
        assert_eq!(flush(f32::MIN_POSITIVE), f32::MIN_POSITIVE);
        assert!(flush(f32::NAN).is_nan());
    }
}
