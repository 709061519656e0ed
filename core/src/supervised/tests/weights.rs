use super::*;
use crate::loss::Loss;

/// Scores that do not depend on the row: `[B, 2]`.
fn constant() -> Sequential {
    let mut network =
        Sequential::new(&NetworkConfig::default().linear_head(2), &[1], &mut rng()).unwrap();
    network.parameters_mut().load(&[0.0, 0.0, 2.0, 0.0]).unwrap();
    network
}

/// 64 common rows, then 54 and 10 rare ones.
fn rare_last() -> Dataset {
    let classes = [vec![0.0; 118], vec![1.0; 10]].concat();
    rows(&vec![0.0; 128], &classes)
}

fn weighted() -> Loss {
    Loss::CrossEntropy { class_weight: Some(vec![0.5, 10.0]), label_smoothing: 0.0 }
}

#[test]
fn the_loss_of_rows_held_out_does_not_depend_on_the_minibatches() {
    let (common, rare) = ((1.0 + (-2_f64).exp()).ln(), (1.0 + 2_f64.exp()).ln());
    let expected = (118.0 * 0.5 * common + 10.0 * 10.0 * rare) / (118.0 * 0.5 + 10.0 * 10.0);
    for batch_size in [7, 64, 128] {
        let trainer = Trainer::new(FitConfig { batch_size, ..config() }, rng()).unwrap();
        let loss = trainer.evaluate(&constant(), &rare_last(), &weighted()).unwrap().loss;
        assert!((loss - expected).abs() < 1e-5, "{batch_size}: {loss} {expected}");
    }
}

#[test]
fn weighted_minibatches_make_the_step_of_one_large_one() {
    let fitted = |batch_size, accumulate| {
        let config = FitConfig { epochs: 3, batch_size, accumulate, ..config() };
        let (mut network, none) = (constant(), rows(&[], &[]));
        let history = fit(&mut network, &rare_last(), &none, &config, rng(), &weighted()).unwrap();
        (network.parameters().to_vec(), history.epochs[0].train_loss)
    };
    let ((apart, apart_loss), (whole, loss)) = (fitted(16, 8), fitted(128, 1));
    assert!((apart_loss - loss).abs() < 1e-5, "{apart_loss} {loss}");
    for (apart, whole) in apart.iter().zip(whole) {
        assert!((apart - whole).abs() < 1e-5, "{apart} {whole}");
    }
}

#[test]
fn what_is_no_class_is_not_made_one() {
    let numbers = rows(&[0.0; 3], &[0.7, 1.9, -0.5]);
    for loss in [Loss::cross_entropy(), weighted()] {
        let error = fit(&mut constant(), &numbers, &rows(&[], &[]), &config(), rng(), &loss);
        let error = error.unwrap_err();
        assert!(matches!(error, FitError::Data(DataError::NotAClass { .. })), "{error}");
    }
}
