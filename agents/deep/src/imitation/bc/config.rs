//! The settings of behaviour cloning, and those that suit the environments it was tuned on.

use std::path::PathBuf;

use gymnast_core::{
    data::Sampler,
    imbalance::ClassWeight,
    nn::{Activation, LayerConfig},
    supervised::FitConfig,
};
use gymnast_envs::Space;
use gymnast_harness::{AgentError, Demonstrations, Preset, Presets, SearchRange, Training};
use serde::{Deserialize, Serialize};

use crate::networks::network::NetworkSettings;

gymnast_harness::documented! {
    /// The settings of [`Bc`](super::Bc).
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct BcConfig {
        /// The file of recorded episodes to imitate, as `gymnast record` writes it.
        pub demonstrations: PathBuf,
        /// The widths of the hidden layers.
        pub hidden: Vec<usize>,
        /// What follows each hidden layer.
        pub activation: Activation,
        /// Layers that read an observation's pictures, of shape [H, W, C] or [H, W]; none, and they are
        /// read as rows: [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
        pub encoder: Vec<LayerConfig>,
        /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
        /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "tanh" }].
        pub head: Vec<LayerConfig>,
        /// The minibatches learned from an env step.
        pub updates_per_step: usize,
        /// The passes over the recorded steps, at most.
        pub epochs: usize,
        /// The recorded steps of a minibatch.
        pub batch_size: usize,
        /// Which recorded steps a minibatch is made of: `shuffled`, or `balanced` for as many of each
        /// action, where actions are finite.
        pub sampler: Sampler,
        /// How much a step counts by its action, where actions are finite: `uniform`, `balanced` for
        /// rare actions as much as frequent ones, `{ effective_number = { beta } }`, `{ given = […] }`.
        pub class_weight: ClassWeight,
        /// Adam's step size.
        pub learning_rate: f64,
        /// How strongly weights are pulled to zero.
        pub weight_decay: f64,
        /// The share of the episodes that is held out, to tell which weights are the best, in [0, 1).
        pub validation_share: f64,
        /// The epochs without improvement after which it stops learning; 0: never before its end.
        pub patience: usize,
        /// By how much the loss has to fall to count as improved.
        pub min_delta: f64,
        /// The logarithm of the standard deviation of the actions tried while learning, where they are
        /// real-valued.
        pub log_std: f64,
    }
}

impl Default for BcConfig {
    fn default() -> Self {
        let FitConfig { epochs, batch_size, optimizer, patience, min_delta, .. } =
            FitConfig::default();
        Self {
            demonstrations: PathBuf::new(),
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            encoder: Vec::new(),
            head: Vec::new(),
            updates_per_step: 1,
            epochs,
            batch_size,
            sampler: Sampler::default(),
            class_weight: ClassWeight::default(),
            learning_rate: optimizer.lr(),
            weight_decay: 0.0,
            validation_share: 0.2,
            patience,
            min_delta,
            log_std: -1.0,
        }
    }
}

impl Presets for BcConfig {
    fn presets() -> Vec<Preset<Self>> {
        let training = Training { env_steps: 10_000, ..Training::default() };
        let source = "tuned here over 10 seeds, on 25 episodes of PPO";
        vec![Preset { env: "CartPole-v1", settings: Self::default(), training, source }]
    }

    fn search_ranges() -> Vec<SearchRange> {
        vec![("learning_rate", "log(1e-5, 1e-2)"), ("weight_decay", "log(1e-6, 0.1)")]
    }
}

impl BcConfig {
    /// Reads the episodes to imitate.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where no file is named; [`AgentError::Demonstrations`], naming
    /// the line, where it holds no episodes of these spaces.
    pub fn read_demonstrations<O: Space, A: Space>(
        &self,
        observation_space: O,
        action_space: A,
    ) -> Result<Demonstrations<O, A>, AgentError> {
        let path = &self.demonstrations;
        let expected = "a file of episodes to imitate: record some with `gymnast record RUN --out \
                        FILE`, and name it with `--set demonstrations=FILE`";
        AgentError::require(!path.as_os_str().is_empty(), "demonstrations", path, expected)?;
        Ok(Demonstrations::read(path, observation_space, action_space)?)
    }

    pub(super) fn network(&self) -> NetworkSettings {
        NetworkSettings {
            encoder: self.encoder.clone(),
            head: self.head.clone(),
            hidden: self.hidden.clone(),
            activation: self.activation,
        }
    }

    pub(super) fn fit(&self) -> FitConfig {
        FitConfig {
            epochs: self.epochs,
            batch_size: self.batch_size,
            sampler: self.sampler,
            patience: self.patience,
            min_delta: self.min_delta,
            ..FitConfig::adam_w(self.learning_rate, self.weight_decay)
        }
    }

    pub(super) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        for (key, count, most) in [
            ("updates_per_step", self.updates_per_step, 1 << 16),
            ("epochs", self.epochs, 1 << 24),
            ("batch_size", self.batch_size, 1 << 16),
        ] {
            require((1..=most).contains(&count), key, &count, "at least 1, and not absurdly many")?;
        }
        let rate = self.learning_rate;
        require(rate > 0.0 && rate <= 1.0, "learning_rate", &rate, "a step size in (0, 1]")?;
        let share = self.validation_share;
        require((0.0..1.0).contains(&share), "validation_share", &share, "a share in [0, 1)")?;
        let log_std = self.log_std;
        let fits = (-20.0..=2.0).contains(&log_std);
        require(fits, "log_std", &log_std, "a logarithm in [-20, 2]")?;
        for (key, value) in [("weight_decay", self.weight_decay), ("min_delta", self.min_delta)] {
            require(value >= 0.0 && value.is_finite(), key, &value, "a number from 0 on")?;
        }
        Ok(())
    }
}
