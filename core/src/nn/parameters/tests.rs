use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::*;

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
fn backward_adds_to_the_flat_gradients() {
    let (a, b, mut parameters) = two_tensors(1);
    assert_eq!(parameters.gradients(), [0.0; 7]);
    for times in 1..=2 {
        let loss = a.tensor().sum(Kind::Float) * 2.0 + b.tensor().sum(Kind::Float);
        loss.backward();
        let t = times as f32;
        assert_eq!(parameters.gradients(), [2.0 * t, 2.0 * t, 2.0 * t, 2.0 * t, t, t, t]);
    }
    parameters.zero_grad();
    assert_eq!(parameters.gradients(), [0.0; 7]);
    (b.tensor().sum(Kind::Float)).backward();
    assert_eq!(parameters.gradients(), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]);
}

#[test]
fn builds_where_gradients_are_off() {
    let (_, b, parameters) = tch::no_grad(|| two_tensors(1));
    b.tensor().sum(Kind::Float).backward();
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
