//! Slices into the flat tensors.

use tch::Tensor;

// SAFETY, of both: the tensors come from `zeros` with kind f32 on the CPU, so they are
// contiguous, initialised and aligned; they are private and never resized, so the memory lives
// as long as they do. An empty tensor has no memory, hence the special case. Values and gradients
// are written through `&mut Parameters` only: the views of the values stay within this crate, which
// does not write to them, and `Parameter::tensor` hands out copies. libtorch writes to `accumulated`,
// of which slices live within one function alone, between its calls.

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
