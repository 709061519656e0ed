//! PPO: proximal policy optimisation, several passes over the same steps within a trust region.

mod config;
mod loss;
#[cfg(test)]
mod tests;

use gymnast_core::{
    nn::Parameters,
    optim::{Adam, Optimizer},
};
use gymnast_envs::{FeatureSpace, Rng, Seed};
use gymnast_harness::{AgentError, Grace, Metrics, checkpoint};
use rand::seq::SliceRandom as _;

pub use config::PpoConfig;

use crate::{
    distributions::policy_head::PolicyHead,
    mathematics::{losses, returns},
    memory::rollout::{Rollout, gather},
    moment::Moment,
    networks::{
        actor_critic::{ActorCritic, Pass},
        network::Widths,
    },
    on_policy::{OnPolicyAgent, OnPolicyLearner, adam},
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
/// Settings: [`PpoConfig`]. What it shares with other agents: [`OnPolicyAgent`].
pub type Ppo<O, H> = OnPolicyAgent<O, H, PpoLearner>;

/// How [`Ppo`] learns from a rollout.
pub struct PpoLearner {
    config: PpoConfig,
    optimizer: Adam,
    minibatch_rng: Rng,
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

impl OnPolicyLearner for PpoLearner {
    type Config = PpoConfig;
    type Memory = Rollout;

    fn new(config: &PpoConfig, parameters: &Parameters, seed: Seed) -> Result<Self, AgentError> {
        config.check()?;
        Ok(Self {
            optimizer: adam(parameters)?,
            minibatch_rng: seed.child("minibatch", 0).rng(),
            learning: Learning::default(),
            config: config.clone(),
        })
    }

    fn memory(config: &PpoConfig, num_envs: usize, widths: Widths) -> Result<Rollout, AgentError> {
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
        let PpoConfig { batch_size, epochs, target_kl, max_grad_norm, .. } = self.config;
        let learning_rate = self.config.learning_rate.at(moment.progress);
        let clip = self.config.clip.at(moment.progress);
        self.estimate(networks, rollout)?;
        let Learning { value, returns, order, .. } = &self.learning;
        let (explained, rows) = (returns::explained_variance(value, returns)?, order.len());
        let (mut losses, mut batches, mut grad_norm) = (Losses::default(), 0.0, 0.0);

        let mut grace = Grace::default();
        'epochs: for _ in 0..epochs {
            (losses, batches) = (Losses::default(), 0.0);
            self.learning.order.shuffle(&mut self.minibatch_rng);
            for start in (0..rows).step_by(batch_size) {
                grace.check()?;
                self.gather(networks, rollout, start..rows.min(start + batch_size));
                let of_batch = self.differentiate(networks, clip)?;
                losses += of_batch;
                batches += 1.0;
                // The factor is that of OpenAI's Spinning Up.
                if target_kl > 0.0 && of_batch.approx_kl > 1.5 * target_kl {
                    break 'epochs;
                }
                let descent = moment.descent(learning_rate);
                grad_norm = networks.descend(&mut self.optimizer, descent, max_grad_norm)?;
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
        let explained = explained.into_iter();
        Ok(Some(explained.fold(metrics, |m, share| m.with("explained_variance", share))))
    }
}

impl PpoLearner {
    /// What the rollout's actions were worth, and how likely they were.
    fn estimate<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &ActorCritic<O, H>,
        rollout: &Rollout,
    ) -> Result<(), AgentError> {
        let Learning { value, next_value, advantage, returns, log_prob, order, .. } =
            &mut self.learning;
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

    /// Gathers a minibatch.
    fn gather<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &ActorCritic<O, H>,
        rollout: &Rollout,
        places: std::ops::Range<usize>,
    ) {
        let Learning { value, advantage, returns, log_prob, order, batch, .. } = &mut self.learning;
        for (column, width, to) in [
            (rollout.observations(), networks.width(), &mut batch.observation),
            (rollout.actions(), networks.action_width(), &mut batch.action),
            (log_prob, 1, &mut batch.log_prob),
            (advantage, 1, &mut batch.advantage),
            (value, 1, &mut batch.value),
            (returns, 1, &mut batch.returns),
        ] {
            gather(order[places.clone()].iter().copied(), column, width, to);
        }
        returns::normalize(&mut batch.advantage);
    }

    /// Sets the gradient to that of −L on the minibatch (equation 9). Returns what it is made of.
    fn differentiate<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &mut ActorCritic<O, H>,
        clip: f64,
    ) -> Result<Losses, AgentError> {
        let Learning { batch, pass, .. } = &mut self.learning;
        networks.evaluate_policy(&batch.observation, &batch.action, pass);
        networks.evaluate_values(&batch.observation, pass);
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
        networks.backward(&batch.action, pass, value_coefficient, entropy_coefficient);
        Ok(Losses {
            policy,
            value,
            entropy: pass.entropy,
            approx_kl: loss::approx_kl(log_ratio, ratio),
            clip_fraction: loss::clip_fraction(ratio, clip),
        })
    }
}

checkpoint!(PpoLearner { part optimizer, value minibatch_rng });
