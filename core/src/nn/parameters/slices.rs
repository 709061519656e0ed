//! Slices into the flat tensors.

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
