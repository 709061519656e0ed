//! Layers do what PyTorch's do, forward and backward, in training and in evaluation: held against
//! what `reference/nn.py` recorded.
#![cfg(feature = "torch")]

use std::collections::BTreeMap;

use gymnast_core::cost::NetworkCost;
use gymnast_core::nn::{
    Buffers, LayerConfig, Network, NetworkConfig, NetworkError, QNetworkConfig, Scratch, Sequential,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
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
