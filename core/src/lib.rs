//! Gymnast's training library: networks, initialisers, losses and optimisers on libtorch.
//!
//! In small networks, the overhead of calls outweighs the arithmetic. So the parameters of a
//! network are one flat vector ([`nn::Parameters`]), and its layers are views of it: an optimiser's
//! step, a target network's update and a checkpoint are each one loop over one slice. Neither
//! acting ([`nn::Network::evaluate`]) nor the gradient of a loss with a known formula
//! ([`nn::Net::backward`]) needs libtorch if all layers have a plan ([`nn::Compiled`]); libtorch
//! differentiates everything else. [`supervised`]
//! trains a network on rows of data, [`self_supervised`] pretrains one on rows without labels,
//! [`metrics`] evaluates predictions. [`imbalance`] handles rare classes, [`ood`] detects rows
//! unlike the training data, [`ensemble`] combines several networks, [`transfer`] and
//! [`compression`] reuse trained networks, [`tune`] searches settings.
//!
//! Modules that need no libtorch, such as [`data`], [`metrics`], [`plot`] and [`tune`], work
//! without the default feature `torch`; the others need it.
//!
//! ```
//! use gymnast_core::statistics::{Curve, steps_to_threshold};
//!
//! let evaluations = Curve::new(vec![1000.0, 2000.0, 3000.0], vec![22.0, 480.0, 500.0])?;
//! let steps = steps_to_threshold(&evaluations, 475.0);
//! assert_eq!((steps.first, steps.held_from), (Some(2000.0), Some(2000.0)));
//! # Ok::<(), gymnast_core::statistics::StatisticsError>(())
//! ```

pub mod checkpoint;
pub mod data;
pub mod ensemble;
pub mod imbalance;
pub mod likelihood;
pub mod lr_schedule;
pub mod metrics;
pub mod model_selection;
pub mod ood;
pub mod plot;
pub mod rounding;
#[cfg_attr(not(feature = "torch"), allow(dead_code))] // most of it is for networks
mod simd;
pub mod statistics;
pub mod tune;

#[cfg(feature = "torch")]
pub mod compression;
#[cfg(feature = "torch")]
pub mod cost;
#[cfg(feature = "torch")]
pub mod diagnosis;
#[cfg(feature = "torch")]
pub mod init;
#[cfg(feature = "torch")]
pub mod loss;
#[cfg(feature = "torch")]
pub mod nn;
#[cfg(feature = "torch")]
pub mod optim;
#[cfg(feature = "torch")]
pub mod self_supervised;
#[cfg(feature = "torch")]
pub mod supervised;
#[cfg(feature = "torch")]
pub mod threads;
#[cfg(feature = "torch")]
pub mod transfer;

pub use gymnast_base::{SettingError, atomic_file, files, locks, require, text};

/// Re-exports libtorch's tensors, in the version that networks, losses and agents use.
#[cfg(feature = "torch")]
#[doc(no_inline)]
pub use tch;
