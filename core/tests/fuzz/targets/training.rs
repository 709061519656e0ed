//! `supervised`, and what trains networks with it.

use gymnast_core::compression::Distillation;
use gymnast_core::data::{Augmentation, Batch, Sampler};
use gymnast_core::ensemble::{Ensemble, EnsembleError, Member, Stacking};
use gymnast_core::loss::{CtcConfig, Loss};
use gymnast_core::model_selection::KFold;
use gymnast_core::nn::{
    Activation, LayerConfig, MlpConfig, Net, Network, NetworkConfig, Sequential,
};
use gymnast_core::ood::{Odin, OutlierExposure};
use gymnast_core::self_supervised::*;
use gymnast_core::supervised::*;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::{configs, data::dataset};
use crate::source::Source;

fn config(source: &mut Source) -> FitConfig {
    let usual = |source: &mut Source, n: usize| if source.one_in(6) { source.count() } else { n };
    let noise = Augmentation::GaussianNoise { std: source.f32() };
    FitConfig {
        epochs: source.up_to(2),
        batch_size: usual(source, 4),
        drop_last: source.one_in(4),
        sampler: source.pick(&[Sampler::Shuffled, Sampler::Balanced]),
        accumulate: usual(source, 1),
        optimizer: configs::optimizer(source),
        lr_schedule: configs::schedule(source),
        augmentations: if source.one_in(3) { vec![noise] } else { vec![] },
        views: if source.one_in(4) { 2 } else { usual(source, 1) },
        param_groups: vec![],
        max_grad_norm: source.one_in(2).then(|| source.f32()),
        patience: source.count(),
        min_delta: source.number(),
    }
}

/// Losses as closures write them, most of them wrong.
fn closure(kind: usize) -> impl Fn(&Sequential, &Batch) -> Tensor {
    move |network, batch| {
        let Ok(outputs) = network.try_forward(&batch.inputs()) else { return Tensor::from(0.0) };
        let squares = outputs.square();
        match kind {
            0 => squares.mean(tch::Kind::Float),
            1 => squares,
            2 => squares.mean(tch::Kind::Float).detach(),
            3 => Tensor::from(3_i64),
            4 => Tensor::from_slice(&[0_f32; 0]),
            5 => squares.mean(tch::Kind::Float) * f64::NAN,
            6 => squares.mean(tch::Kind::Double),
            _ => squares.mean(tch::Kind::Float).view(1),
        }
    }
}

pub(super) fn fits(source: &mut Source) {
    let (Some(train), Some(held_out)) = (dataset(source), dataset(source)) else { return };
    let config = config(source);
    let layers = if source.one_in(3) {
        vec![LayerConfig::linear(3), LayerConfig::batch_norm()]
    } else {
        vec![LayerConfig::linear(3), Activation::Tanh.into(), LayerConfig::Dropout { p: 0.5 }]
    };
    let layers = NetworkConfig { encoder: layers, ..Default::default() }.linear_head(3);
    let width = if source.one_in(8) { 4 } else { train.input_width() };
    let build = |rng: &mut ChaCha8Rng| Sequential::new(&layers, &[width], rng).expect("small");
    let (mut network, teacher) = (build(&mut source.rng()), build(&mut source.rng()));
    let (temperature, alpha, kind) = (source.number(), source.share(), source.up_to(7));
    let exposure = OutlierExposure { classes: source.count(), weight: source.number() };
    let ctc = Ctc { steps: source.count(), config: CtcConfig::default() };
    let direction = gymnast_core::loss::Direction::Both;
    let objectives: [&dyn Objective<Sequential>; 10] = [
        &Loss::Mse,
        &Loss::cross_entropy(),
        &NtXent { temperature },
        &InfoNce { temperature, direction },
        &SimSiam,
        &Denoising,
        &MaskedReconstruction,
        &Distillation { teacher: &teacher, temperature, alpha },
        &exposure,
        &ctc,
    ];
    let rng = source.rng();
    let score = source.number();
    let closure = closure(kind);
    let objective: &dyn Objective<Sequential> =
        if source.one_in(3) { &closure } else { source.pick(&objectives) };
    let result = fit(&mut network, &train, &held_out, &config, rng.clone(), objective);
    assert!(!network.training());
    let finite = network.parameters().values().iter().all(|value| value.is_finite());
    assert!(finite, "a training left weights that are not finite: {result:?}");
    if let Ok(mut trainer) = Trainer::new(config.clone(), rng.clone())
        .map(|trainer| trainer.score("score", move |_| Some(score)).callback(Listener))
    {
        let _ = trainer.fit(&mut network, &train, &held_out, objective);
        let _ = (trainer.history().loss_curves(), trainer.evaluate(&network, &held_out, objective));
    }
    if let Ok(mut training) = Fit::new(&config, network.parameters(), rng) {
        let _ = training.step(&mut network, &train, &held_out, objective);
        let _ = training.step(&mut network, &held_out, &train, objective);
        let _ = (training.progress(source.count()), training.restore_best(&mut network));
    }
    if let Ok(predictions) = predict(&network, &train, source.count()) {
        let _ = (predictions.classes(), predictions.true_classes(), predictions.probabilities());
        let _ = (ctc.decode(&predictions), ctc.true_labels(&predictions));
    }
    let odin = Odin { temperature, epsilon: source.number() };
    let _ = odin.scores(&network, &train, source.count());
    let _ = reconstruction(&train);
    let _ = (FitConfig::adam(score), FitConfig::adam_w(score, score));
}

pub(super) fn ensembles(source: &mut Source) {
    let Some(data) = dataset(source) else { return };
    let (width, rng) = (data.input_width(), &mut source.rng());
    let none = data.select(&[]).expect("no rows");
    let config = FitConfig { epochs: 1, batch_size: 4, ..FitConfig::adam(0.1) };
    let loss = Loss::cross_entropy();
    let train = |rows: &Dataset, mut rng: ChaCha8Rng| -> Result<Net, EnsembleError> {
        let mut network = MlpConfig::default().build(width, 4, &mut rng)?;
        fit(&mut network, rows, &none, &config, rng, &loss)?;
        Ok(network)
    };
    let (members, batch) = (source.up_to(2), source.count());
    if let Ok(mut ensemble) = Ensemble::train(members, rng, |_, rng| train(&data, rng)) {
        let _ = ensemble.extend(members + 1, rng, |_, rng| train(&data, rng));
        let _ = (ensemble.probabilities(&data, batch), ensemble.mixture(&data, batch));
    }
    let Ok(folds) = (KFold { n_splits: 2 }).split(data.len()) else { return };
    let folds: Vec<_> = folds.into_iter().collect();
    let member: Member<'_, Net> = &train;
    if let Ok(stacking) = Stacking::fit(&data, &folds, &[member, member], &config, rng) {
        let _ = stacking.probabilities(&data, batch);
    }
}

/// Listens to a training and does nothing.
struct Listener;

impl FitCallback for Listener {}
