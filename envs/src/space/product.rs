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
mod tests;
