use std::ops::ControlFlow;

use super::*;
use crate::plot::Picture as _;

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

impl FitCallback for StopAfter {
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
    let slope = ParamGroup {
        ranges: std::iter::once(0..1).collect(),
        frozen: true,
        ..ParamGroup::default()
    };
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
    assert_eq!(
        (predictions.classes(), predictions.true_classes()),
        (Ok(vec![1, 0]), Ok(vec![1, 2]))
    );
    let nan = Predictions { outputs: vec![1.0, 2.0, 0.5, f32::NAN], width: 2, targets: vec![] };
    let error = nan.classes().unwrap_err().to_string();
    assert_eq!(error, "row 1, column 1 of the outputs holds NaN: expected finite numbers");
    assert!(nan.probabilities().unwrap()[2..].iter().all(|p| p.is_nan()));
    let ragged = Predictions { width: 3, ..nan };
    assert!(matches!(ragged.classes(), Err(DataError::Ragged { numbers: 4, width: 3 })));
    let halves = Predictions { targets: vec![1.0, 0.5], ..predictions.clone() };
    assert!(matches!(halves.true_classes(), Err(DataError::NotAClass { row: 1, .. })));
    let probabilities = predictions.probabilities().unwrap();
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
        // Batch normalisation and dropout have a state of their own; without dropout a plan trains.
        let layers = NetworkConfig {
            encoder: vec![
                LayerConfig::linear(8),
                LayerConfig::batch_norm(),
                Activation::Relu.into(),
                LayerConfig::Dropout { p: [0.3, 0.0][i % 2] },
            ],
            ..NetworkConfig::default()
        };
        let layers = layers.linear_head(2);
        let start = || Sequential::new(&layers, &[1], &mut rng()).unwrap();
        assert_eq!(start().training_plan().is_some(), i % 2 == 1);
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
    let objective = |network: &Net, batch: &Batch| {
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
    let error = Trainer::new(config(), rng()).unwrap().evaluate(&line(), &more, &squared);
    assert!(matches!(error, Err(FitError::Data(DataError::Resampled { what: "evaluate" }))));
    let balanced = FitConfig { sampler: Sampler::Balanced, ..config() };
    let numbers = rows(&[0.0, 1.0], &[0.5, 1.0]);
    let error = fit(&mut line(), &numbers, &data, &balanced, rng(), &squared).unwrap_err();
    assert!(matches!(error, FitError::Data(DataError::NotAClass { row: 0, .. })), "{error}");
}

#[test]
fn a_training_that_lags_behind_is_a_pruned_trial() {
    use crate::tune::{Median, Pruner, Scale, Stop, Study, StudyConfig, TrialOutcome};
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
    assert_eq!(study.trials()[1].outcome, TrialOutcome::Pruned);
}
