//! Spaces: the sets of observations and actions, with the types of their elements.
//!
//! Four traits extend [`Space`], and each agent requires the ones it needs: [`FiniteSpace`] (for
//! tables), [`FeatureSpace`] (for networks), [`FactoredSpace`] (for policies with several choices),
//! [`BoundedSpace`] (for continuous policies). A [`Discrete`] space is both finite and a feature
//! space, so FrozenLake works with Q-learning and DQN without a wrapper, while Q-learning on
//! CartPole does not compile.

mod bounded;
mod describe;
mod discrete;
mod multi;
mod numbers;
mod product;
mod storage;

pub use bounded::{BoxSpace, RowSpace};
pub use describe::SpaceDescription;
pub use discrete::Discrete;
pub use multi::{ChoiceSpace, MultiBinary, MultiDiscrete};
pub use storage::{ElementType, Storage};

use std::{fmt::Debug, ops::Range};

use serde_json::Value;

use crate::{Rng, SpaceError};

/// A set of values: its elements' type, membership, sampling and an encoding for records.
#[allow(clippy::wrong_self_convention, reason = "`from_jsonable` is Gymnasium's name")]
pub trait Space: Clone + Debug + Send + Sync + 'static {
    /// The type of the elements.
    type Element: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// Returns whether `element` lies in the space.
    fn contains(&self, element: &Self::Element) -> bool;

    /// Returns whether an environment may return `element` as an observation: every discrete choice
    /// must be valid and every real number finite. The bounds of a box do not count, because
    /// observations may exceed them (CartPole's last observation does). Vectors of environments
    /// call this at every step, so it must be fast.
    fn admits(&self, element: &Self::Element) -> bool;

    /// Draws an element: uniformly if the space is bounded.
    fn sample(&self, rng: &mut Rng) -> Self::Element;

    /// Draws `n` elements as [`sample`](Space::sample) does and writes them to `elements`, replacing
    /// its contents. A space may need fewer random numbers for it than `n` samples do.
    fn sample_many(&self, n: usize, rng: &mut Rng, elements: &mut Vec<Self::Element>) {
        elements.clear();
        elements.extend((0..n).map(|_| self.sample(rng)));
    }

    /// Describes the space as data, for listings and records.
    fn describe(&self) -> SpaceDescription;

    /// Converts an element to JSON (Gymnasium's `to_jsonable`).
    fn to_jsonable(&self, element: &Self::Element) -> Value;

    /// Reads an element written by [`to_jsonable`](Space::to_jsonable).
    ///
    /// # Errors
    /// [`SpaceError::NotAnElement`] if the value has another form or lies outside the space.
    fn from_jsonable(&self, value: &Value) -> Result<Self::Element, SpaceError>;

    /// Reads an element and ignores the bounds of a box. For actions, which the environment itself
    /// clips or rejects.
    ///
    /// # Errors
    /// [`SpaceError::NotAnElement`] if the value has another form.
    fn from_jsonable_unbounded(&self, value: &Value) -> Result<Self::Element, SpaceError> {
        self.from_jsonable(value)
    }
}

/// A space with finitely many elements, numbered from 0: tables can hold it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not finite, so a table cannot hold it",
    label = "this space has no numbered elements",
    note = "tabular agents (Q-learning, SARSA, Dyna-Q) need finite observations and actions, and \
            DQN needs finite actions",
    note = "for real-valued observations use DQN, A2C or PPO, or wrap the environment in \
            `DiscretizeObservation`; for real-valued actions use SAC, TD3 or PPO"
)]
pub trait FiniteSpace: Space {
    /// Returns the number of elements.
    fn size(&self) -> usize;

    /// Returns the index of an element, below [`size`](FiniteSpace::size).
    fn index_of(&self, element: &Self::Element) -> usize;

    /// Returns the element with this index.
    ///
    /// # Panics
    /// If `index` is not below [`size`](FiniteSpace::size).
    fn element(&self, index: usize) -> Self::Element;
}

/// A space whose elements can be written as numbers: networks can read it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as features, so a network cannot read it",
    label = "this space has no `shape`, `width` and `flatten`",
    note = "implement `FeatureSpace` for it (three methods), or build the space from boxes with \
            `product_space!`"
)]
pub trait FeatureSpace: Space {
    /// Returns the shape of an element as an array: `[4]`, or `[10, 10, 4]` for a picture.
    fn shape(&self) -> Vec<usize>;

    /// Returns the number of features: the product of the [`shape`](FeatureSpace::shape). It is
    /// called at every step and must not allocate.
    fn width(&self) -> usize;

    /// Returns the shapes of the parts of the features, in order: rows `[N]` or arrays, such as
    /// pictures `[H, W, C]`. By default there is one part, the [`shape`](FeatureSpace::shape). A
    /// product has the parts of its spaces, so that a network can read each with its own encoder.
    fn parts(&self) -> Vec<Vec<usize>> {
        vec![self.shape()]
    }

    /// Writes an element as [`width`](FeatureSpace::width) features (Gymnasium's `flatten`): the
    /// numbers of a box, one-hot for a discrete space.
    fn flatten(&self, element: &Self::Element, features: &mut [f32]);

    /// Returns the elements' features, row by row as [`flatten`](FeatureSpace::flatten) would write
    /// them, if memory already holds them in this form: fixed boxes, or a single row. `None` (the
    /// default) if they must be written.
    fn as_features<'a>(&self, elements: &'a [Self::Element]) -> Option<&'a [f32]> {
        let _ = elements;
        None
    }

    /// Reads an element from features written by [`flatten`](FeatureSpace::flatten).
    ///
    /// # Errors
    /// [`SpaceError::NotInvertible`] if the space does not implement it (the default),
    /// [`SpaceError::NotAnElement`] if the features belong to no element.
    fn unflatten(&self, features: &[f32]) -> Result<Self::Element, SpaceError> {
        let _ = features;
        Err(SpaceError::NotInvertible { space: self.describe().to_string() })
    }

    /// Returns the lower and upper bound of each feature, infinite if unbounded.
    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![f32::NEG_INFINITY; self.width()], vec![f32::INFINITY; self.width()])
    }

    /// Returns the range of the action mask among the features, one feature per action: 1 if the
    /// action is allowed in the observed state, 0 if not. `None` (the default) if every action is
    /// always allowed.
    ///
    /// The mask is part of the observation, so replay, rollouts and targets have it too.
    fn action_mask(&self) -> Option<Range<usize>> {
        None
    }

    /// Returns how a memory may store the features: with less than 4 bytes each, or without
    /// repeating the frames of a stack. The default, [`Storage::F32`], is right for every space.
    fn storage(&self) -> Storage {
        Storage::F32
    }
}

/// A space of several independent finite choices: a policy draws a number for each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not several finite choices",
    label = "this space has no `nvec`",
    note = "use `MultiDiscrete` as the space of actions"
)]
pub trait FactoredSpace: FeatureSpace<Element: AsRef<[i64]>> {
    /// Returns the number of values of each choice (Gymnasium's `nvec`), at least one.
    fn nvec(&self) -> &[usize];

    /// Creates the element with these numbers, one for each choice in order. It lies in the space
    /// if each number is below the choice's [`nvec`](Self::nvec).
    fn choose(&self, number: impl FnMut(usize) -> i64) -> Self::Element;
}

/// A box of real numbers: continuous policies can use it, whatever numbers they output.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a box of real numbers, so a continuous policy cannot drive it",
    label = "this space is not continuous",
    note = "SAC and TD3 need real-valued actions; for finite actions use DQN, A2C or PPO"
)]
pub trait BoundedSpace: FeatureSpace {
    /// Returns the element nearest to these numbers.
    fn clip(&self, numbers: &[f32]) -> Self::Element;

    /// As [`clip`](Self::clip), but reuses the memory of `element`.
    #[inline]
    fn clip_into(&self, numbers: &[f32], element: &mut Self::Element) {
        *element = self.clip(numbers);
    }
}

/// Creates the error for a value outside `space`.
#[allow(clippy::needless_pass_by_value, reason = "a reference or a message made on the spot")]
pub(crate) fn not_an_element(space: &impl Space, got: impl ToString) -> SpaceError {
    SpaceError::NotAnElement { expected: space.describe().to_string(), got: got.to_string() }
}
