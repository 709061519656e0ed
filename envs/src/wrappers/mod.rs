//! Wrappers of environments, under Gymnasium's names.
//!
//! Wrap an environment of a known type with a wrapper's constructor:
//! `TimeLimit::new(CartPole::default(), 500)`. Wrap one chosen by name with
//! [`Registry::wrapped`](crate::Registry::wrapped), which takes wrappers by name with their
//! options.

/// Forwards methods of [`Env`](crate::Env) to the wrapped environment. Use it inside
/// `impl<E: Env> Env for …`; a wrapper names the groups of methods that it does not change.
macro_rules! forward {
    ($env:ident: $($group:ident),+) => { $($crate::wrappers::forward!(@ $group $env);)+ };
    (@ reset $env:ident) => {
        #[inline]
        fn reset(&mut self, rng: &mut $crate::Rng) -> Result<$crate::Obs<Self>, $crate::EnvError> {
            self.$env.reset(rng)
        }
    };
    (@ spaces $env:ident) => {
        $crate::wrappers::forward!(@ observation_space $env);
        $crate::wrappers::forward!(@ action_space $env);
    };
    (@ observation_space $env:ident) => {
        fn observation_space(&self) -> Self::ObservationSpace {
            self.$env.observation_space()
        }
        $crate::wrappers::forward!(@ recycle $env);
    };
    (@ recycle $env:ident) => {
        #[inline]
        fn recycle(&mut self, observation: $crate::Obs<Self>) {
            self.$env.recycle(observation);
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
        $crate::wrappers::forward!(@ start $env);
        fn transitions(
            &self,
            observation: &$crate::Obs<Self>,
            action: &$crate::Act<Self>,
        ) -> Option<Vec<$crate::Transition<$crate::Obs<Self>>>> {
            self.$env.transitions(observation, action)
        }
    };
    (@ start $env:ident) => {
        fn observe(&self) -> Option<$crate::Obs<Self>> {
            self.$env.observe()
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

/// Puts each action through a method of the wrapper, which may refuse it (Gymnasium's
/// `ActionWrapper`). Use it inside `impl<E: Env> Env for …`.
macro_rules! change_actions {
    ($method:ident) => {
        crate::wrappers::forward! { env: reset }

        #[inline]
        fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
            let action = self.$method(action)?;
            self.env.step(&action, rng)
        }

        fn transitions(
            &self,
            observation: &Obs<E>,
            action: &Act<E>,
        ) -> Option<Vec<$crate::Transition<Obs<E>>>> {
            self.env.transitions(observation, &self.$method(action).ok()?)
        }
    };
}
pub(crate) use change_actions;

/// Puts each observation through a method of the wrapper (Gymnasium's `ObservationWrapper`). Use it
/// inside `impl<E: Env> Env for …`.
macro_rules! change_observations {
    ($method:ident) => {
        fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError> {
            let observation = self.env.reset(rng)?;
            Ok(self.$method(&observation))
        }

        #[inline]
        fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError> {
            Ok(self.env.step(action, rng)?.map(|observation| self.$method(&observation)))
        }

        fn observe(&self) -> Option<Obs<Self>> {
            Some(self.$method(&self.env.observe()?))
        }
    };
}
pub(crate) use change_observations;

/// Defines access to the wrapped environment. Use it inside `impl<E> …`.
macro_rules! wrapped {
    () => {
        /// Returns the wrapped environment.
        #[must_use]
        pub fn env(&self) -> &E {
            &self.env
        }

        /// Returns the wrapped environment and drops the wrapper.
        #[must_use]
        pub fn into_inner(self) -> E {
            self.env
        }
    };
}
pub(crate) use wrapped;

mod affine;
mod array_space;
pub(crate) mod by_name;
mod clip_action;
mod discretize_observation;
mod flatten_observation;
mod frame_stack;
mod normalize_observation;
mod normalize_reward;
mod order_enforcing;
mod record_episode_statistics;
mod repeat_action;
mod rescale_action;
mod rescale_observation;
mod running_mean_std;
mod snapshot;
mod stack_space;
mod sticky_action;
mod time_aware_observation;
mod time_limit;
mod transform_observation;
mod transform_reward;

pub use array_space::ArraySpace;
pub use by_name::{Boxed, BoxedEnv, InEvaluation, Wrapper, WrapperOption, WrapperSpec};
pub use clip_action::ClipAction;
pub use discretize_observation::{BinnedObservation, BinnedSpace, DiscretizeObservation};
pub use flatten_observation::FlattenObservation;
pub use frame_stack::{FrameStack, StackOf, StackedObservation};
pub use normalize_observation::NormalizeObservation;
pub use normalize_reward::NormalizeReward;
pub use order_enforcing::OrderEnforcing;
pub use record_episode_statistics::{EpisodeStatistics, RecordEpisodeStatistics};
pub use repeat_action::{MaxAndSkipObservation, RepeatAction};
pub use rescale_action::RescaleAction;
pub use rescale_observation::RescaleObservation;
pub use running_mean_std::RunningMeanStd;
pub use stack_space::StackSpace;
pub use sticky_action::StickyAction;
pub use time_aware_observation::TimeAwareObservation;
pub use time_limit::TimeLimit;
pub use transform_observation::TransformObservation;
pub use transform_reward::{ClipReward, TransformReward};
