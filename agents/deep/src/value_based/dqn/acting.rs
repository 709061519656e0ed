//! DQN acts: ε-greedy, by noisy weights, or greedily, among the actions that are allowed.

use std::ops::Range;

use gymnast_core::nn::{Network as _, Noise, Scratch};
use gymnast_envs::{FeatureSpace, FiniteSpace, Rng};
use gymnast_harness::{AgentError, Mode, Policy};
use rand::{RngExt as _, seq::IteratorRandom as _};

use super::Dqn;
use crate::{mathematics::targets::greedy, networks::learned::features};

/// What acting writes to, kept from call to call.
#[derive(Default)]
pub(super) struct Acting {
    written: Vec<f32>, // [N, width], of observations that do not lie as features
    noise: Option<Noise>,
    weights: Vec<f32>, // with the noise
    outputs: Vec<f32>, // [N, A · atoms]
    q: Vec<f32>,       // [N, A]
    scratch: Scratch,
}

impl Acting {
    /// Nothing written yet; `noise` is that of the network which acts.
    pub(super) fn new(noise: Option<Noise>) -> Self {
        Self { noise, ..Self::default() }
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Dqn<O, A> {
    /// Writes the mean of every action's return, `[N, A]`, in scaled rewards, by the weights that
    /// exploit.
    pub(crate) fn write_values(&self, observations: &[O::Element], q: &mut Vec<f32>) {
        let acting = &mut *self.acting.borrow_mut();
        let mut unused = self.noise_rng.clone(); // nothing is drawn to exploit
        let (_, values) = self.evaluate(observations, Mode::Exploit, &mut unused, acting);
        values.clone_into(q);
    }

    /// Returns the observations' features, `[N, width]`, and the values of the actions, `[N, A]`.
    fn evaluate<'a>(
        &self,
        observations: &'a [O::Element],
        mode: Mode,
        rng: &mut Rng,
        acting: &'a mut Acting,
    ) -> (&'a [f32], &'a [f32]) {
        let n = observations.len();
        let Acting { written, noise, weights, outputs, q, scratch } = acting;
        let features = features(&self.observation_space, observations, written);
        let network = if mode == Mode::Exploit { self.network() } else { &self.online };
        // Of noisy weights these are the means, which exploit.
        let mut values = network.parameters().values();
        if let Some(noise) = noise.as_mut().filter(|_| mode == Mode::Explore) {
            noise.draw(rng);
            weights.resize(network.parameters().effective().len(), 0.0);
            noise.apply(values, weights);
            values = weights;
        }
        outputs.resize(n * network.outputs(), 0.0);
        // Without a plan there is no noise, and the parameters are what it evaluates by.
        match network.plan() {
            Some(plan) => plan.run(values, features, n, scratch, outputs),
            None => network.evaluate(features, n, scratch, outputs),
        }
        .expect("the features have the network's width");
        self.values.write_q(outputs, q);
        (features, q)
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Policy<O, A> for Dqn<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        let (width, n_actions) = (self.observation_space.width(), self.action_space.size());
        let acting = &mut *self.acting.borrow_mut();
        let (features, q) = self.evaluate(observations, mode, rng, acting);
        let epsilon = if mode == Mode::Explore { self.epsilon() } else { 0.0 };
        let mask = self.observation_space.action_mask();
        AgentError::check_outputs(q)?;
        actions.clear();
        actions.extend(q.chunks_exact(n_actions).zip(features.chunks_exact(width)).map(
            |(q, features)| {
                let allowed = allowed(features, mask.as_ref());
                let explores = epsilon > 0.0 && rng.random::<f64>() < epsilon;
                // None is greedy where none is allowed.
                let greedy = if explores { None } else { greedy(q, allowed) };
                let action = greedy.unwrap_or_else(|| random(n_actions, allowed, rng));
                self.action_space.element(action)
            },
        ));
        Ok(())
    }
}

/// Any action that is allowed; any at all where none is.
fn random(n_actions: usize, allowed: Option<&[f32]>, rng: &mut Rng) -> usize {
    let allowed = allowed.map(|allowed| (0..n_actions).filter(|&action| allowed[action] > 0.0));
    let chosen = allowed.and_then(|actions| actions.choose(rng));
    chosen.unwrap_or_else(|| rng.random_range(0..n_actions))
}

/// The action mask of an observation's features, where it has one.
pub(super) fn allowed<'a>(features: &'a [f32], mask: Option<&Range<usize>>) -> Option<&'a [f32]> {
    mask.map(|mask| &features[mask.clone()])
}
