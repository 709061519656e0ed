//! What A3C's workers share, and what happens to it in a turn.

use gymnast_core::optim::{Optimizer as _, RmsProp};
use gymnast_envs::FeatureSpace;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, Metrics, Plan, StateDict, Turn};

use super::{
    A3cConfig,
    worker::{Losses, Share, Worker},
};
use crate::{
    distributions::policy_head::PolicyHead,
    networks::{actor_critic::ActorCritic, learned::refused, network::BuildNetwork},
    on_policy::{OnPolicySettings as _, rms_prop},
};

/// The parameters θ, RMSprop's statistics, the counter T and whose turn it is.
pub(super) struct Shared<O, H> {
    pub(super) networks: ActorCritic<O, H>,
    optimizer: RmsProp,
    /// The env steps that count: those whose gradients were applied.
    env_steps: u64,
    /// The worker whose turn is next.
    next: usize,
    config: A3cConfig,
    plan: Plan,
}

impl<O: FeatureSpace, H: PolicyHead> Shared<O, H> {
    pub(super) fn new(
        (observation_space, head): (O, H),
        config: A3cConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        let mut rng = plan.seed.child("init", 0).rng();
        let settings = config.networks();
        let networks =
            ActorCritic::with_network(observation_space, head, &settings, &mut rng, build)?;
        let (alpha, eps) = (config.rms_prop_alpha, config.rms_prop_eps);
        let optimizer = rms_prop(alpha, eps, networks.parameters())?;
        Ok(Self { networks, optimizer, env_steps: 0, next: 0, config, plan: *plan })
    }

    pub(super) fn env_steps(&self) -> u64 {
        self.env_steps
    }

    pub(super) fn total_env_steps(&self) -> u64 {
        self.plan.env_steps
    }

    /// The worker whose turn comes after `place` others'.
    pub(super) fn in_line(&self, place: usize) -> usize {
        (self.next + place) % self.plan.num_envs
    }

    /// What the worker at that place in the line has to play: t_max steps, and fewer only where the
    /// training would be over.
    pub(super) fn share(&self, place: usize) -> Share {
        let (t_max, total) = (self.config.t_max as u64, self.plan.env_steps);
        let first = total.min(self.env_steps + place as u64 * t_max);
        let steps = t_max.min(total - first);
        Share { steps: steps as usize, counted: first + steps }
    }

    /// What worker `k` has to play.
    pub(super) fn share_of(&self, k: usize) -> Share {
        let n = self.plan.num_envs;
        self.share((k + n - self.next) % n)
    }

    /// The worker's turn: applies its gradient, gives it the new parameters and its next share.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where a square of the gradient is not finite.
    ///
    /// # Panics
    /// If it has played nothing.
    pub(super) fn take_turn(&mut self, worker: &mut Worker<O, H>) -> Result<Turn, AgentError> {
        let (steps, losses) = worker.hand_in();
        assert!(!steps.is_empty(), "no turn comes before its worker has played");
        self.env_steps += steps.len() as u64;
        let metrics = losses.map(|losses| self.apply(worker.gradient(), losses)).transpose()?;
        let env = self.in_line(0);
        self.next = self.in_line(1);
        worker.begin(&self.networks, self.share(self.plan.num_envs - 1));
        Ok(Turn { env, steps, metrics })
    }

    /// One step of the shared RMSprop along a worker's gradient.
    fn apply(&mut self, gradient: &[f32], losses: Losses) -> Result<Metrics, AgentError> {
        let learning_rate = self.config.learning_rate.at(self.plan.progress(self.env_steps));
        let parameters = self.networks.parameters_mut();
        parameters.gradients_mut().copy_from_slice(gradient);
        let stepped = self.optimizer.step(parameters, learning_rate);
        stepped.map_err(|error| refused(error, self.env_steps))?;
        self.networks.follow_update();
        Ok(losses.metrics().with("learning_rate", learning_rate))
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for Shared<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("networks", &self.networks)?;
        state.insert_part("optimizer", &self.optimizer)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("next", &self.next)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("networks", &mut self.networks)?;
        state.load_part("optimizer", &mut self.optimizer)?;
        let (total, workers) = (self.plan.env_steps, self.plan.num_envs);
        let expected = format!("at most {total}, the training that the agent was made for");
        self.env_steps =
            state.get_checked("env_steps", &expected, |&steps: &u64| steps <= total)?;
        let expected = format!("one of {workers} workers");
        self.next = state.get_checked("next", &expected, |&next: &usize| next < workers)?;
        Ok(())
    }
}
