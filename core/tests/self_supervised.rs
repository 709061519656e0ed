//! Losses between embeddings and what describes embeddings, held against what
//! `reference/self_supervised.py` recorded.
#![cfg(feature = "torch")]

use gymnast_core::data::{Batch, Dataset};
use gymnast_core::loss::{
    Direction, LossError, diagonal_cross_entropy, info_nce, negative_cosine_similarity, nt_xent,
};
use gymnast_core::self_supervised::{
    InfoNce, NtXent, alignment, effective_rank, normalized_std, uniformity,
};
use gymnast_core::supervised::OutputLoss;
use serde::Deserialize;
use tch::{Kind, Tensor};

use gymnast_core::SettingError;

#[derive(Deserialize)]
struct Reference {
    losses: Vec<Case>,
    embeddings: Embeddings,
}

#[derive(Deserialize)]
struct Case {
    loss: String,
    temperature: f64,
    shape: Vec<i64>,
    first: Vec<f64>,
    second: Vec<f64>,
    value: f64,
    gradients: [Vec<f64>; 2],
}

#[derive(Deserialize)]
struct Embeddings {
    shape: Vec<i64>,
    embeddings: Vec<f64>,
    other: Vec<f64>,
    alignment: f64,
    uniformity: f64,
    normalized_std: f64,
    effective_rank: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/self_supervised.json"))
        .expect("the script wrote it")
}

fn compute(case: &Case, first: &Tensor, second: &Tensor) -> Result<Tensor, LossError> {
    match case.loss.as_str() {
        "nt_xent" => nt_xent(first, second, case.temperature),
        "query_to_key" => info_nce(first, second, case.temperature, Direction::QueryToKey),
        "both" => info_nce(first, second, case.temperature, Direction::Both),
        "negative_cosine_similarity" => negative_cosine_similarity(first, second),
        other => panic!("no loss is called {other}"),
    }
}

fn gradient(tensor: &Tensor) -> Vec<f64> {
    let gradient = tensor.grad();
    if !gradient.defined() {
        return vec![0.0; tensor.numel()];
    }
    Vec::try_from(gradient.flatten(0, -1).to_kind(Kind::Double)).unwrap()
}

#[test]
fn values_and_gradients_are_pytorchs() {
    for case in reference().losses {
        // The self pair must be masked, not subtracted, to come this close at temperature 0.07.
        for (kind, tolerance) in [(Kind::Double, 1e-12), (Kind::Float, 2e-5)] {
            let tensor = |numbers: &[f64]| {
                let tensor = Tensor::from_slice(numbers).view(case.shape.as_slice());
                tensor.to_kind(kind).set_requires_grad(true)
            };
            let (first, second) = (tensor(&case.first), tensor(&case.second));
            let loss = compute(&case, &first, &second).unwrap();
            loss.backward();
            let close = |ours: f64, theirs: f64| {
                let name = (&case.loss, case.temperature, kind);
                let near = (ours - theirs).abs() <= tolerance * (1.0 + theirs.abs());
                assert!(near, "{name:?}: {ours} {theirs}");
            };
            close(loss.double_value(&[]), case.value);
            for (tensor, expected) in [&first, &second].iter().zip(&case.gradients) {
                gradient(tensor).iter().zip(expected).for_each(|(&a, &b)| close(a, b));
            }
        }
    }
}

/// The same by formula, as objectives of a training have it.
#[test]
fn formulas_give_pytorchs_values_and_gradients() {
    let mut compared = 0;
    for case in reference().losses {
        let Case { temperature, .. } = case;
        let loss: &dyn OutputLoss = match case.loss.as_str() {
            "nt_xent" => &NtXent { temperature },
            "query_to_key" => &InfoNce { temperature, direction: Direction::QueryToKey },
            "both" => &InfoNce { temperature, direction: Direction::Both },
            _ => continue,
        };
        let [n, width] = [0, 1].map(|i| case.shape[i] as usize);
        let rows: Vec<f32> = case.first.iter().chain(&case.second).map(|&x| x as f32).collect();
        let data = Dataset::new(rows[..n * width].to_vec(), width, vec![0.0; n], 1).unwrap();
        let mut batch = Batch::default();
        data.gather_views(&(0..n).collect::<Vec<_>>(), 2, &mut batch).unwrap();
        let mut by_outputs = vec![f32::NAN; rows.len()];
        let value = loss.differentiate(&rows, &batch, &mut by_outputs).unwrap().unwrap();
        let close = |ours: f64, theirs: f64| {
            let near = (ours - theirs).abs() <= 1e-5 * (1.0 + theirs.abs());
            assert!(near, "{} {temperature}: {ours} {theirs}", case.loss);
        };
        close(value, case.value);
        let expected = case.gradients.concat();
        by_outputs.iter().zip(&expected).for_each(|(&a, &b)| close(f64::from(a), b));
        compared += 1;
    }
    assert!(compared >= 3);
}

#[test]
fn collapsed_embeddings_cost_the_logarithm_of_the_candidates() {
    for n in [2, 64, 256] {
        let rows = Tensor::from_slice(&[0.3_f32, -1.2, 0.5]).repeat([n, 1]).set_requires_grad(true);
        for temperature in [0.1, 0.5] {
            let loss = nt_xent(&rows, &rows, temperature).unwrap();
            let expected = ((2 * n - 1) as f64).ln();
            assert!((loss.double_value(&[]) - expected).abs() < 2e-6 * (1.0 + expected), "{n}");
            for direction in [Direction::QueryToKey, Direction::Both] {
                let loss = info_nce(&rows, &rows, temperature, direction).unwrap();
                let expected = (n as f64).ln();
                assert!((loss.double_value(&[]) - expected).abs() < 2e-6 * (1.0 + expected), "{n}");
            }
        }
    }
}

#[test]
fn rows_of_zeros_have_finite_gradients() {
    let zeros = || Tensor::zeros([3, 2], tch::kind::FLOAT_CPU).set_requires_grad(true);
    let (first, second) = (zeros(), zeros());
    let loss = nt_xent(&first, &second, 0.5).unwrap();
    loss.backward();
    assert!((loss.double_value(&[]) - 5_f64.ln()).abs() < 1e-6);
    assert!(gradient(&first).iter().chain(&gradient(&second)).all(|number| number.is_finite()));
}

#[test]
fn scores_are_compared_along_the_diagonal() {
    let scores = Tensor::from_slice(&[3_f64, 1.0, 0.0, 5.0]).log().view([2, 2]);
    // 3 of 4 and 5 of 5
    let expected = -(0.75_f64.ln() + 1_f64.ln()) / 2.0;
    assert!((diagonal_cross_entropy(&scores).unwrap().double_value(&[]) - expected).abs() < 1e-12);
}

#[test]
fn embeddings_are_described_as_pytorch_computes() {
    let reference = reference().embeddings;
    // The measures look at directions alone.
    let tensor =
        |numbers: &[f64]| Tensor::from_slice(numbers).view(reference.shape.as_slice()) * 7.0;
    let (z, other) = (tensor(&reference.embeddings), tensor(&reference.other));
    for (ours, theirs) in [
        (alignment(&z, &other), reference.alignment),
        (uniformity(&z), reference.uniformity),
        (normalized_std(&z), reference.normalized_std),
        (effective_rank(&z), reference.effective_rank),
    ] {
        assert!((ours.unwrap() - theirs).abs() < 1e-9, "{theirs}");
    }
}

#[test]
fn what_does_not_fit_is_an_error() {
    let rows = |size: [i64; 2]| Tensor::ones(size, tch::kind::FLOAT_CPU);
    let (a, b) = (rows([3, 2]), rows([3, 2]));
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = nt_xent(&a, &b, temperature).unwrap_err();
        assert!(matches!(error, LossError::Setting(SettingError { key: "temperature", .. })));
        assert!(info_nce(&a, &b, temperature, Direction::Both).is_err());
    }
    for other in [rows([2, 2]), rows([3, 1])] {
        assert!(matches!(nt_xent(&a, &other, 0.5), Err(LossError::Shape { .. })));
        assert!(matches!(negative_cosine_similarity(&a, &other), Err(LossError::Shape { .. })));
        assert!(matches!(alignment(&a, &other), Err(LossError::Shape { .. })));
    }
    // One row has nobody to be told from: its loss would be 0, and nothing learned.
    for n in [0, 1] {
        let few = rows([n, 2]);
        let square = rows([n, n]);
        for loss in [
            nt_xent(&few, &few, 0.5),
            info_nce(&few, &few, 0.5, Direction::QueryToKey),
            info_nce(&few, &few, 0.5, Direction::Both),
            diagonal_cross_entropy(&square),
        ] {
            let error = loss.unwrap_err();
            assert!(matches!(error, LossError::Shape { .. }), "{error}");
            assert!(error.to_string().contains("N at least 2"), "{error}");
        }
    }
    assert!(negative_cosine_similarity(&rows([1, 2]), &rows([1, 2])).is_ok());
    let whole = a.to_kind(Kind::Int64);
    assert!(matches!(nt_xent(&whole, &whole, 0.5), Err(LossError::Kind { .. })));
    assert!(matches!(nt_xent(&a, &b.to_kind(Kind::Double), 0.5), Err(LossError::Kind { .. })));
    for measure in [uniformity, normalized_std, effective_rank] {
        assert!(matches!(measure(&whole), Err(LossError::Kind { .. })));
        assert!(matches!(measure(&rows([1, 2])), Err(LossError::Shape { .. })));
        assert!(matches!(measure(&rows([2, 0])), Err(LossError::Shape { .. })));
        assert!(matches!(measure(&(&a * f64::NAN)), Err(LossError::Number { .. })));
    }
}
