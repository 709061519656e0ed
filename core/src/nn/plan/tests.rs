//! Plans compute what libtorch computes.

mod compositions;
mod evaluation;
mod gradients;
