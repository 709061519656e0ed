//! State dictionaries: the state of an object, by name.

mod array;

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Write},
};

pub use array::{Array, Number};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::CheckpointError;

/// An object whose whole state can be saved and restored.
///
/// After `load` the object behaves like the saved one, bit for bit.
pub trait Checkpoint {
    /// Writes the whole mutable state.
    ///
    /// # Errors
    /// If the state cannot be read.
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError>;

    /// Restores what [`save`](Checkpoint::save) wrote. The object must have been created with the
    /// same settings.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`] or [`CheckpointError::Mismatch`] names the entry.
    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError>;
}

/// Arrays and values by name (PyTorch's `state_dict`). The names of nested parts are joined by `/`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    arrays: BTreeMap<String, Array>,
    values: BTreeMap<String, Value>,
}

impl StateDict {
    /// Creates an empty dictionary.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes an array. The product of its shape must be its length.
    ///
    /// # Panics
    /// If it is not: a bug in the caller.
    pub fn insert_array<T: Number>(&mut self, name: &str, shape: &[usize], numbers: &[T]) {
        self.insert_array_of(name, shape, [numbers]);
    }

    /// Writes an array whose numbers follow each other in `parts`, such as its rows.
    ///
    /// # Panics
    /// If the product of its shape is not their number: a bug in the caller.
    pub fn insert_array_of<'a, T: Number + 'a>(
        &mut self,
        name: &str,
        shape: &[usize],
        parts: impl IntoIterator<Item = &'a [T]>,
    ) {
        let array = Array::new(shape, parts);
        let length = array.bytes().len() / size_of::<T>();
        assert_eq!(shape.iter().product::<usize>(), length, "shape of {name}");
        self.arrays.insert(name.to_owned(), array);
    }

    /// Writes a value through serde: counters, streams, small structures. NaN and infinity, which
    /// JSON lacks, are kept as [`gymnast_json`] writes them.
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`] if serde cannot write it as JSON.
    pub fn insert<T: Serialize + ?Sized>(
        &mut self,
        name: &str,
        value: &T,
    ) -> Result<(), CheckpointError> {
        let json = gymnast_json::to_value(value);
        let json =
            json.map_err(|error| mismatch(name, "a value that JSON can hold", error.to_string()))?;
        self.values.insert(name.to_owned(), json);
        Ok(())
    }

    /// Writes the state of a part under the prefix `name`.
    ///
    /// # Errors
    /// The errors of the part.
    pub fn insert_part<C: Checkpoint + ?Sized>(
        &mut self,
        name: &str,
        part: &C,
    ) -> Result<(), CheckpointError> {
        let mut inner = Self::new();
        part.save(&mut inner)?;
        let join = |key: String| format!("{name}/{key}");
        self.arrays.extend(inner.arrays.into_iter().map(|(key, array)| (join(key), array)));
        self.values.extend(inner.values.into_iter().map(|(key, value)| (join(key), value)));
        Ok(())
    }

    /// Returns the names of the arrays.
    pub fn array_names(&self) -> impl Iterator<Item = &str> {
        self.arrays.keys().map(String::as_str)
    }

    /// Returns the names of the values.
    pub fn value_names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Removes the array or value of this name. Returns whether it existed.
    pub fn remove(&mut self, name: &str) -> bool {
        self.arrays.remove(name).is_some() | self.values.remove(name).is_some()
    }

    /// Reads an array of this shape.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`]; [`CheckpointError::Mismatch`] for another shape or type.
    pub fn array<T: Number>(&self, name: &str, shape: &[usize]) -> Result<Vec<T>, CheckpointError> {
        let (found, numbers) = self.array_of_any_shape(name)?;
        if found != shape {
            return Err(mismatch(name, format!("shape {shape:?}"), format!("{found:?}")));
        }
        Ok(numbers)
    }

    /// Reads an array and its shape, if the shape is part of the state.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`]; [`CheckpointError::Mismatch`] for another type.
    pub fn array_of_any_shape<T: Number>(
        &self,
        name: &str,
    ) -> Result<(Vec<usize>, Vec<T>), CheckpointError> {
        let array = self.arrays.get(name).ok_or_else(|| missing(name))?;
        if array.dtype != T::DTYPE {
            return Err(mismatch(name, format!("{:?}", T::DTYPE), format!("{:?}", array.dtype)));
        }
        Ok((array.shape.clone(), T::read(array.bytes())))
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`CheckpointError::Missing`]; [`CheckpointError::Mismatch`] if it has another type.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, CheckpointError> {
        let value = self.values.get(name).ok_or_else(|| missing(name))?;
        let read = gymnast_json::from_value(value);
        read.map_err(|error| mismatch(name, std::any::type_name::<T>(), error.to_string()))
    }

    /// Restores a part from under the prefix `name`.
    ///
    /// # Errors
    /// The errors of the part, with the full names of its entries.
    pub fn load_part<C: Checkpoint + ?Sized>(
        &self,
        name: &str,
        part: &mut C,
    ) -> Result<(), CheckpointError> {
        let prefix = format!("{name}/");
        let below = |key: &String| key.strip_prefix(&prefix).map(str::to_owned);
        let inner = Self {
            arrays: self.arrays.iter().filter_map(|(k, a)| Some((below(k)?, a.clone()))).collect(),
            values: self.values.iter().filter_map(|(k, v)| Some((below(k)?, v.clone()))).collect(),
        };
        part.load(&inner).map_err(|error| error.below(name))
    }

    /// Checks that all numbers are usable: no array holds NaN or infinity, and no value holds NaN.
    /// (Infinity is a legitimate initial value, for example of the best loss.)
    ///
    /// # Errors
    /// [`CheckpointError::NotFinite`] names the first entry that fails.
    pub fn expect_finite(&self) -> Result<(), CheckpointError> {
        let array = |(name, array): (&String, &Array)| Some((name.clone(), array.not_finite()?));
        let value = |(name, value): (&String, &Value)| {
            is_nan_inside(value).then(|| (name.clone(), f64::NAN))
        };
        let mut found = self.arrays.iter().filter_map(array);
        match found.next().or_else(|| self.values.iter().find_map(value)) {
            Some((name, value)) => Err(CheckpointError::NotFinite { name, value }),
            None => Ok(()),
        }
    }

    /// Returns the arrays as a safetensors file and the values as JSON; equal states give equal
    /// bytes.
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`] if an entry cannot be written.
    pub fn to_files(&self) -> Result<(Vec<u8>, Vec<u8>), CheckpointError> {
        let mut arrays = Vec::new();
        let written = self.write_arrays(&mut arrays);
        written.map_err(|error| mismatch("arrays", "a safetensors file", error.to_string()))?;
        Ok((arrays, self.values_to_bytes()?))
    }

    /// Writes the arrays as [`to_files`](Self::to_files) returns them, without another copy in memory.
    ///
    /// # Errors
    /// The error of `out`.
    pub fn write_arrays(&self, out: &mut impl Write) -> io::Result<()> {
        array::write(&self.arrays, None, out)
    }

    /// Returns the values as [`to_files`](Self::to_files) does.
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`] if one cannot be written.
    pub fn values_to_bytes(&self) -> Result<Vec<u8>, CheckpointError> {
        let mut values = serde_json::to_vec_pretty(&self.values)
            .map_err(|error| mismatch("values", "JSON", error.to_string()))?;
        values.push(b'\n');
        Ok(values)
    }

    /// Reads the output of [`to_files`](Self::to_files).
    ///
    /// # Errors
    /// [`CheckpointError::Mismatch`] if the bytes have another format.
    pub fn from_files(arrays: Vec<u8>, values: &[u8]) -> Result<Self, CheckpointError> {
        let contents = array::read(arrays)
            .map_err(|error| mismatch("arrays", "a safetensors file", error.to_string()))?;
        let values = serde_json::from_slice(values)
            .map_err(|error| mismatch("values", "a JSON object", error.to_string()))?;
        Ok(Self { arrays: contents.arrays, values })
    }

    /// Writes the state as one safetensors file, with the values and a checksum in its metadata.
    pub(super) fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let crc32 = self.crc32().map_err(io::Error::other)?;
        let header = Header { format: 1, crc32, values: self.values.clone() };
        let header = serde_json::to_string(&header)?;
        array::write(&self.arrays, Some(HashMap::from([(HEADER.to_owned(), header)])), out)
    }

    /// Reads the output of [`write`](Self::write).
    pub(super) fn from_bytes(bytes: Vec<u8>) -> Result<Self, String> {
        let contents = array::read(bytes).map_err(|error| error.to_string())?;
        let header = contents.metadata.as_ref().and_then(|entries| entries.get(HEADER));
        let header = header.ok_or_else(|| format!("its metadata lacks `{HEADER}`"))?;
        let header: Header = serde_json::from_str(header).map_err(|error| error.to_string())?;
        if header.format != 1 {
            return Err(format!("format {}, this version reads format 1", header.format));
        }
        let state = Self { arrays: contents.arrays, values: header.values };
        if state.crc32().map_err(|error| error.to_string())? != header.crc32 {
            return Err("its checksum differs from what it holds".to_owned());
        }
        Ok(state)
    }

    /// Returns a checksum of all names and numbers.
    fn crc32(&self) -> Result<u32, CheckpointError> {
        let mut hasher = crc32fast::Hasher::new();
        for (name, array) in &self.arrays {
            let Array { shape, dtype, .. } = array;
            hasher.update(format!("{name} {shape:?} {dtype:?}").as_bytes());
            hasher.update(array.bytes());
        }
        let values = serde_json::to_vec(&self.values)
            .map_err(|error| mismatch("values", "JSON", error.to_string()))?;
        hasher.update(&values);
        Ok(hasher.finalize())
    }
}

/// Returns whether a value contains NaN.
fn is_nan_inside(value: &Value) -> bool {
    match value {
        Value::String(text) => text == gymnast_json::NAN,
        Value::Array(values) => values.iter().any(is_nan_inside),
        Value::Object(values) => values.values().any(is_nan_inside),
        _ => false,
    }
}

/// The metadata key for everything that is not an array.
const HEADER: &str = "gymnast";

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    crc32: u32,
    values: BTreeMap<String, Value>,
}

fn missing(name: &str) -> CheckpointError {
    CheckpointError::Missing { name: name.to_owned() }
}

/// Creates the error for an entry with an unexpected value.
fn mismatch(name: &str, expected: impl Into<String>, got: impl Into<String>) -> CheckpointError {
    CheckpointError::Mismatch { name: name.to_owned(), expected: expected.into(), got: got.into() }
}

#[cfg(test)]
mod tests;
