//! Products of spaces: tuples, and structures with named parts.

use serde_json::Value;

use super::{FeatureSpace, FiniteSpace, Space, SpaceDescription, Storage, not_an_element};
use crate::{Rng, SpaceError};

/// Implements the space traits for tuples of spaces.
macro_rules! tuple_space {
    ($count:literal: $($space:ident $index:tt),+) => {
        /// A tuple of spaces (Gymnasium's `Tuple`).
        impl<$($space: Space),+> Space for ($($space,)+) {
            type Element = ($($space::Element,)+);

            fn contains(&self, element: &Self::Element) -> bool {
                $(self.$index.contains(&element.$index))&&+
            }

            fn admits(&self, element: &Self::Element) -> bool {
                $(self.$index.admits(&element.$index))&&+
            }

            fn sample(&self, rng: &mut Rng) -> Self::Element {
                ($(self.$index.sample(rng),)+)
            }

            fn describe(&self) -> SpaceDescription {
                SpaceDescription::Tuple(vec![$(self.$index.describe()),+])
            }

            fn to_jsonable(&self, element: &Self::Element) -> Value {
                Value::Array(vec![$(self.$index.to_jsonable(&element.$index)),+])
            }

            fn from_jsonable(&self, value: &Value) -> Result<Self::Element, SpaceError> {
                match value.as_array() {
                    Some(parts) if parts.len() == $count => {
                        Ok(($(self.$index.from_jsonable(&parts[$index])?,)+))
                    }
                    _ => Err(not_an_element(self, value)),
                }
            }

            fn from_jsonable_unbounded(&self, value: &Value) -> Result<Self::Element, SpaceError> {
                match value.as_array() {
                    Some(parts) if parts.len() == $count => {
                        Ok(($(self.$index.from_jsonable_unbounded(&parts[$index])?,)+))
                    }
                    _ => Err(not_an_element(self, value)),
                }
            }
        }

        /// Numbered like the digits of a number: the last part changes fastest.
        impl<$($space: FiniteSpace),+> FiniteSpace for ($($space,)+) {
            fn size(&self) -> usize {
                1 $(* self.$index.size())+
            }

            fn index_of(&self, element: &Self::Element) -> usize {
                let mut index = 0;
                $(index = index * self.$index.size() + self.$index.index_of(&element.$index);)+
                index
            }

            fn element(&self, index: usize) -> Self::Element {
                assert!(index < self.size(), "index {index} is not below {}", self.size());
                let sizes = [$(self.$index.size()),+];
                let mut digits = [0; $count];
                let mut rest = index;
                for (digit, size) in digits.iter_mut().zip(sizes).rev() {
                    *digit = rest % size;
                    rest /= size;
                }
                ($(self.$index.element(digits[$index]),)+)
            }
        }

        /// The features of each part, in order.
        impl<$($space: FeatureSpace),+> FeatureSpace for ($($space,)+) {
            fn shape(&self) -> Vec<usize> {
                vec![self.width()]
            }

            #[inline]
            fn width(&self) -> usize {
                0 $(+ self.$index.width())+
            }

            fn parts(&self) -> Vec<Vec<usize>> {
                [$(self.$index.parts()),+].concat()
            }

            fn flatten(&self, element: &Self::Element, features: &mut [f32]) {
                let rest = features;
                $(
                    let (part, rest) = rest.split_at_mut(self.$index.width());
                    self.$index.flatten(&element.$index, part);
                )+
                debug_assert!(rest.is_empty());
            }

            fn unflatten(&self, features: &[f32]) -> Result<Self::Element, SpaceError> {
                if features.len() != self.width() {
                    return Err(not_an_element(self, format!("{features:?}")));
                }
                let mut start = 0;
                Ok(($({
                    let part = &features[start..start + self.$index.width()];
                    start += part.len();
                    let _ = start; // the last part's end is not read
                    self.$index.unflatten(part)?
                },)+))
            }

            fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
                let (mut low, mut high) = (Vec::new(), Vec::new());
                $({
                    let bounds = self.$index.bounds();
                    low.extend(bounds.0);
                    high.extend(bounds.1);
                })+
                (low, high)
            }

            fn storage(&self) -> Storage {
                Storage::of_parts(&[$(self.$index.storage()),+])
            }
        }
    };
}

tuple_space!(2: A 0, B 1);
tuple_space!(3: A 0, B 1, C 2);
tuple_space!(4: A 0, B 1, C 2, D 3);

/// Defines a product of named spaces (Gymnasium's `Dict`): a structure for the space, a structure
/// for its elements, and the traits that networks need.
///
/// ```
/// use gymnast_envs::{BoxSpace, Discrete, FeatureSpace, Space, product_space};
///
/// product_space! {
///     /// Where a robot may be.
///     pub struct RobotSpace;
///     /// Where a robot is.
///     pub struct Robot {
///         /// Its position, in metres.
///         position: BoxSpace<2>,
///         /// Its gear.
///         gear: Discrete,
///     }
/// }
///
/// let space = RobotSpace { position: BoxSpace::symmetric([1.0, 1.0]), gear: Discrete::new(3) };
/// let mut features = [0.0; 5];
/// space.flatten(&Robot { position: [0.5, -0.5], gear: 1 }, &mut features);
/// assert_eq!(features, [0.5, -0.5, 0.0, 1.0, 0.0]);
/// ```
///
/// If every part is finite, `pub struct RobotSpace: finite;` makes the product a
/// [`FiniteSpace`](crate::FiniteSpace) too, so that tables can hold it.
#[macro_export]
macro_rules! product_space {
    (
        $(#[$space_meta:meta])* $space_vis:vis struct $Space:ident: finite;
        $(#[$element_meta:meta])* $element_vis:vis struct $Element:ident {
            $($(#[$field_meta:meta])* $field:ident: $FieldSpace:ty),+ $(,)?
        }
    ) => {
        $crate::product_space! {
            $(#[$space_meta])* $space_vis struct $Space;
            $(#[$element_meta])* $element_vis struct $Element {
                $($(#[$field_meta])* $field: $FieldSpace),+
            }
        }

        // Numbered like the digits of a number: the last part changes fastest.
        impl $crate::FiniteSpace for $Space {
            fn size(&self) -> usize {
                1 $(* $crate::FiniteSpace::size(&self.$field))+
            }

            fn index_of(&self, element: &$Element) -> usize {
                let mut index = 0;
                $(
                    index = index * $crate::FiniteSpace::size(&self.$field)
                        + $crate::FiniteSpace::index_of(&self.$field, &element.$field);
                )+
                index
            }

            fn element(&self, index: usize) -> $Element {
                let size = $crate::FiniteSpace::size(self);
                assert!(index < size, "index {index} is not below {size}");
                let (mut rest, mut place) = (index, size);
                $(
                    place /= $crate::FiniteSpace::size(&self.$field);
                    let $field = $crate::FiniteSpace::element(&self.$field, rest / place);
                    rest %= place;
                )+
                let _ = rest; // nothing is left of it
                $Element { $($field),+ }
            }
        }
    };
    (
        $(#[$space_meta:meta])* $space_vis:vis struct $Space:ident;
        $(#[$element_meta:meta])* $element_vis:vis struct $Element:ident {
            $($(#[$field_meta:meta])* $field:ident: $FieldSpace:ty),+ $(,)?
        }
    ) => {
        $(#[$space_meta])*
        #[derive(Clone, Debug)]
        $space_vis struct $Space { $($(#[$field_meta])* pub $field: $FieldSpace),+ }

        $(#[$element_meta])*
        #[derive(Clone, Debug, PartialEq)]
        $element_vis struct $Element {
            $($(#[$field_meta])* pub $field: <$FieldSpace as $crate::Space>::Element),+
        }

        impl $crate::Space for $Space {
            type Element = $Element;

            fn contains(&self, element: &$Element) -> bool {
                $($crate::Space::contains(&self.$field, &element.$field))&&+
            }

            fn admits(&self, element: &$Element) -> bool {
                $($crate::Space::admits(&self.$field, &element.$field))&&+
            }

            fn sample(&self, rng: &mut $crate::Rng) -> $Element {
                $Element { $($field: $crate::Space::sample(&self.$field, rng)),+ }
            }

            fn describe(&self) -> $crate::SpaceDescription {
                $crate::SpaceDescription::Dict(vec![
                    $((stringify!($field).to_owned(), $crate::Space::describe(&self.$field))),+
                ])
            }

            fn to_jsonable(&self, element: &$Element) -> $crate::serde_json::Value {
                let mut parts = $crate::serde_json::Map::new();
                $(parts.insert(
                    stringify!($field).to_owned(),
                    $crate::Space::to_jsonable(&self.$field, &element.$field),
                );)+
                parts.into()
            }

            fn from_jsonable(
                &self,
                value: &$crate::serde_json::Value,
            ) -> Result<$Element, $crate::SpaceError> {
                // A missing part reads as null, which its space rejects.
                Ok($Element {
                    $($field: $crate::Space::from_jsonable(
                        &self.$field,
                        &value[stringify!($field)],
                    )?),+
                })
            }

            fn from_jsonable_unbounded(
                &self,
                value: &$crate::serde_json::Value,
            ) -> Result<$Element, $crate::SpaceError> {
                Ok($Element {
                    $($field: $crate::Space::from_jsonable_unbounded(
                        &self.$field,
                        &value[stringify!($field)],
                    )?),+
                })
            }
        }

        impl $crate::FeatureSpace for $Space {
            fn shape(&self) -> Vec<usize> {
                vec![$crate::FeatureSpace::width(self)]
            }

            #[inline]
            fn width(&self) -> usize {
                0 $(+ $crate::FeatureSpace::width(&self.$field))+
            }

            fn parts(&self) -> Vec<Vec<usize>> {
                [$($crate::FeatureSpace::parts(&self.$field)),+].concat()
            }

            fn flatten(&self, element: &$Element, features: &mut [f32]) {
                let rest = features;
                $(
                    let (part, rest) =
                        rest.split_at_mut($crate::FeatureSpace::width(&self.$field));
                    $crate::FeatureSpace::flatten(&self.$field, &element.$field, part);
                )+
                debug_assert!(rest.is_empty());
            }

            fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
                let (mut low, mut high) = (Vec::new(), Vec::new());
                $({
                    let bounds = $crate::FeatureSpace::bounds(&self.$field);
                    low.extend(bounds.0);
                    high.extend(bounds.1);
                })+
                (low, high)
            }

            fn storage(&self) -> $crate::Storage {
                $crate::Storage::of_parts(&[
                    $($crate::FeatureSpace::storage(&self.$field)),+
                ])
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{BoxSpace, Discrete, FeatureSpace, FiniteSpace, RowSpace, Seed, Space};

    #[test]
    fn a_tuple_is_numbered_like_digits() {
        let hand = (Discrete::new(32), Discrete::new(11), Discrete::new(2));
        assert_eq!(hand.size(), 704);
        assert_eq!(hand.index_of(&(1, 2, 1)), 22 + 2 * 2 + 1);
        assert!((0..704).all(|index| hand.index_of(&hand.element(index)) == index));
    }

    #[test]
    fn features_and_json_of_a_tuple_come_back() {
        let space = (Discrete::new(3), BoxSpace::symmetric([2.0, 3.0]));
        let mut rng = Seed::new(1).rng();
        for _ in 0..100 {
            let element = space.sample(&mut rng);
            let mut features = [0.0; 5];
            space.flatten(&element, &mut features);
            assert_eq!(space.unflatten(&features).unwrap(), element);
            assert_eq!(space.from_jsonable(&space.to_jsonable(&element)).unwrap(), element);
        }
        assert_eq!(space.bounds().1, [1.0, 1.0, 1.0, 2.0, 3.0]);
    }

    crate::product_space! {
        /// A space.
        struct PairSpace;
        /// An element.
        struct Pair { left: Discrete, right: BoxSpace<1> }
    }

    #[test]
    fn parts_are_those_of_the_spaces() {
        let pair = || PairSpace { left: Discrete::new(2), right: BoxSpace::symmetric([1.0]) };
        let picture = RowSpace::new(vec![0.0; 12], vec![1.0; 12], vec![2, 3, 2]).unwrap();
        assert_eq!(pair().parts(), [[2], [1]]);
        assert_eq!((picture, pair()).parts(), [&[2, 3, 2][..], &[2], &[1]]);
    }

    #[test]
    fn a_named_product_is_read_part_by_part() {
        let space = PairSpace { left: Discrete::new(2), right: BoxSpace::symmetric([1.0]) };
        let element = Pair { left: 1, right: [0.25] };
        let json = space.to_jsonable(&element);
        assert_eq!(json.to_string(), r#"{"left":1,"right":[0.25]}"#);
        assert_eq!(space.from_jsonable(&json).unwrap(), element);
        assert!(space.from_jsonable(&serde_json::json!({"left": 1})).is_err());
        assert!(!space.contains(&Pair { left: 2, right: [0.0] }));
    }

    crate::product_space! {
        /// A space.
        struct CellSpace: finite;
        /// An element.
        struct Cell { row: Discrete, column: Discrete, open: Discrete }
    }

    #[test]
    fn a_finite_named_product_is_numbered_like_digits() {
        let sizes = [3, 4, 2].map(Discrete::new);
        let space = CellSpace { row: sizes[0], column: sizes[1], open: sizes[2] };
        assert_eq!(space.size(), 24);
        assert_eq!(space.index_of(&Cell { row: 2, column: 1, open: 1 }), 2 * 8 + 2 + 1);
        assert!((0..24).all(|index| space.index_of(&space.element(index)) == index));
    }

    #[test]
    fn parts_beyond_their_bounds_are_read_where_the_environment_shall_judge() {
        let space = PairSpace { left: Discrete::new(2), right: BoxSpace::symmetric([1.0]) };
        let json = serde_json::json!({"left": 1, "right": [3.0]});
        assert!(space.from_jsonable(&json).is_err());
        assert_eq!(space.from_jsonable_unbounded(&json).unwrap(), Pair { left: 1, right: [3.0] });
        let tuple = (Discrete::new(2), BoxSpace::symmetric([1.0]));
        let json = serde_json::json!([1, [3.0]]);
        assert!(tuple.from_jsonable(&json).is_err());
        assert_eq!(tuple.from_jsonable_unbounded(&json).unwrap(), (1, [3.0]));
    }
}
