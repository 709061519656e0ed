//! A2C: advantage actor-critic, the synchronous form of A3C.

mod config;

use gymnast_core::{
    nn::Parameters,
    optim::{Optimizer, RmsProp},
};
use gymnast_envs::{FeatureSpace, Seed};
use gymnast_harness::{AgentError, Metrics, checkpoint};

pub use config::A2cConfig;

use crate::{
    distributions::policy_head::PolicyHead,
    mathematics::{losses, returns},
    memory::rollout::{Rollout, gather},
    moment::Moment,
    networks::{
        actor_critic::{ActorCritic, Pass},
        network::Widths,
    },
    on_policy::{OnPolicyAgent, OnPolicyLearner, rms_prop},
};

/// Updates between two reports of metrics.
const METRICS_EVERY: u64 = 20;

/// The A2C agent. Its head says whether actions are finite ([`Categorical`](crate::Categorical)) or
/// real-valued ([`DiagonalGaussian`](crate::DiagonalGaussian)).
///
/// Source: Mnih et al., "Asynchronous methods for deep reinforcement learning" (2016), algorithm
/// S3, with all environments stepping at once in place of asynchronous workers (OpenAI Baselines):
///
/// ```text
/// for each T steps of N environments with policy π(·|s; θ):
///     R = r + γ R' to the T-th step or the episode's end, where γ V(s'; θ) stands for the rest,
///         or 0 where s' is terminal
///     L = mean (R − V) ln π(a|s; θ) − c₁ mean (R − V(s; θ))² + c₂ mean entropy of π(·|s; θ)
///     ascend the gradient of L with respect to θ; R − V in the first term is a constant
/// ```
///
/// As in the paper and in OpenAI Baselines: RMSprop with ε under the root; separate networks,
/// initialised orthogonally; the gradient's global norm clipped. The mean of squares starts from 0:
/// from TensorFlow's 1 it would take a thousand updates to come down to gradients as small as these.
///
/// Departures: a time limit is not an end, so an episode cut short is worth what its last state is
/// worth. Normalised observations are those of the agent, not of a wrapper:
/// their statistics lie in its checkpoint. Real-valued actions are clipped on the way to the
/// environment and learned from as they were drawn.
///
/// `average` exploits by the weights' running mean (Polyak and Juditsky, 1992), as a policy wanders
/// around a good one; `min_log_std` keeps the deviation of real-valued actions from shrinking to nothing.
/// `gae_lambda` below 1 and `normalize_advantage` estimate advantages as PPO does. All are off by default.
///
/// Metrics: `policy_loss`, `value_loss` (unweighted), `entropy`, `explained_variance` (of the
/// returns, by the values; where they vary), `grad_norm` (before clipping), `learning_rate`.
///
/// Settings: [`A2cConfig`]. What it shares with other agents: [`OnPolicyAgent`].
pub type A2c<O, H> = OnPolicyAgent<O, H, A2cLearner>;

/// How [`A2c`] learns from a rollout.
pub struct A2cLearner {
    config: A2cConfig,
    optimizer: RmsProp,
    learning: Learning,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Learning {
    // Of every row of the rollout:
    value: Vec<f32>,
    next_value: Vec<f32>,
    returns: Vec<f32>,
    // Of the transitions among them:
    batch: Batch,
    pass: Pass,
}

/// The transitions, in columns.
#[derive(Default)]
struct Batch {
    observation: Vec<f32>, // [B, width]
    action: Vec<f32>,      // [B, action_width]
    advantage: Vec<f32>,   // [B]
    value: Vec<f32>,       // [B]
    returns: Vec<f32>,     // [B]
}

impl OnPolicyLearner for A2cLearner {
    type Config = A2cConfig;
    type Memory = Rollout;

    fn new(config: &A2cConfig, parameters: &Parameters, _seed: Seed) -> Result<Self, AgentError> {
        config.check()?;
        Ok(Self {
            optimizer: rms_prop(config.rms_prop_alpha, config.rms_prop_eps, parameters)?,
            learning: Learning::default(),
            config: config.clone(),
        })
    }

    fn memory(config: &A2cConfig, num_envs: usize, widths: Widths) -> Result<Rollout, AgentError> {
        Rollout::new(config.n_steps, num_envs, widths.observation, widths.action)
    }

    fn optimizer_mut(&mut self) -> &mut dyn Optimizer {
        &mut self.optimizer
    }

    fn update<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &mut ActorCritic<O, H>,
        rollout: &Rollout,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError> {
        self.estimate(networks, rollout)?;
        let Learning { batch, pass, .. } = &mut self.learning;
        let Batch { observation, action, advantage, value, returns } = batch;
        networks.evaluate_policy(observation, action, pass);
        networks.evaluate_values(observation, pass);
        let policy_loss =
            losses::policy_gradient(&pass.log_prob, advantage, &mut pass.by_log_prob)?;
        let value_loss = losses::squared_error(&pass.value, returns, &mut pass.by_value)?;
        let A2cConfig { value_coefficient, entropy_coefficient, max_grad_norm, .. } = self.config;
        networks.backward(action, pass, value_coefficient, entropy_coefficient);

        let learning_rate = self.config.learning_rate.at(moment.progress);
        let descent = moment.descent(learning_rate);
        let grad_norm = networks.descend(&mut self.optimizer, descent, max_grad_norm)?;
        if !moment.update.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        let metrics = Metrics::new()
            .with("policy_loss", policy_loss)
            .with("value_loss", value_loss)
            .with("entropy", pass.entropy)
            .with("grad_norm", grad_norm)
            .with("learning_rate", learning_rate);
        let explained = returns::explained_variance(value, returns)?.into_iter();
        Ok(Some(explained.fold(metrics, |m, share| m.with("explained_variance", share))))
    }
}

impl A2cLearner {
    /// Gathers the rollout's transitions and what their actions were worth.
    fn estimate<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &ActorCritic<O, H>,
        rollout: &Rollout,
    ) -> Result<(), AgentError> {
        let Learning { value, next_value, returns, batch, .. } = &mut self.learning;
        networks.values(rollout.observations(), value);
        networks.values(rollout.next_observations(), next_value);
        let A2cConfig { gae_lambda, normalize_advantage, .. } = self.config;
        let steps = rollout.steps();
        if gae_lambda < 1.0 {
            returns::gae(&steps, value, next_value, gae_lambda, returns)?;
            returns.iter_mut().zip(&*value).for_each(|(advantage, value)| *advantage += value);
        } else {
            returns::bootstrapped(&steps, next_value, returns)?;
        }
        for (column, width, to) in [
            (rollout.observations(), networks.width(), &mut batch.observation),
            (rollout.actions(), networks.action_width(), &mut batch.action),
            (value, 1, &mut batch.value),
            (returns, 1, &mut batch.returns),
        ] {
            gather(rollout.transitions(), column, width, to);
        }
        batch.advantage.clear();
        let errors = batch.returns.iter().zip(&batch.value).map(|(r, v)| r - v);
        batch.advantage.extend(errors);
        if normalize_advantage {
            returns::normalize(&mut batch.advantage);
        }
        Ok(())
    }
}

checkpoint!(A2cLearner { part optimizer });
