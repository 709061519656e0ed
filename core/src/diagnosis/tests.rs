use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

use super::*;
use crate::SettingError;
use crate::data::{DataError, Dataset};
use crate::plot::Picture as _;
use crate::supervised::Epoch;

fn history(losses: impl IntoIterator<Item = (f64, f64)>) -> History {
    let epochs: Vec<Epoch> = losses
        .into_iter()
        .map(|(train_loss, held_out)| Epoch {
            train_loss,
            validation_loss: Some(held_out),
            ..Epoch::default()
        })
        .collect();
    let best = (0..epochs.len()).min_by(|&a, &b| epochs[a].loss().total_cmp(&epochs[b].loss()));
    History { epochs, best_epoch: best, stopped_early: false }
}

fn fitting(history: &History) -> Fitting {
    diagnose(history, 1.0, &Thresholds::default()).unwrap().fitting
}

#[test]
fn each_shape_of_the_curves_has_its_name() {
    let epochs = || (1..=50).map(f64::from);
    let flat = history(epochs().map(|_| (0.9, 0.92)));
    assert_eq!(fitting(&flat), Fitting::Underfitting);
    let falling = history(epochs().map(|i| (1.0 - 0.005 * i, 1.01 - 0.005 * i)));
    assert_eq!(fitting(&falling), Fitting::Unfinished);
    let gap = history(epochs().map(|i| (0.5 / i, 0.3 + 0.2 / i)));
    assert_eq!(fitting(&gap), Fitting::Overfitting);
    let turned = history(epochs().map(|i| (0.1 / i, 0.05 + 0.001 * (i - 10.0).abs())));
    let found = diagnose(&turned, 1.0, &Thresholds::default()).unwrap();
    assert_eq!(found.fitting, Fitting::Overfitting);
    assert!(found.to_string().contains("after epoch 10"), "{found}");
    let good = history(epochs().map(|i| (0.05 + 0.5 / (i * i), 0.06 + 0.5 / (i * i))));
    assert_eq!(fitting(&good), Fitting::Good);
}

#[test]
fn losses_of_any_size_are_told_in_a_line() {
    let found = diagnose(&history([(1e300, 2e300)]), 1e300, &Thresholds::default()).unwrap();
    assert_eq!(
        found.reasons,
        ["the training loss, 1.0000e300, is 100 % of the 1.0000e300 that a constant reaches"]
    );
}

#[test]
fn a_diagnosis_needs_losses_and_a_baseline() {
    let thresholds = Thresholds::default();
    assert!(matches!(diagnose(&history([]), 1.0, &thresholds), Err(FitError::Empty)));
    let one = history([(0.1, 0.1)]);
    assert!(diagnose(&one, 0.0, &thresholds).is_err());
    assert!(diagnose(&one, f64::NAN, &thresholds).is_err());
    let mut nothing_held_out = one;
    nothing_held_out.epochs[0].validation_loss = None;
    assert!(matches!(diagnose(&nothing_held_out, 1.0, &thresholds), Err(FitError::Empty)));
}

#[test]
fn losses_that_are_no_numbers_are_no_good_fit() {
    let thresholds = Thresholds::default();
    for losses in [[(0.1, 0.1), (f64::NAN, f64::NAN)], [(0.1, f64::INFINITY), (0.1, 0.1)]] {
        let error = diagnose(&history(losses), 1.0, &thresholds).unwrap_err();
        assert!(matches!(error, FitError::NotFinite { .. }), "{error}");
    }
    let good = history([(0.1, 0.1)]);
    let nan = Thresholds { gap_share: f64::NAN, ..thresholds };
    let error = diagnose(&good, 1.0, &nan).unwrap_err();
    assert!(matches!(error, FitError::Setting(SettingError { key: "gap_share", .. })), "{error}");
    let beyond = History { best_epoch: Some(7), ..good };
    let error = diagnose(&beyond, 1.0, &thresholds).unwrap_err();
    assert!(matches!(error, FitError::Setting(SettingError { key: "best_epoch", .. })), "{error}");
}

#[test]
fn a_negative_loss_rises_by_a_share_of_its_size() {
    // A likelihood's: from −1 to −0.99 is a rise of one percent.
    let likelihood = history([(-0.99, -1.0), (-1.0, -0.99)]);
    assert_eq!(fitting(&likelihood), Fitting::Good);
    let risen = history([(-0.99, -1.0), (-1.0, -0.5)]);
    assert_eq!(fitting(&risen), Fitting::Overfitting);
}

/// `y = x²` and noise of standard deviation 0.5, x evenly over [−1, 1].
fn noisy_parabola(n: usize, rng: &mut ChaCha8Rng) -> (Dataset, Vec<f32>) {
    let inputs: Vec<f32> = (0..n).map(|i| 2.0 * i as f32 / (n - 1) as f32 - 1.0).collect();
    let truth: Vec<f32> = inputs.iter().map(|x| x * x).collect();
    let noisy = truth.iter().map(|y| y + 0.5 * rng.sample::<f32, _>(StandardNormal)).collect();
    (Dataset::new(inputs, 1, noisy, 1).unwrap(), truth)
}

#[test]
fn the_parts_of_the_error_sum_to_it() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (train, _) = noisy_parabola(40, rng);
    let (test, truth) = noisy_parabola(4_000, rng);
    let problem = Problem { train: &train, test: &test, truth: &truth, noise_variance: 0.25 };
    // The mean of the targets: by hand, its bias² is the variance of x² on [−1, 1], 4/45, and how far
    // the mean of these 40 is from 1/3; its variance is that of a mean of 40, about 0.34 / 40.
    let parts = bias_variance(&problem, 400, rng, |sample, _| {
        assert!(sample.is_resampled());
        let mean = sample.targets().iter().sum::<f32>() / sample.len() as f32;
        Ok::<_, DataError>(vec![mean; test.len()])
    })
    .unwrap();
    let mean = train.targets().iter().sum::<f32>() / 40.0;
    let bias = 4.0 / 45.0 + f64::from(mean - 1.0 / 3.0).powi(2);
    assert!((parts.bias_squared - bias).abs() < 0.003, "{parts:?} {bias}");
    assert!((0.005..0.012).contains(&parts.variance), "{parts:?}");
    assert!((parts.expected() - parts.measured).abs() < 0.02, "{parts:?}");

    // The nearest neighbour: next to no bias, its variance is that of the noise or more.
    let nearest = bias_variance(&problem, 100, rng, |sample, _| {
        let nearest = |x: &f32| {
            let rows = sample.inputs().iter().zip(sample.targets());
            let (_, y) = rows.min_by(|a, b| (a.0 - x).abs().total_cmp(&(b.0 - x).abs())).unwrap();
            *y
        };
        Ok::<_, DataError>(test.inputs().iter().map(nearest).collect())
    })
    .unwrap();
    assert!(nearest.variance > 5.0 * parts.variance, "{nearest:?}");
    assert!((nearest.expected() - nearest.measured).abs() < 0.03, "{nearest:?}");
}

#[test]
fn a_decomposition_of_nothing_is_an_error() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (data, truth) = noisy_parabola(4, rng);
    let good = Problem { train: &data, test: &data, truth: &truth, noise_variance: 0.25 };
    let mut run = |problem: Problem<'_>, rounds, predictions: usize| {
        bias_variance(&problem, rounds, rng, |_, _| Ok::<_, DataError>(vec![0.0; predictions]))
    };
    assert!(run(good, 2, 4).is_ok());
    assert!(run(good, 1, 4).is_err());
    assert!(run(good, 2, 3).is_err());
    assert!(run(Problem { truth: &truth[..3], ..good }, 2, 4).is_err());
    assert!(run(Problem { noise_variance: -1.0, ..good }, 2, 4).is_err());
    let nan = [0.0, f32::NAN, 0.0, 0.0];
    let error = run(Problem { truth: &nan, ..good }, 2, 4).unwrap_err().to_string();
    assert!(error.contains("row 1, column 0 of the true values holds NaN"), "{error}");
    for bad in [f32::NAN, f32::INFINITY] {
        let predict =
            |_: &Dataset, round| Ok::<_, DataError>(vec![if round == 1 { bad } else { 0.0 }; 4]);
        let error = bias_variance(&good, 3, rng, predict).unwrap_err();
        assert!(
            matches!(error, DataError::NotFinite { part: "predictions", row: 0, .. }),
            "{error}"
        );
    }
}

#[test]
fn the_variance_of_predictions_that_hardly_differ_is_no_rounding_error() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let test = Dataset::new(vec![0.0], 1, vec![0.0], 1).unwrap();
    let problem = Problem { train: &test, test: &test, truth: &[0.0], noise_variance: 0.0 };
    // 1 and 1 + 2⁻²³ by turns: far from the truth, near to each other.
    let near = [1.0, 1.0 + f32::EPSILON];
    let parts =
        bias_variance(&problem, 1000, rng, |_, round| Ok::<_, DataError>(vec![near[round % 2]]))
            .unwrap();
    let expected = (f64::from(f32::EPSILON) / 2.0).powi(2);
    assert!((parts.variance / expected - 1.0).abs() < 1e-6, "{parts:?}");
}

#[test]
fn a_learning_curve_trains_with_growing_parts_of_the_same_rows() {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (data, _) = noisy_parabola(10, rng);
    let mut last: Vec<f32> = Vec::new();
    let curve = learning_curve(&data, &[2, 5, 10], 3, rng, |rows, _| {
        if rows.len() > 2 {
            assert_eq!(rows.inputs()[..last.len()], last);
        }
        last = rows.inputs().to_vec();
        Ok::<_, DataError>((1.0, rows.len() as f64))
    })
    .unwrap();
    assert_eq!(curve.sizes[1], SizeScores { rows: 5, train: vec![1.0; 3], test: vec![5.0; 3] });
    assert!(curve.plot("accuracy").unwrap().to_svg().unwrap().contains("training rows"));
    for sizes in [&[][..], &[0], &[3, 3], &[11]] {
        let run = learning_curve(&data, sizes, 1, rng, |_, _| Ok::<_, DataError>((0.0, 0.0)));
        assert!(run.is_err(), "{sizes:?}");
    }
}
