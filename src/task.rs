//! An agent in an environment, both chosen by name.

use std::sync::Arc;

use gymnast_envs::{Discrete, EnvError, EnvOptions, EnvSpec, RowSpace, Space};
use gymnast_harness::{MakeEnvs, Plan, Setup, TrainError};

use crate::catalog::{BuildAgent, Configured};

/// An agent in an environment with these spaces.
pub struct Task<O: Space, A: Space> {
    build: BuildAgent<O, A>,
    make: Arc<MakeEnvs<O, A>>,
}

impl<O: Space, A: Space> Task<O, A> {
    /// The agent and its environments, as one seed's training needs them.
    ///
    /// # Errors
    /// What the environment or the agent returns.
    pub fn setup(&self, plan: &Plan) -> Result<Setup<O, A>, TrainError> {
        let envs = (self.make)(plan.num_envs, plan.seed.child("envs", 0))?;
        let (observations, actions) = (envs.observation_space(), envs.action_space());
        let agent = (self.build)(observations.clone(), actions.clone(), plan)?;
        let make = self.make.clone();
        Ok(Setup { agent, envs, eval_envs: Box::new(move |n, seed| make(n, seed)) })
    }

    /// Makes fresh environments, `n` below a seed.
    pub fn make_envs(&self) -> &MakeEnvs<O, A> {
        &*self.make
    }
}

/// A [`Task`] of one of the three kinds.
pub enum AnyTask {
    /// Finite observations and actions.
    Finite(Task<Discrete, Discrete>),
    /// Finite actions, rows of numbers as observations.
    Discrete(Task<RowSpace, Discrete>),
    /// Real-valued actions.
    Continuous(Task<RowSpace, RowSpace>),
}

/// Does the same with a task of any kind.
macro_rules! with_task {
    ($any:expr, $task:ident => $body:expr) => {
        match $any {
            $crate::task::AnyTask::Finite($task) => $body,
            $crate::task::AnyTask::Discrete($task) => $body,
            $crate::task::AnyTask::Continuous($task) => $body,
        }
    };
}
pub(crate) use with_task;

impl AnyTask {
    /// The agent in the environment, as the first kind that both are of. `None` where there is
    /// none.
    #[must_use]
    pub fn new(agent: &Configured, env: &EnvSpec, options: &EnvOptions) -> Option<Self> {
        let make = |options: &EnvOptions| (env.clone(), options.clone());
        if let Some(build) = agent.finite.clone().filter(|_| env.is_finite()) {
            let (env, options) = make(options);
            let make = move |n, seed| served(env.finite_vector(n, seed, &options));
            return Some(Self::Finite(Task { build, make: Arc::new(make) }));
        }
        if let Some(build) = agent.discrete.clone().filter(|_| env.is_discrete()) {
            let (env, options) = make(options);
            let make = move |n, seed| served(env.discrete_vector(n, seed, &options));
            return Some(Self::Discrete(Task { build, make: Arc::new(make) }));
        }
        let build = agent.continuous.clone().filter(|_| env.is_continuous())?;
        let (env, options) = make(options);
        let make = move |n, seed| served(env.continuous_vector(n, seed, &options));
        Some(Self::Continuous(Task { build, make: Arc::new(make) }))
    }
}

/// A vector of a kind that the environment is known to be of.
pub(crate) fn served<T>(vector: Option<Result<T, EnvError>>) -> Result<T, EnvError> {
    vector.expect("the environment was asked for a kind that it is of")
}
