//! Checks of the losses' inputs.

use tch::{Kind, Tensor};

use super::LossError;
use crate::require;

pub(crate) fn check_setting(
    key: &'static str,
    value: f64,
    allowed: &'static str,
    is_allowed: bool,
) -> Result<(), LossError> {
    require(is_allowed, key, value, allowed)?;
    // libtorch calculates with it as one of the tensor's numbers.
    let fits = !value.is_finite() || (value as f32).is_finite();
    Ok(require(fits, key, value, "at most 3.4e38, the greatest f32")?)
}

/// Checks that the prediction is floating-point, not empty, and of a shape that fits.
pub(crate) fn check_prediction(
    prediction: &Tensor,
    expected: &'static str,
    fits: impl Fn(&[i64]) -> bool,
) -> Result<(), LossError> {
    let kind = prediction.kind();
    if !matches!(kind, Kind::Float | Kind::Double) {
        return Err(LossError::Kind {
            what: "the prediction",
            expected: "Float or Double",
            got: kind,
        });
    }
    let got = prediction.size();
    if !fits(&got) || got.contains(&0) {
        let expected = format!("{expected}, none of them 0");
        return Err(LossError::Shape { what: "the prediction", expected, got });
    }
    Ok(())
}

pub(super) fn check_shape(
    what: &'static str,
    tensor: &Tensor,
    expected: &[i64],
) -> Result<(), LossError> {
    let got = tensor.size();
    if got == expected {
        return Ok(());
    }
    Err(LossError::Shape { what, expected: format!("{expected:?}"), got })
}

/// Checks that the kind is that of the prediction.
pub(super) fn check_kind(
    what: &'static str,
    tensor: &Tensor,
    prediction: &Tensor,
) -> Result<(), LossError> {
    let expected = match prediction.kind() {
        Kind::Double => "Double, as the prediction is",
        _ => "Float, as the prediction is",
    };
    let got = tensor.kind();
    if got == prediction.kind() { Ok(()) } else { Err(LossError::Kind { what, expected, got }) }
}

/// Checks that shape, kind and device are those of the prediction.
pub(super) fn check_like(
    what: &'static str,
    tensor: &Tensor,
    prediction: &Tensor,
) -> Result<(), LossError> {
    check_shape(what, tensor, &prediction.size())?;
    check_kind(what, tensor, prediction)?;
    check_device(what, tensor, prediction)
}

pub(super) fn check_device(
    what: &'static str,
    tensor: &Tensor,
    prediction: &Tensor,
) -> Result<(), LossError> {
    let (expected, got) = (prediction.device(), tensor.device());
    if expected == got { Ok(()) } else { Err(LossError::Device { what, expected, got }) }
}

/// Checks that the weights of the batch's classes do not sum to 0.
pub(super) fn check_some_weight(weight: Option<&Tensor>, class: &Tensor) -> Result<(), LossError> {
    let counts = |weight: &Tensor| weight.take(class).max().double_value(&[]) > 0.0;
    let is_some = class.numel() == 0 || weight.is_none_or(counts);
    if is_some { Ok(()) } else { Err(LossError::NoWeight) }
}

/// Checks that the classes have this shape and lie below the prediction's number of classes.
pub(super) fn check_classes(
    class: &Tensor,
    shape: &[i64],
    prediction: &Tensor,
) -> Result<(), LossError> {
    check_labels(class, shape, prediction.size()[1], prediction)
}

/// Checks that the classes have this shape, lie below `classes` and are on the prediction's device.
pub(crate) fn check_labels(
    class: &Tensor,
    shape: &[i64],
    classes: i64,
    prediction: &Tensor,
) -> Result<(), LossError> {
    let what = "the target";
    if class.kind() != Kind::Int64 {
        return Err(LossError::Kind { what, expected: "Int64, classes", got: class.kind() });
    }
    check_shape(what, class, shape)?;
    check_device(what, class, prediction)?;
    for got in [class.min().int64_value(&[]), class.max().int64_value(&[])] {
        if !(0..classes).contains(&got) {
            return Err(LossError::Label { got, classes });
        }
    }
    Ok(())
}

/// Checks that every number satisfies `holds`.
pub(super) fn check_numbers(
    what: &'static str,
    tensor: &Tensor,
    allowed: &'static str,
    holds: impl Fn(&Tensor) -> Tensor,
) -> Result<(), LossError> {
    let tensor = tensor.detach();
    let holds = holds(&tensor);
    if holds.all().int64_value(&[]) != 0 {
        return Ok(());
    }
    let got = tensor.masked_select(&holds.logical_not()).double_value(&[0]);
    Err(LossError::Number { what, allowed, got })
}

/// Returns one weight for each class, as a tensor like the prediction; `None` without weights.
pub(super) fn class_weights(
    key: &'static str,
    weights: Option<&[f32]>,
    prediction: &Tensor,
) -> Result<Option<Tensor>, LossError> {
    let classes = prediction.size()[1] as usize;
    let Some(weights) = weights else { return Ok(None) };
    if weights.len() != classes {
        return Err(LossError::Weights { key, expected: classes, got: weights.len() });
    }
    Ok(Some(like(weights, prediction)))
}

pub(super) fn check_weights(key: &'static str, weights: Option<&[f32]>) -> Result<(), LossError> {
    for &weight in weights.unwrap_or_default() {
        let is_allowed = weight >= 0.0 && weight.is_finite();
        check_setting(key, f64::from(weight), "finite and ≥ 0", is_allowed)?;
    }
    Ok(())
}

pub(super) fn like(numbers: &[f32], prediction: &Tensor) -> Tensor {
    Tensor::from_slice(numbers).to_kind(prediction.kind()).to_device(prediction.device())
}
