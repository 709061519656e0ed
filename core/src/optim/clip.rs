//! Gradient clipping.

use std::iter;
use std::ops::Range;

use super::OptimError;
use crate::nn::Parameters;
use crate::require;
use crate::simd;

/// Scales all gradients so that their joint Euclidean norm is at most `max_norm`, and returns the
/// norm before; like PyTorch's `clip_grad_norm_`, including the 10⁻⁶ added to the norm.
///
/// `f32::INFINITY` measures the norm without clipping. A norm that is not finite means that
/// gradients are not finite: the step is lost and the caller should stop. Finite gradients whose
/// norm exceeds `f32` are scaled like others, and `f32::MAX` is returned. If parameters are frozen,
/// use [`ParamGroups::clip_grad_norm`](super::ParamGroups::clip_grad_norm), which leaves them out.
///
/// # Errors
/// [`OptimError::Setting`] unless `max_norm` is at least 0.
pub fn clip_grad_norm(parameters: &mut Parameters, max_norm: f32) -> Result<f32, OptimError> {
    let all = iter::once(0..parameters.len());
    clip_norm(parameters.gradients_mut(), all, max_norm)
}

/// Clamps each gradient to [−`clip_value`, `clip_value`], like PyTorch's `clip_grad_value_`, and
/// returns the joint norm before. NaN gradients stay NaN.
///
/// # Errors
/// [`OptimError::Setting`] unless `clip_value` is at least 0.
pub fn clip_grad_value(parameters: &mut Parameters, clip_value: f32) -> Result<f32, OptimError> {
    let all = iter::once(0..parameters.len());
    clip_values(parameters.gradients_mut(), all, clip_value)
}

pub(super) fn clip_norm(
    gradients: &mut [f32],
    ranges: impl Iterator<Item = Range<usize>> + Clone,
    max_norm: f32,
) -> Result<f32, OptimError> {
    require(max_norm >= 0.0, "max_norm", f64::from(max_norm), "at least 0")?;
    let norm = joint_norm(gradients, ranges.clone());
    if norm.is_finite() && norm > f64::from(f32::MAX) {
        // The factor alone might be too small for `f32`, not its product with such gradients.
        let factor = f64::from(max_norm) / norm;
        for gradient in ranges.flatten().filter(|_| factor < 1.0) {
            gradients[gradient] = (f64::from(gradients[gradient]) * factor) as f32;
        }
        return Ok(f32::MAX);
    }
    let norm = norm as f32;
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        ranges.for_each(|range| simd::scale(&mut gradients[range], factor));
    }
    Ok(norm)
}

pub(super) fn clip_values(
    gradients: &mut [f32],
    ranges: impl Iterator<Item = Range<usize>> + Clone,
    clip_value: f32,
) -> Result<f32, OptimError> {
    require(clip_value >= 0.0, "clip_value", f64::from(clip_value), "at least 0")?;
    let norm = joint_norm(gradients, ranges.clone());
    ranges.for_each(|range| simd::clamp(&mut gradients[range], clip_value));
    Ok(if norm.is_finite() { norm.min(f32::MAX.into()) as f32 } else { norm as f32 })
}

fn joint_norm(gradients: &[f32], ranges: impl Iterator<Item = Range<usize>>) -> f64 {
    let squares = ranges.map(|range| simd::sum_of_squares(&gradients[range]));
    squares.sum::<f64>().sqrt()
}
