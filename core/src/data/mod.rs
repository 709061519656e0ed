//! Datasets: read, split, scaled, augmented, divided into batches.
//!
//! A [`Table`] is rows of numbers, some possibly missing (NaN): [`csv`] reads it and a
//! [`Transformer`] changes it. A [`Dataset`] is two tables, inputs and targets, without missing
//! numbers: it is split ([`train_validation_test_split`]), augmented ([`Compose`]) and divided into
//! batches ([`DataLoader`]). Only the methods of [`Batch`] that return tensors need libtorch.
//!
//! ```
//! use gymnast_core::data::{
//!     DataLoader, DataLoaderConfig, SplitConfig, StandardScaler, Transformer, load_breast_cancer,
//!     train_validation_test_split,
//! };
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha8Rng;
//!
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let data = load_breast_cancer();
//! let split = train_validation_test_split(&data, &SplitConfig::default(), &mut rng)?;
//! let scaler = StandardScaler::fit(split.train.input_table())?; // of the training part only
//! let train = scaler.transform_inputs(&split.train)?;
//! let loader = DataLoader::new(&train, &DataLoaderConfig::default(), rng)?;
//! for batch in loader.epoch(0) {
//!     assert_eq!(batch.input_numbers().len(), 30 * batch.len());
//! }
//! # Ok::<(), gymnast_core::data::DataError>(())
//! ```

mod augmentation;
mod batch;
pub mod csv;
mod dataset;
mod error;
mod loader;
mod preprocessing;
mod real;
mod sampler;
mod split;
mod table;
#[cfg(test)]
mod tests;

pub use augmentation::{Augmentation, Compose, Mixed, Shape, mixup};
pub use batch::Batch;
pub use dataset::Dataset;
#[cfg(feature = "torch")]
pub(crate) use dataset::class_of;
pub use error::DataError;
pub use loader::{DataLoader, DataLoaderConfig};
pub use preprocessing::{
    Bounds, MinMaxScaler, OutlierClipper, Pipeline, PipelineStep, RobustScaler, SimpleImputer,
    StandardScaler, Strategy, Transformer,
};
pub use real::{load_breast_cancer, load_digits, load_wine_quality};
pub use sampler::Sampler;
pub(crate) use split::{MOST_ROWS, rows_by_class};
pub use split::{
    Split, SplitConfig, Stratify, split_rows, train_test_split, train_validation_test_split,
};
pub use table::Table;
