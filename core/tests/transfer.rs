//! Attention and transformer blocks do what PyTorch's do: outputs and gradients, held against what
//! `reference/transfer.py` recorded.
#![cfg(feature = "torch")]

use std::collections::BTreeMap;

use gymnast_core::nn::{
    Activation, MultiheadAttention, Network as _, Parameters, ParametersBuilder, Prefix,
    Transformer, TransformerConfig, TransformerEncoderLayer,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tch::{Kind, Tensor};

const SHAPE: [i64; 3] = [2, 3, 8]; // [B, T, width]

#[derive(Deserialize)]
struct Case {
    output: Vec<f32>,
    gradients: Vec<f32>,
}

fn numbers(count: usize, step: f64, scale: f64) -> Vec<f32> {
    (0..count).map(|i| (scale * (step * i as f64).sin()) as f32).collect()
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(1)
}

fn config() -> TransformerConfig {
    TransformerConfig { places: 3, width: 8, heads: 2, feed_forward: 12, ..Default::default() }
}

fn close(what: &str, got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs();
        assert!(error <= 2e-5 * expected.abs().max(1.0), "{what} {i}: {got}, PyTorch {expected}");
    }
}

fn follows_pytorch(name: &str, mut parameters: Parameters, forward: impl Fn() -> Tensor) {
    let cases: BTreeMap<String, Case> =
        serde_json::from_str(include_str!("reference/transfer.json")).expect("the script wrote it");
    let values = numbers(parameters.len(), 1.1, 0.4);
    parameters.load(&values).unwrap();
    let output = forward().reshape(-1);
    close(name, &Vec::<f32>::try_from(&output).unwrap(), &cases[name].output);
    let factors = Tensor::from_slice(&numbers(output.numel(), 0.3, 1.0));
    parameters.backward(&(output * factors).sum(Kind::Float)).unwrap();
    close(name, parameters.gradients(), &cases[name].gradients);
}

fn sequence() -> Tensor {
    Tensor::from_slice(&numbers(48, 0.7, 1.0)).view(SHAPE)
}

#[test]
fn attention() {
    for (name, prefixed) in [("attention", false), ("attention_with_prefix", true)] {
        let mut builder = ParametersBuilder::new();
        let attention = MultiheadAttention::new(8, 2, "attention", &mut builder).unwrap();
        let parameters = builder.build(&mut rng()).unwrap();
        assert_eq!(parameters.named()[0].name, "attention.in_projection.weight");
        let prefix = numbers(32, 0.9, 1.0);
        let of = |numbers: &[f32]| Tensor::from_slice(numbers).view([2, 8]);
        let prefix = Prefix { key: of(&prefix[..16]), value: of(&prefix[16..]) };
        let prefix = prefixed.then_some(&prefix);
        follows_pytorch(name, parameters, || attention.forward(&sequence(), prefix));
    }
}

#[test]
fn encoder_layers() {
    for (name, activation, norm_first) in
        [("layer_relu", Activation::Relu, false), ("layer_gelu_first", Activation::Gelu, true)]
    {
        let config = TransformerConfig { activation, norm_first, ..config() };
        let mut builder = ParametersBuilder::new();
        let layer = TransformerEncoderLayer::new(&config, "layers.0", &mut builder).unwrap();
        let parameters = builder.build(&mut rng()).unwrap();
        follows_pytorch(name, parameters, || layer.forward(&sequence(), None));
    }
}

#[test]
fn whole_transformer() {
    let config = TransformerConfig { norm_first: true, ..config() };
    let mut network = Transformer::new(&config, 12, 5, &mut rng()).unwrap();
    let cases: BTreeMap<String, Case> =
        serde_json::from_str(include_str!("reference/transfer.json")).expect("the script wrote it");
    let values = numbers(network.parameters().len(), 1.1, 0.4);
    network.parameters_mut().load(&values).unwrap();
    let input = Tensor::from_slice(&numbers(24, 0.7, 1.0)).view([2, 12]);
    let output = network.forward(&input).reshape(-1);
    close("outputs", &Vec::<f32>::try_from(&output).unwrap(), &cases["transformer"].output);
    let factors = Tensor::from_slice(&numbers(10, 0.3, 1.0));
    network.parameters_mut().backward(&(output * factors).sum(Kind::Float)).unwrap();
    close("gradients", network.parameters().gradients(), &cases["transformer"].gradients);
}
