//! Rows to learn from.
//!
//! A [`Table`] is rows of numbers, of which some may be missing (NaN). A [`Dataset`] is two tables,
//! inputs and targets, in which nothing is. Nothing here needs libtorch but the methods of [`Batch`]
//! that make tensors.

mod batch;
mod dataset;
mod error;
mod table;
#[cfg(test)]
mod tests;

pub use batch::Batch;
pub use dataset::Dataset;
pub use error::DataError;
pub use table::Table;
