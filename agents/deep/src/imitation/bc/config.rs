//! The settings of behaviour cloning, and those that suit the environments it was tuned on.

use std::path::PathBuf;

use gymnast_core::{
    data::Sampler,
    imbalance::ClassWeight,
    nn::{Activation, Engine, LayerConfig},
    supervised::FitConfig,
};
use gymnast_envs::Space;
use gymnast_harness::{AgentError, Demonstrations, Preset, Presets, SearchRange, Training, within};

use crate::{networks::network::NetworkSettings, settings};

settings! {
    /// The settings of [`Bc`](super::Bc).
    pub struct BcConfig {
        /// The file of recorded episodes to imitate, as `gymnast record` writes it.
        pub demonstrations: PathBuf = PathBuf::new(),
        /// The widths of the hidden layers.
        pub hidden: Vec<usize> = vec![64, 64],
        /// What follows each hidden layer.
        pub activation: Activation = Activation::Tanh,
        /// Layers that read an observation's pictures, of shape [H, W, C] or [H, W]; none, and they are
        /// read as rows: [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
        pub encoder: Vec<LayerConfig> = Vec::new(),
        /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
        /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "tanh" }].
        pub head: Vec<LayerConfig> = Vec::new(),
        /// What computes the gradients: "auto" (plain Rust where all layers have it, else libtorch), "plan"
        /// (plain Rust), "plan_bf16" (the same, with factors of products rounded to bf16, also to act: up to
        /// twice as fast where layers and minibatches are large and the processor knows bf16), "libtorch".
        pub engine: Engine = Engine::Auto,
        /// The minibatches learned from in each env step.
        pub updates_per_step: usize = 1,
        /// The passes over the recorded steps, at most.
        pub epochs: usize = FitConfig::default().epochs,
        /// The recorded steps of a minibatch.
        pub batch_size: usize = FitConfig::default().batch_size,
        /// Which recorded steps a minibatch is made of: `shuffled`, or `balanced` for as many of each
        /// action, where actions are finite.
        pub sampler: Sampler = Sampler::default(),
        /// How much a step counts by its action, where actions are finite: `uniform`, `balanced` for
        /// rare actions as much as frequent ones, `{ effective_number = { beta } }`, `{ given = […] }`.
        pub class_weight: ClassWeight = ClassWeight::default(),
        /// Adam's step size.
        pub learning_rate: f64 = FitConfig::default().optimizer.lr(),
        /// The weight decay of AdamW.
        pub weight_decay: f64 = 0.0,
        /// The share of the episodes that is held out, to tell which weights are the best, in [0, 1).
        pub validation_share: f64 = 0.2,
        /// The epochs without improvement after which it stops learning; 0: never before its end.
        pub patience: usize = FitConfig::default().patience,
        /// The least fall of the loss that counts as an improvement.
        pub min_delta: f64 = FitConfig::default().min_delta,
        /// The logarithm of the standard deviation of the actions tried while learning, where they are
        /// real-valued.
        pub log_std: f64 = -1.0,
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
            engine: self.engine,
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
        within("updates_per_step", self.updates_per_step, 1..=1 << 16, "1 to 65536")?;
        within("epochs", self.epochs, 1..=1 << 24, "1 to 16777216")?;
        within("batch_size", self.batch_size, 1..=1 << 16, "1 to 65536")?;
        let rate = self.learning_rate;
        let (fits, expected) = (rate > 0.0 && rate <= 1.0, "a step size in (0, 1]");
        AgentError::require(fits, "learning_rate", &rate, expected)?;
        within("validation_share", self.validation_share, 0.0..1.0, "a share in [0, 1)")?;
        within("log_std", self.log_std, -20.0..=2.0, "a logarithm in [-20, 2]")?;
        within("weight_decay", self.weight_decay, 0.0..f64::INFINITY, "a number from 0 on")?;
        within("min_delta", self.min_delta, 0.0..f64::INFINITY, "a number from 0 on")
    }
}
