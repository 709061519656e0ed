//! Codecs: convert observations and actions to forms that do not depend on the environment's type.

mod dynamic;

pub use dynamic::DynEnv;
pub(crate) use dynamic::Seeded;

use crate::{
    ChoiceSpace, Discrete, FactoredSpace, FeatureSpace, FiniteSpace, RowSpace, Space, SpaceError,
    space::not_an_element,
};

/// Converts the elements of a space for a [`SyncVectorEnv`](crate::SyncVectorEnv): to a space that
/// is known without the environment's type, so that environments of different types fit one vector
/// type, or [not at all](AsIs).
///
/// Vectors convert at every step, so neither direction may allocate after the first steps.
pub trait Codec<S: Space>: Send + 'static {
    /// The space after conversion.
    type Target: Space;

    /// Returns the space that the elements of `source` are converted to.
    fn target(source: &S) -> Self::Target;

    /// Converts an element.
    fn encoded(source: &S, element: &S::Element) -> <Self::Target as Space>::Element;

    /// Converts an element and reuses the memory of `target`.
    fn encode(source: &S, element: &S::Element, target: &mut <Self::Target as Space>::Element);

    /// Converts an element back.
    ///
    /// # Errors
    /// If it does not belong to an element of `source`.
    fn decode(
        source: &S,
        target: &<Self::Target as Space>::Element,
    ) -> Result<S::Element, SpaceError>;

    /// Converts several elements back. Writes them to `elements` unless they can be used in place.
    ///
    /// # Errors
    /// If one of them does not belong to an element of `source`.
    fn decode_all<'a>(
        source: &S,
        targets: &'a [<Self::Target as Space>::Element],
        elements: &'a mut Vec<S::Element>,
    ) -> Result<&'a [S::Element], SpaceError> {
        elements.clear();
        for target in targets {
            elements.push(Self::decode(source, target)?);
        }
        Ok(elements)
    }
}

/// Keeps the elements of a space as they are. The environment itself checks actions.
pub struct AsIs;

impl<S: Space> Codec<S> for AsIs {
    type Target = S;

    fn target(source: &S) -> S {
        source.clone()
    }

    fn encoded(_source: &S, element: &S::Element) -> S::Element {
        element.clone()
    }

    #[inline]
    fn encode(_source: &S, element: &S::Element, target: &mut S::Element) {
        target.clone_from(element);
    }

    fn decode(_source: &S, target: &S::Element) -> Result<S::Element, SpaceError> {
        Ok(target.clone())
    }

    #[inline]
    fn decode_all<'a>(
        _source: &S,
        targets: &'a [S::Element],
        _elements: &'a mut Vec<S::Element>,
    ) -> Result<&'a [S::Element], SpaceError> {
        Ok(targets)
    }
}

/// Converts the elements of a finite space to their indices, for tables.
pub struct ToIndex;

impl<S: FiniteSpace> Codec<S> for ToIndex {
    type Target = Discrete;

    fn target(source: &S) -> Discrete {
        Discrete::new(source.size())
    }

    fn encoded(source: &S, element: &S::Element) -> i64 {
        source.index_of(element) as i64
    }

    #[inline]
    fn encode(source: &S, element: &S::Element, target: &mut i64) {
        *target = Self::encoded(source, element);
    }

    #[inline(always)]
    fn decode(source: &S, target: &i64) -> Result<S::Element, SpaceError> {
        // An index out of range is an error and not a panic.
        if (*target as u64) < source.size() as u64 {
            return Ok(source.element(*target as usize));
        }
        Err(no_index(source, *target))
    }

    #[inline]
    fn decode_all<'a>(
        source: &S,
        targets: &'a [i64],
        elements: &'a mut Vec<S::Element>,
    ) -> Result<&'a [S::Element], SpaceError> {
        // Checked before, because a result for each would go through memory.
        let is_index = |&target: &i64| (target as u64) < source.size() as u64;
        if let Some(target) = targets.iter().find(|target| !is_index(target)) {
            return Err(no_index(source, *target));
        }
        elements.clear();
        elements.extend(targets.iter().map(|&target| source.element(target as usize)));
        Ok(elements)
    }
}

#[cold]
fn no_index<S: FiniteSpace>(source: &S, target: i64) -> SpaceError {
    not_an_element(&ToIndex::target(source), target)
}

/// Converts the elements of a factored space to the number of each choice.
pub struct ToChoices;

impl<S: FactoredSpace> Codec<S> for ToChoices {
    type Target = ChoiceSpace;

    fn target(source: &S) -> ChoiceSpace {
        ChoiceSpace::new(source.nvec().to_vec()).expect("a space's choices have values")
    }

    fn encoded(_source: &S, element: &S::Element) -> Vec<i64> {
        element.as_ref().to_vec()
    }

    #[inline]
    fn encode(_source: &S, element: &S::Element, target: &mut Vec<i64>) {
        target.clear();
        target.extend_from_slice(element.as_ref());
    }

    fn decode(source: &S, target: &Vec<i64>) -> Result<S::Element, SpaceError> {
        let as_many = target.len() == source.nvec().len();
        let element = as_many.then(|| source.choose(|i| target[i]));
        element
            .filter(|element| source.contains(element))
            .ok_or_else(|| not_an_element(source, format!("{target:?}")))
    }
}

/// Converts the elements of a space to rows of numbers, for networks.
pub struct ToRow;

impl<S: FeatureSpace> Codec<S> for ToRow {
    type Target = RowSpace;

    fn target(source: &S) -> RowSpace {
        let (low, high) = source.bounds();
        let row = RowSpace::new(low, high, source.shape()).expect("a space's bounds fit its shape");
        let row = row.with_parts(source.parts()).expect("a space's parts fit its width");
        // `f32` can store bounds that do not fit the source's storage.
        let row = row.clone().with_storage(source.storage()).unwrap_or(row);
        match source.action_mask() {
            Some(places) => row.with_action_mask(places).expect("a mask is between 0 and 1"),
            None => row,
        }
    }

    fn encoded(source: &S, element: &S::Element) -> Vec<f32> {
        let mut row = Vec::new();
        Self::encode(source, element, &mut row);
        row
    }

    #[inline]
    fn encode(source: &S, element: &S::Element, target: &mut Vec<f32>) {
        target.resize(source.width(), 0.0);
        source.flatten(element, target);
    }

    fn decode(source: &S, target: &Vec<f32>) -> Result<S::Element, SpaceError> {
        source.unflatten(target)
    }
}
