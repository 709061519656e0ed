//! C51's projection and QR-DQN's loss do what PyTorch does with the same numbers, as
//! `reference/distributional.py` recorded it.

use std::collections::BTreeMap;

use gymnast_core::loss;
use gymnast_deep::targets::{self, Support};
use serde::Deserialize;
use tch::{Kind, Tensor};

#[derive(Deserialize)]
struct Reference {
    reward: Vec<f32>,
    discount: Vec<f32>,
    projections: BTreeMap<String, Projection>,
    losses: Vec<Loss>,
}

#[derive(Deserialize)]
struct Projection {
    low: f32,
    high: f32,
    atoms: usize,
    target: Vec<f64>,
}

#[derive(Deserialize)]
struct Loss {
    quantiles: usize,
    kappa: f64,
    weight: Vec<f32>,
    loss: f64,
    gradient: Vec<f64>,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("../reference/distributional.json"))
        .expect("the script wrote it")
}

/// The script's numbers: rows from `first` on.
fn matrix(first: i64, rows: i64, columns: usize, scale: f32) -> Tensor {
    let whole = |i: i64, j: i64| (7 * i * i + 13 * j * j + 5 * i * j) % 17 - 8;
    let numbers = (first..first + rows)
        .flat_map(|i| (0..columns as i64).map(move |j| whole(i, j) as f32 * scale))
        .collect::<Vec<f32>>();
    Tensor::from_slice(&numbers).view([rows, columns as i64])
}

fn assert_near(got: &[f32], expected: &[f64], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((f64::from(*got) - expected).abs() < 2e-6, "{what} {i}: {got} {expected}");
    }
}

#[test]
fn the_projection_is_pytorchs() {
    let Reference { reward, discount, projections, .. } = reference();
    assert_eq!(projections.len(), 3);
    for (name, Projection { low, high, atoms, target }) in projections {
        let probability = matrix(0, reward.len() as i64, atoms, 0.25).softmax(1, Kind::Float);
        let probability = Vec::<f32>::try_from(probability.view(-1)).expect("numbers");
        let support = Support { low, high, atoms };
        let mut got = Vec::new();
        targets::categorical(&reward, &discount, &probability, &support, &mut got);
        assert_near(&got, &target, &name);
    }
}

#[test]
fn the_quantile_huber_loss_is_pytorchs() {
    for Loss { quantiles, kappa, weight, loss, gradient } in reference().losses {
        let prediction = matrix(0, 4, quantiles, 0.3).set_requires_grad(true);
        let (target, weight) = (matrix(2, 4, quantiles, 0.2), Tensor::from_slice(&weight));
        let got = loss::quantile_huber(&prediction, &target, kappa, Some(&weight)).unwrap();
        got.backward();
        assert!((got.double_value(&[]) - loss).abs() < 1e-6 * (1.0 + loss), "{quantiles}");
        let got = Vec::<f32>::try_from(prediction.grad().view(-1)).expect("numbers");
        assert_near(&got, &gradient, &quantiles.to_string());
    }
}
