//! The steps since the last update, in columns.

use gymnast_envs::{Experience, FeatureSpace};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use crate::{
    distributions::policy_head::PolicyHead,
    mathematics::returns::Steps,
    memory::{OnPolicyMemory, append},
    networks::actor_critic::ActorCritic,
};

/// `num_steps` steps of `num_envs` environments: row t · `num_envs` + i is step t of environment i.
///
/// Each column is one allocation, made when the rollout is made. Successors are the true ones, so
/// that an episode cut short is worth what its last state is worth. A reset has its row, as it takes
/// its time, but is no [transition](Self::transitions).
pub struct Rollout {
    observations: Vec<f32>,      // [T · N, width]
    next_observations: Vec<f32>, // [T · N, width]
    actions: Vec<f32>,           // [T · N, action_width]
    rewards: Vec<f32>,           // [T · N]
    discounts: Vec<f32>,         // [T · N]
    traces: Vec<f32>,            // [T · N]
    is_transition: Vec<u8>,      // [T · N]
    num_envs: usize,
    width: usize,
    action_width: usize,
    capacity: usize,
}

impl Rollout {
    /// Creates an empty rollout.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where `num_steps` is 0 or too large.
    pub fn new(
        num_steps: usize,
        num_envs: usize,
        width: usize,
        action_width: usize,
    ) -> Result<Self, AgentError> {
        let capacity = num_steps.saturating_mul(num_envs);
        let fits = (1..=1 << 22).contains(&capacity)
            && capacity.saturating_mul(width.max(action_width)) <= 1 << 30;
        let expected = "at least 1, and at most 4194304 steps in all environments";
        AgentError::require(fits, "n_steps", &num_steps, expected)?;
        Ok(Self {
            observations: Vec::with_capacity(capacity * width),
            next_observations: Vec::with_capacity(capacity * width),
            actions: Vec::with_capacity(capacity * action_width),
            rewards: Vec::with_capacity(capacity),
            discounts: Vec::with_capacity(capacity),
            traces: Vec::with_capacity(capacity),
            is_transition: Vec::with_capacity(capacity),
            num_envs,
            width,
            action_width,
            capacity,
        })
    }

    /// The rows that fill it: the env steps between two updates.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the observations: `[rows, width]`.
    #[must_use]
    pub fn observations(&self) -> &[f32] {
        &self.observations
    }

    /// Returns the next observations: `[rows, width]`.
    #[must_use]
    pub fn next_observations(&self) -> &[f32] {
        &self.next_observations
    }

    /// Returns the actions, as they were drawn: `[rows, action_width]`.
    #[must_use]
    pub fn actions(&self) -> &[f32] {
        &self.actions
    }

    /// Returns the rewards, discounts and traces, from which returns are computed.
    #[must_use]
    pub fn steps(&self) -> Steps<'_> {
        Steps {
            reward: &self.rewards,
            discount: &self.discounts,
            trace: &self.traces,
            num_envs: self.num_envs,
        }
    }

    /// Returns the rows that are transitions: all but resets.
    pub fn transitions(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|&row| self.is_transition[row] != 0)
    }
}

impl OnPolicyMemory for Rollout {
    const NAME: &'static str = "rollout";

    fn first_update(&self) -> u64 {
        self.capacity as u64
    }

    fn push<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &ActorCritic<O, H>,
        experience: &Experience<O, H::ActionSpace>,
        gamma: f64,
        reward_scale: f64,
    ) -> Result<(), AgentError> {
        AgentError::check_rows(experience, self.num_envs)?;
        AgentError::check_rewards(&experience.rewards, reward_scale)?;
        for i in 0..experience.len() {
            let row = grow(&mut self.observations, self.width);
            networks.write_features(&experience.observations[i], row);
            let row = grow(&mut self.next_observations, self.width);
            networks.write_features(&experience.next_observations[i], row);
            let row = grow(&mut self.actions, self.action_width);
            networks.write_action(i, &experience.actions[i], row);
            let outcome = experience.outcomes[i];
            self.rewards.push((experience.rewards[i] * reward_scale) as f32);
            self.discounts.push(outcome.discount(gamma) as f32);
            self.traces.push(if outcome.is_final() { 0.0 } else { gamma as f32 });
            self.is_transition.push(u8::from(!experience.is_reset[i]));
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.len() >= self.capacity
    }

    fn has_transitions(&self) -> bool {
        self.transitions().next().is_some()
    }

    fn clear(&mut self) {
        let Self { observations, next_observations, actions, rewards, discounts, traces, .. } =
            self;
        for column in [observations, next_observations, actions, rewards, discounts, traces] {
            column.clear();
        }
        self.is_transition.clear();
    }

    /// No value flows from the next step to the last.
    fn begin_episodes(&mut self) {
        let last = self.len().saturating_sub(self.num_envs);
        self.traces[last..].fill(0.0);
    }

    fn named_actions(&self) -> Vec<(String, &[f32])> {
        vec![("actions".to_owned(), self.actions())]
    }
}

/// Copies rows of a column, `width` numbers each, into another: a minibatch.
pub fn gather(
    rows: impl IntoIterator<Item = usize>,
    column: &[f32],
    width: usize,
    to: &mut Vec<f32>,
) {
    to.clear();
    rows.into_iter().for_each(|row| append(&column[row * width..][..width], to));
}

fn grow(column: &mut Vec<f32>, by: usize) -> &mut [f32] {
    let len = column.len();
    column.resize(len + by, 0.0);
    &mut column[len..]
}

impl Checkpoint for Rollout {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let (rows, shape) = ([self.len()], [self.len(), self.width]);
        state.insert_array("observations", &shape, &self.observations);
        state.insert_array("next_observations", &shape, &self.next_observations);
        state.insert_array("actions", &[self.len(), self.action_width], &self.actions);
        state.insert_array("rewards", &rows, &self.rewards);
        state.insert_array("discounts", &rows, &self.discounts);
        state.insert_array("traces", &rows, &self.traces);
        state.insert_array("is_transition", &rows, &self.is_transition);
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let len = state.array_len::<f32>("rewards")?;
        if len >= self.capacity || !len.is_multiple_of(self.num_envs) {
            let expected = format!("fewer than {} rows, {} a step", self.capacity, self.num_envs);
            return Err(CheckpointError::mismatch("rewards", expected, len.to_string()));
        }
        let shape = [len, self.width];
        let rewards = state.finite_array("rewards", &[len])?;
        let observations = state.finite_array("observations", &shape)?;
        let next_observations = state.finite_array("next_observations", &shape)?;
        let actions = state.finite_array("actions", &[len, self.action_width])?;
        let factor = |name| {
            let (expected, fits) = ("numbers in [-1, 1]", |x: &f32| x.abs() <= 1.0);
            state.array_checked(name, &[len], expected, fits)
        };
        let (discounts, traces) = (factor("discounts")?, factor("traces")?);
        let is_flag = |x: &u8| *x <= 1;
        let is_transition = state.array_checked("is_transition", &[len], "0 or 1", is_flag)?;
        self.clear();
        self.observations.extend(observations);
        self.next_observations.extend(next_observations);
        self.actions.extend(actions);
        self.rewards.extend(rewards);
        self.discounts.extend(discounts);
        self.traces.extend(traces);
        self.is_transition.extend(is_transition);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_core::nn::Activation;
    use gymnast_envs::{BoxSpace, Discrete, Outcome, Seed};

    use super::*;
    use crate::{
        distributions::policy_head::Categorical, mathematics::returns,
        networks::actor_critic::ActorCriticConfig,
    };

    #[test]
    fn no_value_flows_over_an_end_or_a_reset() {
        let config = ActorCriticConfig {
            hidden: vec![],
            activation: Activation::Tanh,
            log_std: 0.0,
            normalize_observations: false,
            ..ActorCriticConfig::default()
        };
        let (head, space) = (Categorical::new(Discrete::new(2)), BoxSpace::<1>::unbounded());
        let networks = ActorCritic::new(space, head, &config, &mut Seed::new(1).rng()).unwrap();
        // Two environments that show their step's number: the first is cut short after its second
        // step and then reset by a row of its own, the second ends there for good.
        let mut rollout = Rollout::new(4, 2, 1, 1).unwrap();
        let outcomes = [Outcome::Continues; 2];
        let ends = [Outcome::Truncated, Outcome::Terminated];
        for (t, (outcomes, is_reset)) in
            [(outcomes, false), (ends, false), (outcomes, true), (outcomes, false)]
                .into_iter()
                .enumerate()
        {
            rollout
                .push(
                    &networks,
                    &Experience {
                        observations: vec![[t as f32]; 2],
                        actions: vec![1, 0],
                        rewards: vec![1.0, 2.0],
                        next_observations: vec![[t as f32 + 1.0]; 2],
                        outcomes: outcomes.to_vec(),
                        is_reset: vec![is_reset, is_reset],
                    },
                    0.5,
                    10.0,
                )
                .unwrap();
        }
        assert!(rollout.is_full());
        assert_eq!(rollout.transitions().collect::<Vec<_>>(), [0, 1, 2, 3, 6, 7]);
        assert_eq!(rollout.actions(), [1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
        let mut got = Vec::new();
        // As if a state's value were its number.
        returns::bootstrapped(&rollout.steps(), rollout.next_observations(), &mut got).unwrap();
        assert_eq!(got[2..4], [10.0 + 0.5 * 2.0, 20.0]);
        assert_eq!(got[..2], [10.0 + 0.5 * 11.0, 20.0 + 0.5 * 20.0]);
        assert_eq!(got[6..], [10.0 + 0.5 * 4.0, 20.0 + 0.5 * 4.0]);

        // Once it is said that others begin, the last step is worth what its successor is.
        let mut rollout = Rollout::new(2, 2, 1, 1).unwrap();
        rollout.begin_episodes();
        let experience = Experience {
            observations: vec![[0.0]; 2],
            actions: vec![1, 0],
            rewards: vec![1.0, 2.0],
            next_observations: vec![[8.0]; 2],
            outcomes: outcomes.to_vec(),
            is_reset: vec![false; 2],
        };
        rollout.push(&networks, &experience, 0.5, 1.0).unwrap();
        rollout.begin_episodes();
        rollout.push(&networks, &experience, 0.5, 1.0).unwrap();
        returns::bootstrapped(&rollout.steps(), rollout.next_observations(), &mut got).unwrap();
        assert_eq!(got, [5.0, 6.0, 5.0, 6.0]);
    }
}
