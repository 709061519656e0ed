//! The multilayer perceptron.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{Activation, LayerConfig, LayerShape, Layers, Net, NetworkError};
use crate::init::Init;

/// The layers of a multilayer perceptron between its inputs and outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlpConfig {
    /// The widths of the hidden layers, first to last.
    pub hidden: Vec<usize>,
    /// The activation after each hidden layer.
    pub activation: Activation,
    /// The initialiser of the hidden layers' weights.
    pub weight: Init,
    /// The initialiser of the output layer's weights.
    pub output_weight: Init,
    /// The initialiser of all biases.
    pub bias: Init,
}

impl Default for MlpConfig {
    /// Two layers of 64 with ReLU, initialised like PyTorch's `nn.Linear`.
    fn default() -> Self {
        Self {
            hidden: vec![64, 64],
            activation: Activation::Relu,
            weight: Init::LinearDefault,
            output_weight: Init::LinearDefault,
            bias: Init::LinearDefault,
        }
    }
}

impl MlpConfig {
    /// Returns the hidden layers, each followed by its activation.
    pub fn hidden_layers(&self) -> Vec<LayerConfig> {
        let Self { hidden, activation, weight, bias, .. } = self;
        let layer = |&outputs: &usize| {
            let linear = LayerConfig::Linear { outputs, weight: *weight, bias: *bias };
            [linear, (*activation).into()]
        };
        hidden.iter().flat_map(layer).collect()
    }

    /// Returns all layers, including the output layer.
    pub fn layers(&self, outputs: usize) -> Vec<LayerConfig> {
        let mut layers = self.hidden_layers();
        let (weight, bias) = (self.output_weight, self.bias);
        layers.push(LayerConfig::Linear { outputs, weight, bias });
        layers
    }

    /// Creates a multilayer perceptron and draws its initial parameters from `rng`. They are called
    /// `0.weight`, `0.bias`, `1.weight`, …, by the number of the fully connected layer.
    ///
    /// # Errors
    /// As [`Layers::new`].
    pub fn build<R: Rng + ?Sized>(
        &self,
        inputs: usize,
        outputs: usize,
        rng: &mut R,
    ) -> Result<Net, NetworkError> {
        let (layers, input) = (self.layers(outputs), LayerShape::of(&[inputs])?);
        Net::new(|builder| Ok(Box::new(Layers::new(&layers, "", input, 0, builder)?)), rng)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use tch::Tensor;

    use super::*;
    use crate::nn::Network as _;

    #[test]
    fn forward_by_hand() {
        let config = MlpConfig { hidden: vec![2], ..MlpConfig::default() };
        let mut mlp = config.build(2, 1, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        //                          W₁                     b₁          W₂          b₂
        mlp.parameters_mut().load(&[1.0, -3.0, 2.0, 4.0, 0.5, -0.5, 10.0, 100.0, 1.0]).unwrap();
        let output = mlp.forward(&Tensor::from_slice(&[1.0_f32, 1.0, 1.0, 0.0]).view([2, 2]));
        // ReLU(1 + 2 + 0.5, −3 + 4 − 0.5) = (3.5, 0.5); ReLU(1 + 0.5, −3 − 0.5) = (1.5, 0)
        assert_eq!(Vec::<f32>::try_from(output.view(-1)).unwrap(), [86.0, 16.0]);
        let names: Vec<_> = mlp.named_parameters().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["0.weight", "0.bias", "1.weight", "1.bias"]);
    }

    #[test]
    fn bad_widths_are_errors() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let config = MlpConfig { hidden: vec![8, 0], ..MlpConfig::default() };
        assert!(matches!(config.build(2, 1, rng), Err(NetworkError::Layer { .. })));
        assert!(MlpConfig::default().build(0, 1, rng).is_err());
        assert!(MlpConfig::default().build(1, 0, rng).is_err());
        let orthogonal = Init::Orthogonal { gain: 1.0 };
        let config = MlpConfig { bias: orthogonal, ..MlpConfig::default() };
        assert!(matches!(config.build(2, 1, rng), Err(NetworkError::Init(_))));
    }

    #[test]
    fn config_survives_json() {
        let config = MlpConfig { weight: Init::Orthogonal { gain: 1.5 }, ..MlpConfig::default() };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<MlpConfig>(&json).unwrap(), config);
        assert!(serde_json::from_str::<MlpConfig>(r#"{"hiden": [3]}"#).is_err());
    }
}
