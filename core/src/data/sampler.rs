//! Samplers: the rows of an epoch and their order.

use rand::{RngExt as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::loader::shuffled_rows;
use super::{DataError, Dataset};

/// Chooses the rows of an epoch. An epoch always has as many rows as the dataset, and its order
/// depends only on the stream and the epoch's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// Every row once, shuffled.
    #[default]
    Shuffled,
    /// Alternates between the classes, so that every minibatch, of any size, holds the same number
    /// of rows of each class, to within one. Within a class every row comes once before any
    /// repeats: rows of rare classes occur several times in an epoch, rows of frequent ones only in
    /// some epochs.
    Balanced,
}

impl Sampler {
    /// Returns the row numbers of an epoch; epochs count from 0.
    ///
    /// ```
    /// use gymnast_core::data::{Dataset, Sampler};
    /// use rand::SeedableRng;
    ///
    /// let classes = [vec![0.0; 90], vec![1.0; 10]].concat();
    /// let data = Dataset::new(vec![0.0; 100], 1, classes, 1)?;
    /// let rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    /// let order = Sampler::Balanced.order(&data, &rng, 0)?;
    /// for batch in order.chunks(20) {
    ///     assert_eq!(data.batch(batch).target_numbers().iter().sum::<f32>(), 10.0);
    /// }
    /// # Ok::<(), gymnast_core::data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// With [`Balanced`](Self::Balanced), those of [`Dataset::classes`].
    pub fn order(
        self,
        data: &Dataset,
        rng: &ChaCha8Rng,
        epoch: u64,
    ) -> Result<Vec<usize>, DataError> {
        match self {
            Self::Shuffled => Ok(shuffled_rows(data.len(), rng, epoch)),
            Self::Balanced => Ok(balanced(data.rows_of_classes()?, data.len(), rng, epoch)),
        }
    }
}

/// Returns `length` rows, alternating between the classes; the first class is random.
fn balanced(
    mut rows_of: Vec<Vec<usize>>,
    length: usize,
    rng: &ChaCha8Rng,
    epoch: u64,
) -> Vec<usize> {
    rows_of.retain(|rows| !rows.is_empty());
    if rows_of.is_empty() {
        return Vec::new();
    }
    let mut rng = rng.clone();
    rng.set_stream(epoch);
    let (classes, first) = (rows_of.len(), rng.random_range(0..rows_of.len()));
    let mut next = vec![0; classes];
    let mut order = Vec::with_capacity(length);
    for place in 0..length {
        let class = (first + place) % classes;
        let (rows, next) = (&mut rows_of[class], &mut next[class]);
        if *next == 0 {
            rows.shuffle(&mut rng);
        }
        order.push(rows[*next]);
        *next = (*next + 1) % rows.len();
    }
    order
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(3)
    }

    fn data(counts: &[usize]) -> Dataset {
        let class = |(class, &n): (usize, &usize)| vec![class as f32; n];
        let classes: Vec<f32> = counts.iter().enumerate().flat_map(class).collect();
        Dataset::new(vec![0.0; classes.len()], 1, classes, 1).unwrap()
    }

    #[test]
    fn every_minibatch_has_the_classes_in_equal_shares() {
        let data = data(&[80, 0, 7, 13]);
        for epoch in 0..5 {
            let order = Sampler::Balanced.order(&data, &rng(), epoch).unwrap();
            assert_eq!(order.len(), 100);
            for size in [3, 7, 32] {
                for batch in order.chunks(size) {
                    let of = |class: f32| {
                        batch.iter().filter(|row| data.targets()[**row] == class).count()
                    };
                    let counts = [of(0.0), of(2.0), of(3.0)];
                    let (least, most) = (counts.iter().min(), counts.iter().max());
                    assert!(most.unwrap() - least.unwrap() <= 1, "{counts:?}");
                }
            }
        }
    }

    #[test]
    fn each_row_of_a_class_comes_before_any_comes_again() {
        let data = data(&[90, 10]);
        let order = Sampler::Balanced.order(&data, &rng(), 0).unwrap();
        let rare: Vec<usize> = order.iter().copied().filter(|&row| row >= 90).collect();
        assert_eq!(rare.len(), 50);
        for round in rare.chunks(10) {
            let mut round = round.to_vec();
            round.sort_unstable();
            assert_eq!(round, (90..100).collect::<Vec<_>>());
        }
        let mut frequent: Vec<usize> = order.into_iter().filter(|&row| row < 90).collect();
        frequent.sort_unstable();
        frequent.dedup();
        assert_eq!(frequent.len(), 50);
    }

    #[test]
    fn an_order_follows_from_stream_and_epoch() {
        let data = data(&[30, 5]);
        let order = |epoch| Sampler::Balanced.order(&data, &rng(), epoch).unwrap();
        assert_eq!(order(4), order(4));
        assert_ne!(order(4), order(5));
        let shuffled = Sampler::Shuffled.order(&data, &rng(), 4).unwrap();
        assert_eq!(shuffled, shuffled_rows(35, &rng(), 4));
    }

    #[test]
    fn without_classes_there_is_no_balance() {
        let data = Dataset::new(vec![0.0; 2], 1, vec![0.5, 1.0], 1).unwrap();
        let error = Sampler::Balanced.order(&data, &rng(), 0).unwrap_err();
        assert!(matches!(error, DataError::NotAClass { row: 0, .. }), "{error}");
        assert!(Sampler::Shuffled.order(&data, &rng(), 0).is_ok());
    }
}
