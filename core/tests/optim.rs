//! The optimisers do what PyTorch's do: 100 steps along gradients that both can make, held against
//! what `reference/optim.py` recorded.
#![cfg(feature = "torch")]

use std::collections::BTreeMap;
use std::iter::once;

use gymnast_core::init::{Fans, Init};
use gymnast_core::nn::{Parameters, ParametersBuilder};
use gymnast_core::optim::{
    Adagrad, AdagradConfig, Adam, AdamConfig, AdamWConfig, OptimError, Optimizer, OptimizerConfig,
    OptimizerState, ParamGroup, ParamGroups, RmsProp, RmsPropConfig, Sgd, SgdConfig,
    clip_grad_norm, clip_grad_value,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

use gymnast_core::SettingError;

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

fn follows_pytorch(name: &str, lr: f64, optimiser: &mut dyn Optimizer) {
    let reference: BTreeMap<String, Case> =
        serde_json::from_str(include_str!("reference/optim.json")).expect("the script wrote it");
    let case = &reference[name];
    let mut parameters = parameters(SIZE);
    for step in 1..=100 {
        write_gradient(step, parameters.gradients_mut());
        if let Some(max_norm) = case.max_norm {
            let norm = optimiser.groups().clip_grad_norm(&mut parameters, max_norm).unwrap();
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
    follows_pytorch("adam", 1e-2, &mut make(AdamConfig::default()));
    follows_pytorch("adam_clipped", 1e-2, &mut make(AdamConfig::default()));
    let config =
        AdamConfig { betas: (0.8, 0.95), eps: 1e-5, weight_decay: 0.1, ..AdamConfig::default() };
    follows_pytorch("adam_settings", 3e-3, &mut make(config));
    let config = AdamConfig { weight_decay: 0.1, decoupled: true, ..AdamConfig::default() };
    follows_pytorch("adamw", 1e-2, &mut make(config));
}

#[test]
fn sgd() {
    let make = |config| Sgd::new(config, &parameters(SIZE)).unwrap();
    follows_pytorch("sgd", 1e-2, &mut make(SgdConfig::default()));
    let config =
        SgdConfig { momentum: 0.9, nesterov: true, weight_decay: 0.1, ..SgdConfig::default() };
    follows_pytorch("sgd_settings", 1e-2, &mut make(config));
}

#[test]
fn rms_prop() {
    let make = |config| RmsProp::new(config, &parameters(SIZE)).unwrap();
    follows_pytorch("rmsprop", 1e-2, &mut make(RmsPropConfig::default()));
    let config = RmsPropConfig {
        alpha: 0.9,
        eps: 1e-5,
        momentum: 0.5,
        centered: true,
        weight_decay: 0.1,
        ..RmsPropConfig::default()
    };
    follows_pytorch("rmsprop_settings", 1e-3, &mut make(config));
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
    assert_eq!(optimiser.state_dict().arrays["square_avg"], [1.0]);
    assert_eq!(parameters.values(), [-2.0]);
}

#[test]
fn adagrad() {
    let make = |config| Adagrad::new(config, &parameters(SIZE)).unwrap();
    follows_pytorch("adagrad", 1e-2, &mut make(AdagradConfig::default()));
    let config = AdagradConfig {
        lr_decay: 0.05,
        weight_decay: 0.1,
        initial_accumulator_value: 0.5,
        eps: 1e-5,
        ..AdagradConfig::default()
    };
    follows_pytorch("adagrad_settings", 3e-2, &mut make(config));
}

/// The first part at a tenth of the rate and with a weight decay of its own, the last frozen.
fn groups() -> ParamGroups {
    let slow = ParamGroup {
        ranges: vec![0..8, 8..20],
        lr_factor: 0.1,
        weight_decay: Some(0.5),
        ..ParamGroup::default()
    };
    let frozen =
        ParamGroup { ranges: once(30..SIZE).collect(), frozen: true, ..ParamGroup::default() };
    ParamGroups::new(&parameters(SIZE), &[frozen, slow]).unwrap()
}

fn all_optimisers() -> [OptimizerConfig; 6] {
    let (weight_decay, momentum) = (0.1, 0.9);
    [
        OptimizerConfig::Sgd(SgdConfig { momentum, nesterov: true, weight_decay, lr: 1e-2 }),
        OptimizerConfig::RmsProp(RmsPropConfig {
            momentum,
            weight_decay,
            centered: true,
            ..RmsPropConfig::default()
        }),
        OptimizerConfig::RmsProp(RmsPropConfig {
            eps_under_root: true,
            weight_decay,
            ..RmsPropConfig::default()
        }),
        OptimizerConfig::Adagrad(AdagradConfig {
            lr_decay: 0.1,
            weight_decay,
            ..AdagradConfig::default()
        }),
        OptimizerConfig::Adam(AdamConfig { weight_decay, ..AdamConfig::default() }),
        OptimizerConfig::AdamW(AdamWConfig::default()),
    ]
}

#[test]
fn parameter_groups() {
    let weight_decay = 0.1;
    let follows_pytorch = |name, config: OptimizerConfig| {
        let mut optimiser = config.build(&parameters(SIZE)).unwrap();
        optimiser.set_groups(groups()).unwrap();
        follows_pytorch(name, 1e-2, optimiser.as_mut());
    };
    let config = AdamWConfig { weight_decay, ..AdamWConfig::default() };
    follows_pytorch("adamw_groups", OptimizerConfig::AdamW(config));
    let config = SgdConfig { momentum: 0.9, weight_decay, ..SgdConfig::default() };
    follows_pytorch("sgd_groups", OptimizerConfig::Sgd(config));
    let config = RmsPropConfig { weight_decay, ..RmsPropConfig::default() };
    follows_pytorch("rmsprop_groups", OptimizerConfig::RmsProp(config));
    let config = AdagradConfig { weight_decay, ..AdagradConfig::default() };
    follows_pytorch("adagrad_groups", OptimizerConfig::Adagrad(config));
}

#[test]
fn frozen_parameters_stay_to_the_last_bit() {
    for config in all_optimisers() {
        let mut parameters = parameters(SIZE);
        // Numbers that any arithmetic would change: a denormal, a negative zero.
        parameters.values_mut()[30..32].copy_from_slice(&[1e-40, -0.0]);
        let before = parameters.to_vec();
        let mut optimiser = config.build(&parameters).unwrap();
        optimiser.set_groups(groups()).unwrap();
        let remembered = optimiser.state_dict();
        for step in 1..=20 {
            write_gradient(step, parameters.gradients_mut());
            parameters.gradients_mut()[33] = f32::NAN; // in no norm either
            let norm = optimiser.descend(&mut parameters, 1e-2, Some(1.0)).unwrap();
            assert!(norm.is_finite());
        }
        let bits = |values: &[f32]| values.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&parameters.values()[30..]), bits(&before[30..]), "{config:?}");
        assert!(parameters.values()[..30].iter().zip(&before).all(|(now, then)| now != then));
        for (name, array) in optimiser.state_dict().arrays {
            assert_eq!(array[30..], remembered.arrays[&name][30..], "{config:?}: {name}");
        }
    }
}

#[test]
fn groups_that_change_nothing_change_no_bit() {
    for config in all_optimisers() {
        let (mut alone, mut grouped) = (parameters(SIZE), parameters(SIZE));
        let mut a = config.build(&alone).unwrap();
        let mut b = config.build(&grouped).unwrap();
        let decay = Some(match config {
            OptimizerConfig::AdamW(config) => config.weight_decay,
            _ => 0.1,
        });
        let odd =
            ParamGroup { ranges: vec![3..4, 9..26], weight_decay: decay, ..ParamGroup::default() };
        b.set_groups(ParamGroups::new(&grouped, &[odd]).unwrap()).unwrap();
        assert_eq!(b.groups().trained().count(), 5);
        for step in 1..=20 {
            write_gradient(step, alone.gradients_mut());
            write_gradient(step, grouped.gradients_mut());
            a.step(&mut alone, 1e-2).unwrap();
            b.step(&mut grouped, 1e-2).unwrap();
        }
        assert_eq!(alone.values(), grouped.values(), "{config:?}");
    }
}

#[test]
fn bad_groups_are_errors() {
    let parameters = parameters(10);
    let group = |range| ParamGroup { ranges: vec![range], ..ParamGroup::default() };
    let error = |groups: &[ParamGroup]| ParamGroups::new(&parameters, groups).unwrap_err();
    let overlap = OptimError::Overlap { first: 2..6, second: 5..7 };
    assert_eq!(error(&[group(5..7), group(2..6)]), overlap);
    let twice = ParamGroup { ranges: vec![1..9, 4..5], ..ParamGroup::default() };
    assert_eq!(error(&[twice]), OptimError::Overlap { first: 1..9, second: 4..5 });
    assert_eq!(error(&[group(8..11)]), OptimError::Range { range: 8..11, length: 10 });
    let (start, end) = (5, 3);
    assert_eq!(error(&[group(start..end)]), OptimError::Range { range: start..end, length: 10 });
    let negative = ParamGroup { lr_factor: -1.0, ..group(0..1) };
    assert_eq!(error(&[negative]).to_string(), "lr_factor must be finite and ≥ 0, got -1");
    let negative = ParamGroup { weight_decay: Some(f64::NAN), ..group(0..1) };
    assert!(matches!(
        error(&[negative]),
        OptimError::Setting(SettingError { key: "weight_decay", .. })
    ));
    // Neighbours do not overlap; neither does what is empty.
    assert!(ParamGroups::new(&parameters, &[group(0..5), group(5..10), group(3..3)]).is_ok());
    let mut adam = Adam::new(AdamConfig::default(), &parameters).unwrap();
    assert!(matches!(adam.set_groups(groups()), Err(OptimError::Length { got: SIZE, .. })));
}

#[test]
fn resumes_bit_for_bit() {
    for config in all_optimisers() {
        let mut whole = parameters(SIZE);
        let mut optimiser = config.build(&whole).unwrap();
        let mut saved = None;
        for step in 1..=100 {
            write_gradient(step, whole.gradients_mut());
            optimiser.step(&mut whole, 1e-2).unwrap();
            if step == 50 {
                let state = serde_json::to_string(&optimiser.state_dict()).unwrap();
                saved = Some((whole.to_vec(), state));
            }
        }
        let (values, state) = saved.expect("step 50 came");
        let mut resumed = parameters(SIZE);
        resumed.load(&values).unwrap();
        let mut other = config.build(&resumed).unwrap();
        other.load_state_dict(&serde_json::from_str(&state).unwrap()).unwrap();
        for step in 51..=100 {
            write_gradient(step, resumed.gradients_mut());
            other.step(&mut resumed, 1e-2).unwrap();
        }
        assert_eq!(whole.values(), resumed.values(), "{config:?}");
        assert_eq!(optimiser.state_dict(), other.state_dict(), "{config:?}");
    }
}

#[test]
fn another_optimisers_state_is_an_error() {
    let four = parameters(4);
    let sgd = Sgd::new(SgdConfig::default(), &four).unwrap();
    let mut adam = Adam::new(AdamConfig::default(), &four).unwrap();
    let error = adam.load_state_dict(&sgd.state_dict()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected the state of an optimiser that remembers exp_avg, exp_avg_sq, got one with \
         \"momentum_buffer\""
    );
    let without_step = OptimizerState { step: None, ..adam.state_dict() };
    assert!(matches!(adam.load_state_dict(&without_step), Err(OptimError::State { .. })));
    let five = Adam::new(AdamConfig::default(), &parameters(5)).unwrap();
    let error = adam.load_state_dict(&five.state_dict()).unwrap_err();
    assert_eq!(error, OptimError::Length { what: "m", expected: 4, got: 5 });
}

#[test]
fn optimisers_are_settings() {
    for (text, config) in [
        (r#"{"adam": {}}"#, OptimizerConfig::default()),
        (
            r#"{"adamw": {"lr": 1.0}}"#,
            OptimizerConfig::AdamW(AdamWConfig { lr: 1.0, ..AdamWConfig::default() }),
        ),
        (r#"{"rmsprop": {}}"#, OptimizerConfig::RmsProp(RmsPropConfig::default())),
        (r#"{"adagrad": {}}"#, OptimizerConfig::Adagrad(AdagradConfig::default())),
        (r#"{"sgd": {"lr": 1e-3}}"#, OptimizerConfig::Sgd(SgdConfig::default())),
    ] {
        assert_eq!(serde_json::from_str::<OptimizerConfig>(text).unwrap(), config);
    }
    assert!(serde_json::from_str::<OptimizerConfig>(r#"{"adam": {"beta": 1}}"#).is_err());
    assert_eq!(OptimizerConfig::AdamW(AdamWConfig::default()).lr(), 1e-3);
    let bad = OptimizerConfig::Adagrad(AdagradConfig { eps: 0.0, ..AdagradConfig::default() });
    assert!(bad.build(&parameters(4)).is_err());
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
    assert_eq!(clip_grad_norm(&mut parameters, 6.0), Ok(5.0));
    assert_eq!(parameters.gradients(), [1.0, -2.0, 2.0, 4.0]);
    assert_eq!(clip_grad_norm(&mut parameters, 2.5), Ok(5.0));
    assert!((clip_grad_norm(&mut parameters, f32::INFINITY).unwrap() - 2.5).abs() < 1e-5);
}

#[test]
fn gradients_of_any_size_are_clipped_to_the_norm() {
    let mut parameters = parameters(3);
    for size in [1e20_f32, 1e30, 3e38] {
        parameters.gradients_mut().copy_from_slice(&[size, -size, 0.0]);
        let norm = f64::from(clip_grad_norm(&mut parameters, 1.0).unwrap());
        let exact = (f64::from(size) * 2_f64.sqrt()).min(f32::MAX.into());
        assert!((norm / exact - 1.0).abs() < 1e-6, "{size}: {norm}");
        let clipped = parameters.gradients();
        let half = 0.5_f32.sqrt();
        let is_near = |got: f32, expected: f32| (got - expected).abs() < 1e-6;
        assert!(is_near(clipped[0], half) && is_near(clipped[1], -half), "{size}: {clipped:?}");
        assert_eq!(clipped[2], 0.0);
    }
    // Of numbers whose squares vanish in `f32` too the norm is known.
    parameters.gradients_mut().copy_from_slice(&[3e-30, 4e-30, 0.0]);
    let norm = clip_grad_norm(&mut parameters, f32::INFINITY).unwrap();
    assert!((norm / 5e-30 - 1.0).abs() < 1e-6, "{norm}");
    parameters.gradients_mut()[1] = f32::INFINITY;
    assert!(clip_grad_norm(&mut parameters, 1.0).unwrap().is_infinite());
    for bad in [-1.0, f32::NAN] {
        let error = clip_grad_norm(&mut parameters, bad);
        assert!(matches!(error, Err(OptimError::Setting(SettingError { key: "max_norm", .. }))));
    }
}

#[test]
fn no_step_is_taken_at_a_rate_that_is_none() {
    let optimisers = [
        OptimizerConfig::Sgd(SgdConfig::default()),
        OptimizerConfig::RmsProp(RmsPropConfig::default()),
        OptimizerConfig::Adagrad(AdagradConfig::default()),
        OptimizerConfig::Adam(AdamConfig::default()),
        OptimizerConfig::AdamW(AdamWConfig::default()),
    ];
    for config in optimisers {
        let mut parameters = parameters(4);
        let mut optimiser = config.build(&parameters).unwrap();
        let (before, state) = (parameters.to_vec(), optimiser.state_dict());
        parameters.gradients_mut().fill(1.0);
        for lr in [f64::NAN, -1.0, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            let error = optimiser.step(&mut parameters, lr).unwrap_err();
            assert!(
                matches!(error, OptimError::Setting(SettingError { key: "lr", .. })),
                "{error}"
            );
            let error = optimiser.descend(&mut parameters, lr, Some(0.1)).unwrap_err();
            assert!(
                matches!(error, OptimError::Setting(SettingError { key: "lr", .. })),
                "{error}"
            );
        }
        assert_eq!((parameters.to_vec(), optimiser.state_dict()), (before, state));
        assert_eq!(parameters.gradients(), [1.0; 4]);
        let fast =
            ParamGroup { ranges: once(0..2).collect(), lr_factor: 1e30, ..Default::default() };
        optimiser.set_groups(ParamGroups::new(&parameters, &[fast]).unwrap()).unwrap();
        assert!(optimiser.step(&mut parameters, 1e30).is_err());
        assert!(optimiser.step(&mut parameters, 0.0).is_ok());
    }
}

#[test]
fn gradients_whose_squares_are_beyond_single_precision_are_refused() {
    for config in all_optimisers() {
        let fresh = || {
            let mut parameters = parameters(SIZE);
            parameters.zero_grad();
            (config.build(&parameters).unwrap(), parameters)
        };
        // Of a square of 1e42 Adam takes a thousandth.
        let (mut optimiser, mut network) = fresh();
        network.gradients_mut()[SIZE - 1] = 1e21;
        let stepped = optimiser.step(&mut network, 1e-2);
        match config {
            OptimizerConfig::Sgd(_) => assert_eq!(stepped, Ok(())),
            _ => assert!(
                matches!(stepped, Err(OptimError::NotFinite { got: f32::INFINITY, .. })),
                "{config:?}: {stepped:?}"
            ),
        }
        // Clipped they are as good as others, and smaller ones move parameters unclipped.
        for (size, max_norm) in [(1e21, Some(1.0)), (1e18, None)] {
            let (mut optimiser, mut network) = fresh();
            let before = network.to_vec();
            network.gradients_mut()[SIZE - 1] = size;
            assert_eq!(optimiser.descend(&mut network, 1e-2, max_norm), Ok(size), "{config:?}");
            assert!(network.values()[SIZE - 1] < before[SIZE - 1], "{config:?}");
        }
        // Of what is no number nothing is learned at all.
        for lost in [f32::NAN, f32::INFINITY] {
            let (mut optimiser, mut network) = fresh();
            let before = (network.to_vec(), optimiser.state_dict());
            network.gradients_mut()[0] = lost;
            let error = optimiser.descend(&mut network, 1e-2, Some(1.0)).unwrap_err();
            assert!(matches!(error, OptimError::NotFinite { what: "the gradient", .. }), "{error}");
            assert_eq!((network.to_vec(), optimiser.state_dict()), before, "{config:?}");
        }
    }
    // Adagrad's sum may outgrow what holds each square.
    let mut network = parameters(1);
    let mut adagrad = Adagrad::new(AdagradConfig::default(), &network).unwrap();
    network.gradients_mut()[0] = 1.5e19;
    assert_eq!(adagrad.step(&mut network, 1e-2), Ok(()));
    assert!(matches!(adagrad.step(&mut network, 1e-2), Err(OptimError::NotFinite { .. })));
}

#[test]
fn settings_that_vanish_in_single_precision_are_refused() {
    let parameters = parameters(2);
    for eps in [1e-50, 1e-40, 1e50] {
        for config in [
            OptimizerConfig::Adam(AdamConfig { eps, ..AdamConfig::default() }),
            OptimizerConfig::RmsProp(RmsPropConfig { eps, ..RmsPropConfig::default() }),
            OptimizerConfig::Adagrad(AdagradConfig { eps, ..AdagradConfig::default() }),
        ] {
            let error = config.build(&parameters).err();
            assert!(
                matches!(error, Some(OptimError::Setting(SettingError { key: "eps", .. }))),
                "{error:?}"
            );
        }
    }
    let config = SgdConfig { weight_decay: 1e300, ..SgdConfig::default() };
    assert!(matches!(Sgd::new(config, &parameters), Err(OptimError::Setting(_))));
}

#[test]
fn clipping_values() {
    let mut parameters = parameters(5);
    parameters.gradients_mut().copy_from_slice(&[1.0, -2.0, 2.0, 4.0, 0.0]);
    assert_eq!(clip_grad_value(&mut parameters, 1.5), Ok(5.0));
    assert_eq!(parameters.gradients(), [1.0, -1.5, 1.5, 1.5, 0.0]);
    assert_eq!(
        clip_grad_value(&mut parameters, f32::INFINITY),
        clip_grad_value(&mut parameters, 9.0)
    );
    let frozen = ParamGroup { ranges: once(2..4).collect(), frozen: true, ..ParamGroup::default() };
    let groups = ParamGroups::new(&parameters, &[frozen]).unwrap();
    parameters.gradients_mut().copy_from_slice(&[3.0, 4.0, 9.0, f32::NAN, 0.0]);
    assert_eq!(groups.clip_grad_value(&mut parameters, 2.0), Ok(5.0));
    assert_eq!(parameters.gradients()[..3], [2.0, 2.0, 9.0]);
    parameters.gradients_mut()[4] = f32::NAN;
    assert!(clip_grad_value(&mut parameters, 1.0).unwrap().is_nan());
    assert!(parameters.gradients()[4].is_nan());
    for bad in [-1.0, f32::NAN] {
        assert!(matches!(clip_grad_value(&mut parameters, bad), Err(OptimError::Setting(_))));
        let error = groups.clip_grad_norm(&mut parameters, bad);
        assert!(matches!(error, Err(OptimError::Setting(SettingError { key: "max_norm", .. }))));
    }
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
