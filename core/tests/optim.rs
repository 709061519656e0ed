//! The optimisers do what PyTorch's do: 100 steps along gradients that both can make, held against
//! what `reference/optim.py` recorded.
#![cfg(feature = "torch")]

use std::collections::BTreeMap;

use gymnast_core::init::{Fans, Init};
use gymnast_core::nn::{Parameters, ParametersBuilder};
use gymnast_core::optim::{
    Adam, AdamConfig, OptimError, Optimizer, RmsProp, RmsPropConfig, Sgd, SgdConfig, clip_grad_norm,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

const SIZE: usize = 37;

#[derive(Deserialize)]
struct Case {
    max_norm: Option<f32>,
    norms: BTreeMap<i64, f32>,
    values: BTreeMap<i64, Vec<f32>>,
}

fn parameters(size: usize) -> Parameters {
    let mut builder = ParametersBuilder::new();
    let fans = Fans { fan_in: size, fan_out: size };
    builder.parameter(&[size], Init::Zeros, fans).expect("a vector");
    let mut parameters =
        builder.build(&mut ChaCha8Rng::seed_from_u64(1)).expect("one good declaration");
    let start = parameters.values_mut().iter_mut().enumerate();
    start.for_each(|(i, value)| *value = ((i % 9) as f32 - 4.0) / 4.0);
    parameters
}

fn write_gradient(step: i64, gradients: &mut [f32]) {
    for (i, gradient) in (0..).zip(gradients) {
        let whole = (7 * step * step + 13 * i * i + 5 * step * i) % 17 - 8;
        *gradient = whole as f32 / 2_f32.powi((i % 11) as i32);
    }
}

fn follows_pytorch(name: &str, lr: f64, mut optimiser: impl Optimizer) {
    let reference: BTreeMap<String, Case> =
        serde_json::from_str(include_str!("reference/optim.json")).expect("the script wrote it");
    let case = &reference[name];
    let mut parameters = parameters(SIZE);
    for step in 1..=100 {
        write_gradient(step, parameters.gradients_mut());
        if let Some(max_norm) = case.max_norm {
            let norm = clip_grad_norm(&mut parameters, max_norm);
            if let Some(expected) = case.norms.get(&step) {
                assert!((norm - expected).abs() <= 1e-6 * expected, "{name} {step}: {norm}");
            }
        }
        optimiser.step(&mut parameters, lr).expect("sizes agree");
        if let Some(expected) = case.values.get(&step) {
            for (i, (value, expected)) in parameters.values().iter().zip(expected).enumerate() {
                let error = (value - expected).abs();
                // Relative to the value, or to 1 where it passes zero.
                assert!(
                    error <= 1e-6 * expected.abs().max(1.0),
                    "{name}, step {step}, parameter {i}: {value}, PyTorch {expected}"
                );
            }
        }
    }
}

#[test]
fn adam() {
    let make = |config| Adam::new(config, &parameters(SIZE)).unwrap();
    follows_pytorch("adam", 1e-2, make(AdamConfig::default()));
    follows_pytorch("adam_clipped", 1e-2, make(AdamConfig::default()));
    let config =
        AdamConfig { betas: (0.8, 0.95), eps: 1e-5, weight_decay: 0.1, ..AdamConfig::default() };
    follows_pytorch("adam_settings", 3e-3, make(config));
    let config = AdamConfig { weight_decay: 0.1, decoupled: true, ..AdamConfig::default() };
    follows_pytorch("adamw", 1e-2, make(config));
}

#[test]
fn sgd() {
    let make = |config| Sgd::new(config, &parameters(SIZE)).unwrap();
    follows_pytorch("sgd", 1e-2, make(SgdConfig::default()));
    let config =
        SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 0.1, ..SgdConfig::default() };
    follows_pytorch("sgd_settings", 1e-2, make(config));
}

#[test]
fn rms_prop() {
    let make = |config| RmsProp::new(config, &parameters(SIZE)).unwrap();
    follows_pytorch("rmsprop", 1e-2, make(RmsPropConfig::default()));
    let config = RmsPropConfig {
        alpha: 0.9,
        eps: 1e-5,
        momentum: 0.5,
        centered: true,
        weight_decay: 0.1,
        ..RmsPropConfig::default()
    };
    follows_pytorch("rmsprop_settings", 1e-3, make(config));
}

#[test]
fn rms_prop_with_epsilon_under_the_root_by_hand() {
    let config =
        RmsPropConfig { alpha: 0.75, eps: 1.25, eps_under_root: true, ..RmsPropConfig::default() };
    let mut parameters = parameters(1); // -1
    let mut optimiser = RmsProp::new(config, &parameters).unwrap();
    parameters.gradients_mut()[0] = 2.0;
    optimiser.step(&mut parameters, 0.75).unwrap();
    // Mean of squares 0.25 · 4, root √(1 + 1.25), step 0.75 · 2 / 1.5.
    assert_eq!(optimiser.state().square, [1.0]);
    assert_eq!(parameters.values(), [-2.0]);
}

#[test]
fn resumes_bit_for_bit() {
    let config = AdamConfig::default();
    let mut parameters_a = parameters(SIZE);
    let mut a = Adam::new(config, &parameters_a).unwrap();
    let mut b = a.clone();
    let mut parameters_b = parameters(SIZE);
    for step in 1..=100 {
        if step == 50 {
            parameters_b.load(&parameters_a.to_vec()).unwrap();
            b.load_state(a.state()).unwrap();
        }
        write_gradient(step, parameters_a.gradients_mut());
        write_gradient(step, parameters_b.gradients_mut());
        a.step(&mut parameters_a, 1e-2).unwrap();
        if step >= 50 {
            b.step(&mut parameters_b, 1e-2).unwrap();
        }
    }
    assert_eq!(parameters_a.values(), parameters_b.values());
    assert_eq!(a.state(), b.state());
}

#[test]
fn zero_gradients_leave_no_denormal_numbers() {
    let mut parameters = parameters(SIZE);
    let mut adam = Adam::new(AdamConfig::default(), &parameters).unwrap();
    parameters.gradients_mut().fill(1e-10);
    for _ in 0..2000 {
        adam.step(&mut parameters, 1e-3).unwrap();
        parameters.zero_grad();
    }
    let state = adam.state();
    assert!(state.m.iter().chain(state.v).all(|x| *x == 0.0 || x.is_normal()));
}

#[test]
fn clipping_leaves_short_gradients_alone() {
    let mut parameters = parameters(4);
    parameters.gradients_mut().copy_from_slice(&[1.0, -2.0, 2.0, 4.0]);
    assert_eq!(clip_grad_norm(&mut parameters, 6.0), 5.0);
    assert_eq!(parameters.gradients(), [1.0, -2.0, 2.0, 4.0]);
    assert_eq!(clip_grad_norm(&mut parameters, 2.5), 5.0);
    assert!((clip_grad_norm(&mut parameters, f32::INFINITY) - 2.5).abs() < 1e-5);
}

#[test]
fn bad_settings_and_sizes_are_errors() {
    let mut network = parameters(4);
    let config = AdamConfig { betas: (0.9, 1.0), ..AdamConfig::default() };
    let error = Adam::new(config, &network).unwrap_err();
    assert_eq!(error.to_string(), "betas.1 must be in [0, 1), got 1");
    let other = parameters(5);
    let mut adam = Adam::new(AdamConfig::default(), &other).unwrap();
    assert!(matches!(adam.step(&mut network, 1e-3), Err(OptimError::Length { .. })));
    let small = Adam::new(AdamConfig::default(), &network).unwrap();
    assert!(matches!(adam.load_state(small.state()), Err(OptimError::Length { .. })));
    assert!(Sgd::new(SgdConfig { lr: f64::NAN, ..SgdConfig::default() }, &network).is_err());
    assert!(
        RmsProp::new(RmsPropConfig { eps: 0.0, ..RmsPropConfig::default() }, &network).is_err()
    );
}
