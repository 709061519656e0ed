//! Handwritten digits of which few have a label: contrastive pretraining with the others, against the
//! same network from scratch, each fine-tuned with strong augmentations and with light ones.
//!
//! ```text
//! cargo run --release --example pretrain_digits    # writes pretrain_digits.png
//! ```
//!
//! `-- validation` judges by a part of the training rows instead of the test rows, with other seeds: by
//! this the settings were chosen.

use std::{path::Path, thread};

use gymnast::core::{
    data::{
        Compose, Dataset, MinMaxScaler, Stratify, Transformer as _, load_digits, train_test_split,
    },
    loss::Loss,
    metrics::accuracy_score,
    nn::{Activation, LayerConfig, NetworkConfig, Sequential},
    plot::{Axis, Line, LinePlot},
    self_supervised::{FineTuning, NtXent, alignment, diagnose_collapse, uniformity},
    statistics::{mean, paired_difference, sample_std},
    supervised::{FitConfig, fit, predict},
};
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

#[path = "common/few_labels.rs"]
mod few_labels;
use few_labels::{INPUT, Result, augmentations, first_of_each, settings};

const SEEDS: u64 = 5;
const LABELS: [usize; 6] = [1, 2, 5, 10, 20, 50]; // a class
const STEPS: u64 = 300; // of the optimiser, with the labelled rows
const ARMS: [(&str, bool, bool); 4] = [
    ("scratch, strong", false, true),
    ("scratch, light", false, false),
    ("pretrained, strong", true, true),
    ("pretrained, light", true, false),
];

fn encoder() -> NetworkConfig {
    NetworkConfig::cnn(&[32, 64], 128, Activation::Relu)
}

/// A network whose encoder knows the digits, but not what they are called.
fn pretrain(rows: &Dataset, rng: &mut ChaCha8Rng) -> Result<Sequential> {
    let projector =
        vec![LayerConfig::linear(128), Activation::Relu.into(), LayerConfig::linear(64)];
    let mut network = Sequential::new(&encoder().with_head(projector), &INPUT, rng)?;
    let config = FitConfig { epochs: 150, batch_size: 128, views: 2, ..settings(2e-3, true) };
    let objective = NtXent { temperature: 0.3 };
    fit(&mut network, rows, &rows.select(&[])?, &config, rng.clone(), &objective)?;
    Ok(network)
}

/// The accuracy on other rows, in %, after training with the labelled ones.
fn fine_tune(
    pretrained: Option<&Sequential>,
    strong: bool,
    (labelled, test): (&Dataset, &Dataset),
    mut rng: ChaCha8Rng,
) -> Result<f64> {
    let mut network = Sequential::new(&encoder().linear_head(10), &INPUT, &mut rng)?;
    let mut config = settings(2e-3, strong);
    if let Some(pretrained) = pretrained {
        network.load_encoder(pretrained)?;
        // The head may go faster where the features are good already.
        config = settings(1e-2, strong);
        config.param_groups = FineTuning::Full { lr_factor: 0.03 }.prepare(&mut network)?;
    }
    config.epochs = STEPS.div_ceil(config.steps_per_epoch(labelled.len())) as usize;
    let nothing = labelled.select(&[])?;
    fit(&mut network, labelled, &nothing, &config, rng, &Loss::cross_entropy())?;
    Ok(100.0 * accuracy_score(&test.classes()?, &predict(&network, test, 256)?.classes())?)
}

/// The accuracies of the four for each number of labels.
fn run(seed: u64, train: &Dataset, test: &Dataset) -> Result<Vec<[f64; 4]>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut rng);
    let pretrained = pretrain(train, &mut rng)?;

    let mut views = train.batch(&order[..500]);
    let seen = pretrained.embed(&views.inputs());
    Compose::new(augmentations(true), 64)?.apply(views.input_numbers_mut(), &mut rng)?;
    let (aligned, even) =
        (alignment(&seen, &pretrained.embed(&views.inputs()))?, uniformity(&seen)?);
    let collapse = diagnose_collapse(&seen, &Default::default())?;
    println!("seed {seed}: alignment {aligned:.3}, uniformity {even:.2}, {collapse}");

    let mut accuracies = Vec::new();
    for labels in LABELS {
        let labelled = first_of_each(train, &order, labels)?;
        let mut of_arms = [0.0; 4];
        for (accuracy, (_, is_pretrained, strong)) in of_arms.iter_mut().zip(ARMS) {
            let encoder = is_pretrained.then_some(&pretrained);
            *accuracy = fine_tune(encoder, strong, (&labelled, test), rng.clone())?;
        }
        accuracies.push(of_arms);
    }
    Ok(accuracies)
}

fn main() -> Result<()> {
    gymnast::core::threads::single_threaded();
    let digits = load_digits();
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let (mut train, mut test) = train_test_split(&digits, 0.25, Stratify::Classes, rng)?;
    let mut first_seed = 0;
    if std::env::args().any(|argument| argument == "validation") {
        (train, test) = train_test_split(&train, 0.25, Stratify::Classes, rng)?;
        first_seed = 100;
    }
    let scaler = MinMaxScaler::fit(train.input_table(), (0.0, 1.0))?;
    let (train, test) = (&scaler.transform_inputs(&train)?, &scaler.transform_inputs(&test)?);

    let runs: Vec<Vec<[f64; 4]>> = thread::scope(|scope| {
        let seeds = first_seed..first_seed + SEEDS;
        let threads: Vec<_> =
            seeds.map(|seed| scope.spawn(move || run(seed, train, test))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<_>>()
    })?;
    let mut lines = ARMS.map(|(label, ..)| Line::new(label, Vec::new()));
    println!("labels a class | {}", ARMS.map(|(label, ..)| label).join(" | "));
    for (i, labels) in LABELS.iter().enumerate() {
        let of = |arm: usize| runs.iter().map(|run| run[i][arm]).collect::<Vec<f64>>();
        print!("{labels:14}");
        for (arm, line) in lines.iter_mut().enumerate() {
            let (x, values) = ((*labels as f64).log2(), of(arm));
            let (mean, std) = (mean(&values).unwrap_or(0.0), sample_std(&values).unwrap_or(0.0));
            line.points.push((x, mean));
            line.band.push((x, mean - std, mean + std));
            print!(" | {mean:5.1} ± {std:3.1}");
        }
        for (name, scratch, pretrained) in [("strong", 0, 2), ("light", 1, 3)] {
            let gain = paired_difference(&of(pretrained), &of(scratch), 0.95, 0.0)?;
            print!(" | {name} {:+.1} [{:+.1}, {:+.1}]", gain.estimate, gain.low, gain.high);
        }
        println!();
    }
    let plot = LinePlot {
        title: "Digits: test accuracy against labels, ± one deviation over seeds".to_owned(),
        x_axis: Axis::new("labels a class, log₂"),
        y_axis: Axis::new("accuracy in %"),
        lines: lines.into(),
        ..LinePlot::default()
    };
    Ok(plot.save(Path::new("pretrain_digits.png"))?)
}
