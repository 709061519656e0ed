//! Several elements of one space in a row.

use serde_json::Value;

use super::{FeatureSpace, Space, SpaceDescription, not_an_element};
use crate::{Rng, SpaceError};

/// `K` elements of the same space: what [`FrameStack`](crate::wrappers::FrameStack) shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackSpace<S, const K: usize> {
    space: S,
}

impl<S: Space, const K: usize> StackSpace<S, K> {
    /// Stacks of elements of `space`.
    pub fn new(space: S) -> Self {
        const { assert!(K > 0, "a stack holds at least one element") };
        Self { space }
    }

    /// The space of one element.
    pub fn space(&self) -> &S {
        &self.space
    }
}

impl<S: Space, const K: usize> Space for StackSpace<S, K> {
    type Element = [S::Element; K];

    fn contains(&self, element: &[S::Element; K]) -> bool {
        element.iter().all(|part| self.space.contains(part))
    }

    fn sample(&self, rng: &mut Rng) -> [S::Element; K] {
        std::array::from_fn(|_| self.space.sample(rng))
    }

    fn describe(&self) -> SpaceDescription {
        let one = self.space.describe();
        if let SpaceDescription::Box { low, high, shape } = one {
            let shape = std::iter::once(K).chain(shape).collect();
            return SpaceDescription::Box { low: low.repeat(K), high: high.repeat(K), shape };
        }
        SpaceDescription::Tuple(vec![one; K])
    }

    fn to_jsonable(&self, element: &[S::Element; K]) -> Value {
        element.iter().map(|part| self.space.to_jsonable(part)).collect()
    }

    fn from_jsonable(&self, value: &Value) -> Result<[S::Element; K], SpaceError> {
        let parts = value.as_array().filter(|parts| parts.len() == K);
        let parts = parts.ok_or_else(|| not_an_element(self, value))?;
        let elements = parts.iter().map(|part| self.space.from_jsonable(part));
        let elements = elements.collect::<Result<Vec<_>, _>>()?;
        elements.try_into().map_err(|_| not_an_element(self, value))
    }
}

/// The features of each element, the oldest first.
impl<S: FeatureSpace, const K: usize> FeatureSpace for StackSpace<S, K> {
    fn shape(&self) -> Vec<usize> {
        std::iter::once(K).chain(self.space.shape()).collect()
    }

    #[inline]
    fn width(&self) -> usize {
        K * self.space.width()
    }

    fn flatten(&self, element: &[S::Element; K], features: &mut [f32]) {
        for (part, row) in element.iter().zip(features.chunks_exact_mut(self.space.width())) {
            self.space.flatten(part, row);
        }
    }

    fn unflatten(&self, features: &[f32]) -> Result<[S::Element; K], SpaceError> {
        if features.len() != self.width() {
            return Err(not_an_element(self, format!("{features:?}")));
        }
        let rows = features.chunks_exact(self.space.width());
        let parts = rows.map(|row| self.space.unflatten(row)).collect::<Result<Vec<_>, _>>()?;
        parts.try_into().map_err(|_| not_an_element(self, format!("{features:?}")))
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        let (low, high) = self.space.bounds();
        (low.repeat(K), high.repeat(K))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoxSpace, Discrete};

    #[test]
    fn features_stand_in_the_stacks_order() {
        let space = StackSpace::<_, 2>::new(BoxSpace::symmetric([1.0, 2.0]));
        let mut features = [0.0; 4];
        space.flatten(&[[0.1, 0.2], [0.3, 0.4]], &mut features);
        assert_eq!(features, [0.1, 0.2, 0.3, 0.4]);
        assert_eq!((space.shape(), space.bounds().1), (vec![2, 2], vec![1.0, 2.0, 1.0, 2.0]));
        assert_eq!(
            space.describe().to_string(),
            "Box([-1.0, -2.0, -1.0, -2.0], [1.0, 2.0, 1.0, 2.0], [2, 2])"
        );
    }

    #[test]
    fn a_stack_of_another_height_is_no_element() {
        let space = StackSpace::<_, 2>::new(Discrete::new(3));
        assert_eq!(space.from_jsonable(&serde_json::json!([0, 2])), Ok([0, 2]));
        for bad in [serde_json::json!([0]), serde_json::json!([0, 3]), Value::Null] {
            assert!(space.from_jsonable(&bad).is_err(), "{bad}");
        }
        assert!(space.unflatten(&[1.0, 0.0, 0.0]).is_err());
    }
}
