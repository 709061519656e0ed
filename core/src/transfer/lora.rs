//! LoRA: low-rank adaptation.

use std::ops::Range;

use rand::Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{TransferError, check_size};
use crate::nn::{
    Additions, LayerConfig, LowRank, Network, NetworkError, Parameters, ParametersBuilder,
    PlacedLayer, Sequential, described_with_numbers,
};
use crate::require;

/// The settings of [`Lora`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LoraConfig {
    /// The rank of the addition to a layer's weights; ≥ 1.
    pub rank: usize,
    /// The scale of the addition: it is multiplied by `alpha / rank`; > 0.
    pub alpha: f64,
    /// The names of the layers to adapt, such as `encoder.0`; empty: all fully connected layers outside
    /// residual blocks.
    pub layers: Vec<String>,
}

impl Default for LoraConfig {
    /// Rank 4 and α = 8 for all layers.
    fn default() -> Self {
        Self { rank: 4, alpha: 8.0, layers: Vec::new() }
    }
}

/// A frozen network with trainable low-rank additions to its fully connected layers (Hu et al.
/// 2021, <https://arxiv.org/abs/2106.09685>):
///
/// ```text
/// y = x W + b + (α / r) (x A) B,   A: [inputs, r],   B: [r, outputs]
/// ```
///
/// A is initialised like a layer's weights in PyTorch, B is zero, so the network's function is
/// unchanged at first. The [`parameters`](Network::parameters) are A and B of each layer,
/// `encoder.0.lora_a` and so on; biases, other layers and running statistics are frozen. The base
/// network stays in evaluation mode, without dropout.
#[derive(Debug)]
pub struct Lora {
    base: Sequential,
    config: LoraConfig,
    additions: Additions,
    weights: Vec<(Range<usize>, Place)>,
    parameters: Parameters,
}

/// A layer's part and its place there.
#[derive(Debug, Clone, Copy)]
enum Place {
    Encoder(usize),
    Head(usize),
}

impl Lora {
    /// Adds trainable matrices to the layers of a network. A is drawn from `rng`.
    ///
    /// # Errors
    /// [`TransferError::Setting`]; [`TransferError::Network`] if the additions have more than
    /// [`MAX_PARAMETERS`](crate::nn::MAX_PARAMETERS); [`TransferError::UnknownLayer`], also if the
    /// network has no fully connected layers.
    pub fn new<R: Rng + ?Sized>(
        mut base: Sequential,
        config: &LoraConfig,
        rng: &mut R,
    ) -> Result<Self, TransferError> {
        let &LoraConfig { rank, alpha, ref layers } = config;
        require(rank > 0, "rank", rank as f64, "at least 1")?;
        require(alpha > 0.0 && alpha.is_finite(), "alpha", alpha, "positive and finite")?;
        let placed = base.config().layers(&base.input_shape().of_example())?;
        let is_linear = |layer: &PlacedLayer| matches!(layer.config, LayerConfig::Linear { .. });
        let known: Vec<_> =
            placed.iter().filter(|l| is_linear(l)).map(|l| l.name.clone()).collect();
        let chosen = if layers.is_empty() { &known } else { layers };
        let missing = chosen.iter().find(|name| !known.contains(name));
        if let Some(name) = missing.cloned().or(known.is_empty().then(String::new)) {
            return Err(TransferError::UnknownLayer { name, known });
        }
        let adapted = placed.iter().filter(|layer| chosen.contains(&layer.name));
        let of_rank_1: usize = adapted.map(|layer| layer.input.size() + layer.output.size()).sum();
        check_size("the parameters of low-rank additions", rank.saturating_mul(of_rank_1))?;
        let mut builder = ParametersBuilder::new();
        let (mut additions, mut weights) = (Additions::default(), Vec::new());
        let in_encoder = base.config().encoder.len();
        for (i, PlacedLayer { name, input, output, .. }) in placed.iter().enumerate() {
            let addition = if chosen.contains(name) {
                let place =
                    if i < in_encoder { Place::Encoder(i) } else { Place::Head(i - in_encoder) };
                weights.push((base.parameters().range_of(&format!("{name}.weight"))?, place));
                let (widths, scale) = ((input.size(), output.size()), alpha / rank as f64);
                Some(LowRank::new(name, widths, rank, scale, &mut builder)?)
            } else {
                None
            };
            let part = if i < in_encoder { &mut additions.encoder } else { &mut additions.head };
            part.push(addition);
        }
        let parameters = builder.build(rng)?;
        base.set_training(false);
        base.parameters_mut().set_requires_grad(false);
        Ok(Self { base, config: config.clone(), additions, weights, parameters })
    }

    /// Returns the base network, without the additions.
    pub fn base(&self) -> &Sequential {
        &self.base
    }

    /// Returns the base network and drops the additions.
    pub fn into_base(mut self) -> Sequential {
        self.base.parameters_mut().set_requires_grad(true);
        self.base
    }

    /// Merges the additions into the weights, so that the network costs no more than the base. It
    /// computes the same up to rounding.
    pub fn merge(mut self) -> Merged {
        let original = self.base.parameters().to_vec();
        for (range, place) in &self.weights {
            let addition = match *place {
                Place::Encoder(i) => &self.additions.encoder[i],
                Place::Head(i) => &self.additions.head[i],
            };
            let delta = addition.as_ref().expect("the layers listed are adapted").weight();
            let weights = &mut self.base.parameters_mut().values_mut()[range.clone()];
            let mut added = vec![0.0; weights.len()];
            delta.copy_data(&mut added, weights.len());
            weights.iter_mut().zip(added).for_each(|(weight, added)| *weight += added);
        }
        self.base.parameters_mut().set_requires_grad(true);
        Merged { lora: self, original }
    }
}

impl Network for Lora {
    fn inputs(&self) -> usize {
        self.base.inputs()
    }

    fn outputs(&self) -> usize {
        self.base.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.base.forward_adapted(input, &self.additions)
    }

    crate::nn::parameters_are_all!();

    fn description(&self) -> String {
        format!("{:?} of {}", self.config, described_with_numbers(&self.base))
    }

    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        self.base.check_input(input)
    }
}

/// A [`Lora`] with its additions merged into the weights.
#[derive(Debug)]
pub struct Merged {
    lora: Lora,
    original: Vec<f32>,
}

impl Merged {
    /// Returns the network with the merged weights.
    pub fn network(&self) -> &Sequential {
        &self.lora.base
    }

    /// Returns the network with the merged weights and drops the additions.
    pub fn into_network(self) -> Sequential {
        self.lora.base
    }

    /// Removes the additions again. The weights are the original ones, bit for bit: a copy was
    /// kept, because subtraction would not restore them.
    pub fn unmerge(mut self) -> Lora {
        let base = self.lora.base.parameters_mut();
        base.values_mut().copy_from_slice(&self.original);
        base.set_requires_grad(false);
        self.lora
    }
}
