//! Differences of paired values with their 95 % intervals, for the tables of examples.

use std::error::Error;

use super::intervals::mean_interval;

/// The mean of what `values` have more than `others`, seed by seed, with its 95 % interval.
pub(crate) fn mean_difference(values: &[f64], others: &[f64]) -> Result<String, Box<dyn Error>> {
    let differences: Vec<f64> = values.iter().zip(others).map(|(a, b)| a - b).collect();
    mean_interval(&differences)
}
