//! Losses of policy-gradient agents and their gradients, as pure functions.
//!
//! Each returns the loss, a mean over B rows, and writes its gradient: a known formula is cheaper than
//! automatic differentiation. Tests compare them with libtorch. Slices of
//! unequal lengths are an error.

mod values;

use gymnast_harness::AgentError;

pub use values::{cross_entropy, huber, log_softmax, quantile_huber};

/// −mean A ln π(a|s): descending it is ascending the policy's performance, where A is a constant
/// (Sutton and Barto 2018, section 13.4; Mnih et al. 2016, algorithm S3).
///
/// Differentiated by each ln π(a|s): −A / B.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn policy_gradient(
    log_prob: &[f32],
    advantage: &[f32],
    by_log_prob: &mut Vec<f32>,
) -> Result<f64, AgentError> {
    AgentError::check_len("the log-probabilities", advantage.len(), log_prob.len())?;
    let each = 1.0 / advantage.len() as f32;
    by_log_prob.clear();
    by_log_prob.extend(advantage.iter().map(|advantage| -advantage * each));
    Ok(-mean(log_prob.iter().zip(advantage).map(|(log_prob, advantage)| log_prob * advantage)))
}

/// mean (V − R)².
///
/// Differentiated by each V: 2 (V − R) / B.
///
/// # Errors
/// [`AgentError::Mismatch`] where the lengths differ.
pub fn squared_error(
    value: &[f32],
    returns: &[f32],
    by_value: &mut Vec<f32>,
) -> Result<f64, AgentError> {
    AgentError::check_len("the values", returns.len(), value.len())?;
    let each = 2.0 / returns.len() as f32;
    let errors = value.iter().zip(returns).map(|(value, returns)| value - returns);
    by_value.clear();
    by_value.extend(errors.clone().map(|error| error * each));
    // The square of 1e20 is no number of an `f32`.
    Ok(mean(errors.map(|error| f64::from(error).powi(2))))
}

/// The mean, summed in double precision.
pub(crate) fn mean<X: Into<f64>>(numbers: impl ExactSizeIterator<Item = X>) -> f64 {
    let n = numbers.len() as f64;
    numbers.map(Into::into).sum::<f64>() / n
}

#[cfg(test)]
pub(crate) mod tests {
    use tch::{Kind, Tensor};

    use super::*;

    /// Compares a loss and its gradient with what libtorch makes of the formula.
    pub(crate) fn assert_derives(
        at: &[f32],
        (loss, gradient): (f64, &[f32]),
        formula: impl Fn(&Tensor) -> Tensor,
    ) {
        let x = Tensor::from_slice(at).set_requires_grad(true);
        let expected = formula(&x);
        expected.backward();
        assert!((loss - expected.double_value(&[])).abs() < 1e-6, "{loss} {expected:?}");
        let expected = Vec::<f32>::try_from(x.grad()).unwrap();
        assert_eq!(gradient.len(), expected.len());
        for (got, expected) in gradient.iter().zip(&expected) {
            assert!((got - expected).abs() < 1e-6, "{got} {expected}");
        }
    }

    #[test]
    fn the_policy_gradient_by_hand_and_by_libtorch() {
        let (log_prob, advantage) = ([0.25_f32.ln(), 0.75_f32.ln()], [2.0, -1.0]);
        let mut gradient = vec![f32::NAN; 5];
        let loss = policy_gradient(&log_prob, &advantage, &mut gradient).unwrap();
        assert!(policy_gradient(&log_prob, &advantage[..1], &mut vec![]).is_err());
        assert!((loss + (2.0 * 0.25_f64.ln() - 0.75_f64.ln()) / 2.0).abs() < 1e-6);
        assert_eq!(gradient, [-1.0, 0.5]);
        assert_derives(&log_prob, (loss, &gradient), |log_prob| {
            -(log_prob * Tensor::from_slice(&advantage)).mean(Kind::Float)
        });
    }

    #[test]
    fn the_squared_error_by_hand_and_by_libtorch() {
        let (value, returns) = ([1.0, 2.0, -1.0, 0.5], [3.0, 2.0, 0.0, 0.0]);
        let mut gradient = Vec::new();
        let loss = squared_error(&value, &returns, &mut gradient).unwrap();
        assert!(squared_error(&value[1..], &returns, &mut vec![]).is_err());
        assert_eq!((loss, &gradient[..]), (5.25 / 4.0, &[-1.0, 0.0, -0.5, 0.25][..]));
        assert_derives(&value, (loss, &gradient), |value| {
            (value - Tensor::from_slice(&returns)).square().mean(Kind::Float)
        });
    }
}
