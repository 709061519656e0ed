//! The memory in a checkpoint.

use gymnast_harness::{Checkpoint, CheckpointError, Number, StateDict};

use super::{NONE, Replay};

impl<T: Number> Checkpoint for Replay<T> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let (len, rows) = (self.len, [self.len, self.width]);
        let actions = [len, self.action_width];
        state.insert("next", &self.next)?;
        state.insert_array("observations", &rows, &self.observations[..len * self.width]);
        state.insert_array("next_observations", &rows, &self.next_observations[..len * self.width]);
        state.insert_array("actions", &actions, &self.actions[..len * self.action_width]);
        state.insert_array("rewards", &[len], &self.rewards[..len]);
        state.insert_array("discounts", &[len], &self.discounts[..len]);
        state.insert_array("successors", &[len], &self.successors[..len]);
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
        // A memory that is not full yet goes on at its end.
        let capacity = self.capacity;
        let expected = format!("the row behind {len} of at most {capacity}");
        let next = state.get_checked("next", &expected, |&next: &usize| {
            if len < capacity { next == len } else { next < capacity }
        })?;
        let observations = state.finite_array("observations", &[len, self.width])?;
        let next_observations = state.finite_array("next_observations", &[len, self.width])?;
        let actions: Vec<T> = state.array("actions", &[len, self.action_width])?;
        let rewards = state.finite_array("rewards", &[len])?;
        let expected = "discounts in [-1, 1]";
        let fits = |x: &f32| x.abs() <= 1.0;
        let discounts = state.array_checked("discounts", &[len], expected, fits)?;
        let successors = self.successors_from(state, len)?;
        let latest = self.latest_from(state, len, next)?;
        if let Some(priorities) = &mut self.priorities {
            priorities.load(len, state)?;
        }
        self.observations[..len * self.width].copy_from_slice(&observations);
        self.next_observations[..len * self.width].copy_from_slice(&next_observations);
        self.actions[..len * self.action_width].copy_from_slice(&actions);
        self.rewards[..len].copy_from_slice(&rewards);
        self.discounts[..len].copy_from_slice(&discounts);
        self.successors[..len].copy_from_slice(&successors);
        self.latest = latest;
        (self.next, self.len) = (next, len);
        Ok(())
    }
}

impl<T> Replay<T> {
    /// The successor of each row: of the same environment, so stored at most one row an environment
    /// later.
    fn successors_from(&self, state: &StateDict, len: usize) -> Result<Vec<u32>, CheckpointError> {
        let (capacity, num_envs) = (self.capacity, self.latest.len());
        let successors: Vec<u32> = state.array("successors", &[len])?;
        let follows = |(row, &successor): (usize, &u32)| {
            let distance = (successor as usize).wrapping_add(capacity).wrapping_sub(row) % capacity;
            successor == NONE || (successor as usize) < len && (1..=num_envs).contains(&distance)
        };
        match successors.iter().enumerate().position(|pair| !follows(pair)) {
            None => Ok(successors),
            Some(row) => {
                let expected = format!("one of the {num_envs} rows behind row {row} of {len}");
                let got = successors[row].to_string();
                Err(CheckpointError::mismatch("successors", expected, got))
            }
        }
    }

    /// Where each environment stored last: among the last rows, one an environment.
    fn latest_from(
        &self,
        state: &StateDict,
        len: usize,
        next: usize,
    ) -> Result<Vec<u32>, CheckpointError> {
        let (capacity, num_envs) = (self.capacity, self.latest.len());
        let is_recent = |&row: &u32| {
            let age = (next + capacity).wrapping_sub(row as usize) % capacity;
            row == NONE || (row as usize) < len && (1..=num_envs).contains(&age)
        };
        let expected =
            format!("for each of {num_envs} environments one of the last {num_envs} rows");
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
