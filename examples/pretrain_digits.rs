//! Handwritten digits of which few have a label: contrastive pretraining with the others, against the
//! same network from scratch.
//!
//! ```text
//! cargo run --release --example pretrain_digits    # writes pretrain_digits.png
//! ```
//!
//! `-- validation` judges by a part of the training rows instead of the test rows: by this the settings
//! were chosen.

use std::{error::Error, path::Path, thread};

use gymnast::core::{
    data::{
        Augmentation, Dataset, MinMaxScaler, Shape, Stratify, Transformer as _, load_digits,
        train_test_split,
    },
    loss::Loss,
    lr_schedule::LrSchedule,
    metrics::accuracy_score,
    nn::{Activation, LayerConfig, NetworkConfig, Sequential},
    plot::{Axis, Line, LinePlot},
    self_supervised::{FineTuning, NtXent, diagnose_collapse, uniformity},
    statistics::{Bootstrap, mean, sample_std},
    supervised::{FitConfig, fit, predict},
};
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

const SEEDS: u64 = 8;
const LABELS: [usize; 6] = [1, 2, 5, 10, 20, 50]; // a class
const SHAPE: Shape = Shape { height: 8, width: 8, channels: 1 };
const INPUT: [usize; 2] = [8, 8];
const STEPS: u64 = 300; // of the optimiser, with the labelled rows

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn encoder() -> NetworkConfig {
    NetworkConfig::cnn(&[32, 64], 128, Activation::Relu)
}

/// What leaves a digit the same digit. All three trainings use it.
fn augmentations() -> Vec<Augmentation> {
    let cutout = Augmentation::Cutout { shape: SHAPE, height: 3, width: 3, value: 0.0 };
    vec![
        Augmentation::Rotation { shape: SHAPE, degrees: (-15.0, 15.0) },
        Augmentation::RandomResizedCrop { shape: SHAPE, scale: (0.8, 1.0) },
        Augmentation::RandomCrop { shape: SHAPE, padding: 1 },
        Augmentation::RandomApply { probability: 0.5, augmentation: Box::new(cutout) },
        Augmentation::GaussianNoise { std: 0.05 },
    ]
}

fn settings(lr: f64) -> FitConfig {
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let augmentations = augmentations();
    FitConfig { augmentations, lr_schedule, patience: 0, ..FitConfig::adam_w(lr, 1e-4) }
}

/// A network whose encoder knows the digits, but not what they are called.
fn pretrain(rows: &Dataset, rng: &mut ChaCha8Rng) -> Result<Sequential> {
    let projector =
        vec![LayerConfig::linear(128), Activation::Relu.into(), LayerConfig::linear(64)];
    let mut network = Sequential::new(&encoder().with_head(projector), &INPUT, rng)?;
    let config = FitConfig { epochs: 150, batch_size: 256, views: 2, ..settings(2e-3) };
    let objective = NtXent { temperature: 0.2 };
    fit(&mut network, rows, &rows.select(&[])?, &config, rng.clone(), &objective)?;
    Ok(network)
}

/// The accuracy on other rows after training with the labelled ones.
fn fine_tune(
    pretrained: Option<&Sequential>,
    labelled: &Dataset,
    test: &Dataset,
    mut rng: ChaCha8Rng,
) -> Result<f64> {
    let mut network = Sequential::new(&encoder().linear_head(10), &INPUT, &mut rng)?;
    let mut config = settings(2e-3);
    config.epochs = STEPS.div_ceil(config.steps_per_epoch(labelled.len())) as usize;
    if let Some(pretrained) = pretrained {
        network.load_encoder(pretrained)?;
        config.param_groups = FineTuning::Full { lr_factor: 0.3 }.prepare(&mut network)?;
    }
    let nothing = labelled.select(&[])?;
    fit(&mut network, labelled, &nothing, &config, rng, &Loss::cross_entropy())?;
    Ok(accuracy_score(&test.classes()?, &predict(&network, test, 256)?.classes())?)
}

/// The first rows of each class, so many of each.
fn first_of_each(data: &Dataset, order: &[usize], labels: usize) -> Result<Dataset> {
    let (classes, mut counts) = (data.classes()?, [0; 10]);
    let chosen = order.iter().copied().filter(|&row| {
        counts[classes[row]] += 1;
        counts[classes[row]] <= labels
    });
    Ok(data.select(&chosen.collect::<Vec<_>>())?)
}

/// For each number of labels the accuracies from scratch and after pretraining.
fn run(seed: u64, train: &Dataset, test: &Dataset) -> Result<Vec<[f64; 2]>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..train.len()).collect();
    order.shuffle(&mut rng);
    let pretrained = pretrain(train, &mut rng)?;
    let features = pretrained.embed(&test.batch(&(0..test.len()).collect::<Vec<_>>()).inputs());
    let collapse = diagnose_collapse(&features, &Default::default())?;
    println!("seed {seed}: {collapse}; uniformity {:.2}", uniformity(&features)?);
    let accuracies = LABELS.map(|labels| {
        let labelled = first_of_each(train, &order, labels)?;
        let scratch = fine_tune(None, &labelled, test, rng.clone())?;
        Ok([scratch, fine_tune(Some(&pretrained), &labelled, test, rng.clone())?])
    });
    accuracies.into_iter().collect()
}

fn main() -> Result<()> {
    gymnast::core::threads::single_threaded();
    let digits = load_digits();
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let (mut train, mut test) = train_test_split(&digits, 0.25, Stratify::Classes, rng)?;
    let mut seeds = 0..SEEDS;
    if std::env::args().any(|argument| argument == "validation") {
        (train, test) = train_test_split(&train, 0.25, Stratify::Classes, rng)?;
        seeds = 100..104;
    }
    let scaler = MinMaxScaler::fit(train.input_table(), (0.0, 1.0))?;
    let (train, test) = (scaler.transform_inputs(&train)?, scaler.transform_inputs(&test)?);

    let runs: Vec<Vec<[f64; 2]>> = thread::scope(|scope| {
        let (train, test) = (&train, &test);
        let threads: Vec<_> =
            seeds.map(|seed| scope.spawn(move || run(seed, train, test))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<_>>()
    })?;
    let mut lines = ["from scratch", "pretrained"].map(|label| Line::new(label, Vec::new()));
    println!("labels a class | from scratch | pretrained | difference [95 %]");
    for (i, labels) in LABELS.iter().enumerate() {
        let of = |kind: usize| runs.iter().map(|run| 100.0 * run[i][kind]).collect::<Vec<f64>>();
        let differences: Vec<f64> = of(1).iter().zip(of(0)).map(|(b, a)| b - a).collect();
        let interval = Bootstrap::default().interval(&differences, mean, rng)?;
        print!("{labels:14} |");
        for (kind, line) in lines.iter_mut().enumerate() {
            let (x, values) = ((*labels as f64).log2(), of(kind));
            let (mean, std) = (mean(&values).unwrap_or(0.0), sample_std(&values).unwrap_or(0.0));
            line.points.push((x, mean));
            line.band.push((x, mean - std, mean + std));
            print!(" {mean:5.1} ± {std:4.1} |");
        }
        println!(" {:+.1} [{:+.1}, {:+.1}]", interval.estimate, interval.low, interval.high);
    }
    let plot = LinePlot {
        title: "Digits: test accuracy against labels".to_owned(),
        x_axis: Axis::new("labels a class, log₂"),
        y_axis: Axis::new("accuracy in %"),
        lines: lines.into(),
        ..LinePlot::default()
    };
    Ok(plot.save(Path::new("pretrain_digits.png"))?)
}
