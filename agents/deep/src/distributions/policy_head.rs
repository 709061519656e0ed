//! Policy heads: a network's outputs as a distribution over actions.
//!
//! The kinds of heads let one agent serve finite, multi-discrete and real-valued actions. Acting and
//! learning are plain Rust on slices, as a call into libtorch costs more than the arithmetic; for
//! losses that libtorch is to differentiate there is the same in its terms.

mod control_space;
mod multi_categorical;

use std::f64::consts::{E, TAU};

use gymnast_core::likelihood::{largest, log_sum_exp};
use gymnast_envs::{BoundedSpace, FiniteSpace, Rng, Space};
use rand::RngExt as _;
use rand_distr::{Distribution as _, StandardNormal};
use tch::{Kind, Tensor};

pub use control_space::ControlSpace;
pub use multi_categorical::MultiCategorical;

use crate::mathematics::targets::argmax;

/// B states and the actions taken there, as a head reads them.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The network's outputs: `[B, outputs]`.
    pub outputs: &'a [f32],
    /// The shared parameters.
    pub shared: &'a [f32],
    /// `[B, action_width]`.
    pub actions: &'a [f32],
}

/// A family of distributions over the actions of a space.
///
/// An action is represented by a row of [`action_width`](Self::action_width) numbers, as it was drawn: a
/// real-valued one is clipped on its way to the environment and nowhere else, so that its
/// probability is the one that it was drawn with.
pub trait PolicyHead: Send {
    /// The space of actions.
    type ActionSpace: Space;

    /// The number of outputs that the network has for one state.
    fn outputs(&self) -> usize;

    /// The number of parameters beside the network's, the same for all states.
    fn shared(&self) -> usize;

    /// The number of numbers that represent an action.
    fn action_width(&self) -> usize;

    /// Whether the outputs are logits, one for each action, so that an
    /// [action mask](gymnast_envs::FeatureSpace::action_mask) can forbid some.
    fn is_over_actions(&self) -> bool;

    /// Describes the family and its actions completely: a checkpoint loads only into the same.
    fn description(&self) -> String;

    /// Whether a row of [`action_width`](Self::action_width) numbers represents an action: one from a
    /// damaged checkpoint may not.
    fn is_action(&self, action: &[f32]) -> bool;

    /// Draws an action, given a row of outputs and the shared parameters.
    fn sample(&self, outputs: &[f32], shared: &[f32], rng: &mut Rng, action: &mut [f32]);

    /// The likeliest action.
    fn mode(&self, outputs: &[f32], action: &mut [f32]);

    /// The action as the environment takes it.
    fn element(&self, action: &[f32]) -> <Self::ActionSpace as Space>::Element;

    /// Writes an action that the environment took as numbers.
    fn write(&self, element: &<Self::ActionSpace as Space>::Element, action: &mut [f32]);

    /// Writes the log-probability of each action, `[B]`. Returns the distributions' mean entropy.
    fn evaluate(&self, rows: Rows<'_>, log_prob: &mut [f32]) -> f64;

    /// From a loss's gradient by what [`evaluate`](Self::evaluate) said, `[B]` and one number, to
    /// that by the outputs, which is written, and by the shared parameters, to which it is added.
    fn backward(
        &self,
        rows: Rows<'_>,
        by_log_prob: &[f32],
        by_entropy: f32,
        by_outputs: &mut [f32],
        by_shared: &mut [f32],
    );

    /// The same as [`evaluate`](Self::evaluate), differentiable by libtorch: `[B]` and `[]`.
    /// `outputs` is `[B, outputs]`, `shared` `[shared]`, `actions` holds B rows.
    fn log_prob_and_entropy(
        &self,
        outputs: &Tensor,
        shared: &Tensor,
        actions: &[f32],
    ) -> (Tensor, Tensor);
}

/// One probability for each action of a finite space; the outputs are logits.
#[derive(Clone, Debug)]
pub struct Categorical<A>(A);

impl<A: FiniteSpace> Categorical<A> {
    /// Creates the distributions over the actions of this space.
    pub fn new(action_space: A) -> Self {
        Self(action_space)
    }
}

impl<A: FiniteSpace> PolicyHead for Categorical<A> {
    type ActionSpace = A;

    fn outputs(&self) -> usize {
        self.0.size()
    }

    fn shared(&self) -> usize {
        0
    }

    fn action_width(&self) -> usize {
        1
    }

    fn is_over_actions(&self) -> bool {
        true
    }

    fn description(&self) -> String {
        format!("one of {} actions", self.outputs())
    }

    fn is_action(&self, action: &[f32]) -> bool {
        matches!(action, &[number] if is_number_below(number, self.outputs()))
    }

    fn sample(&self, logits: &[f32], _shared: &[f32], rng: &mut Rng, action: &mut [f32]) {
        action[0] = draw(logits, rng) as f32;
    }

    fn mode(&self, logits: &[f32], action: &mut [f32]) {
        action[0] = likeliest(logits);
    }

    fn element(&self, action: &[f32]) -> A::Element {
        self.0.element(action[0] as usize)
    }

    fn write(&self, element: &A::Element, action: &mut [f32]) {
        action[0] = self.0.index_of(element) as f32;
    }

    fn evaluate(&self, Rows { outputs, actions, .. }: Rows<'_>, log_prob: &mut [f32]) -> f64 {
        let logits = outputs.chunks_exact(self.outputs());
        let mut entropy = 0.0;
        for ((logits, &action), log_prob) in logits.zip(actions).zip(log_prob) {
            let of_row;
            (*log_prob, of_row) = evaluate_logits(logits, action as usize);
            entropy += f64::from(of_row);
        }
        entropy / actions.len() as f64
    }

    fn backward(
        &self,
        Rows { outputs, actions, .. }: Rows<'_>,
        by_log_prob: &[f32],
        by_entropy: f32,
        by_outputs: &mut [f32],
        _by_shared: &mut [f32],
    ) {
        let by_entropy = by_entropy / actions.len() as f32; // of each
        let rows = outputs.chunks_exact(self.outputs()).zip(actions).zip(by_log_prob);
        let by_rows = by_outputs.chunks_exact_mut(self.outputs());
        for (((logits, &action), &by_log_prob), by_logits) in rows.zip(by_rows) {
            backward_logits(logits, action as usize, by_log_prob, by_entropy, by_logits);
        }
    }

    fn log_prob_and_entropy(
        &self,
        logits: &Tensor,
        _shared: &Tensor,
        actions: &[f32],
    ) -> (Tensor, Tensor) {
        log_prob_and_entropy(logits, actions.iter().copied())
    }
}

/// The number of the likeliest action; 0 of logits that are NaN, by which no agent acts.
fn likeliest(logits: &[f32]) -> f32 {
    argmax(logits).unwrap_or(0) as f32
}

/// Whether it is one of the whole numbers from 0 on that are below `n`.
fn is_number_below(number: f32, n: usize) -> bool {
    number >= 0.0 && number.fract() == 0.0 && (number as usize) < n
}

/// Draws the number of an action.
fn draw(logits: &[f32], rng: &mut Rng) -> usize {
    let greatest = largest(logits);
    let weight = |&logit: &f32| (logit - greatest).exp();
    let mut left = rng.random::<f32>() * logits.iter().map(weight).sum::<f32>();
    let drawn = logits.iter().position(|logit| {
        left -= weight(logit);
        left < 0.0
    });
    // Rounding may leave a little after the last, which is the last that can be drawn at all.
    drawn.or_else(|| logits.iter().rposition(|logit| weight(logit) > 0.0)).unwrap_or(0)
}

/// The log-probability of each of B actions, `[B]`, and the mean entropy, `[]`, of `[B, A]` logits.
fn log_prob_and_entropy(
    logits: &Tensor,
    actions: impl ExactSizeIterator<Item = f32>,
) -> (Tensor, Tensor) {
    let batch = actions.len();
    let log_probs = logits.log_softmax(-1, Kind::Float); // [B, A]
    // `take` counts through all rows; its gradient costs less than `gather`'s.
    let rows = (0..).step_by(logits.size()[1] as usize);
    let places = rows.zip(actions).map(|(row, action)| row + action as i64);
    let places = Tensor::from_slice(&places.collect::<Vec<i64>>()); // [B]
    let entropy = -(log_probs.exp() * &log_probs).sum(Kind::Float) / batch as f64; // []
    (log_probs.take(&places), entropy)
}

/// The log-probability of an action, and the entropy of all.
fn evaluate_logits(logits: &[f32], action: usize) -> (f32, f32) {
    let normalizer = log_sum_exp(logits);
    (logits[action] - normalizer, -mean_log_prob(logits, normalizer))
}

/// The gradient by the logits. With p the probabilities and H their entropy, ln p(a) differentiated by
/// logit j is 1 for j = a, else 0, minus p(j); and H is −p(j) (ln p(j) + H).
fn backward_logits(
    logits: &[f32],
    action: usize,
    by_log_prob: f32,
    by_entropy: f32,
    by_logits: &mut [f32],
) {
    let normalizer = log_sum_exp(logits);
    let mut entropy = -0.0;
    for (p, logit) in by_logits.iter_mut().zip(logits) {
        let log_p = logit - normalizer;
        *p = log_p.exp();
        entropy -= *p * log_p;
    }
    for (p, logit) in by_logits.iter_mut().zip(logits) {
        *p *= -(by_log_prob + by_entropy * (logit - normalizer + entropy));
    }
    by_logits[action] += by_log_prob;
}

/// Σ p ln p: the entropy with its sign turned.
fn mean_log_prob(logits: &[f32], normalizer: f32) -> f32 {
    logits.iter().map(|logit| logit - normalizer).map(|log_p| log_p.exp() * log_p).sum()
}

/// A normal distribution for each number of a box: the outputs are the means, and the logarithms
/// of the standard deviations are shared by all states.
#[derive(Clone, Debug)]
pub struct DiagonalGaussian<A> {
    action_space: A,
    width: usize,
}

impl<A: BoundedSpace> DiagonalGaussian<A> {
    /// Creates the distributions over the actions of this space.
    pub fn new(action_space: A) -> Self {
        Self { width: action_space.width(), action_space }
    }
}

impl<A: BoundedSpace> PolicyHead for DiagonalGaussian<A> {
    type ActionSpace = A;

    fn outputs(&self) -> usize {
        self.width
    }

    fn shared(&self) -> usize {
        self.width
    }

    fn action_width(&self) -> usize {
        self.width
    }

    fn is_over_actions(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        format!("{} normal numbers", self.width)
    }

    fn is_action(&self, action: &[f32]) -> bool {
        action.len() == self.width && action.iter().all(|x| x.is_finite())
    }

    fn sample(&self, mean: &[f32], log_std: &[f32], rng: &mut Rng, action: &mut [f32]) {
        for ((action, mean), log_std) in action.iter_mut().zip(mean).zip(log_std) {
            let noise: f32 = StandardNormal.sample(rng);
            *action = mean + log_std.exp() * noise;
        }
    }

    fn mode(&self, mean: &[f32], action: &mut [f32]) {
        action.copy_from_slice(mean);
    }

    fn element(&self, action: &[f32]) -> A::Element {
        self.action_space.clip(action)
    }

    fn write(&self, element: &A::Element, action: &mut [f32]) {
        self.action_space.flatten(element, action);
    }

    fn evaluate(&self, Rows { outputs, shared, actions }: Rows<'_>, log_prob: &mut [f32]) -> f64 {
        let (means, actions) = (outputs.chunks_exact(self.width), actions.chunks_exact(self.width));
        let log_scale: f32 = shared.iter().sum();
        let width = self.width as f64;
        let constant = log_scale + (0.5 * width * TAU.ln()) as f32;
        for ((mean, action), log_prob) in means.zip(actions).zip(log_prob) {
            let z = action.iter().zip(mean).zip(shared).map(|((a, m), s)| (a - m) * (-s).exp());
            *log_prob = -0.5 * z.map(|z| z * z).sum::<f32>() - constant;
        }
        f64::from(log_scale) + 0.5 * width * (TAU * E).ln()
    }

    /// With z = (a − μ) / σ, ln p(a) differentiated by μ is z / σ, and by ln σ it is z² − 1; the
    /// entropy is differentiated by ln σ alone, 1.
    fn backward(
        &self,
        Rows { outputs, shared, actions }: Rows<'_>,
        by_log_prob: &[f32],
        by_entropy: f32,
        by_outputs: &mut [f32],
        by_shared: &mut [f32],
    ) {
        let (means, actions) = (outputs.chunks_exact(self.width), actions.chunks_exact(self.width));
        let rows = means.zip(actions).zip(by_log_prob);
        for (((mean, action), by_log_prob), by_mean) in
            rows.zip(by_outputs.chunks_exact_mut(self.width))
        {
            for i in 0..self.width {
                let precision = (-shared[i]).exp();
                let z = (action[i] - mean[i]) * precision;
                by_mean[i] = by_log_prob * z * precision;
                by_shared[i] += by_log_prob * (z * z - 1.0);
            }
        }
        by_shared.iter_mut().for_each(|g| *g += by_entropy);
    }

    fn log_prob_and_entropy(
        &self,
        mean: &Tensor,
        log_std: &Tensor,
        actions: &[f32],
    ) -> (Tensor, Tensor) {
        let width = self.width as f64;
        let actions = Tensor::from_slice(actions).view_as(mean); // [B, width]
        let z = (actions - mean) * log_std.neg().exp(); // [B, width]
        let log_scale = log_std.sum(Kind::Float); // []
        let squares = z.square().sum_dim_intlist(1, false, Kind::Float); // [B]
        let log_prob = squares * -0.5 - &log_scale - 0.5 * width * TAU.ln();
        (log_prob, log_scale + 0.5 * width * (TAU * E).ln())
    }
}

#[cfg(test)]
pub(crate) mod tests;
