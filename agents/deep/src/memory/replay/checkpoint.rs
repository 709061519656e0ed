//! The memory in a checkpoint.

use gymnast_harness::{Checkpoint, CheckpointError, Number, StateDict};

use super::{NONE, Replay, observations::Observations};

impl<T: Number> Checkpoint for Replay<T> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let len = self.len;
        let actions = [len, self.action_width];
        self.observations.save(len, state)?;
        state.insert_array("actions", &actions, &self.actions[..len * self.action_width]);
        let (rewards, discounts): (Vec<f32>, Vec<f32>) =
            self.outcomes[..len].iter().map(|&[reward, discount]| (reward, discount)).unzip();
        state.insert_array("rewards", &[len], &rewards);
        state.insert_array("discounts", &[len], &discounts);
        state.insert("latest", &self.latest)?;
        if let Some(priorities) = &self.priorities {
            priorities.save(len, state)?;
        }
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let len = state.array_len::<f32>("rewards")?;
        if len > self.capacity {
            let expected = format!("at most {} transitions", self.capacity);
            return Err(CheckpointError::mismatch("rewards", expected, len.to_string()));
        }
        let observations = self.observations.read(len, state)?;
        let actions: Vec<T> = state.array("actions", &[len, self.action_width])?;
        let rewards = state.finite_array("rewards", &[len])?;
        let expected = "discounts in [-1, 1]";
        let fits = |x: &f32| x.abs() <= 1.0;
        let discounts = state.array_checked("discounts", &[len], expected, fits)?;
        let latest = self.latest_from(state, len, &observations)?;
        if let Some(priorities) = &mut self.priorities {
            priorities.load(len, state)?;
        }
        self.actions[..len * self.action_width].copy_from_slice(&actions);
        let outcomes =
            rewards.into_iter().zip(discounts).map(|(reward, discount)| [reward, discount]);
        self.outcomes.iter_mut().zip(outcomes).for_each(|(place, outcome)| *place = outcome);
        (self.observations, self.latest, self.len) = (observations, latest, len);
        Ok(())
    }
}

impl<T> Replay<T> {
    /// Where each environment stored last: among the last rows, one an environment, without a successor.
    fn latest_from(
        &self,
        state: &StateDict,
        len: usize,
        observations: &Observations,
    ) -> Result<Vec<u32>, CheckpointError> {
        let (capacity, num_envs) = (self.capacity, self.latest.len());
        let is_recent = |&row: &u32| {
            let age = (observations.next + capacity).wrapping_sub(row as usize) % capacity;
            let is_stored = (row as usize) < len && (1..=num_envs).contains(&age);
            row == NONE || is_stored && observations.successor(row as usize) == NONE
        };
        let expected = format!(
            "for each of {num_envs} environments one of the last {num_envs} rows, without a successor"
        );
        state.get_checked("latest", &expected, |latest: &Vec<u32>| {
            let mut rows: Vec<u32> = latest.iter().copied().filter(|&row| row != NONE).collect();
            rows.sort_unstable();
            let are_distinct = rows.windows(2).all(|pair| pair[0] < pair[1]);
            latest.len() == num_envs && latest.iter().all(is_recent) && are_distinct
        })
    }

    /// Checks the actions of all rows, once they are taken up.
    pub(crate) fn check_actions(
        &self,
        expected: &str,
        fits: impl Fn(&T) -> bool,
    ) -> Result<(), CheckpointError>
    where
        T: std::fmt::Debug,
    {
        let actions = &self.actions[..self.len * self.action_width];
        match actions.iter().find(|action| !fits(action)) {
            None => Ok(()),
            Some(action) => {
                let got = format!("{action:?}");
                Err(CheckpointError::mismatch("replay/actions", expected, got))
            }
        }
    }
}
