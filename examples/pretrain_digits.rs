//! Contrastive pretraining on digits with few labels, against the same network from scratch, each
//! fine-tuned without, with light and with strong augmentations, and against classical models.
//!
//! ```text
//! cargo run --release --example pretrain_digits    # writes pretrain_digits.png
//! ```
//!
//! `-- validation` evaluates on a part of the training rows instead of the test rows, with other
//! seeds: the settings were chosen this way.

use std::{path::Path, thread};

use gymnast::core::{
    data::{
        Compose, Dataset, MinMaxScaler, Stratify, Table, Transformer as _, load_digits,
        train_test_split,
    },
    loss::Loss,
    metrics::accuracy_score,
    nn::{Activation, LayerConfig, NetworkConfig, Sequential},
    plot::{Axis, Line, LinePlot, Picture as _},
    self_supervised::{FineTuning, NtXent, alignment, diagnose_collapse, uniformity},
    statistics::{mean, paired_difference, sample_std},
    supervised::{FitConfig, fit, predict},
};
use rand::{SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

#[path = "common/classical.rs"]
mod classical;
#[path = "common/few_labels.rs"]
mod few_labels;
#[path = "common/neighbours.rs"]
mod neighbours;
use few_labels::{INPUT, Result, Strength, augmentations, first_of_each, settings};

const SEEDS: u64 = 10;
const LABELS: [usize; 6] = [1, 2, 5, 10, 20, 50]; // a class
const STEPS: u64 = 300; // of the optimiser, with the labelled rows
const LONG: u64 = 2_000; // about as many as pretraining and fine-tuning take together
const COPIES: usize = 20; // of a labelled row, itself among them
/// How a network learns from the labelled rows.
struct Way {
    name: &'static str,
    pretrained: bool,
    strength: Strength,
    steps: u64,
}

const fn way(name: &'static str, pretrained: bool, strength: Strength, steps: u64) -> Way {
    Way { name, pretrained, strength, steps }
}

const WAYS: [Way; 7] = [
    way("scratch, none", false, Strength::None, STEPS),
    way("scratch, light", false, Strength::Light, STEPS),
    way("scratch, strong", false, Strength::Strong, STEPS),
    way("scratch, strong, 2000 steps", false, Strength::Strong, LONG),
    way("pretrained, none", true, Strength::None, STEPS),
    way("pretrained, light", true, Strength::Light, STEPS),
    way("pretrained, strong", true, Strength::Strong, STEPS),
];
/// What is compared seed by seed: the best pretrained way (by other seeds and rows) with each that does
/// without, and those that are augmented alike.
const COMPARED: [(&str, &str); 8] = [
    ("pretrained, light", "scratch, none"),
    ("pretrained, light", "scratch, light"),
    ("pretrained, light", "scratch, strong, 2000 steps"),
    ("pretrained, light", "nearest neighbour"),
    ("pretrained, light", "nearest of copies"),
    ("pretrained, light", "random forest"),
    ("pretrained, none", "scratch, none"),
    ("pretrained, strong", "scratch, strong"),
];
/// The accuracies in % with this number of labels, by name.
type Accuracies = Vec<(&'static str, f64)>;

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
    way: &Way,
    pretrained: &Sequential,
    (labelled, test): (&Dataset, &Dataset),
    mut rng: ChaCha8Rng,
) -> Result<f64> {
    let mut network = Sequential::new(&encoder().linear_head(10), &INPUT, &mut rng)?;
    let mut config = settings(2e-3, way.strength);
    if way.pretrained {
        network.load_encoder(pretrained)?;
        // The head may go faster where the features are good already.
        config = settings(1e-2, way.strength);
        config.param_groups = FineTuning::Full { lr_factor: 0.03 }.prepare(&mut network)?;
    }
    config.epochs = way.steps.div_ceil(config.steps_per_epoch(labelled.len())) as usize;
    let nothing = labelled.select(&[])?;
    fit(&mut network, labelled, &nothing, &config, rng, &Loss::cross_entropy())?;
    Ok(100.0 * accuracy_score(&test.classes()?, &predict(&network, test, 256)?.classes()?)?)
}

/// The labelled rows and light augmentations of them.
fn copies(labelled: &Dataset, rng: &mut ChaCha8Rng) -> Result<Dataset> {
    let rows: Vec<usize> = (0..COPIES).flat_map(|_| 0..labelled.len()).collect();
    let all = labelled.select(&rows)?;
    let mut pixels = all.inputs().to_vec();
    let own = labelled.inputs().len();
    Compose::new(augmentations(Strength::Light), 64)?.apply(&mut pixels[own..], rng)?;
    Ok(all.with_inputs(Table::new(pixels, 64)?)?)
}

/// The accuracies of models that are no networks.
fn baselines(labelled: &Dataset, test: &Dataset, mut rng: ChaCha8Rng) -> Result<Accuracies> {
    let truth = test.classes()?;
    let nearest = |known: &Dataset| -> Result<Vec<usize>> {
        let found = neighbours::nearest(known.input_table(), test.input_table(), 1);
        let classes = known.classes()?;
        Ok(found.iter().map(|found| classes[found[0].1]).collect())
    };
    let found = [
        ("nearest neighbour", nearest(labelled)?),
        ("nearest of copies", nearest(&copies(labelled, &mut rng)?)?),
        ("random forest", classical::forest(labelled, test)?),
    ];
    let score = |(name, classes): (&'static str, Vec<usize>)| -> Result<_> {
        Ok((name, 100.0 * accuracy_score(&truth, &classes)?))
    };
    found.into_iter().map(score).collect()
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
        let mut of_labels = baselines(&labelled, test, rng.clone())?;
        for way in &WAYS {
            let accuracy = fine_tune(way, &pretrained, (&labelled, test), rng.clone())?;
            of_labels.push((way.name, accuracy));
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
    print_means(&runs);
    print_gains(&runs)?;
    Ok(plot(&runs).save(Path::new("pretrain_digits.png"))?)
}

/// The accuracies of one way with the i-th number of labels, over the seeds.
fn of(runs: &[Vec<Accuracies>], i: usize, name: &str) -> Vec<f64> {
    let found =
        |run: &Vec<Accuracies>| run[i].iter().find(|(own, _)| *own == name).map(|own| own.1);
    runs.iter().filter_map(found).collect()
}

fn names(runs: &[Vec<Accuracies>]) -> impl Iterator<Item = &'static str> {
    runs[0][0].iter().map(|(name, _)| *name)
}

fn heading(first: &str) {
    let labels = LABELS.map(|labels| labels.to_string()).join(" | ");
    println!("\n| {first} | {labels} |\n|{}", "---|".repeat(LABELS.len() + 1));
}

fn print_means(runs: &[Vec<Accuracies>]) {
    heading("labels a class");
    for name in names(runs) {
        print!("| {name} |");
        for i in 0..LABELS.len() {
            let (mean, std) = mean_and_std(&of(runs, i, name));
            print!(" {mean:.1} ± {std:.1} |");
        }
        println!();
    }
}

fn print_gains(runs: &[Vec<Accuracies>]) -> Result<()> {
    heading("gain in points");
    for (better, than) in COMPARED {
        print!("| {better}, over {than} |");
        for i in 0..LABELS.len() {
            let gain = paired_difference(&of(runs, i, better), &of(runs, i, than), 0.95, 0.0)?;
            print!(" {:+.1} [{:+.1}, {:+.1}] |", gain.estimate, gain.low, gain.high);
        }
        println!();
    }
    Ok(())
}

fn mean_and_std(values: &[f64]) -> (f64, f64) {
    (mean(values).unwrap_or(f64::NAN), sample_std(values).unwrap_or(f64::NAN))
}

fn plot(runs: &[Vec<Accuracies>]) -> LinePlot {
    let line = |name: &str| {
        let mut line = Line::new(name, Vec::new());
        for (i, labels) in LABELS.iter().enumerate() {
            let (x, (mean, std)) = (*labels as f64, mean_and_std(&of(runs, i, name)));
            line.points.push((x, mean));
            line.band.push((x, mean - std, mean + std));
        }
        line
    };
    let drawn =
        ["nearest of copies", "scratch, light", "pretrained, light", "scratch, strong, 2000 steps"];
    LinePlot {
        title: "Digits: test accuracy against labels, ± one deviation over seeds".to_owned(),
        x_axis: Axis::logarithmic("labels a class"),
        y_axis: Axis::new("accuracy in %"),
        lines: drawn.map(line).into(),
        ..LinePlot::default()
    }
}
