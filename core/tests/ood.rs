//! Scores are PyTorch's and scikit-learn's, held against what `reference/ood.py` recorded.
#![cfg(feature = "torch")]

use gymnast_core::data::{Dataset, Table};
use gymnast_core::nn::{Activation, LayerConfig, Network as _, NetworkConfig, Sequential};
use gymnast_core::ood::{Mahalanobis, Odin, energy_score, outlier_exposure_loss};
use rand::SeedableRng;
use serde::Deserialize;
use tch::Tensor;

#[derive(Deserialize)]
struct Reference {
    odin: OdinReference,
    exposure: Exposure,
    mahalanobis: Distances,
}

#[derive(Deserialize)]
struct OdinReference {
    parameters: Vec<f32>,
    inputs: Vec<f32>,
    outputs: Vec<f32>,
    odin: Vec<OdinCase>,
    energy: Vec<EnergyCase>,
}

#[derive(Deserialize)]
struct OdinCase {
    temperature: f64,
    epsilon: f64,
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct EnergyCase {
    temperature: f64,
    scores: Vec<f64>,
}

#[derive(Deserialize)]
struct Exposure {
    logits: Vec<f32>,
    classes: Vec<i64>,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Distances {
    features: Vec<f32>,
    classes: Vec<usize>,
    rows: Vec<f32>,
    cases: Vec<DistanceCase>,
}

#[derive(Deserialize)]
struct DistanceCase {
    shrinkage: f64,
    scores: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/ood.json")).expect("the script wrote it")
}

fn assert_near(got: &[f64], expected: &[f64], relative: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= relative * expected.abs(), "{got}, expected {expected}");
    }
}

/// At T = 1000 all scores of three classes are near ⅓; what ε does shows in what they are more.
fn above_chance(scores: &[f64]) -> Vec<f64> {
    scores.iter().map(|score| score - 1.0 / 3.0).collect()
}

#[test]
fn odin_and_energy_are_pytorchs() {
    let OdinReference { parameters, inputs, outputs, odin, energy } = reference().odin;
    let mut config = NetworkConfig::mlp(&[6], Activation::Tanh).linear_head(3);
    config.encoder.extend([LayerConfig::linear(5), Activation::Relu.into()]);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
    let mut network = Sequential::new(&config, &[4], &mut rng).unwrap();
    network.parameters_mut().load(&parameters).unwrap();
    let data = Dataset::new(inputs, 4, vec![0.0; 7], 1).unwrap();
    for OdinCase { temperature, epsilon, scores } in odin {
        for batch_size in [3, 7] {
            let odin = Odin { temperature, epsilon };
            let got = odin.scores(&network, &data, batch_size).unwrap();
            assert_near(&above_chance(&got), &above_chance(&scores), 1e-5);
        }
    }
    for EnergyCase { temperature, scores } in energy {
        assert_near(&energy_score(&outputs, 3, temperature).unwrap(), &scores, 1e-6);
    }
}

#[test]
fn outlier_exposure_is_the_papers_code() {
    let Exposure { logits, classes, value, gradient } = reference().exposure;
    let logits = Tensor::from_slice(&logits).view([-1, 4]).set_requires_grad(true);
    let loss = outlier_exposure_loss(&logits, &Tensor::from_slice(&classes), 0.5).unwrap();
    assert_near(&[loss.double_value(&[])], &[value], 1e-6);
    loss.backward();
    let got: Vec<f32> = logits.grad().view(-1).try_into().unwrap();
    for (got, expected) in got.iter().zip(&gradient) {
        assert!((f64::from(*got) - expected).abs() < 1e-6, "{got}, expected {expected}");
    }
}

#[test]
fn mahalanobis_distances_are_scikit_learns() {
    let Distances { features, classes, rows, cases } = reference().mahalanobis;
    let (features, rows) = (Table::new(features, 3).unwrap(), Table::new(rows, 3).unwrap());
    for DistanceCase { shrinkage, scores } in cases {
        let detector = Mahalanobis::fit(&features, &classes, shrinkage).unwrap();
        assert_near(&detector.scores(&rows).unwrap(), &scores, 1e-6);
    }
}
