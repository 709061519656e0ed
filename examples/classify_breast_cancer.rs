//! Classifies 569 breast tumours as benign or malignant: ROC of a network by ten-fold
//! cross-validation.
//!
//! ```text
//! cargo run --release --example classify_breast_cancer    # writes breast_cancer_roc.png
//! ```

use std::{error::Error, path::Path};

use gymnast::core::{
    data::{StandardScaler, Transformer as _, load_breast_cancer},
    loss::Loss,
    metrics::BinaryScores,
    model_selection::{StratifiedKFold, cross_val_score},
    nn::{Activation, NetworkConfig, Sequential},
    plot::Picture as _,
    supervised::{FitConfig, Trainer, predict},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

fn main() -> Result<(), Box<dyn Error>> {
    let data = load_breast_cancer();
    let rng = || ChaCha8Rng::seed_from_u64(0);
    let settings = FitConfig { epochs: 100, patience: 20, ..FitConfig::adam_w(1e-3, 1e-2) };
    let network = NetworkConfig::mlp(&[32], Activation::Relu).linear_head(2);
    let mut all = BinaryScores::new();

    let folds = StratifiedKFold { n_splits: 10 }.split_shuffled(&data.classes()?, &mut rng())?;
    let areas = cross_val_score(&folds, |fold| -> Result<f64, Box<dyn Error>> {
        let (train, test) = fold.select(&data)?;
        let scaler = StandardScaler::fit(train.input_table())?;
        let (train, test) = (scaler.transform_inputs(&train)?, scaler.transform_inputs(&test)?);
        let (train, validation) = train.split(0.15, &mut rng())?;
        let mut network = Sequential::new(&network, &[train.input_width()], &mut rng())?;
        let mut trainer = Trainer::new(settings.clone(), rng())?;
        trainer.fit(&mut network, &train, &validation, &Loss::cross_entropy())?;
        // The probability of class 1, benign.
        let benign: Vec<f64> =
            predict(&network, &test, 256)?.probabilities()?.chunks(2).map(|row| row[1]).collect();
        all.update(&test.classes()?, &benign)?;
        let mut of_fold = BinaryScores::new();
        of_fold.update(&test.classes()?, &benign)?;
        Ok(of_fold.roc_auc()?)
    })?;

    let (mean, std) = (areas.mean().unwrap_or(f64::NAN), areas.std().unwrap_or(f64::NAN));
    println!("ROC-AUC {mean:.4} ± {std:.4} over {} folds", areas.values.len());
    println!("average precision of all folds together {:.4}", all.average_precision()?);
    all.roc_curve()?.plot("network, ten folds").save(Path::new("breast_cancer_roc.png"))?;
    println!("breast_cancer_roc.png");
    Ok(())
}
