//! Environments chosen by name at run time: how their observations and actions are written, the types erased.

mod dynamic;

pub use dynamic::DynEnv;
pub(crate) use dynamic::Seeded;

use crate::{
    ChoiceSpace, Discrete, FactoredSpace, FeatureSpace, FiniteSpace, RowSpace, Space, SpaceError,
    space::not_an_element,
};

/// How a [`SyncVectorEnv`](crate::SyncVectorEnv) writes the elements of a space: in one that is known without
/// the environment's type, so that environments of different types share one vector, or [as they are](AsIs).
///
/// Vectors write and read at every step, so neither may allocate once warm.
pub trait Codec<S: Space>: Send + 'static {
    /// The space written to.
    type Target: Space;

    /// The space that the elements of `source` are written in.
    fn target(source: &S) -> Self::Target;

    /// Writes a first element.
    fn encoded(source: &S, element: &S::Element) -> <Self::Target as Space>::Element;

    /// Writes an element, reusing what `target` has allocated.
    fn encode(source: &S, element: &S::Element, target: &mut <Self::Target as Space>::Element);

    /// Reads an element.
    ///
    /// # Errors
    /// Where it is no element of `source`.
    fn decode(
        source: &S,
        target: &<Self::Target as Space>::Element,
    ) -> Result<S::Element, SpaceError>;

    /// Reads several elements, into `elements` where they are not there to be used already.
    ///
    /// # Errors
    /// Where one of them is no element of `source`.
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

/// Leaves the elements of a space as they are, the types known. The environment itself judges actions.
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

/// Writes the elements of a finite space as their numbers: what tables read.
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

    #[inline]
    fn decode(source: &S, target: &i64) -> Result<S::Element, SpaceError> {
        // An index out of range is an error and not a panic.
        let indices = Self::target(source);
        if !indices.contains(target) {
            return Err(not_an_element(&indices, target));
        }
        Ok(source.element(*target as usize))
    }
}

/// Writes the elements of a factored space as the number of each choice.
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

/// Writes the elements of a space as rows of numbers: what networks read.
pub struct ToRow;

impl<S: FeatureSpace> Codec<S> for ToRow {
    type Target = RowSpace;

    fn target(source: &S) -> RowSpace {
        let (low, high) = source.bounds();
        let row = RowSpace::new(low, high, source.shape()).expect("a space's bounds fit its shape");
        let row = row.with_parts(source.parts()).expect("a space's parts fit its width");
        // `f32` holds what does not fit a promise of the source's.
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
