//! The learned model of an environment, which Dyna and prioritized sweeping plan with.

use gymnast_envs::Rng;
use gymnast_harness::{Checkpoint, CheckpointError, StateDict};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use crate::{QTable, TimeStep};

/// What the model stores for a state and action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// The number of times each outcome occurred. Use it if outcomes are random.
    Counts,
    /// The last outcome only, as in the book. Use it for deterministic environments that change.
    Last,
}

/// An outcome that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) next_state: usize,
    pub(crate) terminated: bool,
    /// The mean of the rewards received with it.
    pub(crate) reward: f64,
    pub(crate) count: u64,
}

impl Seen {
    /// The factor on the successor's value: `gamma`, or 0 after termination.
    pub(crate) fn discount(&self, gamma: f64) -> f64 {
        if self.terminated { 0.0 } else { gamma }
    }
}

/// A table of what was seen to follow each state and action. A time limit is not remembered: it is no
/// property of the state.
pub(crate) struct LearnedModel {
    memory: Memory,
    actions: usize,
    outcomes: Vec<Vec<Seen>>, // [S × A]
    /// The states in which an action was tried, in the order of the first time.
    observed: Vec<usize>,
}

impl LearnedModel {
    /// An empty model of the states and actions of a table.
    pub(crate) fn new(memory: Memory, q: &QTable) -> Self {
        let (actions, outcomes) = (q.actions(), vec![Vec::new(); q.states() * q.actions()]);
        Self { memory, actions, outcomes, observed: Vec::new() }
    }

    /// What was seen to follow an action in a state; nothing if it was never tried.
    pub(crate) fn outcomes(&self, state: usize, action: usize) -> &[Seen] {
        &self.outcomes[state * self.actions + action]
    }

    pub(crate) fn learn(&mut self, step: &TimeStep) {
        let TimeStep { state, action, reward, next_state, .. } = *step;
        let terminated = step.outcome.terminated();
        let pairs = state * self.actions..(state + 1) * self.actions;
        if self.outcomes[pairs].iter().all(Vec::is_empty) {
            self.observed.push(state);
        }
        let seen = &mut self.outcomes[state * self.actions + action];
        let is_it = |s: &&mut Seen| s.next_state == next_state && s.terminated == terminated;
        match (self.memory, seen.iter_mut().find(is_it)) {
            (Memory::Counts, Some(known)) => {
                known.count += 1;
                known.reward += (reward - known.reward) / known.count as f64;
            }
            (memory, _) => {
                if memory == Memory::Last {
                    seen.clear();
                }
                seen.push(Seen { next_state, terminated, reward, count: 1 });
            }
        }
    }

    /// Whether these can have been seen to follow an action.
    fn can_be(&self, outcomes: &[Seen]) -> bool {
        let states = self.outcomes.len() / self.actions;
        let possible = |seen: &Seen| {
            seen.next_state < states
                && (1..=1 << 53).contains(&seen.count)
                && seen.reward.is_finite()
        };
        let total = outcomes.iter().try_fold(0_u64, |total, seen| total.checked_add(seen.count));
        let few = self.memory == Memory::Counts || outcomes.len() <= 1;
        outcomes.iter().all(possible) && total.is_some_and(|total| total <= 1 << 53) && few
    }

    /// A state in which an action was tried: each with the same probability. There must be one.
    pub(crate) fn observed_state(&self, rng: &mut Rng) -> usize {
        self.observed[rng.random_range(0..self.observed.len())]
    }

    /// An action that was tried in an observed state: each with the same probability.
    pub(crate) fn tried_action(&self, state: usize, rng: &mut Rng) -> usize {
        let tried = || (0..self.actions).filter(|&a| !self.outcomes(state, a).is_empty());
        let chosen = rng.random_range(0..tried().count());
        tried().nth(chosen).expect("the state was observed")
    }

    /// An outcome of an action that was tried in a state, as often as it was seen.
    pub(crate) fn sample(&self, state: usize, action: usize, rng: &mut Rng) -> Seen {
        let outcomes = self.outcomes(state, action);
        if let [only] = outcomes {
            return *only;
        }
        let total = outcomes.iter().map(|seen| seen.count).sum();
        let mut chosen = rng.random_range(0..total);
        for seen in outcomes {
            if chosen < seen.count {
                return *seen;
            }
            chosen -= seen.count;
        }
        unreachable!("the counts add up to the total")
    }
}

impl Checkpoint for LearnedModel {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("outcomes", &self.outcomes)?;
        state.insert("observed", &self.observed)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let (pairs, actions) = (self.outcomes.len(), self.actions);
        let expected = format!("outcomes of {pairs} states and actions, each seen at least once");
        let fits = |outcomes: &Vec<Vec<Seen>>| {
            outcomes.len() == pairs && outcomes.iter().all(|seen| self.can_be(seen))
        };
        let outcomes = state.get_checked("outcomes", &expected, fits)?;
        let was_tried = |state: usize| {
            outcomes[state * actions..][..actions].iter().any(|seen| !seen.is_empty())
        };
        let expected = "each state with an outcome, once";
        self.observed = state.get_checked("observed", expected, |observed: &Vec<usize>| {
            let mut sorted = observed.clone();
            sorted.sort_unstable();
            sorted.into_iter().eq((0..pairs / actions).filter(|&state| was_tried(state)))
        })?;
        self.outcomes = outcomes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{Outcome, Seed};

    use super::*;
    use crate::testing::{assert_near, step};

    #[test]
    fn outcomes_are_drawn_as_often_as_they_were_seen() {
        let mut model = LearnedModel::new(Memory::Counts, &QTable::new(4, 2, 0.0));
        for reward in [1.0, 2.0, 6.0] {
            model.learn(&step(2, 1, reward, 0, Outcome::Continues));
        }
        model.learn(&step(2, 1, 5.0, 0, Outcome::Terminated));
        let mut rng = Seed::new(0).rng();
        let ends = (0..10_000).filter(|_| model.sample(2, 1, &mut rng).terminated).count();
        assert!((2_300..2_700).contains(&ends), "{ends}");
        assert_near(model.outcomes(2, 1)[0].reward, 3.0);
        assert_eq!((model.observed_state(&mut rng), model.tried_action(2, &mut rng)), (2, 1));
    }

    #[test]
    fn the_book_remembers_the_last_outcome() {
        let mut model = LearnedModel::new(Memory::Last, &QTable::new(4, 2, 0.0));
        model.learn(&step(2, 1, 1.0, 0, Outcome::Terminated));
        model.learn(&step(2, 1, 3.0, 1, Outcome::Truncated));
        let last = Seen { next_state: 1, terminated: false, reward: 3.0, count: 1 };
        assert_eq!(model.outcomes(2, 1), [last]);
        assert_eq!(model.observed, [2]);
    }
}
