//! The quantiles of distributions that intervals need.

use statrs::distribution::{ContinuousCDF as _, Normal, StudentsT};

/// The t within which Student's distribution with `df` degrees of freedom holds `confidence`, from
/// −t to t.
pub(super) fn student_t(confidence: f64, df: usize) -> f64 {
    let student = StudentsT::new(0.0, 1.0, df as f64).expect("one degree of freedom or more");
    student.inverse_cdf(0.5 + confidence / 2.0)
}

/// The z within which the standard normal distribution holds `confidence`, from −z to z.
pub(super) fn normal(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + confidence / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn student_t_is_the_tables() {
        // Of any table of the distribution: 95 % two-sided, and 99 %.
        for (df, t_95, t_99) in [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (14, 2.145, 2.977),
            (29, 2.045, 2.756),
        ] {
            assert!((student_t(0.95, df) - t_95).abs() < 1e-3, "{df} {}", student_t(0.95, df));
            assert!((student_t(0.99, df) - t_99).abs() < 1e-3, "{df} {}", student_t(0.99, df));
        }
    }

    #[test]
    fn the_normal_quantile_is_the_table_s() {
        for (confidence, z) in [(0.5, 0.674490), (0.95, 1.959964), (0.99, 2.575829)] {
            assert!((normal(confidence) - z).abs() < 1e-6);
        }
        // Student's distribution tends to it.
        for df in [1000, 10_000, 100_000] {
            let ratio = student_t(0.95, df) / normal(0.95);
            assert!((ratio - 1.0).abs() < 2.0 / df as f64, "{df}: {ratio}");
        }
    }
}
