//! A range of integers.

use rand::RngExt as _;
use serde_json::Value;

use super::{FeatureSpace, FiniteSpace, Space, SpaceDescription, Storage, not_an_element};
use crate::{Rng, SpaceError};

/// The integers `start..start + n` (Gymnasium's `Discrete`).
///
/// ```
/// use gymnast_envs::{Discrete, FiniteSpace, Space};
///
/// let moves = Discrete::with_start(3, -1)?; // -1, 0, 1
/// assert!(moves.contains(&-1) && !moves.contains(&2));
/// assert_eq!(moves.index_of(&1), 2);
/// # Ok::<(), gymnast_envs::SpaceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discrete {
    n: usize,
    start: i64,
}

impl Discrete {
    /// Creates the integers `0..n`.
    ///
    /// # Panics
    /// If `n` is 0 or does not fit `i64`; [`with_start`](Self::with_start) returns an error.
    #[must_use]
    pub fn new(n: usize) -> Self {
        Self::with_start(n, 0).expect("a discrete space has at least one element")
    }

    /// Creates the integers `start..start + n`.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if `n` is 0 or `start + n` overflows.
    pub fn with_start(n: usize, start: i64) -> Result<Self, SpaceError> {
        let fits = i64::try_from(n).ok().and_then(|n| start.checked_add(n)).is_some();
        if n == 0 || !fits {
            let reason = format!("n must be at least 1 and start + n fit i64, got {n} and {start}");
            return Err(SpaceError::Invalid { space: "Discrete", reason });
        }
        Ok(Self { n, start })
    }

    /// Returns the number of elements.
    #[must_use]
    pub fn n(&self) -> usize {
        self.n
    }

    /// Returns the smallest element.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.start
    }
}

impl Space for Discrete {
    type Element = i64;

    #[inline]
    fn contains(&self, element: &i64) -> bool {
        // A wrapped difference below the start is huge as an unsigned number.
        (element.wrapping_sub(self.start) as u64) < self.n as u64
    }

    #[inline]
    fn admits(&self, element: &i64) -> bool {
        self.contains(element)
    }

    #[inline]
    fn sample(&self, rng: &mut Rng) -> i64 {
        self.start + rng.random_range(0..self.n as u64) as i64
    }

    fn sample_many(&self, n: usize, rng: &mut Rng, elements: &mut Vec<i64>) {
        elements.clear();
        let (start, size) = (self.start, self.n as u64);
        if size > 1 << 16 {
            elements.extend((0..n).map(|_| self.sample(rng)));
        } else if size.is_power_of_two() {
            // Each draw takes as many bits as it needs.
            let bits = size.trailing_zeros();
            let draws = 64_u32.checked_div(bits).unwrap_or(64) as usize;
            while elements.len() < n {
                let random: u64 = rng.random();
                let taken = (n - elements.len()).min(draws) as u32;
                elements
                    .extend((0..taken).map(|i| start + (random >> (i * bits) & (size - 1)) as i64));
            }
        } else {
            // The upper half of a product is a draw, and the lower half must lie below a multiple
            // of the size (Lemire, 2019).
            let beyond = (1_u64 << 32) % size;
            while elements.len() < n {
                let random: u64 = rng.random();
                let products = [random & u64::from(u32::MAX), random >> 32].map(|half| half * size);
                let kept =
                    products.iter().filter(|&product| product & u64::from(u32::MAX) >= beyond);
                elements.extend(kept.map(|product| start + (product >> 32) as i64));
            }
            elements.truncate(n);
        }
    }

    fn describe(&self) -> SpaceDescription {
        SpaceDescription::Discrete { n: self.n, start: self.start }
    }

    fn to_jsonable(&self, element: &i64) -> Value {
        Value::from(*element)
    }

    fn from_jsonable(&self, value: &Value) -> Result<i64, SpaceError> {
        let element = value.as_i64().filter(|element| self.contains(element));
        element.ok_or_else(|| not_an_element(self, value))
    }
}

impl FiniteSpace for Discrete {
    #[inline]
    fn size(&self) -> usize {
        self.n
    }

    #[inline]
    fn index_of(&self, element: &i64) -> usize {
        debug_assert!(self.contains(element));
        (element - self.start) as usize
    }

    #[inline]
    fn element(&self, index: usize) -> i64 {
        assert!(index < self.n, "index {index} is not below the space's size {}", self.n);
        self.start + index as i64
    }
}

impl FeatureSpace for Discrete {
    fn shape(&self) -> Vec<usize> {
        vec![self.n]
    }

    #[inline]
    fn width(&self) -> usize {
        self.n
    }

    fn flatten(&self, element: &i64, features: &mut [f32]) {
        features.fill(0.0);
        features[self.index_of(element)] = 1.0;
    }

    fn unflatten(&self, features: &[f32]) -> Result<i64, SpaceError> {
        let index = features.iter().position(|&x| x == 1.0);
        let index = index.filter(|_| {
            features.len() == self.n && features.iter().filter(|&&x| x != 0.0).count() == 1
        });
        let index = index.ok_or_else(|| not_an_element(self, format!("{features:?}")))?;
        Ok(self.element(index))
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; self.n], vec![1.0; self.n])
    }

    fn storage(&self) -> Storage {
        Storage::U8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn limits_are_kept_at_both_ends_of_i64() {
        let low = Discrete::with_start(2, i64::MIN).unwrap();
        assert!(low.contains(&i64::MIN) && !low.contains(&i64::MAX));
        assert!(Discrete::with_start(2, i64::MAX).is_err());
        assert!(Discrete::with_start(0, 0).is_err());
    }

    #[test]
    fn many_samples_are_uniform() {
        let (mut rng, mut drawn) = (Seed::new(0).rng(), vec![7]);
        for (n, start) in [(1, 3), (2, 0), (3, -1), (4, 0), (6, 5), (64, 0), (1000, 0)] {
            let space = Discrete::with_start(n, start).unwrap();
            space.sample_many(n * 1000, &mut rng, &mut drawn);
            assert_eq!(drawn.len(), n * 1000);
            let mut counts = vec![0_f64; n];
            drawn.iter().for_each(|x| counts[space.index_of(x)] += 1.0);
            // χ² has a mean of n − 1 and a variance of 2 (n − 1).
            let chi: f64 = counts.iter().map(|count| (count - 1000.0).powi(2) / 1000.0).sum();
            assert!(chi < n as f64 + 5.0 * (2.0 * n as f64).sqrt(), "{n}: {chi}");
        }
        Discrete::new(2).sample_many(70, &mut rng, &mut drawn);
        assert_eq!(drawn.len(), 70);
    }

    #[test]
    fn json_outside_the_space_is_an_error() {
        let space = Discrete::new(3);
        assert_eq!(space.from_jsonable(&Value::from(2)), Ok(2));
        for bad in [Value::from(3), Value::from(-1), Value::from(1.5), Value::Null] {
            assert!(space.from_jsonable(&bad).is_err(), "{bad}");
        }
    }
}
