//! REINFORCE: the policy follows the returns of whole episodes, with or without a baseline.

mod config;
mod episodes;

use gymnast_core::{
    nn::Sequential,
    optim::{Adam, AdamConfig, Optimizer as _},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, Rng, Space};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, StateDict,
};

pub use config::ReinforceConfig;

use crate::{
    actor_critic::{ActorCritic, Pass},
    learned::{backend, refused},
    losses,
    network::{BuildNetwork, Networks},
    policy_head::PolicyHead,
    returns,
};
use episodes::Episodes;

/// The REINFORCE agent. Its head says whether actions are finite
/// ([`Categorical`](crate::Categorical)) or real-valued
/// ([`DiagonalGaussian`](crate::DiagonalGaussian)).
///
/// Source: Williams, "Simple statistical gradient-following algorithms for connectionist
/// reinforcement learning" (1992); with a baseline Sutton and Barto, "Reinforcement Learning: An
/// Introduction" (2018), section 13.4:
///
/// ```text
/// for each batch of whole episodes, played with policy π(·|s; θ):
///     for each step: G = r + γ G'
///     δ = G − V(s; w) with a baseline, else G
///     ascend the gradient of mean δ ln π(a|s; θ) with respect to θ; δ is a constant
///     descend the gradient of mean (G − V(s; w))² with respect to w
/// ```
///
/// Departures: one step of Adam for a batch of episodes instead of one step for each time step, which
/// a fixed policy allows to be summed; the factor γᵗ is left out, as is usual, so that late states
/// count as much as early ones; `normalize` divides δ by its deviation over the batch, its mean taken
/// away; the gradient's global norm is clipped; entropy may be rewarded. A time limit is not an end:
/// with a baseline, the return of an episode cut short goes on with the value of its last state.
/// Without one there is nothing to go on with, and the return ends there.
///
/// `average` exploits by the weights' running mean (Polyak and Juditsky, 1992), as a policy wanders
/// around a good one; `min_log_std` keeps the deviation of real-valued actions from shrinking to nothing.
/// Both are off by default.
///
/// Metrics: `policy_loss`, `value_loss` (with a baseline), `entropy`, `explained_variance` (of the
/// returns by the baseline; where they vary), `grad_norm` (before clipping), `learning_rate`,
/// `batch_steps`.
///
/// Settings: [`ReinforceConfig`].
pub struct Reinforce<O, H> {
    config: ReinforceConfig,
    plan: Plan,
    networks: ActorCritic<O, H>,
    optimizer: Adam,
    episodes: Episodes,
    env_steps: u64,
    value: Vec<f32>,     // [B]
    advantage: Vec<f32>, // [B]
    pass: Pass,
}

impl<O: FeatureSpace, H: PolicyHead> Reinforce<O, H> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        head: H,
        config: ReinforceConfig,
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
        config: ReinforceConfig,
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
        let adam = AdamConfig { eps: 1e-5, ..AdamConfig::default() };
        Ok(Self {
            optimizer: Adam::new(adam, networks.parameters()).map_err(backend)?,
            episodes: Episodes::new(plan.num_envs, width, action_width),
            env_steps: 0,
            value: Vec::new(),
            advantage: Vec::new(),
            pass: Pass::default(),
            plan: *plan,
            config,
            networks,
        })
    }

    /// Learns from the finished episodes.
    fn update(&mut self) -> Result<Metrics, AgentError> {
        let Self { config, networks, episodes, value, advantage, pass, .. } = self;
        let batch = episodes.finished();
        advantage.clone_from(&batch.returns);
        if config.baseline {
            networks.values(&batch.observations, value);
            advantage.iter_mut().zip(&*value).for_each(|(advantage, value)| *advantage -= value);
        }
        if config.normalize {
            returns::normalize(advantage);
        }
        networks.evaluate_policy(&batch.observations, &batch.actions, pass);
        let policy_loss =
            losses::policy_gradient(&pass.log_prob, advantage, &mut pass.by_log_prob)?;
        let mut metrics = Metrics::new().with("batch_steps", batch.returns.len() as f64);
        if config.baseline {
            networks.evaluate_values(&batch.observations, pass);
            let value_loss =
                losses::squared_error(&pass.value, &batch.returns, &mut pass.by_value)?;
            metrics = metrics.with("value_loss", value_loss);
            if let Some(share) = returns::explained_variance(value, &batch.returns)? {
                metrics = metrics.with("explained_variance", share);
            }
        }
        let (value_coefficient, entropy_coefficient) =
            (config.value_coefficient, config.entropy_coefficient);
        networks.backward(&batch.actions, pass, value_coefficient, entropy_coefficient);
        let learning_rate = config.learning_rate.at(self.plan.progress(self.env_steps));
        let max_norm = config.max_grad_norm as f32;
        let grad_norm = self
            .optimizer
            .descend(networks.parameters_mut(), learning_rate, Some(max_norm))
            .map_err(|error| refused(error, self.env_steps))?;
        networks.follow_update();
        Ok(metrics
            .with("policy_loss", policy_loss)
            .with("entropy", pass.entropy)
            .with("grad_norm", f64::from(grad_norm))
            .with("learning_rate", learning_rate))
    }
}

impl<O: FeatureSpace, H: PolicyHead> Policy<O, H::ActionSpace> for Reinforce<O, H> {
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

impl<O: FeatureSpace, H: PolicyHead> Agent<O, H::ActionSpace> for Reinforce<O, H> {
    fn first_update(&self) -> u64 {
        self.config.episodes_per_update as u64
    }

    fn has_learned(&self) -> bool {
        self.optimizer.state().step > 0
    }

    fn learn(
        &mut self,
        experience: &Experience<O, H::ActionSpace>,
    ) -> Result<Option<Metrics>, AgentError> {
        let ReinforceConfig { gamma, reward_scale, baseline, .. } = self.config;
        AgentError::check_rows(experience, self.plan.num_envs)?;
        AgentError::check_rewards(&experience.rewards, reward_scale)?;
        self.env_steps += experience.len() as u64;
        for i in (0..experience.len()).filter(|&i| !experience.is_reset[i]) {
            self.episodes.push(i, &self.networks, experience, reward_scale);
            let outcome = experience.outcomes[i];
            if outcome.is_final() {
                let goes_on = baseline && outcome.truncated();
                let next = &experience.next_observations[i];
                let rest = if goes_on { self.networks.value_of(next) } else { 0.0 };
                self.episodes.finish(i, gamma, rest);
            }
        }
        self.networks.observe(experience)?;
        if self.episodes.num_finished() < self.config.episodes_per_update {
            return Ok(None);
        }
        let metrics = self.update()?;
        self.episodes.clear_finished();
        Ok(Some(metrics))
    }

    fn begin_episodes(&mut self) {
        self.episodes.begin();
    }
}

impl<O: FeatureSpace, H: PolicyHead> Networks for Reinforce<O, H> {
    fn evaluated_by(&self) -> &'static str {
        self.networks.evaluated_by()
    }

    fn load_encoder(&mut self, pretrained: &Sequential) -> Result<(), AgentError> {
        self.networks.load_encoder(pretrained)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for Reinforce<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("networks", &self.networks)?;
        state.insert_part("optimizer", &self.optimizer)?;
        state.insert_part("episodes", &self.episodes)?;
        state.insert("env_steps", &self.env_steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("networks", &mut self.networks)?;
        state.load_part("optimizer", &mut self.optimizer)?;
        state.load_part("episodes", &mut self.episodes)?;
        for (name, actions) in self.episodes.actions() {
            self.networks.check_actions(&format!("episodes/{name}"), actions)?;
        }
        let (waiting, wanted) = (self.episodes.num_finished(), self.config.episodes_per_update);
        if waiting >= wanted {
            let expected = format!("fewer than {wanted}, as many as an update takes");
            let name = "episodes/num_finished";
            return Err(CheckpointError::mismatch(name, expected, waiting.to_string()));
        }
        self.env_steps = state.counter("env_steps")?;
        Ok(())
    }
}
