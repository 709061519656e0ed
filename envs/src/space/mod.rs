//! Spaces: what may be observed and done, with the types to hold it.
//!
//! Three capabilities build on [`Space`], and an agent asks for those it needs:
//! [`FiniteSpace`] (a table can hold it), [`FeatureSpace`] (a network can read it),
//! [`FactoredSpace`] (a policy draws several numbers at a time), [`BoundedSpace`] (a continuous policy can
//! drive it). A [`Discrete`] space is both of the first
//! two, so FrozenLake serves Q-learning and DQN with no wrapper, while Q-learning on CartPole does
//! not compile.

mod bounded;
mod describe;
mod discrete;
mod multi;
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
    /// What the space holds.
    type Element: Clone + Debug + PartialEq + Send + Sync + 'static;

    /// Whether `element` lies in the space.
    fn contains(&self, element: &Self::Element) -> bool;

    /// Whether an environment may show `element`: each choice among finitely many is one there is, and
    /// each real number is finite. The bounds of a box do not count, which an environment may leave
    /// (CartPole does in an episode's last step). Vectors of environments ask at every step, so it must be
    /// quick.
    fn admits(&self, element: &Self::Element) -> bool;

    /// Draws an element: uniform where the space is bounded.
    fn sample(&self, rng: &mut Rng) -> Self::Element;

    /// The space as data, for listings and records.
    fn describe(&self) -> SpaceDescription;

    /// The element as JSON (Gymnasium's `to_jsonable`).
    fn to_jsonable(&self, element: &Self::Element) -> Value;

    /// The element that [`to_jsonable`](Space::to_jsonable) wrote.
    ///
    /// # Errors
    /// [`SpaceError::NotAnElement`] if the value has another form or lies outside the space.
    fn from_jsonable(&self, value: &Value) -> Result<Self::Element, SpaceError>;

    /// The same without regard to the bounds of a box: for actions, which the environment itself
    /// clips or refuses.
    ///
    /// # Errors
    /// [`SpaceError::NotAnElement`] if the value has another form.
    fn from_jsonable_unbounded(&self, value: &Value) -> Result<Self::Element, SpaceError> {
        self.from_jsonable(value)
    }
}

/// A space with finitely many elements, numbered from 0: a table can hold it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not finite, so a table cannot hold it",
    label = "this space has no numbered elements",
    note = "tabular agents (Q-learning, SARSA, Dyna-Q) need finite observations and actions, and \
            DQN needs finite actions",
    note = "for real-valued observations use DQN, A2C or PPO, or wrap the environment in \
            `DiscretizeObservation`; for real-valued actions use SAC, TD3 or PPO"
)]
pub trait FiniteSpace: Space {
    /// The number of elements.
    fn size(&self) -> usize;

    /// The number of an element of the space, below [`size`](FiniteSpace::size).
    fn index_of(&self, element: &Self::Element) -> usize;

    /// The element of that number.
    ///
    /// # Panics
    /// If `index` is not below [`size`](FiniteSpace::size).
    fn element(&self, index: usize) -> Self::Element;
}

/// A space whose elements can be written as numbers: a network can read it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be written as features, so a network cannot read it",
    label = "this space has no `shape`, `width` and `flatten`",
    note = "implement `FeatureSpace` for it (three methods), or build the space from boxes with \
            `product_space!`"
)]
pub trait FeatureSpace: Space {
    /// The shape of an element as an array: `[4]`, or `[10, 10, 4]` for a picture.
    fn shape(&self) -> Vec<usize>;

    /// The number of features: the product of the [`shape`](FeatureSpace::shape). Asked for at every step, so it
    /// must not allocate.
    fn width(&self) -> usize;

    /// The shapes of what the features are made of, one after the other: each a row `[N]` or an array,
    /// a picture `[H, W, C]` for example. By default one part of the [`shape`](FeatureSpace::shape); a
    /// product's parts are those of its spaces, so that a network can read each in its own way.
    fn parts(&self) -> Vec<Vec<usize>> {
        vec![self.shape()]
    }

    /// Writes an element as [`width`](FeatureSpace::width) features (Gymnasium's `flatten`): the
    /// numbers of a box, one-hot for a discrete space.
    fn flatten(&self, element: &Self::Element, features: &mut [f32]);

    /// The features of these elements, one row after the other, where they lie in memory as
    /// [`flatten`](FeatureSpace::flatten) would write them: a column of fixed boxes, or a single row. `None` (the
    /// default) where they must be written.
    fn as_features<'a>(&self, elements: &'a [Self::Element]) -> Option<&'a [f32]> {
        let _ = elements;
        None
    }

    /// The element that [`flatten`](FeatureSpace::flatten) wrote.
    ///
    /// # Errors
    /// [`SpaceError::NotInvertible`] where the space does not offer it (the default),
    /// [`SpaceError::NotAnElement`] where the features are no element's.
    fn unflatten(&self, features: &[f32]) -> Result<Self::Element, SpaceError> {
        let _ = features;
        Err(SpaceError::NotInvertible { space: self.describe().to_string() })
    }

    /// The least and the greatest value of each feature, infinite where unbounded.
    fn bounds(&self) -> (Vec<f32>, Vec<f32>) {
        (vec![f32::NEG_INFINITY; self.width()], vec![f32::INFINITY; self.width()])
    }

    /// Where among the features the action mask lies, one feature an action: 1 where the action may
    /// be taken in the state seen, 0 where not. `None` (the default) where every action may always
    /// be taken.
    ///
    /// As the mask is part of what is observed, replay, rollouts and targets have it wherever they
    /// have the observation.
    fn action_mask(&self) -> Option<Range<usize>> {
        None
    }

    /// How a memory may store the features, in less than 4 bytes each or in less than all frames of a
    /// stack. The default, [`Storage::F32`], is right for every space.
    fn storage(&self) -> Storage {
        Storage::F32
    }
}

/// Several finite choices at a time, independent of each other: a policy draws the number of each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not several finite choices",
    label = "this space has no `nvec`",
    note = "use `MultiDiscrete` as the space of actions"
)]
pub trait FactoredSpace: FeatureSpace<Element: AsRef<[i64]>> {
    /// The number of values of each choice (Gymnasium's `nvec`), at least one.
    fn nvec(&self) -> &[usize];

    /// The element with these numbers, one for each choice in order. It lies in the space if each is below
    /// its choice's [`nvec`](Self::nvec).
    fn choose(&self, number: impl FnMut(usize) -> i64) -> Self::Element;
}

/// A box of real numbers: a continuous policy can drive it, whatever numbers it puts out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a box of real numbers, so a continuous policy cannot drive it",
    label = "this space is not continuous",
    note = "SAC and TD3 need real-valued actions; for finite actions use DQN, A2C or PPO"
)]
pub trait BoundedSpace: FeatureSpace {
    /// The element nearest to these numbers.
    fn clip(&self, numbers: &[f32]) -> Self::Element;

    /// The same, reusing what `element` has allocated.
    #[inline]
    fn clip_into(&self, numbers: &[f32], element: &mut Self::Element) {
        *element = self.clip(numbers);
    }
}

/// The error for a value that is no element of `space`.
#[allow(clippy::needless_pass_by_value, reason = "a reference or a message made on the spot")]
pub(crate) fn not_an_element(space: &impl Space, got: impl ToString) -> SpaceError {
    SpaceError::NotAnElement { expected: space.describe().to_string(), got: got.to_string() }
}
