use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::Kind;

use super::*;
use crate::init::{Fans, Init};

const FANS: Fans = Fans { fan_in: 2, fan_out: 2 };

fn two_tensors(seed: u64) -> (Parameter, Parameter, Parameters) {
    let mut builder = ParametersBuilder::new();
    let a = builder.parameter(&[2, 2], Init::LinearDefault, FANS).unwrap();
    let b = builder.parameter(&[3], Init::Constant { value: 5.0 }, FANS).unwrap();
    (a, b, builder.build(&mut ChaCha8Rng::seed_from_u64(seed)).unwrap())
}

#[test]
fn tensors_are_views_of_the_flat_values() {
    let (a, b, mut parameters) = two_tensors(1);
    assert_eq!(Vec::<f32>::try_from(a.tensor().view(-1)).unwrap(), parameters.values()[..4]);
    assert_eq!(parameters.values()[4..], [5.0; 3]);
    parameters.values_mut()[5] = -1.0;
    assert_eq!(Vec::<f32>::try_from(b.tensor()).unwrap(), [5.0, -1.0, 5.0]);
    assert_eq!(b.range(), 4..7);
}

#[test]
fn gradients_are_those_of_the_loss_or_are_added_up() {
    let (a, b, mut parameters) = two_tensors(1);
    assert_eq!(parameters.gradients(), [0.0; 7]);
    for times in 1..=2 {
        let loss = a.tensor().sum(Kind::Float) * 2.0 + b.tensor().sum(Kind::Float);
        parameters.accumulate(&loss, 1.0).unwrap();
        let t = times as f32;
        assert_eq!(parameters.gradients(), [2.0 * t, 2.0 * t, 2.0 * t, 2.0 * t, t, t, t]);
    }
    parameters.zero_grad();
    assert_eq!(parameters.gradients(), [0.0; 7]);
    parameters.accumulate(&a.tensor().sum(Kind::Float), 0.5).unwrap();
    parameters.backward(&b.tensor().sum(Kind::Float)).unwrap();
    assert_eq!(parameters.gradients(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn builds_where_gradients_are_off() {
    let (_, b, mut parameters) = tch::no_grad(|| two_tensors(1));
    parameters.backward(&b.tensor().sum(Kind::Float)).unwrap();
    assert_eq!(parameters.gradients()[4..], [1.0; 3]);
}

#[test]
fn hard_and_soft_updates() {
    let (_, _, mut target) = two_tensors(1);
    let (_, _, online) = two_tensors(2);
    assert_ne!(target.values(), online.values());
    let expected: Vec<f32> =
        target.values().iter().zip(online.values()).map(|(t, o)| 0.75 * t + 0.25 * o).collect();
    target.polyak(&online, 0.25).unwrap();
    for (got, expected) in target.values().iter().zip(expected) {
        assert!((got - expected).abs() < 1e-6);
    }
    target.copy_from(&online).unwrap();
    assert_eq!(target.values(), online.values());
}

#[test]
fn other_shapes_are_errors() {
    let (_, _, mut parameters) = two_tensors(1);
    let mut builder = ParametersBuilder::new();
    let _ = builder.parameter(&[7], Init::Zeros, FANS).unwrap();
    let other = builder.build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    assert!(matches!(parameters.copy_from(&other), Err(NetworkError::Shapes { .. })));
    assert!(matches!(parameters.polyak(&other, 0.5), Err(NetworkError::Shapes { .. })));
    let error = parameters.load(&[0.0; 6]).unwrap_err().to_string();
    assert_eq!(error, "the parameters' values: expected 7 numbers, got 6");
}

#[test]
fn nothing_declared_is_empty() {
    let parameters = ParametersBuilder::new().build(&mut ChaCha8Rng::seed_from_u64(1)).unwrap();
    assert!(parameters.is_empty() && parameters.values().is_empty());
}

#[test]
fn nothing_writes_to_values_or_gradients_that_are_borrowed() {
    let (a, b, mut parameters) = two_tensors(1);
    parameters.backward(&(a.tensor().sum(Kind::Float) + b.tensor().sum(Kind::Float))).unwrap();
    let (values, gradients) = (parameters.values(), parameters.gradients());
    let before = (values.to_vec(), gradients.to_vec());
    let _ = a.tensor().shallow_clone().fill_(9.0);
    let _ = a.rows(1, 1).unwrap().detach().zero_();
    (b.tensor() * 3.0).sum(Kind::Float).backward();
    assert!(!b.tensor().grad().defined());
    assert_eq!((values, gradients), (before.0.as_slice(), before.1.as_slice()));
    assert_eq!(Vec::<f32>::try_from(a.rows(1, 1).unwrap().view(-1)).unwrap(), values[2..4]);
    assert!(matches!(a.rows(1, 2), Err(NetworkError::Torch(_))));
    // What libtorch added on its own is forgotten.
    parameters.backward(&b.tensor().sum(Kind::Float)).unwrap();
    assert_eq!(parameters.gradients(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn what_is_no_loss_is_an_error() {
    let (a, _, mut parameters) = two_tensors(1);
    let scalar = || a.tensor().sum(Kind::Float);
    let constant = Tensor::from(1.0_f32);
    for (loss, got) in [
        (a.tensor(), "shape [2, 2]"),
        (scalar().view(1), "shape [1]"),
        (scalar().detach(), "without gradient"),
        (constant, "without gradient"),
        (scalar().to_kind(Kind::Int64), "kind Int64"),
    ] {
        let error = parameters.backward(&loss).unwrap_err();
        assert!(matches!(error, NetworkError::Loss { .. }), "{error}");
        assert!(error.to_string().contains(got), "{error}");
    }
    let twice = a.tensor().square().sum(Kind::Float);
    parameters.backward(&twice).unwrap();
    let error = parameters.backward(&twice).unwrap_err();
    assert!(matches!(error, NetworkError::Torch(_)), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn sizes_are_refused_before_memory_is_taken() {
    let most = usize::MAX;
    for shape in [&[most][..], &[1 << 40], &[1 << 32, 1 << 32], &[1 << 26, 2], &[0, most, most]] {
        let error = ParametersBuilder::new().parameter(shape, Init::Zeros, FANS).map(drop);
        let is_refused = matches!(error, Err(NetworkError::TooLarge { .. }));
        assert!(is_refused || shape.contains(&0), "{shape:?}");
    }
    // Each is small enough, but not all together.
    let mut builder = ParametersBuilder::new();
    let declare = |_| builder.parameter(&[1 << 24], Init::Zeros, FANS).map(drop);
    assert!(matches!((0..5).try_for_each(declare), Err(NetworkError::TooLarge { .. })));
}

#[test]
fn through_a_copy_gradients_have_the_same_bits() {
    let (a, _, mut parameters) = two_tensors(1);
    let mut gradients = |x: &Tensor| {
        let bounded: Tensor = x - (x * 0.3_f64.exp()).softplus() * (1.0 - x.square());
        let loss = bounded.sum(Kind::Float) * 0.37 + x.sigmoid().sum(Kind::Float) * 0.01;
        parameters.backward(&loss).unwrap();
        parameters.gradients().iter().map(|number| number.to_bits()).collect::<Vec<_>>()
    };
    assert_eq!(gradients(&a.tensor()), gradients(&a.view()));
}

#[test]
fn a_copy_starts_at_zeros() {
    let mut builder = ParametersBuilder::new();
    builder.parameter(&[2], Init::Constant { value: 5.0 }, FANS).unwrap();
    builder.start_at_zeros();
    builder.parameter(&[2], Init::Constant { value: 5.0 }, FANS).unwrap();
    let parameters = builder.build(&mut ChaCha8Rng::seed_from_u64(0)).unwrap();
    assert_eq!(parameters.values(), [5.0, 5.0, 0.0, 0.0]);
}
