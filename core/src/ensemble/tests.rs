use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::data::{DataError, Dataset};
use crate::model_selection::{Fold, KFold};

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(4)
}

fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-12, "{got}, expected {expected}");
}

#[test]
fn votes_are_counted_and_ties_go_to_the_lowest() {
    let votes = [vec![0, 2, 1], vec![1, 2, 0], vec![1, 0, 2]];
    assert_eq!(hard_vote(&votes, 3).unwrap(), [1, 2, 0]);
    assert!(matches!(hard_vote(&[], 3), Err(EnsembleError::NoMembers)));
    let error = hard_vote(&votes, 2).unwrap_err();
    assert!(matches!(error, EnsembleError::Class { member: 0, row: 1, class: 2, .. }), "{error}");
    assert_eq!(hard_vote(&[vec![7], vec![7]], usize::MAX).unwrap(), [7]);
    let error = hard_vote(&[vec![0], vec![]], 1).unwrap_err();
    assert!(matches!(error, EnsembleError::Length { member: 1, got: 0, .. }), "{error}");
}

#[test]
fn means_are_weighted() {
    let members = [vec![1.0, 0.0], vec![0.5, 0.5]];
    assert_eq!(soft_vote(&members, None).unwrap(), [0.75, 0.25]);
    assert_eq!(soft_vote(&members, Some(&[0.0, 4.0])).unwrap(), [0.5, 0.5]);
    for weights in [&[1.0][..], &[0.0, 0.0], &[1.0, -1.0], &[1.0, f64::NAN], &[1e308, 1e308]] {
        let error = soft_vote(&members, Some(weights)).unwrap_err();
        assert!(matches!(error, EnsembleError::Setting(_)), "{error}");
    }
    assert!(matches!(soft_vote(&[vec![f64::NAN]], None), Err(EnsembleError::Number { .. })));
    assert_eq!(most_likely(&[0.5, 0.5, 0.2, 0.8], 2).unwrap(), [0, 1]);
    assert!(most_likely(&[0.5, 0.5, 0.2], 2).is_err());
    assert!(most_likely(&[1.5, -0.5], 2).is_err());
}

#[test]
fn the_mean_of_probabilities_is_one() {
    for members in 1..=100 {
        let sure = vec![vec![1.0, 0.0]; members];
        assert_eq!(soft_vote(&sure, None).unwrap(), [1.0, 0.0], "{members} members");
        let weights: Vec<f64> = (1..=members).map(|weight| weight as f64 / 3.0).collect();
        assert_eq!(soft_vote(&sure, Some(&weights)).unwrap(), [1.0, 0.0], "{members} members");
    }
}

#[test]
fn probabilities_of_one_class_alone_are_no_rows() {
    // P(class 1) of four rows is not two rows of two classes.
    let of_class_1 = [0.1, 0.2, 0.9, 0.1];
    let error = most_likely(&of_class_1, 2).unwrap_err();
    assert!(matches!(error, EnsembleError::RowSum { member: 0, row: 0, .. }), "{error}");
    let error = class_uncertainty(&[vec![0.5, 0.5], vec![1.0, 1.0]], 2).unwrap_err();
    assert!(matches!(error, EnsembleError::RowSum { member: 1, row: 0, sum: 2.0 }), "{error}");
    assert!(most_likely(&[0.3, 0.7], 1).is_err());
    // Rounded to `f32`, they are some.
    assert_eq!(most_likely(&[0.1_f32.into(), 0.9_f32.into()], 2).unwrap(), [1]);
}

#[test]
fn uncertainty_is_of_the_data_or_of_the_members() {
    // Both sure of another class; both unsure; both sure of the same.
    let members = [vec![1.0, 0.0, 0.5, 0.5, 1.0, 0.0], vec![0.0, 1.0, 0.5, 0.5, 1.0, 0.0]];
    let found = class_uncertainty(&members, 2).unwrap();
    let ln2 = 2_f64.ln();
    for (found, (predictive, expected, mutual, disagreement)) in
        found.iter().zip([(ln2, 0.0, ln2, 0.5), (ln2, ln2, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0)])
    {
        near(found.predictive_entropy, predictive);
        near(found.expected_entropy, expected);
        near(found.mutual_information, mutual);
        near(found.disagreement, disagreement);
    }
    assert!(class_uncertainty(&members, 4).is_err());
    assert!(class_uncertainty(&[vec![1.2, -0.2]], 2).is_err());
}

#[test]
fn a_mixture_adds_disagreement_to_noise() {
    let found = mixture(&[vec![1.0, 0.0], vec![3.0, 0.0]], &[vec![0.5, 1.0], vec![1.5, 3.0]]);
    let found = found.unwrap();
    assert_eq!(found[0], Mixture { mean: 2.0, noise: 1.0, disagreement: 1.0 });
    // The paper's form: ½ (0.5 + 1 + 1.5 + 9) − 4.
    assert_eq!((found[0].variance(), found[1].variance()), (2.0, 2.0));
    assert!(mixture(&[vec![1.0]], &[vec![-1.0]]).is_err());
    let error = |means: [usize; 2], variances: [usize; 2]| {
        let numbers = |[members, rows]: [usize; 2]| vec![vec![1.0; rows]; members];
        mixture(&numbers(means), &numbers(variances)).unwrap_err().to_string()
    };
    assert_eq!(error([1, 1], [1, 2]), "member 0 has 2 variances, expected 1");
    let members = "the number of members with variances must be that of the members with means";
    assert_eq!(error([2, 3], [3, 2]), format!("{members}, got 3"));
    assert!(mixture(&[vec![f64::NAN]], &[vec![1.0]]).is_err());
}

#[test]
fn a_bootstrap_draws_with_replacement_and_is_not_split() {
    let rows: Vec<f32> = (0..1000).map(|row| row as f32).collect();
    let data = Dataset::new(rows.clone(), 1, rows, 1).unwrap();
    let sample = bootstrap(&data, &mut rng()).unwrap();
    assert_eq!(sample.data.len(), 1000);
    let share = sample.out_of_bag.len() as f64 / 1000.0;
    assert!((share - (-1_f64).exp()).abs() < 0.04, "{share}");
    let mut drawn: Vec<usize> = sample.data.classes().unwrap();
    drawn.extend(&sample.out_of_bag);
    drawn.sort_unstable();
    drawn.dedup();
    assert_eq!(drawn.len(), 1000);
    let error = sample.data.split(0.5, &mut rng()).unwrap_err();
    assert!(matches!(error, DataError::Resampled { .. }), "{error}");
    let empty = data.select(&[]).unwrap();
    assert!(matches!(bootstrap(&empty, &mut rng()), Err(DataError::TooFewRows { .. })));
}

#[test]
fn out_of_fold_predictions_stand_at_their_rows() {
    let folds = KFold { n_splits: 3 }.split_shuffled(7, &mut rng()).unwrap();
    let echo = |fold: &Fold| {
        let of_row = |&row: &usize| [row as f64, -(row as f64)];
        Ok::<_, EnsembleError>(fold.test.iter().flat_map(of_row).collect())
    };
    let all = out_of_fold(&folds, 7, 2, echo).unwrap();
    assert!(all.chunks(2).enumerate().all(|(row, pair)| pair == [row as f64, -(row as f64)]));
}

#[test]
fn folds_that_leak_are_refused() {
    let fold = |train: &[usize], test: &[usize]| Fold { train: train.into(), test: test.into() };
    let run = |folds: &[Fold]| {
        out_of_fold(folds, 2, 1, |fold| Ok::<_, EnsembleError>(vec![0.0; fold.test.len()]))
    };
    assert!(run(&[fold(&[1], &[0]), fold(&[0], &[1])]).is_ok());
    let error = run(&[fold(&[0, 1], &[0]), fold(&[0], &[1])]).unwrap_err();
    assert!(matches!(error, EnsembleError::Folds { row: 0, tested: 1, leaks: 1 }), "{error}");
    let error = run(&[fold(&[1], &[0])]).unwrap_err();
    assert!(matches!(error, EnsembleError::Folds { row: 1, tested: 0, leaks: 0 }), "{error}");
    let error = run(&[fold(&[1], &[0]), fold(&[], &[0, 1])]).unwrap_err();
    assert!(matches!(error, EnsembleError::Folds { row: 0, tested: 2, .. }), "{error}");
    assert!(matches!(run(&[fold(&[0], &[9])]), Err(EnsembleError::Data(_))));
    let folds = [fold(&[1], &[0]), fold(&[0], &[1])];
    let none = |_: &Fold| Ok::<_, EnsembleError>(vec![]);
    for rows in [3, 1 << 40, usize::MAX] {
        let error = out_of_fold(&folds, rows, 1, none).unwrap_err();
        assert!(matches!(error, EnsembleError::Folds { row: 2, tested: 0, leaks: 0 }), "{error}");
    }
    let error = out_of_fold(&folds, 2, usize::MAX, none).unwrap_err();
    assert!(matches!(error, EnsembleError::Setting(_)), "{error}");
    let short = out_of_fold(&folds, 2, 1, |_| Ok::<_, EnsembleError>(vec![]));
    assert!(matches!(short, Err(EnsembleError::Length { member: 0, got: 0, .. })));
}

#[cfg(feature = "torch")]
mod with_torch {
    use super::*;
    use crate::loss::Loss;
    use crate::nn::{Activation, Network as _, NetworkConfig, Sequential};
    use crate::supervised::{FitConfig, fit};

    /// Two classes, left and right of 0.
    fn sides() -> Dataset {
        let inputs: Vec<f32> = (0..40).map(|i| (i as f32 - 19.5) / 10.0).collect();
        let classes = inputs.iter().map(|&x| f32::from(u8::from(x > 0.0))).collect();
        Dataset::new(inputs, 1, classes, 1).unwrap()
    }

    fn linear(
        rows: &Dataset,
        outputs: usize,
        loss: &Loss,
        mut rng: ChaCha8Rng,
    ) -> Result<Sequential, EnsembleError> {
        let config = NetworkConfig::mlp(&[], Activation::Identity).linear_head(outputs);
        let mut network = Sequential::new(&config, &[1], &mut rng)?;
        let settings =
            FitConfig { epochs: 30, batch_size: 8, patience: 0, ..FitConfig::adam(0.05) };
        fit(&mut network, rows, &rows.select(&[])?, &settings, rng, loss)?;
        Ok(network)
    }

    #[test]
    fn members_have_streams_of_their_own_and_the_same_seed_makes_the_same() {
        let data = sides();
        let train = || {
            Ensemble::train(3, &mut rng(), |_, rng| linear(&data, 2, &Loss::cross_entropy(), rng))
                .unwrap()
        };
        let (first, again) = (train(), train());
        let weights = |ensemble: &Ensemble<Sequential>| -> Vec<Vec<f32>> {
            ensemble.members.iter().map(|member| member.parameters().to_vec()).collect()
        };
        assert_eq!(weights(&first), weights(&again));
        assert_ne!(weights(&first)[0], weights(&first)[1]);
        let mean = soft_vote(&first.probabilities(&data, 16).unwrap(), None).unwrap();
        assert_eq!(most_likely(&mean, 2).unwrap(), data.classes().unwrap());
        let nobody = Ensemble::<Sequential>::train(0, &mut rng(), |_, rng| {
            linear(&data, 2, &Loss::cross_entropy(), rng)
        });
        assert!(matches!(nobody, Err(EnsembleError::Setting(_))));
        let mut ensemble = Ensemble { members: Vec::new() };
        let failed = ensemble.extend(3, &mut rng(), |member, rng| match member {
            2 => Err(EnsembleError::NoMembers),
            _ => linear(&data, 2, &Loss::cross_entropy(), rng),
        });
        assert!(matches!(failed, Err(EnsembleError::NoMembers)));
        assert_eq!(weights(&ensemble), weights(&first)[..2]);
        assert!(matches!(
            Ensemble::<Sequential> { members: vec![] }.mixture(&data, 8),
            Err(EnsembleError::NoMembers)
        ));
    }

    #[test]
    fn a_mixture_of_networks_reads_means_and_log_variances() {
        let data = sides();
        let mut ensemble = Ensemble::train(2, &mut rng(), |_, rng| {
            linear(&data, 2, &Loss::GaussianNll { eps: 1e-6 }, rng)
        })
        .unwrap();
        // Weights [2], then biases [2]: the means 1 and 3, the variances 2 and 4.
        for (member, (mean, variance)) in
            ensemble.members.iter_mut().zip([(1.0, 2_f32), (3.0, 4.0)])
        {
            member.parameters_mut().load(&[0.0, 0.0, mean, variance.ln()]).unwrap();
        }
        let found = ensemble.mixture(&data.select(&[0]).unwrap(), 8).unwrap();
        assert!((found[0].mean - 2.0).abs() < 1e-6 && (found[0].noise - 3.0).abs() < 1e-6);
        assert!((found[0].disagreement - 1.0).abs() < 1e-6);
        let odd = Ensemble { members: vec![linear(&data, 1, &Loss::Mse, rng()).unwrap()] };
        assert!(matches!(odd.mixture(&data, 8), Err(EnsembleError::Length { got: 1, .. })));
    }

    #[test]
    fn stacking_trusts_the_member_that_knows() {
        let data = sides();
        let knows = |rows: &Dataset, rng| linear(rows, 2, &Loss::cross_entropy(), rng);
        // Learns of classes that have nothing to do with the rows.
        let guesses = |rows: &Dataset, rng| {
            let classes: Vec<f32> = (0..rows.len()).map(|row| (row / 2 % 2) as f32).collect();
            let rows = Dataset::new(rows.inputs().to_vec(), 1, classes, 1)?;
            linear(&rows, 2, &Loss::cross_entropy(), rng)
        };
        let folds = KFold { n_splits: 4 }.split_shuffled(40, &mut rng()).unwrap();
        let settings =
            FitConfig { epochs: 60, batch_size: 8, patience: 0, ..FitConfig::adam(0.05) };
        let members: [Member<'_, Sequential>; 2] = [&guesses, &knows];
        let stacking = Stacking::fit(&data, &folds, &members, &settings, &mut rng()).unwrap();
        let found = stacking.probabilities(&data, 16).unwrap();
        assert_eq!(most_likely(&found, 2).unwrap(), data.classes().unwrap());
        assert!(stacking.probabilities(&data.select(&[]).unwrap(), 16).unwrap().is_empty());
        let nobody = Stacking::<Sequential>::fit(&data, &folds, &[], &settings, &mut rng());
        assert!(matches!(nobody, Err(EnsembleError::NoMembers)));
        // Each learns of a fold from the others alone, and of all rows in the end.
        let seen = std::cell::RefCell::new(Vec::new());
        let watched = |rows: &Dataset, rng| {
            seen.borrow_mut().push(rows.inputs().to_vec());
            knows(rows, rng)
        };
        Stacking::<Sequential>::fit(&data, &folds, &[&watched], &settings, &mut rng()).unwrap();
        let rows = |of: &[usize]| data.select(of).unwrap().inputs().to_vec();
        let mut expected: Vec<_> = folds.clone().map(|fold| rows(&fold.train)).collect();
        expected.push(data.inputs().to_vec());
        assert_eq!(seen.into_inner(), expected);
        let twice = bootstrap(&data, &mut rng()).unwrap().data;
        let error = Stacking::fit(&twice, &folds, &members, &settings, &mut rng()).unwrap_err();
        assert!(matches!(error, EnsembleError::Data(DataError::Resampled { .. })), "{error}");
    }
}
