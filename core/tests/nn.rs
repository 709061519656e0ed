//! Layers do what PyTorch's do, forward and backward, in training and in evaluation: held against
//! what `reference/nn.py` recorded.
#![cfg(feature = "torch")]

use std::collections::BTreeMap;

use gymnast_core::checkpoint::Checkpoint as _;
use gymnast_core::cost::{CostError, NetworkCost};
use gymnast_core::init::{Fans, Init};
use gymnast_core::nn::{
    Buffers, Layer, LayerConfig, LayerForward, LayerShape, Network, NetworkConfig, NetworkError,
    ParametersBuilder, QNetworkConfig, Scratch, Sequential, Tape,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

const ROWS: usize = 3;

#[derive(Deserialize)]
struct Case {
    input: Vec<usize>,
    layers: Vec<LayerConfig>,
    train: Option<[Pass; 2]>,
    eval: Pass,
    running: Vec<f32>,
    flops: u64,
    parameters: usize,
}

#[derive(Deserialize)]
struct Pass {
    output: Vec<f32>,
    by_input: Vec<f32>,
    by_parameters: Vec<f32>,
}

fn cases() -> BTreeMap<String, Case> {
    serde_json::from_str(include_str!("reference/nn.json")).expect("the script wrote it")
}

fn wave(count: usize, phase: f64, size: f64) -> Vec<f32> {
    (0..count).map(|i| (size * (1.7 * i as f64 + phase).sin()) as f32).collect()
}

fn network(case: &Case) -> Sequential {
    let config = NetworkConfig::default().with_head(case.layers.clone());
    let mut network =
        Sequential::new(&config, &case.input, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    let values = wave(network.parameters().len(), 0.4, 0.5);
    network.parameters_mut().load(&values).unwrap();
    network
}

#[track_caller]
fn close(what: &str, ours: &[f32], theirs: &[f32]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        // Relative to the value, or to 1 where it passes zero.
        let error = (ours - theirs).abs() / theirs.abs().max(1.0);
        assert!(error <= 1e-5, "{what}, {i}: {ours}, PyTorch {theirs}");
    }
}

fn input(network: &Sequential, phase: f64) -> Tensor {
    let x = Tensor::from_slice(&wave(ROWS * network.inputs(), phase, 2.0));
    x.view([ROWS as i64, -1])
}

fn follows(what: &str, network: &mut Sequential, phase: f64, pass: &Pass) {
    let x = input(network, phase).set_requires_grad(true);
    let y = network.try_forward(&x).unwrap().reshape(-1);
    let loss = y.dot(&Tensor::from_slice(&wave(y.numel(), 0.9, 1.0)));
    network.parameters_mut().backward(&loss).unwrap();
    close(&format!("{what}: output"), &Vec::try_from(&y).unwrap(), &pass.output);
    let by_input: Vec<f32> = Vec::try_from(x.grad().reshape(-1)).unwrap();
    close(&format!("{what}: by input"), &by_input, &pass.by_input);
    close(what, network.parameters().gradients(), &pass.by_parameters);
}

#[test]
fn every_layer_agrees_with_pytorch() {
    for (name, case) in cases() {
        let mut network = network(&case);
        if let Some([first, second]) = &case.train {
            network.set_training(true);
            follows(&format!("{name}, first batch"), &mut network, 1.0, first);
            follows(&format!("{name}, second batch"), &mut network, 2.0, second);
            network.set_training(false);
        }
        close(&format!("{name}: running"), &network.buffers().numbers, &case.running);
        follows(&format!("{name}, evaluation"), &mut network, 3.0, &case.eval);
        close(&format!("{name}: running"), &network.buffers().numbers, &case.running);
    }
}

/// The same without libtorch, wherever a plan can train the layers.
#[test]
fn every_training_plan_agrees_with_pytorch() {
    let (mut normalised, tape) = (0, &mut Tape::default());
    for (name, case) in cases() {
        let (mut network, Some(passes)) = (network(&case), &case.train) else { continue };
        let Some(plan) = network.training_plan().cloned() else { continue };
        for (phase, pass) in [1.0, 2.0].into_iter().zip(passes) {
            let x = wave(ROWS * network.inputs(), phase, 2.0);
            let (values, gradients) = network.parameters_mut().values_and_gradients_mut();
            gradients.fill(0.0);
            plan.forward(values, &x, ROWS, tape).unwrap();
            close(&name, tape.outputs(), &pass.output);
            let by_output = wave(tape.outputs().len(), 0.9, 1.0);
            plan.backward(values, &by_output, tape, gradients).unwrap();
            close(&format!("{name}: by parameters"), gradients, &pass.by_parameters);
            let mut by_input = vec![f32::NAN; x.len()];
            let inputs = 0..network.inputs();
            let values = network.parameters().values();
            plan.backward_inputs(values, &by_output, tape, inputs, &mut by_input).unwrap();
            close(&format!("{name}: by input"), &by_input, &pass.by_input);
        }
        close(&format!("{name}: running"), &network.buffers().numbers, &case.running);
        normalised += usize::from(!case.running.is_empty());
    }
    assert_eq!(normalised, 4, "as many cases have batch normalisation");
}

#[test]
fn evaluates_alike_in_any_mode_and_changes_nothing() {
    for (name, case) in cases() {
        let mut network = network(&case);
        let running = Buffers { numbers: case.running.clone(), draws: 0 };
        network.load_buffers(&running).unwrap();
        network.set_training(true);
        let x = input(&network, 3.0);
        let mut out = vec![f32::NAN; ROWS * network.outputs()];
        let rows: Vec<f32> = Vec::try_from(x.reshape(-1)).unwrap();
        network.evaluate(&rows, ROWS, &mut Scratch::default(), &mut out).unwrap();
        close(&name, &out, &case.eval.output);
        let predicted: Vec<f32> = Vec::try_from(network.predict(&x).reshape(-1)).unwrap();
        close(&name, &predicted, &case.eval.output);
        assert_eq!(network.buffers(), running, "{name}");
    }
}

#[test]
fn costs_what_pytorch_counts() {
    for (name, case) in cases() {
        let config = NetworkConfig::default().with_head(case.layers.clone());
        let cost = NetworkCost::of(&config, &case.input, ROWS).unwrap();
        assert_eq!(cost.forward_flop(), case.flops, "{name}");
        assert_eq!(cost.parameters(), case.parameters, "{name}");
        assert_eq!(network(&case).parameters().len(), case.parameters, "{name}");
    }
}

#[test]
fn noise_that_is_no_deviation_is_refused() {
    for sigma in [f32::NAN, f32::INFINITY, -0.5] {
        let config = QNetworkConfig { noise: Some(sigma), ..QNetworkConfig::default() };
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let refused = config.build(&[vec![4]], 2, rng);
        assert!(matches!(refused, Err(NetworkError::Sigma { .. })), "{sigma}");
    }
}

/// A layer of this test's own: `y = a x + b` with one learned pair for all numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Affine {
    start: f32,
    costs: Option<u64>,
    /// What it says that it declares besides its parameters.
    more: usize,
}

#[typetag::serde(name = "affine")]
impl Layer for Affine {
    fn output(&self, input: LayerShape) -> Result<LayerShape, NetworkError> {
        Ok(input)
    }

    fn parameters(&self, _input: LayerShape) -> usize {
        2 + self.more
    }

    fn declare(
        &self,
        _input: LayerShape,
        builder: &mut ParametersBuilder,
    ) -> Result<LayerForward, NetworkError> {
        let fans = Fans { fan_in: 1, fan_out: 1 };
        let a = builder.of_layer("a", &[1], Init::Constant { value: self.start }, fans)?;
        let b = builder.of_layer("b", &[1], Init::Zeros, fans)?;
        Ok(Box::new(move |x, _training| x * a.tensor() + b.tensor()))
    }

    fn forward_flop(&self, input: LayerShape) -> Option<u64> {
        self.costs.map(|costs| costs * input.size() as u64)
    }

    fn boxed(&self) -> Box<dyn Layer> {
        Box::new(self.clone())
    }
}

fn affine(start: f32, costs: Option<u64>, more: usize) -> NetworkConfig {
    let layer = LayerConfig::Custom(Box::new(Affine { start, costs, more }));
    let layers = vec![LayerConfig::conv2d(2, 3, 1), layer];
    let residual = LayerConfig::Residual { layers };
    NetworkConfig::default().with_head(vec![residual, LayerConfig::Flatten])
}

#[test]
fn a_layer_of_ones_own_is_named_counted_trained_and_saved() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let config = affine(3.0, Some(2), 0);
    let json = serde_json::to_string(&config).unwrap();
    assert!(json.contains(r#"{"custom":{"type":"affine","start":3.0"#), "{json}");
    assert_eq!(serde_json::from_str::<NetworkConfig>(&json).unwrap(), config);
    assert_ne!(affine(4.0, Some(2), 0), config);
    let unknown = json.replace("affine", "another");
    assert!(serde_json::from_str::<NetworkConfig>(&unknown).is_err());

    let mut network = Sequential::new(&config, &[4, 4, 2], rng).unwrap();
    let named = network.named_parameters();
    let names: Vec<_> = named.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["head.0.0.weight", "head.0.0.bias", "head.0.1.a", "head.0.1.b"]);
    let cost = NetworkCost::of(&config, &[4, 4, 2], 1).unwrap();
    assert_eq!(cost.parameters(), network.parameters().len());
    assert_eq!(cost.forward_flop(), 2 * 16 * 2 * 2 * 9 + 2 * 32);
    assert!(network.plan().is_none());

    let pictures = Tensor::from_slice(&wave(64, 0.2, 1.0)).view([2, 32]);
    let loss = network.forward(&pictures).sum(tch::Kind::Float);
    network.parameters_mut().backward(&loss).unwrap();
    let by_b = network.parameters().range_of("head.0.1.b").unwrap();
    assert_eq!(network.parameters().gradients()[by_b], [64.0]);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("network.safetensors");
    network.save_to(&path).unwrap();
    let read = Sequential::load_from(&path).unwrap();
    assert_eq!(read.config(), &config);
    assert_eq!(read.predict(&pictures), network.predict(&pictures));
    let mut other = Sequential::new(&affine(4.0, Some(2), 0), &[4, 4, 2], rng).unwrap();
    let state = gymnast_core::checkpoint::load(&path).unwrap();
    assert!(other.load(&state).is_err(), "another setting");
}

#[test]
fn what_a_layer_of_ones_own_leaves_out_is_an_error() {
    let cost = NetworkCost::of(&affine(1.0, None, 0), &[4, 4, 2], 1);
    assert!(matches!(cost, Err(CostError::Unknown { .. })), "{cost:?}");
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let error = Sequential::new(&affine(1.0, None, 1), &[4, 4, 2], rng).map(drop).unwrap_err();
    assert!(error.to_string().contains("2 declared, 3 said"), "{error}");
}

#[test]
fn a_residual_block_returns_what_it_reads() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let residual = LayerConfig::Residual { layers: vec![LayerConfig::linear(3)] };
    let config = NetworkConfig::default().with_head(vec![residual]);
    assert!(Sequential::new(&config, &[3], rng).is_ok());
    let error = Sequential::new(&config, &[4], rng).map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "layer head.0 (residual) needs layers that return the shape that they read, got [3]"
    );
}
