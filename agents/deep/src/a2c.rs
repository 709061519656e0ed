//! A2C: advantage actor-critic, the synchronous form of A3C.

mod config;

use gymnast_core::{
    nn::Sequential,
    optim::{Optimizer as _, RmsProp, RmsPropConfig},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, Rng, Space};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, StateDict,
};

pub use config::A2cConfig;

use crate::{
    actor_critic::{ActorCritic, Pass},
    learned::{backend, refused},
    losses,
    network::{BuildNetwork, Networks},
    policy_head::PolicyHead,
    returns,
    rollout::Rollout,
};

/// Metrics are written once every so many updates.
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
/// Settings: [`A2cConfig`].
pub struct A2c<O, H> {
    config: A2cConfig,
    plan: Plan,
    networks: ActorCritic<O, H>,
    optimizer: RmsProp,
    rollout: Rollout,
    env_steps: u64,
    updates: u64,
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

impl<O: FeatureSpace, H: PolicyHead> A2c<O, H> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        head: H,
        config: A2cConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let build = config.networks().builder()?;
        Self::with_network(observation_space, head, config, plan, &build)
    }

    /// The same with a policy and a value function that `build` builds, whatever the settings say of
    /// their layers.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    pub fn with_network(
        observation_space: O,
        head: H,
        config: A2cConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        config.check()?;
        threads::single_threaded();
        let mut rng = plan.seed.child("init", 0).rng();
        let settings = config.networks();
        let networks =
            ActorCritic::with_network(observation_space, head, &settings, &mut rng, build)?;
        let (width, action_width) = (networks.width(), networks.action_width());
        let rms_prop = RmsPropConfig {
            alpha: config.rms_prop_alpha,
            eps: config.rms_prop_eps,
            eps_under_root: true,
            ..RmsPropConfig::default()
        };
        Ok(Self {
            optimizer: RmsProp::new(rms_prop, networks.parameters()).map_err(backend)?,
            rollout: Rollout::new(config.n_steps, plan.num_envs, width, action_width)?,
            env_steps: 0,
            updates: 0,
            learning: Learning::default(),
            plan: *plan,
            config,
            networks,
        })
    }

    /// Learns from a full rollout. Returns metrics where they are due.
    fn update(&mut self) -> Result<Option<Metrics>, AgentError> {
        self.estimate()?;
        let (networks, Learning { batch, pass, .. }) = (&mut self.networks, &mut self.learning);
        let Batch { observation, action, advantage, value, returns } = batch;
        if advantage.is_empty() {
            return Ok(None); // nothing but resets
        }
        networks.evaluate_policy(observation, action, pass);
        networks.evaluate_values(observation, pass);
        let policy_loss =
            losses::policy_gradient(&pass.log_prob, advantage, &mut pass.by_log_prob)?;
        let value_loss = losses::squared_error(&pass.value, returns, &mut pass.by_value)?;
        let A2cConfig { value_coefficient, entropy_coefficient, .. } = self.config;
        networks.backward(action, pass, value_coefficient, entropy_coefficient);

        let learning_rate = self.config.learning_rate.at(self.plan.progress(self.env_steps));
        let max_norm = self.config.max_grad_norm as f32;
        let grad_norm = self
            .optimizer
            .descend(networks.parameters_mut(), learning_rate, Some(max_norm))
            .map_err(|error| refused(error, self.env_steps))?;
        networks.follow_update();
        self.updates += 1;
        if !self.updates.is_multiple_of(METRICS_EVERY) {
            return Ok(None);
        }
        let mut metrics = Metrics::new()
            .with("policy_loss", policy_loss)
            .with("value_loss", value_loss)
            .with("entropy", pass.entropy)
            .with("grad_norm", f64::from(grad_norm))
            .with("learning_rate", learning_rate);
        if let Some(share) = returns::explained_variance(value, returns)? {
            metrics = metrics.with("explained_variance", share);
        }
        Ok(Some(metrics))
    }

    /// Gathers the rollout's transitions and what their actions were worth.
    fn estimate(&mut self) -> Result<(), AgentError> {
        let Learning { value, next_value, returns, batch, .. } = &mut self.learning;
        let (networks, rollout) = (&self.networks, &self.rollout);
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
        let gather = |from: &[f32], width: usize, to: &mut Vec<f32>| {
            to.clear();
            let rows = rollout.transitions();
            rows.for_each(|row| to.extend_from_slice(&from[row * width..][..width]));
        };
        gather(rollout.observations(), networks.width(), &mut batch.observation);
        gather(rollout.actions(), networks.action_width(), &mut batch.action);
        gather(value, 1, &mut batch.value);
        gather(returns, 1, &mut batch.returns);
        batch.advantage.clear();
        let errors = batch.returns.iter().zip(&batch.value).map(|(r, v)| r - v);
        batch.advantage.extend(errors);
        if normalize_advantage {
            returns::normalize(&mut batch.advantage);
        }
        Ok(())
    }
}

impl<O: FeatureSpace, H: PolicyHead> Policy<O, H::ActionSpace> for A2c<O, H> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<<H::ActionSpace as Space>::Element>,
    ) -> Result<(), AgentError> {
        self.networks.act(observations, mode, rng, actions)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Agent<O, H::ActionSpace> for A2c<O, H> {
    fn first_update(&self) -> u64 {
        self.rollout.capacity() as u64
    }

    fn has_learned(&self) -> bool {
        self.updates > 0
    }

    fn learn(
        &mut self,
        experience: &Experience<O, H::ActionSpace>,
    ) -> Result<Option<Metrics>, AgentError> {
        let A2cConfig { gamma, reward_scale, .. } = self.config;
        self.rollout.push(&self.networks, experience, gamma, reward_scale)?;
        self.env_steps += experience.len() as u64;
        self.networks.observe(experience)?;
        if !self.rollout.is_full() {
            return Ok(None);
        }
        let metrics = self.update()?;
        self.rollout.clear();
        Ok(metrics)
    }

    fn begin_episodes(&mut self) {
        self.rollout.begin_episodes();
    }
}

impl<O: FeatureSpace, H: PolicyHead> Networks for A2c<O, H> {
    fn evaluated_by(&self) -> &'static str {
        self.networks.evaluated_by()
    }

    fn load_encoder(&mut self, pretrained: &Sequential) -> Result<(), AgentError> {
        self.networks.load_encoder(pretrained)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for A2c<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("networks", &self.networks)?;
        state.insert_part("optimizer", &self.optimizer)?;
        state.insert_part("rollout", &self.rollout)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("networks", &mut self.networks)?;
        state.load_part("optimizer", &mut self.optimizer)?;
        state.load_part("rollout", &mut self.rollout)?;
        self.networks.check_actions("rollout/actions", self.rollout.actions())?;
        self.env_steps = state.counter("env_steps")?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}
