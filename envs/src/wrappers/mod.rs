//! Environments around environments, under Gymnasium's names.

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
        fn observe(&self) -> Option<$crate::Obs<Self>> {
            self.$env.observe()
        }
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

mod time_limit;

pub use time_limit::TimeLimit;
