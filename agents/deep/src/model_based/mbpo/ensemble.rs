//! The networks of the model: all members at once, as batched matrix products.
//!
//! Source: Chua et al., "Deep reinforcement learning in a handful of trials using probabilistic
//! dynamics models" (2018), <https://arxiv.org/abs/1805.12114>, section 4 and appendix A.1, and the
//! authors' implementation.

use gymnast_core::{
    init::{Fans, Init},
    nn::{Activation, Parameter, Parameters, ParametersBuilder},
    optim::{Adam, AdamConfig, Optimizer as _},
};
use gymnast_envs::Rng;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};
use tch::{Kind, Tensor};

use crate::networks::learned::{Descent, backend, refused};

/// How strongly the bounds of log σ² are drawn together.
const BOUNDS_WEIGHT: f64 = 0.01;

/// Adam's. A network that is sure of what it knows meets a region it does not know with gradients
/// many times the usual ones: their squares must be forgotten within a training, not after 1000
/// updates as with Adam's own 0.999, or the network stops learning just when there is most to learn.
const BETAS: (f64, f64) = (0.9, 0.99);

/// What an ensemble looks like.
#[derive(Clone, Debug)]
pub(super) struct Shape<'a> {
    pub(super) members: usize,
    pub(super) inputs: usize,
    pub(super) hidden: &'a [usize],
    pub(super) targets: usize,
}

/// Members of one shape, each with parameters of its own: a row of inputs to a normal distribution
/// over T targets and the chance that the episode ends.
pub(super) struct Ensemble {
    /// The hidden layers, then the one whose rows are T means, T log σ² and the logit of an end.
    layers: Vec<Layer>,
    activation: Activation,
    max_log_var: Parameter, // [E, 1, T]
    min_log_var: Parameter, // [E, 1, T]
    parameters: Parameters,
    optimizer: Adam,
    weight_decay: f64,
    members: usize,
    targets: usize,
}

/// One layer of every member.
struct Layer {
    weight: Parameter, // [E, in, out]
    bias: Parameter,   // [E, 1, out]
}

/// Tensors that gradients flow through to the parameters: of all members, or of one.
struct Copies {
    layers: Vec<(Tensor, Tensor)>, // weight [E, in, out], bias [E, 1, out]
    max_log_var: Tensor,           // [E, 1, T]
    min_log_var: Tensor,           // [E, 1, T]
}

/// What members say of B rows.
pub(super) struct Prediction {
    pub(super) mean: Tensor,    // [E, B, T]
    pub(super) log_var: Tensor, // [E, B, T]
    pub(super) end: Tensor,     // [E, B], the logit
}

impl Ensemble {
    pub(super) fn new(
        shape: &Shape<'_>,
        activation: Activation,
        weight_decay: f64,
        rng: &mut Rng,
    ) -> Result<Self, AgentError> {
        let Shape { members, inputs, hidden, targets } = *shape;
        let mut builder = ParametersBuilder::new();
        let mut parameter = |shape: [usize; 3], init| {
            let fans = Fans { fan_in: shape[1], fan_out: shape[2] };
            builder.parameter(&shape, init, fans).map_err(backend)
        };
        // Normal with σ = 1 / (2 √in), as the authors have it.
        let weight = Init::KaimingNormal { gain: 0.5 };
        let mut layers = Vec::new();
        let mut width = inputs;
        for &next in hidden.iter().chain([&(2 * targets + 1)]) {
            layers.push(Layer {
                weight: parameter([members, width, next], weight)?,
                bias: parameter([members, 1, next], Init::Zeros)?,
            });
            width = next;
        }
        let max_log_var = parameter([members, 1, targets], Init::Constant { value: 0.5 })?;
        let min_log_var = parameter([members, 1, targets], Init::Constant { value: -10.0 })?;
        let parameters = builder.build(rng).map_err(backend)?;
        let adam = AdamConfig { betas: BETAS, ..AdamConfig::default() };
        let optimizer = Adam::new(adam, &parameters).map_err(backend)?;
        Ok(Self {
            layers,
            activation,
            max_log_var,
            min_log_var,
            parameters,
            optimizer,
            weight_decay,
            members,
            targets,
        })
    }

    pub(super) fn members(&self) -> usize {
        self.members
    }

    /// The architecture, for a checkpoint.
    fn description(&self) -> String {
        let shapes = self.parameters.shapes();
        format!("an ensemble of {}, {}, shapes {shapes:?}", self.members, self.activation.name())
    }

    /// What every member says of its own rows, `[E, B, in]`, differentiable.
    pub(super) fn forward(&self, input: &Tensor) -> Prediction {
        self.run(input, &self.copies(Parameter::tensor))
    }

    /// What one member says of `[1, B, in]`.
    pub(super) fn forward_member(&self, member: usize, input: &Tensor) -> Prediction {
        let of_member = |parameter: &Parameter| {
            parameter.rows(member, 1).expect("each member has a row of every parameter")
        };
        self.run(input, &self.copies(of_member))
    }

    /// A copy of each parameter, made by `copy`: one for all that is calculated with it.
    fn copies(&self, copy: impl Fn(&Parameter) -> Tensor) -> Copies {
        let of_layer = |layer: &Layer| (copy(&layer.weight), copy(&layer.bias));
        Copies {
            layers: self.layers.iter().map(of_layer).collect(),
            max_log_var: copy(&self.max_log_var),
            min_log_var: copy(&self.min_log_var),
        }
    }

    fn run(&self, input: &Tensor, copies: &Copies) -> Prediction {
        let Copies { layers, max_log_var: max, min_log_var: min } = copies;
        let apply = |(weight, bias): &(Tensor, Tensor), x: &Tensor| bias.baddbmm(x, weight, 1, 1);
        let (last, hidden) = layers.split_last().expect("there is a last layer");
        let mut x = input.shallow_clone();
        for layer in hidden {
            x = self.activation.forward(apply(layer, &x)); // [E, B, hidden]
        }
        let rows = apply(last, &x); // [E, B, 2 T + 1]
        let t = self.targets as i64;
        Prediction {
            mean: rows.narrow(-1, 0, t),
            log_var: soft_bounds(&rows.narrow(-1, t, t), min, max),
            end: rows.select(-1, 2 * t),
        }
    }

    /// One step of every member down the gradient of its loss on its own rows. Returns the mean
    /// over members of the negative log-likelihoods, without the penalties.
    ///
    /// `input` is `[E, B, in]`, `target` `[E, B, T]`; `end` is `[E, B]`, 1 where the episode ended
    /// and 0 elsewhere, or nothing while no end was ever seen.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where the gradient or its square is not finite.
    pub(super) fn update(
        &mut self,
        input: &Tensor,
        target: &Tensor,
        end: Option<&Tensor>,
        descent: Descent,
    ) -> Result<f64, AgentError> {
        let Descent { rate, env_steps } = descent;
        let copies = self.copies(Parameter::tensor);
        let prediction = self.run(input, &copies);
        let nll = gaussian_nll(&prediction.mean, &prediction.log_var, target).mean(Kind::Float);
        let nll = match end {
            Some(end) => nll + bernoulli_nll(&prediction.end, end).mean(Kind::Float),
            None => nll,
        };
        // Members share no parameter: their sum is each one's own loss to each.
        let loss = &nll * self.members as f64 + self.penalty(&copies); // []
        let norm = self.optimizer.minimize(&loss, &mut self.parameters, rate, None);
        norm.map_err(|error| refused(error, env_steps))?;
        Ok(nll.double_value(&[]))
    }

    /// What keeps the bounds of log σ² near each other, and the weights small.
    fn penalty(&self, copies: &Copies) -> Tensor {
        let Copies { layers, max_log_var: max, min_log_var: min } = copies;
        let mut penalty: Tensor = (max - min).sum(Kind::Float) * BOUNDS_WEIGHT;
        if self.weight_decay > 0.0 {
            for (weight, _) in layers {
                let squares = weight.square().sum(Kind::Float);
                penalty += squares * (0.5 * self.weight_decay);
            }
        }
        penalty
    }

    /// The parameters of all members.
    pub(super) fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Copies one member's parameters from one flat vector of all members' to another.
    pub(super) fn copy_member(&self, member: usize, from: &[f32], to: &mut [f32]) {
        let bounds = [&self.max_log_var, &self.min_log_var];
        let layers = self.layers.iter().flat_map(|layer| [&layer.weight, &layer.bias]);
        for parameter in layers.chain(bounds) {
            let (range, length) = (parameter.range(), parameter.range().len() / self.members);
            let own = range.start + member * length..range.start + (member + 1) * length;
            to[own.clone()].copy_from_slice(&from[own]);
        }
    }

    /// Every member is as sure of an end, or of none, as that logit is.
    #[cfg(test)]
    pub(super) fn set_end_logit(&mut self, logit: f32) {
        let Layer { weight, bias } = self.layers.last().expect("there is a last layer");
        let outputs = 2 * self.targets + 1;
        for (range, value) in [(weight.range(), 0.0), (bias.range(), logit)] {
            let values = &mut self.parameters.values_mut()[range];
            values.iter_mut().skip(outputs - 1).step_by(outputs).for_each(|x| *x = value);
        }
    }

    /// Takes over the parameters of all members.
    pub(super) fn load_parameters(&mut self, values: &[f32]) -> Result<(), AgentError> {
        self.parameters.load(values).map_err(backend)
    }
}

/// Bends log σ² so that it stays between its bounds, with a gradient everywhere (Chua et al. 2018,
/// appendix A.1).
fn soft_bounds(log_var: &Tensor, min: &Tensor, max: &Tensor) -> Tensor {
    let log_var = max - (max - log_var).softplus();
    min + (log_var - min).softplus()
}

/// Twice the negative log-likelihood of a normal distribution without its constant:
/// (y − μ)² / σ² + log σ² (Chua et al. 2018, section 4, for a diagonal Σ). All of one shape.
fn gaussian_nll(mean: &Tensor, log_var: &Tensor, target: &Tensor) -> Tensor {
    (target - mean).square() * (-log_var).exp() + log_var
}

/// The negative log-likelihood of ends, 1 or 0, of a Bernoulli distribution: log(1 + eˣ) − x y for
/// the logit x.
fn bernoulli_nll(logit: &Tensor, end: &Tensor) -> Tensor {
    logit.softplus() - logit * end
}

impl Checkpoint for Ensemble {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("network", &self.description())?;
        state.insert_part("networks", &self.parameters)?;
        state.insert_part("optimizer", &self.optimizer)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.expect("network", &self.description())?;
        state.load_part("networks", &mut self.parameters)?;
        state.load_part("optimizer", &mut self.optimizer)
    }
}

#[cfg(test)]
mod tests;
