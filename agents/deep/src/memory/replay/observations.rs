//! What was seen and what came of it, each observation stored once.

mod checkpoint;
mod push;

use gymnast_envs::Storage;

use super::{
    NONE,
    frames::{Frames, Slots, size_of_number},
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
            if first == 0 {
                self.frames.append_to(place, 0, numbers);
            }
            return;
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
}
