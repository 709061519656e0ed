//! What balances classes does what imbalanced-learn and scikit-learn do, held against what
//! `reference/imbalance.py` recorded.

use std::collections::{BTreeMap, BTreeSet};

use gymnast_core::data::Dataset;
use gymnast_core::imbalance::{
    ClassWeight, CostMatrix, Criterion, Origin, Resampler, tomek_links, tune_threshold,
};
use gymnast_core::metrics::{
    Average, ZeroDivision, balanced_accuracy_score, confusion_matrix, fbeta_score,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    tomek: Vec<Tomek>,
    border: Border,
    weights: Vec<Weights>,
    thresholds: Vec<Thresholds>,
}

#[derive(Deserialize)]
struct Tomek {
    inputs: Vec<f32>,
    width: usize,
    classes: Vec<f32>,
    links: Vec<(usize, usize)>,
    kept: Vec<usize>,
}

#[derive(Deserialize)]
struct Border {
    inputs: Vec<f32>,
    classes: Vec<f32>,
    border: BTreeSet<usize>,
    neighbors: BTreeMap<usize, Vec<usize>>,
}

#[derive(Deserialize)]
struct Weights {
    counts: Vec<usize>,
    balanced: Vec<f32>,
    effective: Vec<Effective>,
}

#[derive(Deserialize)]
struct Effective {
    beta: f64,
    weights: Vec<f32>,
}

#[derive(Deserialize)]
struct Thresholds {
    truth: Vec<usize>,
    scores: Vec<f64>,
    f1: f64,
    f2: f64,
    balanced_accuracy: f64,
    costs: Vec<f64>,
    cost: f64,
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("reference/imbalance.json")).expect("the script wrote it")
}

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(7)
}

fn assert_near(got: &[f32], expected: &[f32]) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= 1e-5 * expected.abs(), "{got}, expected {expected}");
    }
}

#[test]
fn tomek_links_are_imbalanced_learns() {
    for case in reference().tomek {
        let data = Dataset::new(case.inputs, case.width, case.classes, 1).unwrap();
        assert_eq!(tomek_links(&data).unwrap(), case.links);
        let cleaned = Resampler::TomekLinks.fit_resample(&data, &mut rng()).unwrap();
        let kept: Vec<Origin> = case.kept.into_iter().map(Origin::Row).collect();
        assert_eq!(cleaned.origins, kept);
    }
}

#[test]
fn synthetic_rows_lie_between_a_row_and_one_of_its_nearest() {
    let Border { inputs, classes, border, neighbors } = reference().border;
    let data = Dataset::new(inputs, 2, classes, 1).unwrap();
    let everyone: BTreeSet<usize> = neighbors.keys().copied().collect();
    for (resampler, bases) in
        [(Resampler::smote(), &everyone), (Resampler::borderline_smote(), &border)]
    {
        let more = resampler.fit_resample(&data, &mut rng()).unwrap();
        assert_eq!(more.data.class_counts().unwrap(), [60, 60]);
        assert!((0..80).all(|row| more.origins[row] == Origin::Row(row)));
        let mut begun_from = BTreeMap::<usize, usize>::new();
        for (new, origin) in more.origins.iter().enumerate().skip(80) {
            let Origin::Between { row, neighbor, share } = *origin else { panic!("{origin:?}") };
            assert!(neighbors[&row].contains(&neighbor), "{row} {neighbor}");
            assert!((0.0..1.0).contains(&share));
            assert_eq!(more.data.targets()[new], 1.0);
            let place = |row| data.input_table().row(row).unwrap();
            let (from, to) = (place(row), place(neighbor));
            for (column, x) in more.data.input_table().row(new).unwrap().iter().enumerate() {
                let expected = from[column] + share * (to[column] - from[column]);
                assert!((x - expected).abs() < 1e-6);
            }
            *begun_from.entry(row).or_default() += 1;
        }
        // Every row that may begin one does, as often as any other, to within one.
        assert_eq!(&begun_from.keys().copied().collect::<BTreeSet<_>>(), bases);
        let (least, most) = (begun_from.values().min(), begun_from.values().max());
        assert!(most.unwrap() - least.unwrap() <= 1);
    }
}

#[test]
fn class_weights_are_scikit_learns_and_the_papers() {
    for Weights { counts, balanced, effective } in reference().weights {
        let weights = |weight: ClassWeight| weight.weights(&counts).unwrap().unwrap();
        assert_near(&weights(ClassWeight::Balanced), &balanced);
        for Effective { beta, weights: expected } in effective {
            assert_near(&weights(ClassWeight::EffectiveNumber { beta }), &expected);
        }
    }
}

#[test]
fn tuned_thresholds_are_as_good_as_any() {
    for case in reference().thresholds {
        let (truth, costs) = (case.truth, CostMatrix::new(case.costs, 2).unwrap());
        for (criterion, expected) in [
            (Criterion::F1, case.f1),
            (Criterion::FBeta(2.0), case.f2),
            (Criterion::BalancedAccuracy, case.balanced_accuracy),
            (Criterion::Cost(costs.clone()), case.cost),
        ] {
            let tuned = tune_threshold(&truth, &case.scores, &criterion).unwrap();
            // What the threshold does, scored by another way, is what it was chosen for.
            let found = tuned.predict(&case.scores).unwrap();
            let f_beta = |beta| {
                let (rare, zero) = (Average::Class(1), ZeroDivision::Zero);
                fbeta_score(&truth, &found, beta, rare, zero).unwrap()
            };
            let done = match criterion {
                Criterion::F1 => f_beta(1.0),
                Criterion::FBeta(beta) => f_beta(beta),
                Criterion::BalancedAccuracy => balanced_accuracy_score(&truth, &found).unwrap(),
                Criterion::Cost(_) => {
                    costs.mean_cost(&confusion_matrix(&truth, &found, 2).unwrap()).unwrap()
                }
            };
            for got in [tuned.value, done] {
                assert!((got - expected).abs() < 1e-12, "{criterion:?}: {got}, not {expected}");
            }
        }
    }
}
