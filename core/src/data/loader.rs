//! The data loader: minibatches, epoch by epoch.

use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Batch, DataError, Dataset};
use crate::require;

/// How to divide rows into minibatches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DataLoaderConfig {
    /// The rows in a batch, ≥ 1. 1 gives stochastic gradient descent; the number of rows or more
    /// gives full-batch descent.
    pub batch_size: usize,
    /// Whether to shuffle the rows anew in each epoch.
    pub shuffle: bool,
    /// Whether to drop a last batch that is not full.
    pub drop_last: bool,
}

impl Default for DataLoaderConfig {
    /// Shuffled minibatches of 64; the last batch may be smaller.
    fn default() -> Self {
        Self { batch_size: 64, shuffle: true, drop_last: false }
    }
}

/// Divides a dataset into minibatches, like PyTorch's `DataLoader`.
///
/// The order of an epoch depends only on the stream and the epoch's number, so training resumes in
/// the middle of an epoch from two numbers: the epoch and the batch.
///
/// ```
/// use gymnast_core::data::{DataLoader, DataLoaderConfig, load_digits};
/// use rand::SeedableRng;
///
/// let digits = load_digits();
/// let rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let loader = DataLoader::new(&digits, &DataLoaderConfig::default(), rng)?;
/// let rows: Vec<usize> = loader.epoch(0).map(|batch| batch.len()).collect();
/// assert_eq!((rows.len(), rows[0], rows[28]), (29, 64, 5)); // 28 · 64 + 5 = 1797
/// # Ok::<(), gymnast_core::data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct DataLoader<'a> {
    data: &'a Dataset,
    config: DataLoaderConfig,
    rng: ChaCha8Rng,
}

impl<'a> DataLoader<'a> {
    /// Creates a loader of these rows. It owns the random stream.
    ///
    /// # Errors
    /// [`DataError::Setting`] if the batch size is 0, [`DataError::TooFewRows`] if an epoch would
    /// have no batches.
    pub fn new(
        data: &'a Dataset,
        config: &DataLoaderConfig,
        rng: ChaCha8Rng,
    ) -> Result<Self, DataError> {
        require(config.batch_size > 0, "batch_size", 0.0, "at least 1")?;
        let needed = if config.drop_last { config.batch_size } else { 1 };
        if data.len() < needed {
            return Err(DataError::TooFewRows { needed, rows: data.len() });
        }
        Ok(Self { data, config: *config, rng })
    }

    /// Returns the number of batches in an epoch.
    pub fn batches(&self) -> usize {
        match self.config.drop_last {
            true => self.data.len() / self.config.batch_size,
            false => self.data.len().div_ceil(self.config.batch_size),
        }
    }

    /// Returns the row numbers in the order of an epoch; epochs count from 0.
    pub fn order(&self, epoch: u64) -> Vec<usize> {
        match self.config.shuffle {
            true => shuffled_rows(self.data.len(), &self.rng, epoch),
            false => (0..self.data.len()).collect(),
        }
    }

    /// Returns an iterator over the batches of an epoch.
    pub fn epoch(&self, epoch: u64) -> impl Iterator<Item = Batch> + use<'a> {
        self.epoch_from(epoch, 0)
    }

    /// Returns an iterator over the batches of an epoch after the first `done`.
    pub fn epoch_from(&self, epoch: u64, done: usize) -> impl Iterator<Item = Batch> + use<'a> {
        let (data, size, order) = (self.data, self.config.batch_size, self.order(epoch));
        let rows = move |batch: usize| {
            let rows = &order[batch * size..];
            data.batch(&rows[..size.min(rows.len())])
        };
        (done..self.batches()).map(rows)
    }
}

/// Returns the row numbers in an order that depends only on the stream and the epoch.
pub(crate) fn shuffled_rows(rows: usize, rng: &ChaCha8Rng, epoch: u64) -> Vec<usize> {
    let mut rng = rng.clone();
    rng.set_stream(epoch);
    let mut order: Vec<usize> = (0..rows).collect();
    order.shuffle(&mut rng);
    order
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn data(rows: usize) -> Dataset {
        let rows: Vec<f32> = (0..rows).map(|row| row as f32).collect();
        Dataset::new(rows.clone(), 1, rows, 1).unwrap()
    }

    fn loader<'a>(data: &'a Dataset, config: &DataLoaderConfig) -> DataLoader<'a> {
        DataLoader::new(data, config, ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    fn rows(batches: impl Iterator<Item = Batch>) -> Vec<Vec<f32>> {
        batches.map(|batch| batch.input_numbers().to_vec()).collect()
    }

    #[test]
    fn an_epoch_has_each_row_once_in_an_order_of_its_own() {
        let data = data(10);
        let loader = loader(&data, &DataLoaderConfig { batch_size: 4, ..Default::default() });
        let (first, second) = (rows(loader.epoch(0)), rows(loader.epoch(1)));
        assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
        assert_ne!(first, second);
        for epoch in [first, second] {
            let mut rows = epoch.concat();
            rows.sort_unstable_by(f32::total_cmp);
            assert_eq!(rows, data.inputs());
        }
    }

    #[test]
    fn a_training_goes_on_in_the_middle_of_an_epoch() {
        let data = data(23);
        let config = DataLoaderConfig { batch_size: 5, ..Default::default() };
        let whole = rows(loader(&data, &config).epoch(7));
        assert_eq!(rows(loader(&data, &config).epoch_from(7, 3)), whole[3..]);
        assert!(rows(loader(&data, &config).epoch_from(7, 9)).is_empty());
    }

    #[test]
    fn batch_sizes_from_one_row_to_all() {
        let data = data(7);
        let in_order = |batch_size, drop_last| {
            let config = DataLoaderConfig { batch_size, shuffle: false, drop_last };
            let loader = loader(&data, &config);
            let rows = rows(loader.epoch(5));
            assert_eq!(rows.len(), loader.batches());
            rows
        };
        assert_eq!(in_order(1, true).concat(), data.inputs());
        assert_eq!(in_order(7, true), [data.inputs()]);
        assert_eq!(in_order(usize::MAX, false), [data.inputs()]);
        assert_eq!(in_order(3, false)[2], [6.0]);
        assert_eq!(in_order(3, true), [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]);
    }

    #[test]
    fn an_epoch_without_batches_is_an_error() {
        let rng = || ChaCha8Rng::seed_from_u64(1);
        let new = |rows, batch_size, drop_last| {
            let config = DataLoaderConfig { batch_size, drop_last, shuffle: true };
            DataLoader::new(&data(rows), &config, rng()).map(|_| ())
        };
        assert_eq!(new(7, 8, true), Err(DataError::TooFewRows { needed: 8, rows: 7 }));
        assert_eq!(new(0, 8, false), Err(DataError::TooFewRows { needed: 1, rows: 0 }));
        assert!(matches!(new(7, 0, false), Err(DataError::Setting(_))));
    }
}
