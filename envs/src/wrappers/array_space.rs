//! Boxes whose elements are arrays and whose bounds can change.

use crate::{BoundedSpace, BoxSpace, RowSpace, SpaceError};

/// A box of plain numbers that a wrapper may scale: [`BoxSpace`] and [`RowSpace`].
pub trait ArraySpace: BoundedSpace<Element: AsRef<[f32]> + AsMut<[f32]>> {
    /// A box of the same shape between other bounds.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if there are not as many bounds as numbers, a bound is NaN, or a
    /// lower bound exceeds its upper one.
    fn with_bounds(&self, low: Vec<f32>, high: Vec<f32>) -> Result<Self, SpaceError>;

    /// A box of the same shape without bounds.
    #[must_use]
    fn unbounded(&self) -> Self {
        let n = self.width();
        self.with_bounds(vec![f32::NEG_INFINITY; n], vec![f32::INFINITY; n])
            .expect("infinite bounds of the same width are a box")
    }
}

impl<const N: usize> ArraySpace for BoxSpace<N> {
    fn with_bounds(&self, low: Vec<f32>, high: Vec<f32>) -> Result<Self, SpaceError> {
        let lengths = (low.len(), high.len());
        let (Ok(low), Ok(high)) = (low.try_into(), high.try_into()) else {
            let reason = format!("{N} bounds are needed, got {} and {}", lengths.0, lengths.1);
            return Err(SpaceError::Invalid { space: "Box", reason });
        };
        Self::new(low, high)
    }
}

impl ArraySpace for RowSpace {
    fn with_bounds(&self, low: Vec<f32>, high: Vec<f32>) -> Result<Self, SpaceError> {
        use crate::FeatureSpace as _;
        Self::new(low, high, self.shape())?.with_parts(self.parts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FeatureSpace as _;

    #[test]
    fn the_shape_stays_and_wrong_bounds_are_refused() {
        let row = RowSpace::new(vec![0.0; 4], vec![1.0; 4], vec![2, 2]).unwrap();
        assert_eq!(row.unbounded().shape(), [2, 2]);
        assert!(row.with_bounds(vec![0.0; 3], vec![1.0; 3]).is_err());
        let fixed = BoxSpace::symmetric([1.0, 2.0]);
        assert_eq!(ArraySpace::unbounded(&fixed), BoxSpace::unbounded());
        assert!(fixed.with_bounds(vec![0.0], vec![1.0]).is_err());
        assert!(fixed.with_bounds(vec![0.0, 2.0], vec![1.0, 1.0]).is_err());
    }
}
