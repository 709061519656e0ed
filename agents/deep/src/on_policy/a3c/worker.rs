//! One of A3C's workers: what it does between its turns.

use gymnast_core::{
    nn::{Engine, ParametersBuilder},
    optim::clip_grad_norm,
};
use gymnast_envs::{FeatureSpace, Lane, Outcome, Rng, Space};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, StateDict};
use serde::{Deserialize, Serialize};

use super::A3cConfig;
use crate::{
    distributions::policy_head::PolicyHead,
    mathematics::{losses, returns},
    memory::{OnPolicyMemory as _, rollout::Rollout},
    networks::{
        actor_critic::{ActorCritic, ActorCriticConfig, Pass},
        learned::backend,
        network::{BuildNetwork, Networks as _, Wanted},
    },
    on_policy::{OnPolicyConfig, OnPolicySettings as _},
};

/// What a worker has to play until its next turn.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Share {
    /// The steps to take.
    pub(super) steps: usize,
    /// The env steps that will count once they do.
    pub(super) counted: u64,
}

/// A worker with its copy of the parameters, θ', and the gradient that it brings to its turn.
pub(super) struct Worker<O, H: PolicyHead> {
    networks: ActorCritic<O, H>, // θ' and dθ
    rng: Rng,
    share: Share,
    /// What came of the steps since the last turn.
    steps: Vec<(f64, Outcome)>,
    /// Of the gradient; `None` where there is none, as nothing but resets was played.
    losses: Option<Losses>,
    rollout: Rollout,
    config: OnPolicyConfig,
    // Kept from share to share:
    actions: Vec<<H::ActionSpace as Space>::Element>,
    pass: Pass,
    next_value: Vec<f32>,
    returns: Vec<f32>,
    advantage: Vec<f32>,
}

/// What the losses were, and the gradient's norm.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Losses {
    policy_loss: f64,
    value_loss: f64,
    entropy: f64,
    grad_norm: f64,
}

impl Losses {
    fn is_finite(&self) -> bool {
        let Self { policy_loss, value_loss, entropy, grad_norm } = self;
        [policy_loss, value_loss, entropy, grad_norm].into_iter().all(|x| x.is_finite())
    }

    pub(super) fn metrics(&self) -> Metrics {
        Metrics::new()
            .with("policy_loss", self.policy_loss)
            .with("value_loss", self.value_loss)
            .with("entropy", self.entropy)
            .with("grad_norm", self.grad_norm)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Worker<O, H> {
    /// Chooses what computes its gradients; see [`Networks::set_engine`].
    pub(super) fn set_engine(&mut self, engine: Engine) -> Result<(), AgentError> {
        self.networks.set_engine(engine)
    }

    pub(super) fn new(
        (observation_space, head): (O, H),
        config: &A3cConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
        k: u64,
    ) -> Result<Self, AgentError> {
        let mut init = plan.seed.child("init", 0).rng();
        // It begins with the shared parameters.
        let copy = |wanted: &Wanted<'_>, builder: &mut ParametersBuilder| {
            builder.start_at_zeros();
            build(wanted, builder)
        };
        // A worker never exploits.
        let settings = ActorCriticConfig { average: 0.0, ..config.networks() };
        let networks =
            ActorCritic::with_network(observation_space, head, &settings, &mut init, &copy)?;
        let (width, action_width) = (networks.width(), networks.action_width());
        Ok(Self {
            networks,
            rng: plan.seed.child("worker", k).rng(),
            share: Share::default(),
            steps: Vec::new(),
            losses: None,
            rollout: Rollout::new(config.t_max, 1, width, action_width)?,
            config: config.on_policy(),
            actions: Vec::new(),
            pass: Pass::default(),
            next_value: Vec::new(),
            returns: Vec::new(),
            advantage: Vec::new(),
        })
    }

    /// Takes over the parameters, to play its share with them.
    pub(super) fn begin(&mut self, shared: &ActorCritic<O, H>, share: Share) {
        let copied = self.networks.parameters_mut().copy_from(shared.parameters());
        copied.expect("all workers' networks are alike");
        self.share = share;
    }

    /// Whether its share is played, and the gradient ready.
    pub(super) fn has_played(&self) -> bool {
        !self.steps.is_empty()
    }

    /// How many steps of its share it has played.
    pub(super) fn steps_played(&self) -> usize {
        self.steps.len()
    }

    /// Forgets what it has played.
    pub(super) fn forget(&mut self) {
        self.steps.clear();
        self.losses = None;
    }

    /// What it brings to its turn beside the [gradient](Self::gradient).
    pub(super) fn hand_in(&mut self) -> (Vec<(f64, Outcome)>, Option<Losses>) {
        (std::mem::take(&mut self.steps), self.losses.take())
    }

    /// The gradient, clipped.
    pub(super) fn gradient(&self) -> &[f32] {
        self.networks.parameters().gradients()
    }

    /// Plays its share and differentiates. Nothing is shared here.
    ///
    /// # Errors
    /// What the environment returns; [`AgentError::Diverged`].
    pub(super) fn play(
        &mut self,
        lane: &mut dyn Lane<O, H::ActionSpace>,
    ) -> Result<(), AgentError> {
        let OnPolicyConfig { gamma, reward_scale, .. } = self.config;
        self.rollout.clear();
        for _ in 0..self.share.steps {
            let (rng, actions) = (&mut self.rng, &mut self.actions);
            self.networks.act(lane.observations(), Mode::Explore, rng, actions)?;
            let experience = lane.step(&actions[0])?;
            self.steps.push((experience.rewards[0], experience.outcomes[0]));
            // The episode before a reset is over: no return flows over the row that is left out.
            if !experience.is_reset[0] {
                self.rollout.push(&self.networks, experience, gamma, reward_scale)?;
            }
        }
        if !self.rollout.is_empty() {
            self.losses = Some(self.differentiate()?);
        }
        Ok(())
    }

    /// Sets the gradient to that of the steps' loss, clipped.
    fn differentiate(&mut self) -> Result<Losses, AgentError> {
        let Self { networks, rollout, pass, next_value, returns, advantage, .. } = self;
        let (observations, actions) = (rollout.observations(), rollout.actions());
        networks.evaluate_policy(observations, actions, pass);
        networks.evaluate_values(observations, pass);
        networks.values(rollout.next_observations(), next_value);
        returns::bootstrapped(&rollout.steps(), next_value, returns)?;
        advantage.clear();
        advantage.extend(returns.iter().zip(&pass.value).map(|(r, v)| r - v));
        let policy_loss =
            losses::policy_gradient(&pass.log_prob, advantage, &mut pass.by_log_prob)?;
        let value_loss = losses::squared_error(&pass.value, returns, &mut pass.by_value)?;
        let OnPolicyConfig { value_coefficient, entropy_coefficient, max_grad_norm, .. } =
            self.config;
        networks.backward(actions, pass, value_coefficient, entropy_coefficient);
        let grad_norm = clip_grad_norm(networks.parameters_mut(), max_grad_norm as f32);
        let grad_norm = grad_norm.map_err(backend)?;
        let losses = Losses {
            policy_loss,
            value_loss,
            entropy: pass.entropy,
            grad_norm: f64::from(grad_norm),
        };
        for (what, value) in [
            ("the gradient", losses.grad_norm),
            ("the policy's loss", losses.policy_loss),
            ("the values' loss", losses.value_loss),
        ] {
            if !value.is_finite() {
                return Err(AgentError::Diverged { what, value, env_steps: self.share.counted });
            }
        }
        Ok(losses)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for Worker<O, H> {
    // Not its parameters: it has played with them, and is given new ones in its next turn.
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("rng", &self.rng)?;
        state.insert("steps", &self.steps)?;
        state.insert("losses", &self.losses)?;
        state.insert_array("gradient", &[self.gradient().len()], self.gradient());
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.rng = state.get("rng")?;
        let expected = "steps with finite rewards";
        self.steps = state.get_checked("steps", expected, |steps: &Vec<(f64, Outcome)>| {
            steps.iter().all(|(reward, _)| reward.is_finite())
        })?;
        let has_played = !self.steps.is_empty();
        let expected = "finite losses, or none where no step was played";
        self.losses = state.get_checked("losses", expected, |losses: &Option<Losses>| {
            losses.is_none_or(|losses| has_played && losses.is_finite())
        })?;
        let gradient = state.finite_array("gradient", &[self.gradient().len()])?;
        self.networks.parameters_mut().gradients_mut().copy_from_slice(&gradient);
        Ok(())
    }
}
