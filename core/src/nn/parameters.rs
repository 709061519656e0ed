//! One flat vector of parameters and one of gradients, of which a network's tensors are views.

mod named;
#[allow(unsafe_code)] // libtorch owns the memory and tch gives no slice of it
mod slices;

pub use named::NamedParameter;

use rand::Rng;
use tch::{Kind, Tensor};

use super::{Linear, NetworkError, Noise, check_length};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};
use crate::init::{Fans, Init};
use crate::simd;

/// Declares parameters, in the order in which they will lie in the flat vector and draw their
/// initial values.
///
/// The tensors that it hands out are zeros of their own until [`build`](Self::build) moves them into
/// the flat vector.
#[derive(Debug, Default)]
pub struct ParametersBuilder {
    declared: Vec<Declared>,
    length: usize,
    layers: usize,
    layer: String,
    scoped: bool,
}

#[derive(Debug)]
struct Declared {
    name: String,
    tensor: Tensor,
    shape: Vec<usize>,
    init: Init,
    fans: Fans,
}

/// One tensor of a network: a view of its [`Parameters`].
#[derive(Debug)]
pub struct Parameter {
    tensor: Tensor,
    offset: usize,
    length: usize,
}

impl Parameter {
    /// The tensor, to calculate with. Never write to it in place: the flat vector is the owner.
    pub fn tensor(&self) -> &Tensor {
        &self.tensor
    }

    /// Where it lies in the flat vector.
    pub fn range(&self) -> std::ops::Range<usize> {
        self.offset..self.offset + self.length
    }
}

impl ParametersBuilder {
    /// Nothing declared yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Names the layers from here on: `scope.weight` and the like. Until then layers are called by
    /// their number. Give every layer a scope, or none.
    pub(super) fn scope(&mut self, scope: String) {
        (self.layer, self.scoped) = (scope, true);
    }

    /// Begins another layer.
    pub(super) fn begin_layer(&mut self) {
        if !self.scoped {
            self.layer = self.layers.to_string();
        }
        self.layers += 1;
    }

    /// Declares one parameter, called by its number.
    pub fn parameter(
        &mut self,
        shape: &[usize],
        init: Init,
        fans: Fans,
    ) -> Result<Parameter, NetworkError> {
        let name = format!("parameter.{}", self.declared.len());
        self.declare(name, shape, init, fans)
    }

    /// Declares a parameter of the layer that has begun.
    pub(super) fn of_layer(
        &mut self,
        name: &str,
        shape: &[usize],
        init: Init,
        fans: Fans,
    ) -> Result<Parameter, NetworkError> {
        self.declare(format!("{}.{name}", self.layer), shape, init, fans)
    }

    fn declare(
        &mut self,
        name: String,
        shape: &[usize],
        init: Init,
        fans: Fans,
    ) -> Result<Parameter, NetworkError> {
        init.check(shape)?;
        let sizes: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
        let tensor = Tensor::f_zeros(&sizes, tch::kind::FLOAT_CPU)?.f_set_requires_grad(true)?;
        let (offset, length) = (self.length, shape.iter().product());
        self.length += length;
        let shape = shape.to_vec();
        let declared = Declared { name, tensor: tensor.shallow_clone(), shape, init, fans };
        self.declared.push(declared);
        Ok(Parameter { tensor, offset, length })
    }

    /// Allocates the flat vectors, moves the declared tensors into them and initialises them.
    pub fn build<R: Rng + ?Sized>(self, rng: &mut R) -> Result<Parameters, NetworkError> {
        self.build_with(None, rng)
    }

    /// The same with noise on these layers: the flat vectors hold what was declared, which become
    /// means, and behind it the deviations, which start at `sigma / √inputs`. The means are drawn
    /// as if there were no noise.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] unless `sigma` is finite and at least 0; as [`build`](Self::build).
    pub fn build_noisy<R: Rng + ?Sized>(
        self,
        layers: &[&Linear],
        sigma: f32,
        rng: &mut R,
    ) -> Result<Parameters, NetworkError> {
        if !(sigma >= 0.0 && sigma.is_finite()) {
            return Err(NetworkError::Layer {
                layer: "all fully connected".to_owned(),
                kind: "noisy",
                need: "a deviation that is finite and ≥ 0",
                got: sigma.to_string(),
            });
        }
        let noise = Noise::new(layers, self.length);
        let mut parameters = self.build_with(Some(noise.clone()), rng)?;
        noise.initialise(sigma, parameters.values_mut());
        parameters.apply_noise();
        Ok(parameters)
    }

    fn build_with<R: Rng + ?Sized>(
        self,
        noise: Option<Noise>,
        rng: &mut R,
    ) -> Result<Parameters, NetworkError> {
        let zeros = |length: usize| Tensor::f_zeros([length as i64], tch::kind::FLOAT_CPU);
        let deviations = noise.as_ref().map_or(0, Noise::deviations);
        let values = zeros(self.length + deviations)?;
        let gradients = zeros(self.length + deviations)?;
        // Without noise the layers calculate with the values themselves.
        let weights = if noise.is_some() { zeros(self.length)? } else { values.shallow_clone() };
        let mut shapes = Vec::with_capacity(self.declared.len());
        let mut names = Vec::with_capacity(self.declared.len());
        let mut tensors = Vec::with_capacity(self.declared.len());
        let mut offset = 0;
        for Declared { name, mut tensor, shape, init, fans } in self.declared {
            let count: usize = shape.iter().product();
            let view = |flat: &Tensor| -> Result<Tensor, NetworkError> {
                Ok(flat.f_narrow(0, offset as i64, count as i64)?.f_view_as(&tensor)?)
            };
            let (weights_view, gradients_view) = (view(&weights)?, view(&gradients)?);
            tensor.f_set_data(&weights_view)?;
            // A first backward pass makes the gradient, which then moves. As libtorch adds to a
            // gradient in place, it stays there.
            tch::with_grad(|| tensor.f_sum(Kind::Float)?.f_backward())?;
            {
                let _guard = tch::no_grad_guard();
                let _ = tensor.f_grad()?.f_set_source_tensor_(&gradients_view)?;
            }
            offset += count;
            shapes.push((shape, init, fans));
            names.push(name);
            tensors.push(tensor);
        }
        let noise = noise.map(|noise| (noise, weights));
        let mut parameters =
            Parameters { values, gradients, noise, shapes: vec![], names, tensors };
        let mut offset = 0;
        for (shape, init, fans) in shapes {
            let end = offset + shape.iter().product::<usize>();
            init.fill(&shape, fans, rng, &mut parameters.values_mut()[offset..end])?;
            offset = end;
            parameters.shapes.push(shape);
        }
        if deviations > 0 {
            parameters.shapes.push(vec![deviations]);
            parameters.names.push("noise.deviation".to_owned());
        }
        Ok(parameters)
    }
}

/// The parameters of one network and their gradients, each one contiguous `f32` vector on the CPU.
///
/// `backward` on a loss adds to the gradients; an optimiser reads those and changes the values.
/// Change values only between one update's `backward` and the next one's `forward`: libtorch does
/// not notice, and would differentiate with the new ones.
///
/// With [`Noise`] the values are means and deviations, and the layers calculate with what the noise that
/// [`draw_noise`](Self::draw_noise) drew last made of them: draw whenever an optimiser or
/// [`values_mut`](Self::values_mut) has changed values, before the next `forward`.
#[derive(Debug)]
pub struct Parameters {
    values: Tensor,
    gradients: Tensor,
    /// The noise and the weights that it comes to, of which the layers' tensors are views.
    noise: Option<(Noise, Tensor)>,
    shapes: Vec<Vec<usize>>,
    names: Vec<String>,
    /// The layers' tensors again.
    tensors: Vec<Tensor>,
}

impl Parameters {
    /// How many numbers there are.
    pub fn len(&self) -> usize {
        self.values.numel()
    }

    /// Whether there is not one.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The shapes of the tensors, in the order of the flat vector.
    pub fn shapes(&self) -> &[Vec<usize>] {
        &self.shapes
    }

    /// Where each of those tensors lies in the flat vector.
    pub fn ranges(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.shapes.iter().scan(0, |end, shape| {
            let start = *end;
            *end += shape.iter().product::<usize>();
            Some(start..*end)
        })
    }

    /// The flat vector of values.
    pub fn values(&self) -> &[f32] {
        slices::of(&self.values)
    }

    /// The flat vector of values, to change.
    pub fn values_mut(&mut self) -> &mut [f32] {
        slices::of_mut(&mut self.values)
    }

    /// The flat vector of gradients. Let go of it before the next `backward`, which writes there.
    pub fn gradients(&self) -> &[f32] {
        slices::of(&self.gradients)
    }

    /// The flat vector of gradients, to change. Let go of it before the next `backward`.
    pub fn gradients_mut(&mut self) -> &mut [f32] {
        slices::of_mut(&mut self.gradients)
    }

    /// Values to read and gradients to change, as backpropagation needs them. Let go of both before
    /// the next `backward` of libtorch.
    pub fn values_and_gradients_mut(&mut self) -> (&[f32], &mut [f32]) {
        (slices::of(&self.values), slices::of_mut(&mut self.gradients))
    }

    /// Values to change and gradients to read, as an optimiser needs them.
    pub(crate) fn values_and_gradients(&mut self) -> (&mut [f32], &[f32]) {
        (slices::of_mut(&mut self.values), slices::of(&self.gradients))
    }

    /// The noise, where there is some.
    pub fn noise(&self) -> Option<&Noise> {
        self.noise.as_ref().map(|(noise, _)| noise)
    }

    /// Draws the noise anew; nothing without noise.
    pub fn draw_noise<R: Rng + ?Sized>(&mut self, rng: &mut R) {
        if let Some((noise, _)) = &mut self.noise {
            noise.draw(rng);
            self.apply_noise();
        }
    }

    pub(super) fn apply_noise(&mut self) {
        if let Some((noise, weights)) = &mut self.noise {
            noise.apply(slices::of(&self.values), slices::of_mut(weights));
        }
    }

    /// What the layers calculate with: with noise the weights that were drawn last, else the values.
    pub fn effective(&self) -> &[f32] {
        self.noise.as_ref().map_or_else(|| self.values(), |(_, weights)| slices::of(weights))
    }

    /// Makes the gradients those of `loss`.
    ///
    /// # Panics
    /// If `loss` is not a scalar that depends on parameters.
    pub fn backward(&mut self, loss: &Tensor) {
        self.zero_grad();
        loss.backward();
        if let Some((noise, _)) = &self.noise {
            noise.differentiate(slices::of_mut(&mut self.gradients));
        }
    }

    /// Whether libtorch differentiates by them, as it does from the start: a network that only carries
    /// what is trained saves itself the work (PyTorch's `requires_grad_`).
    pub(crate) fn set_requires_grad(&mut self, requires_grad: bool) {
        for tensor in &self.tensors {
            let _ = tensor.set_requires_grad(requires_grad);
        }
    }

    /// Sets all gradients to zero, which `backward` then adds to.
    pub fn zero_grad(&mut self) {
        self.gradients_mut().fill(0.0);
    }

    /// A copy of the values, for a checkpoint.
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

    /// Takes over the values of a network of the same shapes: a hard update of a target network.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), NetworkError> {
        self.check_alike(other)?;
        self.values_mut().copy_from_slice(other.values());
        self.apply_noise();
        Ok(())
    }

    /// `θ ← (1 − τ) θ + τ θ_other`: a soft update of a target network (Lillicrap et al. 2016).
    pub fn polyak(&mut self, other: &Self, tau: f32) -> Result<(), NetworkError> {
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

/// Their values. Gradients and noise are made anew.
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
