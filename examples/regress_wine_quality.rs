//! Predicts the quality of red wine, a mark from 3 to 8, with a network and three classical models,
//! on the same five folds.
//!
//! ```text
//! cargo run --release --example regress_wine_quality
//! ```

use std::error::Error;

use gymnast::command::EpochBar;
use gymnast::core::{
    data::{Dataset, StandardScaler, Table, Transformer as _, load_wine_quality},
    loss::Loss,
    lr_schedule::LrSchedule,
    metrics::Regression,
    model_selection::{KFold, cross_validate},
    nn::{Activation, LayerConfig, NetworkConfig, Sequential},
    supervised::{FitConfig, Trainer, predict},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

#[path = "common/classical.rs"]
mod classical;

/// Trains with 85 % of the rows, keeps the best epoch by the others, and predicts the test rows.
fn regress(
    network: &NetworkConfig,
    train: &Dataset,
    test: &Dataset,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    // Marks are about 5.6: a network would first have to learn that.
    let marks = StandardScaler::fit(train.target_table())?;
    let inputs = train.input_table().clone();
    let train = Dataset::from_tables(inputs, marks.transform(train.target_table())?)?;
    let (train, validation) = train.split(0.15, &mut rng)?;
    let mut network = Sequential::new(network, &[train.input_width()], &mut rng)?;
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let settings =
        FitConfig { epochs: 100, patience: 0, lr_schedule, ..FitConfig::adam_w(3e-3, 0.1) };
    let mut trainer = Trainer::new(settings, rng)?.callback(EpochBar::on_stderr());
    trainer.fit(&mut network, &train, &validation, &Loss::Mse)?;
    let marks = marks.inverse_transform(&Table::new(predict(&network, test, 256)?.outputs, 1)?)?;
    Ok(marks.values().iter().map(|&mark| f64::from(mark)).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let wine = load_wine_quality();
    let dropout = LayerConfig::Dropout { p: 0.2 };
    let mut mlp = NetworkConfig::mlp(&[128, 64], Activation::Relu).linear_head(1);
    mlp.encoder.push(dropout);
    let linear = NetworkConfig::mlp(&[], Activation::Identity).linear_head(1);

    let folds =
        KFold { n_splits: 5 }.split_shuffled(wine.len(), &mut ChaCha8Rng::seed_from_u64(0))?;
    let scores = cross_validate(&folds, |fold| -> Result<_, Box<dyn Error>> {
        let (train, test) = fold.select(&wine)?;
        let scaler = StandardScaler::fit(train.input_table())?;
        let (train, test) = (scaler.transform_inputs(&train)?, scaler.transform_inputs(&test)?);
        let mut found = Vec::from(classical::regressors(&train, &test)?);
        found.push(("linear", regress(&linear, &train, &test)?));
        found.push(("MLP", regress(&mlp, &train, &test)?));
        let mut scores = Vec::new();
        for (name, predicted) in found {
            let mut regression = Regression::new();
            regression.update(test.targets(), &predicted)?;
            scores.push((format!("{name:14} R²"), regression.r2()?));
            scores.push((format!("{name:14} MAE"), regression.mae()?));
        }
        Ok(scores)
    })?;
    for (name, scores) in &scores {
        let (mean, std) = (scores.mean().unwrap_or(f64::NAN), scores.std().unwrap_or(f64::NAN));
        println!("{name:18} {mean:.3} ± {std:.3}");
    }
    Ok(())
}
