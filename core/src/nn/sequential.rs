//! A network of layers one after another, described by plain data.

mod file;

use std::ops::Range;

use rand::Rng;
use tch::Tensor;

use super::dropout::Masks;
use super::low_rank::Additions;
use super::{
    Buffers, LayerConfig, LayerShape, Layers, Module as _, NamedParameter, Network, NetworkConfig,
    NetworkError, Parameters, ParametersBuilder, Plan, check_length, check_rows,
};

/// Layers one after another in two parts, an encoder and a head ([`NetworkConfig`]), which share one
/// flat vector of parameters.
///
/// It is in evaluation mode until [`set_training`](Network::set_training). Parameters are called
/// `encoder.0.weight`, `head.2.bias` and so on, by the layer's place in its part.
///
/// Pictures come in as rows, `[B, H · W · C]`, the channels of a pixel side by side, and leave so
/// where the last layer returns pictures. Between layers they are PyTorch's `[B, C, H, W]`, so a
/// linear layer behind [`Flatten`](super::LayerConfig::Flatten) reads what PyTorch's would. Weights of
/// convolutions have PyTorch's order, those of linear layers the transpose of it
/// ([`Linear`](super::Linear)).
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
    /// Builds it and draws its initial parameters from `rng`, first to last. `input` is the shape of
    /// an example: `[N]`, or of pictures `[H, W, C]` or `[H, W]`.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] where a layer does not fit what reaches it or a setting is out of its
    /// range, [`NetworkError::Kernel`] where a kernel is larger than its picture,
    /// [`NetworkError::TooLarge`] beyond [`MAX_LAYERS`](super::MAX_LAYERS),
    /// [`MAX_WIDTH`](super::MAX_WIDTH), [`MAX_PARAMETERS`](super::MAX_PARAMETERS) or
    /// [`MAX_ACTIVATIONS`](super::MAX_ACTIVATIONS), [`NetworkError::Init`] for an initialiser that does
    /// not fit: all before any memory is taken for parameters.
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

    /// What it was built from.
    pub fn config(&self) -> &NetworkConfig {
        &self.config
    }

    /// The shape of an example that it reads.
    pub fn input_shape(&self) -> LayerShape {
        self.encoder.input()
    }

    /// The width of a row that [`encode`](Self::encode) returns.
    pub fn features(&self) -> usize {
        self.encoder.output().size()
    }

    /// The encoder alone: `[B, inputs]` to `[B, features]`, in the encoder's mode, differentiable.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn encode(&self, input: &Tensor) -> Tensor {
        let features = self.features_of(input, self.encoder_trains(), &Additions::default());
        self.encoder.output().write(features)
    }

    /// [`encode`](Self::encode) in evaluation mode, whatever the mode is, and without gradients.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn embed(&self, input: &Tensor) -> Tensor {
        let features = crate::nn::no_grad(|| self.features_of(input, false, &Additions::default()));
        self.encoder.output().write(features)
    }

    /// The head alone, of what [`encode`](Self::encode) returned: `[B, features]` to `[B, outputs]`, in
    /// the head's mode, differentiable.
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

    /// Where the encoder's parameters lie in the flat vector.
    pub fn encoder_range(&self) -> Range<usize> {
        0..self.encoder_end()
    }

    /// Where the head's parameters lie in the flat vector.
    pub fn head_range(&self) -> Range<usize> {
        self.encoder_end()..self.parameters.len()
    }

    fn encoder_end(&self) -> usize {
        let named = self.parameters.named();
        let ends = named.iter().filter(|parameter| parameter.name.starts_with("encoder."));
        ends.map(|parameter| parameter.range.end).max().unwrap_or(0)
    }

    /// Keeps the encoder in evaluation mode, whatever [`set_training`](Network::set_training) says, or
    /// no longer: an encoder whose parameters stay as they are should not change its running
    /// statistics either. Freezing the parameters is the optimiser's part
    /// ([`encoder_range`](Self::encoder_range)).
    pub fn set_encoder_frozen(&mut self, frozen: bool) {
        self.encoder_frozen = frozen;
    }

    /// Dropout's masks of both parts, in one stream.
    fn masks(&self) -> &Masks {
        self.head.masks()
    }

    fn encoder_trains(&self) -> bool {
        self.training && !self.encoder_frozen
    }

    /// Takes over the encoder of another network, which may have another head, and an encoder that goes
    /// on with more layers, a projector for example: its parameters and its running statistics.
    ///
    /// # Errors
    /// [`NetworkError::Encoders`] where the inputs differ, or the layers (but for initial values and the
    /// probability of dropout) from the first layers of the other's; nothing has changed then.
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
        let mut numbers = Vec::new();
        other.encoder.append_running(&mut numbers);
        self.encoder.load_running(&numbers); // the first of them
        Ok(())
    }

    /// The encoder's result as the head reads it.
    fn features_of(&self, input: &Tensor, training: bool, additions: &Additions) -> Tensor {
        self.assert_rows(input, if training { self.encoder.least_rows() } else { 0 });
        let x = self.encoder.input().read(input);
        self.encoder.run(x, training, self.masks(), &additions.encoder)
    }

    /// In evaluation mode, its fully connected layers with these additions: `[B, inputs]` to
    /// `[B, outputs]`.
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

    /// The fewest rows that it reads in its present mode.
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

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    fn training(&self) -> bool {
        self.training
    }

    fn set_training(&mut self, training: bool) {
        self.training = training;
    }

    fn description(&self) -> String {
        format!("{:?} {:?} {}", self.config, self.input_shape(), self.encoder_frozen)
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        let mut named = Vec::new();
        self.encoder.append_named_running(&mut named);
        self.head.append_named_running(&mut named);
        named
    }

    fn buffers(&self) -> Buffers {
        let mut numbers = Vec::new();
        self.encoder.append_running(&mut numbers);
        self.head.append_running(&mut numbers);
        Buffers { numbers, draws: self.masks().draws() }
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        let expected = self.encoder.running_len() + self.head.running_len();
        check_length("a network's running statistics", expected, buffers.numbers.len())?;
        let rest = self.encoder.load_running(&buffers.numbers);
        self.head.load_running(rest);
        self.head.set_draws(buffers.draws);
        Ok(())
    }

    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())?;
        let (least, got) = (self.least_rows(), input.size()[0]);
        if got < least { Err(NetworkError::Rows { least, got }) } else { Ok(()) }
    }

    /// Nothing here follows the parameters.
    fn after_step(&mut self) -> Result<(), NetworkError> {
        Ok(())
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        crate::nn::no_grad(|| self.run(input, false, false, &Additions::default()))
    }
}

#[cfg(test)]
mod tests;
