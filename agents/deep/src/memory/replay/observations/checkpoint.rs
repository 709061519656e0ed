//! The observations in a checkpoint: the same arrays whatever slots their frames lie in.

use gymnast_harness::{CheckpointError, StateDict};

use super::{APART, End, NONE, Observations};

/// How the next observation of a row is stored.
const LINKED: u8 = 0;
const LAST_FRAME: u8 = 1;
const WHOLE_STACK: u8 = 2;

impl Observations {
    /// Saves the `len` rows that are filled.
    pub(in super::super) fn save(
        &self,
        len: usize,
        state: &mut StateDict,
    ) -> Result<(), CheckpointError> {
        let apart = |row: usize| {
            let link = self.links[row];
            (link & APART != 0).then_some((link & !APART) as usize)
        };
        let kind = |row: usize| match apart(row).map(|slot| self.ends[slot].stack) {
            None => LINKED,
            Some(NONE) => LAST_FRAME,
            Some(_) => WHOLE_STACK,
        };
        let (kinds, successors): (Vec<u8>, Vec<u32>) =
            (0..len).map(|row| (kind(row), self.successor(row))).unzip();
        let slots: Vec<usize> = (0..len).filter_map(apart).collect();
        state.insert("next", &self.next)?;
        self.frames.save("observations", self.written, state);
        state.insert_array("successors", &[len], &successors);
        state.insert_array("apart", &[len], &kinds);
        self.last.frames.save_rows("last_frames", slots.iter().copied(), state);
        if self.storage.frames == 1 {
            return Ok(());
        }
        let stacks = slots.iter().map(|&slot| self.ends[slot].stack);
        let whole = &self.whole[..self.written];
        let stacks = whole.iter().copied().chain(stacks).filter(|&stack| stack != NONE);
        let stacks: Vec<usize> = stacks.map(|stack| stack as usize).collect();
        let is_whole: Vec<u8> = whole.iter().map(|&stack| u8::from(stack != NONE)).collect();
        state.insert("frames", &(self.next_frame, self.written))?;
        state.insert_array("back", &[self.written], &self.back[..self.written]);
        state.insert_array("is_whole", &[self.written], &is_whole);
        self.stacks.frames.save_rows("stacks", stacks.into_iter(), state);
        Ok(())
    }

    /// The `len` rows that were saved, from observations made with the same settings.
    pub(in super::super) fn read(
        &self,
        len: usize,
        state: &StateDict,
    ) -> Result<Self, CheckpointError> {
        let mut read = Self::new(self.storage, self.width, self.capacity, self.num_envs);
        // A memory that is not full yet goes on at its end.
        let capacity = self.capacity;
        let expected = format!("the row behind {len} of at most {capacity}");
        read.next = state.get_checked("next", &expected, |&next: &usize| {
            if len < capacity { next == len } else { next < capacity }
        })?;
        (read.next_frame, read.written) = (read.next, len);
        let mut stacks = 0;
        let mut stack = |is_whole: bool| {
            stacks += u32::from(is_whole);
            if is_whole { stacks - 1 } else { NONE }
        };
        if self.storage.frames > 1 {
            (read.next_frame, read.written) = self.ring_from(state, len)?;
            let (n, one_row) = (read.written, |&back: &u32| back as usize <= self.num_envs);
            let back = state.array_checked("back", &[n], "rows of one vector step", one_row)?;
            read.back[..n].copy_from_slice(&back);
            let is_whole = state.array_checked("is_whole", &[n], "0 or 1", |&x: &u8| x <= 1)?;
            let places = read.whole.iter_mut().zip(is_whole);
            places.for_each(|(place, is_whole)| *place = stack(is_whole == 1));
        }
        read.frames.load("observations", read.written, state)?;

        let successors = self.successors_from(state, len)?;
        let (most, expected) = (self.storage.frames.min(2) as u8, "0, 1 or, of stacks, 2");
        let kinds = state.array_checked("apart", &[len], expected, |&kind: &u8| kind <= most)?;
        for (row, (&kind, &successor)) in kinds.iter().zip(&successors).enumerate() {
            if kind == LINKED && successor == NONE {
                let expected = format!("1 or 2 for row {row}, which has no successor");
                return Err(CheckpointError::mismatch("apart", expected, "0"));
            }
            read.links[row] =
                if kind == LINKED { successor } else { APART | read.ends.len() as u32 };
            if kind != LINKED {
                read.ends.push(End { successor, stack: stack(kind == WHOLE_STACK) });
            }
        }
        read.last = self.last.read("last_frames", read.ends.len(), state)?;
        if self.storage.frames > 1 {
            read.stacks = self.stacks.read("stacks", stacks as usize, state)?;
        }
        Ok(read)
    }

    /// The place of the next frame and the number of those written, which outlive their rows.
    fn ring_from(&self, state: &StateDict, len: usize) -> Result<(usize, usize), CheckpointError> {
        let (capacity, ring) = (self.capacity, self.ring);
        let expected = format!("the frame behind {len} to {ring} of them, and their number");
        state.get_checked("frames", &expected, |&(next, written): &(usize, usize)| {
            let fits =
                if len < capacity { written == len } else { (len..=ring).contains(&written) };
            fits && if written < ring { next == written } else { next < ring }
        })
    }

    /// The successor of each row: of the same environment, so stored at most one row an environment
    /// later.
    fn successors_from(&self, state: &StateDict, len: usize) -> Result<Vec<u32>, CheckpointError> {
        let (capacity, num_envs) = (self.capacity, self.num_envs);
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
}
