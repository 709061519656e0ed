//! One flat vector of parameters and one of gradients, of which a network's tensors are views.

use rand::Rng;
use tch::{Kind, Tensor};

use super::{NetworkError, check_length};
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
}

#[derive(Debug)]
struct Declared {
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

    /// Declares one parameter.
    pub fn parameter(
        &mut self,
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
        self.declared.push(Declared { tensor: tensor.shallow_clone(), shape, init, fans });
        Ok(Parameter { tensor, offset, length })
    }

    /// Allocates the flat vectors, moves the declared tensors into them and initialises them.
    pub fn build<R: Rng + ?Sized>(self, rng: &mut R) -> Result<Parameters, NetworkError> {
        let length = self.length as i64;
        let values = Tensor::f_zeros([length], tch::kind::FLOAT_CPU)?;
        let gradients = Tensor::f_zeros([length], tch::kind::FLOAT_CPU)?;
        let mut shapes = Vec::with_capacity(self.declared.len());
        let mut offset = 0;
        for Declared { mut tensor, shape, init, fans } in self.declared {
            let count: usize = shape.iter().product();
            let view = |flat: &Tensor| -> Result<Tensor, NetworkError> {
                Ok(flat.f_narrow(0, offset as i64, count as i64)?.f_view_as(&tensor)?)
            };
            let (values_view, gradients_view) = (view(&values)?, view(&gradients)?);
            tensor.f_set_data(&values_view)?;
            // A first backward pass makes the gradient, which then moves. As libtorch adds to a
            // gradient in place, it stays there.
            tch::with_grad(|| tensor.f_sum(Kind::Float)?.f_backward())?;
            {
                let _guard = tch::no_grad_guard();
                let _ = tensor.f_grad()?.f_set_source_tensor_(&gradients_view)?;
            }
            offset += count;
            shapes.push((shape, init, fans));
        }
        let mut parameters = Parameters { values, gradients, shapes: Vec::new() };
        let mut offset = 0;
        for (shape, init, fans) in shapes {
            let end = offset + shape.iter().product::<usize>();
            init.fill(&shape, fans, rng, &mut parameters.values_mut()[offset..end])?;
            offset = end;
            parameters.shapes.push(shape);
        }
        Ok(parameters)
    }
}

/// The parameters of one network and their gradients, each one contiguous `f32` vector on the CPU.
///
/// `backward` on a loss adds to the gradients; an optimiser reads those and changes the values.
/// Change values only between one update's `backward` and the next one's `forward`: libtorch does
/// not notice, and would differentiate with the new ones.
#[derive(Debug)]
pub struct Parameters {
    values: Tensor,
    gradients: Tensor,
    shapes: Vec<Vec<usize>>,
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
        Ok(())
    }

    /// Takes over the values of a network of the same shapes: a hard update of a target network.
    pub fn copy_from(&mut self, other: &Self) -> Result<(), NetworkError> {
        self.check_alike(other)?;
        self.values_mut().copy_from_slice(other.values());
        Ok(())
    }

    /// `θ ← (1 − τ) θ + τ θ_other`: a soft update of a target network (Lillicrap et al. 2016).
    pub fn polyak(&mut self, other: &Self, tau: f32) -> Result<(), NetworkError> {
        self.check_alike(other)?;
        simd::interpolate(self.values_mut(), other.values(), tau);
        Ok(())
    }

    fn check_alike(&self, other: &Self) -> Result<(), NetworkError> {
        if self.shapes == other.shapes {
            return Ok(());
        }
        Err(NetworkError::Shapes { expected: self.shapes.clone(), got: other.shapes.clone() })
    }
}

/// Slices into the flat tensors.
#[allow(unsafe_code)] // libtorch owns the memory and tch gives no slice of it
mod slices {
    use tch::Tensor;

    // SAFETY, of both: the tensors come from `zeros` with kind f32 on the CPU, so they are
    // contiguous, initialised and aligned; they are private and never resized, so the memory lives
    // as long as they do. An empty tensor has no memory, hence the special case. Values are written
    // through `&mut Parameters` only, as the views that leave it ask their readers not to write.
    // Gradients are written by `backward` as well, a call into another language that takes the loss
    // and runs while no slice is in use, as the documentation of the two accessors asks.

    pub(super) fn of(tensor: &Tensor) -> &[f32] {
        match tensor.numel() {
            0 => &[],
            length => unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), length) },
        }
    }

    pub(super) fn of_mut(tensor: &mut Tensor) -> &mut [f32] {
        match tensor.numel() {
            0 => &mut [],
            length => unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), length) },
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const FANS: Fans = Fans { fan_in: 2, fan_out: 2 };

    fn two_tensors(seed: u64) -> (Parameter, Parameter, Parameters) {
        let mut builder = ParametersBuilder::new();
        let a = builder.parameter(&[2, 2], Init::LinearDefault, FANS).unwrap();
        let b = builder.parameter(&[3], Init::Constant { value: 5.0 }, FANS).unwrap();
        (a, b, builder.build(&mut ChaCha8Rng::seed_from_u64(seed)).unwrap())
    }

    #[test]
    fn tensors_are_views_of_the_flat_values() {
        let (a, b, mut parameters) = two_tensors(1);
        assert_eq!(Vec::<f32>::try_from(a.tensor().view(-1)).unwrap(), parameters.values()[..4]);
        assert_eq!(parameters.values()[4..], [5.0; 3]);
        parameters.values_mut()[5] = -1.0;
        assert_eq!(Vec::<f32>::try_from(b.tensor()).unwrap(), [5.0, -1.0, 5.0]);
        assert_eq!(b.range(), 4..7);
    }

    #[test]
    fn backward_adds_to_the_flat_gradients() {
        let (a, b, mut parameters) = two_tensors(1);
        assert_eq!(parameters.gradients(), [0.0; 7]);
        for times in 1..=2 {
            let loss = a.tensor().sum(Kind::Float) * 2.0 + b.tensor().sum(Kind::Float);
            loss.backward();
            let t = times as f32;
            assert_eq!(parameters.gradients(), [2.0 * t, 2.0 * t, 2.0 * t, 2.0 * t, t, t, t]);
        }
        parameters.zero_grad();
        assert_eq!(parameters.gradients(), [0.0; 7]);
        (b.tensor().sum(Kind::Float)).backward();
        assert_eq!(parameters.gradients(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn builds_where_gradients_are_off() {
        let (_, b, parameters) = tch::no_grad(|| two_tensors(1));
        b.tensor().sum(Kind::Float).backward();
        assert_eq!(parameters.gradients()[4..], [1.0; 3]);
    }

    #[test]
    fn hard_and_soft_updates() {
        let (_, _, mut target) = two_tensors(1);
        let (_, _, online) = two_tensors(2);
        assert_ne!(target.values(), online.values());
        let expected: Vec<f32> =
            target.values().iter().zip(online.values()).map(|(t, o)| 0.75 * t + 0.25 * o).collect();
        target.polyak(&online, 0.25).unwrap();
        for (got, expected) in target.values().iter().zip(expected) {
            assert!((got - expected).abs() < 1e-6);
        }
        target.copy_from(&online).unwrap();
        assert_eq!(target.values(), online.values());
    }

    #[test]
    fn other_shapes_are_errors() {
        let (_, _, mut parameters) = two_tensors(1);
        let mut builder = ParametersBuilder::new();
        let _ = builder.parameter(&[7], Init::Zeros, FANS).unwrap();
        let other = builder.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert!(matches!(parameters.copy_from(&other), Err(NetworkError::Shapes { .. })));
        assert!(matches!(parameters.polyak(&other, 0.5), Err(NetworkError::Shapes { .. })));
        let error = parameters.load(&[0.0; 6]).unwrap_err().to_string();
        assert_eq!(error, "the parameters' values: expected 7 numbers, got 6");
    }

    #[test]
    fn nothing_declared_is_empty() {
        let parameters = ParametersBuilder::new().build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        assert!(parameters.is_empty() && parameters.values().is_empty());
    }
}
