//! Classifies red wines as poor, middling or good: one network against ensembles, on the same
//! fifteen folds.
//!
//! ```text
//! cargo run --release --example ensembles
//! ```

use gymnast::core::{
    data::{Dataset, StandardScaler, Transformer as _, load_wine_quality},
    ensemble::*,
    loss::Loss,
    metrics::{accuracy_score, multiclass_log_loss, roc_auc_score},
    model_selection::{RepeatedStratifiedKFold, StratifiedKFold, cross_validate},
    nn::{Activation, NetworkConfig, Sequential},
    statistics::paired_difference,
    supervised::{FitConfig, fit},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

type Trained = Result<Sequential, EnsembleError>;
fn network(hidden: &[usize], rows: &Dataset, mut rng: ChaCha8Rng) -> Trained {
    let config = NetworkConfig::mlp(hidden, Activation::Relu).linear_head(3);
    let mut network = Sequential::new(&config, &[rows.input_width()], &mut rng)?;
    let settings = FitConfig { epochs: 30, patience: 0, ..FitConfig::adam_w(3e-3, 0.1) };
    fit(&mut network, rows, &rows.select(&[])?, &settings, rng, &Loss::cross_entropy())?;
    Ok(network)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    gymnast::core::threads::single_threaded();
    let grade = |quality: usize| if quality <= 5 { 0 } else { quality.min(7) - 5 };
    let wine = load_wine_quality().relabel(grade, ["poor", "middling", "good"])?;
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let folds = RepeatedStratifiedKFold { n_splits: 5, n_repeats: 3 };
    let scores = cross_validate(&folds.split(&wine.classes()?, rng)?, |fold| {
        let (train, test) = fold.select(&wine)?;
        let scaler = StandardScaler::fit(train.input_table())?;
        let (train, test) = (scaler.transform_inputs(&train)?, scaler.transform_inputs(&test)?);
        let wide = |rows: &Dataset, rng| network(&[64, 64], rows, rng);
        let linear = |rows: &Dataset, rng| network(&[], rows, rng);
        let deep = Ensemble::train(10, rng, |_, rng| wide(&train, rng))?;
        let bagging =
            Ensemble::train(10, rng, |_, mut rng| wide(&bootstrap(&train, &mut rng)?.data, rng))?;
        let inner = StratifiedKFold { n_splits: 5 }.split_shuffled(&train.classes()?, rng)?;
        let second_level = FitConfig { epochs: 30, patience: 0, ..FitConfig::adam(1e-2) };
        let kinds: [Member<'_, Sequential>; 2] = [&wide, &linear];
        let stacking = Stacking::fit(&train, &inner, &kinds, &second_level, rng)?;
        let (members, truth) = (deep.probabilities(&test, 256)?, test.classes()?);
        let votes: Result<Vec<_>, _> = members.iter().map(|p| most_likely(p, 3)).collect();
        let mean = soft_vote(&members, None)?;
        let errs = most_likely(&mean, 3)?.into_iter().zip(&truth).map(|(a, b)| (a != *b).into());
        let unsure: Vec<f64> =
            class_uncertainty(&members, 3)?.iter().map(|u| u.predictive_entropy).collect();
        let mut found = vec![
            ("accuracy, ten that vote".into(), accuracy_score(&truth, &hard_vote(&votes?, 3)?)?),
            ("errors by entropy, AUROC".into(), roc_auc_score(&errs.collect::<Vec<_>>(), &unsure)?),
        ];
        for (name, p) in [
            ("a single network", members[0].clone()),
            ("ten averaged", mean),
            ("bagging", soft_vote(&bagging.probabilities(&test, 256)?, None)?),
            ("stacking", stacking.probabilities(&test, 256)?),
        ] {
            let right = accuracy_score(&truth, &most_likely(&p, 3)?)?;
            found.push((format!("accuracy, {name}"), right));
            found.push((format!("log loss, {name}"), multiclass_log_loss(&truth, &p, 3)?));
        }
        Ok::<_, Box<dyn std::error::Error>>(found)
    })?;
    for (name, of) in &scores {
        print!("{name:32} {:.4}", of.mean().unwrap_or(f64::NAN));
        let single = format!("{}, a single network", name.split(',').next().unwrap_or_default());
        if let Some(single) = scores.get(&single) {
            let gain = paired_difference(&of.values, &single.values, 0.95, 0.25)?;
            print!("  {:+.4} [{:+.4}, {:+.4}]", gain.estimate, gain.low, gain.high);
        }
        println!();
    }
    Ok(())
}
