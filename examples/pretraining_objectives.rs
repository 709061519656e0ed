//! Six self-supervised objectives on digits, judged by the accuracy with five labels per class:
//! NT-Xent, InfoNCE, SimSiam, BYOL, a masked and a denoising autoencoder.
//!
//! ```text
//! cargo run --release --example pretraining_objectives
//! ```
//!
//! The labels train a linear probe (with a frozen encoder), the second half of the encoder, or all
//! of it.

use std::thread;

use gymnast::core::{
    data::{
        Augmentation, Dataset, MinMaxScaler, Stratify, Transformer as _, load_digits,
        train_test_split,
    },
    loss::{Direction, Loss},
    metrics::accuracy_score,
    nn::{Activation, LayerConfig, Network, NetworkConfig, Sequential},
    self_supervised::{
        Byol, ByolNetwork, Denoising, FineTuning, InfoNce, MaskedReconstruction, NtXent, SimSiam,
        diagnose_collapse, reconstruction, uniformity,
    },
    statistics::{mean, paired_difference},
    supervised::{FitConfig, Objective, fit, predict},
    transfer::load_matching,
};
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

#[path = "common/few_labels.rs"]
mod few_labels;
use few_labels::{INPUT, Result, Strength, first_of_each, settings};

const SEEDS: u64 = 5;
const LABELS: usize = 5; // a class
const WAYS: [(&str, FineTuning); 3] = [
    ("linear probe", FineTuning::LinearProbe),
    ("partial", FineTuning::Partial { from_layer: 4, lr_factor: 0.03 }),
    ("full", FineTuning::Full { lr_factor: 0.03 }),
];
const NAMES: [&str; 7] =
    ["from scratch", "NT-Xent", "InfoNCE", "SimSiam", "BYOL", "masked", "denoising"];

fn encoder() -> NetworkConfig {
    NetworkConfig::cnn(&[32, 64], 128, Activation::Relu)
}

fn relu(outputs: usize) -> [LayerConfig; 3] {
    [LayerConfig::linear(outputs), LayerConfig::batch_norm(), Activation::Relu.into()]
}

/// Trains without labels.
fn pretrain<N: Network>(
    mut network: N,
    rows: &Dataset,
    config: FitConfig,
    objective: &impl Objective<N>,
    rng: &ChaCha8Rng,
) -> Result<N> {
    let config = FitConfig { epochs: 60, batch_size: 128, ..config };
    fit(&mut network, rows, &rows.select(&[])?, &config, rng.clone(), objective)?;
    Ok(network)
}

/// The encoders that the six ways make of these rows; `None` from scratch.
fn encoders(rows: &Dataset, rng: &mut ChaCha8Rng) -> Result<Vec<Option<Box<dyn Network>>>> {
    let views = || FitConfig { views: 2, ..settings(2e-3, Strength::Strong) };
    let projector =
        vec![LayerConfig::linear(128), Activation::Relu.into(), LayerConfig::linear(64)];
    let contrastive = encoder().with_head(projector);
    // What has no contrast has a projector and a predictor behind it.
    let mut predictive = encoder();
    predictive.encoder.extend(relu(128));
    predictive.encoder.push(LayerConfig::linear(64));
    predictive.head = [relu(32).to_vec(), vec![LayerConfig::linear(64)]].concat();
    let decoder = encoder().with_head([relu(128).to_vec(), vec![LayerConfig::linear(64)]].concat());

    let build = |config, rng: &mut ChaCha8Rng| Sequential::new(config, &INPUT, rng);
    let nt_xent = NtXent { temperature: 0.3 };
    let info_nce = InfoNce { temperature: 0.3, direction: Direction::Both };
    let byol = ByolNetwork::new(&predictive, &INPUT, 0.01, rng)?;
    let hidden = Augmentation::FeatureMask { probability: 0.5, value: -1.0 };
    let noise = Augmentation::GaussianNoise { std: 0.5 };
    let corrupted = |by| FitConfig { augmentations: vec![by], ..settings(2e-3, Strength::Strong) };
    let itself = reconstruction(rows)?;
    Ok(vec![
        None,
        Some(Box::new(pretrain(build(&contrastive, rng)?, rows, views(), &nt_xent, rng)?)),
        Some(Box::new(pretrain(build(&contrastive, rng)?, rows, views(), &info_nce, rng)?)),
        Some(Box::new(pretrain(build(&predictive, rng)?, rows, views(), &SimSiam, rng)?)),
        Some(Box::new(pretrain(byol, rows, views(), &Byol, rng)?)),
        Some(Box::new(pretrain(
            build(&decoder, rng)?,
            &itself,
            corrupted(hidden),
            &MaskedReconstruction,
            rng,
        )?)),
        Some(Box::new(pretrain(
            build(&decoder, rng)?,
            &itself,
            corrupted(noise),
            &Denoising,
            rng,
        )?)),
    ])
}

/// A classifier of digits that has learned nothing from labels yet.
fn classifier(pretrained: Option<&dyn Network>, rng: &mut ChaCha8Rng) -> Result<Sequential> {
    let mut network = Sequential::new(&encoder().linear_head(10), &INPUT, rng)?;
    if let Some(pretrained) = pretrained {
        let report = load_matching(&mut network, pretrained, is_shared)?;
        assert!(report.missing.is_empty() && report.mismatched.is_empty(), "{report:?}");
    }
    Ok(network)
}

/// For each encoder: accuracies in % after learning from the labelled rows in each way, and the
/// uniformity and the effective rank of its features.
fn run(seed: u64, train: &Dataset, test: &Dataset) -> Result<Vec<[f64; 5]>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut rng);
    let labelled = first_of_each(train, &order, LABELS)?;
    let nothing = labelled.select(&[])?;
    let all = test.batch(&(0..test.len()).collect::<Vec<_>>());
    let mut scores = Vec::new();
    for pretrained in encoders(train, &mut rng)? {
        let pretrained = pretrained.as_deref();
        let mut of_encoder = [0.0; 5];
        let features = classifier(pretrained, &mut rng.clone())?.encode(&all.inputs());
        of_encoder[3] = uniformity(&features)?;
        of_encoder[4] = diagnose_collapse(&features, &Default::default())?.effective_rank;
        for (accuracy, (_, way)) in of_encoder.iter_mut().zip(WAYS) {
            let mut network = classifier(pretrained, &mut rng.clone())?;
            let mut config = settings(2e-3, Strength::Light);
            if pretrained.is_some() {
                config = settings(1e-2, Strength::Light);
                config.param_groups = way.prepare(&mut network)?;
            }
            config.epochs = 150;
            fit(&mut network, &labelled, &nothing, &config, rng.clone(), &Loss::cross_entropy())?;
            let found = predict(&network, test, 256)?.classes()?;
            *accuracy = 100.0 * accuracy_score(&test.classes()?, &found)?;
        }
        scores.push(of_encoder);
    }
    Ok(scores)
}

/// Whether a layer belongs to the encoder, and not to a projector behind it.
fn is_shared(name: &str) -> bool {
    let layer = name.strip_prefix("encoder.").and_then(|name| name.split('.').next());
    layer
        .and_then(|layer| layer.parse().ok())
        .is_some_and(|layer: usize| layer < encoder().encoder.len())
}

fn main() -> Result<()> {
    gymnast::core::threads::single_threaded();
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let (train, test) = train_test_split(&load_digits(), 0.25, Stratify::Classes, rng)?;
    let scaler = MinMaxScaler::fit(train.input_table(), (0.0, 1.0))?;
    let (train, test) = (&scaler.transform_inputs(&train)?, &scaler.transform_inputs(&test)?);
    let runs: Vec<Vec<[f64; 5]>> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..SEEDS).map(|seed| scope.spawn(move || run(seed, train, test))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<_>>()
    })?;
    println!(
        "Digits, {LABELS} labels a class, {SEEDS} seeds; accuracy in %, against scratch [95 %]:\n"
    );
    println!("| pretraining | {} | uniformity | rank |", WAYS.map(|(way, _)| way).join(" | "));
    println!("|---|---|---|---|---|---|");
    for (i, name) in NAMES.iter().enumerate() {
        let of =
            |i: usize, score: usize| runs.iter().map(|run| run[i][score]).collect::<Vec<f64>>();
        print!("| {name} |");
        for way in 0..WAYS.len() {
            let gain = paired_difference(&of(i, way), &of(0, way), 0.95, 0.0)?;
            let accuracy = mean(&of(i, way)).unwrap_or(0.0);
            print!(" {accuracy:.1}, {:+.1} [{:+.1}, {:+.1}] |", gain.estimate, gain.low, gain.high);
        }
        let [even, rank] = [3, 4].map(|score| mean(&of(i, score)).unwrap_or(0.0));
        println!(" {even:.2} | {rank:.1} |");
    }
    Ok(())
}
