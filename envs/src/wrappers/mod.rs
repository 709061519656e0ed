//! Environments around environments, under Gymnasium's names.
//!
//! A wrapper is an [`Env`](crate::Env) itself, so wrappers nest. Everything that changes in one is
//! in its snapshot. What it leaves as it is (state, model, pictures) it passes on; what it would
//! falsify it does not offer.
//!
//! ```
//! use gymnast_envs::{BoxSpace, Env, classic::Pendulum, wrappers::{FrameStack, RescaleAction}};
//!
//! let env = FrameStack::<_, 4>::new(RescaleAction::new(Pendulum::default(), -1.0, 1.0)?);
//! assert_eq!(env.action_space(), BoxSpace::symmetric([1.0]));
//! # Ok::<(), gymnast_envs::EnvError>(())
//! ```

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::EnvError;

/// Passes methods of [`Env`](crate::Env) on to the wrapped environment. Stands inside
/// `impl<E: Env> Env for …`; a wrapper names the groups that it leaves as they are.
macro_rules! forward {
    ($env:ident: $($group:ident),+) => { $($crate::wrappers::forward!(@ $group $env);)+ };
    (@ spaces $env:ident) => {
        $crate::wrappers::forward!(@ observation_space $env);
        $crate::wrappers::forward!(@ action_space $env);
    };
    (@ observation_space $env:ident) => {
        fn observation_space(&self) -> Self::ObservationSpace {
            self.$env.observation_space()
        }
    };
    (@ action_space $env:ident) => {
        fn action_space(&self) -> Self::ActionSpace {
            self.$env.action_space()
        }
    };
    (@ snapshot $env:ident) => {
        fn save(&self) -> Option<$crate::serde_json::Value> {
            self.$env.save()
        }
        fn restore(
            &mut self,
            snapshot: &$crate::serde_json::Value,
        ) -> Result<(), $crate::EnvError> {
            self.$env.restore(snapshot)
        }
    };
    (@ state $env:ident) => {
        fn state(&self) -> Option<Vec<f64>> {
            self.$env.state()
        }
    };
    (@ set_state $env:ident) => {
        fn set_state(&mut self, state: &[f64]) -> Result<(), $crate::EnvError> {
            self.$env.set_state(state)
        }
    };
    (@ model $env:ident) => {
        $crate::wrappers::forward!(@ observe $env);
        $crate::wrappers::forward!(@ dynamics $env);
    };
    (@ observe $env:ident) => {
        fn observe(&self) -> Option<$crate::Obs<Self>> {
            self.$env.observe()
        }
    };
    (@ dynamics $env:ident) => {
        fn transitions(
            &self,
            observation: &$crate::Obs<Self>,
            action: &$crate::Act<Self>,
        ) -> Option<Vec<$crate::Transition<$crate::Obs<Self>>>> {
            self.$env.transitions(observation, action)
        }
        fn initial_states(&self) -> Option<Vec<(f64, $crate::Obs<Self>)>> {
            self.$env.initial_states()
        }
    };
    (@ render $env:ident) => {
        fn render_ansi(&self) -> Option<String> {
            self.$env.render_ansi()
        }
        fn render_rgb(&self) -> Option<$crate::render::Frame> {
            self.$env.render_rgb()
        }
    };
}
pub(crate) use forward;

/// Reaches the wrapped environment. Stands inside `impl<E> Wrapper<E>`.
macro_rules! access {
    () => {
        /// The wrapped environment.
        pub fn env(&self) -> &E {
            &self.env
        }

        /// The wrapped environment, the wrapper taken off.
        pub fn into_inner(self) -> E {
            self.env
        }
    };
}
pub(crate) use access;

mod clip_action;
mod discretize_observation;
mod flatten_observation;
mod frame_stack;
mod max_and_skip;
mod normalize_observation;
mod normalize_reward;
mod order_enforcing;
mod record_episode_statistics;
mod rescale;
mod running_statistics;
mod sticky_action;
mod time_aware;
mod time_limit;
mod transform;

pub use clip_action::ClipAction;
pub use discretize_observation::DiscretizeObservation;
pub use flatten_observation::FlattenObservation;
pub use frame_stack::FrameStack;
pub use max_and_skip::MaxAndSkipObservation;
pub use normalize_observation::NormalizeObservation;
pub use normalize_reward::NormalizeReward;
pub use order_enforcing::OrderEnforcing;
pub use record_episode_statistics::{EpisodeStatistics, RecordEpisodeStatistics};
pub use rescale::{RescaleAction, RescaleObservation};
pub use running_statistics::{RunningStatistics, SharedStatistics};
pub use sticky_action::StickyAction;
pub use time_aware::TimeAwareObservation;
pub use time_limit::TimeLimit;
pub use transform::{ClipReward, TransformObservation, TransformReward};

/// The error for a wrapper that cannot be built from its parameters.
fn invalid(wrapper: &str, reason: String) -> EnvError {
    EnvError::InvalidOption { id: wrapper.to_owned(), reason }
}

/// One part of a snapshot.
fn part<T: DeserializeOwned>(snapshot: &Value, name: &str) -> Result<T, EnvError> {
    let value = &snapshot[name];
    T::deserialize(value).map_err(|error| EnvError::InvalidState {
        expected: format!("a snapshot with `{name}`"),
        got: format!("{value} ({error})"),
    })
}
