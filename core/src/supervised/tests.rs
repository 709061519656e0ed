use std::cell::Cell;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::*;
use crate::checkpoint::StateDict;
use crate::data::{Augmentation, DataError, Sampler};
use crate::imbalance::Resampler;
use crate::loss::Loss;
use crate::loss::mse;
use crate::lr_schedule::LrSchedule;
use crate::nn::{
    Activation, LayerConfig, MlpConfig, Net, Network as _, NetworkConfig, NetworkError, Sequential,
};
use crate::optim::{
    AdagradConfig, AdamConfig, AdamWConfig, OptimizerConfig, ParamGroup, RmsPropConfig, SgdConfig,
};

mod failures;
mod identity;
mod trainer;
mod weights;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

/// `w x + b`, both 0 at first.
fn line() -> Net {
    let config = MlpConfig { hidden: Vec::new(), ..MlpConfig::default() };
    let mut line = config.build(1, 1, &mut rng()).unwrap();
    line.parameters_mut().load(&[0.0, 0.0]).unwrap();
    line
}

fn rows(inputs: &[f32], targets: &[f32]) -> Dataset {
    Dataset::new(inputs.to_vec(), 1, targets.to_vec(), 1).unwrap()
}

fn squared(network: &Net, batch: &Batch) -> Tensor {
    mse(&network.forward(&batch.inputs()), &batch.targets(), None).unwrap()
}

fn config() -> FitConfig {
    FitConfig { epochs: 12, batch_size: 1, patience: 0, ..FitConfig::adam(0.1) }
}

/// A training that pulls the line at x = 1 from 0 up to 10, past the 1 that is held out: each step of
/// Adam moves w and b by 0.1, so that the fifth epoch is the best.
fn overshoot(config: &FitConfig) -> (Net, History) {
    let (train, validation) = (rows(&[1.0], &[10.0]), rows(&[1.0], &[1.0]));
    let mut line = line();
    let history = fit(&mut line, &train, &validation, config, rng(), &squared).unwrap();
    (line, history)
}

#[test]
fn the_best_weights_are_kept_whether_it_stops_early_or_not() {
    for (patience, epochs, stopped_early) in [(0, 12, false), (3, 8, true), (7, 12, false)] {
        let (line, history) = overshoot(&FitConfig { patience, ..config() });
        assert_eq!((history.best_epoch, history.epochs.len()), (Some(4), epochs), "{patience}");
        assert_eq!(history.stopped_early, stopped_early, "{patience}");
        let [w, b] = *line.parameters().values() else { panic!() };
        assert!((w - 0.5).abs() < 0.01 && (b - 0.5).abs() < 0.01, "{w} {b}");
        let best = history.best().unwrap();
        let loss = f64::from(w + b - 1.0).powi(2);
        assert!((best.validation_loss.unwrap() - loss).abs() < 1e-6, "{best:?}");
        assert!((history.epochs[0].train_loss - 100.0).abs() < 1e-6);
    }
}

#[test]
fn an_improvement_smaller_than_min_delta_is_none() {
    // The validation loss falls from 0.64 by 0.28, 0.2, 0.12, 0.04 an epoch.
    let (_, history) = overshoot(&FitConfig { patience: 1, min_delta: 0.15, ..config() });
    assert_eq!((history.epochs.len(), history.best_epoch), (4, Some(3)));
}

#[test]
fn an_epoch_sees_each_row_once_and_its_loss_is_their_mean() {
    let data = rows(&[0.0, 0.0, 0.0], &[1.0, 2.0, 4.0]);
    let seen = Cell::new(0.0);
    let loss = |network: &Net, batch: &Batch| {
        seen.set(seen.get() + batch.target_numbers().iter().sum::<f32>());
        squared(network, batch)
    };
    let still = FitConfig { epochs: 2, batch_size: 2, ..FitConfig::adam(1e-20) };
    let (mut line, none) = (line(), rows(&[], &[]));
    let history = fit(&mut line, &data, &none, &still, rng(), &loss).unwrap();
    assert_eq!(seen.get(), 14.0);
    for epoch in &history.epochs {
        assert!((epoch.train_loss - 7.0).abs() < 1e-6, "{epoch:?}"); // (1 + 4 + 16) / 3
        assert_eq!(epoch.validation_loss, None);
    }
}

#[test]
fn a_loss_that_is_not_finite_names_epoch_and_batch() {
    let data = rows(&[0.0; 4], &[1.0; 4]);
    let calls = Cell::new(0);
    let loss = |network: &Net, batch: &Batch| {
        calls.set(calls.get() + 1);
        squared(network, batch) * if calls.get() == 7 { f64::NAN } else { 1.0 }
    };
    let (mut line, none) = (line(), rows(&[], &[]));
    let error = fit(&mut line, &data, &none, &config(), rng(), &loss).unwrap_err();
    assert!(matches!(error, FitError::Diverged { epoch: 2, batch: 3, .. }), "{error}");
    assert!(line.parameters().values().iter().all(|x| x.is_finite()));
}

#[test]
fn a_resumed_training_goes_on_as_if_nothing_had_happened() {
    let train = rows(&[0.0, 0.2, 0.4, 0.6, 0.8], &[1.0, 1.5, 1.7, 2.6, 2.5]);
    let validation = rows(&[0.5, 1.0], &[2.0, 3.0]);
    let config = FitConfig { batch_size: 2, patience: 4, ..config() };
    let mut whole = line();
    let history = fit(&mut whole, &train, &validation, &config, rng(), &squared).unwrap();
    assert!(history.best_epoch.unwrap() > 1);
    for moment in [0, 1, 3, 5, 10, 20] {
        let mut network = line();
        let mut first = Fit::new(&config, network.parameters(), rng()).unwrap();
        for _ in 0..moment {
            first.step(&mut network, &train, &validation, &squared).unwrap();
        }
        let mut state = StateDict::new();
        state.insert_part("fit", &first).unwrap();
        let mut second = Fit::new(&config, network.parameters(), rng()).unwrap();
        state.load_part("fit", &mut second).unwrap();
        while !second.is_over() {
            second.step(&mut network, &train, &validation, &squared).unwrap();
        }
        assert_eq!(second.history(), &history, "{moment}");
        assert_eq!(second.best_weights().unwrap(), whole.parameters().values());
        assert!(second.step(&mut network, &train, &validation, &squared).unwrap().is_none());
    }
}

#[test]
fn what_cannot_be_learned_from_is_an_error() {
    let none = rows(&[], &[]);
    let error = fit(&mut line(), &none, &none, &config(), rng(), &squared).unwrap_err();
    assert!(matches!(error, FitError::Empty));
    for bad in [
        FitConfig { epochs: 0, ..config() },
        FitConfig { batch_size: 0, ..config() },
        FitConfig { accumulate: 0, ..config() },
        FitConfig { max_grad_norm: Some(0.0), ..config() },
        FitConfig { min_delta: -1.0, ..config() },
    ] {
        let error = Fit::new(&bad, line().parameters(), rng()).err().unwrap();
        assert!(matches!(error, FitError::Setting(_)), "{error}");
    }
    let bad = FitConfig::adam(f64::NAN);
    assert!(matches!(Fit::new(&bad, line().parameters(), rng()), Err(FitError::Optim(_))));
    let wide = Dataset::new(vec![0.0; 4], 2, vec![0.0; 2], 1).unwrap();
    let error = fit(&mut line(), &wide, &none, &config(), rng(), &squared).unwrap_err();
    assert!(matches!(error, FitError::Width { expected: 1, got: 2, .. }), "{error}");
}

#[test]
fn accumulated_minibatches_make_the_step_of_one_large_one() {
    let data = rows(&[0.0, 0.2, 0.4, 0.6, 0.8], &[1.0, 1.5, 1.7, 2.6, 2.5]);
    let fitted = |batch_size, accumulate| {
        let config = FitConfig { epochs: 3, batch_size, accumulate, ..config() };
        let mut network = line();
        fit(&mut network, &data, &rows(&[], &[]), &config, rng(), &squared).unwrap();
        network.parameters().to_vec()
    };
    // Groups of 4 and 1, of minibatches of 2, 2 and 1.
    for (apart, whole) in fitted(2, 2).iter().zip(fitted(4, 1)) {
        assert!((apart - whole).abs() < 1e-6, "{apart} {whole}");
    }
    assert_ne!(fitted(2, 1), fitted(2, 2));
}

#[test]
fn the_learning_rate_follows_its_schedule_over_the_steps_of_all_epochs() {
    let data = rows(&[0.0; 5], &[1.0; 5]);
    let schedule = LrSchedule::Linear { start_factor: 1.0, end_factor: 0.0, total_iters: None };
    let config = FitConfig { epochs: 4, batch_size: 2, lr_schedule: schedule, ..config() };
    let history = fit(&mut line(), &data, &rows(&[], &[]), &config, rng(), &squared).unwrap();
    // 12 steps: the last of each epoch are those of 2, 5, 8 and 11.
    for (epoch, step) in history.epochs.iter().zip([2.0, 5.0, 8.0, 11.0]) {
        assert!((epoch.learning_rate - 0.1 * (1.0 - step / 12.0)).abs() < 1e-12, "{epoch:?}");
    }
}
