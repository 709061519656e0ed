//! Checks that a loss can be differentiated.

use tch::{Kind, Tensor};

use crate::nn::NetworkError;

/// Checks that the loss is one floating-point number: `[]`.
pub(crate) fn check_scalar(loss: &Tensor) -> Result<(), NetworkError> {
    let (kind, shape) = (loss.kind(), loss.size());
    if !shape.is_empty() {
        let got = format!("one of shape {shape:?}");
        return Err(NetworkError::Loss {
            expected: "a scalar [], as `mean` and `sum` return",
            got,
        });
    }
    if !matches!(kind, Kind::Float | Kind::Double | Kind::Half | Kind::BFloat16) {
        let got = format!("one of kind {kind:?}");
        return Err(NetworkError::Loss { expected: "of kind Float or Double", got });
    }
    Ok(())
}

/// Checks also that the loss has a gradient.
pub(crate) fn check_differentiable(loss: &Tensor) -> Result<(), NetworkError> {
    check_scalar(loss)?;
    if loss.requires_grad() {
        return Ok(());
    }
    let got = "one without gradient: constant, detached, or computed where gradients are off";
    let expected = "differentiable by the network's parameters";
    Err(NetworkError::Loss { expected, got: got.to_owned() })
}
