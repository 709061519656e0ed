//! Penalties on large parameters.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::LossError;
use super::check::check_setting;
use crate::nn::Parameters;
use crate::simd;

/// A penalty on large parameters, added to a loss; with scikit-learn's names.
///
/// Computing it needs no libtorch: call [`apply`](Self::apply) between [`Parameters::backward`] and
/// the optimiser's [`descend`](crate::optim::Optimizer::descend).
///
/// ```
/// use gymnast_core::loss::{Loss, Penalty};
/// use gymnast_core::nn::{MlpConfig, Network as _};
/// use gymnast_core::optim::OptimizerConfig;
/// use rand::SeedableRng;
/// use tch::{Tensor, kind::FLOAT_CPU};
///
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let mut network = MlpConfig::default().build(4, 1, &mut rng)?;
/// let mut optimizer = OptimizerConfig::default().build(network.parameters())?;
/// let parameters = network.parameters();
/// let weights: Vec<_> = parameters.shapes().iter().zip(parameters.ranges())
///     .filter(|(shape, _)| shape.len() > 1).map(|(_, range)| range).collect();
///
/// let prediction = network.forward(&Tensor::ones([8, 4], FLOAT_CPU));
/// let loss = Loss::Mse.compute(&prediction, &Tensor::zeros([8, 1], FLOAT_CPU))?;
/// let parameters = network.parameters_mut();
/// parameters.backward(&loss)?;
/// let penalty = Penalty::L1 { alpha: 1e-3 }.apply(parameters, weights)?;
/// assert!(penalty > 0.0);
/// optimizer.descend(parameters, 1e-3, Some(1.0))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Penalty {
    /// `α Σ |w|` (lasso), which sets unimportant parameters to zero.
    L1 {
        /// The weight α of the penalty; ≥ 0.
        alpha: f64,
    },
    /// `½ α Σ w²` (ridge). Its gradient equals that of a weight decay of α in SGD, Adagrad, RMSprop
    /// and Adam, but not in AdamW.
    L2 {
        /// The weight α of the penalty; ≥ 0.
        alpha: f64,
    },
    /// A mixture of both: `α ρ Σ |w| + ½ α (1 − ρ) Σ w²` (Zou and Hastie 2005).
    ElasticNet {
        /// The weight α of the penalty; ≥ 0.
        alpha: f64,
        /// The fraction ρ of L1; in [0, 1].
        l1_ratio: f64,
    },
}

impl Penalty {
    /// Adds the penalty's gradient to the gradients of the parameters in `ranges` and returns its
    /// value. Biases are usually left out: from [`Parameters::ranges`] take the parameters of at
    /// least two dimensions. The gradient of |w| at 0 is 0.
    ///
    /// # Errors
    /// [`LossError::Setting`]; [`LossError::Range`] if a range is outside the parameters; then no
    /// gradient has changed.
    pub fn apply(
        &self,
        parameters: &mut Parameters,
        ranges: impl IntoIterator<Item = Range<usize>>,
    ) -> Result<f64, LossError> {
        let (l1, l2) = self.factors()?;
        let length = parameters.len();
        let ranges: Vec<_> = ranges.into_iter().collect();
        if let Some(range) =
            ranges.iter().find(|range| range.start > range.end || range.end > length)
        {
            return Err(LossError::Range { range: range.clone(), length });
        }
        let (values, gradients) = parameters.values_and_gradients_mut();
        let mut penalty = 0.0;
        for range in ranges {
            let (values, gradients) = (&values[range.clone()], &mut gradients[range]);
            if l1 > 0.0 {
                penalty += l1 * values.iter().map(|w| f64::from(w.abs())).sum::<f64>();
            }
            if l2 > 0.0 {
                penalty += 0.5 * l2 * simd::sum_of_squares(values);
            }
            simd::add_penalty(gradients, values, l1 as f32, l2 as f32);
        }
        Ok(penalty)
    }

    /// Returns the factors of |w| and ½ w².
    fn factors(&self) -> Result<(f64, f64), LossError> {
        let (alpha, l1_ratio) = match *self {
            Self::L1 { alpha } => (alpha, 1.0),
            Self::L2 { alpha } => (alpha, 0.0),
            Self::ElasticNet { alpha, l1_ratio } => (alpha, l1_ratio),
        };
        let is_allowed = alpha >= 0.0 && alpha.is_finite();
        check_setting("alpha", alpha, "finite and ≥ 0", is_allowed)?;
        let fits = (alpha as f32).is_finite();
        check_setting("alpha", alpha, "at most 3.4e38, the greatest f32", fits)?;
        check_setting("l1_ratio", l1_ratio, "in [0, 1]", (0.0..=1.0).contains(&l1_ratio))?;
        Ok((alpha * l1_ratio, alpha * (1.0 - l1_ratio)))
    }
}
