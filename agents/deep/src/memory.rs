//! What agents remember: a replay memory of transitions, a rollout of steps, whole episodes.

pub mod episodes;
pub mod replay;
pub mod rollout;

use gymnast_envs::{Experience, FeatureSpace};
use gymnast_harness::{AgentError, Checkpoint};

use crate::{distributions::policy_head::PolicyHead, networks::actor_critic::ActorCritic};

/// Adds a row to a column. Rows are mostly short: a call that copies takes longer than four numbers.
#[inline]
fn append<T: Copy>(row: &[T], column: &mut Vec<T>) {
    const SHORT: usize = 32;
    if row.len() > SHORT {
        return column.extend_from_slice(row);
    }
    let (fours, rest) = row.as_chunks::<4>();
    fours.iter().for_each(|four| column.extend_from_slice(four));
    rest.iter().for_each(|&number| column.push(number));
}

/// The memory of an on-policy agent, which it learns from when it is full.
pub trait OnPolicyMemory: Checkpoint + Send {
    /// The name of its part of a checkpoint.
    const NAME: &'static str;

    /// The least number of env steps before the first update.
    fn first_update(&self) -> u64;

    /// Adds one step of every environment, its rewards times `reward_scale`.
    ///
    /// # Errors
    /// [`AgentError::Env`] unless there is one row an environment.
    fn push<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &ActorCritic<O, H>,
        experience: &Experience<O, H::ActionSpace>,
        gamma: f64,
        reward_scale: f64,
    ) -> Result<(), AgentError>;

    /// Whether an update is due.
    fn is_full(&self) -> bool;

    /// Whether it holds a transition to learn from: a reset is none.
    fn has_transitions(&self) -> bool;

    /// Drops what an update has learned from.
    fn clear(&mut self);

    /// Drops every unfinished episode, or lets no value flow from the next step to the last; see
    /// [`Agent::begin_episodes`](gymnast_harness::Agent::begin_episodes).
    fn begin_episodes(&mut self);

    /// Returns all actions, `[rows, action_width]`, by the names of their arrays in its part of a checkpoint:
    /// the agent refuses a checkpoint with numbers that stand for no action.
    fn named_actions(&self) -> Vec<(String, &[f32])>;
}
