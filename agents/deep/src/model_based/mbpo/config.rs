//! The settings of MBPO, and those that suit the environments it was tuned on.

use gymnast_core::rounding;
use gymnast_harness::{AgentError, Preset, Presets, Schedule, SearchRange, Training};
use serde::{Deserialize, Serialize};

use super::fit::FitConfig;
use crate::{networks::learned::check_widths, off_policy::sac::SacConfig};

gymnast_harness::documented! {
    /// The settings of [`Mbpo`](super::Mbpo).
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct MbpoConfig {
        /// The networks of the model.
        pub ensemble: usize,
        /// The networks that predict: those with the least holdout loss.
        pub elites: usize,
        /// The widths of the hidden layers of the model's networks.
        pub model_hidden: Vec<usize>,
        /// Adam's step size for the model.
        pub model_learning_rate: f64,
        /// The transitions of one update of one network of the model.
        pub model_batch_size: usize,
        /// How strongly the model's weights are drawn to zero.
        pub model_weight_decay: f64,
        /// The share of what really happened that only judges the model.
        pub holdout: f64,
        /// A training of the model ends after so many epochs without a better holdout loss …
        pub patience: usize,
        /// … or after so many in all.
        pub max_epochs: usize,
        /// Env steps between two trainings of the model, from `sac.learning_starts` on.
        pub model_train_every: u64,
        /// The model rollouts of an env step.
        pub rollouts: usize,
        /// The steps of a model rollout, rounded down: at least 1.
        pub rollout_length: Schedule,
        /// The model's transitions are kept for at least so many env steps.
        pub model_retain: u64,
        /// The share of an update's transitions that really happened.
        pub real_ratio: f64,
        /// The SAC inside: settings as of `sac`, its buffer is for what really happened.
        pub sac: SacConfig,
    }
}

impl Default for MbpoConfig {
    /// The authors', with a cap on epochs.
    fn default() -> Self {
        Self {
            ensemble: 7,
            elites: 5,
            model_hidden: vec![200; 4],
            model_learning_rate: 1e-3,
            model_batch_size: 256,
            model_weight_decay: 5e-5,
            holdout: 0.2,
            patience: 5,
            max_epochs: 1_000,
            model_train_every: 250,
            rollouts: 400,
            rollout_length: 1.0.into(),
            model_retain: 1_000,
            real_ratio: 0.05,
            sac: SacConfig { gradient_steps: 20, ..SacConfig::default() },
        }
    }
}

impl Presets for MbpoConfig {
    fn presets() -> Vec<Preset<Self>> {
        let source = "tuned here";
        // Rollouts of five steps lead up to where no real one has been. Small networks do for a model
        // of three numbers; SAC's settings are nearly those it has alone.
        let pendulum = Preset {
            env: "Pendulum-v1",
            settings: Self {
                model_hidden: vec![64, 64, 64],
                model_batch_size: 64,
                model_weight_decay: 0.0,
                patience: 10,
                model_train_every: 100,
                rollouts: 20,
                rollout_length: 5.0.into(),
                sac: SacConfig {
                    hidden: vec![64, 64],
                    learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
                    gamma: 0.98,
                    reward_scale: 0.1,
                    tau: 0.02,
                    alpha: 0.1,
                    buffer_size: 10_000,
                    batch_size: 128,
                    learning_starts: 200,
                    gradient_steps: 10,
                    ..SacConfig::default()
                },
                ..Self::default()
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
                model_hidden: vec![64, 64, 64],
                model_batch_size: 64,
                model_weight_decay: 0.0,
                patience: 10,
                model_train_every: 200,
                rollouts: 50,
                rollout_length: 2.0.into(),
                sac: SacConfig {
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
                },
                ..Self::default()
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
        let require = AgentError::require;
        let Self { ensemble, elites, model_hidden, rollouts, model_retain, .. } = self;
        require((1..=100).contains(ensemble), "ensemble", ensemble, "1 to 100")?;
        require((1..=*ensemble).contains(elites), "elites", elites, "1 to `ensemble`")?;
        check_widths("model_hidden", model_hidden)?;
        let rate = self.model_learning_rate;
        require((0.0..=1.0).contains(&rate), "model_learning_rate", &rate, "0 to 1")?;
        let decay = self.model_weight_decay;
        require((0.0..=1.0).contains(&decay), "model_weight_decay", &decay, "0 to 1")?;
        let share = self.holdout;
        require(share > 0.0 && share < 1.0, "holdout", &share, "a share in (0, 1)")?;
        let share = self.real_ratio;
        require((0.0..=1.0).contains(&share), "real_ratio", &share, "a share in [0, 1]")?;
        for (key, count) in [
            ("model_batch_size", self.model_batch_size),
            ("patience", self.patience),
            ("max_epochs", self.max_epochs),
            ("rollouts", *rollouts),
        ] {
            require((1..=1 << 20).contains(&count), key, &count, "1 to 1048576")?;
        }
        for (key, steps) in
            [("model_train_every", self.model_train_every), ("model_retain", *model_retain)]
        {
            require(steps > 0, key, &steps, "at least 1")?;
        }
        let expected = "lengths of 1 to 1000";
        self.rollout_length.check("rollout_length", 1.0, 1_000.0, expected)?;
        let longest = self.rollout_length.at(0.0).max(self.rollout_length.at(1.0));
        let kept = longest * *rollouts as f64 * *model_retain as f64;
        let expected = "at most 1e8 transitions: model_retain · rollouts · rollout_length";
        require(kept <= MAX_MODEL_TRANSITIONS, "model_retain", model_retain, expected)?;
        let gamma = self.sac.gamma;
        let expected = "above 0, as a discount of 0 is how ends are remembered";
        require(gamma > 0.0, "gamma", &gamma, expected)
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
