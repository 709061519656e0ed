//! The settings of DQN.

use gymnast_core::nn::{
    Activation, ConvConfig, Engine, LayerConfig, MlpConfig, Module, Net, Network as _,
    ParametersBuilder, QNetworkConfig,
};
use gymnast_harness::{AgentError, POSITIVE, Schedule, within};

use super::{Distribution, Values};
use crate::{
    networks::network::{BuildNetwork, NetworkSettings, Wanted},
    off_policy::{check_gradient_steps, check_rates},
    settings,
};

/// The hidden layers where none are set.
const HIDDEN: [usize; 2] = [128, 128];

settings! {
    /// The settings of [`Dqn`](super::Dqn).
    pub struct DqnConfig {
        /// The convolutions that read an observation's pictures, of shape [H, W, C] or [H, W], each with
        /// `activation` behind it; none, and they are read as rows:
        /// [{ channels = 16, kernel = 3, stride = 1 }] is MinAtar's.
        pub conv: Vec<ConvConfig> = vec![],
        /// The widths of the network's hidden layers.
        pub hidden: Vec<usize> = HIDDEN.to_vec(),
        /// What follows each convolution and each hidden layer.
        pub activation: Activation = Activation::Relu,
        /// Layers in the place of `conv`:
        /// [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
        pub encoder: Vec<LayerConfig> = vec![],
        /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
        /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "relu" }].
        pub head: Vec<LayerConfig> = vec![],
        /// What computes the gradients: "auto" (plain Rust where all layers have it, else libtorch), "plan"
        /// (plain Rust), "plan_bf16" (the same, with factors of products rounded to bf16, also to act: up to
        /// twice as fast where layers and minibatches are large and the processor knows bf16), "libtorch".
        pub engine: Engine = Engine::Auto,
        /// Adam's step size.
        pub learning_rate: Schedule = Schedule::linear(1e-3, 0.0, 1.0),
        /// The discount γ, in [−1, 1]; negative where the next observation is the other player's,
        /// whose gain is one's own loss.
        pub gamma: f64 = 0.99,
        /// Rewards are multiplied by this before they are learned from: with it the values can be
        /// brought near 1, where a fresh network's are.
        pub reward_scale: f64 = 1.0,
        /// The steps whose rewards a target sums before it bootstraps: 1 is the paper's.
        pub n_step: usize = 1,
        /// The share of random actions ε, in [0, 1]; 0 suits noisy weights.
        pub epsilon: Schedule = Schedule::linear(1.0, 0.05, 0.1),
        /// The transitions that the memory holds.
        pub buffer_size: usize = 100_000,
        /// The transitions of an update.
        pub batch_size: usize = 64,
        /// The env steps before the first update.
        pub learning_starts: u64 = 1_000,
        /// Env steps between two rounds of updates.
        pub train_every: u64 = 1,
        /// Updates in each round, 1 to 10000.
        pub gradient_steps: u64 = 1,
        /// Env steps between two moves of the target network.
        pub target_every: u64 = 1,
        /// The share of the way that the target network moves: 1 is the paper's copy.
        pub tau: f64 = 0.005,
        /// The gradient's norm is clipped to this.
        pub max_grad_norm: f64 = 10.0,
        /// Evaluate with an average of the weights over roughly this fraction of past updates (0: off).
        pub average: f64 = 0.0,
        /// Select the successor's action with the online network (double DQN).
        pub double: bool = true,
        /// Split the network into the state's value and the actions' advantages (dueling DQN).
        pub dueling: bool = false,
        /// How much more often what surprised is replayed, α in [0, 1] (prioritized replay); 0 draws
        /// uniformly.
        pub priority_exponent: f64 = 0.0,
        /// How far the loss corrects for that, β in [0, 1]; fully at 1.
        pub importance_exponent: Schedule = Schedule::linear(0.4, 1.0, 1.0),
        /// Added to every error before it becomes a priority, so that none is 0.
        pub priority_offset: f64 = 1e-6,
        /// The initial deviation σ₀ of noisy weights, which explore (NoisyNets; 0.5 is the paper's);
        /// 0: no noise.
        pub noise: f64 = 0.0,
        /// What is learned of the return: its mean alone ("none"), probabilities of fixed returns
        /// ("categorical": C51) or quantiles ("quantile": QR-DQN).
        pub distribution: Distribution = Distribution::None,
        /// The fixed returns or the quantiles of a distribution, 2 at least.
        pub atoms: usize = 51,
        /// The least of the fixed returns, in scaled rewards.
        pub v_min: f64 = -10.0,
        /// The greatest of the fixed returns, in scaled rewards.
        pub v_max: f64 = 10.0,
        /// How much a contrastive loss of the convolutions' features counts beside the values' (CURL);
        /// 0: there is none.
        pub contrastive: f64 = 0.0,
        /// The contrastive loss divides cosines by this.
        pub contrastive_temperature: f64 = 0.1,
        /// The contrastive loss shifts pictures by at most this number of pixels.
        pub contrastive_shift: usize = 1,
    }
}

impl DqnConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        check_rates(&self.learning_rate, self.tau)?;
        self.epsilon.check("epsilon", 0.0, 1.0, "a share in [0, 1]")?;
        let beta = &self.importance_exponent;
        beta.check("importance_exponent", 0.0, 1.0, "an exponent in [0, 1]")?;
        within("gamma", self.gamma, -1.0..=1.0, "a discount in [−1, 1]")?;
        let alpha = self.priority_exponent;
        within("priority_exponent", alpha, 0.0..=1.0, "an exponent in [0, 1]")?;
        within("average", self.average, 0.0..=1.0, "a share in [0, 1]")?;
        within("reward_scale", self.reward_scale, POSITIVE, "a positive number")?;
        within("priority_offset", self.priority_offset, POSITIVE, "a positive number")?;
        let (norm, low, high) = (self.max_grad_norm, self.v_min, self.v_max);
        require(norm > 0.0, "max_grad_norm", &norm, "a positive number")?;
        within("noise", self.noise, 0.0..=10.0, "a deviation in [0, 10]")?;
        within("atoms", self.atoms, 2..=1024, "2 to 1024")?;
        let is_range = low.is_finite() && high.is_finite() && low < high;
        require(is_range, "v_max", &high, "a number above `v_min`")?;
        within("contrastive", self.contrastive, 0.0..=1e3, "a weight in [0, 1000]")?;
        let temperature = self.contrastive_temperature;
        within("contrastive_temperature", temperature, POSITIVE, "a positive number")?;
        if self.contrastive > 0.0 {
            let (shift, batch) = (self.contrastive_shift, self.batch_size);
            within("contrastive_shift", shift, 1.., "at least 1: views have to differ")?;
            within("batch_size", batch, 2.., "at least 2 to contrast one with another")?;
        }
        within("buffer_size", self.buffer_size, 1..u32::MAX as usize, "1 to 4294967294")?;
        within("batch_size", self.batch_size, 1..=1 << 20, "1 to 1048576")?;
        within("n_step", self.n_step, 1..=1 << 20, "1 to 1048576")?;
        within("train_every", self.train_every, 1.., "at least 1")?;
        within("target_every", self.target_every, 1.., "at least 1")?;
        check_gradient_steps(self.gradient_steps)
    }

    /// Whether rows are replayed by their priorities.
    pub(super) fn is_prioritized(&self) -> bool {
        self.priority_exponent > 0.0
    }

    /// What builds networks of these settings.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where those of the layers are out of range.
    pub(super) fn builder(&self) -> Result<Box<BuildNetwork<'static>>, AgentError> {
        let (conv, activation) = (&self.conv, self.activation);
        let sizes = 1..=1024;
        let fits = |layer: &ConvConfig| {
            [layer.channels, layer.kernel, layer.stride].iter().all(|size| sizes.contains(size))
        };
        let fits = conv.len() <= 8 && conv.iter().all(fits);
        let require = AgentError::require;
        require(fits, "conv", conv, "at most 8 layers, their numbers 1 to 1024")?;
        let alone = conv.is_empty() || self.encoder.is_empty();
        require(alone, "encoder", &self.encoder, "layers without `conv` beside them")?;
        let (encoder, head) = (self.encoder.clone(), self.head.clone());
        let (hidden, engine) = (self.hidden.clone(), self.engine);
        let settings = NetworkSettings { encoder, head, hidden, activation, engine };
        settings.check(&HIDDEN)?;
        let mlp = MlpConfig { hidden: settings.hidden.clone(), activation, ..MlpConfig::default() };
        let network = QNetworkConfig {
            hidden: settings.hidden_layers(&mlp),
            encoder: match conv.as_slice() {
                [] => settings.encoder,
                conv => ConvConfig::layers(conv, activation),
            },
            dueling: self.dueling,
            atoms: Values::new(self).atoms(),
            noise: None, // the agent's own matter
            dropout_seed: 0,
        };
        Ok(Box::new(move |wanted: &Wanted<'_>, builder: &mut ParametersBuilder| {
            let network = QNetworkConfig { dropout_seed: wanted.dropout_seed, ..network.clone() };
            let actions = wanted.outputs / network.atoms;
            let network = network.declare(wanted.parts, actions, builder)?;
            Ok(Box::new(network) as Box<dyn Module>)
        }))
    }

    /// Checks that the network can be used as the settings say.
    pub(super) fn check_network(&self, network: &Net) -> Result<(), AgentError> {
        let require = AgentError::require;
        let (weight, noise) = (self.contrastive, self.noise);
        let fits = weight == 0.0 || !network.encoder_range().is_empty();
        require(fits, "contrastive", &weight, "0 unless `conv` or `encoder` reads observations")?;
        let fits = noise == 0.0 || network.plan().is_some();
        require(fits, "noise", &noise, "0 where only libtorch evaluates the network")
    }
}
