//! Finds poor red wines, 3.9 % of all: ten methods for rare classes against a plain network, a
//! linear model, random forests and, because bagging averages, thirty plain networks, on the same
//! fifteen folds. Thresholds are tuned on validation rows, which are split off before anything is
//! resampled.
//!
//! ```text
//! cargo run --release --example rare_wine
//! ```

use std::{collections::BTreeMap, error::Error};

use gymnast::core::{
    data::{
        Dataset, Sampler, StandardScaler, Stratify, Transformer as _, load_wine_quality,
        train_test_split,
    },
    ensemble::soft_vote,
    imbalance::{ClassWeight, CostMatrix, Criterion, Resampler, rare_class_scores, tune_threshold},
    loss::Loss,
    lr_schedule::LrSchedule,
    model_selection::{FoldScores, RepeatedStratifiedKFold, cross_validate},
    nn::{Activation, NetworkConfig, Sequential},
    statistics::paired_difference,
    supervised::{FitConfig, fit, predict},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

const FOLDS: RepeatedStratifiedKFold = RepeatedStratifiedKFold { n_splits: 5, n_repeats: 3 };

#[path = "common/classical.rs"]
mod classical;

/// Trees of a forest, or of all forests that are averaged.
const TREES: usize = 300;

/// What learns.
#[derive(Clone, Copy, Default, PartialEq)]
enum Model {
    #[default]
    Network,
    Linear,
    Forest,
}

/// What one method changes: the model, rows, weights, loss, minibatches, the number of models.
#[derive(Default)]
struct Method {
    model: Model,
    resampler: Option<Resampler>,
    weight: ClassWeight,
    focal: bool,
    sampler: Sampler,
    models: usize,
}

fn methods() -> Vec<(&'static str, Method)> {
    let rows = |resampler| Method { resampler: Some(resampler), ..Method::default() };
    let weight = |weight| Method { weight, ..Method::default() };
    let bootstrap = Some(Resampler::BalancedBootstrap);
    vec![
        ("plain", Method::default()),
        ("logistic regression", Method { model: Model::Linear, ..Method::default() }),
        ("random forest", Method { model: Model::Forest, ..Method::default() }),
        (
            "balanced random forest",
            Method { model: Model::Forest, resampler: bootstrap, models: 30, ..Method::default() },
        ),
        ("class weights", weight(ClassWeight::Balanced)),
        ("effective number", weight(ClassWeight::EffectiveNumber { beta: 0.99 })),
        ("focal loss", Method { focal: true, ..Method::default() }),
        ("balanced batches", Method { sampler: Sampler::Balanced, ..Method::default() }),
        ("oversampling", rows(Resampler::random_over())),
        ("undersampling", rows(Resampler::random_under())),
        ("SMOTE", rows(Resampler::smote())),
        ("borderline SMOTE", rows(Resampler::borderline_smote())),
        ("Tomek links", rows(Resampler::TomekLinks)),
        ("thirty averaged", Method { models: 30, ..Method::default() }),
        ("balanced bagging", Method { resampler: bootstrap, models: 30, ..Method::default() }),
    ]
}

/// The probability of a poor wine, of validation and test rows.
fn probabilities(
    method: &Method,
    train: &Dataset,
    others: [&Dataset; 2],
) -> Result<[Vec<f64>; 2], Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let class_weight = method.weight.weights(&train.class_counts()?)?;
    let loss = match method.focal {
        true => Loss::Focal { gamma: 2.0, alpha: class_weight },
        false => Loss::CrossEntropy { class_weight, label_smoothing: 0.0 },
    };
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let sampler = method.sampler;
    // A linear model has a longer way to the rare class's odds.
    let (hidden, lr) =
        if method.model == Model::Linear { (&[][..], 3e-2) } else { (&[64, 64][..], 3e-3) };
    let settings =
        FitConfig { epochs: 40, patience: 0, sampler, lr_schedule, ..FitConfig::adam_w(lr, 0.1) };
    let network = NetworkConfig::mlp(hidden, Activation::Relu).linear_head(2);
    let (nothing, models) = (train.select(&[])?, method.models.max(1));
    let mut found = [Vec::new(), Vec::new()];
    for _ in 0..models {
        let rows = match method.resampler {
            Some(resampler) => resampler.fit_resample(train, &mut rng)?.data,
            None => train.clone(),
        };
        if method.model == Model::Forest {
            let forest =
                classical::forest_probabilities(&rows, TREES / models, rng.random(), others)?;
            found.iter_mut().zip(forest).for_each(|(all, one)| all.push(one));
            continue;
        }
        let mut network = Sequential::new(&network, &[train.input_width()], &mut rng)?;
        fit(&mut network, &rows, &nothing, &settings, ChaCha8Rng::from_rng(&mut rng), &loss)?;
        for (found, rows) in found.iter_mut().zip(others) {
            let both = predict(&network, rows, 256)?.probabilities()?;
            found.push(both.chunks(2).map(|p| p[1]).collect::<Vec<f64>>());
        }
    }
    Ok([soft_vote(&found[0], None)?, soft_vote(&found[1], None)?])
}

fn main() -> Result<(), Box<dyn Error>> {
    gymnast::core::threads::single_threaded();
    let wine = load_wine_quality().relabel(|q| usize::from(q <= 4), ["good", "poor"])?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let folds = FOLDS.split(&wine.classes()?, &mut rng)?;
    // To miss a poor wine costs as much as ten false alarms.
    let costs = CostMatrix::new(vec![0.0, 1.0, 10.0, 0.0], 2)?;
    let scores = cross_validate(&folds, |fold| -> Result<_, Box<dyn Error>> {
        let (train, test) = fold.select(&wine)?;
        let (train, validation) = train_test_split(&train, 0.25, Stratify::Classes, &mut rng)?;
        let scaler = StandardScaler::fit(train.input_table())?;
        let (train, validation) =
            (scaler.transform_inputs(&train)?, scaler.transform_inputs(&validation)?);
        let (test, known) = (scaler.transform_inputs(&test)?, validation.classes()?);
        let truth = test.classes()?;
        let mut scores = Vec::new();
        for (name, method) in methods() {
            let [held_out, found] = probabilities(&method, &train, [&validation, &test])?;
            let tuned = tune_threshold(&known, &held_out, &Criterion::F1)?.threshold;
            let mut rules = vec![(String::new(), 0.5), (" + tuned".to_owned(), tuned)];
            if name == "plain" {
                rules.push((" + costs".to_owned(), costs.threshold()?));
            }
            for (rule, threshold) in rules {
                for (score, value) in rare_class_scores(&truth, &found, threshold)? {
                    scores.push((format!("{name}{rule}|{score}"), value));
                }
            }
        }
        Ok(scores)
    })?;

    let names = ["pr_auc", "f1", "precision", "recall", "balanced_accuracy", "ece", "brier"];
    println!("| method | PR-AUC | F1 | precision | recall | balanced accuracy | ECE | Brier |");
    println!("{}", "|---".repeat(8) + "|");
    let mut rows: Vec<String> = Vec::new();
    for (name, _) in methods() {
        rows.extend([name.to_owned(), format!("{name} + tuned")]);
    }
    rows.insert(2, "plain + costs".to_owned());
    for row in &rows {
        let mean = |name: &&str| scores[&format!("{row}|{name}")].mean().unwrap_or(f64::NAN);
        let means: Vec<String> = names.iter().map(|name| format!("{:.3}", mean(name))).collect();
        println!("| {row} | {} |", means.join(" | "));
    }
    println!("\n| against the plain network | Δ PR-AUC | Δ F1 at ½ | Δ F1, both tuned |");
    println!("{}", "|---".repeat(4) + "|");
    for row in ["plain + tuned", "plain + costs"] {
        println!("| {row} | – | {} | – |", difference(&scores, row, "plain", "f1")?);
    }
    for (name, _) in methods().iter().skip(1) {
        let auc = difference(&scores, name, "plain", "pr_auc")?;
        let f1 = difference(&scores, name, "plain", "f1")?;
        let tuned = difference(&scores, &format!("{name} + tuned"), "plain + tuned", "f1")?;
        println!("| {name} | {auc} | {f1} | {tuned} |");
    }
    Ok(())
}

/// How much a method gains, with the 95 % interval and what may be said of it.
fn difference(
    scores: &BTreeMap<String, FoldScores>,
    method: &str,
    plain: &str,
    score: &str,
) -> Result<String, Box<dyn Error>> {
    let of = |name: &str| &scores[&format!("{name}|{score}")].values;
    let overlap = 1.0 / (FOLDS.n_splits - 1) as f64;
    let gain = paired_difference(of(method), of(plain), 0.95, overlap)?;
    let verdict = match (gain.low > 0.0, gain.high < 0.0, gain.estimate > 0.0) {
        (true, ..) => "better",
        (_, true, _) => "worse",
        (.., true) => "better on average, not certain",
        _ => "does not help",
    };
    Ok(format!("{:+.3} [{:+.3}, {:+.3}] {verdict}", gain.estimate, gain.low, gain.high))
}
