//! The settings of MBPO, and those that suit the environments it was tuned on.

use gymnast_core::rounding;
use gymnast_harness::{
    AgentError, POSITIVE, Preset, Presets, Schedule, SearchRange, Training, within,
};

use super::fit::FitConfig;
use crate::{networks::learned::check_widths, off_policy::sac::SacConfig, settings};

settings! {
    /// The settings of [`Mbpo`](super::Mbpo).
    ///
    /// The defaults are the authors', with a cap on epochs.
    pub struct MbpoConfig {
        /// The networks of the model.
        pub ensemble: usize = 7,
        /// The networks that predict: those with the least holdout loss.
        pub elites: usize = 5,
        /// The widths of the hidden layers of the model's networks.
        pub model_hidden: Vec<usize> = vec![200; 4],
        /// Adam's step size for the model.
        pub model_learning_rate: f64 = 1e-3,
        /// The transitions of one update of one network of the model.
        pub model_batch_size: usize = 256,
        /// How strongly the model's weights are drawn to zero.
        pub model_weight_decay: f64 = 5e-5,
        /// The share of what really happened that only judges the model.
        pub holdout: f64 = 0.2,
        /// A training of the model ends after this number of epochs without a better holdout loss …
        pub patience: usize = 5,
        /// … or after this number of epochs in all.
        pub max_epochs: usize = 1_000,
        /// Env steps between two trainings of the model, from `sac.learning_starts` on.
        pub model_train_every: u64 = 250,
        /// The model rollouts of an env step.
        pub rollouts: usize = 400,
        /// The steps of a model rollout, rounded down: at least 1.
        pub rollout_length: Schedule = 1.0.into(),
        /// The env steps for which the model's transitions are kept, at least.
        pub model_retain: u64 = 1_000,
        /// The share of an update's transitions that really happened.
        pub real_ratio: f64 = 0.05,
        /// The SAC inside: settings as of `sac`, its buffer is for what really happened.
        pub sac: SacConfig = SacConfig { gradient_steps: 20, ..SacConfig::default() },
    }
}

impl Presets for MbpoConfig {
    fn presets() -> Vec<Preset<Self>> {
        let source = "tuned here";
        // Small networks do for a model of a few numbers; SAC's settings are nearly those it has alone.
        let sac = SacConfig {
            hidden: vec![64, 64],
            learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
            reward_scale: 0.1,
            tau: 0.02,
            alpha: 0.1,
            buffer_size: 10_000,
            batch_size: 128,
            learning_starts: 200,
            gradient_steps: 10,
            ..SacConfig::default()
        };
        let small = Self {
            model_hidden: vec![64, 64, 64],
            model_batch_size: 64,
            model_weight_decay: 0.0,
            patience: 10,
            sac: sac.clone(),
            ..Self::default()
        };
        // Rollouts of five steps lead up to where no real one has been.
        let pendulum = Preset {
            env: "Pendulum-v1",
            settings: Self {
                model_train_every: 100,
                rollouts: 20,
                rollout_length: 5.0.into(),
                sac: SacConfig { gamma: 0.98, ..sac },
                ..small.clone()
            },
            training: Training {
                env_steps: 2_500,
                eval_every: 250,
                eval_episodes: 100,
                ..Training::default()
            },
            source,
        };
        // mbrl-lib's budget and its trainings of the model. Here the ends must be learned too, and an
        // episode is 500 steps, not 200.
        let cart_pole = Preset {
            env: "CartPoleContinuous-v1",
            settings: Self {
                model_train_every: 200,
                rollouts: 50,
                rollout_length: 2.0.into(),
                ..small
            },
            training: Training { env_steps: 5_000, eval_every: 250, ..Training::default() },
            source,
        };
        vec![pendulum, cart_pole]
    }

    fn search_ranges() -> Vec<SearchRange> {
        vec![
            ("sac.learning_rate", "log(1e-4, 3e-3)"),
            ("model_learning_rate", "log(1e-4, 1e-2)"),
            ("real_ratio", "uniform(0, 0.5)"),
        ]
    }
}

/// No more model transitions are kept.
const MAX_MODEL_TRANSITIONS: f64 = 1e8;

impl MbpoConfig {
    /// Checks what is MBPO's own; SAC checks what is its.
    pub(super) fn check(&self) -> Result<(), AgentError> {
        let Self { ensemble, rollouts, model_retain, .. } = *self;
        within("ensemble", ensemble, 1..=100, "1 to 100")?;
        within("elites", self.elites, 1..=ensemble, "1 to `ensemble`")?;
        check_widths("model_hidden", &self.model_hidden)?;
        within("model_learning_rate", self.model_learning_rate, 0.0..=1.0, "0 to 1")?;
        within("model_weight_decay", self.model_weight_decay, 0.0..=1.0, "0 to 1")?;
        let share = self.holdout;
        AgentError::require(share > 0.0 && share < 1.0, "holdout", &share, "a share in (0, 1)")?;
        within("real_ratio", self.real_ratio, 0.0..=1.0, "a share in [0, 1]")?;
        within("model_batch_size", self.model_batch_size, 1..=1 << 20, "1 to 1048576")?;
        within("patience", self.patience, 1..=1 << 20, "1 to 1048576")?;
        within("max_epochs", self.max_epochs, 1..=1 << 20, "1 to 1048576")?;
        within("rollouts", rollouts, 1..=1 << 20, "1 to 1048576")?;
        within("model_train_every", self.model_train_every, 1.., "at least 1")?;
        within("model_retain", model_retain, 1.., "at least 1")?;
        let expected = "lengths of 1 to 1000";
        self.rollout_length.check("rollout_length", 1.0, 1_000.0, expected)?;
        let longest = self.rollout_length.at(0.0).max(self.rollout_length.at(1.0));
        let kept = longest * rollouts as f64 * model_retain as f64;
        let expected = "at most 1e8 transitions: model_retain · rollouts · rollout_length";
        AgentError::require(
            kept <= MAX_MODEL_TRANSITIONS,
            "model_retain",
            &model_retain,
            expected,
        )?;
        let expected = "above 0, as a discount of 0 is how ends are remembered";
        within("gamma", self.sac.gamma, POSITIVE, expected)
    }

    /// The steps of a model rollout when so much of the training has passed.
    pub(super) fn length_at(&self, progress: f64) -> usize {
        rounding::floor(self.rollout_length.at(progress))
    }

    /// The model transitions that are kept while rollouts have that length.
    pub(super) fn kept(&self, length: usize) -> usize {
        self.model_retain as usize * self.rollouts * length
    }

    pub(super) fn fit(&self) -> FitConfig {
        FitConfig {
            learning_rate: self.model_learning_rate,
            batch_size: self.model_batch_size,
            patience: self.patience,
            max_epochs: self.max_epochs,
            elites: self.elites,
        }
    }
}
