//! Gradient clipping.

use crate::nn::Parameters;
use crate::simd;

/// Scales all gradients so that their joint Euclidean norm is at most `max_norm`, and returns the
/// norm that they had before; as PyTorch's `clip_grad_norm_`, whose 10⁻⁶ under the norm it shares.
///
/// `f32::INFINITY` measures the norm and clips nothing. A norm that is not finite means that
/// gradients are not: they are lost then, and the caller should stop.
pub fn clip_grad_norm(parameters: &mut Parameters, max_norm: f32) -> f32 {
    let norm = simd::sum_of_squares(parameters.gradients()).sqrt() as f32;
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        simd::scale(parameters.gradients_mut(), factor);
    }
    norm
}
