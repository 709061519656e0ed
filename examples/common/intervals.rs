//! Means over seeds with their 95 % intervals by the bootstrap, for the tables of examples.

use std::error::Error;

use gymnast::core::statistics::{Bootstrap, mean};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// The mean and its 95 % interval.
pub(crate) fn mean_interval(values: &[f64]) -> Result<String, Box<dyn Error>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    let interval = Bootstrap::default().interval(values, mean, rng)?;
    Ok(format!("{:.2} [{:.2}, {:.2}]", interval.estimate, interval.low, interval.high))
}
