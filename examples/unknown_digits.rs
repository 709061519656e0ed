//! Out-of-distribution detection on digits: a network learns 0 to 7 and then sees 8 and 9 as well.
//! Compares the softmax, the energy, ODIN, the Mahalanobis distance and Outlier Exposure, and the
//! distance to the nearest training digits, which needs no network.
//!
//! The outliers for tuning and training are made of digits 0 to 7 only: halves of two digits
//! joined, a quarter of one in another, two mixed or drawn over each other, quarter turns (no half
//! turns: a six would become a nine), shuffled pixels, noise. Those for training come from training
//! digits, those for tuning from validation digits.
//!
//! ```text
//! cargo run --release --example unknown_digits    # writes unknown_digits.png
//! ```

use std::{collections::BTreeMap, error::Error, path::Path, thread};

use gymnast::core::{
    data::{
        Augmentation, Dataset, Shape, SplitConfig, Stratify, Table, load_digits,
        train_validation_test_split,
    },
    loss::Loss,
    lr_schedule::LrSchedule,
    metrics::{accuracy_score, roc_curve},
    nn::{Activation, NetworkConfig, Sequential},
    ood::{
        Detection, Mahalanobis, Odin, OodError, OutlierExposure, detection_scores, energy_score,
        max_softmax_probability,
    },
    plot::{LinePlot, Picture as _},
    statistics::{mean, paired_difference},
    supervised::{FitConfig, fit, predict},
};
use rand::{RngExt as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;

#[path = "common/neighbours.rs"]
mod neighbours;
use neighbours::nearest;

const SEEDS: u64 = 20;
const CLASSES: usize = 8;
/// The known digits to train with, and those to validate and to test with: 15 % each, rounded up.
const TRAIN: f64 = 1009.0;
const HELD_OUT: f64 = 217.0;
/// Outliers for each training row.
const EXPOSURE: usize = 4;
const SIDE: usize = 8;
const SHAPE: Shape = Shape { height: SIDE, width: SIDE, channels: 1 };
type Scores = Vec<f64>;
/// How much rows look like those learned from, or why that cannot be said.
type Scored = Result<Scores, Box<dyn Error + Send + Sync>>;
type Found = Vec<(&'static str, Scores, Scores)>;

/// Makes this many outliers from rows that show digits.
fn outliers(
    digits: &Dataset,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Table, Box<dyn Error + Send + Sync>> {
    let classes = digits.classes()?;
    let mut pixels = Vec::with_capacity(count * SIDE * SIDE);
    for kind in 0..count {
        let own = rng.random_range(0..digits.len());
        let other = loop {
            let other = rng.random_range(0..digits.len());
            if classes[other] != classes[own] {
                break digits.input_table().row(other)?;
            }
        };
        let mut image = digits.input_table().row(own)?.to_vec();
        match kind % 8 {
            0 => image[32..].copy_from_slice(&other[32..]), // the lower half
            1 => (0..64).filter(|i| i % SIDE >= 4).for_each(|i| image[i] = other[i]), // the right
            2 => image.iter_mut().zip(other).for_each(|(a, b)| *a = (*a + b) / 2.0),
            3 => {
                let turn = if rng.random() { (75.0, 105.0) } else { (-105.0, -75.0) };
                Augmentation::Rotation { shape: SHAPE, degrees: turn }.apply(&mut image, rng)?;
            }
            4 => image.iter_mut().zip(other).for_each(|(a, b)| *a = a.max(*b)),
            5 => {
                let corner = [0, 4, 32, 36][rng.random_range(0..4)];
                for start in (corner..corner + 32).step_by(SIDE) {
                    image[start..start + 4].copy_from_slice(&other[start..start + 4]);
                }
            }
            6 => image.shuffle(rng),
            _ => image.iter_mut().for_each(|x| *x = rng.random()),
        }
        pixels.extend(image);
    }
    Ok(Table::new(pixels, SIDE * SIDE)?)
}

/// Without classes, to be scored.
fn unlabelled(rows: Table) -> Result<Dataset, Box<dyn Error + Send + Sync>> {
    let nothing = vec![0.0; rows.len()];
    Ok(Dataset::from_tables(rows, Table::new(nothing, 1)?)?)
}

fn features(network: &Sequential, data: &Dataset) -> Result<Table, Box<dyn Error + Send + Sync>> {
    let rows: Vec<usize> = (0..data.len()).collect();
    let encoded = network.encode(&data.batch(&rows).inputs()).detach();
    let mut numbers = vec![0.0; data.len() * network.features()];
    encoded.copy_data(&mut numbers, data.len() * network.features());
    Ok(Table::new(numbers, network.features())?)
}

/// How near each row is to its k-th nearest training row: the distance, negated.
fn nearness(known: &Table, rows: &Table, k: usize) -> Scores {
    nearest(known, rows, k).iter().map(|found| -found[found.len() - 1].0).collect()
}

/// The setting by which a score tells validation digits from outliers best.
fn tuned<S: Copy>(
    grid: &[S],
    mut auroc: impl FnMut(S) -> Result<f64, Box<dyn Error + Send + Sync>>,
) -> Result<S, Box<dyn Error + Send + Sync>> {
    let mut best = (grid[0], f64::NEG_INFINITY);
    for &setting in grid {
        let auroc = auroc(setting)?;
        best = if auroc > best.1 { (setting, auroc) } else { best };
    }
    Ok(best.0)
}

/// Each method's scores of known and of unknown digits, and the accuracy on the known ones of both
/// networks and of the nearest neighbour.
fn run(seed: u64) -> Result<(Found, [f64; 3]), Box<dyn Error + Send + Sync>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let digits = load_digits();
    let pixels = digits.inputs().iter().map(|x| x / 16.0).collect();
    let digits = digits.with_inputs(Table::new(pixels, SIDE * SIDE)?)?;
    let of = |known: bool, classes: &[usize]| -> Vec<usize> {
        (0..classes.len()).filter(|&row| (classes[row] < CLASSES) == known).collect()
    };
    let classes = digits.classes()?;
    let names = (0..CLASSES).map(|digit| digit.to_string());
    let known = digits.select(&of(true, &classes))?.relabel(|digit| digit, names)?;
    let unknown = digits.select(&of(false, &classes))?;
    let config = SplitConfig {
        train: TRAIN,
        validation: HELD_OUT,
        test: HELD_OUT,
        stratify: Stratify::Classes,
    };
    let split = train_validation_test_split(&known, &config, &mut rng)?;
    let (train, validation, test) = (split.train, split.validation, split.test);
    let tuning = unlabelled(outliers(&validation, 300, &mut rng)?)?;
    let exposed = outliers(&train, EXPOSURE * train.len(), &mut rng)?;
    let exposure = OutlierExposure::new(CLASSES);
    let exposed = exposure.join(&train, &exposed)?;

    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let settings =
        FitConfig { epochs: 40, patience: 0, lr_schedule, ..FitConfig::adam_w(3e-3, 1e-2) };
    let config = NetworkConfig::mlp(&[128, 64], Activation::Relu).linear_head(CLASSES);
    // Both start from the same weights.
    let mut plain = Sequential::new(&config, &[SIDE * SIDE], &mut rng.clone())?;
    let mut wary = Sequential::new(&config, &[SIDE * SIDE], &mut rng)?;
    let order = ChaCha8Rng::from_rng(&mut rng);
    let loss = Loss::cross_entropy();
    fit(&mut plain, &train, &validation, &settings, order.clone(), &loss)?;
    fit(&mut wary, &exposed, &validation, &settings, order, &exposure)?;

    let outputs = |network: &Sequential, data: &Dataset| predict(network, data, 256);
    let softmax =
        |network: &Sequential, data: &Dataset| -> Result<Scores, Box<dyn Error + Send + Sync>> {
            Ok(max_softmax_probability(&outputs(network, data)?.outputs, CLASSES)?)
        };
    let energy =
        |network: &Sequential, data: &Dataset| -> Result<Scores, Box<dyn Error + Send + Sync>> {
            Ok(energy_score(&outputs(network, data)?.outputs, CLASSES, 1.0)?)
        };
    let auroc = |inside: &[f64], outside: &[f64]| -> Result<f64, Box<dyn Error + Send + Sync>> {
        Ok(detection_scores(inside, outside)?.auroc)
    };
    let mut grid = Vec::new();
    for temperature in [1.0, 10.0, 100.0, 1000.0] {
        for epsilon in [0.0, 0.005, 0.01, 0.02, 0.04, 0.08] {
            grid.push(Odin { temperature, epsilon });
        }
    }
    let odin = tuned(&grid, |odin| {
        auroc(&odin.scores(&plain, &validation, 256)?, &odin.scores(&plain, &tuning, 256)?)
    })?;
    let (learned, known_classes) = (features(&plain, &train)?, train.classes()?);
    let shrinkage = tuned(&[1e-3, 1e-2, 0.1, 0.3, 1.0], |shrinkage| {
        let detector = Mahalanobis::fit(&learned, &known_classes, shrinkage)?;
        let score = |data| -> Result<Scores, Box<dyn Error + Send + Sync>> {
            Ok(detector.scores(&features(&plain, data)?)?)
        };
        auroc(&score(&validation)?, &score(&tuning)?)
    })?;
    let detector = Mahalanobis::fit(&learned, &known_classes, shrinkage)?;
    // Neighbours among the pixels, and among the network's features.
    let by_pixels = |data: &Dataset, k| nearness(train.input_table(), data.input_table(), k);
    let by_features =
        |data: &Dataset, k| -> Scored { Ok(nearness(&learned, &features(&plain, data)?, k)) };
    let neighbours = [1, 2, 5, 10, 20, 50];
    let k_pixels =
        tuned(&neighbours, |k| auroc(&by_pixels(&validation, k), &by_pixels(&tuning, k)))?;
    let k_features =
        tuned(&neighbours, |k| auroc(&by_features(&validation, k)?, &by_features(&tuning, k)?))?;
    println!(
        "seed {seed}: ODIN T = {}, ε = {}; shrinkage {shrinkage}; {k_pixels} and {k_features} neighbours",
        odin.temperature, odin.epsilon
    );

    let mut found = Vec::new();
    let both = |score: &dyn Fn(&Dataset) -> Scored| {
        Ok::<_, Box<dyn Error + Send + Sync>>((score(&test)?, score(&unknown)?))
    };
    let odin = |data: &Dataset| Ok(odin.scores(&plain, data, 256)?);
    let distance = |data: &Dataset| Ok(detector.scores(&features(&plain, data)?)?);
    for (name, (inside, outside)) in [
        ("softmax (MSP)", both(&|data| softmax(&plain, data))?),
        ("energy", both(&|data| energy(&plain, data))?),
        ("ODIN", both(&odin)?),
        ("Mahalanobis", both(&distance)?),
        ("neighbours, features", both(&|data| by_features(data, k_features))?),
        ("neighbours, pixels", both(&|data| Ok(by_pixels(data, k_pixels)))?),
        ("Outlier Exposure, MSP", both(&|data| softmax(&wary, data))?),
        ("Outlier Exposure, energy", both(&|data| energy(&wary, data))?),
    ] {
        found.push((name, inside, outside));
    }
    let truth = test.classes()?;
    let accuracy = |network| -> Result<f64, Box<dyn Error + Send + Sync>> {
        Ok(accuracy_score(&truth, &outputs(network, &test)?.classes()?)?)
    };
    let nearest = nearest(train.input_table(), test.input_table(), 1);
    let neighbour: Vec<usize> = nearest.iter().map(|found| known_classes[found[0].1]).collect();
    Ok((found, [accuracy(&plain)?, accuracy(&wary)?, accuracy_score(&truth, &neighbour)?]))
}

fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    gymnast::core::threads::single_threaded();
    let mut detections = BTreeMap::<&str, Vec<Detection>>::new();
    let (mut names, mut accuracies) = (Vec::new(), [(); 3].map(|()| Vec::new()));
    let mut curves = None::<LinePlot>;
    let runs = thread::scope(|scope| {
        let threads: Vec<_> = (0..SEEDS).map(|seed| scope.spawn(move || run(seed))).collect();
        let joined = threads.into_iter().map(|thread| thread.join().expect("no panic"));
        joined.collect::<Result<Vec<_>, _>>()
    })?;
    for (seed, (found, accuracy)) in runs.into_iter().enumerate() {
        names = found.iter().map(|(name, ..)| *name).collect();
        accuracies.iter_mut().zip(accuracy).for_each(|(all, one)| all.push(one));
        for (name, inside, outside) in found {
            detections.entry(name).or_default().push(detection_scores(&inside, &outside)?);
            if seed == 0 {
                let truth = [vec![1; inside.len()], vec![0; outside.len()]].concat();
                let mut plot = roc_curve(&truth, &[inside, outside].concat())?.plot(name);
                let line = plot.lines.pop().ok_or(OodError::Empty)?;
                let all = curves.get_or_insert(plot);
                all.lines.push(gymnast::core::plot::Line { colour: None, ..line });
            }
        }
    }
    let of = |name: &str, score: fn(&Detection) -> f64| -> Vec<f64> {
        detections[name].iter().map(score).collect()
    };
    println!(
        "\naccuracy on 0 to 7: {:.4}, exposed {:.4}, nearest neighbour {:.4}\n",
        average(&accuracies[0]),
        average(&accuracies[1]),
        average(&accuracies[2])
    );
    println!(
        "| score | AUROC | AUPR in | AUPR out | FPR at 95 % TPR | AUROC − MSP's | OE's AUROC − its | OE's FPR − its |"
    );
    println!("{}", "|---".repeat(8) + "|");
    for name in names {
        let aurocs = of(name, |d| d.auroc);
        let against = |a: &[f64], b: &[f64]| -> Result<String, Box<dyn Error + Send + Sync>> {
            // The seeds share most of their training rows.
            let overlap = HELD_OUT / TRAIN;
            let gain = paired_difference(a, b, 0.95, overlap)?;
            Ok(format!("{:+.3} [{:+.3}, {:+.3}]", gain.estimate, gain.low, gain.high))
        };
        let msp = against(&aurocs, &of("softmax (MSP)", |d| d.auroc))?;
        let exposure = against(&of("Outlier Exposure, MSP", |d| d.auroc), &aurocs)?;
        let rates = of(name, |d| d.fpr_at_95_tpr);
        let rate = against(&of("Outlier Exposure, MSP", |d| d.fpr_at_95_tpr), &rates)?;
        let means =
            [of(name, |d| d.aupr_in), of(name, |d| d.aupr_out), of(name, |d| d.fpr_at_95_tpr)];
        let [inside, outside, fpr] = means.map(|values| average(&values));
        println!(
            "| {name} | {:.3} | {inside:.3} | {outside:.3} | {fpr:.3} | {msp} | {exposure} | {rate} |",
            average(&aurocs)
        );
    }
    let mut curves = curves.ok_or(OodError::Empty)?;
    curves.title = "Known digits against 8 and 9, seed 0".to_owned();
    curves.save(Path::new("unknown_digits.png"))?;
    println!("\nunknown_digits.png");
    Ok(())
}

fn average(values: &[f64]) -> f64 {
    mean(values).unwrap_or(f64::NAN)
}
