//! The settings of A3C, and those that suit the environments it was tuned on.

use gymnast_core::nn::Engine;
use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training, within};

use crate::{
    networks::actor_critic::search_ranges,
    on_policy::{OnPolicySettings as _, check_rms_prop},
    on_policy_settings,
};

// Workers learn from observations as they are: A3C does not normalise them.
on_policy_settings! {
    /// The settings of [`A3c`](super::A3c). The number of workers is `training.num_envs`.
    ///
    /// The defaults are those of the paper where it names them; the others are A2C's.
    pub struct A3cConfig {
        /// The steps that a worker plays between its updates.
        pub t_max: usize = 5,
        /// The shared RMSprop's step size, η.
        pub learning_rate: Schedule = Schedule::linear(7e-4, 0.0, 1.0),
        /// How much of its mean of squares RMSprop keeps each update, in [0, 1).
        pub rms_prop_alpha: f64 = 0.99,
        /// Added under RMSprop's root.
        pub rms_prop_eps: f64 = 1e-5,
    }
    networks {}
    set entropy_coefficient = 0.01;
}

impl Presets for A3cConfig {
    fn presets() -> Vec<Preset<Self>> {
        // The average keeps what has been reached, and the step size is small after half of the training.
        let cart_pole = Self {
            average: 0.1,
            reward_scale: 0.1,
            learning_rate: Schedule::exponential(3e-3, 1e-4, 0.5),
            ..Self::default()
        };
        let acrobot = Self {
            reward_scale: 0.05,
            learning_rate: Schedule::linear(2e-3, 0.0, 1.0),
            ..Self::default()
        };
        let preset = |env, settings| Preset {
            env,
            settings,
            training: Training { env_steps: 300_000, num_envs: 8, ..Training::default() },
            source: "the paper's, but for scaled rewards, the step size and averaged weights, which were \
                     chosen here",
        };
        vec![preset("CartPole-v1", cart_pole), preset("Acrobot-v1", acrobot)]
    }

    fn search_ranges() -> Vec<SearchRange> {
        search_ranges(&[("t_max", "log_int(4, 64)")])
    }
}

/// Refuses libtorch, which differentiates on one thread alone.
pub(super) fn check_engine(engine: Engine) -> Result<(), AgentError> {
    let allowed = "`auto`, `plan` or `plan_bf16`: workers train on threads, without libtorch";
    AgentError::require(engine != Engine::Libtorch, "engine", &engine.name(), allowed)
}

impl A3cConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        check_engine(self.engine)?;
        self.learning_rate.check_step_size("learning_rate")?;
        within("t_max", self.t_max, 1..=1 << 20, "1 to 1048576 steps")?;
        check_rms_prop(self.rms_prop_alpha, self.rms_prop_eps)?;
        self.on_policy().check()
    }
}
