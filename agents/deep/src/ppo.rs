//! PPO: proximal policy optimisation, several passes over the same steps within a trust region.

mod config;
mod loss;
#[cfg(test)]
mod tests;

use gymnast_core::{
    nn::Sequential,
    optim::{Adam, AdamConfig, Optimizer as _, ParamGroup, ParamGroups},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, Rng, Space};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Grace, Metrics, Mode, Plan, Policy, StateDict,
};
use rand::seq::SliceRandom as _;

pub use config::PpoConfig;

use crate::{
    actor_critic::{ActorCritic, Pass},
    learned::{backend, refused},
    losses,
    network::{BuildNetwork, Networks},
    policy_head::PolicyHead,
    returns,
    rollout::Rollout,
};
use loss::Losses;

/// The PPO agent. Its head says whether actions are finite
/// ([`Categorical`](crate::Categorical)), several integers
/// ([`MultiCategorical`](crate::MultiCategorical)) or real-valued
/// ([`DiagonalGaussian`](crate::DiagonalGaussian)).
///
/// Source: Schulman et al., "Proximal policy optimization algorithms" (2017), algorithm 1 with
/// equations 7 and 9:
///
/// ```text
/// for each T steps of N environments with policy π_old:
///     A = generalised advantage estimates, R = A + V(s; θ)
///     for K epochs, for each minibatch of the N·T steps:
///         ratio = π(a|s; θ) / π_old(a|s)
///         L = mean min(ratio · A, clip(ratio, 1 − ε, 1 + ε) · A)
///             − c₁ mean (V(s; θ) − R)² + c₂ mean entropy of π(·|s; θ)
///         ascend the gradient of L with respect to θ
/// ```
///
/// What the paper leaves open is done as in its authors' code (OpenAI Baselines), which Huang et
/// al., "The 37 implementation details of proximal policy optimization" (2022) list: separate
/// networks, initialised orthogonally; Adam with ε = 10⁻⁵; advantages normalised in each minibatch;
/// the gradient's global norm clipped; step size and clip range on a schedule; value clipping as a
/// switch. The epochs end early where the policy has moved farther than `target_kl` allows.
///
/// Departures: a time limit is not an end, so an episode cut short is worth what its last state is
/// worth. Normalised observations are those of the agent, not of a wrapper: their statistics lie in
/// its checkpoint. Real-valued actions are clipped on the way to the environment and learned from as
/// they were drawn.
///
/// `average` exploits by the weights' running mean (Polyak and Juditsky, 1992), as a policy wanders
/// around a good one; `min_log_std` keeps the deviation of real-valued actions from shrinking to nothing.
/// Both are off by default.
///
/// Metrics: `policy_loss`, `value_loss` (unweighted), `entropy`, `approx_kl` (the mean of
/// ratio − 1 − ln ratio), `clip_fraction` (how many ratios the clip holds), each over the last
/// epoch; `explained_variance` (of the returns, by the values before the update; where they vary),
/// `grad_norm` (of the last minibatch, before clipping),
/// `learning_rate`.
///
/// Settings: [`PpoConfig`].
pub struct Ppo<O, H> {
    config: PpoConfig,
    plan: Plan,
    networks: ActorCritic<O, H>,
    optimizer: Adam,
    param_groups: Vec<ParamGroup>,
    rollout: Rollout,
    minibatch_rng: Rng,
    env_steps: u64,
    learning: Learning,
}

/// What an update writes to, kept from update to update.
#[derive(Default)]
struct Learning {
    // Of every row of the rollout:
    value: Vec<f32>,
    next_value: Vec<f32>,
    advantage: Vec<f32>,
    returns: Vec<f32>,
    log_prob: Vec<f32>,
    /// The transitions, in the order of an epoch.
    order: Vec<usize>,
    batch: Batch,
    pass: Pass,
}

/// A minibatch, in columns.
#[derive(Default)]
struct Batch {
    observation: Vec<f32>, // [B, width]
    action: Vec<f32>,      // [B, action_width]
    log_prob: Vec<f32>,    // [B]
    advantage: Vec<f32>,   // [B]
    value: Vec<f32>,       // [B]
    returns: Vec<f32>,     // [B]
    log_ratio: Vec<f32>,   // [B], ln π(a|s; θ) − ln π_old(a|s)
    ratio: Vec<f32>,       // [B]
}

impl<O: FeatureSpace, H: PolicyHead> Ppo<O, H> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        head: H,
        config: PpoConfig,
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
        config: PpoConfig,
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
            param_groups: Vec::new(),
            rollout: Rollout::new(config.n_steps, plan.num_envs, width, action_width)?,
            minibatch_rng: plan.seed.child("minibatch", 0).rng(),
            env_steps: 0,
            learning: Learning::default(),
            plan: *plan,
            config,
            networks,
        })
    }

    /// Its networks.
    pub fn networks(&self) -> &ActorCritic<O, H> {
        &self.networks
    }

    /// Begins with what another one has learned, on a task like this one: its parameters, and the
    /// statistics that normalise its observations. Of its optimiser and its rollout it takes nothing.
    ///
    /// # Errors
    /// As [`ActorCritic::copy_from`].
    pub fn begin_from(&mut self, other: &Self) -> Result<(), AgentError> {
        self.networks.copy_from(&other.networks)
    }

    /// Lets parts of the parameters learn otherwise from now on, or not at all. Checkpoints keep it.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where a group is no part of the parameters.
    pub fn set_param_groups(&mut self, groups: &[ParamGroup]) -> Result<(), AgentError> {
        let all = ParamGroups::new(self.networks.parameters(), groups).map_err(backend)?;
        self.optimizer.set_groups(all).map_err(backend)?;
        self.param_groups = groups.to_vec();
        Ok(())
    }

    /// Learns from a full rollout.
    fn update(&mut self) -> Result<Metrics, AgentError> {
        let progress = self.plan.progress(self.env_steps);
        let learning_rate = self.config.learning_rate.at(progress);
        let clip = self.config.clip.at(progress);
        self.estimate()?;
        let Learning { value, returns, order, .. } = &self.learning;
        let (explained, rows) = (returns::explained_variance(value, returns)?, order.len());
        let (mut losses, mut batches, mut grad_norm) = (Losses::default(), 0.0, 0.0);

        let mut grace = Grace::default();
        'epochs: for _ in 0..self.config.epochs {
            (losses, batches) = (Losses::default(), 0.0);
            self.learning.order.shuffle(&mut self.minibatch_rng);
            for start in (0..rows).step_by(self.config.batch_size) {
                grace.check()?;
                let places = start..rows.min(start + self.config.batch_size);
                let of_batch = self.differentiate(places, clip)?;
                losses += of_batch;
                batches += 1.0;
                // The factor is that of OpenAI's Spinning Up.
                let farthest = 1.5 * self.config.target_kl;
                if self.config.target_kl > 0.0 && of_batch.approx_kl > farthest {
                    break 'epochs;
                }
                grad_norm = self.descend(learning_rate)?;
            }
        }
        let mean = |sum: f64| sum / f64::max(batches, 1.0);
        let metrics = Metrics::new()
            .with("policy_loss", mean(losses.policy))
            .with("value_loss", mean(losses.value))
            .with("entropy", mean(losses.entropy))
            .with("approx_kl", mean(losses.approx_kl))
            .with("clip_fraction", mean(losses.clip_fraction))
            .with("grad_norm", grad_norm)
            .with("learning_rate", learning_rate);
        Ok(explained.into_iter().fold(metrics, |m, share| m.with("explained_variance", share)))
    }

    /// One step down the gradient, whose norm it returns.
    fn descend(&mut self, learning_rate: f64) -> Result<f64, AgentError> {
        let (parameters, max_norm) =
            (self.networks.parameters_mut(), self.config.max_grad_norm as f32);
        let norm = self.optimizer.descend(parameters, learning_rate, Some(max_norm));
        let norm = norm.map_err(|error| refused(error, self.env_steps))?;
        self.networks.follow_update();
        Ok(f64::from(norm))
    }

    /// What the rollout's actions were worth, and how likely they were.
    fn estimate(&mut self) -> Result<(), AgentError> {
        let Learning { value, next_value, advantage, returns, log_prob, order, .. } =
            &mut self.learning;
        let (networks, rollout) = (&self.networks, &self.rollout);
        networks.values(rollout.observations(), value);
        networks.values(rollout.next_observations(), next_value);
        returns::gae(&rollout.steps(), value, next_value, self.config.gae_lambda, advantage)?;
        returns.clear();
        returns.extend(advantage.iter().zip(&*value).map(|(advantage, value)| advantage + value));
        networks.log_probs(rollout.observations(), rollout.actions(), log_prob);
        order.clear();
        order.extend(rollout.transitions());
        Ok(())
    }

    /// Sets the gradient to that of −L on a minibatch (equation 9). Returns what it is made of.
    fn differentiate(
        &mut self,
        places: std::ops::Range<usize>,
        clip: f64,
    ) -> Result<Losses, AgentError> {
        self.gather(places);
        let Learning { batch, pass, .. } = &mut self.learning;
        self.networks.evaluate_policy(&batch.observation, &batch.action, pass);
        self.networks.evaluate_values(&batch.observation, pass);
        let log_ratio = pass.log_prob.iter().zip(&batch.log_prob).map(|(new, old)| new - old);
        batch.log_ratio.clear();
        batch.log_ratio.extend(log_ratio);
        batch.ratio.clear();
        batch.ratio.extend(batch.log_ratio.iter().map(|log_ratio| log_ratio.exp()));

        let Batch { advantage, value, returns, log_ratio, ratio, .. } = batch;
        let policy = loss::clipped_surrogate(ratio, advantage, clip, &mut pass.by_log_prob);
        let value = if self.config.clip_value {
            loss::clipped_value(&pass.value, value, returns, clip, &mut pass.by_value)
        } else {
            losses::squared_error(&pass.value, returns, &mut pass.by_value)?
        };
        let PpoConfig { value_coefficient, entropy_coefficient, .. } = self.config;
        self.networks.backward(&batch.action, pass, value_coefficient, entropy_coefficient);
        Ok(Losses {
            policy,
            value,
            entropy: pass.entropy,
            approx_kl: loss::approx_kl(log_ratio, ratio),
            clip_fraction: loss::clip_fraction(ratio, clip),
        })
    }

    /// Gathers a minibatch.
    fn gather(&mut self, places: std::ops::Range<usize>) {
        let Learning { value, advantage, returns, log_prob, order, batch, .. } = &mut self.learning;
        let (rollout, networks) = (&self.rollout, &self.networks);
        let rows = &order[places];
        let gather = |from: &[f32], width: usize, to: &mut Vec<f32>| {
            to.clear();
            rows.iter().for_each(|row| to.extend_from_slice(&from[row * width..][..width]));
        };
        gather(rollout.observations(), networks.width(), &mut batch.observation);
        gather(rollout.actions(), networks.action_width(), &mut batch.action);
        gather(log_prob, 1, &mut batch.log_prob);
        gather(advantage, 1, &mut batch.advantage);
        gather(value, 1, &mut batch.value);
        gather(returns, 1, &mut batch.returns);
        returns::normalize(&mut batch.advantage);
    }
}

impl<O: FeatureSpace, H: PolicyHead> Policy<O, H::ActionSpace> for Ppo<O, H> {
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

impl<O: FeatureSpace, H: PolicyHead> Agent<O, H::ActionSpace> for Ppo<O, H> {
    fn first_update(&self) -> u64 {
        self.rollout.capacity() as u64
    }

    fn has_learned(&self) -> bool {
        self.env_steps >= self.first_update()
    }

    fn learn(
        &mut self,
        experience: &Experience<O, H::ActionSpace>,
    ) -> Result<Option<Metrics>, AgentError> {
        let PpoConfig { gamma, reward_scale, .. } = self.config;
        self.rollout.push(&self.networks, experience, gamma, reward_scale)?;
        self.env_steps += experience.len() as u64;
        self.networks.observe(experience)?;
        if !self.rollout.is_full() {
            return Ok(None);
        }
        let metrics = self.update()?;
        self.rollout.clear();
        Ok(Some(metrics))
    }

    fn begin_episodes(&mut self) {
        self.rollout.begin_episodes();
    }
}

impl<O: FeatureSpace, H: PolicyHead> Networks for Ppo<O, H> {
    fn evaluated_by(&self) -> &'static str {
        self.networks.evaluated_by()
    }

    fn load_encoder(&mut self, pretrained: &Sequential) -> Result<(), AgentError> {
        self.networks.load_encoder(pretrained)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for Ppo<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("networks", &self.networks)?;
        state.insert_part("optimizer", &self.optimizer)?;
        state.insert("param_groups", &self.param_groups)?;
        state.insert_part("rollout", &self.rollout)?;
        state.insert("minibatch_rng", &self.minibatch_rng)?;
        state.insert("env_steps", &self.env_steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("networks", &mut self.networks)?;
        state.load_part("optimizer", &mut self.optimizer)?;
        let groups: Vec<ParamGroup> = state.get("param_groups")?;
        self.set_param_groups(&groups).map_err(CheckpointError::part)?;
        state.load_part("rollout", &mut self.rollout)?;
        self.networks.check_actions("rollout/actions", self.rollout.actions())?;
        self.minibatch_rng = state.get("minibatch_rng")?;
        self.env_steps = state.counter("env_steps")?;
        Ok(())
    }
}
