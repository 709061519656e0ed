//! The distribution over the actions of a space.

use gymnast_envs::{BoxSpace, ChoiceSpace, Discrete, MultiDiscrete, RowSpace, Space};

use super::{Categorical, DiagonalGaussian, MultiCategorical, PolicyHead};

/// A space of actions that has a distribution of its own: an agent that learns one by its gradient serves
/// actions of any kind.
pub trait ControlSpace: Space {
    /// The family of distributions over the actions.
    type Head: PolicyHead<ActionSpace = Self> + Clone + 'static;

    /// Returns the distributions over the actions.
    fn head(self) -> Self::Head;
}

macro_rules! control_spaces {
    ($([$($generics:tt)*] $space:ty => $head:ident;)+) => {
        $(impl<$($generics)*> ControlSpace for $space {
            type Head = $head<Self>;

            fn head(self) -> $head<Self> {
                $head::new(self)
            }
        })+
    };
}

control_spaces! {
    [] Discrete => Categorical;
    [] ChoiceSpace => MultiCategorical;
    [const N: usize] MultiDiscrete<N> => MultiCategorical;
    [] RowSpace => DiagonalGaussian;
    [const N: usize] BoxSpace<N> => DiagonalGaussian;
}
