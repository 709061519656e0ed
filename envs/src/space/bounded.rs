//! Boxes of real numbers, with a size known at compile time or at run time.

use std::ops::Range;

use serde_json::Value;

use super::numbers::{
    all_finite, clip_between, inside, numbers_from_json, numbers_to_json, sample_between,
};
use super::{
    BoundedSpace, ElementType, FeatureSpace, Space, SpaceDescription, Storage, not_an_element,
};
use crate::{Rng, SpaceError};

/// A box of `N` real numbers, each between its own bounds (Gymnasium's `Box`).
///
/// Elements are plain arrays, so a column of them is contiguous.
///
/// ```
/// use gymnast_envs::{BoxSpace, Space};
///
/// let space = BoxSpace::new([-1.0, 0.0], [1.0, f32::INFINITY])?;
/// assert!(space.contains(&[0.5, 1e6]) && !space.contains(&[2.0, 0.0]));
/// # Ok::<(), gymnast_envs::SpaceError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BoxSpace<const N: usize> {
    low: [f32; N],
    high: [f32; N],
}

impl<const N: usize> BoxSpace<N> {
    /// Creates the box between `low` and `high`, both included. Infinite bounds are allowed.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if a bound is NaN, a lower bound exceeds its upper one or no finite number
    /// lies between them (both are +∞ or both −∞).
    pub fn new(low: [f32; N], high: [f32; N]) -> Result<Self, SpaceError> {
        check_bounds(&low, &high)?;
        Ok(Self { low, high })
    }

    /// Creates the box between `-limit` and `limit`.
    ///
    /// # Panics
    /// If a limit is negative or NaN.
    #[must_use]
    pub fn symmetric(limit: [f32; N]) -> Self {
        Self::new(limit.map(|x| -x), limit).expect("limits are not negative")
    }

    /// Creates the unbounded space ℝᴺ.
    #[must_use]
    pub fn unbounded() -> Self {
        Self { low: [f32::NEG_INFINITY; N], high: [f32::INFINITY; N] }
    }

    /// Returns the lower bound of each number.
    #[must_use]
    pub fn low(&self) -> &[f32; N] {
        &self.low
    }

    /// Returns the upper bound of each number.
    #[must_use]
    pub fn high(&self) -> &[f32; N] {
        &self.high
    }
}

/// A box of real numbers with a size and shape known only at run time.
///
/// Used for observations of environments chosen by name and for pictures too large for arrays.
#[derive(Clone, Debug, PartialEq)]
pub struct RowSpace {
    low: Vec<f32>,
    high: Vec<f32>,
    shape: Vec<usize>,
    parts: Vec<Vec<usize>>,
    action_mask: Option<Range<usize>>,
    storage: Storage,
}

impl RowSpace {
    /// Creates the box between `low` and `high`, an array of this shape, row by row.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if the lengths differ from each other or from the shape's product, that
    /// product overflows, a bound is NaN, a lower bound exceeds its upper one or no finite number lies
    /// between them.
    pub fn new(low: Vec<f32>, high: Vec<f32>, shape: Vec<usize>) -> Result<Self, SpaceError> {
        let width = shape.iter().try_fold(1_usize, |width, &n| width.checked_mul(n));
        let Some(width) = width else {
            let reason = format!("shape {shape:?} has too many numbers to be counted");
            return Err(SpaceError::Invalid { space: "Box", reason });
        };
        if low.len() != width || high.len() != width {
            let reason = format!(
                "shape {shape:?} needs {width} bounds, got {} low and {} high",
                low.len(),
                high.len()
            );
            return Err(SpaceError::Invalid { space: "Box", reason });
        }
        check_bounds(&low, &high)?;
        let parts = vec![shape.clone()];
        Ok(Self { low, high, shape, parts, action_mask: None, storage: Storage::F32 })
    }

    /// Sets the shapes of the row's [parts](FeatureSpace::parts).
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if the parts have more or fewer numbers than the row.
    pub fn with_parts(mut self, parts: Vec<Vec<usize>>) -> Result<Self, SpaceError> {
        let size = |part: &Vec<usize>| part.iter().try_fold(1_usize, |n, &m| n.checked_mul(m));
        let width = parts.iter().try_fold(0_usize, |sum, part| sum.checked_add(size(part)?));
        if width != Some(self.low.len()) {
            let reason = format!("parts of shapes {parts:?} are no row of {}", self.low.len());
            return Err(SpaceError::Invalid { space: "Box", reason });
        }
        self.parts = parts;
        Ok(self)
    }

    /// Sets the range of the row's [action mask](FeatureSpace::action_mask).
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if the range is outside the row or its bounds are not 0 and 1.
    pub fn with_action_mask(mut self, places: Range<usize>) -> Result<Self, SpaceError> {
        let bounds = self.low.get(places.clone()).zip(self.high.get(places.clone()));
        let is_mask = |(low, high): (&[f32], &[f32])| {
            !low.is_empty() && low.iter().all(|&x| x == 0.0) && high.iter().all(|&x| x == 1.0)
        };
        if !bounds.is_some_and(is_mask) {
            let reason =
                format!("an action mask at {places:?} needs features between 0 and 1 there");
            return Err(SpaceError::Invalid { space: "Box", reason });
        }
        self.action_mask = Some(places);
        Ok(self)
    }

    /// Sets how a memory may [store](FeatureSpace::storage) the row.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if the row is not a whole number of frames, or the bounds of
    /// [`ElementType::U8`] features are outside 0 to 255.
    pub fn with_storage(mut self, storage: Storage) -> Result<Self, SpaceError> {
        let width = self.low.len();
        let outside = |&x: &f32| !(0.0..=255.0).contains(&x);
        let reason = if storage.frames == 0 || !width.is_multiple_of(storage.frames) {
            format!("{width} numbers are not {} frames of one size", storage.frames)
        } else if storage.element == ElementType::U8
            && let Some(bound) = self.low.iter().chain(&self.high).find(|x| outside(x))
        {
            format!("numbers stored as `u8` need bounds between 0 and 255, got {bound}")
        } else {
            self.storage = storage;
            return Ok(self);
        };
        Err(SpaceError::Invalid { space: "Box", reason })
    }

    /// Returns the lower bound of each number.
    #[must_use]
    pub fn low(&self) -> &[f32] {
        &self.low
    }

    /// Returns the upper bound of each number.
    #[must_use]
    pub fn high(&self) -> &[f32] {
        &self.high
    }
}

impl<const N: usize> Space for BoxSpace<N> {
    type Element = [f32; N];

    fn contains(&self, element: &[f32; N]) -> bool {
        inside(element, &self.low, &self.high)
    }

    #[inline]
    fn admits(&self, element: &[f32; N]) -> bool {
        all_finite(element)
    }

    fn sample(&self, rng: &mut Rng) -> [f32; N] {
        std::array::from_fn(|i| sample_between(self.low[i], self.high[i], rng))
    }

    fn describe(&self) -> SpaceDescription {
        let (low, high) = (self.low.to_vec(), self.high.to_vec());
        SpaceDescription::Box { low, high, shape: vec![N] }
    }

    fn to_jsonable(&self, element: &[f32; N]) -> Value {
        numbers_to_json(element)
    }

    fn from_jsonable(&self, value: &Value) -> Result<[f32; N], SpaceError> {
        let element = self.from_jsonable_unbounded(value)?;
        Some(element).filter(|e| self.contains(e)).ok_or_else(|| not_an_element(self, value))
    }

    fn from_jsonable_unbounded(&self, value: &Value) -> Result<[f32; N], SpaceError> {
        let numbers = numbers_from_json(value).and_then(|numbers| numbers.try_into().ok());
        numbers.ok_or_else(|| not_an_element(self, value))
    }
}

impl Space for RowSpace {
    type Element = Vec<f32>;

    fn contains(&self, element: &Vec<f32>) -> bool {
        element.len() == self.low.len() && inside(element, &self.low, &self.high)
    }

    #[inline]
    fn admits(&self, element: &Vec<f32>) -> bool {
        element.len() == self.low.len() && all_finite(element)
    }

    fn sample(&self, rng: &mut Rng) -> Vec<f32> {
        let bounds = self.low.iter().zip(&self.high);
        bounds.map(|(&low, &high)| sample_between(low, high, rng)).collect()
    }

    fn describe(&self) -> SpaceDescription {
        SpaceDescription::Box {
            low: self.low.clone(),
            high: self.high.clone(),
            shape: self.shape.clone(),
        }
    }

    fn to_jsonable(&self, element: &Vec<f32>) -> Value {
        numbers_to_json(element)
    }

    fn from_jsonable(&self, value: &Value) -> Result<Vec<f32>, SpaceError> {
        let element = self.from_jsonable_unbounded(value)?;
        Some(element).filter(|e| self.contains(e)).ok_or_else(|| not_an_element(self, value))
    }

    fn from_jsonable_unbounded(&self, value: &Value) -> Result<Vec<f32>, SpaceError> {
        let numbers = numbers_from_json(value).filter(|x| x.len() == self.low.len());
        numbers.ok_or_else(|| not_an_element(self, value))
    }
}

impl<const N: usize> FeatureSpace for BoxSpace<N> {
    fn shape(&self) -> Vec<usize> {
        vec![N]
    }

    #[inline]
    fn width(&self) -> usize {
        N
    }

    #[inline]
    fn flatten(&self, element: &[f32; N], features: &mut [f32]) {
        features.copy_from_slice(element);
    }

    #[inline]
    fn as_features<'a>(&self, elements: &'a [[f32; N]]) -> Option<&'a [f32]> {
        Some(elements.as_flattened())
    }

    fn unflatten(&self, features: &[f32]) -> Result<[f32; N], SpaceError> {
        let element = features.try_into().ok().filter(|element| self.contains(element));
        element.ok_or_else(|| not_an_element(self, format!("{features:?}")))
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (self.low.to_vec(), self.high.to_vec())
    }
}

impl FeatureSpace for RowSpace {
    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn parts(&self) -> Vec<Vec<usize>> {
        self.parts.clone()
    }

    #[inline]
    fn width(&self) -> usize {
        self.low.len()
    }

    #[inline]
    fn flatten(&self, element: &Vec<f32>, features: &mut [f32]) {
        features.copy_from_slice(element);
    }

    #[inline]
    fn as_features<'a>(&self, elements: &'a [Vec<f32>]) -> Option<&'a [f32]> {
        match elements {
            [row] if row.len() == self.width() => Some(row),
            _ => None,
        }
    }

    fn unflatten(&self, features: &[f32]) -> Result<Vec<f32>, SpaceError> {
        let element = Some(features.to_vec()).filter(|element| self.contains(element));
        element.ok_or_else(|| not_an_element(self, format!("{features:?}")))
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (self.low.clone(), self.high.clone())
    }

    fn action_mask(&self) -> Option<Range<usize>> {
        self.action_mask.clone()
    }

    fn storage(&self) -> Storage {
        self.storage
    }
}

impl<const N: usize> BoundedSpace for BoxSpace<N> {
    fn clip(&self, numbers: &[f32]) -> [f32; N] {
        std::array::from_fn(|i| clip_between(numbers[i], self.low[i], self.high[i]))
    }
}

impl BoundedSpace for RowSpace {
    fn clip(&self, numbers: &[f32]) -> Vec<f32> {
        let mut element = Vec::new();
        self.clip_into(numbers, &mut element);
        element
    }

    fn clip_into(&self, numbers: &[f32], element: &mut Vec<f32>) {
        let bounds = self.low.iter().zip(&self.high);
        let clip = |(&x, (&low, &high))| clip_between(x, low, high);
        element.clear();
        element.extend(numbers.iter().zip(bounds).map(clip));
    }
}

fn check_bounds(low: &[f32], high: &[f32]) -> Result<(), SpaceError> {
    let wrong = low.iter().zip(high).position(|(low, high)| {
        // Written so that NaN is an error too.
        !matches!(low.partial_cmp(high), Some(std::cmp::Ordering::Less | std::cmp::Ordering::Equal))
    });
    let is_beyond =
        |&(low, high): &(&f32, &f32)| *low == f32::INFINITY || *high == f32::NEG_INFINITY;
    let beyond = low.iter().zip(high).position(|bounds| is_beyond(&bounds));
    let reason = match (wrong, beyond) {
        (Some(i), _) => format!("bound {i}: low {} must not exceed high {}", low[i], high[i]),
        (_, Some(i)) => {
            format!("bound {i}: no finite number lies between {} and {}", low[i], high[i])
        }
        (None, None) => return Ok(()),
    };
    Err(SpaceError::Invalid { space: "Box", reason })
}

#[cfg(test)]
mod tests;
