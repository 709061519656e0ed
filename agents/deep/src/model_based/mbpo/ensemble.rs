//! The networks of the model, trained without libtorch.
//!
//! Source: Chua et al., "Deep reinforcement learning in a handful of trials using probabilistic
//! dynamics models" (2018), <https://arxiv.org/abs/1805.12114>, section 4 and appendix A.1, and the
//! authors' implementation.

mod bounds;

use std::ops::Range;

use gymnast_core::{
    init::{Fans, Init},
    likelihood::{sigmoid, softplus},
    nn::{Activation, Parameter, Parameters, ParametersBuilder, Plan, Scratch, Tape},
    optim::{Adam, AdamConfig, Optimizer as _},
};
use gymnast_envs::Rng;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use crate::networks::learned::{Descent, backend, refused};
pub(super) use bounds::Bounded;

/// How strongly the bounds of log σ² are drawn together.
const BOUNDS_WEIGHT: f32 = 0.01;

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
    /// Of each member.
    plans: Vec<Plan>,
    activation: Activation,
    max_log_var: Parameter, // [E, 1, T]
    min_log_var: Parameter, // [E, 1, T]
    parameters: Parameters,
    optimizer: Adam,
    weight_decay: f64,
    targets: usize,
    tape: Tape,
    by_row: Vec<f32>, // [B, 2 T + 1], of one member
    bounded: Bounded,
}

/// One layer of every member.
struct Layer {
    weight: Parameter, // [E, in, out]
    bias: Parameter,   // [E, 1, out]
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
        let plan = |member| {
            layers.iter().enumerate().fold(Plan::new(inputs), |plan, (i, layer)| {
                let is_last = i + 1 == layers.len();
                let activation = if is_last { Activation::Identity } else { activation };
                let [weight, bias] =
                    [&layer.weight, &layer.bias].map(|all| own(all, member, members));
                plan.then_at(weight, bias, activation)
            })
        };
        Ok(Self {
            plans: (0..members).map(plan).collect(),
            layers,
            activation,
            max_log_var,
            min_log_var,
            parameters,
            optimizer,
            weight_decay,
            targets,
            tape: Tape::default(),
            by_row: Vec::new(),
            bounded: Bounded::default(),
        })
    }

    pub(super) fn members(&self) -> usize {
        self.plans.len()
    }

    /// The architecture, for a checkpoint.
    fn description(&self) -> String {
        let shapes = self.parameters.shapes();
        format!("an ensemble of {}, {}, shapes {shapes:?}", self.members(), self.activation.name())
    }

    /// What a member says of `n` rows `[n, in]`: `rows` becomes `[n, 2 T + 1]`, T means, T log σ² before
    /// they are [bent](Self::bend) and the logit of an end.
    pub(super) fn predict(
        &self,
        member: usize,
        input: &[f32],
        n: usize,
        scratch: &mut Scratch,
        rows: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let (plan, values) = (&self.plans[member], self.parameters.values());
        rows.resize(n * plan.outputs(), 0.0);
        plan.run(values, input, n, scratch, rows).map_err(backend)
    }

    /// Bends the log σ² of what a member said, so that they lie between its bounds.
    pub(super) fn bend(&self, member: usize, rows: &mut [f32], bounded: &mut Bounded) {
        let (values, t) = (self.parameters.values(), self.targets);
        let [min, max] = [&self.min_log_var, &self.max_log_var]
            .map(|all| &values[own(all, member, self.members())]);
        bounded.bend(rows, min, max);
        let bent = bounded.value.chunks_exact(t);
        let rows = rows.chunks_exact_mut(2 * t + 1).zip(bent);
        rows.for_each(|(row, bent)| row[t..2 * t].copy_from_slice(bent));
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
        input: &[f32],
        target: &[f32],
        end: Option<&[f32]>,
        descent: Descent,
    ) -> Result<f64, AgentError> {
        let Descent { rate, env_steps } = descent;
        let (members, t) = (self.members(), self.targets);
        let batch = target.len() / (members * t);
        let Self { plans, parameters, tape, by_row, bounded, max_log_var, min_log_var, .. } = self;
        parameters.zero_grad();
        let (values, gradients) = parameters.values_and_gradients_mut();
        let mut nll = 0.0;
        for (member, plan) in plans.iter().enumerate() {
            let rows = member * batch..(member + 1) * batch;
            let input = &input[rows.start * plan.inputs()..rows.end * plan.inputs()];
            plan.forward(values, input, batch, tape).map_err(backend)?;
            let bounds = [&*min_log_var, &*max_log_var].map(|all| own(all, member, members));
            let [min, max] = bounds.clone().map(|own| &values[own]);
            bounded.bend(tape.outputs(), min, max);
            let mut by_bounds = vec![[0.0, 0.0]; t];
            by_row.clear();
            for (place, said) in tape.outputs().chunks_exact(2 * t + 1).enumerate() {
                let row = rows.start + place;
                let from = by_row.len();
                by_row.resize(from + said.len(), 0.0);
                let (by_mean, by_rest) = by_row[from..].split_at_mut(t);
                for i in 0..t {
                    let log_var = bounded.value[place * t + i];
                    let (loss, slopes) = gaussian_nll(said[i], log_var, target[row * t + i]);
                    nll += f64::from(loss) / (batch * t) as f64;
                    let [mean, by_log_var] = slopes.map(|slope| slope / (batch * t) as f32);
                    let [by_x, by_min, by_max] = bounded.slopes(place * t + i);
                    (by_mean[i], by_rest[i]) = (mean, by_log_var * by_x);
                    by_bounds[i][0] += by_log_var * by_min;
                    by_bounds[i][1] += by_log_var * by_max;
                }
                if let Some(end) = end {
                    let (loss, slope) = bernoulli_nll(said[2 * t], end[row]);
                    nll += f64::from(loss) / batch as f64;
                    by_rest[t] = slope / batch as f32;
                }
            }
            plan.backward(values, by_row, tape, gradients).map_err(backend)?;
            // The bounds are drawn together.
            for (i, [by_min, by_max]) in by_bounds.into_iter().enumerate() {
                gradients[bounds[0].start + i] += by_min - BOUNDS_WEIGHT;
                gradients[bounds[1].start + i] += by_max + BOUNDS_WEIGHT;
            }
        }
        if self.weight_decay > 0.0 {
            for weight in self.layers.iter().map(|layer| layer.weight.range()) {
                let pairs = gradients[weight.clone()].iter_mut().zip(&values[weight]);
                pairs.for_each(|(slope, w)| *slope += self.weight_decay as f32 * w);
            }
        }
        let norm = self.optimizer.descend(&mut self.parameters, rate, None);
        norm.map_err(|error| refused(error, env_steps))?;
        Ok(nll / members as f64)
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
            let own = own(parameter, member, self.members());
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

/// Where one of `members` has its share of a parameter.
fn own(parameter: &Parameter, member: usize, members: usize) -> Range<usize> {
    let (start, length) = (parameter.range().start, parameter.range().len() / members);
    start + member * length..start + (member + 1) * length
}

/// Twice the negative log-likelihood of a normal distribution without its constant:
/// (y − μ)² / σ² + log σ² (Chua et al. 2018, section 4, for a diagonal Σ), and its gradient by μ and log σ².
fn gaussian_nll(mean: f32, log_var: f32, target: f32) -> (f32, [f32; 2]) {
    let (error, precision) = (mean - target, (-log_var).exp());
    let square = error * error * precision;
    (square + log_var, [2.0 * error * precision, 1.0 - square])
}

/// The negative log-likelihood of an end, 1 or 0, of a Bernoulli distribution, log(1 + eˣ) − x y for
/// the logit x, and its gradient by x.
fn bernoulli_nll(logit: f32, end: f32) -> (f32, f32) {
    (softplus(logit) - logit * end, sigmoid(logit) - end)
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
