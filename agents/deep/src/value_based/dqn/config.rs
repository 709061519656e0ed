//! The settings of DQN.

use gymnast_core::nn::{
    Activation, ConvConfig, LayerConfig, MlpConfig, Module, Net, Network as _, ParametersBuilder,
    QNetworkConfig,
};
use gymnast_harness::{AgentError, Schedule};
use serde::{Deserialize, Serialize};

use super::{Distribution, Values};
use crate::{
    networks::network::{BuildNetwork, NetworkSettings, Wanted},
    off_policy::{check_gradient_steps, check_rates},
};

/// The hidden layers where none are set.
const HIDDEN: [usize; 2] = [128, 128];

gymnast_harness::documented! {
    /// The settings of [`Dqn`](super::Dqn).
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct DqnConfig {
        /// The convolutions that read an observation's pictures, of shape [H, W, C] or [H, W], each with
        /// `activation` behind it; none, and they are read as rows:
        /// [{ channels = 16, kernel = 3, stride = 1 }] is MinAtar's.
        pub conv: Vec<ConvConfig>,
        /// The widths of the network's hidden layers.
        pub hidden: Vec<usize>,
        /// What follows each convolution and each hidden layer.
        pub activation: Activation,
        /// Layers in the place of `conv`:
        /// [{ conv2d = { channels = 16, kernel = 3 } }, { activation = "relu" }].
        pub encoder: Vec<LayerConfig>,
        /// Layers in the place of `hidden`, with `hidden = []`, before the output layer:
        /// [{ linear = { outputs = 64 } }, { layer_norm = {} }, { activation = "relu" }].
        pub head: Vec<LayerConfig>,
        /// Adam's step size.
        pub learning_rate: Schedule,
        /// The discount γ, in [−1, 1]; negative where the next observation is the other player's,
        /// whose gain is one's own loss.
        pub gamma: f64,
        /// Rewards are multiplied by this before they are learned from: with it the values can be
        /// brought near 1, where a fresh network's are.
        pub reward_scale: f64,
        /// The steps whose rewards a target sums before it bootstraps: 1 is the paper's.
        pub n_step: usize,
        /// The share of random actions ε, in [0, 1]; 0 suits noisy weights.
        pub epsilon: Schedule,
        /// The transitions that the memory holds.
        pub buffer_size: usize,
        /// The transitions of an update.
        pub batch_size: usize,
        /// The env steps before the first update.
        pub learning_starts: u64,
        /// Env steps between two rounds of updates.
        pub train_every: u64,
        /// Updates in each round, 1 to 10000.
        pub gradient_steps: u64,
        /// Env steps between two moves of the target network.
        pub target_every: u64,
        /// The share of the way that the target network moves: 1 is the paper's copy.
        pub tau: f64,
        /// The gradient's norm is clipped to this.
        pub max_grad_norm: f64,
        /// Evaluate with an average of the weights over roughly this fraction of past updates (0: off).
        pub average: f64,
        /// Select the successor's action with the online network (double DQN).
        pub double: bool,
        /// Split the network into the state's value and the actions' advantages (dueling DQN).
        pub dueling: bool,
        /// How much more often what surprised is replayed, α in [0, 1] (prioritized replay); 0 draws
        /// uniformly.
        pub priority_exponent: f64,
        /// How far the loss corrects for that, β in [0, 1]; fully at 1.
        pub importance_exponent: Schedule,
        /// Added to every error before it becomes a priority, so that none is 0.
        pub priority_offset: f64,
        /// The initial deviation σ₀ of noisy weights, which explore (NoisyNets; 0.5 is the paper's);
        /// 0: no noise.
        pub noise: f64,
        /// What is learned of the return: its mean alone ("none"), probabilities of fixed returns
        /// ("categorical": C51) or quantiles ("quantile": QR-DQN).
        pub distribution: Distribution,
        /// The fixed returns or the quantiles of a distribution, 2 at least.
        pub atoms: usize,
        /// The least of the fixed returns, in scaled rewards.
        pub v_min: f64,
        /// The greatest of the fixed returns, in scaled rewards.
        pub v_max: f64,
        /// How much a contrastive loss of the convolutions' features counts beside the values' (CURL);
        /// 0: there is none.
        pub contrastive: f64,
        /// The contrastive loss divides cosines by this.
        pub contrastive_temperature: f64,
        /// The contrastive loss shifts pictures by at most this number of pixels.
        pub contrastive_shift: usize,
    }
}

impl Default for DqnConfig {
    fn default() -> Self {
        Self {
            conv: vec![],
            hidden: HIDDEN.to_vec(),
            activation: Activation::Relu,
            encoder: vec![],
            head: vec![],
            learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
            gamma: 0.99,
            reward_scale: 1.0,
            n_step: 1,
            epsilon: Schedule::linear(1.0, 0.05, 0.1),
            buffer_size: 100_000,
            batch_size: 64,
            learning_starts: 1_000,
            train_every: 1,
            gradient_steps: 1,
            target_every: 1,
            tau: 0.005,
            max_grad_norm: 10.0,
            average: 0.0,
            double: true,
            dueling: false,
            priority_exponent: 0.0,
            importance_exponent: Schedule::linear(0.4, 1.0, 1.0),
            priority_offset: 1e-6,
            noise: 0.0,
            distribution: Distribution::None,
            atoms: 51,
            v_min: -10.0,
            v_max: 10.0,
            contrastive: 0.0,
            contrastive_temperature: 0.1,
            contrastive_shift: 1,
        }
    }
}

impl DqnConfig {
    pub(super) fn check(&self) -> Result<(), AgentError> {
        let require = AgentError::require;
        check_rates(&self.learning_rate, self.tau)?;
        self.epsilon.check("epsilon", 0.0, 1.0, "a share in [0, 1]")?;
        let beta = &self.importance_exponent;
        beta.check("importance_exponent", 0.0, 1.0, "an exponent in [0, 1]")?;
        let (unit, gamma, alpha) = (0.0..=1.0, self.gamma, self.priority_exponent);
        require((-1.0..=1.0).contains(&gamma), "gamma", &gamma, "a discount in [−1, 1]")?;
        require(unit.contains(&alpha), "priority_exponent", &alpha, "an exponent in [0, 1]")?;
        let average = self.average;
        require(unit.contains(&average), "average", &average, "a share in [0, 1]")?;
        for (key, value) in
            [("reward_scale", self.reward_scale), ("priority_offset", self.priority_offset)]
        {
            require(value > 0.0 && value.is_finite(), key, &value, "a positive number")?;
        }
        let (norm, noise) = (self.max_grad_norm, self.noise);
        require(norm > 0.0, "max_grad_norm", &norm, "a positive number")?;
        require((0.0..=10.0).contains(&noise), "noise", &noise, "a deviation in [0, 10]")?;
        let (atoms, low, high) = (self.atoms, self.v_min, self.v_max);
        require((2..=1024).contains(&atoms), "atoms", &atoms, "2 to 1024")?;
        let is_range = low.is_finite() && high.is_finite() && low < high;
        require(is_range, "v_max", &high, "a number above `v_min`")?;
        let (weight, temperature) = (self.contrastive, self.contrastive_temperature);
        let fits = (0.0..=1e3).contains(&weight);
        require(fits, "contrastive", &weight, "a weight in [0, 1000]")?;
        let fits = temperature > 0.0 && temperature.is_finite();
        require(fits, "contrastive_temperature", &temperature, "a positive number")?;
        if weight > 0.0 {
            let (shift, batch) = (self.contrastive_shift, self.batch_size);
            require(shift > 0, "contrastive_shift", &shift, "at least 1: views have to differ")?;
            require(batch > 1, "batch_size", &batch, "at least 2 to contrast one with another")?;
        }
        let size = self.buffer_size;
        let rows = 1..u32::MAX as usize;
        require(rows.contains(&size), "buffer_size", &size, "1 to 4294967294")?;
        for (key, value) in [("batch_size", self.batch_size), ("n_step", self.n_step)] {
            require((1..=1 << 20).contains(&value), key, &value, "1 to 1048576")?;
        }
        for (key, value) in [("train_every", self.train_every), ("target_every", self.target_every)]
        {
            require(value > 0, key, &value, "at least 1")?;
        }
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
        let settings = NetworkSettings { encoder, head, hidden: self.hidden.clone(), activation };
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
