//! Logits and log-likelihoods on slices, for acting and small losses without libtorch.

use crate::simd::{exp, multiply_add, wide};

/// The number types of logits.
pub trait Logit: Copy + PartialOrd + std::iter::Sum {
    /// −∞, below every logit.
    const LOWEST: Self;
    /// Returns the larger of two; a NaN is ignored.
    #[must_use]
    fn larger(self, other: Self) -> Self;
    /// Returns exp(self − other).
    #[must_use]
    fn exp_above(self, other: Self) -> Self;
    /// Returns other + ln(self).
    #[must_use]
    fn ln_onto(self, other: Self) -> Self;
}

macro_rules! logit {
    ($($float:ty),*) => {$(
        impl Logit for $float {
            const LOWEST: Self = Self::NEG_INFINITY;

            #[inline]
            fn larger(self, other: Self) -> Self {
                self.max(other)
            }

            #[inline]
            fn exp_above(self, other: Self) -> Self {
                (self - other).exp()
            }

            #[inline]
            fn ln_onto(self, other: Self) -> Self {
                other + self.ln()
            }
        }
    )*};
}
logit!(f32, f64);

/// Returns the largest logit; −∞ if there is none.
#[inline]
#[must_use]
pub fn largest<F: Logit>(logits: &[F]) -> F {
    logits.iter().copied().fold(F::LOWEST, F::larger)
}

/// Returns ln Σ eˣ without overflow: the largest logit is subtracted first. Subtract the result from
/// logits to get log-probabilities.
///
/// ```
/// use gymnast_core::likelihood::log_sum_exp;
///
/// assert_eq!(log_sum_exp(&[1000.0_f32, 1000.0]), 1000.0 + 2_f32.ln());
/// ```
#[inline]
#[must_use]
pub fn log_sum_exp<F: Logit>(logits: &[F]) -> F {
    let largest = largest(logits);
    logits.iter().map(|logit| logit.exp_above(largest)).sum::<F>().ln_onto(largest)
}

/// Converts logits to probabilities, in place.
///
/// ```
/// let mut row = [0.0, 3_f32.ln()];
/// gymnast_core::likelihood::softmax(&mut row);
/// assert!((row[1] - 0.75).abs() < 1e-6);
/// ```
#[inline]
pub fn softmax(logits: &mut [f32]) {
    let largest = largest(logits);
    logits.iter_mut().for_each(|x| *x = (*x - largest).exp());
    let sum: f32 = logits.iter().sum();
    logits.iter_mut().for_each(|x| *x /= sum);
}

/// Returns 1 / (1 + e⁻ˣ), the probability of a logit.
#[inline]
#[must_use]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// Returns ln(1 + eˣ) without overflow.
#[inline]
#[must_use]
pub fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

wide! {
    /// Writes ln(1 + eˣ) and its slope 1 / (1 + e⁻ˣ) of each number `x`, within 4 units in the last
    /// place; of NaN, NaN. Those of the shortest slice count.
    pub fn softplus_and_sigmoid<FMA>(x: &[f32], softplus: &mut [f32], sigmoid: &mut [f32]) {
        for ((&x, softplus), sigmoid) in x.iter().zip(softplus).zip(sigmoid) {
            let power = exp::<FMA>(-x.abs());
            *softplus = if x > 0.0 { x } else { 0.0 } + ln_1p_of_share::<FMA>(power);
            let above = 1.0 / (1.0 + power);
            *sigmoid = if x < 0.0 { power * above } else { above };
        }
    }
}

/// ln(1 + y) for y in [0, 1], within 3 units in the last place: 2 artanh(y / (2 + y)) by its series.
#[inline(always)]
fn ln_1p_of_share<const FMA: bool>(y: f32) -> f32 {
    let s = y / (2.0 + y);
    let (square, mut sum) = (s * s, 1.0 / 17.0);
    for divisor in [15.0, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0] {
        sum = multiply_add::<FMA>(sum, square, 1.0 / divisor);
    }
    2.0 * s * sum
}

/// Returns the log-density of the normal number `mean + e^log_std · noise`.
#[inline]
#[must_use]
pub fn normal_log_density(noise: f32, log_std: f32) -> f32 {
    -0.5 * noise * noise - log_std - 0.5 * std::f32::consts::TAU.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_softplus_and_sigmoids_at_once_are_exact() {
        let mut x: Vec<f32> = (-4000..4000).map(|i| i as f32 / 50.0).collect();
        x.extend([0.0, -0.0, 1e-20, f32::INFINITY, f32::NEG_INFINITY, 200.0]);
        let (mut softplus, mut sigmoid) = (x.clone(), x.clone());
        softplus_and_sigmoid(&x, &mut softplus, &mut sigmoid);
        for (i, &x) in x.iter().enumerate() {
            let x = f64::from(x);
            let pairs = [(softplus[i], x.max(0.0) + (-x.abs()).exp().ln_1p())];
            for (got, exact) in pairs.into_iter().chain([(sigmoid[i], 1.0 / (1.0 + (-x).exp()))]) {
                let (got, least) = (f64::from(got), f64::from(f32::MIN_POSITIVE));
                let close = (got - exact).abs() <= 4.0 * f64::from(f32::EPSILON) * exact.max(least);
                assert!(close || got == exact, "{x}: {got} {exact}");
            }
        }
        let [mut softplus, mut sigmoid] = [[0.0]; 2];
        softplus_and_sigmoid(&[f32::NAN], &mut softplus, &mut sigmoid);
        assert!(softplus[0].is_nan() && sigmoid[0].is_nan());
    }

    #[test]
    fn probabilities_of_a_logit_and_their_logarithms() {
        assert_eq!((sigmoid(0.0), sigmoid(-200.0), sigmoid(200.0)), (0.5, 0.0, 1.0));
        assert_eq!((softplus(0.0), softplus(-200.0), softplus(200.0)), (2_f32.ln(), 0.0, 200.0));
        for x in [-3.0, 0.5, 2.0] {
            assert!(
                (softplus(x) - x + sigmoid(x).ln()).abs() < 1e-6,
                "ln(1 + eˣ) − x = −ln sigmoid"
            );
        }
    }

    #[test]
    fn sums_of_exponentials_are_exact_and_do_not_overflow() {
        assert!((log_sum_exp(&[1_f64, 2.0, 3.0]) - 3.407_605_964_444_38).abs() < 1e-15);
        assert_eq!(log_sum_exp(&[-1e300, 0.0]), 0.0);
        assert_eq!(log_sum_exp(&[2.5_f32]), 2.5);
        let mut row = [1e4_f32, 0.0, 1e4];
        softmax(&mut row);
        assert_eq!(row, [0.5, 0.0, 0.5]);
    }

    #[test]
    fn the_density_of_a_normal_number() {
        // scipy.stats.norm.logpdf(1.0 + 2.0 * 0.5, 1.0, 2.0)
        assert!((normal_log_density(0.5, 2_f32.ln()) + 1.737_085_7).abs() < 1e-6);
    }
}
