//! One flat vector of parameters and one of gradients. The tensors of a network are views of them.

mod builder;
#[allow(unsafe_code)] // libtorch may own the memory, and tch gives no slice of it
mod flat;
mod leaf;
mod loss;
mod named;

pub use builder::ParametersBuilder;
use flat::Flat;
use leaf::Leaf;
pub(crate) use loss::{check_differentiable, check_scalar};
pub use named::NamedParameter;

use std::sync::Arc;

use rand::Rng;
use tch::Tensor;

use super::{NetworkError, Noise, check_length};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};
use crate::{simd, threads};

/// One tensor of a network: a view of its [`Parameters`].
#[derive(Debug)]
pub struct Parameter {
    leaf: Arc<Leaf>,
    offset: usize,
    length: usize,
}

impl Parameter {
    /// Returns a copy of the tensor to compute with; gradients flow back to the parameter. It is a
    /// copy because writing to the tensor in place would change borrowed slices.
    pub fn tensor(&self) -> Tensor {
        self.view() * 1.0
    }

    /// Returns the `length` rows from `start` on as [`tensor`](Self::tensor) does. Copies only
    /// these rows.
    ///
    /// # Errors
    /// [`NetworkError::Torch`] if the tensor has fewer rows.
    pub fn rows(&self, start: usize, length: usize) -> Result<Tensor, NetworkError> {
        Ok(self.view().f_narrow(0, start as i64, length as i64)? * 1.0)
    }

    /// Returns the tensor itself, a view of the flat vector. Do not write to it or hand it out.
    pub(crate) fn view(&self) -> Tensor {
        threads::adopt();
        self.leaf.tensor().expect("libtorch has room for a tensor")
    }

    /// Returns the parameter's range in the flat vector.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.length
    }
}

/// The parameters of a network and their gradients: two contiguous `f32` vectors on the CPU.
///
/// [`backward`](Self::backward) sets the gradients to those of a loss; an optimiser reads them and
/// changes the values. (libtorch's own `loss.backward()` does not reach them, because it would
/// write to borrowed slices.) Change values only between the `backward` of one update and the
/// `forward` of the next: libtorch does not notice changes and would differentiate with the new
/// values.
///
/// With [`Noise`], the values are means and deviations, and the layers compute with the weights of
/// the last [`draw_noise`](Self::draw_noise). Draw again after an optimiser or
/// [`values_mut`](Self::values_mut) has changed values, before the next `forward`.
///
/// The memory becomes libtorch's with the first `forward` through it. A slice that was borrowed before
/// stays valid, but writes to it are lost: borrow a new one.
#[derive(Debug)]
pub struct Parameters {
    values: Flat,
    gradients: Flat,
    /// Where libtorch adds the gradients of the layers' tensors. No slice of it is ever handed out.
    accumulated: Flat,
    /// The noise and the resulting weights. The layers' tensors are views of the weights.
    noise: Option<(Noise, Flat)>,
    shapes: Vec<Vec<usize>>,
    names: Vec<String>,
    /// The layers' tensors again.
    leaves: Vec<Arc<Leaf>>,
}

impl Parameters {
    /// Returns the number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Returns whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the shapes of the tensors, in the order of the flat vector.
    pub fn shapes(&self) -> &[Vec<usize>] {
        &self.shapes
    }

    /// Returns the ranges of those tensors in the flat vector.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.shapes.iter().scan(0, |end, shape| {
            let start = *end;
            *end += shape.iter().product::<usize>();
            Some(start..*end)
        })
    }

    /// Returns the flat vector of values.
    pub fn values(&self) -> &[f32] {
        flat::of(&self.values)
    }

    /// Returns the flat vector of values, mutably.
    pub fn values_mut(&mut self) -> &mut [f32] {
        flat::of_mut(&mut self.values)
    }

    /// Returns the flat vector of gradients.
    pub fn gradients(&self) -> &[f32] {
        flat::of(&self.gradients)
    }

    /// Returns the flat vector of gradients, mutably.
    pub fn gradients_mut(&mut self) -> &mut [f32] {
        flat::of_mut(&mut self.gradients)
    }

    /// Returns the values to read and the gradients to change, as backpropagation needs them.
    pub fn values_and_gradients_mut(&mut self) -> (&[f32], &mut [f32]) {
        (flat::of(&self.values), flat::of_mut(&mut self.gradients))
    }

    /// The same with the [effective](Self::effective) values. With noise, the gradients are those
    /// with respect to the noisy weights until [`differentiate_noise`](Self::differentiate_noise).
    pub(crate) fn effective_and_gradients_mut(&mut self) -> (&[f32], &mut [f32]) {
        let values = self.noise.as_ref().map_or(&self.values, |(_, weights)| weights);
        (flat::of(values), flat::of_mut(&mut self.gradients))
    }

    /// Returns the values to change and the gradients to read, as an optimiser needs them.
    pub(crate) fn values_and_gradients(&mut self) -> (&mut [f32], &[f32]) {
        (flat::of_mut(&mut self.values), flat::of(&self.gradients))
    }

    /// Returns the noise, if any.
    pub fn noise(&self) -> Option<&Noise> {
        self.noise.as_ref().map(|(noise, _)| noise)
    }

    /// Draws new noise. Does nothing without noise.
    pub fn draw_noise<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        if let Some((noise, _)) = &mut self.noise {
            noise.draw(rng);
            self.apply_noise();
        }
    }

    pub(super) fn apply_noise(&mut self) {
        if let Some((noise, weights)) = &mut self.noise {
            noise.apply(flat::of(&self.values), flat::of_mut(weights));
        }
    }

    /// Returns the values that the layers compute with: with noise the weights drawn last,
    /// otherwise the parameters.
    pub fn effective(&self) -> &[f32] {
        self.noise.as_ref().map_or_else(|| self.values(), |(_, weights)| flat::of(weights))
    }

    /// Sets the gradients to those of `loss`.
    ///
    /// # Errors
    /// [`NetworkError::Loss`] unless it is a floating-point scalar `[]` that depends on parameters;
    /// [`NetworkError::Torch`] if libtorch cannot differentiate it, for example a second time.
    pub fn backward(&mut self, loss: &Tensor) -> Result<(), NetworkError> {
        loss::check_differentiable(loss)?;
        self.zero_grad();
        self.add_gradients(loss)?;
        self.differentiate_noise();
        Ok(())
    }

    /// Sets the gradients with respect to the noise's deviations, by those that have been
    /// [accumulated](Self::accumulate) with respect to the noisy weights. Does nothing without
    /// noise.
    pub fn differentiate_noise(&mut self) {
        if let Some((noise, _)) = &self.noise {
            noise.differentiate(flat::of_mut(&mut self.gradients));
        }
    }

    /// Adds the gradients of `share` times a loss to the current ones, except those with respect to
    /// the noise's deviations. Call [`zero_grad`](Self::zero_grad) first.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    pub fn accumulate(&mut self, loss: &Tensor, share: f64) -> Result<(), NetworkError> {
        loss::check_differentiable(loss)?;
        self.add_gradients(&(loss * share))
    }

    fn add_gradients(&mut self, loss: &Tensor) -> Result<(), NetworkError> {
        flat::of_mut(&mut self.accumulated).fill(0.0);
        loss.f_backward()?;
        let sums = flat::of_mut(&mut self.gradients).iter_mut();
        sums.zip(flat::of(&self.accumulated)).for_each(|(sum, gradient)| *sum += gradient);
        Ok(())
    }

    /// Sets whether libtorch differentiates with respect to the parameters (PyTorch's
    /// `requires_grad_`), as it does by default. Switch it off for a network that only carries
    /// trained parts.
    pub(crate) fn set_requires_grad(&mut self, requires_grad: bool) {
        self.leaves.iter().for_each(|leaf| leaf.set_requires_grad(requires_grad));
    }

    /// Sets all gradients to zero.
    pub fn zero_grad(&mut self) {
        self.gradients_mut().fill(0.0);
    }

    /// Returns a copy of the values, for a checkpoint.
    pub fn to_vec(&self) -> Vec<f32> {
        self.values().to_vec()
    }

    /// Sets the values, from a checkpoint.
    pub fn load(&mut self, values: &[f32]) -> Result<(), NetworkError> {
        check_length("the parameters' values", self.len(), values.len())?;
        self.values_mut().copy_from_slice(values);
        self.apply_noise();
        Ok(())
    }

    /// Copies the values of a network with the same shapes: a hard update of a target network.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), NetworkError> {
        self.check_alike(other)?;
        self.values_mut().copy_from_slice(other.values());
        self.apply_noise();
        Ok(())
    }

    /// `θ ← (1 − τ) θ + τ θ_other`: a soft update of a target network (Lillicrap et al. 2016).
    pub fn polyak(&mut self, other: &Self, tau: f32) -> Result<(), NetworkError> {
        if !(0.0..=1.0).contains(&tau) {
            return Err(NetworkError::Rate { got: tau });
        }
        self.check_alike(other)?;
        simd::interpolate(self.values_mut(), other.values(), tau);
        self.apply_noise();
        Ok(())
    }

    fn check_alike(&self, other: &Self) -> Result<(), NetworkError> {
        if self.shapes == other.shapes {
            return Ok(());
        }
        Err(NetworkError::Shapes { expected: self.shapes.clone(), got: other.shapes.clone() })
    }
}

/// Saves the values. Gradients and noise are not saved.
impl Checkpoint for Parameters {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_array("values", &[self.len()], self.values());
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let values = state.finite_array("values", &[self.len()])?;
        self.load(&values).map_err(CheckpointError::part)
    }
}

#[cfg(test)]
mod tests;
