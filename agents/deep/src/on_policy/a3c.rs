//! A3C: asynchronous advantage actor-critic, workers on threads that share one set of parameters.

mod config;
mod shared;
mod turns;
mod worker;

use gymnast_core::{nn::Engine, threads};
use gymnast_envs::{EnvError, Experience, FeatureSpace, Rng, Space, VectorEnv};
use gymnast_harness::{
    Agent, AgentError, Asynchronous, Checkpoint, CheckpointError, Metrics, Mode, Plan, Policy,
    StateDict, Turn,
};

pub use config::A3cConfig;

use super::OnPolicySettings as _;
use crate::{
    distributions::policy_head::PolicyHead,
    networks::{
        actor_critic::ActorCritic,
        network::{BuildNetwork, networks_in},
    },
};
use shared::Shared;
use worker::Worker;

/// The A3C agent: one worker for each of the training's environments. Its head says whether actions
/// are finite ([`Categorical`](crate::Categorical)) or real-valued
/// ([`DiagonalGaussian`](crate::DiagonalGaussian)).
///
/// Source: Mnih et al., "Asynchronous methods for deep reinforcement learning" (2016), algorithm S3,
/// with the shared RMSprop of its section 4:
///
/// ```text
/// shared by all workers: parameters θ, RMSprop's mean of squares g, the counter T
/// each of N workers, on a thread of its own, with an environment and a random stream of its own:
///     θ' = θ
///     repeat until T is the length of the training:
///         play t_max steps with policy π(·|s; θ')
///         R = r + γ R' to the last step or the episode's end, where γ V(s'; θ') stands for the rest,
///             or 0 where s' is terminal
///         L = mean (R − V) ln π(a|s; θ') − c₁ mean (R − V(s; θ'))² + c₂ mean entropy of π(·|s; θ')
///         dθ = the gradient of −L with respect to θ'; R − V in the first term is a constant
///         in its turn:
///             T = T + t_max
///             g = α g + (1 − α) dθ²,   θ = θ − η dθ / √(g + ε)
///             θ' = θ
/// ```
///
/// Departure: **turns**. In the paper a worker applies its gradient whenever it has one, without
/// locks (Hogwild), so that the order is the scheduler's and no run can be repeated. Here it is
/// round-robin: worker k + 1 follows k, and 0 follows the last. Between two turns of a worker, in which
/// it plays and differentiates, all others have theirs, so all work at once, and each gradient is
/// N − 1 updates old when it is applied (fewer before the second round): as stale as in the paper
/// where workers are equally fast. What a worker does follows from the parameters that it took in its
/// turn and from its own environment and stream. So the seed decides, bit for bit, on any number of
/// cores; and between two turns a training can be saved and taken up again: what workers have
/// played and differentiated by then lies in the checkpoint until their turns come.
///
/// Smaller departures: a worker plays on over an episode's end, over which no return flows, where the
/// paper would apply a shorter gradient at once; all updates but the last then have the same size,
/// and steps are counted ahead. A time limit is not an end, so an episode cut short is worth what its
/// last state is worth. The gradient is of the steps' mean, not their sum, which RMSprop divides out,
/// and its norm is clipped. Policy and value are separate networks, as elsewhere here, not two heads
/// of one. The mean of squares starts from 0. Real-valued actions are clipped on the way to the
/// environment and learned from as they were drawn.
///
/// An env step counts once its gradient was applied, so the environments are up to N · t_max steps
/// ahead, though never beyond the end of the training. Evaluations, logs and checkpoints come at the
/// first update at or after the env steps that they are due at.
///
/// `average` exploits by the weights' running mean (Polyak and Juditsky, 1992), as a policy wanders
/// around a good one; `min_log_std` keeps the deviation of real-valued actions from shrinking to nothing.
/// Both are off by default.
///
/// Metrics: `policy_loss`, `value_loss` (unweighted), `entropy`, `grad_norm` (before clipping),
/// `learning_rate`.
///
/// Settings: [`A3cConfig`]; c₁ is its `value_coefficient`, c₂ its `entropy_coefficient`.
pub struct A3c<O, H: PolicyHead> {
    shared: Shared<O, H>,
    workers: Vec<Worker<O, H>>,
}

impl<O: FeatureSpace, H: PolicyHead + Clone> A3c<O, H> {
    /// Creates an untrained agent.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`].
    pub fn new(
        observation_space: O,
        head: H,
        config: A3cConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let build = config.networks().builder()?;
        Self::with_network(observation_space, head, config, plan, &build)
    }

    /// Creates an untrained agent whose policy and value function `build` builds; the settings of their
    /// layers are not used.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built, or one with layers
    /// that only libtorch trains, which is not done on threads.
    #[allow(clippy::needless_pass_by_value, reason = "the arguments are those of all agents")]
    pub fn with_network(
        observation_space: O,
        head: H,
        config: A3cConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        config.check()?;
        let n = plan.num_envs;
        AgentError::require(
            (1..=256).contains(&n),
            "training.num_envs",
            &n,
            "1 to 256, a thread each",
        )?;
        // Before there are workers, whose threads take the setting over.
        threads::single_threaded_at_first_use();
        let spaces = || (observation_space.clone(), head.clone());
        let worker = |k| Worker::new(spaces(), &config, plan, build, k as u64);
        let workers = (0..n).map(worker).collect::<Result<_, _>>()?;
        let shared = Shared::new(spaces(), config.clone(), plan, build)?;
        shared.networks.require_plan()?;
        Ok(Self { workers, shared })
    }
}

impl<O: FeatureSpace, H: PolicyHead> A3c<O, H> {
    /// The policy and the value function that all workers share.
    pub fn networks(&self) -> &ActorCritic<O, H> {
        &self.shared.networks
    }
}

impl<O: FeatureSpace, H: PolicyHead> Policy<O, H::ActionSpace> for A3c<O, H> {
    /// By the shared parameters.
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<<H::ActionSpace as Space>::Element>,
    ) -> Result<(), AgentError> {
        let networks = &self.shared.networks;
        networks.act(observations, mode, rng, actions)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Asynchronous<O, H::ActionSpace> for A3c<O, H> {
    fn advance(
        &mut self,
        envs: &mut dyn VectorEnv<O, H::ActionSpace>,
        until: u64,
    ) -> Result<Vec<Turn>, AgentError> {
        let Self { shared, workers } = self;
        let (n, lanes) = (workers.len(), envs.lanes());
        if lanes.len() != n {
            return Err(EnvError::WrongBatch { expected: n, got: lanes.len() }.into());
        }
        let total = shared.total_env_steps();
        if until > total {
            let expected = format!("at most {total}, the training that the agent was made for");
            return Err(AgentError::Mismatch { what: "until", expected, got: until.to_string() });
        }
        // At the very start, and where what they had played was lost.
        for place in 0..n {
            let worker = &mut workers[shared.in_line(place)];
            if !worker.has_played() {
                worker.begin(&shared.networks, shared.share(place));
            }
        }
        turns::take(shared, workers, lanes, until)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Agent<O, H::ActionSpace> for A3c<O, H> {
    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        self.shared.env_steps() > 0
    }

    /// Workers learn from what they play themselves, in [`advance`](Asynchronous::advance).
    ///
    /// # Errors
    /// [`AgentError::Asynchronous`], always.
    fn learn(
        &mut self,
        _experience: &Experience<O, H::ActionSpace>,
    ) -> Result<Option<Metrics>, AgentError> {
        Err(AgentError::Asynchronous)
    }

    /// What workers have played without its having counted belongs to episodes that are lost.
    fn begin_episodes(&mut self) {
        self.workers.iter_mut().for_each(Worker::forget);
    }

    fn asynchronous(&mut self) -> Option<&mut dyn Asynchronous<O, H::ActionSpace>> {
        Some(self)
    }
}

// Workers take the shared parameters over in their turns.
networks_in!([O: FeatureSpace, H: PolicyHead] A3c<O, H>, shared.networks, {
    fn set_engine(&mut self, engine: Engine) -> Result<(), AgentError> {
        config::check_engine(engine)?;
        let mut workers = self.workers.iter_mut();
        workers.try_for_each(|worker| worker.set_engine(engine))?;
        self.shared.networks.set_engine(engine)
    }
});

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for A3c<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("shared", &self.shared)?;
        let mut workers = self.workers.iter().enumerate();
        workers.try_for_each(|(k, worker)| state.insert_part(&format!("workers/{k}"), worker))
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("shared", &mut self.shared)?;
        for (k, worker) in self.workers.iter_mut().enumerate() {
            let name = format!("workers/{k}");
            state.load_part(&name, worker)?;
            let (played, share) = (worker.steps_played(), self.shared.share_of(k).steps);
            if played != 0 && played != share {
                let (name, expected) = (format!("{name}/steps"), format!("{share} steps, or none"));
                return Err(CheckpointError::mismatch(&name, expected, played.to_string()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
