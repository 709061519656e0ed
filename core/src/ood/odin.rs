//! ODIN: softmax at a high temperature of perturbed inputs.

use tch::{Kind, Tensor};

use super::scores::check_temperature;
use super::{OodError, scaled_max_softmax_probability};
use crate::data::{Batch, Dataset};
use crate::nn::{Network, NetworkError, check_differentiable, check_outputs};
use crate::require;

/// ODIN moves each input slightly to where the network is more confident, `x̃ = x − ε sign(−∇ ln
/// S_ŷ(x; T))`. This raises the score of in-distribution rows more than that of others. The score
/// is the largest softmax probability of `f(x̃) / T`.
///
/// Liang, Li and Srikant, "Enhancing the reliability of out-of-distribution image detection in neural
/// networks" (2018), <https://arxiv.org/abs/1706.02690>, equations 1 and 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odin {
    /// The temperature T, which divides the outputs; > 0.
    pub temperature: f64,
    /// The size ε of the step of each input, in its unit; ≥ 0.
    pub epsilon: f64,
}

impl Default for Odin {
    /// Uses the paper's values for CIFAR-10: T = 1000, ε = 0.0014.
    fn default() -> Self {
        Self { temperature: 1000.0, epsilon: 0.0014 }
    }
}

impl Odin {
    /// Computes the score of each row, `[N]`, higher for in-distribution rows. `batch_size` rows
    /// are processed at a time. The gradients of the network's parameters are preserved.
    ///
    /// # Errors
    /// [`OodError::Setting`], also for a network with one output; [`OodError::Training`],
    /// [`OodError::Network`] if the rows have another width, [`OodError::NotFinite`] if an output
    /// is not finite.
    pub fn scores<N: Network>(
        &self,
        network: &N,
        data: &Dataset,
        batch_size: usize,
    ) -> Result<Vec<f64>, OodError> {
        check_temperature(self.temperature)?;
        let epsilon = self.epsilon;
        let is_step = epsilon >= 0.0 && (epsilon as f32).is_finite();
        require(is_step, "epsilon", epsilon, "≥ 0 and at most 3.4e38, the greatest f32")?;
        if network.training() {
            return Err(OodError::Training);
        }
        let (width, mut batch) = (network.outputs(), Batch::default());
        let mut outputs = vec![0.0; data.len() * width];
        let rows: Vec<usize> = (0..data.len()).collect();
        for rows in rows.chunks(batch_size.max(1)) {
            data.gather(rows, &mut batch);
            let inputs = batch.inputs(); // [B, inputs]
            network.check_input(&inputs)?;
            let moved = if epsilon > 0.0 { self.moved(network, &inputs)? } else { inputs };
            let outputs = &mut outputs[rows[0] * width..][..rows.len() * width];
            let answers = network.predict(&moved);
            check_outputs(&answers, rows.len(), width)?;
            answers.f_copy_data(outputs, outputs.len()).map_err(NetworkError::from)?;
        }
        scaled_max_softmax_probability(&outputs, width, self.temperature)
    }

    /// The inputs a step up the gradient of the likeliest class's logarithmic probability.
    fn moved<N: Network>(&self, network: &N, inputs: &Tensor) -> Result<Tensor, NetworkError> {
        let inputs = inputs.detach().set_requires_grad(true);
        // Also where gradients are off: libtorch crashes where it has none to follow.
        let gradients = tch::with_grad(|| -> Result<Vec<Tensor>, NetworkError> {
            let outputs = network.try_forward(&inputs)? / self.temperature;
            let log_softmax = outputs.log_softmax(1, None::<Kind>); // [B, C]
            let (largest, _) = log_softmax.max_dim(1, false);
            let sum = largest.sum(None::<Kind>); // of rows that do not depend on each other
            check_differentiable(&sum)?;
            Ok(Tensor::f_run_backward(&[&sum], &[&inputs], false, false)?)
        })?;
        Ok(inputs.detach() + gradients[0].sign() * self.epsilon)
    }
}
