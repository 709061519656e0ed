//! What a training that cannot go on says, and what it keeps.

use super::*;
use crate::{data::DataError, nn::Buffers};

/// [`squared`], not finite from this call on.
fn diverging(from: usize) -> impl Fn(&Net, &Batch) -> Tensor {
    let calls = Cell::new(0);
    move |network, batch| {
        calls.set(calls.get() + 1);
        squared(network, batch) * if calls.get() >= from { f64::NAN } else { 1.0 }
    }
}

/// [`overshoot`] with another loss: two calls an epoch, one to learn and one to judge.
fn overshoot_with(loss: &dyn Fn(&Net, &Batch) -> Tensor) -> (Net, History, FitError) {
    let (train, validation) = (rows(&[1.0], &[10.0]), rows(&[1.0], &[1.0]));
    let mut line = line();
    let mut trainer = Trainer::new(config(), rng()).unwrap();
    let error = trainer.fit(&mut line, &train, &validation, &loss).unwrap_err();
    (line, trainer.history().clone(), error)
}

#[test]
fn a_training_that_diverges_keeps_the_best_weights_and_its_epochs() {
    let (best, whole) = overshoot(&config());
    // In training and in judging, after the best epoch, the fifth, and before.
    for (call, epochs, is_best) in [(17, 8, true), (18, 8, true), (7, 3, false)] {
        let (line, history, error) = overshoot_with(&diverging(call));
        assert_eq!(history.epochs, whole.epochs[..epochs], "{call}");
        assert_eq!(line.parameters().values() == best.parameters().values(), is_best);
        let FitError::Diverged { epoch, history: carried, .. } = &error else { panic!("{error}") };
        assert_eq!((*epoch, &**carried), (epochs + 1, &history));
        let kept = history.best_epoch.unwrap() + 1;
        assert!(
            error.to_string().contains(&format!("weights of epoch {kept} are kept")),
            "{error}"
        );
        let [w, b] = *line.parameters().values() else { panic!() };
        let loss = f64::from(w + b - 1.0).powi(2);
        assert!((history.best().unwrap().loss() - loss).abs() < 1e-6);
    }
}

#[test]
fn a_training_that_fails_in_its_first_epoch_leaves_the_network_as_it_was() {
    let data = rows(&[1.0; 8], &[2.0; 8]);
    let mut network = line();
    network.parameters_mut().load(&[0.25, -0.5]).unwrap();
    let loss = diverging(5);
    let error = fit(&mut network, &data, &rows(&[], &[]), &config(), rng(), &loss).unwrap_err();
    assert!(matches!(error, FitError::Diverged { epoch: 1, batch: 5, .. }), "{error}");
    assert!(!error.to_string().contains("kept"), "{error}");
    assert_eq!(network.parameters().values(), [0.25, -0.5]);
    assert!(!network.training());
}

#[test]
fn whatever_ends_a_training_the_best_weights_are_kept() {
    let (best, whole) = overshoot(&config());
    let (train, validation) = (rows(&[1.0], &[10.0]), rows(&[1.0], &[1.0]));

    // A loss that is none from the ninth epoch on.
    let calls = Cell::new(0);
    let loss = |network: &Net, batch: &Batch| {
        calls.set(calls.get() + 1);
        let loss = squared(network, batch);
        if calls.get() > 16 { loss.detach() } else { loss }
    };
    let (line_left, history, error) = overshoot_with(&loss);
    assert!(matches!(error, FitError::Network(NetworkError::Loss { .. })), "{error}");
    assert_eq!(line_left.parameters().values(), best.parameters().values());
    assert_eq!(history.epochs, whole.epochs[..8]);

    // A checkpoint that cannot be written from the ninth epoch on.
    struct Remove(std::path::PathBuf);
    impl FitCallback for Remove {
        fn on_epoch(&mut self, history: &History) -> std::ops::ControlFlow<()> {
            if history.epochs.len() == 8 {
                std::fs::remove_dir_all(&self.0).unwrap();
            }
            std::ops::ControlFlow::Continue(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training");
    std::fs::create_dir(&path).unwrap();
    let mut network = line();
    let trainer = Trainer::new(config(), rng()).unwrap().callback(Remove(path.clone()));
    let mut trainer = trainer.checkpoint(path.join("training.safetensors"));
    let error = trainer.fit(&mut network, &train, &validation, &squared).unwrap_err();
    assert!(matches!(error, FitError::Checkpoint(_)), "{error}");
    assert_eq!(network.parameters().values(), best.parameters().values());
    assert_eq!(trainer.history().epochs, whole.epochs[..9]);
}

#[test]
fn weights_that_the_last_step_ruined_are_no_result() {
    // The loss, 1e18, is finite; the step that follows is not, and no loss comes after it.
    let data = rows(&[1.0], &[1e9]);
    let sgd = OptimizerConfig::Sgd(SgdConfig { lr: 1e38, ..SgdConfig::default() });
    let config = FitConfig { epochs: 1, optimizer: sgd, ..config() };
    let mut network = line();
    let result = fit(&mut network, &data, &rows(&[], &[]), &config, rng(), &squared);
    assert!(matches!(result, Err(FitError::Diverged { epoch: 1, batch: 2, .. })), "{result:?}");
    assert_eq!(network.parameters().values(), [0.0, 0.0]);
}

#[test]
fn gradients_too_large_to_be_squared_are_no_training() {
    // Adam would never move a parameter again, and every loss stay finite.
    let data = rows(&[1.0; 4], &[2.0; 4]);
    let steep = |network: &Net, batch: &Batch| squared(network, batch) * 1e30;
    let mut network = line();
    let error = fit(&mut network, &data, &data, &config(), rng(), &steep).unwrap_err();
    assert!(matches!(error, FitError::Diverged { epoch: 1, batch: 1, .. }), "{error}");
    assert_eq!(network.parameters().values(), [0.0, 0.0]);
    let clipped = FitConfig { max_grad_norm: Some(1.0), ..config() };
    let history = fit(&mut network, &data, &data, &clipped, rng(), &steep).unwrap();
    assert!(history.best().unwrap().loss() < 0.5 * history.epochs[0].loss(), "{history:?}");
}

#[test]
fn a_loss_that_cannot_be_descended_is_named() {
    let data = rows(&[1.0, 2.0, 3.0], &[1.0; 3]);
    type Loss = fn(&Net, &Batch) -> Tensor;
    let losses: [(Loss, &str); 6] = [
        (|n, b| (n.forward(&b.inputs()) - b.targets()).square().squeeze_dim(1), "shape [3]"),
        (|n, b| squared(n, b).view(1), "shape [1]"),
        (|n, b| squared(n, b).detach(), "without gradient"),
        (|_, _| Tensor::from(0.5_f32), "without gradient"),
        (|_, _| Tensor::from(1_i64), "kind Int64"),
        (|n, b| tch::no_grad(|| squared(n, b)), "without gradient"),
    ];
    for (loss, got) in losses {
        let config = FitConfig { batch_size: 3, ..config() };
        let mut network = line();
        let error = fit(&mut network, &data, &data, &config, rng(), &loss).unwrap_err();
        assert!(matches!(error, FitError::Network(NetworkError::Loss { .. })), "{error}");
        assert!(error.to_string().contains(got) && !error.to_string().contains("frame"), "{error}");
        assert_eq!(network.parameters().values(), [0.0, 0.0]);
        let trainer = Trainer::new(config, rng()).unwrap();
        let judged = trainer.evaluate(&network, &data, &loss);
        assert_eq!(
            judged.is_err(),
            !got.contains("without"),
            "{got}: without gradient it is judged"
        );
    }
}

/// [`squared`] whose minibatches weigh this much.
struct Weighing(f64);

impl Objective<Net> for Weighing {
    fn loss(&self, network: &Net, batch: &Batch) -> Result<Tensor, FitError> {
        Ok(squared(network, batch))
    }

    fn weight(&self, _: &Batch) -> f64 {
        self.0
    }

    fn ranks_epochs(&self) -> bool {
        true
    }

    fn augments_held_out(&self) -> bool {
        false
    }

    fn description(&self) -> Option<String> {
        None
    }
}

#[test]
fn a_weight_that_is_none_is_an_error() {
    let data = rows(&[1.0], &[1.0]);
    for weight in [f64::NAN, f64::INFINITY, -1.0] {
        let error = fit(&mut line(), &data, &data, &config(), rng(), &Weighing(weight));
        assert!(matches!(error, Err(FitError::Weight { .. })), "{weight}: {error:?}");
    }
}

#[test]
fn a_last_minibatch_too_small_to_be_normalised_is_refused_before_the_first_step_or_dropped() {
    let data = rows(&[0.0, 0.2, 0.4, 0.6, 0.8], &[1.0, 1.5, 1.7, 2.6, 2.5]);
    let layers = NetworkConfig {
        encoder: vec![LayerConfig::linear(3), LayerConfig::batch_norm()],
        ..NetworkConfig::default().linear_head(1)
    };
    let build = || Sequential::new(&layers, &[1], &mut rng()).unwrap();
    let calls = Cell::new(0);
    let loss = |network: &Sequential, batch: &Batch| {
        calls.set(calls.get() + batch.len());
        mse(&network.forward(&batch.inputs()), &batch.targets(), None).unwrap()
    };
    let none = rows(&[], &[]);
    for batch_size in [1, 2, 4] {
        let config = FitConfig { batch_size, epochs: 3, ..config() };
        let mut network = build();
        let error = fit(&mut network, &data, &none, &config, rng(), &loss).unwrap_err();
        assert!(matches!(error, FitError::Network(NetworkError::Rows { least: 2, got: 1 })));
        assert!(error.to_string().contains("drop_last"), "{error}");
        assert_eq!((calls.get(), network.training()), (0, false), "refused before the first step");
        assert_eq!(network.parameters().values(), build().parameters().values());
    }
    for (batch_size, accumulate, seen) in [(2, 1, 4), (4, 1, 4), (3, 1, 5), (5, 1, 5), (2, 3, 4)] {
        let drop_last = seen < 5;
        let config = FitConfig { batch_size, accumulate, drop_last, epochs: 3, ..config() };
        calls.set(0);
        let history = fit(&mut build(), &data, &none, &config, rng(), &loss).unwrap();
        assert_eq!((calls.get(), history.epochs.len()), (3 * seen, 3), "{batch_size}");
        assert_eq!(config.steps_per_epoch(5), seen.div_ceil(batch_size * accumulate) as u64);
    }
    // Nothing would be left of an epoch.
    let config = FitConfig { batch_size: 6, drop_last: true, ..config() };
    let error = fit(&mut build(), &data, &none, &config, rng(), &loss).unwrap_err();
    let needed = FitError::Data(DataError::TooFewRows { needed: 6, rows: 5 });
    assert_eq!(error.to_string(), needed.to_string());
}

#[test]
fn sizes_that_no_memory_holds_are_refused() {
    let data = rows(&[1.0, 2.0], &[1.0, 2.0]);
    for views in [usize::MAX, 1 << 40, 1 << 28] {
        let config = FitConfig { views, ..config() };
        let error = fit(&mut line(), &data, &data, &config, rng(), &squared).unwrap_err();
        assert!(error.to_string().starts_with("views must be at least 1, and few"), "{error}");
        for rows in [&[0][..], &[]] {
            let error = data.gather_views(rows, views, &mut Batch::default());
            assert!(error.is_err(), "{views} of {rows:?}"); // of none it went on for ever
        }
    }
    let huge = FitConfig { batch_size: usize::MAX, accumulate: usize::MAX, ..config() };
    assert!(fit(&mut line(), &data, &data, &huge, rng(), &squared).is_ok());
    assert_eq!(predict(&line(), &data, usize::MAX).unwrap().len(), 2);
    assert!(matches!(predict(&line(), &data, 0), Err(FitError::Setting(_))));
    let empty = Batch::default();
    assert_eq!((empty.inputs().size(), empty.targets().size()), (vec![0, 0], vec![0, 0]));
}

#[test]
fn a_score_that_is_not_finite_is_undefined() {
    let data = rows(&[1.0], &[1.0]);
    let path = tempfile::tempdir().unwrap();
    let path = path.path().join("training.safetensors");
    let trainer = Trainer::new(FitConfig { epochs: 2, ..config() }, rng()).unwrap();
    let mut trainer = trainer.score("odds", |_| Some(f64::INFINITY)).checkpoint(path);
    let history = trainer.fit(&mut line(), &data, &data, &squared).unwrap();
    assert_eq!(history.epochs[1].scores["odds"], EpochScores::default());
    assert_eq!(trainer.evaluate(&line(), &data, &squared).unwrap().scores["odds"], None);
    assert_eq!(trainer.fit(&mut line(), &data, &data, &squared).unwrap(), history);
}

#[test]
fn other_rows_in_the_middle_of_an_epoch_are_an_error() {
    let (many, few) = (rows(&[1.0; 9], &[1.0; 9]), rows(&[1.0; 3], &[1.0; 3]));
    let mut network = line();
    let mut training = Fit::new(&config(), network.parameters(), rng()).unwrap();
    for _ in 0..5 {
        training.step(&mut network, &many, &few, &squared).unwrap();
    }
    let error = training.step(&mut network, &few, &few, &squared).unwrap_err();
    assert!(matches!(error, FitError::OtherRows { done: 5, rows: 3 }), "{error}");
}

/// A network that does not return what it says.
struct Liar(Net, fn(Tensor) -> Tensor);

impl crate::nn::Network for Liar {
    fn inputs(&self) -> usize {
        1
    }

    fn outputs(&self) -> usize {
        1
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        (self.1)(self.0.forward(input))
    }

    fn parameters(&self) -> &crate::nn::Parameters {
        self.0.parameters()
    }

    fn parameters_mut(&mut self) -> &mut crate::nn::Parameters {
        self.0.parameters_mut()
    }

    fn training(&self) -> bool {
        self.0.training()
    }

    fn set_training(&mut self, training: bool) {
        self.0.set_training(training);
    }

    fn after_step(&mut self) -> Result<(), NetworkError> {
        self.0.after_step()
    }

    fn description(&self) -> String {
        self.0.description()
    }

    fn buffers(&self) -> Buffers {
        self.0.buffers()
    }

    fn named_buffers(&self) -> Vec<crate::nn::NamedParameter> {
        self.0.named_buffers()
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        self.0.load_buffers(buffers)
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        (self.1)(self.0.predict(input))
    }
}

#[test]
fn a_network_that_returns_other_rows_than_it_says_is_an_error() {
    let data = rows(&[1.0, 2.0], &[1.0, 2.0]);
    let lies: [fn(Tensor) -> Tensor; 4] = [
        |x| x.squeeze_dim(1),
        |x| x.repeat([1, 2]),
        |x| x.to_kind(tch::Kind::Double),
        |x| x.narrow(0, 0, 1),
    ];
    for lie in lies {
        let mut network = Liar(line(), lie);
        let config = FitConfig { batch_size: 2, ..config() };
        let is_output = |error: &FitError| {
            matches!(error, FitError::Network(NetworkError::Output { expected: [2, 1], .. }))
        };
        assert!(predict(&network, &data, 2).is_err_and(|error| is_output(&error)));
        let trained = fit(&mut network, &data, &data, &config, rng(), &Loss::Mse);
        assert!(trained.is_err_and(|error| is_output(&error)));
    }
}
