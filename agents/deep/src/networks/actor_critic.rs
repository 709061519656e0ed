//! A policy and a value function, as every policy-gradient agent here has them.

mod acting;
mod average;
mod checkpoint;
mod config;
mod exploiting;
mod gradient;

use std::cell::RefCell;

use gymnast_core::{
    init::{Fans, Init},
    nn::{Compiled, Engine, Parameter, Parameters, ParametersBuilder},
    optim::Optimizer,
};
use gymnast_envs::{Experience, FeatureSpace, Rng, Space, wrappers::RunningMeanStd};
use gymnast_harness::AgentError;
use tch::Tensor;

pub(crate) use config::search_ranges;
pub use config::{ActorCriticConfig, LEAST_LOG_STD};
pub use gradient::Pass;

use acting::Acting;
use average::WeightAverage;
use exploiting::Exploiting;

use crate::{
    distributions::{
        action_mask::ActionMask,
        policy_head::{PolicyHead, Rows},
    },
    networks::{
        learned::{Descent, backend, refused},
        network::{BuildNetwork, Role, Wanted, check_module, dropout_seed, misengined, misfit},
    },
};

/// So many rows at a time keep what flows between layers in the nearer caches.
const ROWS_AT_ONCE: usize = 256;

/// The variance of an observation's number never counts as less.
const LEAST_VARIANCE: f64 = 1e-8;
/// Normalised observations are clipped to ± this.
const FARTHEST: f64 = 10.0;

/// Two separate networks, whose parameters lie in one vector: one optimiser, one norm to clip.
///
/// Hidden layers are orthogonal with gain √2, the policy's last with 0.01 (at first all actions are alike)
/// and the value's with 1; biases are zero. An encoder and a head from the settings begin as those say. Where observations hold an
/// [action mask](FeatureSpace::action_mask), the policy is over the allowed actions. The observations'
/// statistics change with what is learned from and never in acting, and lie in the checkpoint.
pub struct ActorCritic<O, H> {
    observation_space: O,
    head: H,
    /// Where the observations say which actions are allowed, and the head has one output for each.
    mask: Option<ActionMask>,
    policy: Compiled,
    value: Compiled,
    shared: Parameter,
    parameters: Parameters,
    average: Option<WeightAverage>,
    /// The policy by the average, where it has no plan to be evaluated by any weights.
    averaged: Option<Exploiting>,
    min_log_std: f32,
    statistics: Option<RunningMeanStd>,
    acting: RefCell<Acting>,
}

impl<O: FeatureSpace, H: PolicyHead> ActorCritic<O, H> {
    /// Networks that have learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        head: H,
        config: &ActorCriticConfig,
        rng: &mut Rng,
    ) -> Result<Self, AgentError> {
        Self::with_network(observation_space, head, config, rng, &config.builder()?)
    }

    /// The same with a policy and a value function that `build` builds, whatever the settings say of
    /// their layers.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    pub fn with_network(
        observation_space: O,
        head: H,
        config: &ActorCriticConfig,
        rng: &mut Rng,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        config.check()?;
        let log_std = config.log_std;
        let (width, parts) = (observation_space.width(), observation_space.parts());
        let places = observation_space.action_mask().filter(|_| head.is_over_actions());
        let mask = places.map(|places| ActionMask::new(places, head.outputs())).transpose()?;
        let mut builder = ParametersBuilder::new();
        let seed = dropout_seed(rng);
        let mut declare = |name, role, outputs, dropout_seed| -> Result<Compiled, AgentError> {
            builder.prefix(name);
            let wanted = Wanted { role, parts: &parts, outputs, dropout_seed };
            let module = build(&wanted, &mut builder).map_err(misfit)?;
            check_module(&*module, &wanted)?;
            let mut network = Compiled::new(module);
            let engine = config.engine;
            network.set_engine(engine).map_err(|error| misengined(engine, error))?;
            Ok(network)
        };
        let policy = declare("policy", Role::Policy, head.outputs(), seed)?;
        let value = declare("value", Role::Value, 1, seed.wrapping_add(1))?;
        builder.prefix("");
        let (init, fans) = (
            Init::Constant { value: log_std as f32 },
            Fans { fan_in: 1, fan_out: 1 }, // of no meaning to a constant
        );
        let shared = builder.parameter(&[head.shared()], init, fans).map_err(backend)?;
        let parameters = builder.build(rng).map_err(backend)?;
        let average = WeightAverage::new(config.average, parameters.values());
        let averaged = if average.is_some() && policy.plan().is_none() {
            let wanted = Wanted {
                role: Role::Policy,
                parts: &parts,
                outputs: head.outputs(),
                dropout_seed: seed,
            };
            Some(Exploiting::new(&wanted, build, &parameters)?)
        } else {
            None
        };
        Ok(Self {
            average,
            averaged,
            min_log_std: config.min_log_std as f32,
            parameters,
            statistics: config.normalize_observations.then(|| RunningMeanStd::new(width)),
            acting: RefCell::default(),
            observation_space,
            head,
            mask,
            policy,
            value,
            shared,
        })
    }

    /// The parameters of both networks and of the head.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The parameters, to change.
    pub fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    /// Updates what follows the parameters: the bound on the deviation and the average of the weights.
    /// Call after every optimiser step.
    pub fn follow_update(&mut self) {
        let (shared, least) = (self.shared.range(), self.min_log_std);
        let shared = &mut self.parameters.values_mut()[shared];
        // No `max`, which would hide NaN.
        shared.iter_mut().filter(|x| **x < least).for_each(|x| *x = least);
        if let Some(average) = &mut self.average {
            average.follow(self.parameters.values());
        }
        self.follow_average();
    }

    /// Takes one step down the gradient that [`backward`](Self::backward) set, its norm clipped to
    /// `max_grad_norm`, and [follows it](Self::follow_update). Returns the norm before clipping.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where the gradient or its square is not finite.
    pub fn descend(
        &mut self,
        optimizer: &mut dyn Optimizer,
        descent: Descent,
        max_grad_norm: f64,
    ) -> Result<f64, AgentError> {
        let Descent { rate, env_steps } = descent;
        let norm = optimizer.descend(&mut self.parameters, rate, Some(max_grad_norm as f32));
        let norm = norm.map_err(|error| refused(error, env_steps))?;
        self.follow_update();
        Ok(f64::from(norm))
    }

    /// The weights that exploitation acts by: their average where one is kept.
    pub fn exploiting(&self) -> &[f32] {
        self.average.as_ref().map_or(self.parameters.values(), WeightAverage::weights)
    }

    /// The number of features of an observation.
    pub fn width(&self) -> usize {
        self.policy.module().inputs()
    }

    /// The numbers that an action stands as.
    pub fn action_width(&self) -> usize {
        self.head.action_width()
    }

    /// Checks that plain Rust evaluates and trains both networks, for threads.
    ///
    /// # Errors
    /// [`AgentError::Mismatch`] with the layers where only libtorch can train one of them.
    pub(crate) fn require_plan(&self) -> Result<(), AgentError> {
        for network in [&self.policy, &self.value] {
            if network.engine() == Engine::Libtorch {
                let what = "the layers that train on threads";
                let expected = "those that plain Rust trains, without dropout".to_owned();
                let got = network.module().description();
                return Err(AgentError::Mismatch { what, expected, got });
            }
        }
        Ok(())
    }

    /// Whether plain Rust evaluates and trains both networks.
    pub fn trains_by_plan(&self) -> bool {
        [&self.policy, &self.value].iter().all(|network| network.engine() != Engine::Libtorch)
    }

    /// Where the policy's parameters lie, without the value function's: what acting needs.
    pub fn policy_range(&self) -> std::ops::Range<usize> {
        let ranges = self.parameters.ranges_where(|name| name.starts_with("policy."));
        0..ranges.last().map_or(0, |range| range.end)
    }

    /// Where the last layers of the policy and of the value function lie, with the head's shared
    /// parameters: what is trained on top of features that stay.
    pub fn last_layers(&self) -> Vec<std::ops::Range<usize>> {
        let last = |network: &Compiled| {
            let (weight, bias) = network.module().linear().last().map(|layer| layer.ranges())?;
            Some([weight, bias])
        };
        let layers = [last(&self.policy), last(&self.value)];
        layers.into_iter().flatten().flatten().chain([self.shared.range()]).collect()
    }

    /// Writes an observation as the networks read it.
    pub fn write_features(&self, observation: &O::Element, features: &mut [f32]) {
        self.observation_space.flatten(observation, features);
        if let Some(statistics) = &self.statistics {
            let moments = statistics.mean().iter().zip(statistics.var());
            let is_mask = |i: usize| self.mask.as_ref().is_some_and(|mask| mask.holds(i));
            let numbers = features.iter_mut().zip(moments).enumerate();
            for (_, (x, (mean, var))) in numbers.filter(|&(i, _)| !is_mask(i)) {
                let deviations = (f64::from(*x) - mean) / (var + LEAST_VARIANCE).sqrt();
                *x = deviations.clamp(-FARTHEST, FARTHEST) as f32;
            }
        }
    }

    /// Writes the action of environment `i` as numbers: as it was drawn, before it was clipped for
    /// the environment; as it was taken, where that was another one.
    pub fn write_action(
        &self,
        i: usize,
        taken: &<H::ActionSpace as Space>::Element,
        action: &mut [f32],
    ) {
        let places = i * action.len()..(i + 1) * action.len();
        match self.acting.borrow().drawn.get(places) {
            Some(drawn) if self.head.element(drawn) == *taken => action.copy_from_slice(drawn),
            _ => self.head.write(taken, action),
        }
    }

    /// Takes the observations of these transitions into the statistics that normalise them.
    ///
    /// # Errors
    /// [`AgentError::Env`] where an observation is not finite.
    pub fn observe(
        &mut self,
        experience: &Experience<O, H::ActionSpace>,
    ) -> Result<(), AgentError> {
        let Some(statistics) = &mut self.statistics else { return Ok(()) };
        let features = &mut self.acting.get_mut().features;
        features.resize(self.policy.module().inputs(), 0.0);
        for i in (0..experience.len()).filter(|&i| !experience.is_reset[i]) {
            self.observation_space.flatten(&experience.observations[i], features);
            statistics.update(features)?;
        }
        Ok(())
    }

    /// The values of rows of features, in evaluation mode.
    pub fn values(&self, features: &[f32], values: &mut Vec<f32>) {
        values.resize(features.len() / self.width(), 0.0);
        let scratch = &mut self.acting.borrow_mut().scratch;
        let rows = features.chunks(ROWS_AT_ONCE * self.width());
        for (features, values) in rows.zip(values.chunks_mut(ROWS_AT_ONCE)) {
            self.value
                .run(self.parameters.values(), features, values.len(), scratch, values)
                .expect("the features have the network's width");
        }
    }

    /// The log-probabilities of actions in rows of features, in evaluation mode.
    pub fn log_probs(&self, features: &[f32], actions: &[f32], log_probs: &mut Vec<f32>) {
        log_probs.resize(features.len() / self.width(), 0.0);
        let Acting { outputs, scratch, .. } = &mut *self.acting.borrow_mut();
        let parameters = self.parameters.values();
        let shared = &parameters[self.shared.range()];
        let rows = features
            .chunks(ROWS_AT_ONCE * self.width())
            .zip(actions.chunks(ROWS_AT_ONCE * self.action_width()));
        for ((features, actions), log_probs) in rows.zip(log_probs.chunks_mut(ROWS_AT_ONCE)) {
            outputs.resize(log_probs.len() * self.head.outputs(), 0.0);
            self.policy
                .run(parameters, features, log_probs.len(), scratch, outputs)
                .expect("the features have the network's width");
            if let Some(mask) = &self.mask {
                mask.apply(features, outputs);
            }
            self.head.evaluate(Rows { outputs, shared, actions }, log_probs);
        }
    }

    /// The value of one observation, in evaluation mode.
    pub fn value_of(&self, observation: &O::Element) -> f32 {
        let mut features = vec![0.0; self.width()];
        let mut value = Vec::with_capacity(1);
        self.write_features(observation, &mut features);
        self.values(&features, &mut value);
        value[0]
    }

    /// The values of `[B, width]` features, differentiable: `[B]`.
    pub fn value(&self, features: &Tensor) -> Tensor {
        self.value.module().forward(features, true).squeeze_dim(1)
    }

    /// The log-probabilities of B actions in `[B, width]` features, `[B]`, and the policy's mean
    /// entropy there, `[]`, both differentiable.
    pub fn log_prob_and_entropy(&self, features: &Tensor, actions: &[f32]) -> (Tensor, Tensor) {
        let outputs = self.policy.module().forward(features, true); // [B, outputs]
        let outputs = match &self.mask {
            Some(mask) => mask.masked(features, &outputs),
            None => outputs,
        };
        self.head.log_prob_and_entropy(&outputs, &self.shared.tensor(), actions)
    }

    /// Rows of features as a tensor: `[B, width]`.
    pub fn tensor(&self, features: &[f32]) -> Tensor {
        Tensor::from_slice(features).view([-1, self.width() as i64])
    }
}

#[cfg(test)]
mod tests;
