//! Validates values on reading: a file with a correct checksum can still hold values that the
//! program never writes.

use serde::{Serialize, de::DeserializeOwned};

use super::{CheckpointError, Number, StateDict};

/// The highest count allowed: `f64` holds every whole number up to it.
const MAX_COUNT: u64 = 1 << 53;
/// The most characters of a value that a message shows.
const SHOWN: usize = 60;

impl StateDict {
    /// Reads a value that must satisfy `fits`; `expected` describes such values.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`CheckpointError::Mismatch`] if it does not satisfy `fits`.
    pub fn get_checked<T: DeserializeOwned + Serialize>(
        &self,
        name: &str,
        expected: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<T, CheckpointError> {
        let value: T = self.get(name)?;
        if fits(&value) {
            return Ok(value);
        }
        let written = serde_json::to_string(&value).unwrap_or_default();
        let mut got: String = written.chars().take(SHOWN).collect();
        if got.len() < written.len() {
            got.push('…');
        }
        Err(CheckpointError::mismatch(name, expected, got))
    }

    /// Reads a counter, for example of steps or updates: at most 2⁵³, so that it can still be
    /// incremented.
    ///
    /// # Errors
    /// As [`get_checked`](Self::get_checked).
    pub fn counter(&self, name: &str) -> Result<u64, CheckpointError> {
        self.get_checked(name, "a count of at most 2^53", |&count| count <= MAX_COUNT)
    }

    /// Reads an array of this shape whose numbers must all satisfy `fits`; `expected` describes
    /// such numbers.
    ///
    /// # Errors
    /// As [`array`](Self::array); [`CheckpointError::Mismatch`] names the first number that does
    /// not fit.
    pub fn array_checked<T: Number + std::fmt::Debug>(
        &self,
        name: &str,
        shape: &[usize],
        expected: &str,
        fits: impl Fn(&T) -> bool,
    ) -> Result<Vec<T>, CheckpointError> {
        let numbers: Vec<T> = self.array(name, shape)?;
        match numbers.iter().position(|number| !fits(number)) {
            None => Ok(numbers),
            Some(place) => {
                let got = format!("{:?} at place {place} of {}", numbers[place], numbers.len());
                Err(CheckpointError::mismatch(name, expected, got))
            }
        }
    }

    /// Reads an array of this shape whose numbers must be finite.
    ///
    /// # Errors
    /// As [`array_checked`](Self::array_checked).
    pub fn finite_array(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, CheckpointError> {
        self.array_checked(name, shape, "finite numbers", |x: &f32| x.is_finite())
    }

    /// Returns the length of a one-dimensional array whose length is part of the state.
    ///
    /// # Errors
    /// As [`array_of_any_shape`](Self::array_of_any_shape); [`CheckpointError::Mismatch`] if it has
    /// another number of dimensions.
    pub fn array_len<T: Number>(&self, name: &str) -> Result<usize, CheckpointError> {
        let (shape, _) = self.array_of_any_shape::<T>(name)?;
        match shape.as_slice() {
            &[len] => Ok(len),
            _ => Err(CheckpointError::mismatch(name, "one dimension", format!("{shape:?}"))),
        }
    }

    /// Checks that a text equals `expected`: it identifies the saved part, for example by the
    /// description of a network.
    ///
    /// # Errors
    /// As [`get`](Self::get); [`CheckpointError::Mismatch`] names both texts if they differ.
    pub fn expect(&self, name: &str, expected: &str) -> Result<(), CheckpointError> {
        let got: String = self.get(name)?;
        if got == expected {
            return Ok(());
        }
        Err(CheckpointError::mismatch(name, expected, got))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_named() {
        let mut state = StateDict::new();
        state.insert("count", &u64::MAX).unwrap();
        state.insert("rows", &vec![7; 100]).unwrap();
        state.insert("network", "4-2").unwrap();
        state.insert_array("values", &[2, 1], &[1.0_f32, f32::NAN]);
        let error = state.counter("count").unwrap_err().to_string();
        assert!(error.contains("`count`") && error.contains("18446744073709551615"), "{error}");
        let rows = state.get_checked("rows", "rows below 7", |rows: &Vec<u64>| rows[0] < 7);
        let error = rows.unwrap_err().to_string();
        assert!(error.contains("rows below 7, got [7,7") && error.len() < 150, "{error}");
        let error = state.finite_array("values", &[2, 1]).unwrap_err().to_string();
        assert!(error.contains("NaN at place 1 of 2"), "{error}");
        assert!(state.finite_array("values", &[2]).is_err());
        assert!(state.array_len::<f32>("values").is_err());
        let error = state.expect("network", "4-3").unwrap_err().to_string();
        assert!(error.contains("expected 4-3, got 4-2"), "{error}");
        state.expect("network", "4-2").unwrap();
    }
}
