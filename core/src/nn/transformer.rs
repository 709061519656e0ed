//! A small transformer that reads a row as a sequence.

use rand::Rng;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::attention::{Prefix, layer_norm, rows};
use super::normalization::Normalization;
use super::{
    Activation, Linear, MAX_LAYERS, MAX_PARAMETERS, Network, NetworkError, Parameter, Parameters,
    ParametersBuilder, TransformerEncoderLayer,
};
use crate::init::{Fans, Init};

/// The layers of a transformer between its inputs and outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TransformerConfig {
    /// The length of the sequence that a row is cut into. Must divide the row's width.
    pub places: usize,
    /// The number of features at each position between the blocks, PyTorch's `d_model`.
    pub width: usize,
    /// The number of attention heads. Must divide `width`.
    pub heads: usize,
    /// The hidden width of a block's two fully connected layers, PyTorch's `dim_feedforward`.
    pub feed_forward: usize,
    /// The number of blocks.
    pub layers: usize,
    /// The activation between the two fully connected layers.
    pub activation: Activation,
    /// Whether a block normalises the inputs of attention and layers (pre-norm) instead of the sums
    /// (post-norm).
    pub norm_first: bool,
}

impl Default for TransformerConfig {
    /// Two blocks of width 32 with four heads, over eight positions.
    fn default() -> Self {
        Self {
            places: 8,
            width: 32,
            heads: 4,
            feed_forward: 64,
            layers: 2,
            activation: Activation::Relu,
            norm_first: false,
        }
    }
}

/// A transformer for rows: `[B, inputs]`, each cut into a sequence, to `[B, outputs]`.
///
/// It adds an embedding of the numbers at each position and a learned embedding of the position,
/// applies the blocks ([`TransformerEncoderLayer`]), averages over the positions, and ends with a
/// fully connected layer. With `norm_first`, one more normalisation follows the last block.
#[derive(Debug)]
pub struct Transformer {
    config: TransformerConfig,
    embedding: Linear,
    position: Parameter,
    blocks: Vec<TransformerEncoderLayer>,
    norm: Option<Normalization>,
    head: Linear,
    parameters: Parameters,
}

impl Transformer {
    /// Creates the network and draws its initial parameters from `rng`. They are called
    /// `embedding`, `position`, `layers.0.attention.in_projection` and so on, `head`.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] if `places` does not divide the inputs or `heads` the width;
    /// [`NetworkError::Empty`] for a width of 0; [`NetworkError::TooLarge`].
    pub fn new<R: Rng + ?Sized>(
        config: &TransformerConfig,
        inputs: usize,
        outputs: usize,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        config.check(inputs, outputs)?;
        let &TransformerConfig { places, width, layers, norm_first, .. } = config;
        let builder = &mut ParametersBuilder::new();
        let linear = |name: &str, inputs, outputs, builder: &mut ParametersBuilder| {
            builder.scope(name);
            Linear::new(inputs, outputs, Init::LinearDefault, Init::LinearDefault, builder)
        };
        let embedding = linear("embedding", inputs / places, width, builder)?;
        builder.scope("position");
        let (small, fans) =
            (Init::Normal { mean: 0.0, std: 0.02 }, Fans { fan_in: places, fan_out: width });
        let position = builder.of_layer("weight", &[places, width], small, fans)?;
        let blocks = (0..layers)
            .map(|i| TransformerEncoderLayer::new(config, &format!("layers.{i}"), builder))
            .collect::<Result<_, _>>()?;
        let norm = norm_first.then(|| layer_norm("norm", width, builder)).transpose()?;
        let head = linear("head", width, outputs, builder)?;
        let parameters = std::mem::take(builder).build(rng)?;
        Ok(Self { config: config.clone(), embedding, position, blocks, norm, head, parameters })
    }

    /// Returns the configuration it was built from.
    pub fn config(&self) -> &TransformerConfig {
        &self.config
    }

    /// Evaluates as [`forward`](Network::forward) with a prefix for each block, first to last, or
    /// without any.
    ///
    /// # Panics
    /// As `forward`; if the number of prefixes is neither 0 nor the number of blocks.
    pub fn forward_prefixed(&self, input: &Tensor, prefixes: &[Prefix]) -> Tensor {
        let enough = prefixes.is_empty() || prefixes.len() == self.blocks.len();
        assert!(enough, "a prefix for each block: {} for {}", prefixes.len(), self.blocks.len());
        let size = input.size();
        let fits = size.len() == 2 && size[1] == self.inputs() as i64;
        assert!(fits, "a network reads rows of shape [B, {}], got {size:?}", self.inputs());
        let sequence = [size[0], self.config.places as i64, self.embedding.inputs() as i64];
        let x = rows(&input.reshape(sequence), |x| self.embedding.forward(x));
        let mut x = x + self.position.view(); // [B, T, width]
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(&x, prefixes.get(i));
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(&x, false);
        }
        self.head.forward(&x.mean_dim(1, false, Kind::Float)) // [B, outputs]
    }
}

impl TransformerConfig {
    /// Checks that the network can be built, before memory is allocated.
    fn check(&self, inputs: usize, outputs: usize) -> Result<(), NetworkError> {
        let &Self { places, width, feed_forward, layers, .. } = self;
        for (what, n) in [
            ("a transformer's inputs", inputs),
            ("a transformer's outputs", outputs),
            ("a transformer's width", width),
            ("a transformer's feed_forward", feed_forward),
        ] {
            if n == 0 {
                return Err(NetworkError::Empty { what });
            }
        }
        if places == 0 || !inputs.is_multiple_of(places) {
            return Err(NetworkError::Layer {
                layer: "embedding".to_owned(),
                kind: "transformer",
                need: "places, at least 1, that divide the inputs",
                got: format!("{places} places of {inputs} inputs"),
            });
        }
        if layers > MAX_LAYERS {
            return Err(NetworkError::TooLarge {
                what: "a transformer's layers",
                limit: MAX_LAYERS,
            });
        }
        // A block has 4 W² + 2 W F weights and no more than that many others.
        let block = width
            .saturating_mul(width.saturating_mul(4).saturating_add(feed_forward.saturating_mul(2)));
        let ends = width.saturating_mul(inputs.saturating_add(outputs));
        if block.saturating_mul(layers.max(1)).saturating_add(ends) > MAX_PARAMETERS {
            let (what, limit) = ("a transformer's parameters", MAX_PARAMETERS);
            return Err(NetworkError::TooLarge { what, limit });
        }
        Ok(())
    }
}

impl Network for Transformer {
    fn description(&self) -> String {
        format!("a transformer {}-{}, {:?}", self.inputs(), self.outputs(), self.config)
    }

    super::parameters_are_all!();

    fn inputs(&self) -> usize {
        self.config.places * self.embedding.inputs()
    }

    fn outputs(&self) -> usize {
        self.head.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.forward_prefixed(input, &[])
    }
}
