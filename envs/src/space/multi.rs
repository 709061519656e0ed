//! Spaces of several integers or bits.

use rand::RngExt as _;
use serde_json::Value;

use super::{
    FactoredSpace, FeatureSpace, FiniteSpace, Space, SpaceDescription, Storage, not_an_element,
};
use crate::{Rng, SpaceError};

/// `N` integers, the i-th in `0..nvec[i]` (Gymnasium's `MultiDiscrete`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MultiDiscrete<const N: usize> {
    nvec: [usize; N],
}

impl<const N: usize> MultiDiscrete<N> {
    /// Creates the space with these sizes.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if a size is 0 or the number of combinations overflows `usize`.
    pub fn new(nvec: [usize; N]) -> Result<Self, SpaceError> {
        let product = nvec.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
        if product.is_none_or(|product| product == 0) {
            let reason =
                format!("every size must be at least 1 and their product fit, got {nvec:?}");
            return Err(SpaceError::Invalid { space: "MultiDiscrete", reason });
        }
        Ok(Self { nvec })
    }

    /// Returns the number of values of each integer.
    #[must_use]
    pub fn nvec(&self) -> &[usize; N] {
        &self.nvec
    }
}

/// Several integers, the i-th in `0..nvec[i]`, with a number of integers known only at run time.
///
/// Used for environments with [`MultiDiscrete`] actions chosen by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceSpace {
    nvec: Vec<usize>,
}

impl ChoiceSpace {
    /// Creates the space with these sizes.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if a size is 0.
    pub fn new(nvec: Vec<usize>) -> Result<Self, SpaceError> {
        if nvec.contains(&0) {
            let reason = format!("every size must be at least 1, got {nvec:?}");
            return Err(SpaceError::Invalid { space: "MultiDiscrete", reason });
        }
        Ok(Self { nvec })
    }
}

impl<const N: usize> FiniteSpace for MultiDiscrete<N> {
    fn size(&self) -> usize {
        self.nvec.iter().product()
    }

    fn index_of(&self, element: &[i64; N]) -> usize {
        element.iter().zip(&self.nvec).fold(0, |index, (&x, &n)| index * n + x as usize)
    }

    fn element(&self, mut index: usize) -> [i64; N] {
        assert!(index < self.size(), "index {index} is not below the size {}", self.size());
        let mut element = [0; N];
        for (x, &n) in element.iter_mut().zip(&self.nvec).rev() {
            *x = (index % n) as i64;
            index /= n;
        }
        element
    }
}

/// Implements the traits of both spaces, given how an element is built from its integers.
macro_rules! several_integers {
    ([$($generics:tt)*] $space:ty, $element:ty, |$n:ident, $number:ident| $choose:expr) => {
        impl<$($generics)*> Space for $space {
            type Element = $element;

            fn contains(&self, element: &$element) -> bool {
                let mut pairs = element.iter().zip(&self.nvec);
                element.len() == self.nvec.len() && pairs.all(|(&x, &n)| (x as u64) < n as u64)
            }

            #[inline]
            fn admits(&self, element: &$element) -> bool {
                self.contains(element)
            }

            fn sample(&self, rng: &mut Rng) -> $element {
                self.choose(|i| rng.random_range(0..self.nvec[i] as u64) as i64)
            }

            fn describe(&self) -> SpaceDescription {
                SpaceDescription::MultiDiscrete { nvec: self.nvec.to_vec() }
            }

            fn to_jsonable(&self, element: &$element) -> Value {
                element.iter().copied().map(Value::from).collect()
            }

            fn from_jsonable(&self, value: &Value) -> Result<$element, SpaceError> {
                let numbers = value.as_array().and_then(|v| v.iter().map(Value::as_i64).collect());
                let element = numbers.and_then(|numbers: Vec<i64>| numbers.try_into().ok());
                element.filter(|e| self.contains(e)).ok_or_else(|| not_an_element(self, value))
            }
        }

        /// One-hot for each integer, in order.
        impl<$($generics)*> FeatureSpace for $space {
            fn shape(&self) -> Vec<usize> {
                vec![self.width()]
            }

            #[inline]
            fn width(&self) -> usize {
                self.nvec.iter().sum()
            }

            fn flatten(&self, element: &$element, features: &mut [f32]) {
                features.fill(0.0);
                let mut offset = 0;
                for (&x, &n) in element.iter().zip(&self.nvec) {
                    features[offset + x as usize] = 1.0;
                    offset += n;
                }
            }

            fn unflatten(&self, features: &[f32]) -> Result<$element, SpaceError> {
                let mut rest = features;
                let mut of_group = |n| {
                    let (group, after) = rest.split_at(n);
                    rest = after;
                    // -1 is not a valid number.
                    super::Discrete::new(n).unflatten(group).unwrap_or(-1)
                };
                let is_as_wide = features.len() == self.width();
                let element = is_as_wide.then(|| self.choose(|i| of_group(self.nvec[i])));
                element
                    .filter(|element| self.contains(element))
                    .ok_or_else(|| not_an_element(self, format!("{features:?}")))
            }

            fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
                (vec![0.0; self.width()], vec![1.0; self.width()])
            }

            fn storage(&self) -> Storage {
                Storage::U8
            }
        }

        impl<$($generics)*> FactoredSpace for $space {
            fn nvec(&self) -> &[usize] {
                &self.nvec
            }

            fn choose(&self, $number: impl FnMut(usize) -> i64) -> $element {
                let $n = self.nvec.len();
                $choose
            }
        }
    };
}

several_integers!([const N: usize] MultiDiscrete<N>, [i64; N], |_n, number| std::array::from_fn(number));
several_integers!([] ChoiceSpace, Vec<i64>, |n, number| (0..n).map(number).collect());

/// `N` bits (Gymnasium's `MultiBinary`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MultiBinary<const N: usize>;

impl<const N: usize> Space for MultiBinary<N> {
    type Element = [bool; N];

    fn contains(&self, _element: &[bool; N]) -> bool {
        true
    }

    #[inline]
    fn admits(&self, _element: &[bool; N]) -> bool {
        true
    }

    fn sample(&self, rng: &mut Rng) -> [bool; N] {
        std::array::from_fn(|_| rng.random())
    }

    fn describe(&self) -> SpaceDescription {
        SpaceDescription::MultiBinary { n: N }
    }

    fn to_jsonable(&self, element: &[bool; N]) -> Value {
        element.iter().map(|&bit| Value::from(i64::from(bit))).collect()
    }

    fn from_jsonable(&self, value: &Value) -> Result<[bool; N], SpaceError> {
        let bit = |value: &Value| match (value.as_i64(), value.as_bool()) {
            (Some(0), _) | (_, Some(false)) => Some(false),
            (Some(1), _) | (_, Some(true)) => Some(true),
            _ => None,
        };
        let bits = value.as_array().and_then(|v| v.iter().map(bit).collect());
        let element = bits.and_then(|bits: Vec<bool>| bits.try_into().ok());
        element.ok_or_else(|| not_an_element(self, value))
    }
}

/// Finite for up to 63 bits. Beyond that, [`size`](FiniteSpace::size) panics.
impl<const N: usize> FiniteSpace for MultiBinary<N> {
    fn size(&self) -> usize {
        1_usize.checked_shl(N as u32).expect("at most 63 bits can be numbered")
    }

    fn index_of(&self, element: &[bool; N]) -> usize {
        element.iter().fold(0, |index, &bit| index * 2 + usize::from(bit))
    }

    fn element(&self, index: usize) -> [bool; N] {
        assert!(index < self.size(), "index {index} is not below the size {}", self.size());
        std::array::from_fn(|i| index >> (N - 1 - i) & 1 == 1)
    }
}

impl<const N: usize> FeatureSpace for MultiBinary<N> {
    fn shape(&self) -> Vec<usize> {
        vec![N]
    }

    #[inline]
    fn width(&self) -> usize {
        N
    }

    fn flatten(&self, element: &[bool; N], features: &mut [f32]) {
        for (feature, &bit) in features.iter_mut().zip(element) {
            *feature = f32::from(u8::from(bit));
        }
    }

    fn unflatten(&self, features: &[f32]) -> Result<[bool; N], SpaceError> {
        let is_bits = features.len() == N && features.iter().all(|&x| x == 0.0 || x == 1.0);
        let element = is_bits.then(|| std::array::from_fn(|i| features[i] == 1.0));
        element.ok_or_else(|| not_an_element(self, format!("{features:?}")))
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![0.0; N], vec![1.0; N])
    }

    fn storage(&self) -> Storage {
        Storage::U8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_features_come_back() {
        let space = MultiDiscrete::new([2, 3, 4]).unwrap();
        assert_eq!(space.index_of(&[1, 2, 3]), 23);
        for index in 0..space.size() {
            let element = space.element(index);
            assert_eq!(space.index_of(&element), index);
            let mut features = [0.0; 9];
            space.flatten(&element, &mut features);
            assert_eq!(space.unflatten(&features), Ok(element));
        }
        let choices = ChoiceSpace::new(vec![2, 3]).unwrap();
        let mut features = [0.0; 5];
        choices.flatten(&vec![1, 2], &mut features);
        assert_eq!(features, [0.0, 1.0, 0.0, 0.0, 1.0]);
        assert_eq!(choices.unflatten(&features), Ok(vec![1, 2]));
        assert_eq!(choices.from_jsonable(&choices.to_jsonable(&vec![1, 2])), Ok(vec![1, 2]));
        for wrong in [vec![1], vec![1, 2, 0], vec![1, 3], vec![-1, 0]] {
            assert!(!choices.admits(&wrong), "{wrong:?}");
        }
        assert!(choices.unflatten(&[1.0, 1.0, 0.0, 0.0, 1.0]).is_err());
        let bits = MultiBinary::<3>;
        assert_eq!(bits.element(6), [true, true, false]);
        assert_eq!(bits.index_of(&[true, true, false]), 6);
    }

    #[test]
    fn empty_and_overflowing_sizes_are_refused() {
        assert!(MultiDiscrete::new([2, 0]).is_err());
        assert!(MultiDiscrete::new([usize::MAX, 2]).is_err());
        assert!(ChoiceSpace::new(vec![2, 0]).is_err());
    }
}
