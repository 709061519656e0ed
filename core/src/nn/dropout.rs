//! Dropout masks, drawn from our own stream because libtorch's generator takes no seed per network.

use std::cell::Cell;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

/// Dropout masks: each is a pure function of the seed and of the number of masks drawn before it.
#[derive(Debug)]
pub(super) struct Masks {
    seed: u64,
    draws: Cell<u64>,
}

impl Masks {
    pub(super) fn new(seed: u64) -> Self {
        Self { seed, draws: Cell::new(0) }
    }

    /// Returns the seed of the masks.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns the number of masks drawn.
    pub(super) fn draws(&self) -> u64 {
        self.draws.get()
    }

    /// Sets the number of masks drawn.
    pub(super) fn set_draws(&mut self, draws: u64) {
        self.draws.set(draws);
    }

    /// Draws a mask and multiplies by it: zero with probability `p`, else `1 / (1 − p)`.
    pub(super) fn drop(&self, x: &Tensor, p: f64) -> Tensor {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(self.draws.get());
        self.draws.set(self.draws.get().wrapping_add(1));
        let kept = (1.0 / (1.0 - p)) as f32;
        let mask: Vec<f32> = (0..x.numel())
            .map(|_| if f64::from(rng.random::<f32>()) < p { 0.0 } else { kept })
            .collect();
        x * Tensor::from_slice(&mask).view_as(x)
    }
}
