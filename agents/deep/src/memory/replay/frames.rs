//! Frames: rows of numbers of one width, as `f32` or as `u8`.

use gymnast_envs::ElementType;
use gymnast_harness::{CheckpointError, StateDict};

use crate::memory::append;

/// Rows of `width` numbers in one column.
#[derive(Clone, Debug)]
pub(super) struct Frames {
    numbers: Numbers, // [rows, width]
    width: usize,
}

#[derive(Clone, Debug)]
enum Numbers {
    F32(Vec<f32>),
    U8(Vec<u8>),
}

/// Runs the same code on the column of either type.
macro_rules! either {
    ($numbers:expr, $column:ident => $run:expr) => {
        match $numbers {
            Numbers::F32($column) => $run,
            Numbers::U8($column) => $run,
        }
    };
}

impl Frames {
    /// Rows of zeros. The system hands out their memory only as they are written.
    pub(super) fn zeros(element: ElementType, rows: usize, width: usize) -> Self {
        let numbers = match element {
            ElementType::F32 => Numbers::F32(vec![0.0; rows * width]),
            ElementType::U8 => Numbers::U8(vec![0; rows * width]),
        };
        Self { numbers, width }
    }

    fn element(&self) -> ElementType {
        match &self.numbers {
            Numbers::F32(_) => ElementType::F32,
            Numbers::U8(_) => ElementType::U8,
        }
    }

    /// Adds a row of zeros.
    fn grow(&mut self) {
        let width = self.width;
        match &mut self.numbers {
            Numbers::F32(column) => column.resize(column.len() + width, 0.0),
            Numbers::U8(column) => column.resize(column.len() + width, 0),
        }
    }

    /// A row to write to, where rows are `f32`.
    #[inline]
    pub(super) fn row_mut(&mut self, row: usize) -> Option<&mut [f32]> {
        match &mut self.numbers {
            Numbers::F32(column) => Some(&mut column[row * self.width..(row + 1) * self.width]),
            Numbers::U8(_) => None,
        }
    }

    /// Writes a row. Where rows are `u8`, its numbers are [whole](first_not_whole).
    #[inline]
    pub(super) fn set(&mut self, row: usize, frame: &[f32]) {
        let places = row * self.width..(row + 1) * self.width;
        match &mut self.numbers {
            Numbers::F32(column) => column[places].copy_from_slice(frame),
            Numbers::U8(column) => {
                column[places].iter_mut().zip(frame).for_each(|(byte, &x)| *byte = x as u8);
            }
        }
    }

    /// Whether the numbers of a row from `start` on are these.
    #[inline]
    pub(super) fn equals(&self, row: usize, start: usize, expected: &[f32]) -> bool {
        let places = row * self.width + start..(row + 1) * self.width;
        match &self.numbers {
            Numbers::F32(column) => same_bits(&column[places], expected),
            Numbers::U8(column) => all(&column[places], expected, |byte, x| f32::from(byte) == x),
        }
    }

    /// Adds the numbers of a row from `start` on to `numbers`.
    #[inline]
    pub(super) fn append_to(&self, row: usize, start: usize, numbers: &mut Vec<f32>) {
        let places = row * self.width + start..(row + 1) * self.width;
        match &self.numbers {
            Numbers::F32(column) => append(&column[places], numbers),
            Numbers::U8(column) => {
                numbers.extend(column[places].iter().map(|&byte| f32::from(byte)));
            }
        }
    }

    /// The bytes of a number of rows.
    pub(super) fn bytes_of(&self, rows: usize) -> usize {
        rows * self.width * size_of_number(self.element())
    }

    /// Saves these rows, in this order.
    pub(super) fn save_rows(
        &self,
        name: &str,
        rows: impl ExactSizeIterator<Item = usize>,
        state: &mut StateDict,
    ) {
        let (shape, width) = ([rows.len(), self.width], self.width);
        either!(&self.numbers, column => {
            let rows = rows.map(|row| &column[row * width..(row + 1) * width]);
            state.insert_array_of(name, &shape, rows);
        });
    }

    /// Saves the first rows.
    pub(super) fn save(&self, name: &str, rows: usize, state: &mut StateDict) {
        let shape = [rows, self.width];
        either!(&self.numbers, column => {
            state.insert_array(name, &shape, &column[..rows * self.width]);
        });
    }

    /// Takes up what was saved as the first rows.
    pub(super) fn load(
        &mut self,
        name: &str,
        rows: usize,
        state: &StateDict,
    ) -> Result<(), CheckpointError> {
        let shape = [rows, self.width];
        match &mut self.numbers {
            Numbers::F32(column) => {
                column[..rows * self.width].copy_from_slice(&state.finite_array(name, &shape)?);
            }
            Numbers::U8(column) => {
                column[..rows * self.width].copy_from_slice(&state.array::<u8>(name, &shape)?);
            }
        }
        Ok(())
    }
}

/// Frames that come and go: a slot that was freed is the next to be filled.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    pub(super) frames: Frames,
    len: usize,
    free: Vec<u32>,
}

impl Slots {
    /// No slots yet, for frames of that width.
    pub(super) fn new(element: ElementType, width: usize) -> Self {
        Self { frames: Frames::zeros(element, 0, width), len: 0, free: Vec::new() }
    }

    /// Slots of the same width that hold the `len` rows saved.
    pub(super) fn read(
        &self,
        name: &str,
        len: usize,
        state: &StateDict,
    ) -> Result<Self, CheckpointError> {
        let mut frames = Frames::zeros(self.frames.element(), len, self.frames.width);
        frames.load(name, len, state)?;
        Ok(Self { frames, len, free: Vec::new() })
    }

    /// A slot to write to.
    #[inline]
    pub(super) fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.frames.grow();
            self.len += 1;
            self.len as u32 - 1
        })
    }

    /// Stores a frame. Returns its slot.
    pub(super) fn put(&mut self, frame: &[f32]) -> u32 {
        let slot = self.take();
        self.frames.set(slot as usize, frame);
        slot
    }

    #[inline]
    pub(super) fn free(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// The bytes taken, those of free slots and of room to grow too.
    pub(super) fn bytes(&self) -> usize {
        let numbers = either!(&self.frames.numbers, column => column.capacity());
        numbers * size_of_number(self.frames.element()) + self.free.capacity() * size_of::<u32>()
    }
}

/// The bytes of a number.
pub(super) fn size_of_number(element: ElementType) -> usize {
    match element {
        ElementType::F32 => size_of::<f32>(),
        ElementType::U8 => size_of::<u8>(),
    }
}

/// Whether two rows are the same to the bit.
pub(super) fn same_bits(a: &[f32], b: &[f32]) -> bool {
    all(a, b, |a, b| a.to_bits() == b.to_bits())
}

/// The first number that is none of the whole ones from 0 to 255.
pub(super) fn first_not_whole(numbers: &[f32]) -> Option<f32> {
    let is_whole = |x: f32| f32::from(x as u8) == x;
    if all(numbers, numbers, |x, _| is_whole(x)) {
        return None;
    }
    numbers.iter().copied().find(|&x| !is_whole(x))
}

/// Compares in stretches, without a branch for each number of a long row.
#[inline]
fn all<A: Copy>(a: &[A], b: &[f32], same: impl Fn(A, f32) -> bool) -> bool {
    const STRETCH: usize = 64;
    let mut pairs = a.iter().zip(b);
    if a.len() != b.len() || a.len() < STRETCH {
        return a.len() == b.len() && pairs.all(|(&a, &b)| same(a, b));
    }
    a.chunks(STRETCH)
        .zip(b.chunks(STRETCH))
        .all(|(a, b)| a.iter().zip(b).fold(true, |so_far, (&a, &b)| so_far & same(a, b)))
}
