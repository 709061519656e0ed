//! An agent in an environment, both chosen by name.

use std::sync::Arc;

use gymnast_envs::{Discrete, EnvError, EnvOptions, EnvSpec, RowSpace, Seed, Space, VectorEnv};
use gymnast_harness::{MakeEnvs, Plan, Setup, TrainError};

use crate::catalog::{BuildAgent, Configured};

/// An agent in an environment with these spaces.
pub struct Task<O: Space, A: Space> {
    build: BuildAgent<O, A>,
    make: Box<MakeEnvs<O, A>>,
    make_eval: Arc<MakeEnvs<O, A>>,
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
        let make = self.make_eval.clone();
        Ok(Setup { agent, envs, eval_envs: Box::new(move |n, seed| make(n, seed)) })
    }

    /// Makes fresh environments for an evaluation, `n` below a seed.
    pub fn eval_envs(&self) -> &MakeEnvs<O, A> {
        &*self.make_eval
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
    ///
    /// It learns in environments with `options` and is evaluated in some with `eval_options`.
    #[must_use]
    pub fn new(
        agent: &Configured,
        env: &EnvSpec,
        options: &EnvOptions,
        eval_options: &EnvOptions,
    ) -> Option<Self> {
        let all = [options, eval_options];
        if let Some(build) = agent.finite.clone().filter(|_| env.is_finite()) {
            return Some(Self::Finite(task(build, env, all, EnvSpec::finite_vector)));
        }
        if let Some(build) = agent.discrete.clone().filter(|_| env.is_discrete()) {
            return Some(Self::Discrete(task(build, env, all, EnvSpec::discrete_vector)));
        }
        let build = agent.continuous.clone().filter(|_| env.is_continuous())?;
        Some(Self::Continuous(task(build, env, all, EnvSpec::continuous_vector)))
    }
}

/// Makes vectors of one kind. `None` where the environment is not of it.
type MakeVector<O, A> =
    fn(&EnvSpec, usize, Seed, &EnvOptions) -> Option<Result<Box<dyn VectorEnv<O, A>>, EnvError>>;

/// The task of a kind that the environment is known to be of.
fn task<O: Space, A: Space>(
    build: BuildAgent<O, A>,
    env: &EnvSpec,
    [options, eval_options]: [&EnvOptions; 2],
    make: MakeVector<O, A>,
) -> Task<O, A> {
    let with = |options: &EnvOptions| {
        let (env, options) = (env.clone(), options.clone());
        move |n, seed| {
            let vector = make(&env, n, seed, &options);
            vector.expect("the environment was asked for a kind that it is of")
        }
    };
    Task { build, make: Box::new(with(options)), make_eval: Arc::new(with(eval_options)) }
}
