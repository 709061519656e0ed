//! What makes one on-policy agent differ from another.

use gymnast_core::{
    nn::Parameters,
    optim::{Adam, AdamConfig, Optimizer, RmsProp, RmsPropConfig},
};
use gymnast_envs::{FeatureSpace, Seed};
use gymnast_harness::{AgentError, Checkpoint, Metrics, POSITIVE, within};

use super::OnPolicySettings;
use crate::{
    distributions::policy_head::PolicyHead,
    memory::OnPolicyMemory,
    moment::Moment,
    networks::{actor_critic::ActorCritic, learned::backend, network::Widths},
};

/// What makes one on-policy agent differ from another: what it remembers, and what it learns from that.
///
/// An agent is an [`OnPolicyAgent`](super::OnPolicyAgent) with a learner. The learner's [`Checkpoint`]
/// holds all that it changes beside the networks: its optimiser and its random streams. It lies beside
/// the agent's own entries: `networks`, `param_groups`, `env_steps`, `updates` and the memory's name.
pub trait OnPolicyLearner: Checkpoint + Send + Sized {
    /// The agent's settings.
    type Config: OnPolicySettings;

    /// What the agent remembers until an update: [`Rollout`](crate::rollout::Rollout),
    /// [`Episodes`](crate::episodes::Episodes) or one of your own.
    type Memory: OnPolicyMemory;

    /// Creates an untrained learner of these parameters. The settings that all on-policy agents share are
    /// in range.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where one of its own settings is not.
    fn new(config: &Self::Config, parameters: &Parameters, seed: Seed) -> Result<Self, AgentError>;

    /// Creates an empty memory of rows of these widths.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where its size is out of range.
    fn memory(
        config: &Self::Config,
        num_envs: usize,
        widths: Widths,
    ) -> Result<Self::Memory, AgentError>;

    /// Its optimiser, whose parameter groups the agent sets.
    fn optimizer_mut(&mut self) -> &mut dyn Optimizer;

    /// Learns from a full memory that holds transitions. Returns the metrics, if they are due.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where a loss or a gradient is no longer finite.
    fn update<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &mut ActorCritic<O, H>,
        memory: &Self::Memory,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError>;
}

/// Adam with ε = 10⁻⁵, as OpenAI Baselines trains a policy and its value function.
///
/// # Errors
/// [`AgentError::Backend`].
pub fn adam(parameters: &Parameters) -> Result<Adam, AgentError> {
    let config = AdamConfig { eps: 1e-5, ..AdamConfig::default() };
    Adam::new(config, parameters).map_err(backend)
}

/// RMSprop with ε under the root, as A3C's paper has it.
pub(crate) fn rms_prop(
    alpha: f64,
    eps: f64,
    parameters: &Parameters,
) -> Result<RmsProp, AgentError> {
    let config = RmsPropConfig { alpha, eps, eps_under_root: true, ..RmsPropConfig::default() };
    RmsProp::new(config, parameters).map_err(backend)
}

/// Checks the settings of [`rms_prop`].
pub(crate) fn check_rms_prop(alpha: f64, eps: f64) -> Result<(), AgentError> {
    within("rms_prop_alpha", alpha, 0.0..1.0, "a share in [0, 1)")?;
    within("rms_prop_eps", eps, POSITIVE, "a positive number")
}
