//! Arrays of a state dictionary, and the files that hold them.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    io::{self, Write},
    ops::Range,
    sync::Arc,
};

use safetensors::{
    Dtype, SafeTensorError, SafeTensors,
    tensor::{Metadata, TensorInfo},
};

/// An array of numbers of one type, with its shape. A clone shares its bytes.
#[derive(Clone, Debug)]
pub struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) dtype: Dtype,
    /// Of this array alone, or the whole file that it was read from.
    buffer: Arc<Vec<u8>>,
    place: Range<usize>,
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        let all = |array: &Self| (array.shape.clone(), array.dtype);
        all(self) == all(other) && self.bytes() == other.bytes()
    }
}

impl Array {
    /// Creates an array of numbers that follow each other in `parts`.
    pub(super) fn new<'a, T: Number + 'a>(
        shape: &[usize],
        parts: impl IntoIterator<Item = &'a [T]>,
    ) -> Self {
        let mut bytes = Vec::with_capacity(shape.iter().product::<usize>() * size_of::<T>());
        parts.into_iter().for_each(|part| T::write(part, &mut bytes));
        let place = 0..bytes.len();
        Self { shape: shape.to_vec(), dtype: T::DTYPE, buffer: Arc::new(bytes), place }
    }

    /// Returns the numbers as bytes, least significant first.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.place.clone()]
    }

    /// Returns the first of its numbers that is not finite.
    pub(super) fn not_finite(&self) -> Option<f64> {
        match self.dtype {
            Dtype::F32 => {
                let (numbers, _) = self.bytes().as_chunks();
                let mut numbers = numbers.iter().map(|&number| f32::from_le_bytes(number));
                numbers.find(|x| !x.is_finite()).map(f64::from)
            }
            Dtype::F64 => {
                let (numbers, _) = self.bytes().as_chunks();
                let mut numbers = numbers.iter().map(|&number| f64::from_le_bytes(number));
                numbers.find(|x| !x.is_finite())
            }
            _ => None,
        }
    }
}

/// A type of number that an array can hold.
pub trait Number: Copy {
    /// The type's name in a safetensors file.
    const DTYPE: Dtype;
    /// Writes numbers as bytes, least significant first.
    fn write(numbers: &[Self], bytes: &mut Vec<u8>);
    /// Reads numbers from bytes.
    fn read(bytes: &[u8]) -> Vec<Self>;
}

macro_rules! number {
    ($($type:ty: $dtype:ident),+) => {
        $(impl Number for $type {
            const DTYPE: Dtype = Dtype::$dtype;

            fn write(numbers: &[Self], bytes: &mut Vec<u8>) {
                bytes.reserve(size_of_val(numbers));
                for number in numbers {
                    bytes.extend_from_slice(&number.to_le_bytes());
                }
            }

            fn read(bytes: &[u8]) -> Vec<Self> {
                let (numbers, _) = bytes.as_chunks();
                numbers.iter().map(|&number| Self::from_le_bytes(number)).collect()
            }
        })+
    };
}
number!(f32: F32, f64: F64, i8: I8, i64: I64, u8: U8, u32: U32, u64: U64);

/// Writes arrays as `safetensors::serialize` does, but one after the other: no copy of them all is made.
pub(super) fn write(
    arrays: &BTreeMap<String, Array>,
    metadata: Option<HashMap<String, String>>,
    out: &mut impl Write,
) -> io::Result<()> {
    // Wide numbers first, so that all are aligned; of one type by their names, as they come.
    let mut ordered: Vec<(&String, &Array)> = arrays.iter().collect();
    ordered.sort_by_key(|(_, array)| Reverse(array.dtype));
    let mut end = 0;
    let place = |(name, array): &(&String, &Array)| {
        let start = end;
        end += array.place.len();
        let (dtype, shape) = (array.dtype, array.shape.clone());
        ((*name).clone(), TensorInfo { dtype, shape, data_offsets: (start, end) })
    };
    let places = ordered.iter().map(place).collect();
    let header = Metadata::new(metadata, places).map_err(io::Error::other)?;
    let mut header = serde_json::to_vec(&header)?;
    header.resize(header.len().next_multiple_of(size_of::<u64>()), b' ');
    out.write_all(&(header.len() as u64).to_le_bytes())?;
    out.write_all(&header)?;
    ordered.into_iter().try_for_each(|(_, array)| out.write_all(array.bytes()))
}

/// What a safetensors file holds.
pub(super) struct Contents {
    pub(super) arrays: BTreeMap<String, Array>,
    pub(super) metadata: Option<HashMap<String, String>>,
}

/// Reads a safetensors file. The arrays share its bytes.
pub(super) fn read(bytes: Vec<u8>) -> Result<Contents, SafeTensorError> {
    let (header, metadata) = SafeTensors::read_metadata(&bytes)?;
    let (buffer, first) = (Arc::new(bytes), size_of::<u64>() + header);
    let array = |(name, info): (String, &TensorInfo)| {
        let (start, end) = info.data_offsets;
        let (shape, place) = (info.shape.clone(), first + start..first + end);
        (name, Array { shape, dtype: info.dtype, buffer: Arc::clone(&buffer), place })
    };
    let arrays = metadata.tensors().into_iter().map(array).collect();
    Ok(Contents { arrays, metadata: metadata.metadata().clone() })
}
