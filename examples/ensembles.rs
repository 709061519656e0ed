//! Poor, middling and good red wines: one network against many that vote, average, learn from bootstrap
//! samples, or are stacked, on the same fifteen folds.
//!
//! ```text
//! cargo run --release --example ensembles
//! ```

use std::error::Error;

use gymnast::core::{
    data::{Dataset, StandardScaler, Transformer as _, load_wine_quality},
    ensemble::{
        Ensemble, EnsembleError, Member, Stacking, bootstrap, class_uncertainty, hard_vote,
        most_likely, soft_vote,
    },
    loss::Loss,
    metrics::{accuracy_score, multiclass_log_loss, roc_auc_score},
    model_selection::{RepeatedStratifiedKFold, StratifiedKFold, cross_validate},
    nn::{Activation, NetworkConfig, Sequential},
    statistics::paired_difference,
    supervised::{FitConfig, fit},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

const MEMBERS: usize = 10;

fn network(
    hidden: &[usize],
    rows: &Dataset,
    mut rng: ChaCha8Rng,
) -> Result<Sequential, EnsembleError> {
    let config = NetworkConfig::mlp(hidden, Activation::Relu).linear_head(3);
    let mut network = Sequential::new(&config, &[rows.input_width()], &mut rng)?;
    let settings = FitConfig { epochs: 30, patience: 0, ..FitConfig::adam_w(3e-3, 0.1) };
    fit(&mut network, rows, &rows.select(&[])?, &settings, rng, &Loss::cross_entropy())?;
    Ok(network)
}

fn main() -> Result<(), Box<dyn Error>> {
    gymnast::core::threads::single_threaded();
    let grade = |quality| if quality <= 5 { 0 } else { quality.min(7) - 5 };
    let wine = load_wine_quality().relabel(grade, ["poor", "middling", "good"])?;
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let folds = RepeatedStratifiedKFold { n_splits: 5, n_repeats: 3 };
    let scores = cross_validate(&folds.split(&wine.classes()?, &mut rng)?, |fold| {
        let (train, test) = fold.select(&wine)?;
        let scaler = StandardScaler::fit(train.input_table())?;
        let (train, test) = (scaler.transform_inputs(&train)?, scaler.transform_inputs(&test)?);
        let truth = test.classes()?;
        let wide = |rows: &Dataset, rng| network(&[64, 64], rows, rng);
        let deep = Ensemble::train(MEMBERS, &mut rng, |_, rng| wide(&train, rng))?;
        let bagging = Ensemble::train(MEMBERS, &mut rng, |_, mut rng| {
            wide(&bootstrap(&train, &mut rng)?.data, rng)
        })?;
        let (narrow, linear) = (
            |rows: &Dataset, rng| network(&[16], rows, rng),
            |rows: &Dataset, rng| network(&[], rows, rng),
        );
        let inner = StratifiedKFold { n_splits: 5 }.split_shuffled(&train.classes()?, &mut rng)?;
        let kinds: [Member<'_, Sequential>; 3] = [&wide, &narrow, &linear];
        let second_level = FitConfig { epochs: 30, patience: 0, ..FitConfig::adam(1e-2) };
        let stacking = Stacking::fit(&train, &inner, &kinds, &second_level, &mut rng)?;

        let members = deep.probabilities(&test, 256)?;
        let votes = members.iter().map(|p| most_likely(p, 3)).collect::<Result<Vec<_>, _>>()?;
        let mut found = vec![(
            "accuracy hard vote".to_owned(),
            accuracy_score(&truth, &hard_vote(&votes, 3)?)?,
        )];
        let mean = soft_vote(&members, None)?;
        for (name, probabilities) in [
            ("single", members[0].clone()),
            ("deep ensemble", mean.clone()),
            ("bagging", soft_vote(&bagging.probabilities(&test, 256)?, None)?),
            ("stacking", stacking.probabilities(&test, 256)?),
        ] {
            let classes = most_likely(&probabilities, 3)?;
            found.push((format!("accuracy {name}"), accuracy_score(&truth, &classes)?));
            found.push((
                format!("log loss {name}"),
                multiclass_log_loss(&truth, &probabilities, 3)?,
            ));
        }
        // Does it know where it errs?
        let errs: Vec<usize> =
            most_likely(&mean, 3)?.iter().zip(&truth).map(|(a, b)| usize::from(a != b)).collect();
        let unsure: Vec<f64> =
            class_uncertainty(&members, 3)?.iter().map(|u| u.predictive_entropy).collect();
        found.push(("AUROC of errors by entropy".to_owned(), roc_auc_score(&errs, &unsure)?));
        Ok::<_, Box<dyn Error>>(found)
    })?;
    println!("| | mean | against the single network |\n|---|---|---|");
    for (name, values) in &scores {
        let single = name.split(' ').next().and_then(|score| {
            scores.iter().find(|(n, _)| n.starts_with(score) && n.ends_with("single"))
        });
        let difference = match single {
            Some((_, single)) => {
                let gain = paired_difference(&values.values, &single.values, 0.95, 0.25)?;
                format!("{:+.4} [{:+.4}, {:+.4}]", gain.estimate, gain.low, gain.high)
            }
            None => "–".to_owned(),
        };
        println!("| {name} | {:.4} | {difference} |", values.mean().unwrap_or(f64::NAN));
    }
    Ok(())
}
