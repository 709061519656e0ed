//! REINFORCE: the policy follows the returns of whole episodes, with or without a baseline.

mod config;

use gymnast_core::{
    nn::Parameters,
    optim::{Adam, Optimizer},
};
use gymnast_envs::{FeatureSpace, Seed};
use gymnast_harness::{AgentError, Metrics, checkpoint};

pub use config::ReinforceConfig;

use crate::{
    distributions::policy_head::PolicyHead,
    mathematics::{losses, returns},
    memory::episodes::Episodes,
    moment::Moment,
    networks::{
        actor_critic::{ActorCritic, Pass},
        network::Widths,
    },
    on_policy::{OnPolicyAgent, OnPolicyLearner, adam},
};

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
/// Settings: [`ReinforceConfig`]. What it shares with other agents: [`OnPolicyAgent`].
pub type Reinforce<O, H> = OnPolicyAgent<O, H, ReinforceLearner>;

/// How [`Reinforce`] learns from whole episodes.
pub struct ReinforceLearner {
    config: ReinforceConfig,
    optimizer: Adam,
    value: Vec<f32>,     // [B]
    advantage: Vec<f32>, // [B]
    pass: Pass,
}

impl OnPolicyLearner for ReinforceLearner {
    type Config = ReinforceConfig;
    type Memory = Episodes;

    fn new(
        config: &ReinforceConfig,
        parameters: &Parameters,
        _seed: Seed,
    ) -> Result<Self, AgentError> {
        config.check()?;
        Ok(Self {
            optimizer: adam(parameters)?,
            value: Vec::new(),
            advantage: Vec::new(),
            pass: Pass::default(),
            config: config.clone(),
        })
    }

    fn memory(
        config: &ReinforceConfig,
        num_envs: usize,
        widths: Widths,
    ) -> Result<Episodes, AgentError> {
        Ok(Episodes::new(config.episodes_per_update, config.baseline, num_envs, widths))
    }

    fn optimizer_mut(&mut self) -> &mut dyn Optimizer {
        &mut self.optimizer
    }

    fn update<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &mut ActorCritic<O, H>,
        episodes: &Episodes,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError> {
        let Self { config, optimizer, value, advantage, pass } = self;
        let (observations, actions) = (episodes.observations(), episodes.actions());
        let returns = episodes.returns();
        advantage.clear();
        advantage.extend_from_slice(returns);
        if config.baseline {
            networks.values(observations, value);
            advantage.iter_mut().zip(&*value).for_each(|(advantage, value)| *advantage -= value);
        }
        if config.normalize {
            returns::normalize(advantage);
        }
        networks.evaluate_policy(observations, actions, pass);
        let policy_loss =
            losses::policy_gradient(&pass.log_prob, advantage, &mut pass.by_log_prob)?;
        let mut metrics = Metrics::new().with("batch_steps", returns.len() as f64);
        if config.baseline {
            networks.evaluate_values(observations, pass);
            let value_loss = losses::squared_error(&pass.value, returns, &mut pass.by_value)?;
            metrics = metrics.with("value_loss", value_loss);
            if let Some(share) = returns::explained_variance(value, returns)? {
                metrics = metrics.with("explained_variance", share);
            }
        }
        let ReinforceConfig { value_coefficient, entropy_coefficient, max_grad_norm, .. } = *config;
        networks.backward(actions, pass, value_coefficient, entropy_coefficient);
        let learning_rate = config.learning_rate.at(moment.progress);
        let descent = moment.descent(learning_rate);
        let grad_norm = networks.descend(optimizer, descent, max_grad_norm)?;
        Ok(Some(
            metrics
                .with("policy_loss", policy_loss)
                .with("entropy", pass.entropy)
                .with("grad_norm", grad_norm)
                .with("learning_rate", learning_rate),
        ))
    }
}

checkpoint!(ReinforceLearner { part optimizer });
