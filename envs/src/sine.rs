//! Sine and cosine whose results do not depend on how many are computed at a time.
//!
//! The method is that of glibc 2.28 and later (from IBM's Accurate Mathematical Library): a table of
//! both at k/128 and short polynomials for the rest, with an error below 0.55 units in the last
//! place. With products and sums in one rounding the results are, bit for bit, those of glibc on a
//! processor that has FMA. Without, the system's functions are used.

use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// 1 as a fixed-point number.
const ONE: i128 = 1 << 119;

/// The sine and cosine of k/128, each as a number and what it lacks.
static TABLE: [[f64; 4]; 128] = {
    let mut table = [[0.0; 4]; 128];
    let mut k = 0;
    while k < 128 {
        table[k] = row(k as i128);
        k += 1;
    }
    table
};

const fn row(k: i128) -> [f64; 4] {
    // Taylor's series: the terms belong to the cosine and the sine in turn, two added, two
    // subtracted.
    let (mut sums, mut term, mut n) = ([0, 0], ONE, 0);
    while term != 0 {
        sums[n % 2] += if n % 4 < 2 { term } else { -term };
        n += 1;
        term = term * k / 128 / n as i128;
    }
    let [cos, sin] = sums;
    let (near_sin, near_cos) = (sin as f64, cos as f64);
    let lacking = [sin - near_sin as i128, cos - near_cos as i128];
    let unit = 1.0 / ONE as f64;
    [near_sin * unit, lacking[0] as f64 * unit, near_cos * unit, lacking[1] as f64 * unit]
}

/// The largest angle for [`near`], in radians.
pub(crate) const NEAR: f64 = 0.855;

/// Returns the sine and cosine of an angle within ±[`NEAR`] radians.
#[inline(always)]
pub(crate) fn near<const FMA: bool>(x: f64) -> (f64, f64) {
    if !FMA {
        return x.sin_cos();
    }
    // Less than nothing, so that the compiler leaves its sum with a number out.
    let (place, index) = Place::of(x, -0.0);
    let row = &TABLE[(index & 127) as usize];
    (if x.abs() < TINY { x } else { place.sin(row) }, place.cos(row))
}

/// The largest angle for [`sin_cos`], in radians.
pub(crate) const FAR: f64 = 1e8;

/// Returns the sines and cosines of angles within ±[`FAR`] radians.
///
/// At ±1.6762650767948966 glibc's own `sin` and `sincos` differ; this is the latter's.
#[inline(always)]
pub(crate) fn sin_cos<const FMA: bool, const N: usize>(angles: &[f64; N]) -> [[f64; N]; 2] {
    let [mut sin, mut cos] = [[0.0; N]; 2];
    if !FMA {
        for i in 0..N {
            (sin[i], cos[i]) = angles[i].sin_cos();
        }
        return [sin, cos];
    }
    // A loop each: a long one is a chain of operations that wait for each other, and rows that are
    // collected first are not gathered number by number.
    let (mut places, mut quarters) = ([[0.0; N]; 3], [0; N]);
    let (mut indices, mut rows) = ([0; N], [[0.0; 4]; N]);
    for i in 0..N {
        let place;
        (place, indices[i], quarters[i]) = reduced(angles[i]);
        (places[0][i], places[1][i], places[2][i]) = (place.x, place.rest, place.lacks);
    }
    for i in 0..N {
        rows[i] = TABLE[(indices[i] & 127) as usize];
    }
    let negated = |x: f64, quarters: u64| f64::from_bits(x.to_bits() ^ (quarters & 2) << 62);
    for i in 0..N {
        let place = Place { x: places[0][i], rest: places[1][i], lacks: places[2][i] };
        let (even, odd) = (place.sin(&rows[i]), place.cos(&rows[i]));
        let quarters = quarters[i];
        let (even, odd) = if quarters & 1 == 0 { (even, odd) } else { (odd, even) };
        sin[i] = if angles[i].abs() < TINY { angles[i] } else { negated(even, quarters) };
        cos[i] = negated(odd, quarters + 1);
    }
    [sin, cos]
}

/// Below, a sine is its angle.
const TINY: f64 = 1.5e-8;

/// Returns an angle less its nearest quarter turns, the index of its row in the table, and the number
/// of quarter turns modulo 4.
#[inline(always)]
fn reduced(x: f64) -> (Place, u64, u64) {
    // Added to a number, it leaves the nearest integer in the last bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // π/2 in parts. For angles that are many quarters the first two have few bits, so that their
    // products are exact.
    const ONE_QUARTER: [f64; 4] = [FRAC_PI_2, 0.0, 6.123_233_995_736_766e-17, 0.0];
    const MANY: [f64; 4] = [
        1.570_796_340_703_964_2,
        -1.390_906_756_437_715_3e-8,
        -4.978_996_231_479_91e-17,
        -1.903_488_962_019_326_6e-25,
    ];
    let size = x.abs();
    let (is_none, is_one) = (size < 0.855_468_75, size < 2.426_263_809_204_101_6);
    let many = x.mul_add(FRAC_2_PI, ROUND) - ROUND;
    let some = if is_one { 1.0_f64.copysign(x) } else { many };
    let quarters = if is_none { 0.0 } else { some };
    let part = |i: usize| if is_one { ONE_QUARTER[i] } else { MANY[i] };
    let mut rest = (-quarters).mul_add(part(1), (-quarters).mul_add(part(0), x));
    let mut lacks = 0.0;
    for part in [part(2), part(3)] {
        let next = (-quarters).mul_add(part, rest);
        lacks += (-quarters).mul_add(part, rest - next);
        rest = next;
    }
    let lacks = if rest > 0.0 { lacks } else { -lacks };
    let (place, index) = Place::of(rest, lacks);
    (place, index, (quarters + ROUND).to_bits() & 3)
}

/// An angle within ±0.86 as ±(k/128 + rest), and what the rest lacks.
struct Place {
    x: f64,
    rest: f64,
    lacks: f64,
}

impl Place {
    /// Returns it and k, in the last 7 bits of a number.
    #[inline(always)]
    fn of(x: f64, lacks: f64) -> (Self, u64) {
        // Added to a number, it leaves the nearest multiple of 1/128 in the last bits.
        const ROUND: f64 = 52_776_558_133_248.0;
        let rounded = x.abs() + ROUND;
        let rest = x.abs() - (rounded - ROUND);
        (Self { x, rest, lacks }, rounded.to_bits())
    }

    #[inline(always)]
    fn sin(&self, &[sin, sin_lacks, cos, cos_lacks]: &[f64; 4]) -> f64 {
        let (cube, cubic, versine) = polynomials(self.rest);
        let rest = self.rest + cube.mul_add(cubic, self.lacks);
        let versine = self.lacks.mul_add(self.rest, versine);
        let change = cos_lacks.mul_add(rest, sin_lacks);
        let far = sin + rest.mul_add(cos, (-versine).mul_add(sin, change));
        let size = self.x.abs();
        (if size < 0.126 { taylor(size, self.lacks) } else { far }).copysign(self.x)
    }

    #[inline(always)]
    fn cos(&self, &[sin, sin_lacks, cos, cos_lacks]: &[f64; 4]) -> f64 {
        let rest = self.rest + self.lacks;
        let (cube, cubic, versine) = polynomials(rest);
        let rest = cube.mul_add(cubic, rest);
        let change = (-rest).mul_add(sin_lacks, cos_lacks);
        cos + (-rest).mul_add(sin, (-versine).mul_add(cos, change))
    }
}

/// Returns x³ and the factor of it in the sine of x less x, and 1 less the cosine of x.
#[inline(always)]
fn polynomials(x: f64) -> (f64, f64, f64) {
    let xx = x * x;
    let cubic = xx.mul_add(0.008_333_332_142_857_223, -0.166_666_666_666_664_88);
    let versine = xx.mul_add(0.001_388_888_740_079_376, -0.041_666_666_666_666_44);
    (x * xx, cubic, xx * xx.mul_add(versine, 0.5))
}

/// The sine near zero, of an angle and what it lacks.
#[inline(always)]
fn taylor(x: f64, lacks: f64) -> f64 {
    const POLYNOMIAL: [f64; 5] = [
        -2.502_201_484_831_839_8e-8,
        2.755_729_806_860_771e-6,
        -0.000_198_412_698_344_146_42,
        0.008_333_333_333_332_329,
        -0.166_666_666_666_666_66,
    ];
    let xx = x * x;
    let mut sum = POLYNOMIAL[0];
    for c in &POLYNOMIAL[1..] {
        sum = sum.mul_add(xx, *c);
    }
    x + xx.mul_add(sum.mul_add(x, -0.5 * lacks), lacks)
}

#[cfg(test)]
mod tests {
    use gymnast_base::wide;
    use rand::RngExt as _;

    use super::*;
    use crate::Seed;

    wide! {
        fn nears<FMA>(angles: &[f64], out: &mut [(f64, f64)]) {
            for (out, &x) in out.iter_mut().zip(angles) {
                *out = near::<FMA>(x);
            }
        }
    }
    wide! {
        fn all<FMA>(angles: &[f64], out: &mut [(f64, f64)]) {
            for (out, angles) in out.chunks_mut(32).zip(angles.chunks(32)) {
                let mut block = [0.0; 32];
                block[..angles.len()].copy_from_slice(angles);
                let [sin, cos] = sin_cos::<FMA, 32>(&block);
                for (i, out) in out.iter_mut().enumerate() {
                    *out = (sin[i], cos[i]);
                }
            }
        }
    }

    /// Checks angles drawn up to a size, and those that are given.
    fn check(which: fn(&[f64], &mut [(f64, f64)]), size: f64, given: &[f64]) {
        let mut rng = Seed::new(0).rng();
        let mut angles: Vec<f64> = (0..100_000).map(|_| rng.random_range(-size..size)).collect();
        for &x in given.iter().filter(|x| x.abs() <= size) {
            angles.extend([x, -x, x.next_up(), -x.next_down()]);
        }
        angles.retain(|x| x.abs() <= size);
        let mut out = vec![(0.0, 0.0); angles.len()];
        which(&angles, &mut out);
        for (&x, (sin, cos)) in angles.iter().zip(out) {
            let close = |a: f64, b: f64| (a - b).abs() <= b.abs() * f64::EPSILON;
            assert!(close(sin, x.sin()) && close(cos, x.cos()), "{x:e}");
            if cfg!(all(target_arch = "x86_64", target_env = "gnu")) {
                let bits = |(sin, cos): (f64, f64)| (sin.to_bits(), cos.to_bits());
                let is_glibcs = bits((sin, cos)) == bits((x.sin(), x.cos()));
                assert!(is_glibcs || x.abs() == 1.676_265_076_794_896_6, "{x:e}");
            }
        }
    }

    #[test]
    fn they_are_glibcs_to_the_bit() {
        for size in [NEAR, 0.2, 0.126, 1e-3, 1e-7, 1e-9, 1e-300] {
            check(nears, size, &[0.0, 0.126, 1.5e-8, NEAR]);
        }
        let turns = |n: i32| [f64::from(n) * FRAC_PI_2, f64::from(n) * FRAC_PI_2 / 2.0];
        let mut given: Vec<f64> = (0..1000).flat_map(turns).collect();
        // Where angles less a quarter turn are halfway between two of the table's.
        given.extend((0..128).map(|k| FRAC_PI_2 - (f64::from(k) + 0.5) / 128.0));
        given.extend((0..128).map(|k| FRAC_PI_2 + (f64::from(k) + 0.5) / 128.0));
        given.extend([0.0, 0.126, 1.5e-8, 0.855_468_75, 2.426_263_809_204_101_6, FAR]);
        for size in [FAR, 1e6, 1e3, 10.0, 4.0, 2.5, NEAR, 0.126, 1e-3, 1e-7, 1e-9, 1e-300] {
            check(all, size, &given);
        }
    }
}
