//! Loads weights by name from one network into another.

use crate::nn::{NamedParameter, Network, NetworkError};

/// The report on each parameter and buffer, as from PyTorch's `load_state_dict(strict=False)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LoadReport {
    /// Loaded.
    pub matched: Vec<String>,
    /// Only in the network: unchanged.
    pub missing: Vec<String>,
    /// Only in the source: not loaded.
    pub unexpected: Vec<String>,
    /// In both, with different shapes: unchanged. The name, the network's shape, the source's
    /// shape.
    pub mismatched: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl LoadReport {
    /// Returns whether everything was loaded and nothing was left over, as PyTorch's `strict=True`
    /// requires. False if nothing was loaded, as after a misspelled name.
    pub fn is_complete(&self) -> bool {
        !self.matched.is_empty()
            && self.missing.is_empty()
            && self.unexpected.is_empty()
            && self.mismatched.is_empty()
    }
}

/// Loads, by name, the parameters and running statistics of `source` that have the same shape in
/// `network`, among those whose names are `chosen`. Everything else is unchanged.
///
/// ```
/// use gymnast_core::nn::{Activation, NetworkConfig, Sequential};
/// use gymnast_core::transfer::load_matching;
/// use rand::SeedableRng;
///
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let encoder = NetworkConfig::mlp(&[16], Activation::Relu);
/// let digits = Sequential::new(&encoder.clone().linear_head(10), &[64], &mut rng)?;
/// let mut letters = Sequential::new(&encoder.linear_head(26), &[64], &mut rng)?;
/// let report = load_matching(&mut letters, &digits, |_| true)?;
/// assert_eq!(report.matched, ["encoder.0.weight", "encoder.0.bias"]);
/// assert_eq!(report.mismatched[0], ("head.0.weight".to_owned(), vec![16, 26], vec![16, 10]));
/// # Ok::<(), gymnast_core::nn::NetworkError>(())
/// ```
///
/// # Errors
/// If the network rejects its buffers.
pub fn load_matching<N: Network + ?Sized, M: Network + ?Sized>(
    network: &mut N,
    source: &M,
    chosen: impl Fn(&str) -> bool,
) -> Result<LoadReport, NetworkError> {
    let mut report = LoadReport::default();
    let (to, from) = (network.named_parameters(), source.named_parameters());
    let values = network.parameters_mut().values_mut();
    take(values, &to, source.parameters().values(), &from, &chosen, &mut report);
    let (to, from) = (network.named_buffers(), source.named_buffers());
    let mut buffers = network.buffers();
    take(&mut buffers.numbers, &to, &source.buffers().numbers, &from, &chosen, &mut report);
    network.load_buffers(&buffers)?;
    Ok(report)
}

fn take(
    values: &mut [f32],
    to: &[NamedParameter],
    source: &[f32],
    from: &[NamedParameter],
    chosen: &impl Fn(&str) -> bool,
    report: &mut LoadReport,
) {
    let named = |parameters: &[NamedParameter], name: &str| {
        parameters.iter().find(|parameter| parameter.name == name).cloned()
    };
    for NamedParameter { name, shape, range } in to.iter().filter(|to| chosen(&to.name)) {
        match named(from, name) {
            None => report.missing.push(name.clone()),
            Some(found) if found.shape != *shape => {
                report.mismatched.push((name.clone(), shape.clone(), found.shape));
            }
            Some(found) => {
                values[range.clone()].copy_from_slice(&source[found.range]);
                report.matched.push(name.clone());
            }
        }
    }
    let left = from.iter().filter(|from| chosen(&from.name) && named(to, &from.name).is_none());
    report.unexpected.extend(left.map(|from| from.name.clone()));
}
