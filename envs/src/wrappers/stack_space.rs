//! Several elements of one space.

use serde_json::Value;

use crate::{
    FeatureSpace, FiniteSpace, Rng, Space, SpaceDescription, SpaceError, Storage,
    space::not_an_element,
};

/// `K` elements of one space in order: what [`FrameStack`](super::FrameStack) shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackSpace<S, const K: usize> {
    space: S,
}

impl<S: Space, const K: usize> StackSpace<S, K> {
    /// `K` times that space.
    pub fn new(space: S) -> Self {
        Self { space }
    }

    /// The space of each element.
    pub fn space(&self) -> &S {
        &self.space
    }

    /// Reads each element with `read`.
    fn read_each(
        &self,
        value: &Value,
        read: impl Fn(&Value) -> Result<S::Element, SpaceError>,
    ) -> Result<[S::Element; K], SpaceError> {
        let values = value.as_array().ok_or_else(|| not_an_element(self, value))?;
        let elements: Vec<S::Element> = values.iter().map(read).collect::<Result<_, _>>()?;
        elements.try_into().map_err(|_| not_an_element(self, value))
    }
}

impl<S: Space, const K: usize> Space for StackSpace<S, K> {
    type Element = [S::Element; K];

    fn contains(&self, element: &Self::Element) -> bool {
        element.iter().all(|element| self.space.contains(element))
    }

    #[inline]
    fn admits(&self, element: &Self::Element) -> bool {
        element.iter().all(|element| self.space.admits(element))
    }

    fn sample(&self, rng: &mut Rng) -> Self::Element {
        std::array::from_fn(|_| self.space.sample(rng))
    }

    /// A box of boxes and several integers of one; otherwise a tuple.
    fn describe(&self) -> SpaceDescription {
        match self.space.describe() {
            SpaceDescription::Box { low, high, mut shape } => {
                shape.insert(0, K);
                SpaceDescription::Box { low: low.repeat(K), high: high.repeat(K), shape }
            }
            SpaceDescription::Discrete { n, start: 0 } => {
                SpaceDescription::MultiDiscrete { nvec: vec![n; K] }
            }
            other => SpaceDescription::Tuple(vec![other; K]),
        }
    }

    fn to_jsonable(&self, element: &Self::Element) -> Value {
        element.iter().map(|element| self.space.to_jsonable(element)).collect()
    }

    fn from_jsonable(&self, value: &Value) -> Result<Self::Element, SpaceError> {
        self.read_each(value, |value| self.space.from_jsonable(value))
    }

    fn from_jsonable_unbounded(&self, value: &Value) -> Result<Self::Element, SpaceError> {
        self.read_each(value, |value| self.space.from_jsonable_unbounded(value))
    }
}

/// Numbered with the last element running fastest. [`size`](FiniteSpace::size) panics where the
/// number of combinations overflows `usize`.
impl<S: FiniteSpace, const K: usize> FiniteSpace for StackSpace<S, K> {
    fn size(&self) -> usize {
        let size = u32::try_from(K).ok().and_then(|k| self.space.size().checked_pow(k));
        size.expect("the number of combinations fits `usize`")
    }

    fn index_of(&self, element: &Self::Element) -> usize {
        let n = self.space.size();
        element.iter().fold(0, |index, element| index * n + self.space.index_of(element))
    }

    fn element(&self, index: usize) -> Self::Element {
        assert!(index < self.size(), "index {index} is not below the size {}", self.size());
        let n = self.space.size();
        std::array::from_fn(|i| {
            let place = n.pow((K - 1 - i) as u32);
            self.space.element(index / place % n)
        })
    }
}

impl<S: FeatureSpace, const K: usize> FeatureSpace for StackSpace<S, K> {
    fn shape(&self) -> Vec<usize> {
        let mut shape = self.space.shape();
        shape.insert(0, K);
        shape
    }

    /// One of the stack's shape; of pictures and of products, those of each element.
    fn parts(&self) -> Vec<Vec<usize>> {
        parts_of_stack(K, &self.space)
    }

    #[inline]
    fn width(&self) -> usize {
        K * self.space.width()
    }

    #[inline]
    fn flatten(&self, element: &Self::Element, features: &mut [f32]) {
        let width = self.space.width();
        for (i, element) in element.iter().enumerate() {
            self.space.flatten(element, &mut features[i * width..(i + 1) * width]);
        }
    }

    #[inline]
    fn as_features<'a>(&self, elements: &'a [Self::Element]) -> Option<&'a [f32]> {
        self.space.as_features(elements.as_flattened())
    }

    fn unflatten(&self, features: &[f32]) -> Result<Self::Element, SpaceError> {
        let wrong = || not_an_element(self, format!("{features:?}"));
        let width = self.space.width();
        if features.len() != K * width {
            return Err(wrong());
        }
        let parts = (0..K).map(|i| self.space.unflatten(&features[i * width..(i + 1) * width]));
        let elements: Vec<S::Element> = parts.collect::<Result<_, _>>()?;
        elements.try_into().map_err(|_| wrong())
    }

    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        let (low, high) = self.space.bounds();
        (low.repeat(K), high.repeat(K))
    }

    fn storage(&self) -> Storage {
        Storage { element: self.space.storage().element, frames: K.max(1) }
    }
}

/// The parts of `k` elements of a space: one, or of pictures (`[H, W]` or `[H, W, C]`) and of
/// products, those of each, which a network reads separately.
pub(super) fn parts_of_stack(k: usize, space: &impl FeatureSpace) -> Vec<Vec<usize>> {
    let parts = space.parts();
    match parts.as_slice() {
        [part] if part.len() < 2 => vec![[&[k][..], &space.shape()].concat()],
        _ => vec![parts; k].concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoxSpace, Discrete, RowSpace, Seed};

    #[test]
    fn finite_stacks_are_numbered() {
        let space = StackSpace::<_, 3>::new(Discrete::new(4));
        assert_eq!(space.size(), 64);
        assert_eq!(space.index_of(&[1, 2, 3]), 27);
        for index in 0..64 {
            let element = space.element(index);
            assert_eq!(space.index_of(&element), index);
            let mut features = [0.0; 12];
            space.flatten(&element, &mut features);
            assert_eq!(space.unflatten(&features), Ok(element));
        }
        assert_eq!(space.describe(), SpaceDescription::MultiDiscrete { nvec: vec![4; 3] });
        assert_eq!(space.shape(), [3, 4]);
    }

    #[test]
    fn stacked_pictures_and_products_keep_their_parts() {
        let picture = RowSpace::new(vec![0.0; 12], vec![1.0; 12], vec![2, 3, 2]).unwrap();
        assert_eq!(StackSpace::<_, 2>::new(picture).parts(), [[2, 3, 2]; 2]);
        // A stack of gray pictures is no picture with the columns as channels.
        let gray = RowSpace::new(vec![0.0; 6], vec![1.0; 6], vec![2, 3]).unwrap();
        assert_eq!(StackSpace::<_, 2>::new(gray).parts(), [[2, 3]; 2]);
        let pair = (Discrete::new(4), BoxSpace::symmetric([1.0, 2.0]));
        assert_eq!(StackSpace::<_, 2>::new(pair).parts(), [[4], [2], [4], [2]]);
        assert_eq!(StackSpace::<_, 3>::new(Discrete::new(4)).parts(), [[3, 4]]);
    }

    #[test]
    fn stacked_boxes_are_a_box() {
        let space = StackSpace::<_, 2>::new(BoxSpace::symmetric([1.0, 2.0]));
        assert_eq!(space.describe().to_string(), {
            let high = vec![1.0, 2.0, 1.0, 2.0];
            let low = high.iter().map(|x: &f32| -x).collect();
            SpaceDescription::Box { low, high, shape: vec![2, 2] }.to_string()
        });
        let element = space.sample(&mut Seed::new(0).rng());
        assert!(space.contains(&element) && !space.contains(&[[0.0, 0.0], [0.0, 3.0]]));
        assert_eq!(space.from_jsonable(&space.to_jsonable(&element)), Ok(element));
        assert!(space.from_jsonable(&serde_json::json!([[0.0, 0.0]])).is_err());
        let mut features = [0.0; 4];
        space.flatten(&[[1.0, 2.0], [-1.0, -2.0]], &mut features);
        assert_eq!(features, [1.0, 2.0, -1.0, -2.0]);
        assert!(space.unflatten(&features[..3]).is_err());
    }
}
