//! Storing observations: what has been stored already is not stored again.

use gymnast_envs::{ElementType, Storage};
use gymnast_harness::AgentError;

use super::{
    super::frames::{first_not_whole, same_bits},
    APART, End, NONE, Observations,
};

impl Observations {
    /// Stores an observation and the next, each written by a function, as the row `next`, which follows
    /// the row `previous` of the same episode (or none, [`NONE`]). Nothing has changed on an error.
    #[inline]
    pub(in super::super) fn push(
        &mut self,
        previous: u32,
        write: impl FnOnce(&mut [f32]),
        write_next: impl FnOnce(&mut [f32]),
    ) -> Result<(), AgentError> {
        if self.storage == Storage::F32 {
            self.push_numbers(previous, write, write_next);
            return Ok(());
        }
        let (observation, next_observation) = self.incoming.split_at_mut(self.width);
        write(observation);
        write_next(next_observation);
        self.push_frames(previous)
    }

    /// Has plain numbers written to where they stay.
    #[inline]
    fn push_numbers(
        &mut self,
        previous: u32,
        write: impl FnOnce(&mut [f32]),
        write_next: impl FnOnce(&mut [f32]),
    ) {
        let row = self.next;
        self.release(row);
        let mut free = None;
        if let Some(observation) = self.frames.row_mut(row) {
            write(observation);
            if previous != NONE {
                let link = self.links[previous as usize];
                let slot = (link & !APART) as usize;
                let is_seen = link & APART != 0 && self.last.frames.equals(slot, 0, observation);
                free = self.follow(previous, is_seen);
            }
        }
        let slot = free.unwrap_or_else(|| self.take_slot());
        if let Some(next_observation) = self.last.frames.row_mut(slot as usize) {
            write_next(next_observation);
        }
        self.links[row] = APART | slot;
        self.advance();
    }

    /// Stores what is incoming, of which some may be known or smaller than it is.
    fn push_frames(&mut self, previous: u32) -> Result<(), AgentError> {
        self.check_incoming()?;
        let incoming = std::mem::take(&mut self.incoming);
        let (observation, next_observation) = incoming.split_at(self.width);
        let (older, frame) = observation.split_at(self.width - self.frame_width);
        let (next_older, next_frame) = next_observation.split_at(older.len());

        // Compared before anything is overwritten.
        let mut distance = 0;
        let (mut is_seen, follows) = (false, previous != NONE);
        let is_stacked = if follows {
            let age = self.age(previous as usize);
            let place = self.place(previous as usize);
            distance = if age < self.num_envs { age as u32 + 1 } else { 0 };
            let is_stacked = self.are_frames_before(place, older);
            is_seen = self.is_next(previous, observation, is_stacked);
            is_stacked && distance > 0
        } else {
            let width = frame.len();
            (0..self.storage.frames - 1).all(|i| same_bits(&older[i * width..][..width], frame))
        };

        let row = self.next;
        self.release(row);
        // What is stored once more need not stay apart.
        let free = if follows { self.follow(previous, is_seen) } else { None };
        let slot = free.unwrap_or_else(|| self.take_slot());
        self.links[row] = APART | slot;
        self.last.frames.set(slot as usize, next_frame);
        self.frames.set(self.next_frame, frame);
        if self.storage.frames > 1 {
            self.back[self.next_frame] = distance;
            let whole = if is_stacked { NONE } else { self.stacks.put(observation) };
            self.whole[self.next_frame] = whole;
            if !same_bits(next_older, &observation[frame.len()..]) {
                self.ends[slot as usize].stack = self.stacks.put(next_observation);
            }
        }
        self.incoming = incoming;
        self.advance();
        Ok(())
    }

    /// The row `next` is written.
    fn advance(&mut self) {
        self.next = after(self.next, self.capacity);
        self.next_frame = after(self.next_frame, self.ring);
        self.written = self.ring.min(self.written + 1);
    }

    /// A slot for a next observation that nothing follows yet.
    fn take_slot(&mut self) -> u32 {
        let slot = self.last.take();
        if slot as usize == self.ends.len() {
            self.ends.push(End::OPEN);
        }
        slot
    }

    fn check_incoming(&self) -> Result<(), AgentError> {
        if self.storage.element == ElementType::F32 {
            return Ok(());
        }
        let Some(x) = first_not_whole(&self.incoming) else { return Ok(()) };
        let expected =
            "whole numbers from 0 to 255, as its space promises (`FeatureSpace::storage`)";
        let (expected, got) = (expected.to_owned(), x.to_string());
        Err(AgentError::Mismatch { what: "an observation", expected, got })
    }

    /// Whether the frames that end at a place are these K − 1.
    #[inline]
    fn are_frames_before(&self, place: usize, frames: &[f32]) -> bool {
        let (width, count) = (self.frame_width, self.storage.frames - 1);
        (0..count).all(|i| {
            let frame = &frames[i * width..][..width];
            self.frames.equals(self.before(place, count - 1 - i), 0, frame)
        })
    }

    /// Whether an observation is what came after the row `previous`, which is stored apart until now.
    /// `is_stacked` says whether its older frames are those that end there.
    #[inline]
    fn is_next(&self, previous: u32, observation: &[f32], is_stacked: bool) -> bool {
        let link = self.links[previous as usize];
        let (older, frame) = observation.split_at(self.width - self.frame_width);
        let slot = (link & !APART) as usize;
        if link & APART == 0 || !self.last.frames.equals(slot, 0, frame) {
            return false;
        }
        let (stack, whole) = (self.ends[slot].stack, self.whole(self.place(previous as usize)));
        match (stack, whole) {
            (NONE, NONE) => is_stacked,
            (NONE, whole) => self.stacks.frames.equals(whole as usize, frame.len(), older),
            (stack, _) => self.stacks.frames.equals(stack as usize, 0, observation),
        }
    }

    /// The row `next` follows the row `previous`. Where it shows what came after that, the slot that
    /// held it is returned.
    #[inline]
    fn follow(&mut self, previous: u32, is_seen: bool) -> Option<u32> {
        let link = &mut self.links[previous as usize];
        let slot = *link & !APART;
        if is_seen {
            *link = self.next as u32;
            self.close(slot);
            return Some(slot);
        }
        if *link & APART != 0 {
            self.ends[slot as usize].successor = self.next as u32;
        }
        None
    }

    /// A row gives way, and so does the frame at `next_frame`.
    #[inline]
    fn release(&mut self, row: usize) {
        let link = self.links[row];
        // The row that gives way is older than its successor, which is there as long as it is.
        if link != NONE && link & APART != 0 {
            self.close(link & !APART);
            self.last.free(link & !APART);
        }
        self.free_stack(self.whole(self.next_frame));
    }

    /// A slot holds no next observation any more.
    #[inline]
    fn close(&mut self, slot: u32) {
        let end = std::mem::replace(&mut self.ends[slot as usize], End::OPEN);
        self.free_stack(end.stack);
    }

    #[inline]
    fn free_stack(&mut self, stack: u32) {
        if stack != NONE {
            self.stacks.free(stack);
        }
    }
}

/// The place after one in a ring of `n`.
fn after(place: usize, n: usize) -> usize {
    if place + 1 == n { 0 } else { place + 1 }
}
