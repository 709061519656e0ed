//! A network of layers in sequence, built from plain data.

mod file;

use std::ops::Range;

use rand::Rng;
use tch::Tensor;

use super::dropout::Masks;
use super::layers;
use super::low_rank::Additions;
use super::{
    Buffers, LayerConfig, LayerShape, Layers, Module as _, NamedParameter, Network, NetworkConfig,
    NetworkError, Parameters, ParametersBuilder, Plan, check_rows,
};

/// A network of layers in sequence, in two parts: an encoder and a head ([`NetworkConfig`]). Both
/// share one flat vector of parameters.
///
/// It is in evaluation mode until [`set_training`](Network::set_training). Parameters are called
/// `encoder.0.weight`, `head.2.bias` and so on, by the layer's index in its part.
///
/// Pictures are read as rows, `[B, H · W · C]`, the channels of a pixel side by side. If the last
/// layer returns pictures, they are returned in the same form. Between layers they are PyTorch's
/// `[B, C, H, W]`, so a linear layer behind [`Flatten`](super::LayerConfig::Flatten) reads the same
/// as PyTorch's. Weights of convolutions have PyTorch's layout; those of linear layers are
/// transposed ([`Linear`](super::Linear)).
#[derive(Debug)]
pub struct Sequential {
    config: NetworkConfig,
    encoder: Layers,
    head: Layers,
    training: bool,
    encoder_frozen: bool,
    plan: Option<Plan>,
    parameters: Parameters,
}

impl Sequential {
    /// Creates the network and draws its initial parameters from `rng`, first to last. `input` is
    /// the shape of an example: `[N]`, or for pictures `[H, W, C]` or `[H, W]`.
    ///
    /// # Errors
    /// All before memory for parameters is allocated: [`NetworkError::Layer`] if a layer does not
    /// fit its input or a setting is out of its range; [`NetworkError::Kernel`] if a kernel is
    /// larger than its picture; [`NetworkError::TooLarge`] beyond
    /// [`MAX_LAYERS`](super::MAX_LAYERS), [`MAX_WIDTH`](super::MAX_WIDTH),
    /// [`MAX_PARAMETERS`](super::MAX_PARAMETERS) or [`MAX_ACTIVATIONS`](super::MAX_ACTIVATIONS);
    /// [`NetworkError::Init`] if an initialiser does not fit.
    pub fn new<R: Rng + ?Sized>(
        config: &NetworkConfig,
        input: &[usize],
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        config.check(input)?;
        let mut builder = ParametersBuilder::new();
        let NetworkConfig { encoder, head, dropout_seed } = config;
        let input = LayerShape::of(input)?;
        let encoder = Layers::new(encoder, "encoder", input, *dropout_seed, &mut builder)?;
        let features = encoder.output();
        let head = Layers::new(head, "head", features, *dropout_seed, &mut builder)?;
        let plan = encoder.append_to(Plan::new(input.size()));
        let plan = plan.and_then(|plan| head.append_to(plan));
        let parameters = builder.build(rng)?;
        Ok(Self {
            config: config.clone(),
            encoder,
            head,
            training: false,
            encoder_frozen: false,
            plan,
            parameters,
        })
    }

    /// Returns the configuration it was built from.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// Returns the shape of an input example.
    pub fn input_shape(&self) -> LayerShape {
        self.encoder.input()
    }

    /// Returns the number of features that [`encode`](Self::encode) returns.
    pub fn features(&self) -> usize {
        self.encoder.output().size()
    }

    /// Evaluates the encoder alone, in its current mode, differentiably: `[B, inputs]` to
    /// `[B, features]`.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn encode(&self, input: &Tensor) -> Tensor {
        let features = self.features_of(input, self.encoder_trains(), &Additions::default());
        self.encoder.output().write(features)
    }

    /// Evaluates the encoder alone in evaluation mode, whatever its mode, and without gradients.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn embed(&self, input: &Tensor) -> Tensor {
        let features = crate::nn::no_grad(|| self.features_of(input, false, &Additions::default()));
        self.encoder.output().write(features)
    }

    /// Evaluates the head alone on the features of [`encode`](Self::encode), in its current mode,
    /// differentiably: `[B, features]` to `[B, outputs]`.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn forward_head(&self, features: &Tensor) -> Tensor {
        let size = features.size();
        let fits = size.len() == 2 && size[1] == self.features() as i64;
        assert!(fits, "a head reads rows of shape [B, {}], got {size:?}", self.features());
        let least = if self.training { self.head.least_rows() } else { 0 };
        assert!(size[0] >= least, "in training at least {least} rows, got {}", size[0]);
        let x = self.head.input().read(features);
        let x = self.head.run(x, self.training, self.masks(), &[]);
        self.head.output().write(x)
    }

    /// Returns the range of the encoder's parameters in the flat vector.
    pub fn encoder_range(&self) -> Range<usize> {
        0..self.encoder_end()
    }

    /// Returns the range of the head's parameters in the flat vector.
    pub fn head_range(&self) -> Range<usize> {
        self.encoder_end()..self.parameters.len()
    }

    fn encoder_end(&self) -> usize {
        let named = self.parameters.named();
        let ends = named.iter().filter(|parameter| parameter.name.starts_with("encoder."));
        ends.map(|parameter| parameter.range.end).max().unwrap_or(0)
    }

    /// Keeps the encoder in evaluation mode, whatever [`set_training`](Network::set_training) says,
    /// or stops doing so. A frozen encoder should not change its running statistics either. Freeze
    /// the parameters in the optimiser ([`encoder_range`](Self::encoder_range)).
    pub fn set_encoder_frozen(&mut self, frozen: bool) {
        self.encoder_frozen = frozen;
    }

    /// Returns the dropout masks of both parts, which share one stream.
    fn masks(&self) -> &Masks {
        self.head.masks()
    }

    fn encoder_trains(&self) -> bool {
        self.training && !self.encoder_frozen
    }

    /// Copies the parameters and running statistics of another network's encoder. The heads may
    /// differ, and the other encoder may have more layers after these, such as a projector.
    ///
    /// # Errors
    /// [`NetworkError::Encoders`] if the inputs differ, or the layers differ from the first layers
    /// of the other encoder (initial values and dropout probabilities may differ). Then nothing has
    /// changed.
    pub fn load_encoder(&mut self, other: &Self) -> Result<(), NetworkError> {
        let layers = |network: &Self| -> Vec<LayerConfig> {
            network.config.encoder.iter().map(LayerConfig::evaluated).collect()
        };
        if self.input_shape() != other.input_shape() || !layers(other).starts_with(&layers(self)) {
            return Err(NetworkError::Encoders);
        }
        let range = self.encoder_range();
        self.parameters.values_mut()[range.clone()]
            .copy_from_slice(&other.parameters.values()[range]);
        self.encoder.load_running(&other.encoder.buffers().numbers); // the first of them
        Ok(())
    }

    /// Evaluates the encoder in the form that the head reads.
    fn features_of(&self, input: &Tensor, training: bool, additions: &Additions) -> Tensor {
        self.assert_rows(input, if training { self.encoder.least_rows() } else { 0 });
        let x = self.encoder.input().read(input);
        self.encoder.run(x, training, self.masks(), &additions.encoder)
    }

    /// Evaluates the network in evaluation mode with these additions to its fully connected layers:
    /// `[B, inputs]` to `[B, outputs]`.
    pub(crate) fn forward_adapted(&self, input: &Tensor, additions: &Additions) -> Tensor {
        self.run(input, false, false, additions)
    }

    fn run(
        &self,
        input: &Tensor,
        encoder_trains: bool,
        head_trains: bool,
        additions: &Additions,
    ) -> Tensor {
        let features = self.features_of(input, encoder_trains, additions);
        self.assert_rows(input, if head_trains { self.head.least_rows() } else { 0 });
        let x = self.head.run(features, head_trains, self.masks(), &additions.head);
        self.head.output().write(x) // [B, outputs]
    }

    fn assert_rows(&self, input: &Tensor, least: i64) {
        let size = input.size();
        let fits = size.len() == 2 && size[1] == self.inputs() as i64;
        assert!(fits, "a network reads rows of shape [B, {}], got {size:?}", self.inputs());
        assert!(size[0] >= least, "in training at least {least} rows, got {}", size[0]);
    }

    /// Returns the minimum number of rows in the current mode.
    fn least_rows(&self) -> i64 {
        let encoder = if self.encoder_trains() { self.encoder.least_rows() } else { 0 };
        let head = if self.training { self.head.least_rows() } else { 0 };
        encoder.max(head)
    }
}

impl Network for Sequential {
    fn inputs(&self) -> usize {
        self.encoder.input().size()
    }

    fn outputs(&self) -> usize {
        self.head.output().size()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.run(input, self.encoder_trains(), self.training, &Additions::default())
    }

    fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    fn training_plan(&self) -> Option<&Plan> {
        let encoder = match self.encoder_frozen {
            true => self.encoder.trains_as_evaluated(),
            false => self.encoder.trains_by_plan(),
        };
        self.plan.as_ref().filter(|_| encoder && self.head.trains_by_plan())
    }

    super::network::parameters_and_mode!();

    fn description(&self) -> String {
        format!("{:?} {:?} {}", self.config, self.input_shape(), self.encoder_frozen)
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        layers::named_buffers(&[&self.encoder, &self.head])
    }

    fn buffers(&self) -> Buffers {
        layers::buffers(&[&self.encoder, &self.head])
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        layers::load_buffers(vec![&mut self.encoder, &mut self.head], buffers)
    }

    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())?;
        let (least, got) = (self.least_rows(), input.size()[0]);
        if got < least { Err(NetworkError::Rows { least, got }) } else { Ok(()) }
    }

    /// Does nothing: no state follows the parameters.
    fn after_step(&mut self) -> Result<(), NetworkError> {
        Ok(())
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        crate::nn::no_grad(|| self.run(input, false, false, &Additions::default()))
    }
}

#[cfg(test)]
mod tests;
