//! Transfer learning: load weights by name, and fine-tune a small part of a network or a few
//! additional parameters.
//!
//! - [`load_matching`] loads weights that match by name and shape, and reports the rest.
//! - An optimiser's [`ParamGroup`](crate::optim::ParamGroup) over
//!   [`ranges_where`](crate::nn::Parameters::ranges_where) freezes parts or changes their learning
//!   rate.
//! - [`Lora`] trains low-rank additions to the fully connected layers of a frozen network and
//!   [`merge`](Lora::merge)s them into its weights.
//! - [`PrefixTuning`] trains keys and values in front of each block's own in a frozen transformer.
//!
//! The last two are [`Network`](crate::nn::Network)s with only the trained numbers as parameters,
//! so every training, optimiser and checkpoint handles them like any network.
//!
//! ```
//! use gymnast_core::loss::Loss;
//! use gymnast_core::nn::{Activation, Network as _, NetworkConfig, Sequential};
//! use gymnast_core::supervised::{Dataset, FitConfig, fit};
//! use gymnast_core::transfer::{Lora, LoraConfig};
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha8Rng;
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let config = NetworkConfig::mlp(&[64, 64], Activation::Relu).linear_head(1);
//! let network = Sequential::new(&config, &[8], &mut rng)?; // … trained on one task
//! let mut adapted = Lora::new(network, &LoraConfig { rank: 2, ..LoraConfig::default() }, &mut rng)?;
//! assert_eq!(adapted.parameters().len(), 2 * (8 + 64) + 2 * (64 + 64) + 2 * (64 + 1));
//!
//! let rows: Vec<f32> = (0..80).map(|i| (i as f32).sin()).collect();
//! let sums = rows.chunks(8).map(|row| row.iter().sum()).collect();
//! let data = Dataset::new(rows, 8, sums, 1)?;
//! let settings = FitConfig { epochs: 20, ..FitConfig::adam(1e-2) };
//! fit(&mut adapted, &data, &Dataset::new(vec![], 8, vec![], 1)?, &settings, rng, &Loss::Mse)?;
//! let network: Sequential = adapted.merge().into_network(); // no larger or slower than before
//! # let _ = network;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod lora;
mod matching;
mod prefix_tuning;
#[cfg(test)]
mod tests;

pub use lora::{Lora, LoraConfig, Merged};
pub use matching::{LoadReport, load_matching};
pub use prefix_tuning::{PrefixTuning, PrefixTuningConfig};

use thiserror::Error;

use crate::SettingError;
use crate::nn::{MAX_PARAMETERS, NetworkError};

/// Why a network cannot be adapted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TransferError {
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// There is no fully connected layer of this name.
    #[error("no fully connected layer is called {name:?}: there are {known:?}")]
    UnknownLayer {
        /// The name.
        name: String,
        /// The names of the fully connected layers.
        known: Vec<String>,
    },
    /// The network returned an error.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// Checks the number of parameters before memory is allocated.
fn check_size(what: &'static str, parameters: usize) -> Result<(), TransferError> {
    let limit = MAX_PARAMETERS;
    if parameters > limit { Err(NetworkError::TooLarge { what, limit }.into()) } else { Ok(()) }
}
