//! Compression: smaller and faster networks.
//!
//! - A [`Mask`] prunes: it keeps single weights (the smallest of a layer or of all layers) or whole
//!   units at zero, also during training. [`find_ticket`] repeats this and rewinds: the lottery
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
use crate::{SettingError, require};

/// Why a network cannot be compressed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompressionError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The mask belongs to another network.
    #[error(
        "the mask has {expected} parameters, the network has {got}: expected the network that the mask was made for"
    )]
    Mask {
        /// The number of parameters in the mask.
        expected: usize,
        /// The number of parameters in the network.
        got: usize,
    },
    /// The name is unknown, or these weights cannot be pruned.
    #[error("{name:?} names no weights that can be pruned: there are {known:?}")]
    UnknownName {
        /// The name.
        name: String,
        /// The names of the prunable weights.
        known: Vec<String>,
    },
    /// The units are not part of the layer, or there are none.
    #[error(
        "layer {layer} has {units} units: expected some of their numbers in ascending order, got {got:?}"
    )]
    Units {
        /// The layer.
        layer: String,
        /// The number of its units.
        units: usize,
        /// The units to keep.
        got: Vec<usize>,
    },
    /// The network has layers other than fully connected ones and activations.
    #[error(
        "only fully connected layers and activations can be quantised: this network has others"
    )]
    NotDense,
    /// A number is not finite.
    #[error("{what} hold {value}: expected finite numbers")]
    NotFinite {
        /// The name of the numbers.
        what: &'static str,
        /// The first number that is not finite.
        value: f32,
    },
    /// A slice has the wrong length.
    #[error("{what}: expected {expected} numbers, got {got}")]
    Length {
        /// The name of the numbers.
        what: &'static str,
        /// The length expected.
        expected: usize,
        /// The length given.
        got: usize,
    },
    /// The network returned an error.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// The saved state cannot be read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Checks that an amount lies in [0, 1].
fn check_amount(amount: f64) -> Result<(), CompressionError> {
    Ok(require((0.0..=1.0).contains(&amount), "amount", amount, "in [0, 1]")?)
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
