//! Networks made smaller and faster, and what that costs them.
//!
//! - A [`Mask`] prunes: it holds single weights, the smallest of a layer or of all layers, or whole units
//!   at zero, also while the network is trained. [`find_ticket`] repeats that and rewinds: the lottery
//!   ticket.
//! - [`prune_units`] takes hidden units and channels out, so that what remains is a smaller
//!   [`Sequential`](crate::nn::Sequential): zeros alone save neither time nor memory.
//! - A [`QuantizedNetwork`] keeps a weight in one byte.
//! - [`Distillation`] trains a small network by the answers of a large one.
//!
//! ```
//! use gymnast_core::compression::{Quantization, QuantizedNetwork, prune_units};
//! use gymnast_core::nn::{Activation, Network as _, NetworkConfig, Sequential};
//! use rand::SeedableRng;
//!
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
//! let config = NetworkConfig::mlp(&[64, 64], Activation::Relu).linear_head(2);
//! let network = Sequential::new(&config, &[4], &mut rng)?; // … trained
//! let half = prune_units(&network, 0.5, 2.0)?; // … trained a little more
//! assert_eq!((network.parameters().len(), half.parameters().len()), (4_610, 1_282));
//!
//! let quantized = QuantizedNetwork::new(&half, Quantization::Dynamic)?;
//! assert_eq!(quantized.bytes(), 1_216 + 2 * 66 * 4); // of each weight 1, of each unit a scale and a bias
//! # Ok::<(), gymnast_core::compression::CompressionError>(())
//! ```

mod distillation;
mod lottery_ticket;
mod mask;
mod quantization;
mod quantized_linear;
mod structured;
#[cfg(test)]
mod tests;

pub use distillation::{Distillation, distillation_loss};
pub use lottery_ticket::{IterativePruning, find_ticket};
pub use mask::Mask;
pub use quantization::{Quantization, QuantizedNetwork, QuantizedScratch};
pub use structured::{HiddenLayer, hidden_layers, keep_units, prune_units};

use thiserror::Error;

use crate::checkpoint::CheckpointError;
use crate::nn::NetworkError;
use crate::text::number;

/// Why a network cannot be compressed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompressionError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {}", number(*value))]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A mask of another network.
    #[error("the mask is of {expected} parameters, the network has {got}")]
    Mask {
        /// The parameters that the mask knows.
        expected: usize,
        /// Those that there are.
        got: usize,
    },
    /// No such weights, or none that can be pruned so.
    #[error("{name:?} names no weights that can be pruned: there are {known:?}")]
    UnknownName {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
    /// Units that a layer does not have, or none.
    #[error(
        "layer {layer} has {units} units: expected numbers of some of them, rising, got {got:?}"
    )]
    Units {
        /// The layer.
        layer: String,
        /// How many units it has.
        units: usize,
        /// Those that were to be kept.
        got: Vec<usize>,
    },
    /// Layers other than fully connected ones and activations.
    #[error(
        "only fully connected layers and activations can be quantised: this network has others"
    )]
    NotDense,
    /// A number is not finite.
    #[error("{what} hold {value}: expected finite numbers")]
    NotFinite {
        /// Which numbers.
        what: &'static str,
        /// The first that is not finite.
        value: f32,
    },
    /// A slice of another length.
    #[error("{what}: expected {expected} numbers, got {got}")]
    Length {
        /// Which numbers.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// The network refused.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// What was saved cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

fn check(
    holds: bool,
    key: &'static str,
    value: f64,
    allowed: &'static str,
) -> Result<(), CompressionError> {
    if holds { Ok(()) } else { Err(CompressionError::Setting { key, value, allowed }) }
}

/// A share of what is there.
fn check_amount(amount: f64) -> Result<(), CompressionError> {
    check((0.0..=1.0).contains(&amount), "amount", amount, "in [0, 1]")
}

fn check_finite(what: &'static str, values: &[f32]) -> Result<(), CompressionError> {
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(CompressionError::NotFinite { what, value }),
        None => Ok(()),
    }
}

fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), CompressionError> {
    if expected == got { Ok(()) } else { Err(CompressionError::Length { what, expected, got }) }
}
