use std::cell::Cell;
use std::ops::ControlFlow;

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
    Activation, LayerConfig, Mlp, MlpConfig, Network as _, NetworkConfig, NetworkError, Sequential,
};
use crate::optim::{
    AdagradConfig, AdamConfig, AdamWConfig, OptimizerConfig, ParamGroup, RmsPropConfig, SgdConfig,
};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

/// `w x + b`, both 0 at first.
fn line() -> Mlp {
    let config = MlpConfig { hidden: Vec::new(), ..MlpConfig::default() };
    let mut line = Mlp::new(&config, 1, 1, &mut rng()).unwrap();
    line.parameters_mut().load(&[0.0, 0.0]).unwrap();
    line
}

fn rows(inputs: &[f32], targets: &[f32]) -> Dataset {
    Dataset::new(inputs.to_vec(), 1, targets.to_vec(), 1).unwrap()
}

fn squared(network: &Mlp, batch: &Batch) -> Tensor {
    mse(&network.forward(&batch.inputs()), &batch.targets(), None)
}

fn config() -> FitConfig {
    FitConfig { epochs: 12, batch_size: 1, patience: 0, ..FitConfig::adam(0.1) }
}

/// A training that pulls the line at x = 1 from 0 up to 10, past the 1 that is held out: each step of
/// Adam moves w and b by 0.1, so that the fifth epoch is the best.
fn overshoot(config: &FitConfig) -> (Mlp, History) {
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
    let loss = |network: &Mlp, batch: &Batch| {
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
    let loss = |network: &Mlp, batch: &Batch| {
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
        assert!(matches!(error, FitError::Setting { .. }), "{error}");
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

/// The mean output: `[]`.
fn mean_output(predictions: &Predictions) -> Option<f64> {
    let sum: f64 = predictions.outputs.iter().map(|&x| f64::from(x)).sum();
    (!predictions.is_empty()).then(|| sum / predictions.len() as f64)
}

#[test]
fn scores_are_those_of_all_rows_after_the_epoch() {
    let (train, validation) = (rows(&[1.0, 1.0, 3.0], &[1.0; 3]), rows(&[2.0], &[1.0]));
    let mut network = line();
    let one = FitConfig { epochs: 1, batch_size: 2, ..config() };
    let mut trainer = Trainer::new(one, rng()).unwrap().score("mean", mean_output);
    let history = trainer.fit(&mut network, &train, &validation, &squared).unwrap();
    let [w, b] = *network.parameters().values() else { panic!() };
    let scores = history.epochs[0].scores["mean"];
    assert!((scores.train.unwrap() - f64::from(w * 5.0 / 3.0 + b)).abs() < 1e-6);
    assert!((scores.validation.unwrap() - f64::from(w * 2.0 + b)).abs() < 1e-6);
    let evaluation = trainer.evaluate(&network, &train, &squared).unwrap();
    assert_eq!(evaluation.scores["mean"], scores.train);
    assert!(history.score_curves("mean").to_svg().unwrap().contains("validation"));
    assert!(history.loss_curves().to_svg().is_ok());
    let nothing = trainer.evaluate(&network, &rows(&[], &[]), &squared);
    assert!(matches!(nothing, Err(FitError::Empty)));
}

struct StopAfter(usize);

impl Callback for StopAfter {
    fn on_epoch(&mut self, history: &History) -> ControlFlow<()> {
        let over = history.epochs.len() >= self.0;
        if over { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_training_that_was_stopped_goes_on_from_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.safetensors");
    let train = rows(&[0.0, 0.2, 0.4, 0.6, 0.8], &[1.0, 1.5, 1.7, 2.6, 2.5]);
    let validation = rows(&[0.5, 1.0], &[2.0, 3.0]);
    let noise = Augmentation::GaussianNoise { std: 0.1 };
    let config = || FitConfig { batch_size: 2, augmentations: vec![noise.clone()], ..config() };
    let trainer = |config| Trainer::new(config, rng()).unwrap().score("mean", mean_output);
    let mut whole = line();
    let history = trainer(config()).fit(&mut whole, &train, &validation, &squared).unwrap();
    for epochs in [1, 4, 11] {
        let _ = std::fs::remove_file(&path);
        let mut first = trainer(config()).checkpoint(&path).callback(StopAfter(epochs));
        let stopped = first.fit(&mut line(), &train, &validation, &squared).unwrap();
        assert_eq!(stopped.epochs, history.epochs[..epochs]);
        // Another start: all that counts is in the file.
        let mut network = line();
        network.parameters_mut().load(&[5.0, -5.0]).unwrap();
        let mut second = trainer(config()).checkpoint(&path);
        let resumed = second.fit(&mut network, &train, &validation, &squared).unwrap();
        assert_eq!(resumed, history, "{epochs}");
        assert_eq!(network.parameters().values(), whole.parameters().values());
    }
    let mut other = trainer(FitConfig { batch_size: 3, ..config() }).checkpoint(&path);
    let error = other.fit(&mut line(), &train, &validation, &squared).unwrap_err();
    assert!(matches!(error, FitError::Checkpoint(_)), "{error}");
    let error = trainer(config()).checkpoint(&path);
    let error = { error }.fit(&mut line(), &validation, &train, &squared).unwrap_err();
    assert!(error.to_string().contains("training"), "{error}");
}

#[test]
fn a_frozen_group_stays_as_it_is() {
    let data = rows(&[0.0, 0.5, 1.0], &[1.0, 2.0, 3.0]);
    let slope = ParamGroup { ranges: vec![0..1], frozen: true, ..ParamGroup::default() };
    let config = FitConfig { param_groups: vec![slope], ..config() };
    let mut network = line();
    fit(&mut network, &data, &rows(&[], &[]), &config, rng(), &squared).unwrap();
    let [w, b] = *network.parameters().values() else { panic!() };
    assert!(w == 0.0 && b > 0.5, "{w} {b}");
}

#[test]
fn predictions_know_their_classes_and_probabilities() {
    let predictions = Predictions {
        outputs: vec![0.0, 2.0, 1.0, 1e4, 1e4, -1e4],
        width: 3,
        targets: vec![1.0, 2.0],
    };
    assert_eq!((predictions.classes(), predictions.true_classes()), (vec![1, 0], vec![1, 2]));
    let probabilities = predictions.probabilities();
    let sum = 1.0 + 1_f64.exp() + 2_f64.exp();
    assert!((probabilities[1] - 2_f64.exp() / sum).abs() < 1e-12);
    assert_eq!(probabilities[3..], [0.5, 0.5, 0.0]);
}

#[test]
fn with_every_optimiser_a_stopped_training_goes_on_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    let train = rows(&[0.0, 0.2, 0.4, 0.6, 0.8], &[0.0, 0.0, 1.0, 1.0, 1.0]);
    let momentum = SgdConfig { momentum: 0.9, nesterov: true, ..SgdConfig::default() };
    let centred = RmsPropConfig { momentum: 0.5, centered: true, ..RmsPropConfig::default() };
    for (i, optimizer) in [
        OptimizerConfig::Sgd(momentum),
        OptimizerConfig::RmsProp(centred),
        OptimizerConfig::Adagrad(AdagradConfig::default()),
        OptimizerConfig::Adam(AdamConfig::default()),
        OptimizerConfig::AdamW(AdamWConfig::default()),
    ]
    .into_iter()
    .enumerate()
    {
        let config = FitConfig { optimizer, epochs: 6, batch_size: 2, ..config() };
        // Batch normalisation and dropout have a state of their own.
        let layers = NetworkConfig {
            encoder: vec![
                LayerConfig::linear(8),
                LayerConfig::batch_norm(),
                Activation::Relu.into(),
                LayerConfig::Dropout { p: 0.3 },
            ],
            ..NetworkConfig::default()
        };
        let layers = layers.linear_head(2);
        let start = || Sequential::new(&layers, &[1], &mut rng()).unwrap();
        let trainer = || Trainer::new(FitConfig { epochs: 6, ..config.clone() }, rng()).unwrap();
        let loss = Loss::cross_entropy();
        // Four rows: a last minibatch of one cannot be normalised.
        let four = train.select(&[0, 1, 2, 3]).unwrap();
        let mut whole = start();
        let history = trainer().fit(&mut whole, &four, &four, &loss).unwrap();
        let path = folder.path().join(format!("{i}.safetensors"));
        let mut first = trainer().checkpoint(&path).callback(StopAfter(3));
        first.fit(&mut start(), &four, &four, &loss).unwrap();
        let mut network = start();
        let resumed = trainer().checkpoint(&path).fit(&mut network, &four, &four, &loss).unwrap();
        assert_eq!(resumed, history, "{optimizer:?}");
        assert_eq!(network.parameters().values(), whole.parameters().values(), "{optimizer:?}");
        assert_eq!(network.buffers(), whole.buffers());
        let one_row_left = trainer().fit(&mut start(), &train, &four, &loss).unwrap_err();
        assert!(matches!(one_row_left, FitError::Network(NetworkError::Rows { .. })));
    }
}

#[test]
fn a_balanced_sampler_feeds_the_classes_alike_and_resumes() {
    let inputs: Vec<f32> = (0..20).map(|row| row as f32 / 20.0).collect();
    let classes: Vec<f32> = (0..20).map(|row| f32::from(u8::from(row >= 18))).collect();
    let train = rows(&inputs, &classes);
    let nothing = train.select(&[]).unwrap();
    let config = FitConfig { epochs: 3, batch_size: 6, sampler: Sampler::Balanced, ..config() };
    let shares = std::cell::RefCell::new(Vec::new());
    let objective = |network: &Mlp, batch: &Batch| {
        shares.borrow_mut().push((batch.len(), batch.target_numbers().iter().sum::<f32>()));
        squared(network, batch)
    };
    let mut whole = line();
    let mut fit = Fit::new(&config, whole.parameters(), rng()).unwrap();
    while !fit.is_over() {
        fit.step(&mut whole, &train, &nothing, &objective).unwrap();
    }
    let epoch = [(6, 3.0), (6, 3.0), (6, 3.0), (2, 1.0)];
    assert_eq!(shares.into_inner(), epoch.repeat(3));

    // Stopped in the middle of an epoch, and gone on with from what was saved.
    let mut network = line();
    let mut first = Fit::new(&config, network.parameters(), rng()).unwrap();
    for _ in 0..6 {
        first.step(&mut network, &train, &nothing, &squared).unwrap();
    }
    let mut state = StateDict::new();
    state.insert_part("fit", &first).unwrap();
    let mut second = Fit::new(&config, network.parameters(), rng()).unwrap();
    state.load_part("fit", &mut second).unwrap();
    while !second.is_over() {
        second.step(&mut network, &train, &nothing, &squared).unwrap();
    }
    assert_eq!(network.parameters().values(), whole.parameters().values());
}

#[test]
fn resampled_rows_are_learned_from_but_not_held_out() {
    let data = rows(&[0.0, 1.0, 2.0], &[0.0, 0.0, 1.0]);
    let more = Resampler::random_over().fit_resample(&data, &mut rng()).unwrap().data;
    let error = fit(&mut line(), &data, &more, &config(), rng(), &squared).unwrap_err();
    assert!(matches!(error, FitError::Data(DataError::Resampled { what: "hold out" })), "{error}");
    let nothing = more.select(&[]).unwrap();
    for held_out in [&data, &nothing] {
        fit(&mut line(), &more, held_out, &config(), rng(), &squared).unwrap();
    }
    let balanced = FitConfig { sampler: Sampler::Balanced, ..config() };
    let numbers = rows(&[0.0, 1.0], &[0.5, 1.0]);
    let error = fit(&mut line(), &numbers, &data, &balanced, rng(), &squared).unwrap_err();
    assert!(matches!(error, FitError::Data(DataError::NotAClass { row: 0, .. })), "{error}");
}

#[test]
fn a_training_that_lags_behind_is_a_pruned_trial() {
    use crate::tune::{Median, Outcome, Pruner, Scale, Stop, Study, StudyConfig};
    let pruner = Pruner::Median(Median { n_startup_trials: 1, n_warmup_steps: 2 });
    let mut study = Study::new(StudyConfig { pruner, ..StudyConfig::default() }).unwrap();
    let (data, none) = (rows(&[1.0, 2.0], &[2.0, 4.0]), rows(&[], &[]));
    let train = |trial: &mut crate::tune::Trial<'_>| {
        // The second one learns nothing.
        let rate = if trial.number() == 1 { 1e-12 } else { 0.1 };
        trial.suggest_float("unused", 0.0, 1.0, Scale::Linear)?;
        let config = FitConfig { patience: 0, ..FitConfig::adam(rate) };
        let config = FitConfig { epochs: 12, batch_size: 1, ..config };
        let mut trainer = Trainer::new(config, rng())?.callback(Pruning::new(trial, Epoch::loss));
        let history = trainer.fit(&mut line(), &data, &none, &squared)?;
        drop(trainer);
        if trial.should_prune() { Err(Stop::Pruned) } else { Ok(history.best().unwrap().loss()) }
    };
    study.optimize(2, train).unwrap();
    let epochs: Vec<_> = study.trials().iter().map(|trial| trial.reports.len()).collect();
    assert_eq!(epochs, [12, 2]);
    assert!(study.trials()[0].value().is_some());
    assert_eq!(study.trials()[1].outcome, Outcome::Pruned);
}
