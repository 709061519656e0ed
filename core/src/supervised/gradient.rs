//! The gradient of a minibatch's loss.

use tch::Tensor;

use super::{FitError, Objective, OutputLoss};
use crate::data::Batch;
use crate::nn::{Network, NetworkError, Tape, check_differentiable, check_scalar};
use crate::simd;

/// Adds the gradient of `share` times a minibatch's loss and returns the loss: by the network's plan
/// if the loss depends on the outputs alone.
pub(super) fn add_gradient<N: Network>(
    network: &mut N,
    batch: &Batch,
    objective: &(impl Objective<N> + ?Sized),
    share: f64,
    tape: &mut Tape,
) -> Result<f64, FitError> {
    if let (Some(plan), Some(loss)) = (network.training_plan(), objective.of_outputs()) {
        let plan = plan.clone();
        plan.forward(network.parameters().effective(), batch.input_numbers(), batch.len(), tape)?;
        let mut by_outputs = vec![0.0; tape.outputs().len()];
        let number = loss.differentiate(tape.outputs(), batch, &mut by_outputs)?;
        let number = match number {
            Some(number) => number,
            None => differentiate(loss, tape.outputs(), batch, &mut by_outputs)?,
        };
        simd::scale(&mut by_outputs, share as f32);
        let (values, gradients) = network.parameters_mut().effective_and_gradients_mut();
        plan.backward(values, &by_outputs, tape, gradients)?;
        return Ok(number);
    }
    let loss = objective.loss(network, batch)?; // []
    check_scalar(&loss)?;
    network.parameters_mut().accumulate(&loss, share)?;
    Ok(loss.double_value(&[]))
}

/// Returns a loss of outputs and sets `by_outputs` to its gradient, by libtorch.
fn differentiate(
    loss: &dyn OutputLoss,
    outputs: &[f32],
    batch: &Batch,
    by_outputs: &mut [f32],
) -> Result<f64, FitError> {
    let outputs = Tensor::from_slice(outputs).view([batch.len() as i64, -1]);
    let outputs = outputs.set_requires_grad(true);
    let loss = loss.loss_of_outputs(&outputs, batch)?; // []
    check_differentiable(&loss)?;
    loss.f_backward().map_err(NetworkError::from)?;
    let gradient = outputs.grad();
    if gradient.defined() {
        gradient.f_copy_data(by_outputs, by_outputs.len()).map_err(NetworkError::from)?;
    }
    Ok(loss.double_value(&[]))
}
