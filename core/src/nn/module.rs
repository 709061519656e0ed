//! Modules, of which networks are composed, and the network of a module.

use std::fmt::Debug;
use std::ops::Range;

use rand::Rng;
use tch::Tensor;

use super::{
    Buffers, Compiled, Engine, Linear, NamedParameter, Network, NetworkError, Parameters,
    ParametersBuilder, Plan, Recorded, check_rows,
};

/// A part of a network whose parameters lie in the network's flat vector (PyTorch's `nn.Module`),
/// declared on a [`ParametersBuilder`]. [`Layers`](super::Layers) and [`Joined`](super::Joined) are
/// modules; implement this trait for custom ones. [`Net`] turns a module into a network.
pub trait Module: Debug + Send {
    /// Returns the number of inputs.
    fn inputs(&self) -> usize;

    /// Returns the number of outputs.
    fn outputs(&self) -> usize;

    /// Maps `[B, inputs]` to `[B, outputs]`, differentiably. In `training`, dropout is active and
    /// batch normalisation uses the statistics of the batch.
    ///
    /// # Panics
    /// If `input` has the wrong width or is not `f32`.
    fn forward(&self, input: &Tensor, training: bool) -> Tensor;

    /// Returns the complete architecture. Two modules with the same description, parameters and
    /// buffers compute the same. A checkpoint stores it and loads only into a module with the same
    /// description.
    fn description(&self) -> String;

    /// Appends its steps to a plan. `None` if only libtorch can evaluate it.
    fn append_to(&self, _plan: Plan) -> Option<Plan> {
        None
    }

    /// Returns whether training and evaluation mode compute the same, without dropout or batch
    /// statistics. If so, a plan can also train the module.
    fn trains_as_evaluated(&self) -> bool {
        false
    }

    /// Returns the fully connected layers that [noise](super::Noise) may perturb, first to last.
    fn linear(&self) -> Vec<&Linear> {
        Vec::new()
    }

    /// Returns the minimum number of rows in a training batch: 2 for batch statistics.
    fn least_rows(&self) -> i64 {
        0
    }

    /// Maps the inputs to the encoder's features, `[B, features]`. `None` without an encoder. The
    /// names of the encoder's parameters begin with `encoder.`.
    fn encode(&self, _input: &Tensor, _training: bool) -> Option<Tensor> {
        None
    }

    /// Returns what training changes besides the parameters; [`Buffers::default`] if nothing.
    fn buffers(&self) -> Buffers;

    /// Returns the names and ranges of the numbers in [`buffers`](Self::buffers).
    fn named_buffers(&self) -> Vec<NamedParameter>;

    /// Sets the [`buffers`](Self::buffers), from a checkpoint; see [`Buffers::check_none`].
    ///
    /// # Errors
    /// [`NetworkError::Length`] if their number is wrong.
    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError>;
}

impl dyn Module {
    /// Returns the plan for evaluation without libtorch. `None` if only libtorch can evaluate the
    /// module.
    pub fn plan(&self) -> Option<Plan> {
        self.append_to(Plan::new(self.inputs()))
    }
}

/// A network that owns a [`Module`] and its parameters. It is in evaluation mode until
/// [`set_training`](Network::set_training).
#[derive(Debug)]
pub struct Net {
    compiled: Compiled,
    training: bool,
    parameters: Parameters,
}

impl Net {
    /// Creates the module with `declare` and draws its initial parameters from `rng`.
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
        Ok(Self { compiled: Compiled::new(module), training: false, parameters })
    }

    /// Creates a network with noise on the module's [fully connected layers](Module::linear)
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
        Ok(Self { compiled: Compiled::new(module), training: false, parameters })
    }

    /// Returns the module.
    pub fn module(&self) -> &dyn Module {
        self.compiled.module()
    }

    /// Returns what computes the gradients of [`backward`](Self::backward).
    pub fn engine(&self) -> Engine {
        self.compiled.engine()
    }

    /// Chooses what computes the gradients; see [`Compiled::set_engine`].
    ///
    /// # Errors
    /// [`NetworkError::NoPlan`] if only libtorch can.
    pub fn set_engine(&mut self, engine: Engine) -> Result<(), NetworkError> {
        self.compiled.set_engine(engine)
    }

    /// Evaluates `batch` rows in training mode and records what a gradient needs; see
    /// [`Compiled::record`].
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the sizes do not fit.
    pub fn record(
        &self,
        inputs: &[f32],
        batch: usize,
        recorded: &mut Recorded,
    ) -> Result<(), NetworkError> {
        self.compiled.record(&self.parameters, inputs, batch, recorded)
    }

    /// Sets the gradients to those of a loss, with that of `extra`, a loss of libtorch's, if given.
    /// `by_output` is the loss's gradient with respect to the outputs of [`record`](Self::record),
    /// row by row.
    ///
    /// # Errors
    /// As [`Compiled::accumulate`].
    pub fn backward(
        &mut self,
        by_output: &[f32],
        recorded: &mut Recorded,
        extra: Option<&Tensor>,
    ) -> Result<(), NetworkError> {
        self.parameters.zero_grad();
        self.compiled.accumulate(&mut self.parameters, by_output, recorded)?;
        if let Some(extra) = extra {
            self.parameters.accumulate(extra, 1.0)?;
        }
        self.parameters.differentiate_noise();
        Ok(())
    }

    /// Sets `by_input` to a loss's gradient with respect to the inputs `columns`, `[B, columns]`;
    /// see [`Compiled::input_gradient`].
    ///
    /// # Errors
    /// As [`Compiled::input_gradient`].
    pub fn input_gradient(
        &self,
        by_output: &[f32],
        recorded: &mut Recorded,
        columns: Range<usize>,
        by_input: &mut [f32],
    ) -> Result<(), NetworkError> {
        self.compiled.input_gradient(&self.parameters, by_output, recorded, columns, by_input)
    }

    /// Maps the inputs to the encoder's features in the current mode, differentiably: `[B, inputs]`
    /// to `[B, features]`. `None` without an encoder.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn encode(&self, input: &Tensor) -> Option<Tensor> {
        self.module().encode(input, self.training)
    }

    /// Returns the range of the encoder's parameters, whose names begin with `encoder.`, in the
    /// flat vector.
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
        self.module().inputs()
    }

    fn outputs(&self) -> usize {
        self.module().outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.module().forward(input, self.training)
    }

    fn plan(&self) -> Option<&Plan> {
        self.compiled.plan()
    }

    fn training_plan(&self) -> Option<&Plan> {
        self.plan().filter(|_| self.engine() != Engine::Libtorch)
    }

    super::network::parameters_and_mode!();

    /// Applies the current noise to the new values.
    fn after_step(&mut self) -> Result<(), NetworkError> {
        self.parameters.apply_noise();
        Ok(())
    }

    fn description(&self) -> String {
        let noise = if self.parameters.noise().is_some() { ", noisy" } else { "" };
        format!("{}{noise}", self.module().description())
    }

    fn buffers(&self) -> Buffers {
        self.module().buffers()
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        self.module().named_buffers()
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        self.compiled.module_mut().load_buffers(buffers)
    }

    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())?;
        let least = if self.training { self.module().least_rows() } else { 0 };
        let got = input.size()[0];
        if got < least { Err(NetworkError::Rows { least, got }) } else { Ok(()) }
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        crate::nn::no_grad(|| self.module().forward(input, false))
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
    fn says_what_trains() {
        let conv = || LayerConfig::conv2d(2, 3, 0);
        let plain = net(&[conv(), LayerConfig::Flatten]);
        assert!(plain.plan().is_some() && plain.engine() == Engine::Plan);
        let mut dropout = net(&[conv(), LayerConfig::Dropout { p: 0.5 }, LayerConfig::Flatten]);
        assert!(dropout.plan().is_some() && dropout.engine() == Engine::Libtorch);
        assert!(dropout.set_engine(Engine::Plan).is_err());
        let softmax = net(&[conv(), LayerConfig::Softmax, LayerConfig::Flatten]);
        assert!(softmax.plan().is_none() && softmax.engine() == Engine::Libtorch);
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
