//! The settings that all tabular agents share.

use gymnast_harness::{AgentError, Plan, Preset, Schedule, SearchRange, Training, within};

use crate::Rates;

/// The settings that all tabular agents share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Common {
    /// The step size α, in (0, 1].
    pub alpha: Schedule,
    /// The probability ε of a random action, in [0, 1].
    pub epsilon: Schedule,
    /// The discount γ, in [-1, 1]; negative in self-play, where the next state belongs to the other
    /// player.
    pub gamma: f64,
    /// The initial value of every action.
    pub initial_value: f64,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            alpha: Schedule::Constant(0.1),
            epsilon: Schedule::linear(1.0, 0.05, 0.5),
            gamma: 0.99,
            initial_value: 0.0,
        }
    }
}

impl Common {
    /// Settings that think of every action as worth 0 at first.
    pub(crate) fn new(alpha: Schedule, epsilon: Schedule, gamma: f64) -> Self {
        Self { alpha, epsilon, gamma, initial_value: 0.0 }
    }

    /// Returns the rates after `env_steps`.
    #[inline]
    pub(crate) fn rates(&self, plan: &Plan, env_steps: u64) -> Rates {
        let progress = plan.progress(env_steps);
        let (alpha, epsilon) = (self.alpha.at(progress), self.epsilon.at(progress));
        Rates { alpha, epsilon, gamma: self.gamma }
    }

    /// Returns env steps after which the rates no longer change.
    pub(crate) fn settled_at(&self, plan: &Plan) -> u64 {
        let until = self.alpha.settled_at().max(self.epsilon.settled_at());
        // A little later, so that no rounding is before it.
        (plan.env_steps as f64 * until * (1.0 + 1e-9)).ceil() as u64
    }

    pub(crate) fn check(&self) -> Result<(), AgentError> {
        self.alpha.check("alpha", f64::MIN_POSITIVE, 1.0, "a step size in (0, 1]")?;
        self.epsilon.check("epsilon", 0.0, 1.0, "a share in [0, 1]")?;
        within("gamma", self.gamma, -1.0..=1.0, "a discount in [-1, 1]")?;
        let initial = self.initial_value;
        AgentError::require(initial.is_finite(), "initial_value", &initial, "a finite number")
    }
}

/// The settings of a tabular agent: the [`Common`] ones and its own.
pub trait TabularSettings {
    /// Returns the settings shared by all tabular agents.
    fn common(&self) -> Common;
}

/// The ranges of what all tabular agents share, and those of an agent's own.
pub(crate) fn search_ranges(own: &[SearchRange]) -> Vec<SearchRange> {
    let common =
        [("alpha", "log(0.01, 1)"), ("epsilon", "log(0.01, 0.5)"), ("gamma", "uniform(0.9, 1)")];
    [&common, own].concat()
}

/// Checks that a setting counts from one to a million.
pub(crate) fn count(key: &'static str, value: usize) -> Result<(), AgentError> {
    within(key, value, 1..=1_000_000, "1 to 1000000")
}

/// A preset whose training is looked at fifty times, over enough episodes that chance does not show: where
/// steps are slippery or starts differ, twenty of them differ by more than the agents do.
pub(crate) fn preset<C>(env: &'static str, env_steps: u64, settings: C) -> Preset<C> {
    let training = Training {
        env_steps,
        eval_every: env_steps / 50,
        eval_episodes: 200,
        max_eval_steps: 500,
        log_every: env_steps / 50,
        checkpoint_every: env_steps / 5,
        ..Training::default()
    };
    Preset { env, settings, training, source: "tuned here" }
}

/// The presets of the three environments that every agent here was tuned on.
pub(crate) fn lake_cliff_and_taxi<C>(lake: C, cliff: C, taxi: C) -> Vec<Preset<C>> {
    vec![
        preset("FrozenLake-v1", 300_000, lake),
        preset("CliffWalking-v1", 50_000, cliff),
        preset("Taxi-v4", 300_000, taxi),
    ]
}

/// The presets of one-step on-policy agents. Exploration ends, so that what is learned is the best policy
/// and not the best that explores. On the lake and the cliff little of it is by chance: high first values
/// explore, without the falls that would teach to keep away from the best way.
pub(crate) fn on_policy_presets<C: From<Common>>() -> Vec<Preset<C>> {
    let line = Schedule::linear;
    let lake = Common::new(lake_alpha(), line(0.1, 0.0, 0.5), 0.99);
    let lake = Common { initial_value: 1.0, ..lake };
    let cliff = Common::new(0.1.into(), line(0.05, 0.0, 0.1), 1.0);
    let taxi = Common::new(0.1.into(), line(0.3, 0.0, 0.9), 0.99);
    lake_cliff_and_taxi(lake.into(), cliff.into(), taxi.into())
}

/// The step size on slippery ice. One that stays large keeps the values wandering, and with them the
/// greedy policy, whose actions are worth nearly the same: it fell to 0 as late as in the last fifth
/// of a training. This one is small after half of it.
pub(crate) fn lake_alpha() -> Schedule {
    Schedule::exponential(0.1, 0.001, 0.5)
}

/// Defines the settings of a tabular agent: the given ones, each with its default, and those shared
/// by all tabular agents.
///
/// The struct implements serde's traits, so the calling crate needs `serde` with the feature
/// `derive`.
///
/// ```
/// use gymnast_tabular::{TabularSettings, tabular_settings};
///
/// tabular_settings! {
///     /// The settings of my agent.
///     pub struct MineConfig {
///         /// The step size for decreasing values.
///         pub beta: f64 = 0.01,
///     }
/// }
/// let config = MineConfig { gamma: 0.9, ..MineConfig::default() };
/// assert_eq!((config.beta, config.common().gamma), (0.01, 0.9));
/// ```
#[macro_export]
macro_rules! tabular_settings {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$($doc:tt)*])* pub $field:ident: $type:ty = $default:expr),* $(,)?
        }
    ) => {
        $crate::settings! {
            $(#[$attribute])*
            pub struct $name {
                $($(#[$($doc)*])* pub $field: $type = $default,)*
            }
            first $crate::Common {
                /// The step size α, in (0, 1].
                pub alpha: $crate::Schedule,
                /// The probability ε of a random action, in [0, 1].
                pub epsilon: $crate::Schedule,
                /// The discount γ, in [-1, 1]; negative in self-play, where the next state belongs
                /// to the other player.
                pub gamma: f64,
                /// The initial value of every action; optimistic (high) values encourage
                /// exploration.
                pub initial_value: f64,
            }
        }

        impl From<$crate::Common> for $name {
            fn from(common: $crate::Common) -> Self {
                let $crate::Common { alpha, epsilon, gamma, initial_value } = common;
                Self { alpha, epsilon, gamma, initial_value, $($field: $default),* }
            }
        }

        impl $crate::TabularSettings for $name {
            fn common(&self) -> $crate::Common {
                self.into()
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{Discrete, Seed};
    use gymnast_harness::Plan;

    use crate::{QLearning, QLearningConfig};

    #[test]
    fn settings_out_of_range_are_refused() {
        let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 1 };
        for (key, config) in [
            ("gamma", QLearningConfig { gamma: 1.5, ..Default::default() }),
            ("alpha", QLearningConfig { alpha: 0.0.into(), ..Default::default() }),
            ("epsilon", QLearningConfig { epsilon: f64::NAN.into(), ..Default::default() }),
            ("initial_value", QLearningConfig { initial_value: f64::NAN, ..Default::default() }),
        ] {
            let agent = QLearning::new(Discrete::new(2), Discrete::new(2), config, &plan);
            let error = agent.err().unwrap().to_string();
            assert!(error.starts_with(key), "{error}");
        }
    }
}
