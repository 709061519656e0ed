//! The flat vectors: memory of plain Rust until libtorch needs them, then libtorch's.

use std::alloc::{Layout, alloc_zeroed, dealloc};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tch::{TchError, Tensor};

use crate::nn::NetworkError;

/// Vectors begin at a cache line, so that no wide load touches two.
const ALIGNMENT: usize = 64;

/// A vector of `f32`. Clones are the same memory.
#[derive(Debug, Clone)]
pub(super) struct Flat(Arc<Memory>);

#[derive(Debug)]
struct Memory {
    length: usize,
    /// Where the numbers lie: in `plain`, or in the tensor's memory once there is one.
    numbers: AtomicPtr<f32>,
    /// Our own memory; null when it has been freed.
    plain: AtomicPtr<f32>,
    tensor: Mutex<Option<Tensor>>,
}

impl Flat {
    pub(super) fn zeros(length: usize) -> Result<Self, NetworkError> {
        let plain: *mut f32 = match layout(length) {
            // SAFETY: the layout is not empty.
            Some(layout) => unsafe { alloc_zeroed(layout) }.cast(),
            None => ptr::NonNull::dangling().as_ptr(),
        };
        if plain.is_null() {
            return Err(NetworkError::Memory { bytes: length * size_of::<f32>() });
        }
        let [numbers, plain] = [plain, plain].map(AtomicPtr::new);
        Ok(Self(Arc::new(Memory { length, numbers, plain, tensor: Mutex::new(None) })))
    }

    pub(super) fn len(&self) -> usize {
        self.0.length
    }

    /// Returns the tensor with these numbers, `[length]`. The first call moves them into it.
    pub(super) fn tensor(&self) -> Result<Tensor, TchError> {
        let mut tensor = self.0.tensor.lock().unwrap_or_else(PoisonError::into_inner);
        if tensor.is_none() {
            let new = Tensor::f_zeros([self.0.length as i64], tch::kind::FLOAT_CPU)?;
            let (from, to) = (self.0.plain.load(Ordering::Relaxed), new.data_ptr().cast());
            if self.0.length > 0 {
                // SAFETY: both hold `length` numbers and do not overlap.
                unsafe { ptr::copy_nonoverlapping(from, to, self.0.length) };
                self.0.numbers.store(to, Ordering::Release);
            }
            *tensor = Some(new);
        }
        Ok(tensor.as_ref().expect("it was just made").shallow_clone())
    }
}

fn layout(length: usize) -> Option<Layout> {
    // `limited` has bounded the length.
    let layout = Layout::array::<f32>(length).and_then(|layout| layout.align_to(ALIGNMENT));
    layout.ok().filter(|layout| layout.size() > 0)
}

impl Memory {
    /// Frees our own memory. No slice of it may be left, and the tensor must hold the numbers if they
    /// are needed again.
    fn free_plain(&self) {
        let plain = self.plain.swap(ptr::null_mut(), Ordering::Relaxed);
        if let Some(layout) = layout(self.length).filter(|_| !plain.is_null()) {
            // SAFETY: allocated with this layout in `zeros`, and not freed yet.
            unsafe { dealloc(plain.cast(), layout) };
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.free_plain();
    }
}

// SAFETY: the memory is owned, and the numbers are reached through `Parameters` only, as below.
unsafe impl Send for Memory {}
// SAFETY: as above; the tensor has a lock.
unsafe impl Sync for Memory {}

// SAFETY, of both: the memory is initialised, aligned, never resized, and lives as long as the
// `Flat`: the plain one stays when the numbers have moved, so that a slice that was borrowed before
// stays valid to read (what is written to it then is lost, as `Parameters` says), until a mutable
// slice is asked for, before which no other is left. Values and gradients are written through `&mut Parameters` only: the views of the
// values stay within this crate, which does not write to them, and `Parameter::tensor` hands out
// copies. libtorch writes to `accumulated`, of which slices live within one function alone, between
// its calls.

pub(super) fn of(flat: &Flat) -> &[f32] {
    let numbers = flat.0.numbers.load(Ordering::Acquire);
    unsafe { std::slice::from_raw_parts(numbers, flat.0.length) }
}

pub(super) fn of_mut(flat: &mut Flat) -> &mut [f32] {
    let numbers = flat.0.numbers.load(Ordering::Acquire);
    if numbers != flat.0.plain.load(Ordering::Relaxed) {
        flat.0.free_plain();
    }
    unsafe { std::slice::from_raw_parts_mut(numbers, flat.0.length) }
}
