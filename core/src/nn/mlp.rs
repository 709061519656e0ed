//! The multilayer perceptron.

use rand::Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{
    Activation, LayerConfig, Linear, MAX_LAYERS, Network, NetworkError, Parameters,
    ParametersBuilder, Plan,
};
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
}

/// The layers of a perceptron, declared on the [`Parameters`] of a larger network.
#[derive(Debug)]
pub struct MlpLayers {
    hidden: Vec<Linear>,
    activation: Activation,
    output: Option<Linear>,
    inputs: usize,
}

impl MlpLayers {
    /// Declares the hidden layers and the output layer.
    pub fn new(
        config: &MlpConfig,
        inputs: usize,
        outputs: usize,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let mut layers = Self::body(config, inputs, builder)?;
        let width = layers.outputs();
        layers.output =
            Some(Linear::new(width, outputs, config.output_weight, config.bias, builder)?);
        Ok(layers)
    }

    /// Declares the hidden layers only, each followed by its activation: a body for several heads.
    pub fn body(
        config: &MlpConfig,
        inputs: usize,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        if config.hidden.len() > MAX_LAYERS {
            return Err(NetworkError::TooLarge {
                what: "a perceptron's layers",
                limit: MAX_LAYERS,
            });
        }
        let mut hidden = Vec::with_capacity(config.hidden.len());
        let mut width = inputs;
        for &next in &config.hidden {
            hidden.push(Linear::new(width, next, config.weight, config.bias, builder)?);
            width = next;
        }
        Ok(Self { hidden, activation: config.activation, output: None, inputs })
    }

    /// Returns the number of inputs.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the number of outputs.
    pub fn outputs(&self) -> usize {
        self.output.as_ref().or(self.hidden.last()).map_or(self.inputs, Linear::outputs)
    }

    /// Maps `[B, inputs]` to `[B, outputs]`.
    ///
    /// # Panics
    /// If `input` has the wrong width or is not `f32`.
    pub fn forward(&self, input: &Tensor) -> Tensor {
        let mut layers = self.hidden.iter();
        let mut x = match layers.next() {
            Some(first) => self.activation.forward(first.forward(input)), // [B, hidden[0]]
            None => input.shallow_clone(),
        };
        for layer in layers {
            x = self.activation.forward(layer.forward(&x)); // [B, hidden[i]]
        }
        match &self.output {
            Some(output) => output.forward(&x), // [B, outputs]
            None => x,
        }
    }

    /// Returns the widths and the activation: "4-64-64-2, relu", inputs and outputs included.
    pub fn description(&self) -> String {
        let widths = self.linear().into_iter().map(Linear::outputs);
        let widths = std::iter::once(self.inputs).chain(widths).map(|width| width.to_string());
        format!("{}, {}", widths.collect::<Vec<_>>().join("-"), self.activation.name())
    }

    /// Returns the fully connected layers, first to last.
    pub fn linear(&self) -> Vec<&Linear> {
        self.hidden.iter().chain(&self.output).collect()
    }

    /// Returns the plan that evaluates the layers without libtorch.
    pub fn plan(&self) -> Plan {
        self.append_to(Plan::new(self.inputs))
    }

    /// Appends the layers to a plan.
    pub(super) fn append_to(&self, mut plan: Plan) -> Plan {
        for layer in &self.hidden {
            plan = plan.then(layer, self.activation);
        }
        match &self.output {
            Some(output) => plan.then(output, Activation::Identity),
            None => plan,
        }
    }
}

/// A multilayer perceptron that owns its parameters.
#[derive(Debug)]
pub struct Mlp {
    layers: MlpLayers,
    plan: Plan,
    parameters: Parameters,
}

impl Mlp {
    /// Creates the network and draws its initial parameters from `rng`.
    pub fn new<R: Rng + ?Sized>(
        config: &MlpConfig,
        inputs: usize,
        outputs: usize,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        let mut builder = ParametersBuilder::new();
        let layers = MlpLayers::new(config, inputs, outputs, &mut builder)?;
        Ok(Self { plan: layers.plan(), layers, parameters: builder.build(rng)? })
    }

    /// Returns the plan that evaluates the network without libtorch. Every perceptron has one.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Network for Mlp {
    fn inputs(&self) -> usize {
        self.layers.inputs()
    }

    fn outputs(&self) -> usize {
        self.layers.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.layers.forward(input)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn plan(&self) -> Option<&Plan> {
        Some(&self.plan)
    }

    fn training_plan(&self) -> Option<&Plan> {
        Some(&self.plan)
    }

    fn description(&self) -> String {
        format!("a perceptron {}", self.layers.description())
    }

    fn after_step(&mut self) -> Result<(), NetworkError> {
        Ok(())
    }

    super::parameters_are_all!();
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn forward_by_hand() {
        let config = MlpConfig { hidden: vec![2], ..MlpConfig::default() };
        let mut mlp = Mlp::new(&config, 2, 1, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        //                          W₁                     b₁          W₂          b₂
        mlp.parameters_mut().load(&[1.0, -3.0, 2.0, 4.0, 0.5, -0.5, 10.0, 100.0, 1.0]).unwrap();
        let output = mlp.forward(&Tensor::from_slice(&[1.0_f32, 1.0, 1.0, 0.0]).view([2, 2]));
        // ReLU(1 + 2 + 0.5, −3 + 4 − 0.5) = (3.5, 0.5); ReLU(1 + 0.5, −3 − 0.5) = (1.5, 0)
        assert_eq!(Vec::<f32>::try_from(output.view(-1)).unwrap(), [86.0, 16.0]);
    }

    #[test]
    fn bad_widths_are_errors() {
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let config = MlpConfig { hidden: vec![8, 0], ..MlpConfig::default() };
        assert!(matches!(Mlp::new(&config, 2, 1, rng), Err(NetworkError::Empty { .. })));
        assert!(Mlp::new(&MlpConfig::default(), 0, 1, rng).is_err());
        assert!(Mlp::new(&MlpConfig::default(), 1, 0, rng).is_err());
        let orthogonal = Init::Orthogonal { gain: 1.0 };
        let config = MlpConfig { bias: orthogonal, ..MlpConfig::default() };
        assert!(matches!(Mlp::new(&config, 2, 1, rng), Err(NetworkError::Init(_))));
    }

    #[test]
    fn config_survives_json() {
        let config = MlpConfig { weight: Init::Orthogonal { gain: 1.5 }, ..MlpConfig::default() };
        let json = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<MlpConfig>(&json).unwrap(), config);
        assert!(serde_json::from_str::<MlpConfig>(r#"{"hiden": [3]}"#).is_err());
    }
}
