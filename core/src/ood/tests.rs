use super::*;
use crate::data::Table;

fn near(got: f64, expected: f64) {
    assert!((got - expected).abs() < 1e-9, "{got}, expected {expected}");
}

#[test]
fn output_scores_by_hand() {
    // e⁰ : e^{ln 3}: ¼ and ¾.
    let outputs = [0.0, 3_f32.ln(), 5.0, 5.0];
    let scores = max_softmax_probability(&outputs, 2).unwrap();
    assert!((scores[0] - 0.75).abs() < 1e-7 && scores[1] == 0.5);
    let energy = energy_score(&outputs, 2, 1.0).unwrap();
    assert!((energy[0] - 4_f64.ln()).abs() < 1e-6);
    near(energy[1], 5.0 + 2_f64.ln());
    near(energy_score(&outputs, 2, 10.0).unwrap()[1], 5.0 + 10.0 * 2_f64.ln());
    // Where exponentials alone would overflow.
    near(energy_score(&[1000.0, 1000.0], 2, 1.0).unwrap()[0], 1000.0 + 2_f64.ln());
    assert!(max_softmax_probability(&[], 2).unwrap().is_empty());
}

#[test]
fn what_has_no_score_is_refused() {
    let count = |outputs: &[f32], classes| max_softmax_probability(outputs, classes).unwrap_err();
    assert!(matches!(
        count(&[1.0, 2.0, 3.0], 2),
        OodError::Data(DataError::Count { expected: 4, got: 3, .. })
    ));
    assert!(matches!(count(&[1.0], 0), OodError::Setting(_)));
    // The softmax of one output says 1 of every row; its energy is the output.
    assert!(matches!(count(&[1.0, -3.0], 1), OodError::Setting(_)));
    assert_eq!(energy_score(&[1.0, -3.0], 1, 1.0).unwrap(), [1.0, -3.0]);
    let error = count(&[1.0, 2.0, 3.0, f32::NAN], 2);
    assert!(matches!(error, OodError::NotFinite { row: 1, column: 1, .. }), "{error}");
    for temperature in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(energy_score(&[1.0, 2.0], 2, temperature).is_err());
    }
}

#[test]
fn detection_by_hand() {
    let found = detection_scores(&[3.0, 2.0], &[1.0, 2.5]).unwrap();
    near(found.auroc, 0.75);
    near(found.aupr_in, 0.5 + 0.5 * 2.0 / 3.0);
    near(found.aupr_out, 0.5 + 0.5 * 2.0 / 3.0);
    near(found.fpr_at_95_tpr, 0.5);
    assert!(detection_scores(&[], &[1.0]).is_err());
    assert!(detection_scores(&[1.0], &[f64::NAN]).is_err());
}

#[test]
fn a_threshold_lets_its_share_through() {
    let scores: Vec<f64> = (0..100).map(f64::from).collect();
    for (level, threshold) in [(0.95, 5.0), (1.0, 0.0), (0.001, 99.0)] {
        assert_eq!(threshold_at_tpr(&scores, level).unwrap(), threshold);
    }
    // From the top down: ⌈level · n⌉ of 0, 1, …, n − 1.
    for n in 1..=200_usize {
        let scores: Vec<f64> = (0..n).map(|score| score as f64).collect();
        for per_cent in 1..=100 {
            let threshold = threshold_at_tpr(&scores, per_cent as f64 / 100.0).unwrap();
            assert_eq!(threshold, (n - (per_cent * n).div_ceil(100)) as f64, "{per_cent} % of {n}");
        }
    }
    assert!(matches!(threshold_at_tpr(&[], 0.95), Err(OodError::Empty)));
    assert!(threshold_at_tpr(&[f64::NAN], 0.95).is_err());
    assert!(threshold_at_tpr(&scores, 0.0).is_err());
}

#[test]
fn mahalanobis_by_hand() {
    // Of one class around (0, 0): variances 1 and 4, uncorrelated.
    let features = vec![1.0, 2.0, -1.0, 2.0, 1.0, -2.0, -1.0, -2.0];
    let detector = Mahalanobis::fit(&Table::new(features, 2).unwrap(), &[7; 4], 0.0).unwrap();
    let scores = detector.scores(&Table::new(vec![0.0, 0.0, 2.0, 0.0, 0.0, 2.0], 2).unwrap());
    assert_eq!(scores.unwrap(), [0.0, -4.0, -1.0]);
}

#[test]
fn a_singular_covariance_is_an_error_or_shrunk() {
    let columns = |a: &[f32], b: &[f32]| {
        Table::new(a.iter().zip(b).flat_map(|(a, b)| [*a, *b]).collect(), 2).unwrap()
    };
    let varied = [1.0, 2.0, 4.0];
    for (table, feature) in [
        (columns(&[5.0; 3], &varied), 0),
        (columns(&varied, &[5.0; 3]), 1),
        (columns(&varied, &[2.0, 4.0, 8.0]), 1),
    ] {
        let error = Mahalanobis::fit(&table, &[0; 3], 0.0).unwrap_err();
        assert!(matches!(error, OodError::Singular { feature: f, .. } if f == feature), "{error}");
        assert!(Mahalanobis::fit(&table, &[0; 3], 0.01).is_ok());
    }
    // Nothing varies: no shrinkage helps.
    let still = columns(&[5.0; 3], &[5.0; 3]);
    let error = Mahalanobis::fit(&still, &[0; 3], 0.5).unwrap_err();
    assert!(error.to_string().contains("raise `shrinkage`, got 0.5"), "{error}");
}

#[test]
fn features_may_have_any_units() {
    // The same with the second feature in another unit: distances are the same.
    let scores = |unit: f32| {
        let rows = [-1e3, 1.0, 1e3, 1.0, 1e3, -1.0, -1e3, 3.0];
        let rows = rows.chunks(2).flat_map(|row| [row[0], row[1] * unit]).collect();
        let rows = Table::new(rows, 2).unwrap();
        Mahalanobis::fit(&rows, &[0; 4], 0.0).unwrap().scores(&rows).unwrap()
    };
    for (one, other) in scores(1.0).into_iter().zip(scores(1e-6)) {
        assert!((one - other).abs() < 1e-6, "{one} {other}");
    }
}

#[test]
fn a_detector_from_a_file_is_checked() {
    let rows = Table::new(vec![1.0, 2.0, -1.0, 2.0, 1.0, -2.0], 2).unwrap();
    let detector = Mahalanobis::fit(&rows, &[0; 3], 0.1).unwrap();
    let text = serde_json::to_string(&detector).unwrap();
    assert_eq!(serde_json::from_str::<Mahalanobis>(&text).unwrap(), detector);
    for bad in [
        r#"{"means": [0, 0], "factor": [1, 0, 0, 1], "width": 0}"#,
        r#"{"means": [0, 0, 0], "factor": [1, 0, 0, 1], "width": 2}"#,
        r#"{"means": [], "factor": [1], "width": 1}"#,
        r#"{"means": [0, 0], "factor": [1, 0, 1], "width": 2}"#,
        r#"{"means": [0, 0], "factor": [1, 0, 0, 0], "width": 2}"#,
        r#"{"means": [0], "factor": [1], "width": 18446744073709551615}"#,
    ] {
        assert!(serde_json::from_str::<Mahalanobis>(bad).is_err(), "{bad}");
    }
}

#[test]
fn features_that_do_not_fit_are_refused() {
    let table = |values: Vec<f32>, width| Table::new(values, width).unwrap();
    let fit = |values: Vec<f32>, classes: &[usize], shrinkage| {
        Mahalanobis::fit(&table(values, 1), classes, shrinkage)
    };
    assert!(matches!(fit(vec![], &[], 0.0), Err(OodError::Empty)));
    assert!(matches!(fit(vec![1.0], &[], 0.0), Err(OodError::Data(DataError::Count { .. }))));
    assert!(matches!(fit(vec![f32::NAN], &[0], 0.0), Err(OodError::NotFinite { .. })));
    assert!(matches!(fit(vec![1.0, 2.0], &[0, 0], 1.5), Err(OodError::Setting(_))));
    let detector = fit(vec![1.0, 2.0], &[0, 0], 0.0).unwrap();
    assert!(matches!(
        detector.scores(&table(vec![1.0, 2.0], 2)),
        Err(OodError::Data(DataError::Count { .. }))
    ));
    assert!(detector.scores(&table(vec![f32::INFINITY], 1)).is_err());
}

#[cfg(feature = "torch")]
mod with_torch {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;
    use tch::Tensor;

    use super::*;
    use crate::data::Dataset;
    use crate::loss::LossError;
    use crate::nn::{
        Activation, LayerConfig, Network as _, NetworkConfig, NetworkError, Sequential,
    };
    use crate::supervised::{FitConfig, FitError, Trainer, predict};

    fn network() -> Sequential {
        let config = NetworkConfig::mlp(&[8], Activation::Tanh).linear_head(2);
        Sequential::new(&config, &[2], &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
    }

    #[test]
    fn odin_leaves_gradients_alone_and_refuses_training_mode() {
        let data = Dataset::new(vec![0.5, -1.0, 2.0, 0.0], 2, vec![0.0, 1.0], 1).unwrap();
        let mut network = network();
        let still = Odin { temperature: 1.0, epsilon: 0.0 };
        let outputs = predict(&network, &data, 2).unwrap().outputs;
        let plain = max_softmax_probability(&outputs, 2).unwrap();
        assert_eq!(still.scores(&network, &data, 2).unwrap(), plain);
        let moved = Odin { temperature: 1.0, epsilon: 0.01 }.scores(&network, &data, 1).unwrap();
        assert!(moved.iter().zip(&plain).all(|(moved, plain)| moved > plain));
        assert!(network.parameters().gradients().iter().all(|&g| g == 0.0));
        network.set_training(true);
        assert!(matches!(still.scores(&network, &data, 2), Err(OodError::Training)));
        network.set_training(false);
        let wide = Dataset::new(vec![0.0; 3], 3, vec![0.0], 1).unwrap();
        assert!(matches!(still.scores(&network, &wide, 2), Err(OodError::Network(_))));
        assert!(Odin { temperature: 0.0, epsilon: 0.0 }.scores(&network, &data, 2).is_err());
        assert!(Odin { temperature: 1.0, epsilon: -1.0 }.scores(&network, &data, 2).is_err());
        // The row is that of the data, whatever its minibatch.
        network.parameters_mut().values_mut().fill(0.0);
        for (name, value) in [("encoder.0.weight", 1.0), ("head.0.weight", 2e38)] {
            let range = network.parameters().range_of(name).unwrap();
            network.parameters_mut().values_mut()[range].fill(value);
        }
        let inputs = vec![0.0, 0.0, 0.0, 0.0, 5.0, 5.0];
        let data = Dataset::new(inputs, 2, vec![0.0; 3], 1).unwrap();
        let error = still.scores(&network, &data, 2).unwrap_err();
        assert!(matches!(error, OodError::NotFinite { row: 2, column: 0, .. }), "{error}");
    }

    #[test]
    fn outlier_exposure_refuses_what_it_cannot_train() {
        let rows = Dataset::new(vec![0.0; 130], 2, vec![0.0; 65], 1).unwrap();
        let outliers = Table::new(vec![3.0, 3.0], 2).unwrap();
        let nothing = rows.select(&[]).unwrap();
        let fit = |network: &mut Sequential, exposure: OutlierExposure, data: &Dataset| {
            let config = FitConfig { epochs: 1, batch_size: 64, ..FitConfig::adam(1e-2) };
            let mut trainer = Trainer::new(config, ChaCha8Rng::seed_from_u64(0)).unwrap();
            trainer.fit(network, data, &nothing, &exposure).map(drop).unwrap_err()
        };
        // One output more than classes: outliers would be of a class.
        let exposure = OutlierExposure::new(1);
        let error = fit(&mut network(), exposure, &exposure.join(&rows, &outliers).unwrap());
        assert!(error.to_string().contains("[B, 1], one output for each class"), "{error}");
        // A minibatch of one row, which has no variance.
        let normalised = NetworkConfig {
            encoder: vec![LayerConfig::linear(4), LayerConfig::batch_norm()],
            ..NetworkConfig::default().linear_head(2)
        };
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut normalised = Sequential::new(&normalised, &[2], rng).unwrap();
        let error = fit(&mut normalised, OutlierExposure::new(2), &rows);
        assert!(matches!(error, FitError::Network(NetworkError::Rows { .. })), "{error}");
    }

    #[test]
    fn outlier_exposure_by_hand() {
        // ¼ and ¾ of the row with a class, 0; ½ and ½, then ¼ and ¾ of outliers.
        let (one, three) = (0.0, 3_f32.ln());
        let logits = Tensor::from_slice(&[one, three, one, one, one, three]).view([3, 2]);
        let class = Tensor::from_slice(&[0_i64, 2, 2]);
        let loss = |class: &Tensor, weight| outlier_exposure_loss(&logits, class, weight);
        let uneven = (4_f64.ln() + (4_f64 / 3.0).ln()) / 2.0;
        let expected = 4_f64.ln() + 0.5 * (2_f64.ln() + uneven) / 2.0;
        let got = loss(&class, 0.5).unwrap().double_value(&[]);
        assert!((got - expected).abs() < 1e-6, "{got}, expected {expected}");
        // Without outliers it is the cross-entropy, without others it is theirs.
        let got = loss(&Tensor::from_slice(&[0_i64, 0, 1]), 0.5).unwrap().double_value(&[]);
        let expected = (4_f64.ln() + 2_f64.ln() + (4_f64 / 3.0).ln()) / 3.0;
        assert!((got - expected).abs() < 1e-6, "{got}, expected {expected}");
        let got = loss(&Tensor::from_slice(&[2_i64, 2, 2]), 1.0).unwrap().double_value(&[]);
        assert!((got - (2.0 * uneven + 2_f64.ln()) / 3.0).abs() < 1e-6, "{got}");
        let error = loss(&Tensor::from_slice(&[0_i64, 3, 0]), 0.5).unwrap_err();
        assert_eq!(error, LossError::Label { got: 3, classes: 3 });
        assert!(loss(&class, -1.0).is_err());
        assert!(loss(&Tensor::from_slice(&[0_i64]), 0.5).is_err());
        assert!(loss(&Tensor::from_slice(&[0_f32, 1.0, 1.0]), 0.5).is_err());
        let error = outlier_exposure_loss(&logits.to_kind(tch::Kind::Int64), &class, 0.5);
        assert!(matches!(error, Err(LossError::Kind { what: "the prediction", .. })), "{error:?}");
    }

    #[test]
    fn who_has_seen_outliers_is_unsure_of_them() {
        // Classes left and right at the bottom, outliers above them.
        let x = |i: usize| if i.is_multiple_of(2) { -1.0 } else { 1.0 };
        let spread = |i: usize| (i as f32 * 0.37).sin() * 0.2;
        let row = |i: usize, y: f32| [x(i) + spread(i), y + spread(i + 50)];
        let inputs: Vec<f32> = (0..60).flat_map(|i| row(i, 0.0)).collect();
        let classes: Vec<f32> = (0..60).map(|i| (i % 2) as f32).collect();
        let train = Dataset::new(inputs, 2, classes, 1).unwrap();
        let outliers = Table::new((0..60).flat_map(|i| row(i, 3.0)).collect(), 2).unwrap();
        let nothing = train.select(&[]).unwrap();
        let rng = || ChaCha8Rng::seed_from_u64(0);
        let config = FitConfig { epochs: 60, batch_size: 20, patience: 0, ..FitConfig::adam(1e-2) };
        let confidence = |weight| {
            let (mut network, exposure) = (network(), OutlierExposure { classes: 2, weight });
            let joined = exposure.join(&train, &outliers).unwrap();
            assert_eq!(joined.class_counts().unwrap(), [30, 30, 60]);
            let mut trainer = Trainer::new(config.clone(), rng()).unwrap();
            trainer.fit(&mut network, &joined, &nothing, &exposure).unwrap();
            let mean = |data: &Dataset| {
                let outputs = predict(&network, data, 64).unwrap().outputs;
                max_softmax_probability(&outputs, 2).unwrap().iter().sum::<f64>() / 60.0
            };
            (mean(&train), mean(&train.with_inputs(outliers.clone()).unwrap()))
        };
        let ((inside, outside), (_, unexposed)) = (confidence(1.0), confidence(0.0));
        assert!(
            inside > 0.9 && outside < 0.6 && unexposed > 0.75,
            "{inside} {outside} {unexposed}"
        );
        assert!(OutlierExposure::new(1).join(&train, &outliers).is_err());
        let narrow = OutlierExposure::new(2).join(&train, &Table::new(vec![0.0], 1).unwrap());
        assert!(matches!(narrow, Err(OodError::Data(DataError::Count { .. }))));
    }
}
