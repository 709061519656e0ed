//! What was seen and what came of it, each observation stored once.

mod checkpoint;

use gymnast_envs::{ElementType, Storage};
use gymnast_harness::AgentError;

use super::{
    NONE,
    frames::{Frames, Slots, first_not_whole, same_bits, size_of_number},
};

/// The observations of the last `capacity` transitions, and their next observations.
///
/// The next observation of a transition is the observation of its successor, where there is one and
/// it shows the same. Elsewhere it is stored apart: at an episode's end, and for the newest transition
/// of each environment until its successor comes.
///
/// Of an observation that is a stack of K frames the newest is stored; the older ones are those of the
/// rows before it, the first of an episode standing in for those before it. A stack that is not made
/// like this (the first after a lost episode, or what a wrapper has changed) is stored whole. So that
/// the oldest transitions keep their stacks, frames outlive transitions by K − 1 vector steps.
///
/// Each row is compared as it comes, so that what is read is always what was written.
#[derive(Clone, Debug)]
pub(super) struct Observations {
    storage: Storage,
    width: usize,
    frame_width: usize,
    capacity: usize,
    num_envs: usize,
    /// Where the next transition goes.
    pub(super) next: usize,
    /// The row after this one in the same episode, which shows the next observation; or [`APART`] with
    /// its slot.
    links: Vec<u32>, // [capacity]
    last: Slots,    // the newest frames of next observations
    ends: Vec<End>, // [slots of `last`]

    /// A ring too, of more rows where observations are stacks.
    frames: Frames, // [ring, width / K]
    ring: usize,
    next_frame: usize,
    written: usize,
    /// How many rows back the frame before it lies, 0 for an episode's first.
    back: Vec<u32>, // [ring], nothing where K = 1
    /// The slot of the stack, where that does not follow from the frames; [`NONE`] elsewhere.
    whole: Vec<u32>, // [ring], nothing where K = 1
    stacks: Slots,

    /// What is to be pushed: an observation and the next.
    incoming: Vec<f32>, // [2 · width], nothing where it is written to its place
}

/// What belongs to a next observation that is stored apart.
#[derive(Clone, Copy, Debug)]
struct End {
    /// The row after it in the same episode, which shows something else; or [`NONE`].
    successor: u32,
    /// Its slot among the stacks, where its older frames are not the newer ones of the observation; or
    /// [`NONE`].
    stack: u32,
}

impl End {
    const OPEN: Self = Self { successor: NONE, stack: NONE };
}

/// Marks a link that is not a row's number.
const APART: u32 = 1 << 31;

impl Observations {
    /// The bytes of a transition's observation and links, if they can be counted.
    pub(super) fn bytes_of_row(storage: Storage, width: usize) -> Option<usize> {
        let stack = if storage.frames > 1 { 2 * size_of::<u32>() } else { 0 };
        let frame = (width / storage.frames).checked_mul(size_of_number(storage.element));
        frame?.checked_add(size_of::<u32>() + stack)
    }

    /// No observations yet, of that width.
    pub(super) fn new(storage: Storage, width: usize, capacity: usize, num_envs: usize) -> Self {
        let ring = capacity + (storage.frames - 1) * num_envs;
        let (element, frame_width) = (storage.element, width / storage.frames);
        let stacked = if storage.frames > 1 { ring } else { 0 };
        Self {
            links: vec![NONE; capacity],
            last: Slots::new(element, frame_width),
            ends: Vec::new(),
            frames: Frames::zeros(element, ring, frame_width),
            back: vec![0; stacked],
            whole: vec![NONE; stacked],
            stacks: Slots::new(element, width),
            incoming: if storage == Storage::F32 { Vec::new() } else { vec![0.0; 2 * width] },
            next: 0,
            next_frame: 0,
            written: 0,
            storage,
            width,
            frame_width,
            capacity,
            num_envs,
            ring,
        }
    }

    pub(super) fn storage(&self) -> Storage {
        self.storage
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Stores an observation and the next, each written by a function, as the row `next`, which follows
    /// the row `previous` of the same episode (or none, [`NONE`]). Nothing has changed on an error.
    #[inline]
    pub(super) fn push(
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

    /// The row that follows a row in the same episode, or [`NONE`].
    #[inline]
    pub(super) fn successor(&self, row: usize) -> u32 {
        let link = self.links[row];
        if link & APART == 0 { link } else { self.ends[(link & !APART) as usize].successor }
    }

    /// Adds the observation of a row to `numbers`.
    #[inline]
    pub(super) fn append_observation(&self, row: usize, numbers: &mut Vec<f32>) {
        self.append_frames(self.place(row), 0, numbers);
    }

    /// Where that is which was seen after a row.
    #[inline]
    pub(super) fn link(&self, row: usize) -> u32 {
        self.links[row]
    }

    /// Adds what was seen after a row, at its [`link`](Self::link), to `numbers`.
    #[inline]
    pub(super) fn append_next_observation(&self, row: usize, link: u32, numbers: &mut Vec<f32>) {
        if link & APART == 0 {
            return self.append_observation(link as usize, numbers);
        }
        let slot = (link & !APART) as usize;
        match self.ends[slot].stack {
            NONE => {
                self.append_frames(self.place(row), 1, numbers);
                self.last.frames.append_to(slot, 0, numbers);
            }
            stack => self.stacks.frames.append_to(stack as usize, 0, numbers),
        }
    }

    /// The bytes that `len` rows take.
    pub(super) fn bytes(&self, len: usize) -> usize {
        let stacked = if self.storage.frames > 1 { self.written } else { 0 };
        let numbers = (len + 2 * stacked) * size_of::<u32>()
            + self.ends.capacity() * size_of::<End>()
            + self.incoming.len() * size_of::<f32>();
        self.frames.bytes_of(self.written) + self.last.bytes() + self.stacks.bytes() + numbers
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

    /// The number of rows that came after a row.
    fn age(&self, row: usize) -> usize {
        let next = if row < self.next { self.next } else { self.next + self.capacity };
        next - 1 - row
    }

    /// Where the newest frame of a row lies.
    #[inline]
    fn place(&self, row: usize) -> usize {
        // Both rings are one.
        if self.back.is_empty() { row } else { self.minus(self.next_frame, self.age(row) + 1) }
    }

    /// The place `distance` rows before.
    fn minus(&self, place: usize, distance: usize) -> usize {
        if place >= distance { place - distance } else { place + self.ring - distance }
    }

    /// The place of the frame that many steps before, in the same episode.
    fn before(&self, place: usize, steps: usize) -> usize {
        (0..steps).fold(place, |place, _| self.minus(place, self.back[place] as usize))
    }

    /// The slot of the stack stored whole at a place, or [`NONE`].
    #[inline]
    fn whole(&self, place: usize) -> u32 {
        self.whole.get(place).copied().unwrap_or(NONE)
    }

    /// Adds the frames from number `first` on, counted from the oldest, of the observation at a place.
    #[inline]
    fn append_frames(&self, place: usize, first: usize, numbers: &mut Vec<f32>) {
        if self.storage.frames == 1 {
            return if first == 0 {
                self.frames.append_to(place, 0, numbers)
            };
        }
        let whole = self.whole(place);
        if whole != NONE {
            let start = first * self.frame_width;
            return self.stacks.frames.append_to(whole as usize, start, numbers);
        }
        for steps in (0..self.storage.frames - first).rev() {
            self.frames.append_to(self.before(place, steps), 0, numbers);
        }
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
