//! The losses are PyTorch's, values and gradients, held against what `reference/losses.py` recorded.
#![cfg(feature = "torch")]

use std::iter::once;

use gymnast_core::init::{Fans, Init};
use gymnast_core::loss::{CtcConfig, Loss, LossError, Penalty, ctc, gaussian_nll};
use gymnast_core::nn::{Parameters, ParametersBuilder};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use tch::{Kind, Tensor};

use gymnast_core::SettingError;

#[derive(Deserialize)]
struct Reference {
    losses: Vec<Case>,
    normal: Vec<NormalCase>,
    ctc: Vec<CtcCase>,
    penalties: Vec<PenaltyCase>,
}

#[derive(Deserialize)]
struct Case {
    loss: Loss,
    prediction: Numbers,
    target: Numbers,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct NormalCase {
    eps: f64,
    mean: Numbers,
    target: Numbers,
    variance: Numbers,
    value: f64,
    gradients: [Vec<f64>; 2],
}

#[derive(Deserialize)]
struct CtcCase {
    scores: Numbers,
    target: Numbers,
    input_lengths: Vec<usize>,
    target_lengths: Vec<usize>,
    config: CtcConfig,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct PenaltyCase {
    penalty: Penalty,
    parameters: Vec<f32>,
    value: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<i64>,
    values: Vec<f64>,
    kind: Option<String>,
}

impl Numbers {
    fn tensor(&self) -> Tensor {
        let is_whole = self.kind.as_deref() == Some("int64");
        let kind = if is_whole { Kind::Int64 } else { Kind::Float };
        Tensor::from_slice(&self.values).view(self.shape.as_slice()).to_kind(kind)
    }

    fn variable(&self) -> Tensor {
        self.tensor().set_requires_grad(true)
    }
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/losses.json")).expect("the script wrote it")
}

fn is_close(got: f64, expected: f64) -> bool {
    (got - expected).abs() <= 1e-5 * expected.abs().max(1.0)
}

fn check_gradient(what: &str, variable: &Tensor, expected: &[f64]) {
    let gradient = Vec::<f64>::try_from(variable.grad().flatten(0, -1).to_kind(Kind::Double));
    let gradient = gradient.expect("numbers");
    assert_eq!(gradient.len(), expected.len());
    for (i, (&got, &expected)) in gradient.iter().zip(expected).enumerate() {
        assert!(is_close(got, expected), "{what}, gradient {i}: {got}, PyTorch {expected}");
    }
}

#[test]
fn losses_follow_pytorch() {
    let cases = reference().losses;
    assert!(cases.len() > 30);
    for Case { loss, prediction, target, value, gradient } in cases {
        let prediction = prediction.variable();
        let got = loss.compute(&prediction, &target.tensor()).expect("good input");
        assert!(got.size().is_empty());
        let number = got.double_value(&[]);
        assert!(is_close(number, value), "{loss:?}: {number}, PyTorch {value}");
        got.backward();
        check_gradient(&format!("{loss:?}"), &prediction, &gradient);
        let text = serde_json::to_string(&loss).expect("plain data");
        assert_eq!(serde_json::from_str::<Loss>(&text).expect("our own"), loss);
    }
}

#[test]
fn losses_of_doubles_agree() {
    for Case { loss, prediction, target, value, .. } in reference().losses {
        let mut target = target.tensor();
        if target.kind() == Kind::Float {
            target = target.to_kind(Kind::Double);
        }
        let got = loss.compute(&prediction.tensor().to_kind(Kind::Double), &target).unwrap();
        assert_eq!(got.kind(), Kind::Double, "{loss:?}");
        assert!(is_close(got.double_value(&[]), value), "{loss:?}");
    }
}

#[test]
fn normal_likelihood_follows_pytorch() {
    for NormalCase { eps, mean, target, variance, value, gradients } in reference().normal {
        let (mean, variance) = (mean.variable(), variance.variable());
        let got = gaussian_nll(&mean, &target.tensor(), &variance, eps).expect("good input");
        assert!(is_close(got.double_value(&[]), value));
        got.backward();
        check_gradient("mean", &mean, &gradients[0]);
        check_gradient("variance", &variance, &gradients[1]);
    }
}

#[test]
fn ctc_follows_pytorch() {
    for case in reference().ctc {
        let scores = case.scores.variable();
        let log_probability = scores.log_softmax(2, None::<Kind>);
        let target = case.target.tensor().to_kind(Kind::Int64);
        let CtcCase { input_lengths, target_lengths, config, .. } = &case;
        let got = ctc(&log_probability, &target, input_lengths, target_lengths, config).unwrap();
        assert!(is_close(got.double_value(&[]), case.value));
        got.backward();
        check_gradient(&format!("{input_lengths:?}"), &scores, &case.gradient);
    }
}

fn parameters(values: &[f32]) -> Parameters {
    let mut builder = ParametersBuilder::new();
    let fans = Fans { fan_in: 1, fan_out: 1 };
    builder.parameter(&[values.len()], Init::Zeros, fans).expect("a vector");
    let mut parameters = builder.build(&mut ChaCha8Rng::seed_from_u64(1)).expect("one parameter");
    parameters.load(values).expect("as many");
    parameters
}

#[test]
fn penalties_follow_pytorch() {
    for PenaltyCase { penalty, parameters: values, value, gradient } in reference().penalties {
        let mut all = parameters(&values);
        all.gradients_mut().fill(1.0);
        let got = penalty.apply(&mut all, once(0..values.len())).unwrap();
        assert!(is_close(got, value), "{penalty:?}: {got}, PyTorch {value}");
        for (&got, expected) in all.gradients().iter().zip(&gradient) {
            assert!(is_close(f64::from(got), 1.0 + expected), "{penalty:?}");
        }
        // Of some of them only.
        let mut some = parameters(&values);
        penalty.apply(&mut some, [2..3, 5..9]).unwrap();
        for (i, (&got, &expected)) in some.gradients().iter().zip(&gradient).enumerate() {
            let expected = if i == 2 || (5..9).contains(&i) { expected } else { 0.0 };
            assert!(is_close(f64::from(got), expected), "{penalty:?} {i}");
        }
    }
}

#[test]
fn bad_penalties_are_errors() {
    let mut four = parameters(&[1.0; 4]);
    let error = Penalty::L1 { alpha: -1.0 }.apply(&mut four, once(0..4)).unwrap_err();
    assert_eq!(error.to_string(), "alpha must be finite and ≥ 0, got -1");
    let mixed = Penalty::ElasticNet { alpha: 1.0, l1_ratio: 1.5 };
    assert!(mixed.apply(&mut four, once(0..4)).is_err());
    let error = Penalty::L2 { alpha: 1.0 }.apply(&mut four, [0..2, 3..5]).unwrap_err();
    assert_eq!(error, LossError::Range { range: 3..5, length: 4 });
    assert_eq!(four.gradients(), [0.0; 4]);
}

fn floats(shape: &[i64], values: &[f32]) -> Tensor {
    Tensor::from_slice(values).view(shape)
}

fn cross_entropy(class_weight: Option<Vec<f32>>, label_smoothing: f64) -> Loss {
    Loss::CrossEntropy { class_weight, label_smoothing }
}

#[test]
fn bad_settings_are_errors() {
    let (x, y) = (floats(&[2, 2], &[0.0; 4]), Tensor::from_slice(&[0_i64, 1]));
    let bad = [
        (cross_entropy(None, 1.0), "label_smoothing must be in [0, 1), got 1"),
        (cross_entropy(None, f64::NAN), "label_smoothing must be in [0, 1), got NaN"),
        (cross_entropy(Some(vec![1.0, -1.0]), 0.0), "class_weight must be finite and ≥ 0, got -1"),
        (
            cross_entropy(Some(vec![1.0; 3]), 0.0),
            "class_weight holds 3 weights: expected one for each of 2 classes",
        ),
        (Loss::Focal { gamma: -1.0, alpha: None }, "gamma must be finite and ≥ 0, got -1"),
        (
            Loss::Focal { gamma: 2.0, alpha: Some(vec![1.0]) },
            "alpha holds 1 weights: expected one for each of 2 classes",
        ),
        (Loss::BinaryFocal { gamma: 2.0, alpha: Some(1.5) }, "alpha must be in [0, 1], got 1.5"),
        (Loss::Huber { delta: 0.0 }, "delta must be finite and > 0, got 0"),
        (Loss::SmoothL1 { beta: -1.0 }, "beta must be finite and > 0, got -1"),
        (Loss::Hinge { margin: f64::INFINITY }, "margin must be finite and > 0, got inf"),
        (Loss::MultiMargin { p: 3, margin: 1.0, class_weight: None }, "p must be 1 or 2, got 3"),
        (Loss::GaussianNll { eps: 0.0 }, "eps must be finite and > 0, got 0"),
        (
            Loss::BceWithLogits { pos_weight: Some(vec![f32::NAN]) },
            "pos_weight must be finite and ≥ 0, got NaN",
        ),
    ];
    for (loss, message) in bad {
        assert_eq!(loss.compute(&x, &y).unwrap_err().to_string(), message);
    }
    assert!(serde_json::from_str::<Loss>(r#"{"huber": {"beta": 1.0}}"#).is_err());
}

#[test]
fn bad_targets_are_errors() {
    let x = floats(&[2, 3], &[0.5; 6]);
    let error = |loss: &Loss, x: &Tensor, y: &Tensor| loss.compute(x, y).unwrap_err();
    let classes = |values: &[i64]| Tensor::from_slice(values);
    let focal = Loss::Focal { gamma: 2.0, alpha: None };
    let multi_margin = Loss::MultiMargin { p: 1, margin: 1.0, class_weight: None };
    for loss in [cross_entropy(None, 0.0), focal, multi_margin] {
        assert!(loss.compares_classes());
        for got in [3, -1, -100] {
            let label = LossError::Label { got, classes: 3 };
            assert_eq!(error(&loss, &x, &classes(&[0, got])), label);
        }
        assert!(matches!(error(&loss, &x, &classes(&[0])), LossError::Shape { .. }));
        let one_column = classes(&[0, 1]).view([2, 1]);
        assert!(matches!(error(&loss, &x, &one_column), LossError::Shape { .. }));
        let no_numbers = classes(&[0, 1]).to_kind(Kind::Int);
        assert!(matches!(error(&loss, &x, &no_numbers), LossError::Kind { .. }));
        let whole = x.to_kind(Kind::Int64);
        assert!(matches!(error(&loss, &whole, &classes(&[0, 1])), LossError::Kind { .. }));
        assert!(matches!(error(&loss, &x.narrow(0, 0, 0), &classes(&[])), LossError::Shape { .. }));
    }
    let loss = cross_entropy(Some(vec![0.0, 0.0, 1.0]), 0.1);
    assert_eq!(error(&loss, &x, &classes(&[0, 1])), LossError::NoWeight);
    let loss = cross_entropy(None, 0.0);
    let no_distribution = floats(&[2, 3], &[0.5, 0.5, 0.0, 0.5, 0.5, 0.5]);
    assert_eq!(
        error(&loss, &x, &no_distribution).to_string(),
        "the target's sum over the classes holds 1.5: expected numbers equal to 1"
    );
    let negative = floats(&[2, 3], &[0.5, 0.5, 0.0, 1.5, -0.5, 0.0]);
    assert!(matches!(error(&loss, &x, &negative), LossError::Number { got: -0.5, .. }));
    assert!(matches!(error(&loss, &x, &floats(&[6], &[0.0; 6])), LossError::Shape { .. }));

    let like = |value: f32| floats(&[2, 3], &[0.0, 1.0, 1.0, 1.0, 1.0, value]);
    for (loss, bad) in [
        (Loss::Mse, f32::NAN),
        (Loss::L1, f32::INFINITY),
        (Loss::Huber { delta: 1.0 }, f32::NAN),
        (Loss::SmoothL1 { beta: 1.0 }, f32::NAN),
        (Loss::BceWithLogits { pos_weight: None }, 1.5),
        (Loss::BceWithLogits { pos_weight: None }, f32::NAN),
        (Loss::BinaryFocal { gamma: 2.0, alpha: None }, 0.5),
    ] {
        assert!(!loss.compares_classes());
        assert!(loss.compute(&x, &like(0.0)).is_ok(), "{loss:?}");
        assert!(matches!(error(&loss, &x, &like(bad)), LossError::Number { .. }), "{loss:?}");
        let column = floats(&[2, 1], &[0.0; 2]); // would broadcast
        assert!(matches!(error(&loss, &x, &column), LossError::Shape { .. }), "{loss:?}");
        let double = like(0.0).to_kind(Kind::Double);
        assert!(matches!(error(&loss, &x, &double), LossError::Kind { .. }), "{loss:?}");
        assert!(matches!(error(&loss, &x, &classes(&[0, 1])), LossError::Shape { .. }));
    }
    let hinge = Loss::Hinge { margin: 1.0 };
    assert_eq!(
        error(&hinge, &x, &like(0.0)).to_string(),
        "the target holds 0: expected numbers -1 or 1"
    );
    let loss = Loss::BceWithLogits { pos_weight: Some(vec![1.0; 2]) };
    assert!(matches!(error(&loss, &x, &like(0.0)), LossError::Weights { expected: 3, .. }));
    let odd = Loss::GaussianNll { eps: 1e-6 };
    assert!(matches!(error(&odd, &x, &like(0.0)), LossError::Shape { .. }));
    let (one, minus) = (floats(&[1], &[1.0]), floats(&[1], &[-1.0]));
    let error = gaussian_nll(&one, &one, &minus, 1e-6).unwrap_err();
    assert_eq!(error.to_string(), "the variance holds -1: expected numbers finite and ≥ 0");
}

#[test]
fn a_prediction_that_is_not_finite_makes_the_loss_so() {
    let x = floats(&[1, 2], &[f32::NAN, 0.0]);
    let class = Tensor::from_slice(&[0_i64]);
    let loss = cross_entropy(None, 0.0).compute(&x, &class).unwrap();
    assert!(loss.double_value(&[]).is_nan());
    let nll = Loss::GaussianNll { eps: 1e-6 }.compute(&x, &floats(&[1, 1], &[0.0])).unwrap();
    assert!(nll.double_value(&[]).is_nan());
}

#[test]
fn bad_sequences_are_errors() {
    let log_probability = floats(&[4, 2, 3], &[-1.0; 24]);
    let target = Tensor::from_slice(&[1_i64, 1, 2, 2]).view([2, 2]);
    let config = CtcConfig::default();
    let run = |inputs: &[usize], targets: &[usize]| {
        ctc(&log_probability, &target, inputs, targets, &config).map(|loss| loss.double_value(&[]))
    };
    assert!(run(&[4, 4], &[2, 1]).unwrap().is_finite());
    assert!(run(&[4, 0], &[2, 0]).unwrap().is_finite()); // nothing spells nothing
    let error = run(&[4, 2], &[2, 2]).unwrap_err(); // 2, blank, 2
    assert_eq!(
        error.to_string(),
        "the input length of sequence 1 is 2: expected at least 3, the inputs its target needs"
    );
    assert!(matches!(run(&[5, 4], &[1, 1]), Err(LossError::SequenceLength { got: 5, .. })));
    assert!(matches!(run(&[4, 4], &[1, 3]), Err(LossError::SequenceLength { row: 1, .. })));
    assert!(matches!(run(&[4], &[1, 1]), Err(LossError::Shape { what: "input_lengths", .. })));
    assert!(matches!(run(&[4, 4], &[1]), Err(LossError::Shape { what: "target_lengths", .. })));
    let run = |target: &[i64], config: &CtcConfig| {
        let target = Tensor::from_slice(target).view([2, -1]);
        ctc(&log_probability, &target, &[4, 4], &[1, 1], config).map(|loss| loss.double_value(&[]))
    };
    assert!(matches!(run(&[1, 3], &config), Err(LossError::Label { got: 3, classes: 3 })));
    assert!(matches!(run(&[0, 1], &config), Err(LossError::Number { .. })));
    assert!(run(&[1, 9, 2, -9], &config).is_ok()); // beyond the length
    let blank = CtcConfig { blank: 3, ..config };
    assert!(matches!(
        run(&[1, 1], &blank),
        Err(LossError::Setting(SettingError { key: "blank", .. }))
    ));
    let numbers = floats(&[2, 1], &[1.0; 2]);
    let error = ctc(&log_probability, &numbers, &[4, 4], &[1, 1], &config).unwrap_err();
    assert!(matches!(error, LossError::Kind { .. }));
    let empty = Tensor::zeros([2, 0], (Kind::Int64, tch::Device::Cpu));
    assert!(ctc(&log_probability, &empty, &[4, 4], &[0, 0], &config).is_ok());
}
