//! The cost of a network: parameters, memory, arithmetic and training time.
//!
//! A multiplication and the addition of its product are 2 FLOP. Only matrix products and
//! convolutions are counted, as `torch.utils.flop_counter` and Kaplan et al. do: biases,
//! activations, normalisation and pooling are small beside them. For a batch of B examples:
//!
//! ```text
//! a linear layer         2 · B · inputs · outputs
//! a convolution          2 · B · H' · W' · C' · C · kernel²
//! the backward pass      2 × the forward pass: a product for the gradient by what came in, one
//!                        for that by the weights
//! training               3 × the forward passes of all examples of all epochs
//! ```
//!
//! Sources: Kaplan et al. 2020, <https://arxiv.org/abs/2001.08361>, section 2.1 (a backward pass is
//! about two forward passes); Amodei and Hernandez 2018, "AI and compute", appendix (2 FLOP for an
//! add-multiply, 3 for forward and backward pass; petaflop/s-days; a third of the peak as a usual
//! utilisation).
//!
//! ```
//! use gymnast_core::cost::{Hardware, NetworkCost, pfs_days, training_flop};
//! use gymnast_core::nn::{Activation, NetworkConfig};
//!
//! let config = NetworkConfig::mlp(&[512, 512], Activation::Relu).linear_head(10);
//! let cost = NetworkCost::of(&config, &[784], 1)?;
//! assert_eq!(cost.parameters(), 784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10);
//! assert_eq!(cost.forward_flop(), 2 * (784 * 512 + 512 * 512 + 512 * 10));
//! println!("{cost}"); // layer by layer
//!
//! // 20 epochs of 60,000 examples on a processor of 100 GFLOP/s, a third of which is used.
//! let flop = training_flop(cost.forward_flop(), 60_000, 20);
//! let hardware = Hardware::new(100e9, 1.0 / 3.0)?;
//! assert!((hardware.seconds(flop) - 144.4).abs() < 0.1);
//! assert!((pfs_days(flop) - 5.57e-8).abs() < 0.01e-8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use thiserror::Error;

use crate::nn::{LayerConfig, LayerShape, NetworkConfig, NetworkError, PlacedLayer};
use crate::text::number;

/// The FLOP of one petaflop/s-day.
const PFS_DAY: f64 = 1e15 * 86_400.0;
/// Training passes for each forward pass: itself, and a backward pass that costs two.
const PASSES: f64 = 3.0;

/// Why a cost cannot be computed.
#[derive(Debug, Error)]
pub enum CostError {
    /// The configuration describes no valid network.
    #[error(transparent)]
    Network(#[from] NetworkError),
    /// A custom layer does not report its cost.
    #[error("layer {layer} ({kind}) does not report its cost: implement its `Layer::forward_flop`")]
    Unknown {
        /// The layer's name.
        layer: String,
        /// The kind of layer.
        kind: &'static str,
    },
    /// A batch without examples, or with too many.
    #[error("batch must be from 1 to 2³² − 1 examples, got {got}")]
    Batch {
        /// The number of examples given.
        got: usize,
    },
    /// A setting of the hardware is out of range.
    #[error("{what}, got {}", number(*got))]
    Hardware {
        /// What is needed.
        what: &'static str,
        /// The value given.
        got: f64,
    },
}

/// The cost of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerCost {
    /// The name of the layer, such as `encoder.0`.
    pub name: String,
    /// The kind of the layer, such as `conv2d`.
    pub kind: &'static str,
    /// The shape of its output for one example.
    pub output: LayerShape,
    /// The number of its parameters.
    pub parameters: usize,
    /// The FLOP of a forward pass of the batch.
    pub forward_flop: u64,
    /// The bytes of its output for the batch, which a backward pass reads. Some layers overwrite
    /// their input instead.
    pub activation_bytes: u64,
}

/// The cost of a network for one batch, layer by layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkCost {
    /// The number of examples in the batch.
    pub batch: usize,
    /// The bytes of the batch's inputs.
    pub input_bytes: u64,
    /// The layers, first to last, those of a residual block before the block itself.
    pub layers: Vec<LayerCost>,
}

impl NetworkCost {
    /// Computes the cost of the described network for a batch of examples of shape `input`, without
    /// building it.
    ///
    /// # Errors
    /// [`CostError::Batch`]; [`CostError::Network`] if the configuration is not valid.
    pub fn of(config: &NetworkConfig, input: &[usize], batch: usize) -> Result<Self, CostError> {
        // Below the limits of a network every count then fits into 64 bits.
        let examples = u32::try_from(batch).ok().filter(|&n| n > 0);
        let examples = u64::from(examples.ok_or(CostError::Batch { got: batch })?);
        let bytes = |shape: LayerShape| examples * 4 * shape.size() as u64; // of f32
        let layer = |layer: PlacedLayer| {
            Ok(LayerCost {
                kind: layer.config.kind(),
                output: layer.output,
                parameters: layer.parameters,
                forward_flop: examples.saturating_mul(flop(&layer)?),
                activation_bytes: bytes(layer.output),
                name: layer.name,
            })
        };
        let layers = flat(config.layers(input)?).into_iter().map(layer);
        let layers = layers.collect::<Result<_, CostError>>()?;
        Ok(Self { batch, input_bytes: bytes(LayerShape::of(input)?), layers })
    }

    /// Returns the number of parameters of all layers.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|layer| layer.parameters).sum()
    }

    /// Returns the bytes of the parameters and their gradients. Adam's two moments take as much
    /// again.
    pub fn parameter_bytes(&self) -> u64 {
        2 * 4 * self.parameters() as u64
    }

    /// Returns the bytes of all activations, the batch included: the most that training keeps for
    /// the backward pass. Evaluation keeps those of two layers at a time.
    pub fn activation_bytes(&self) -> u64 {
        self.input_bytes + self.layers.iter().map(|layer| layer.activation_bytes).sum::<u64>()
    }

    /// Returns the FLOP of a forward pass of the batch, at most `u64::MAX`.
    pub fn forward_flop(&self) -> u64 {
        self.layers.iter().fold(0, |sum: u64, layer| sum.saturating_add(layer.forward_flop))
    }
}

/// The layers within others before those that they are in.
fn flat(layers: Vec<PlacedLayer>) -> Vec<PlacedLayer> {
    let mut all = Vec::new();
    for mut layer in layers {
        all.extend(flat(std::mem::take(&mut layer.inner)));
        all.push(layer);
    }
    all
}

/// The FLOP of one example's forward pass, without those of layers within it.
fn flop(layer: &PlacedLayer) -> Result<u64, CostError> {
    let products = match (&layer.config, layer.output) {
        (LayerConfig::Linear { outputs, .. }, _) => [layer.input.size(), *outputs, 1],
        (LayerConfig::Conv2d { kernel, .. }, output) => {
            [output.size(), layer.input.channels(), kernel * kernel]
        }
        (LayerConfig::Custom(custom), _) => {
            return custom.forward_flop(layer.input).ok_or_else(|| CostError::Unknown {
                layer: layer.name.clone(),
                kind: layer.config.kind(),
            });
        }
        _ => return Ok(0),
    };
    Ok(products.iter().fold(2, |product: u64, &n| product.saturating_mul(n as u64)))
}

impl fmt::Display for NetworkCost {
    /// Prints a table: a line for each layer, then the totals.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |cells: [&dyn fmt::Display; 6]| {
            let [name, kind, output, parameters, flop, bytes] = cells;
            writeln!(
                f,
                "{name:<12} {kind:<16} {output:<16} {parameters:>12} {flop:>16} {bytes:>16}"
            )
        };
        line([&"layer", &"kind", &"output", &"parameters", &"forward FLOP", &"activation bytes"])?;
        line([&"", &"input", &"", &0, &0, &self.input_bytes])?;
        for layer in &self.layers {
            let LayerCost { name, kind, output, parameters, forward_flop, activation_bytes } =
                layer;
            line([name, kind, output, parameters, forward_flop, activation_bytes])?;
        }
        let batch = format!("batch of {}", self.batch);
        let sums = (self.parameters(), self.forward_flop(), self.activation_bytes());
        line([&"all", &"", &batch, &sums.0, &sums.1, &sums.2])
    }
}

/// Returns the FLOP of training: three forward passes for each of `examples` in each of `epochs`;
/// `forward_flop` is the cost of one example's forward pass.
pub fn training_flop(forward_flop: u64, examples: u64, epochs: u64) -> f64 {
    PASSES * forward_flop as f64 * examples as f64 * epochs as f64
}

/// Converts FLOP to petaflop/s-days of 8.64 · 10¹⁹ FLOP.
pub fn pfs_days(flop: f64) -> f64 {
    flop / PFS_DAY
}

/// A processor, by its peak speed and utilisation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hardware {
    peak: f64,
    utilisation: f64,
}

impl Hardware {
    /// Creates hardware with a peak in FLOP per second and the fraction of it in use.
    ///
    /// # Errors
    /// [`CostError::Hardware`] unless the peak is finite and > 0 and the utilisation in (0, 1].
    pub fn new(peak: f64, utilisation: f64) -> Result<Self, CostError> {
        let error = |what, got| Err(CostError::Hardware { what, got });
        if !(peak > 0.0 && peak.is_finite()) {
            return error("peak must be finite and > 0 FLOP per second", peak);
        }
        if !(utilisation > 0.0 && utilisation <= 1.0) {
            return error("utilisation must be in (0, 1]", utilisation);
        }
        Ok(Self { peak, utilisation })
    }

    /// Returns the FLOP done in a second.
    pub fn flop_per_second(self) -> f64 {
        self.peak * self.utilisation
    }

    /// Returns the seconds needed for `flop`.
    pub fn seconds(self, flop: f64) -> f64 {
        flop / self.flop_per_second()
    }

    /// Returns the petaflop/s-days done in `seconds`: the cost of a training whose network is
    /// unknown.
    pub fn pfs_days(self, seconds: f64) -> f64 {
        pfs_days(seconds * self.flop_per_second())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Activation;

    #[test]
    fn a_perceptron_by_hand() {
        let config = NetworkConfig::mlp(&[5], Activation::Tanh).linear_head(2);
        let cost = NetworkCost::of(&config, &[3], 4).unwrap();
        assert_eq!(cost.parameters(), 3 * 5 + 5 + 5 * 2 + 2);
        assert_eq!(cost.forward_flop(), 4 * 2 * (3 * 5 + 5 * 2));
        assert_eq!(cost.activation_bytes(), 4 * 4 * (3 + 5 + 5 + 2));
        assert_eq!(cost.parameter_bytes(), 2 * 4 * 32);
    }

    #[test]
    fn a_cnn_by_hand() {
        let config = NetworkConfig::cnn(&[4], 10, Activation::Relu).linear_head(3);
        let cost = NetworkCost::of(&config, &[6, 8, 2], 2).unwrap();
        // 3 by 3 over 6 · 8 places, 2 channels to 4; then 3 · 4 · 4 = 48 numbers to 10, to 3.
        assert_eq!(cost.forward_flop(), 2 * 2 * (6 * 8 * 4 * 2 * 9 + 48 * 10 + 10 * 3));
        let convolution = 4 * 2 * 9 + 4;
        assert_eq!(cost.parameters(), convolution + 2 * 4 + 48 * 10 + 10 + 10 * 3 + 3);
        let numbers = 96 + 3 * 192 + 2 * 48 + 2 * 10 + 3;
        assert_eq!(cost.activation_bytes(), 2 * 4 * numbers);
    }

    #[test]
    fn a_residual_block_costs_what_is_within_it() {
        let layers = vec![LayerConfig::linear(3)];
        let encoder = vec![LayerConfig::linear(3), LayerConfig::Residual { layers }];
        let config = NetworkConfig { encoder, ..NetworkConfig::default() };
        let cost = NetworkCost::of(&config, &[2], 1).unwrap();
        assert_eq!(cost.parameters(), 9 + 12);
        assert_eq!(cost.forward_flop(), 2 * (6 + 9));
        let names: Vec<_> = cost.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, ["encoder.0", "encoder.1.0", "encoder.1"]);
    }

    #[test]
    fn tells_a_table() {
        let config = NetworkConfig::cnn(&[4], 10, Activation::Relu);
        let table = NetworkCost::of(&config, &[6, 8, 2], 2).unwrap().to_string();
        let lines: Vec<Vec<&str>> =
            table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines.len(), 1 + 1 + 7 + 1);
        assert_eq!(lines[1], ["input", "0", "0", "768"]);
        assert_eq!(lines[2], ["encoder.0", "conv2d", "[6,", "8,", "4]", "76", "13824", "1536"]);
        assert_eq!(lines[9][..4], ["all", "batch", "of", "2"]);
    }

    #[test]
    fn time_and_pfs_days_by_hand() {
        let flop = training_flop(1_000_000, 2_000, 5); // 3 · 10¹⁰
        assert_eq!(flop, 3e10);
        let hardware = Hardware::new(1e10, 0.5).unwrap();
        assert_eq!(hardware.seconds(flop), 6.0);
        assert_eq!(pfs_days(8.64e19), 1.0);
        assert!((hardware.pfs_days(6.0) / pfs_days(flop) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn nonsense_is_an_error() {
        let config = NetworkConfig::mlp(&[5], Activation::Tanh);
        assert!(matches!(NetworkCost::of(&config, &[3], 0), Err(CostError::Batch { got: 0 })));
        assert!(matches!(NetworkCost::of(&config, &[], 1), Err(CostError::Network(_))));
        assert!(matches!(NetworkCost::of(&config, &[0], 1), Err(CostError::Network(_))));
        for (peak, utilisation) in
            [(0.0, 0.5), (f64::NAN, 0.5), (f64::INFINITY, 0.5), (1.0, 0.0), (1.0, 1.1)]
        {
            let error = Hardware::new(peak, utilisation);
            assert!(matches!(error, Err(CostError::Hardware { .. })), "{peak} {utilisation}");
        }
    }
}
