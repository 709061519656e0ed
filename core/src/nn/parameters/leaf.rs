//! The tensor of one parameter, for libtorch.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use tch::{Kind, TchError, Tensor};

use super::flat::Flat;

/// A tensor that is made when libtorch first needs it: networks that plain Rust evaluates and trains
/// never load libtorch.
#[derive(Debug)]
pub(super) struct Leaf {
    shape: Vec<i64>,
    frozen: AtomicBool,
    place: OnceLock<Place>,
    tensor: Mutex<Option<Tensor>>,
}

/// Where a parameter's numbers lie.
#[derive(Debug)]
pub(super) struct Place {
    /// In both vectors.
    pub offset: usize,
    /// What layers compute with.
    pub weights: Flat,
    /// Where libtorch adds gradients.
    pub accumulated: Flat,
}

impl Leaf {
    pub(super) fn new(shape: &[usize]) -> Self {
        let shape = shape.iter().map(|&n| n as i64).collect();
        let (frozen, place, tensor) = (AtomicBool::new(false), OnceLock::new(), Mutex::new(None));
        Self { shape, frozen, place, tensor }
    }

    /// Says where the numbers lie. A tensor that was asked for before moves there.
    pub(super) fn put(&self, place: Place) -> Result<(), TchError> {
        let tensor = self.tensor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(tensor) = &*tensor {
            self.attach(tensor, &place)?;
        }
        self.place.set(place).expect("parameters are built once");
        Ok(())
    }

    /// Returns the tensor. Until [`put`](Self::put) it holds zeros.
    pub(super) fn tensor(&self) -> Result<Tensor, TchError> {
        let mut tensor = self.tensor.lock().unwrap_or_else(PoisonError::into_inner);
        if tensor.is_none() {
            let new =
                Tensor::f_zeros(&self.shape, tch::kind::FLOAT_CPU)?.f_set_requires_grad(true)?;
            if let Some(place) = self.place.get() {
                self.attach(&new, place)?;
            }
            *tensor = Some(new.f_set_requires_grad(!self.frozen.load(Ordering::Relaxed))?);
        }
        Ok(tensor.as_ref().expect("it was just made").shallow_clone())
    }

    /// Makes the tensor and its gradient views of the flat vectors.
    fn attach(&self, tensor: &Tensor, place: &Place) -> Result<(), TchError> {
        let (offset, count) = (place.offset as i64, self.shape.iter().product());
        let view = |flat: &Flat| flat.tensor()?.f_narrow(0, offset, count)?.f_view(&self.shape[..]);
        let (weights, gradients) = (view(&place.weights)?, view(&place.accumulated)?);
        tensor.shallow_clone().f_set_data(&weights)?;
        // A first backward pass makes the gradient, which then moves. As libtorch adds to a
        // gradient in place, it stays there.
        tch::with_grad(|| tensor.f_sum(Kind::Float)?.f_backward())?;
        let _guard = tch::no_grad_guard();
        let _ = tensor.f_grad()?.f_set_source_tensor_(&gradients)?;
        Ok(())
    }

    pub(super) fn set_requires_grad(&self, requires_grad: bool) {
        self.frozen.store(!requires_grad, Ordering::Relaxed);
        if let Some(tensor) = &*self.tensor.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = tensor.set_requires_grad(requires_grad);
        }
    }
}
