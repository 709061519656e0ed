//! BYOL (bootstrap your own latent): a network learns from a moving average of itself.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::objectives::{check_views, predict_each_other, without_negative_pairs};
use crate::data::Batch;
use crate::nn::{
    Buffers, NamedParameter, Network, NetworkConfig, NetworkError, Parameters, Plan, Sequential,
};
use crate::supervised::{FitError, Objective};

/// A network and its target, a moving average of its parameters: `ξ ← (1 − τ) ξ + τ θ` after each
/// step. Train it with [`Byol`] like the network alone. The target's parameters are buffers, so a
/// checkpoint holds them. Both normalise by batch statistics: with running statistics in the
/// target, embeddings nearly collapsed.
///
/// As for [`SimSiam`](super::SimSiam), the network's encoder consists of the layers to keep,
/// followed by the projector; its head is the predictor.
#[derive(Debug)]
pub struct ByolNetwork {
    online: Sequential,
    target: Sequential,
    tau: f32,
}

impl ByolNetwork {
    /// Builds the network and its target, which starts as a copy. τ is in (0, 1] and equals 1 − τ
    /// of the paper.
    ///
    /// # Errors
    /// As [`Sequential::new`]; [`NetworkError::Rate`].
    pub fn new<R: rand::Rng + Clone>(
        config: &NetworkConfig,
        input: &[usize],
        tau: f32,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        if !(tau > 0.0 && tau <= 1.0) {
            return Err(NetworkError::Rate { got: tau });
        }
        let target = Sequential::new(config, input, &mut rng.clone())?;
        Ok(Self { online: Sequential::new(config, input, rng)?, target, tau })
    }

    /// Returns the trained network.
    pub fn online(&self) -> &Sequential {
        &self.online
    }

    /// Returns the moving average, in the same mode.
    pub fn target(&self) -> &Sequential {
        &self.target
    }
}

impl Network for ByolNetwork {
    fn inputs(&self) -> usize {
        self.online.inputs()
    }

    fn outputs(&self) -> usize {
        self.online.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        self.online.forward(input)
    }

    fn parameters(&self) -> &Parameters {
        self.online.parameters()
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        self.online.parameters_mut()
    }

    fn plan(&self) -> Option<&Plan> {
        Network::plan(&self.online)
    }

    fn training(&self) -> bool {
        self.online.training()
    }

    fn set_training(&mut self, training: bool) {
        self.online.set_training(training);
        self.target.set_training(training);
    }

    fn after_step(&mut self) -> Result<(), NetworkError> {
        self.target.parameters_mut().polyak(self.online.parameters(), self.tau)?;
        // Dropout goes on from the same place in both, so that a checkpoint has to hold but one.
        let target = Buffers { draws: self.online.buffers().draws, ..self.target.buffers() };
        self.target.load_buffers(&target)
    }

    /// The network's, then the target's running statistics and its parameters.
    fn buffers(&self) -> Buffers {
        let Buffers { numbers, draws } = self.online.buffers();
        let target = (self.target.buffers().numbers, self.target.parameters().values());
        Buffers { numbers: [&numbers, &target.0, target.1].concat(), draws }
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        let mut named = self.online.named_buffers();
        let running: usize = named.iter().map(|buffer| buffer.range.len()).sum();
        let parts = [self.target.named_buffers(), self.target.named_parameters()];
        for (part, start) in parts.into_iter().zip([running, 2 * running]) {
            named.extend(part.into_iter().map(|NamedParameter { name, shape, range }| {
                let range = start + range.start..start + range.end;
                NamedParameter { name: format!("target.{name}"), shape, range }
            }));
        }
        named
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        let (running, parameters) =
            (self.online.buffers().numbers.len(), self.target.parameters().len());
        let (expected, got) = (2 * running + parameters, buffers.numbers.len());
        if expected != got {
            let what = "running statistics and the target's parameters";
            return Err(NetworkError::Length { what, expected, got });
        }
        let (online, rest) = buffers.numbers.split_at(running);
        let (target, parameters) = rest.split_at(running);
        let numbers = |numbers: &[f32], draws| Buffers { numbers: numbers.to_vec(), draws };
        self.online.load_buffers(&numbers(online, buffers.draws))?;
        self.target.load_buffers(&numbers(target, buffers.draws))?;
        self.target.parameters_mut().load(parameters)
    }

    fn description(&self) -> String {
        format!("{} {}", self.tau, self.online.description())
    }

    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        self.online.check_input(input)
    }

    fn predict(&self, input: &Tensor) -> Tensor {
        self.online.predict(input)
    }
}

/// The objective of BYOL: the network's head, a predictor, predicts the target's embedding of the
/// other view from one view's embedding. The loss is the squared distance of the normalised
/// vectors, summed over both directions; from 0 to 8.
///
/// Source: Grill et al., "Bootstrap your own latent" (2020), equation 2,
/// <https://arxiv.org/abs/2006.07733>. Departures: both views go through the network in one batch; τ is
/// constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Byol;

impl Objective<ByolNetwork> for Byol {
    fn loss(&self, network: &ByolNetwork, batch: &Batch) -> Result<Tensor, FitError> {
        check_views(batch)?;
        let inputs = batch.inputs(); // [2N, width]
        let online = network.online.try_forward(&inputs)?; // [2N, D]
        let target = crate::nn::no_grad(|| network.target.encode(&inputs)); // [2N, D]
        // ‖p̄ − z̄‖² = 2 − 2 cos, one of each way.
        Ok(predict_each_other(&online, &target)? * 4.0 + 4.0)
    }

    without_negative_pairs!();
}
