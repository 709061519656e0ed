//! An agent in an environment, both chosen by name.

use std::sync::Arc;

use gymnast_envs::{
    EnvOptions, EnvSpec, Space, each_kind,
    kind::{AnyKind, Kind, PerKind},
};
use gymnast_harness::{MakeEnvs, Plan, Setup, TrainError};

use crate::catalog::{BuildAgent, Configured};

/// An agent with an environment of these spaces.
pub struct Task<O: Space, A: Space> {
    build: BuildAgent<O, A>,
    make: Box<MakeEnvs<O, A>>,
    make_eval: Arc<MakeEnvs<O, A>>,
}

impl<O: Space, A: Space> Task<O, A> {
    /// Creates the agent and its environments for the training of one seed.
    ///
    /// # Errors
    /// The errors of the environment or the agent.
    pub fn setup(&self, plan: &Plan) -> Result<Setup<O, A>, TrainError> {
        let envs = (self.make)(plan.num_envs, plan.seed.child("envs", 0))?;
        let (observations, actions) = (envs.observation_space(), envs.action_space());
        let agent = (self.build)(observations.clone(), actions.clone(), plan)?;
        Ok(Setup { agent, envs, eval_envs: self.make_eval.clone() })
    }

    /// Returns the function that creates `n` environments for an evaluation below a seed.
    pub fn eval_envs(&self) -> &MakeEnvs<O, A> {
        &*self.make_eval
    }
}

/// The type that [`AnyTask`] holds: a [`Task`] for each kind.
pub struct TaskOf;

impl PerKind for TaskOf {
    type Of<K: Kind> = Task<K::Observation, K::Action>;
}

/// A [`Task`] of any kind.
pub type AnyTask = AnyKind<TaskOf>;

/// Combines an agent and an environment in the first kind that both support. `None` if there is
/// none.
///
/// Training environments have `options`, evaluation environments `eval_options` and no wrappers
/// that change rewards.
#[must_use]
pub fn any_task(
    agent: &Configured,
    env: &EnvSpec,
    options: &EnvOptions,
    eval_options: &EnvOptions,
) -> Option<AnyTask> {
    each_kind!(kind => if let Some(build) = agent.builders.get(kind).filter(|_| env.serves(kind)) {
        let with = |env: &EnvSpec, options: &EnvOptions| {
            let (env, options) = (env.clone(), options.clone());
            move |n, seed| {
                let vector = env.vector(kind, n, seed, &options);
                vector.expect("the environment was asked for a kind that it is of")
            }
        };
        let make = Box::new(with(env, options));
        let make_eval = Arc::new(with(env.for_evaluation(), eval_options));
        return Some(kind.any(Task { build: build.clone(), make, make_eval }));
    });
    None
}
