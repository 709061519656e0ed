//! Searches the settings of a network for handwritten digits, with pruning of poor trials after
//! each epoch.
//!
//! ```text
//! cargo run --release --example tune_digits -- 40    # the number of trials; writes tune_digits_*.png
//! ```
//!
//! A fifth of the rows is held out to judge the result: the validation loss of the best of many
//! trials is too low, because it was chosen for being the smallest.

use std::{error::Error, path::Path};

use gymnast::core::{
    data::{Dataset, MinMaxScaler, Transformer as _, load_digits},
    loss::Loss,
    metrics::accuracy_score,
    model_selection::StratifiedKFold,
    nn::{Activation, NetworkConfig, Sequential},
    plot::Picture as _,
    supervised::{Epoch, FitConfig, Pruning, Trainer, predict},
    threads,
    tune::{
        Importance, ImportanceConfig, Median, Pruner, Scale, Stop, Study, StudyConfig, Trial,
        TrialOutcome, importance,
    },
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

const EPOCHS: usize = 20;

/// The search space.
#[derive(Debug)]
struct Settings {
    learning_rate: f64,
    weight_decay: f64,
    width: usize,
    depth: usize,
}

impl Settings {
    fn suggest(trial: &mut Trial<'_>) -> Result<Self, Stop> {
        Ok(Self {
            learning_rate: trial.suggest_float("learning_rate", 1e-5, 1e-1, Scale::Log)?,
            weight_decay: trial.suggest_float("weight_decay", 1e-5, 1.0, Scale::Log)?,
            width: trial.suggest_int("width", 8, 256, Scale::Log)? as usize,
            depth: trial.suggest_int("depth", 1, 3, Scale::Linear)? as usize,
        })
    }

    fn network(&self) -> NetworkConfig {
        let hidden = vec![self.width; self.depth];
        NetworkConfig::mlp(&hidden, Activation::Relu).linear_head(10)
    }

    fn fit_config(&self) -> FitConfig {
        let adam_w = FitConfig::adam_w(self.learning_rate, self.weight_decay);
        FitConfig { epochs: EPOCHS, patience: 0, ..adam_w }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    threads::single_threaded();
    let trials = std::env::args().nth(1).map_or(Ok(40), |arg| arg.parse())?;
    let digits = load_digits();
    let mut folds = StratifiedKFold { n_splits: 5 }
        .split_shuffled(&digits.classes()?, &mut ChaCha8Rng::seed_from_u64(0))?;
    let (rest, test) = folds.next().ok_or("there are five folds")?.select(&digits)?;
    let scaler = MinMaxScaler::fit(rest.input_table(), (0.0, 1.0))?;
    let (rest, test) = (scaler.transform_inputs(&rest)?, scaler.transform_inputs(&test)?);
    // The same split for every trial, so that only their settings differ.
    let (train, validation) = rest.split(0.25, &mut ChaCha8Rng::seed_from_u64(1))?;

    let pruner = Pruner::Median(Median { n_warmup_steps: 3, ..Median::default() });
    let mut study = Study::new(StudyConfig { pruner, ..StudyConfig::default() })?;
    let mut settings = Vec::new();
    study.optimize(trials, |trial| {
        let own = Settings::suggest(trial)?;
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let mut network = Sequential::new(&own.network(), &[64], &mut rng)?;
        let config = own.fit_config();
        settings.push(own);
        let mut trainer = Trainer::new(config, rng)?.callback(Pruning::new(trial, Epoch::loss));
        let history = trainer.fit(&mut network, &train, &validation, &Loss::cross_entropy())?;
        drop(trainer);
        if trial.should_prune() {
            return Err(Stop::Pruned);
        }
        Ok(history.best().ok_or(Stop::Pruned)?.loss())
    })?;

    let is_pruned = |outcome: &TrialOutcome| *outcome == TrialOutcome::Pruned;
    let pruned = study.trials().iter().filter(|trial| is_pruned(&trial.outcome)).count();
    let epochs: usize = study.trials().iter().map(|trial| trial.reports.len()).sum();
    let all = study.trials().len();
    println!("{all} trials, {pruned} of them pruned: {epochs} of {} epochs", all * EPOCHS);
    let best = study.best().ok_or("no trial is complete")?;
    let loss = best.value().ok_or("the best trial is complete")?;
    let best = &settings[best.number as usize];
    println!("best validation loss {loss:.4}: {best:?}");
    for (name, own) in [("best", best), ("first", &settings[0])] {
        println!("accuracy of the {name} on the rows laid aside: {:.4}", judge(own, &rest, &test)?);
    }
    let importances = importance(&study, &ImportanceConfig::default())?;
    for own in &importances {
        println!("{:>5.1} % {}", 100.0 * own.share, own.name);
    }
    study.history_plot("validation loss").save(Path::new("tune_digits_history.png"))?;
    Importance::plot(&importances).save(Path::new("tune_digits_importance.png"))?;
    Ok(())
}

/// Trains on all rows except the held-out ones, over five seeds.
fn judge(settings: &Settings, rest: &Dataset, test: &Dataset) -> Result<f64, Box<dyn Error>> {
    let mut sum = 0.0;
    for seed in 10..15 {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (train, validation) = rest.split(0.1, &mut rng)?;
        let mut network = Sequential::new(&settings.network(), &[64], &mut rng)?;
        let mut trainer = Trainer::new(settings.fit_config(), rng)?;
        trainer.fit(&mut network, &train, &validation, &Loss::cross_entropy())?;
        sum += accuracy_score(&test.classes()?, &predict(&network, test, 256)?.classes()?)?;
    }
    Ok(sum / 5.0)
}
