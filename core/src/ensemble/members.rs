//! Ensembles of independently trained networks.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{EnsembleError, Mixture, mixture};
use crate::data::Dataset;
use crate::nn::Network;
use crate::require;
use crate::supervised::predict;

/// Networks trained independently, whose predictions are combined.
///
/// ```
/// use gymnast_core::data::Dataset;
/// use gymnast_core::ensemble::{Ensemble, EnsembleError, bootstrap, soft_vote};
/// use gymnast_core::loss::Loss;
/// use gymnast_core::nn::{Activation, NetworkConfig, Sequential};
/// use gymnast_core::supervised::{FitConfig, fit};
/// use rand::SeedableRng;
///
/// let data = Dataset::new(vec![-2.0, -1.0, 1.0, 2.0], 1, vec![0.0, 0.0, 1.0, 1.0], 1)?;
/// let (nothing, settings) = (data.select(&[])?, FitConfig { epochs: 3, ..FitConfig::adam(0.1) });
/// let linear = NetworkConfig::mlp(&[], Activation::Identity).linear_head(2);
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let bagging = Ensemble::train(5, &mut rng, |_, mut rng| {
///     let rows = bootstrap(&data, &mut rng)?.data; // without: a deep ensemble
///     let mut network = Sequential::new(&linear, &[1], &mut rng)?;
///     fit(&mut network, &rows, &nothing, &settings, rng, &Loss::cross_entropy())?;
///     Ok::<_, EnsembleError>(network)
/// })?;
/// let probabilities = soft_vote(&bagging.probabilities(&data, 64)?, None)?; // [4, 2]
/// assert_eq!((bagging.members.len(), probabilities.len()), (5, 8));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Ensemble<N> {
    /// The networks, in evaluation mode, with equal numbers of outputs.
    pub members: Vec<N>,
}

impl<N: Network> Ensemble<N> {
    /// Trains `members` networks, each with its own random stream: `train` gets the member's
    /// number, from 0, and the stream, and chooses its training rows.
    ///
    /// An error in one member discards the others; [`extend`](Self::extend) keeps them.
    ///
    /// # Errors
    /// [`EnsembleError::Setting`] if `members` is 0; the errors of `train`.
    pub fn train<E: From<EnsembleError>>(
        members: usize,
        rng: &mut ChaCha8Rng,
        train: impl FnMut(usize, ChaCha8Rng) -> Result<N, E>,
    ) -> Result<Self, E> {
        let mut ensemble = Self { members: Vec::new() };
        ensemble.extend(members, rng, train)?;
        Ok(ensemble)
    }

    /// Trains members until the ensemble has `members`, like [`train`](Self::train). On an error
    /// the trained members are kept; the next call continues with the failed one, on a new stream.
    ///
    /// # Errors
    /// As [`train`](Self::train).
    pub fn extend<E: From<EnsembleError>>(
        &mut self,
        members: usize,
        rng: &mut ChaCha8Rng,
        mut train: impl FnMut(usize, ChaCha8Rng) -> Result<N, E>,
    ) -> Result<(), E> {
        require(members > 0, "members", members as f64, "at least 1")
            .map_err(EnsembleError::from)?;
        for member in self.members.len()..members {
            self.members.push(train(member, ChaCha8Rng::from_rng(rng))?);
        }
        Ok(())
    }

    /// Returns the softmax of each member's outputs, `[N, C]` for each. `batch_size` rows are
    /// processed at a time.
    ///
    /// # Errors
    /// [`EnsembleError::Fit`] if the rows have another width.
    pub fn probabilities(
        &self,
        data: &Dataset,
        batch_size: usize,
    ) -> Result<Vec<Vec<f64>>, EnsembleError> {
        let of_member = |member| Ok(predict(member, data, batch_size)?.probabilities()?);
        self.members.iter().map(of_member).collect()
    }

    /// Combines members trained with [`Loss::GaussianNll`](crate::loss::Loss), whose outputs are D
    /// means and the logarithms of D variances: `[N, D]`, row by row.
    ///
    /// # Errors
    /// [`EnsembleError::NoMembers`]; [`EnsembleError::Fit`] if the rows have another width;
    /// [`EnsembleError::Length`] if the number of outputs is odd, [`EnsembleError::Number`].
    pub fn mixture(
        &self,
        data: &Dataset,
        batch_size: usize,
    ) -> Result<Vec<Mixture>, EnsembleError> {
        let (mut means, mut variances) = (Vec::new(), Vec::new());
        for (member, network) in self.members.iter().enumerate() {
            let (what, got) = ("outputs", network.outputs());
            if got % 2 == 1 {
                return Err(EnsembleError::Length { member, what, expected: got + 1, got });
            }
            let outputs = predict(network, data, batch_size)?.outputs;
            let rows = || outputs.chunks_exact(got.max(1));
            let wide = |&x: &f32| f64::from(x);
            means.push(rows().flat_map(|row| row[..got / 2].iter().map(wide)).collect());
            variances.push(
                rows().flat_map(|row| row[got / 2..].iter().map(|x| wide(x).exp())).collect(),
            );
        }
        mixture(&means, &variances)
    }
}
