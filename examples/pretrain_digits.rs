//! Handwritten digits of which few have a label: contrastive pretraining with the others, against the
//! same network from scratch, each fine-tuned with no augmentations, light ones and strong ones.
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
use few_labels::{INPUT, Result, Strength, augmentations, first_of_each, settings};

const SEEDS: u64 = 10;
const LABELS: [usize; 6] = [1, 2, 5, 10, 20, 50]; // a class
const STEPS: u64 = 300; // of the optimiser, with the labelled rows
/// How the labelled rows are augmented.
const STRENGTHS: [(&str, Strength); 3] =
    [("none", Strength::None), ("light", Strength::Light), ("strong", Strength::Strong)];
/// The accuracies with so many labels: from scratch and pretrained, of each strength.
type Accuracies = [[f64; 3]; 2];

fn encoder() -> NetworkConfig {
    NetworkConfig::cnn(&[32, 64], 128, Activation::Relu)
}

/// A network whose encoder knows the digits, but not what they are called.
fn pretrain(rows: &Dataset, rng: &mut ChaCha8Rng) -> Result<Sequential> {
    let projector =
        vec![LayerConfig::linear(128), Activation::Relu.into(), LayerConfig::linear(64)];
    let mut network = Sequential::new(&encoder().with_head(projector), &INPUT, rng)?;
    let config =
        FitConfig { epochs: 150, batch_size: 128, views: 2, ..settings(2e-3, Strength::Strong) };
    let objective = NtXent { temperature: 0.3 };
    fit(&mut network, rows, &rows.select(&[])?, &config, rng.clone(), &objective)?;
    Ok(network)
}

/// The accuracy on other rows, in %, after training with the labelled ones.
fn fine_tune(
    pretrained: Option<&Sequential>,
    strength: Strength,
    (labelled, test): (&Dataset, &Dataset),
    mut rng: ChaCha8Rng,
) -> Result<f64> {
    let mut network = Sequential::new(&encoder().linear_head(10), &INPUT, &mut rng)?;
    let mut config = settings(2e-3, strength);
    if let Some(pretrained) = pretrained {
        network.load_encoder(pretrained)?;
        // The head may go faster where the features are good already.
        config = settings(1e-2, strength);
        config.param_groups = FineTuning::Full { lr_factor: 0.03 }.prepare(&mut network)?;
    }
    config.epochs = STEPS.div_ceil(config.steps_per_epoch(labelled.len())) as usize;
    let nothing = labelled.select(&[])?;
    fit(&mut network, labelled, &nothing, &config, rng, &Loss::cross_entropy())?;
    Ok(100.0 * accuracy_score(&test.classes()?, &predict(&network, test, 256)?.classes()?)?)
}

/// What is reached with each number of labels.
fn run(seed: u64, train: &Dataset, test: &Dataset) -> Result<Vec<Accuracies>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut rng);
    let pretrained = pretrain(train, &mut rng)?;

    let mut views = train.batch(&order[..500]);
    let seen = pretrained.embed(&views.inputs());
    Compose::new(augmentations(Strength::Strong), 64)?
        .apply(views.input_numbers_mut(), &mut rng)?;
    let (aligned, even) =
        (alignment(&seen, &pretrained.embed(&views.inputs()))?, uniformity(&seen)?);
    let collapse = diagnose_collapse(&seen, &Default::default())?;
    println!("seed {seed}: alignment {aligned:.3}, uniformity {even:.2}, {collapse}");

    let mut accuracies = Vec::new();
    for labels in LABELS {
        let labelled = first_of_each(train, &order, labels)?;
        let mut of_labels = Accuracies::default();
        for (of_way, encoder) in of_labels.iter_mut().zip([None, Some(&pretrained)]) {
            for (accuracy, (_, strength)) in of_way.iter_mut().zip(STRENGTHS) {
                *accuracy = fine_tune(encoder, strength, (&labelled, test), rng.clone())?;
            }
        }
        accuracies.push(of_labels);
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

    let runs: Vec<Vec<Accuracies>> = thread::scope(|scope| {
        let seeds = first_seed..first_seed + SEEDS;
        let threads: Vec<_> =
            seeds.map(|seed| scope.spawn(move || run(seed, train, test))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<_>>()
    })?;
    let arms = || (0..2).flat_map(|way| (0..3).map(move |strength| (way, strength)));
    let label = |(way, strength): (usize, usize)| {
        format!("{}, {}", ["scratch", "pretrained"][way], STRENGTHS[strength].0)
    };
    let mut lines: Vec<Line> = arms().map(|arm| Line::new(label(arm), Vec::new())).collect();
    let heads: Vec<String> = arms().map(label).collect();
    let gains = STRENGTHS.map(|(strength, _)| format!("gain, {strength}")).join(" | ");
    println!("| labels a class | {} | {gains} |\n{}|", heads.join(" | "), "|---".repeat(10));
    for (i, labels) in LABELS.iter().enumerate() {
        let of = |(way, strength): (usize, usize)| -> Vec<f64> {
            runs.iter().map(|run| run[i][way][strength]).collect()
        };
        print!("| {labels} |");
        for (arm, line) in arms().zip(&mut lines) {
            let (x, values) = ((*labels as f64).log2(), of(arm));
            let (mean, std) = (mean(&values).unwrap_or(0.0), sample_std(&values).unwrap_or(0.0));
            line.points.push((x, mean));
            line.band.push((x, mean - std, mean + std));
            print!(" {mean:.1} ± {std:.1} |");
        }
        for strength in 0..3 {
            let gain = paired_difference(&of((1, strength)), &of((0, strength)), 0.95, 0.0)?;
            print!(" {:+.1} [{:+.1}, {:+.1}] |", gain.estimate, gain.low, gain.high);
        }
        println!();
    }
    // Without augmentations the lines nearly hide those with light ones.
    let lines = lines.into_iter().filter(|line| !line.label.ends_with("none")).collect();
    let plot = LinePlot {
        title: "Digits: test accuracy against labels, ± one deviation over seeds".to_owned(),
        x_axis: Axis::new("labels a class, log₂"),
        y_axis: Axis::new("accuracy in %"),
        lines,
        ..LinePlot::default()
    };
    Ok(plot.save(Path::new("pretrain_digits.png"))?)
}
