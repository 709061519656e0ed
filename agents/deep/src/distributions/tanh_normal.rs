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

use std::f32::consts::LN_2;

use gymnast_core::likelihood::{normal_log_density, softplus};
use gymnast_harness::AgentError;

use crate::mathematics::targets::row_width;

/// The bounds of log σ.
pub const LOG_STD_BOUNDS: (f32, f32) = (-20.0, 2.0);

/// Samples an action for each row, a = tanh(μ + σ ε).
///
/// `head` holds B rows of 2 A numbers (means, then log σ), `noise` B rows of A normal numbers ε.
/// `actions` becomes B rows of A numbers, `log_prob` B numbers.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths do not fit.
pub fn sample(
    head: &[f32],
    noise: &[f32],
    width: usize,
    actions: &mut Vec<f32>,
    log_prob: &mut Vec<f32>,
) -> Result<(), AgentError> {
    AgentError::check_len("the head", noise.len().saturating_mul(2), head.len())?;
    if width == 0 || !noise.len().is_multiple_of(width) {
        let (expected, got) = ("a divisor of the noise's length".to_owned(), width.to_string());
        return Err(AgentError::Mismatch { what: "the width of an action", expected, got });
    }
    actions.clear();
    log_prob.clear();
    for (head, noise) in head.chunks_exact(2 * width).zip(noise.chunks_exact(width)) {
        let (mean, log_std) = head.split_at(width);
        let mut sum = 0.0;
        for ((mean, log_std), noise) in mean.iter().zip(log_std).zip(noise) {
            let log_std = log_std.clamp(LOG_STD_BOUNDS.0, LOG_STD_BOUNDS.1);
            let u = mean + log_std.exp() * noise;
            sum += normal_log_density(*noise, log_std) - log_derivative(u);
            actions.push(u.tanh());
        }
        log_prob.push(sum);
    }
    Ok(())
}

/// The gradient of a loss with respect to `head`, given those with respect to the actions, `[B, A]`, and
/// to their log π, `[B]`, of [`sample`] (the reparametrisation trick: ε is fixed). `by_head` becomes B
/// rows of 2 A numbers.
///
/// ```text
/// ∂a/∂u = 1 − a²,  ∂ log π/∂u = 2 a,  ∂u/∂μ = 1,  ∂u/∂ log σ = σ ε,  ∂ log π/∂ log σ = 2 a σ ε − 1
/// ```
///
/// A log σ that was cut has no gradient.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths do not fit.
pub fn sample_backward(
    head: &[f32],
    noise: &[f32],
    actions: &[f32],
    (by_action, by_log_prob): (&[f32], &[f32]),
    by_head: &mut Vec<f32>,
) -> Result<(), AgentError> {
    AgentError::check_len("the head", noise.len().saturating_mul(2), head.len())?;
    AgentError::check_len("the actions", noise.len(), actions.len())?;
    AgentError::check_len("the gradient by the actions", noise.len(), by_action.len())?;
    let width = row_width("the actions", by_log_prob.len(), actions.len())?;
    by_head.clear();
    by_head.resize(head.len(), 0.0);
    let rows = head.chunks_exact(2 * width).zip(by_head.chunks_exact_mut(2 * width));
    for (row, ((head, by_head), &by_log_prob)) in rows.zip(by_log_prob).enumerate() {
        let (by_mean, by_log_std) = by_head.split_at_mut(width);
        for i in 0..width {
            let (log_std, at) = (head[width + i], row * width + i);
            let (a, noise) = (actions[at], noise[at]);
            let by_u = by_action[at] * (1.0 - a * a) + by_log_prob * 2.0 * a;
            by_mean[i] = by_u;
            // Not `contains`: the gradient of a NaN is one.
            let is_cut = log_std < LOG_STD_BOUNDS.0 || log_std > LOG_STD_BOUNDS.1;
            if !is_cut {
                by_log_std[i] = by_u * log_std.exp() * noise - by_log_prob;
            }
        }
    }
    Ok(())
}

/// log(1 − tanh²(u)).
fn log_derivative(u: f32) -> f32 {
    2.0 * (LN_2 - u - softplus(-2.0 * u))
}

#[cfg(test)]
mod tests;
