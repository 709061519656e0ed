//! Classifies handwritten digits: two networks and four classical models on the same five folds.
//!
//! ```text
//! cargo run --release --example classify_digits    # writes digits_confusion.png and digits_loss.png
//! ```

use std::{error::Error, path::Path};

use gymnast::command::EpochBar;
use gymnast::core::{
    data::{Augmentation, Dataset, MinMaxScaler, Shape, Transformer as _, load_digits},
    loss::Loss,
    lr_schedule::LrSchedule,
    metrics::{ConfusionMatrix, Normalize, ZeroDivision, accuracy_score},
    model_selection::{StratifiedKFold, cross_validate},
    nn::{Activation, NetworkConfig, Sequential},
    plot::Picture as _,
    supervised::{FitConfig, History, Trainer, predict},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

#[path = "common/classical.rs"]
mod classical;

/// Trains with 85 % of the rows, keeps the best epoch by the others, and says what each test row is.
fn classify(
    network: &NetworkConfig,
    input: &[usize],
    settings: &FitConfig,
    train: &Dataset,
    test: &Dataset,
) -> Result<(Vec<usize>, History), Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let (train, validation) = train.split(0.15, &mut rng)?;
    let mut network = Sequential::new(network, input, &mut rng)?;
    let mut trainer = Trainer::new(settings.clone(), rng)?.callback(EpochBar::on_stderr());
    let history = trainer.fit(&mut network, &train, &validation, &Loss::cross_entropy())?;
    Ok((predict(&network, test, 256)?.classes()?, history))
}

fn main() -> Result<(), Box<dyn Error>> {
    let digits = load_digits();
    let truth = digits.classes()?;
    let shape = Shape { height: 8, width: 8, channels: 1 };
    let cosine = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let plain =
        FitConfig { epochs: 40, patience: 0, lr_schedule: cosine, ..FitConfig::adam_w(3e-3, 1e-2) };
    let shifted = Augmentation::RandomCrop { shape, padding: 1 };
    let augmented = FitConfig { augmentations: vec![shifted], ..plain.clone() };
    let networks = [
        ("logistic regression", NetworkConfig::mlp(&[], Activation::Relu), &[64][..], &plain),
        ("MLP", NetworkConfig::mlp(&[128, 64], Activation::Relu), &[64], &plain),
        ("CNN", NetworkConfig::cnn(&[16, 32], 64, Activation::Relu), &[8, 8], &augmented),
    ];
    let mut confusion = ConfusionMatrix::with_names(digits.class_names())?;
    let mut curves = None;

    let folds = StratifiedKFold { n_splits: 5 }
        .split_shuffled(&truth, &mut ChaCha8Rng::seed_from_u64(0))?;
    let accuracies = cross_validate(&folds, |fold| {
        let (train, test) = fold.select(&digits)?;
        let scaler = MinMaxScaler::fit(train.input_table(), (0.0, 1.0))?;
        let (train, test) = (scaler.transform_inputs(&train)?, scaler.transform_inputs(&test)?);
        let truth = test.classes()?;
        let mut found = Vec::from(classical::classifiers(&train, &test)?);
        for (name, network, input, settings) in &networks {
            let network = network.clone().linear_head(10);
            let (classes, history) = classify(&network, input, settings, &train, &test)?;
            if *name == "CNN" {
                confusion.update(&truth, &classes)?;
                curves = Some(history);
            }
            found.push((name, classes));
        }
        let score = |(name, classes): (&'static str, Vec<usize>)| {
            Ok((name, accuracy_score(&truth, &classes)?))
        };
        found.into_iter().map(score).collect::<Result<Vec<_>, Box<dyn Error>>>()
    })?;

    for (name, scores) in &accuracies {
        let (mean, std) = (scores.mean().unwrap_or(f64::NAN), scores.std().unwrap_or(f64::NAN));
        println!("{name:20} {mean:.4} ± {std:.4}");
    }
    println!("\nThe CNN, over all folds:\n{}", confusion.report(ZeroDivision::Zero)?);
    confusion.plot(Normalize::Counts).save(Path::new("digits_confusion.png"))?;
    let mut curves = curves.expect("five folds").loss_curves();
    curves.title = "The CNN on digits, last fold: loss by epoch".to_owned();
    curves.save(Path::new("digits_loss.png"))?;
    println!("digits_confusion.png, digits_loss.png");
    Ok(())
}
