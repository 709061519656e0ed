//! Gymnast's training library: networks, initialisers, losses and optimisers on libtorch.
//!
//! Small networks are ruled by the cost of calls, not of arithmetic. So the parameters of a network
//! are one flat vector ([`nn::Parameters`]) of which its layers are views: an optimiser's step, a
//! target network's update, a checkpoint are each one loop over one slice, and acting
//! ([`nn::Network::evaluate`]) needs no libtorch at all. libtorch does what it is best at: it
//! differentiates.
//!
//! Everything here needs the default feature `torch`, except where a module says otherwise.

#[cfg(feature = "torch")]
pub mod init;
#[cfg(feature = "torch")]
pub mod loss;
#[cfg(feature = "torch")]
pub mod nn;
#[cfg(feature = "torch")]
pub mod optim;
#[cfg(feature = "torch")]
mod simd;
#[cfg(feature = "torch")]
pub mod threads;
