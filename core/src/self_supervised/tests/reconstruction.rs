use super::*;

#[test]
fn only_what_was_masked_counts() {
    let network = build(&NetworkConfig::default()); // what comes in goes out
    let data = Dataset::new(vec![1.0; WIDTH], WIDTH, vec![1.0; WIDTH], WIDTH).unwrap();
    let mut batch = data.batch(&[0]);
    let loss = |batch: &Batch| MaskedReconstruction.loss(&network, batch).unwrap();
    assert_eq!(loss(&batch).double_value(&[]), 0.0);
    batch.input_numbers_mut()[..2].copy_from_slice(&[-1.0, 2.0]);
    assert_eq!(loss(&batch).double_value(&[]), (4.0 + 1.0) / 2.0);
    assert_eq!(Objective::<Sequential>::weight(&MaskedReconstruction, &batch), 2.0);
    let labels = MaskedReconstruction.loss(&network, &self::data(1).batch(&[0])).unwrap_err();
    assert!(matches!(labels, FitError::Width { got: 1, .. }), "{labels}");
}

/// A mask over one view.
fn masks() -> FitConfig {
    let mask = Augmentation::FeatureMask { probability: 0.3, value: -1.0 };
    FitConfig { views: 1, epochs: 20, augmentations: vec![mask], ..config() }
}

#[test]
fn rows_held_out_are_masked_too() {
    let (train, held_out) = (reconstruction(&data(40)), reconstruction(&data(10)));
    let (train, held_out) = (train.unwrap(), held_out.unwrap());
    let decoder = encoder().linear_head(WIDTH);
    let masked =
        fit(&mut build(&decoder), &train, &held_out, &masks(), rng(), &MaskedReconstruction)
            .unwrap();
    let denoised =
        fit(&mut build(&decoder), &train, &held_out, &masks(), rng(), &Denoising).unwrap();
    for history in [masked, denoised] {
        assert!(history.best_epoch.unwrap() > 0, "{history:?}");
        assert!(history.epochs.iter().all(|epoch| epoch.validation_loss.unwrap() > 0.0));
    }
    // What returns whatever it reads is right where nothing is corrupted.
    let trainer = Trainer::new(masks(), rng()).unwrap();
    let same = build(&NetworkConfig::default());
    assert_eq!(trainer.evaluate(&same, &held_out, &Loss::Mse).unwrap().loss, 0.0);
    assert!(trainer.evaluate(&same, &held_out, &Denoising).unwrap().loss > 0.1);
}

#[test]
fn without_a_mask_there_is_nothing_to_learn() {
    let rows = reconstruction(&data(8)).unwrap();
    let bare = FitConfig { augmentations: vec![], ..masks() };
    let network = &mut build(&encoder().linear_head(WIDTH));
    let error = fit(network, &rows, &nothing(), &bare, rng(), &MaskedReconstruction).unwrap_err();
    assert!(matches!(error, FitError::NoWeight), "{error}");
}

#[test]
fn what_was_resampled_remains_so() {
    let twice = data(4).select(&[0, 1, 1]).unwrap();
    assert!(reconstruction(&twice).unwrap().is_resampled());
    assert!(!reconstruction(&data(4)).unwrap().is_resampled());
}
