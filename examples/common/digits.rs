//! Digits split into training, validation and test rows, for the examples that compare trainings on
//! them.

use std::error::Error;

use gymnast::core::{
    data::{Dataset, Split, SplitConfig, Stratify, load_digits, train_validation_test_split},
    metrics::accuracy_score,
    nn::Network,
    supervised::predict,
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// The digits with pixels from 0 to 1, split 6 : 2 : 2 for this seed, what is held out rounded up.
pub(crate) fn split_digits(seed: u64) -> Result<Split, Box<dyn Error>> {
    let digits = load_digits();
    let pixels = digits.inputs().iter().map(|pixel| pixel / 16.0).collect();
    let digits = Dataset::new(pixels, 64, digits.targets().to_vec(), 1)?;
    let config =
        SplitConfig { train: 1077.0, validation: 360.0, test: 360.0, stratify: Stratify::Classes };
    Ok(train_validation_test_split(&digits, &config, &mut ChaCha8Rng::seed_from_u64(seed))?)
}

/// The share of rows, in per cent, whose class a network finds.
pub(crate) fn accuracy<N: Network>(network: &N, data: &Dataset) -> Result<f64, Box<dyn Error>> {
    let found = predict(network, data, 256)?.classes()?;
    Ok(100.0 * accuracy_score(&data.classes()?, &found)?)
}
