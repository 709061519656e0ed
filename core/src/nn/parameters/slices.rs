//! Flat tensors and slices of them.

use std::ops::Deref;

use tch::{TchError, Tensor};

/// A tensor that is one row of `f32` on the CPU, with its length: asking libtorch for it allocates.
#[derive(Debug)]
pub(super) struct Flat {
    tensor: Tensor,
    length: usize,
}

impl Flat {
    pub(super) fn zeros(length: usize) -> Result<Self, TchError> {
        let tensor = Tensor::f_zeros([length as i64], tch::kind::FLOAT_CPU)?;
        Ok(Self { tensor, length })
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Returns a view of the same memory.
    pub(super) fn shallow_clone(&self) -> Self {
        Self { tensor: self.tensor.shallow_clone(), length: self.length }
    }
}

impl Deref for Flat {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

// SAFETY, of both: the tensors come from `zeros` with kind f32 on the CPU, so they are
// contiguous, initialised and aligned; they are private and never resized, so the memory lives
// as long as they do. An empty tensor has no memory, hence the special case. Values and gradients
// are written through `&mut Parameters` only: the views of the values stay within this crate, which
// does not write to them, and `Parameter::tensor` hands out copies. libtorch writes to `accumulated`,
// of which slices live within one function alone, between its calls.

pub(super) fn of(flat: &Flat) -> &[f32] {
    match flat.length {
        0 => &[],
        length => unsafe { std::slice::from_raw_parts(flat.data_ptr().cast(), length) },
    }
}

pub(super) fn of_mut(flat: &mut Flat) -> &mut [f32] {
    match flat.length {
        0 => &mut [],
        length => unsafe { std::slice::from_raw_parts_mut(flat.data_ptr().cast(), length) },
    }
}
