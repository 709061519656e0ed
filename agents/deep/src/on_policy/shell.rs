//! What every on-policy agent is, apart from what it learns from the steps since the last update.

mod learner;
mod settings;

use gymnast_core::{
    optim::{ParamGroup, ParamGroups},
    threads,
};
use gymnast_envs::{Experience, FeatureSpace, Rng, Space};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy, StateDict,
};

pub use learner::{OnPolicyLearner, adam};
pub(crate) use learner::{check_rms_prop, rms_prop};
pub use settings::{OnPolicyConfig, OnPolicySettings};

use crate::{
    distributions::policy_head::PolicyHead,
    memory::OnPolicyMemory as _,
    moment::Moment,
    networks::{
        actor_critic::{ActorCritic, ActorCriticConfig},
        learned::backend,
        network::{BuildNetwork, Widths, networks_in},
    },
};

/// An agent with a policy and a value function that learns by the learner `L` from what the policy
/// itself has done:
///
/// ```text
/// repeat:
///     act by the policy until the memory is full: of steps, or of whole episodes
///     the learner learns from the memory; empty it
/// ```
///
/// Source: Sutton and Barto, "Reinforcement Learning: An Introduction" (2018), chapter 13.
///
/// The head `H` says whether actions are finite ([`Categorical`](crate::Categorical)), several integers
/// ([`MultiCategorical`](crate::MultiCategorical)) or real-valued
/// ([`DiagonalGaussian`](crate::DiagonalGaussian)). An algorithm of your own is an
/// [`OnPolicyLearner`]; its settings are made by [`on_policy_settings!`](crate::on_policy_settings).
pub struct OnPolicyAgent<O, H, L: OnPolicyLearner> {
    config: OnPolicyConfig,
    plan: Plan,
    networks: ActorCritic<O, H>,
    param_groups: Vec<ParamGroup>,
    memory: L::Memory,
    learner: L,
    env_steps: u64,
    updates: u64,
}

impl<O: FeatureSpace, H: PolicyHead, L: OnPolicyLearner> OnPolicyAgent<O, H, L> {
    /// Creates an untrained agent.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        head: H,
        config: L::Config,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        Self::assemble(config, plan, |networks, rng| {
            ActorCritic::new(observation_space, head, networks, rng)
        })
    }

    /// Creates an untrained agent whose policy and value function `build` builds; the settings of their
    /// layers are not used.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    pub fn with_network(
        observation_space: O,
        head: H,
        config: L::Config,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        Self::assemble(config, plan, |networks, rng| {
            ActorCritic::with_network(observation_space, head, networks, rng, build)
        })
    }

    #[expect(clippy::needless_pass_by_value, reason = "agents own their settings")]
    fn assemble(
        config: L::Config,
        plan: &Plan,
        networks: impl FnOnce(&ActorCriticConfig, &mut Rng) -> Result<ActorCritic<O, H>, AgentError>,
    ) -> Result<Self, AgentError> {
        let shared = config.on_policy();
        shared.check()?;
        threads::single_threaded_at_first_use();
        let networks = networks(&config.networks(), &mut plan.seed.child("init", 0).rng())?;
        let widths = Widths { observation: networks.width(), action: networks.action_width() };
        Ok(Self {
            memory: L::memory(&config, plan.num_envs, widths)?,
            learner: L::new(&config, networks.parameters(), plan.seed)?,
            param_groups: Vec::new(),
            env_steps: 0,
            updates: 0,
            config: shared,
            plan: *plan,
            networks,
        })
    }

    /// Returns the policy and the value function.
    pub fn networks(&self) -> &ActorCritic<O, H> {
        &self.networks
    }

    /// Returns the learner, with its optimiser.
    pub fn learner(&self) -> &L {
        &self.learner
    }

    /// Returns the memory of the steps since the last update.
    pub fn memory(&self) -> &L::Memory {
        &self.memory
    }

    /// Returns the env steps so far.
    pub fn env_steps(&self) -> u64 {
        self.env_steps
    }

    /// Gives groups of parameters their own learning rate, or freezes them. Checkpoints keep the groups.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where a group is not a part of the parameters.
    pub fn set_param_groups(&mut self, groups: &[ParamGroup]) -> Result<(), AgentError> {
        let all = ParamGroups::new(self.networks.parameters(), groups).map_err(backend)?;
        self.learner.optimizer_mut().set_groups(all).map_err(backend)?;
        self.param_groups = groups.to_vec();
        Ok(())
    }

    /// Learns from a full memory.
    fn update(&mut self) -> Result<Option<Metrics>, AgentError> {
        let moment = Moment {
            update: self.updates + 1,
            env_steps: self.env_steps,
            progress: self.plan.progress(self.env_steps),
        };
        let metrics = self.learner.update(&mut self.networks, &self.memory, moment)?;
        self.updates += 1;
        Ok(metrics)
    }
}

impl<O, H, L> Policy<O, H::ActionSpace> for OnPolicyAgent<O, H, L>
where
    O: FeatureSpace,
    H: PolicyHead,
    L: OnPolicyLearner,
{
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

impl<O, H, L> Agent<O, H::ActionSpace> for OnPolicyAgent<O, H, L>
where
    O: FeatureSpace,
    H: PolicyHead,
    L: OnPolicyLearner,
{
    fn first_update(&self) -> u64 {
        self.memory.first_update()
    }

    fn has_learned(&self) -> bool {
        self.updates > 0
    }

    fn learn(
        &mut self,
        experience: &Experience<O, H::ActionSpace>,
    ) -> Result<Option<Metrics>, AgentError> {
        let OnPolicyConfig { gamma, reward_scale, .. } = self.config;
        self.memory.push(&self.networks, experience, gamma, reward_scale)?;
        self.env_steps += experience.len() as u64;
        self.networks.observe(experience)?;
        if !self.memory.is_full() {
            return Ok(None);
        }
        let metrics = if self.memory.has_transitions() { self.update()? } else { None };
        self.memory.clear();
        Ok(metrics)
    }

    fn begin_episodes(&mut self) {
        self.memory.begin_episodes();
    }
}

networks_in!([O: FeatureSpace, H: PolicyHead, L: OnPolicyLearner] OnPolicyAgent<O, H, L>, networks);

impl<O: FeatureSpace, H: PolicyHead, L: OnPolicyLearner> Checkpoint for OnPolicyAgent<O, H, L> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("networks", &self.networks)?;
        self.learner.save(state)?;
        state.insert("param_groups", &self.param_groups)?;
        state.insert_part(L::Memory::NAME, &self.memory)?;
        state.insert("env_steps", &self.env_steps)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("networks", &mut self.networks)?;
        self.learner.load(state)?;
        let groups: Vec<ParamGroup> = state.get("param_groups")?;
        self.set_param_groups(&groups).map_err(CheckpointError::part)?;
        state.load_part(L::Memory::NAME, &mut self.memory)?;
        for (name, actions) in self.memory.named_actions() {
            self.networks.check_actions(&format!("{}/{name}", L::Memory::NAME), actions)?;
        }
        self.env_steps = state.counter("env_steps")?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}
