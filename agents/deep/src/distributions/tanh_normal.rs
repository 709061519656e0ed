//! The squashed Gaussian: a normal distribution whose samples go through tanh.
//!
//! Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018),
//! <https://arxiv.org/abs/1812.05905>, appendix C: for a = tanh(u), u = μ + σ ε and ε normal,
//!
//! ```text
//! log π(a) = Σ log N(u; μ, σ) − Σ log(1 − tanh²(u))
//! ```
//!
//! where log(1 − tanh²(u)) = 2 (ln 2 − u − softplus(−2 u)) keeps its digits where tanh has rounded
//! to ±1. A network's row is the means, then the logarithms of σ, which are cut to
//! [`LOG_STD_BOUNDS`].

use std::f32::consts::{LN_2, TAU};

use gymnast_core::likelihood::normal_log_density;
use gymnast_harness::AgentError;
use tch::{Kind, Tensor};

/// The bounds of log σ.
pub const LOG_STD_BOUNDS: (f32, f32) = (-20.0, 2.0);

/// Samples an action for each row, a = tanh(μ + σ ε), in plain Rust.
///
/// `head` holds B rows of 2 A numbers (means, then log σ). `noise` holds B rows of A normal numbers
/// ε and becomes the actions. `log_prob` becomes B numbers.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths do not fit.
pub fn sample(
    head: &[f32],
    noise: &mut [f32],
    actions: usize,
    log_prob: &mut Vec<f32>,
) -> Result<(), AgentError> {
    AgentError::check_len("the head", noise.len().saturating_mul(2), head.len())?;
    if actions == 0 || !noise.len().is_multiple_of(actions) {
        let (expected, got) = ("a divisor of the noise's length".to_owned(), actions.to_string());
        return Err(AgentError::Mismatch { what: "actions", expected, got });
    }
    log_prob.clear();
    for (head, action) in head.chunks_exact(2 * actions).zip(noise.chunks_exact_mut(actions)) {
        let (mean, log_std) = head.split_at(actions);
        let mut sum = 0.0;
        for (x, (mean, log_std)) in action.iter_mut().zip(mean.iter().zip(log_std)) {
            let log_std = log_std.clamp(LOG_STD_BOUNDS.0, LOG_STD_BOUNDS.1);
            let noise = *x;
            let u = mean + log_std.exp() * noise;
            sum += normal_log_density(noise, log_std) - log_derivative(u);
            *x = u.tanh();
        }
        log_prob.push(sum);
    }
    Ok(())
}

/// log(1 − tanh²(u)).
fn log_derivative(u: f32) -> f32 {
    2.0 * (LN_2 - u - softplus(-2.0 * u))
}

/// log(1 + eˣ).
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The same as [`sample`], differentiable: `head` is `[B, 2 A]`, `noise` `[B, A]`. Returns the
/// actions `[B, A]` and their log π `[B]`.
pub fn rsample(head: &Tensor, noise: &Tensor) -> (Tensor, Tensor) {
    let halves = head.chunk(2, -1);
    let (low, high) = (f64::from(LOG_STD_BOUNDS.0), f64::from(LOG_STD_BOUNDS.1));
    let (mean, log_std) = (&halves[0], halves[1].clamp(low, high)); // [B, A]
    let u = mean + log_std.exp() * noise; // [B, A]
    let normal = noise.square() * -0.5 - log_std - 0.5 * f64::from(TAU).ln(); // [B, A]
    // 2 (ln 2 − u − softplus(−2 u)) with its constant and its factor drawn out.
    let derivative: Tensor = (&u + (&u * -2.0).softplus()) * -2.0 + 2.0 * f64::from(LN_2);
    let log_prob = (normal - derivative).sum_dim_intlist([-1_i64].as_slice(), false, Kind::Float);
    (u.tanh(), log_prob)
}

#[cfg(test)]
mod tests;
