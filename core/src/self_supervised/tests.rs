use std::cell::RefCell;
use std::ops::ControlFlow;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::*;
use crate::SettingError;
use crate::compression::Distillation;
use crate::data::{Augmentation, Batch, Dataset};
use crate::loss::{Loss, LossError, mse};
use crate::nn::{Activation, LayerConfig, Network, NetworkConfig, NetworkError, Sequential};
use crate::supervised::{FitCallback, FitConfig, FitError, History, Objective, Trainer, fit};
use crate::transfer::load_matching;

mod epochs;
mod reconstruction;

const WIDTH: usize = 6;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(3)
}

/// Rows along two directions, and which of the two.
fn data(rows: usize) -> Dataset {
    let mut rng = rng();
    let mut inputs = Vec::new();
    for row in 0..rows {
        let (size, half) = (0.5 + rng.random::<f32>(), WIDTH / 2);
        inputs.extend((0..WIDTH).map(|i| if (i < half) == (row % 2 == 0) { size } else { 0.1 }));
    }
    let classes = (0..rows).map(|row| (row % 2) as f32).collect();
    Dataset::new(inputs, WIDTH, classes, 1).unwrap()
}

fn nothing() -> Dataset {
    data(0)
}

fn encoder() -> NetworkConfig {
    let layers = vec![LayerConfig::linear(8), LayerConfig::batch_norm(), Activation::Relu.into()];
    NetworkConfig { encoder: layers, ..NetworkConfig::default() }
}

/// A projector at the encoder's end, and a head that is a predictor.
fn siamese() -> NetworkConfig {
    let mut config = encoder();
    config.encoder.push(LayerConfig::linear(5));
    config.with_head(vec![LayerConfig::linear(4), Activation::Relu.into(), LayerConfig::linear(5)])
}

fn build(config: &NetworkConfig) -> Sequential {
    Sequential::new(config, &[WIDTH], &mut rng()).unwrap()
}

fn config() -> FitConfig {
    FitConfig {
        epochs: 4,
        batch_size: 16,
        patience: 0,
        views: 2,
        augmentations: vec![Augmentation::GaussianNoise { std: 0.1 }],
        ..FitConfig::adam(1e-2)
    }
}

struct StopAfter(usize);

impl FitCallback for StopAfter {
    fn on_epoch(&mut self, history: &History) -> ControlFlow<()> {
        let stop = history.epochs.len() == self.0;
        if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Trains once through, then with a stop after two epochs, and compares every bit.
fn resumes<N: Network>(build: impl Fn() -> N, objective: &impl Objective<N>, config: &FitConfig) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pretraining.safetensors");
    let train = reconstruction(&data(40)).unwrap();
    let run = |network: &mut N, trainer: Trainer<'_>| {
        { trainer }.fit(network, &train, &reconstruction(&data(10)).unwrap(), objective).unwrap()
    };
    let trainer = || Trainer::new(config.clone(), rng()).unwrap();
    let (mut whole, mut first, mut second) = (build(), build(), build());
    let history = run(&mut whole, trainer());
    run(&mut first, trainer().checkpoint(&path).callback(StopAfter(2)));
    let resumed = run(&mut second, trainer().checkpoint(&path));
    assert_eq!(resumed, history);
    assert_eq!(second.parameters().values(), whole.parameters().values());
    assert_eq!(second.buffers(), whole.buffers());
    assert!(history.epochs[3].train_loss < history.epochs[0].train_loss, "{history:?}");
}

#[test]
fn every_pretraining_goes_on_from_its_checkpoint_to_the_last_bit() {
    let projector = encoder().linear_head(4);
    resumes(|| build(&projector), &NtXent { temperature: 0.5 }, &config());
    let info_nce = InfoNce { temperature: 0.5, direction: Default::default() };
    resumes(|| build(&projector), &info_nce, &config());
    resumes(|| build(&siamese()), &SimSiam, &config());
    let byol = || ByolNetwork::new(&siamese(), &[WIDTH], 0.1, &mut rng()).unwrap();
    resumes(byol, &Byol, &config());
    let mut dropping = siamese();
    dropping.encoder.push(LayerConfig::Dropout { p: 0.3 });
    let byol = || ByolNetwork::new(&dropping, &[WIDTH], 0.1, &mut rng()).unwrap();
    resumes(byol, &Byol, &config());
    let decoder = encoder().linear_head(WIDTH);
    let mask = Augmentation::FeatureMask { probability: 0.3, value: -1.0 };
    let masked = FitConfig { views: 1, augmentations: vec![mask], ..config() };
    resumes(|| build(&decoder), &MaskedReconstruction, &masked);
    resumes(|| build(&decoder), &Denoising, &masked);
}

#[test]
fn views_are_two_and_new_in_every_step_but_not_where_nothing_is_learned() {
    let (train, held_out) = (data(4), data(2));
    let seen = RefCell::new(Vec::new());
    let objective = |network: &Sequential, batch: &Batch| {
        let (learning, rows) = (network.training(), batch.len() / 2);
        let (first, second) = batch.input_numbers().split_at(rows * WIDTH);
        assert_ne!(first, second);
        assert_eq!((batch.views(), batch.target_numbers().len()), (2, 2 * rows));
        seen.borrow_mut().push((learning, first.to_vec()));
        mse(&network.forward(&batch.inputs()), &batch.targets(), None).unwrap()
    };
    let network = &mut build(&encoder().linear_head(1));
    fit(network, &train, &held_out, &FitConfig { epochs: 2, ..config() }, rng(), &objective)
        .unwrap();
    let seen = seen.into_inner();
    let of = |learning| seen.iter().filter(move |seen| seen.0 == learning).map(|seen| &seen.1);
    let (steps, held_out): (Vec<_>, Vec<_>) = (of(true).collect(), of(false).collect());
    assert_eq!((steps.len(), held_out.len()), (2, 2));
    let sum = |numbers: &[f32]| numbers.iter().sum::<f32>();
    assert_ne!(sum(steps[0]), sum(steps[1]));
    assert_eq!(held_out[0], held_out[1]);
}

#[test]
fn one_view_is_an_error() {
    let config = FitConfig { views: 1, ..config() };
    let network = &mut build(&encoder().linear_head(4));
    let objective = NtXent { temperature: 0.5 };
    let error = fit(network, &data(8), &nothing(), &config, rng(), &objective).unwrap_err();
    assert!(matches!(error, FitError::Views { expected: 2, got: 1 }), "{error}");
    let none = FitConfig { views: 0, ..config };
    let error = fit(network, &data(8), &nothing(), &none, rng(), &objective).unwrap_err();
    assert!(matches!(error, FitError::Setting(SettingError { key: "views", .. })), "{error}");
}

#[test]
fn the_target_is_a_moving_average() {
    let mut network = ByolNetwork::new(&siamese(), &[WIDTH], 0.25, &mut rng()).unwrap();
    let before = network.target().parameters().to_vec();
    assert_eq!(network.online().parameters().values(), before);
    network.set_training(true);
    let _ = network.forward(&data(8).batch(&[0, 1, 2, 3]).inputs());
    network.parameters_mut().values_mut().iter_mut().for_each(|value| *value += 1.0);
    network.after_step().unwrap();
    for (target, before) in network.target().parameters().values().iter().zip(&before) {
        assert!((target - before - 0.25).abs() < 1e-6);
    }
    // It normalises a batch in training by itself, and so knows batches of its own.
    let buffers = |network: &ByolNetwork| network.target().buffers().numbers;
    let mut batch = Batch::default();
    data(8).gather_views(&[0, 1, 2, 3], 2, &mut batch).unwrap();
    for training in [false, true] {
        network.set_training(training);
        let before = buffers(&network);
        let _ = Byol.loss(&network, &batch).unwrap();
        assert_eq!(buffers(&network) != before, training);
    }
    for tau in [0.0, -0.1, 1.5, f32::NAN] {
        let error = ByolNetwork::new(&siamese(), &[WIDTH], tau, &mut rng()).unwrap_err();
        assert!(matches!(error, NetworkError::Rate { .. }), "{error}");
    }
}

#[test]
fn fine_tuning_leaves_what_it_should() {
    let mut pretrained = build(&siamese());
    fit(&mut pretrained, &data(40), &nothing(), &config(), rng(), &SimSiam).unwrap();
    let changed = |kind: FineTuning| {
        let mut network = build(&encoder().linear_head(2));
        network.load_encoder(&pretrained).unwrap();
        let x = data(5).batch(&[0, 1, 2]).inputs();
        let (before, buffers) = (network.parameters().to_vec(), network.buffers());
        let param_groups = kind.prepare(&mut network).unwrap();
        let config = FitConfig { views: 1, param_groups, ..config() };
        let features = network.embed(&x);
        fit(&mut network, &data(12), &nothing(), &config, rng(), &Loss::cross_entropy()).unwrap();
        let after = network.parameters();
        let moved = |name: &str| {
            let range = after.range_of(name).unwrap();
            after.values()[range.clone()] != before[range]
        };
        assert!(moved("head.0.weight"));
        let names = ["encoder.0.weight", "encoder.1.weight"];
        (names.map(moved), network.buffers() != buffers, network.embed(&x) != features)
    };
    let partial = |from_layer| FineTuning::Partial { from_layer, lr_factor: 0.5 };
    assert_eq!(changed(FineTuning::LinearProbe), ([false, false], false, false));
    assert_eq!(changed(partial(3)), ([false, false], false, false));
    assert_eq!(changed(partial(1)), ([false, true], false, true));
    assert_eq!(changed(FineTuning::Full { lr_factor: 0.1 }), ([true, true], true, true));
    let error = partial(4).prepare(&mut build(&encoder())).unwrap_err();
    assert!(matches!(error, NetworkError::NoSuchLayer { layer: 4, layers: 3 }), "{error}");
}

#[test]
fn fine_tuning_slows_the_encoder() {
    // The first step of Adam is as long as the learning rate.
    let step = |kind: FineTuning| {
        let mut network = build(&encoder().linear_head(2));
        let (before, range) = (network.parameters().to_vec(), network.encoder_range());
        let param_groups = kind.prepare(&mut network).unwrap();
        let one = FitConfig { epochs: 1, views: 1, param_groups, ..config() };
        fit(&mut network, &data(12), &nothing(), &one, rng(), &Loss::cross_entropy()).unwrap();
        let moved = network.parameters().values().iter().zip(before).map(|(x, y)| (x - y).abs());
        let longest = |moved: &[f32]| moved.iter().copied().fold(0.0, f32::max);
        let moved: Vec<f32> = moved.collect();
        (longest(&moved[range.clone()]), longest(&moved[range.end..]))
    };
    for (kind, lr_factor) in [
        (FineTuning::Full { lr_factor: 0.1 }, 0.1),
        (FineTuning::Partial { from_layer: 1, lr_factor: 0.5 }, 0.5),
    ] {
        let (in_encoder, in_head) = step(kind);
        assert!((in_head - 1e-2).abs() < 1e-4, "{in_head}");
        assert!((in_encoder - lr_factor * 1e-2).abs() < 1e-4, "{in_encoder}");
    }
}

#[test]
fn an_encoder_is_taken_off_a_longer_one_but_not_the_other_way_round() {
    let (mut short, mut long) = (build(&encoder()), build(&siamese()));
    long.parameters_mut().values_mut().iter_mut().for_each(|value| *value *= 2.0);
    short.load_encoder(&long).unwrap();
    let end = short.parameters().len();
    assert_eq!(short.parameters().values(), &long.parameters().values()[..end]);
    assert!(matches!(long.load_encoder(&short), Err(NetworkError::Encoders)));
}

#[test]
fn the_numbers_of_byol_have_names() {
    let byol = || ByolNetwork::new(&siamese(), &[WIDTH], 0.5, &mut rng()).unwrap();
    let (mut network, mut source) = (byol(), byol());
    fit(&mut source, &data(16), &nothing(), &config(), rng(), &Byol).unwrap();
    let named = network.named_buffers();
    assert_eq!(named.last().unwrap().range.end, network.buffers().numbers.len());
    assert!(named.iter().any(|buffer| buffer.name == "target.head.2.bias"));
    let report = load_matching(&mut network, &source, |_| true).unwrap();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(network.buffers().numbers, source.buffers().numbers);
    assert_eq!(network.target().parameters().values(), source.target().parameters().values());
}

#[test]
fn too_few_rows_for_the_layers_are_an_error() {
    fn refused<N: Network>(mut network: N, objective: &impl Objective<N>) {
        let rows = reconstruction(&data(17)).unwrap(); // 16 and 1
        let config = FitConfig { views: 1, ..config() };
        let error = fit(&mut network, &rows, &nothing(), &config, rng(), objective).unwrap_err();
        assert!(matches!(error, FitError::Network(NetworkError::Rows { got: 1, .. })), "{error}");
    }
    let decoder = encoder().linear_head(WIDTH);
    let teacher = build(&decoder);
    refused(build(&decoder), &MaskedReconstruction);
    refused(build(&decoder), &Denoising);
    let distillation = Distillation { teacher: &teacher, temperature: 1.0, alpha: 1.0 };
    refused(build(&decoder), &distillation);
}

#[test]
fn a_minibatch_of_one_row_is_contrasted_with_nobody() {
    let network = || build(&NetworkConfig::mlp(&[8], Activation::Tanh).linear_head(4));
    let nt_xent = NtXent { temperature: 0.5 };
    let info_nce = InfoNce { temperature: 0.5, direction: Default::default() };
    let objectives: [&dyn Objective<Sequential>; 2] = [&nt_xent, &info_nce];
    for objective in objectives {
        // 16 and 1, to train with and held out.
        for (rows, held_out, what) in [(17, 4, "to train with"), (16, 17, "held out")] {
            let (mut network, before) = (network(), network().parameters().to_vec());
            let (train, held_out) = (data(rows), data(held_out));
            let refused = fit(&mut network, &train, &held_out, &config(), rng(), objective);
            let error = refused.unwrap_err();
            assert!(matches!(error, FitError::Rows { least: 2, got: 1, .. }), "{error}");
            assert!(error.to_string().contains(what), "{error}");
            assert_eq!(network.parameters().values(), before, "refused before the first step");
        }
        let dropping = FitConfig { drop_last: true, ..config() };
        fit(&mut network(), &data(17), &data(4), &dropping, rng(), objective).unwrap();
        fit(&mut network(), &data(18), &nothing(), &config(), rng(), objective).unwrap();
    }
    // Without contrast one row is as good as many.
    fit(&mut build(&siamese()), &data(17), &nothing(), &config(), rng(), &SimSiam).unwrap();
}

#[test]
fn collapse_is_named() {
    let (rows, width) = (64, 16);
    let mut rng = rng();
    let mut deviates = |n: i64, m: i64| -> Tensor {
        let numbers: Vec<f32> = (0..n * m).map(|_| rng.random::<f32>() - 0.5).collect();
        Tensor::from_slice(&numbers).view([n, m])
    };
    let spread = deviates(rows, width);
    let point = Tensor::ones([rows, width], tch::kind::FLOAT_CPU);
    let near = &point + &spread * 0.01;
    let line = deviates(rows, 1).matmul(&deviates(1, width));
    let verdict = |z: &Tensor| diagnose_collapse(z, &CollapseThresholds::default()).unwrap();
    for (embeddings, expected, words) in [
        (&spread, Collapse::None, "no collapse"),
        (&point, Collapse::Complete, "all rows look alike"),
        (&near, Collapse::Complete, "complete collapse"),
        (&line, Collapse::Dimensional, "only 1.0 of 16 dimensions"),
    ] {
        let found = verdict(embeddings);
        assert_eq!(found.collapse, expected, "{found}");
        assert!(found.to_string().contains(words), "{found}");
    }
    for share in [-0.1, 1.1, f64::NAN] {
        for bad in [
            CollapseThresholds { std_share: share, ..Default::default() },
            CollapseThresholds { rank_share: share, ..Default::default() },
        ] {
            let error = diagnose_collapse(&spread, &bad).unwrap_err();
            assert!(matches!(error, LossError::Setting(_)), "{error}");
        }
    }
    assert_eq!(verdict(&point).effective_rank, 0.0);
    assert_eq!(uniformity(&(&point * 0.0)).unwrap(), 0.0);
    assert!((uniformity(&point).unwrap()).abs() < 1e-9);
    assert!(uniformity(&spread).unwrap() < -2.0);
    assert_eq!(alignment(&line, &line).unwrap(), 0.0);
    assert!((alignment(&point, &-&point).unwrap() - 4.0).abs() < 1e-9);
}

#[test]
fn attraction_alone_collapses_and_contrast_does_not() {
    let attract = |network: &Sequential, batch: &Batch| {
        let views = network.forward(&batch.inputs()).chunk(2, 0);
        mse(&views[0], &views[1], None).unwrap()
    };
    let plain = NetworkConfig::mlp(&[8], Activation::Tanh).linear_head(8);
    let config = FitConfig { epochs: 40, ..config() };
    let z = |network: &Sequential| {
        network.predict(&data(40).batch(&(0..40).collect::<Vec<_>>()).inputs())
    };
    let mut network = build(&plain);
    fit(&mut network, &data(40), &nothing(), &config, rng(), &attract).unwrap();
    let found = diagnose_collapse(&z(&network), &CollapseThresholds::default()).unwrap();
    assert_eq!(found.collapse, Collapse::Complete, "{found}");
    let mut network = build(&plain);
    let objective = NtXent { temperature: 0.5 };
    fit(&mut network, &data(40), &nothing(), &config, rng(), &objective).unwrap();
    let found = diagnose_collapse(&z(&network), &CollapseThresholds::default()).unwrap();
    assert_eq!(found.collapse, Collapse::None, "{found}");
}
