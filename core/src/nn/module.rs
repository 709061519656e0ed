//! What networks are composed of, and a network of any such composition.

use std::fmt::Debug;
use std::ops::Range;

use rand::Rng;
use tch::Tensor;

use super::{
    Buffers, Linear, NamedParameter, Network, NetworkError, Parameters, ParametersBuilder, Plan,
    check_rows,
};

/// Layers whose parameters lie in another's flat vector (PyTorch's `nn.Module`), declared on a
/// [`ParametersBuilder`]. [`Layers`](super::Layers), [`Joined`](super::Joined) and
/// [`QNetwork`](super::QNetwork) are some; write your own where those do not do. [`Net`] makes a network
/// of one.
pub trait Module: Debug + Send {
    /// The width of a row that it reads.
    fn inputs(&self) -> usize;

    /// The width of a row that it returns.
    fn outputs(&self) -> usize;

    /// `[B, inputs]` to `[B, outputs]`, differentiable. In `training` dropout drops and batches are
    /// normalised by themselves.
    ///
    /// # Panics
    /// If `input` has another width or another kind than `f32`.
    fn forward(&self, input: &Tensor, training: bool) -> Tensor;

    /// The architecture, completely: two modules of one description compute the same with the same
    /// numbers. A checkpoint holds it and is refused by another's.
    fn description(&self) -> String;

    /// Adds its steps, as they are in evaluation, to a plan; `None` where only libtorch evaluates it.
    fn append_to(&self, _plan: Plan) -> Option<Plan> {
        None
    }

    /// Whether training computes what evaluation does, without dropout or statistics of a batch: a
    /// plan then also trains.
    fn trains_as_evaluated(&self) -> bool {
        false
    }

    /// The fully connected layers that [noise](super::Noise) may act on, first to last.
    fn linear(&self) -> Vec<&Linear> {
        Vec::new()
    }

    /// The fewest rows that it reads in training: 2 for statistics of a batch.
    fn least_rows(&self) -> i64 {
        0
    }

    /// What its encoder makes of the inputs, `[B, features]`; `None` without an encoder. The names of
    /// the encoder's parameters begin with `encoder.`.
    fn encode(&self, _input: &Tensor, _training: bool) -> Option<Tensor> {
        None
    }

    /// What training changes besides the parameters; [`Buffers::default`] where that is nothing.
    fn buffers(&self) -> Buffers;

    /// What the numbers of [`buffers`](Self::buffers) are called and where each lies among them.
    fn named_buffers(&self) -> Vec<NamedParameter>;

    /// Sets what [`buffers`](Self::buffers) returned, from a checkpoint; see [`Buffers::check_none`].
    ///
    /// # Errors
    /// [`NetworkError::Length`] where there are more or fewer.
    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError>;
}

impl dyn Module {
    /// How it is evaluated without libtorch; `None` where libtorch must do it.
    pub fn plan(&self) -> Option<Plan> {
        self.append_to(Plan::new(self.inputs()))
    }

    /// How it is trained without libtorch; `None` where libtorch must do it.
    pub fn training_plan(&self) -> Option<Plan> {
        if self.trains_as_evaluated() { self.plan() } else { None }
    }
}

/// A network that owns a [`Module`] and its parameters. It is in evaluation mode until
/// [`set_training`](Network::set_training).
#[derive(Debug)]
pub struct Net {
    module: Box<dyn Module>,
    plan: Option<Plan>,
    training: bool,
    parameters: Parameters,
}

impl Net {
    /// Builds what `declare` declares and draws its initial parameters from `rng`.
    ///
    /// # Errors
    /// Those of `declare`.
    pub fn new<R: Rng + ?Sized>(
        declare: impl FnOnce(&mut ParametersBuilder) -> Result<Box<dyn Module>, NetworkError>,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        let mut builder = ParametersBuilder::new();
        let module = declare(&mut builder)?;
        let parameters = builder.build(rng)?;
        Ok(Self { plan: module.plan(), module, training: false, parameters })
    }

    /// The same with noise on the module's [fully connected layers](Module::linear)
    /// ([`ParametersBuilder::build_noisy`]).
    ///
    /// # Errors
    /// [`NetworkError::Sigma`]; as [`new`](Self::new).
    pub fn noisy<R: Rng + ?Sized>(
        declare: impl FnOnce(&mut ParametersBuilder) -> Result<Box<dyn Module>, NetworkError>,
        sigma: f32,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        let mut builder = ParametersBuilder::new();
        let module = declare(&mut builder)?;
        let parameters = builder.build_noisy(&module.linear(), sigma, rng)?;
        Ok(Self { plan: module.plan(), module, training: false, parameters })
    }

    /// What it is made of.
    pub fn module(&self) -> &dyn Module {
        self.module.as_ref()
    }

    /// How it is trained without libtorch; `None` where libtorch must do it.
    pub fn training_plan(&self) -> Option<&Plan> {
        self.plan.as_ref().filter(|_| self.module.trains_as_evaluated())
    }

    /// What the encoder makes of the inputs, in the present mode, differentiable: `[B, inputs]` to
    /// `[B, features]`; `None` without an encoder.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn encode(&self, input: &Tensor) -> Option<Tensor> {
        self.module.encode(input, self.training)
    }

    /// Where the encoder's parameters lie in the flat vector: those whose names begin with `encoder.`.
    pub fn encoder_range(&self) -> Range<usize> {
        let ranges = self.parameters.ranges_where(|name| name.starts_with("encoder."));
        match (ranges.first(), ranges.last()) {
            (Some(first), Some(last)) => first.start..last.end,
            _ => 0..0,
        }
    }
}

impl Network for Net {
    fn inputs(&self) -> usize {
        self.module.inputs()
    }

    fn outputs(&self) -> usize {
        self.module.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.module.forward(input, self.training)
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

    /// Applies the noise that was drawn last to the new values.
    fn after_step(&mut self) -> Result<(), NetworkError> {
        self.parameters.apply_noise();
        Ok(())
    }

    fn description(&self) -> String {
        let noise = if self.parameters.noise().is_some() { ", noisy" } else { "" };
        format!("{}{noise}", self.module.description())
    }

    fn buffers(&self) -> Buffers {
        self.module.buffers()
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        self.module.named_buffers()
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        self.module.load_buffers(buffers)
    }

    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())?;
        let least = if self.training { self.module.least_rows() } else { 0 };
        let got = input.size()[0];
        if got < least { Err(NetworkError::Rows { least, got }) } else { Ok(()) }
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        crate::nn::no_grad(|| self.module.forward(input, false))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::checkpoint::{Checkpoint, StateDict};
    use crate::nn::{Activation, Joined, LayerConfig, LayerShape, MlpConfig};

    fn net(layers: &[LayerConfig]) -> Net {
        let part = (LayerShape::of(&[4, 4]).unwrap(), layers.to_vec());
        let head = MlpConfig { hidden: vec![3], ..MlpConfig::default() }.layers(2);
        let declare = |builder: &mut ParametersBuilder| -> Result<Box<dyn Module>, NetworkError> {
            Ok(Box::new(Joined::new(&[part], &head, 7, builder)?))
        };
        Net::new(declare, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    fn pictures() -> Tensor {
        Tensor::arange(32, tch::kind::FLOAT_CPU).view([2, 16]) / 9.0
    }

    fn dropping() -> Net {
        let conv = LayerConfig::conv2d(2, 3, 0);
        net(&[
            conv,
            LayerConfig::batch_norm(),
            LayerConfig::Dropout { p: 0.5 },
            LayerConfig::Flatten,
        ])
    }

    #[test]
    fn goes_on_with_the_same_masks_and_statistics() {
        let (mut network, mut other) = (dropping(), dropping());
        network.set_training(true);
        other.set_training(true);
        let first = network.forward(&pictures());
        let mut state = StateDict::new();
        Checkpoint::save(&network, &mut state).unwrap();
        let second = network.forward(&pictures());
        assert_ne!(first, second, "another mask");
        Checkpoint::load(&mut other, &state).unwrap();
        assert_eq!(other.forward(&pictures()), second);
        assert_eq!(other.predict(&pictures()), network.predict(&pictures()));
        assert_eq!(other.buffers(), network.buffers());
        let names: Vec<_> = network.named_buffers().into_iter().map(|one| one.name).collect();
        assert_eq!(names, ["encoder.1.running_mean", "encoder.1.running_var"]);
        let plain = net(&[LayerConfig::conv2d(2, 3, 0), LayerConfig::Flatten]);
        let mut plain_state = StateDict::new();
        Checkpoint::save(&plain, &mut plain_state).unwrap();
        assert!(Checkpoint::load(&mut other, &plain_state).is_err());
    }

    #[test]
    fn says_which_plan_trains() {
        let conv = || LayerConfig::conv2d(2, 3, 0);
        let plain = net(&[conv(), LayerConfig::Flatten]);
        assert!(plain.plan().is_some() && plain.training_plan().is_some());
        let dropout = net(&[conv(), LayerConfig::Dropout { p: 0.5 }, LayerConfig::Flatten]);
        assert!(dropout.plan().is_some() && dropout.training_plan().is_none());
        let softmax = net(&[conv(), LayerConfig::Softmax, LayerConfig::Flatten]);
        assert!(softmax.plan().is_none() && softmax.training_plan().is_none());
    }

    #[test]
    fn an_encoder_is_known_by_its_names() {
        let network = net(&[LayerConfig::conv2d(2, 3, 0), LayerConfig::Flatten]);
        let names: Vec<_> = network.named_parameters().into_iter().map(|one| one.name).collect();
        let expected = ["encoder.0.weight", "encoder.0.bias", "head.0.weight", "head.0.bias"];
        assert_eq!(names[..4], expected);
        assert_eq!(network.encoder_range(), 0..2 * 9 + 2);
        assert_eq!(network.encode(&pictures()).unwrap().size(), [2, 8]);
        let rows = net(&[]);
        assert_eq!((rows.encoder_range(), rows.encode(&pictures()).is_none()), (0..0, true));
    }

    #[test]
    fn a_prefix_keeps_two_modules_apart() {
        let layers = MlpConfig::default().layers(2);
        let mut builder = ParametersBuilder::new();
        let mut declare = |prefix: &str| {
            builder.prefix(prefix);
            Joined::new(&[(LayerShape::Row(4), vec![])], &layers, 0, &mut builder).map(drop)
        };
        declare("policy").unwrap();
        declare("value").unwrap();
        let error = declare("policy").unwrap_err().to_string();
        assert!(error.contains("policy.head.0.weight"), "{error}");
    }

    #[test]
    fn only_what_computes_the_same_is_taken_up() {
        let mut tanh = net(&[Activation::Tanh.into()]);
        let mut state = StateDict::new();
        Checkpoint::save(&net(&[Activation::Relu.into()]), &mut state).unwrap();
        assert!(Checkpoint::load(&mut tanh, &state).is_err());
        let residual = |layer: LayerConfig| net(&[LayerConfig::Residual { layers: vec![layer] }]);
        Checkpoint::save(&residual(Activation::Relu.into()), &mut state).unwrap();
        assert!(Checkpoint::load(&mut residual(Activation::Silu.into()), &state).is_err());
        Checkpoint::load(&mut residual(Activation::Relu.into()), &state).unwrap();
    }
}
