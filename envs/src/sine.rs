//! Sine and cosine whose results do not depend on how many are computed at a time.
//!
//! The method is that of glibc 2.28 and later (from IBM's Accurate Mathematical Library): a table of
//! both at k/128 and short polynomials for the rest, with an error below 0.55 units in the last
//! place. With products and sums in one rounding the results are, bit for bit, those of glibc on a
//! processor that has FMA. Without, the system's functions are used.

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
    let place = Place::of(x.abs());
    let sin = if x.abs() < 0.126 { taylor(x) } else { place.sin().copysign(x) };
    (if x.abs() < 1.5e-8 { x } else { sin }, place.cos())
}

/// The sine near zero.
#[inline(always)]
fn taylor(x: f64) -> f64 {
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
    x + xx * (sum * x)
}

/// An angle of at least 0 as k/128 and the rest, with the polynomials of the rest.
struct Place {
    row: &'static [f64; 4],
    rest: f64,
    /// rest³ and the factor of it in the rest's sine less the rest.
    cubic: (f64, f64),
    /// 1 less the rest's cosine.
    versine: f64,
}

impl Place {
    #[inline(always)]
    fn of(x: f64) -> Self {
        // Added to a number, it leaves the nearest multiple of 1/128 in the last bits.
        const ROUND: f64 = 52_776_558_133_248.0;
        let rounded = x + ROUND;
        let rest = x - (rounded - ROUND);
        let xx = rest * rest;
        let cubic = xx.mul_add(0.008_333_332_142_857_223, -0.166_666_666_666_664_88);
        let versine = xx.mul_add(0.001_388_888_740_079_376, -0.041_666_666_666_666_44);
        Self {
            row: &TABLE[(rounded.to_bits() & 127) as usize],
            rest,
            cubic: (rest * xx, cubic),
            versine: xx * xx.mul_add(versine, 0.5),
        }
    }

    #[inline(always)]
    fn sin(&self) -> f64 {
        let [sin, sin_lacks, cos, cos_lacks] = *self.row;
        let rest = self.rest + self.cubic.0 * self.cubic.1;
        let change = cos_lacks.mul_add(rest, sin_lacks);
        sin + rest.mul_add(cos, (-self.versine).mul_add(sin, change))
    }

    #[inline(always)]
    fn cos(&self) -> f64 {
        let [sin, sin_lacks, cos, cos_lacks] = *self.row;
        let rest = self.cubic.0.mul_add(self.cubic.1, self.rest);
        let change = (-rest).mul_add(sin_lacks, cos_lacks);
        cos + (-rest).mul_add(sin, (-self.versine).mul_add(cos, change))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;
    use gymnast_base::wide;
    use rand::RngExt as _;

    wide! {
        fn nears<FMA>(angles: &[f64], out: &mut [(f64, f64)]) {
            for (out, &x) in out.iter_mut().zip(angles) {
                *out = near::<FMA>(x);
            }
        }
    }

    #[test]
    fn they_are_glibcs_to_the_bit() {
        let mut rng = Seed::new(0).rng();
        for size in [NEAR, 0.2, 0.126, 1e-3, 1e-7, 1e-9, 1e-300] {
            let mut angles: Vec<f64> =
                (0..100_000).map(|_| rng.random_range(-size..size)).collect();
            angles.extend([0.0, -0.0, 0.126, -0.126, 1.5e-8, NEAR, -NEAR]);
            let mut out = vec![(0.0, 0.0); angles.len()];
            nears(&angles, &mut out);
            for (&x, (sin, cos)) in angles.iter().zip(out) {
                let close = |a: f64, b: f64| (a - b).abs() <= b.abs() * f64::EPSILON;
                assert!(close(sin, x.sin()) && close(cos, x.cos()), "{x:e}");
                #[cfg(all(target_arch = "x86_64", target_env = "gnu"))]
                assert_eq!((sin.to_bits(), cos.to_bits()), (x.sin().to_bits(), x.cos().to_bits()));
            }
        }
    }
}
