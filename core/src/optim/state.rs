//! The state of an optimiser, in a common form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{OptimError, Optimizer, check_length};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};

/// The whole state of an optimiser, under PyTorch's names; returned by
/// [`Optimizer::state_dict`](super::Optimizer::state_dict).
///
/// Training resumes from it bit for bit: its numbers survive any format that preserves `f32`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerState {
    /// The number of steps taken, if the optimiser counts them.
    pub step: Option<u64>,
    /// Arrays with one number for each parameter: `exp_avg` and `exp_avg_sq` of Adam,
    /// `momentum_buffer` of gradient descent, and so on.
    pub arrays: BTreeMap<String, Vec<f32>>,
}

impl OptimizerState {
    pub(super) fn new<const N: usize>(step: Option<u64>, arrays: [(&str, &[f32]); N]) -> Self {
        let arrays = arrays.into_iter().map(|(name, array)| (name.to_owned(), array.to_vec()));
        Self { step, arrays: arrays.collect() }
    }

    /// Returns its arrays of these names.
    ///
    /// # Errors
    /// [`OptimError::State`] if it has other arrays: it belongs to another optimiser.
    pub(super) fn arrays<const N: usize>(
        &self,
        names: [&'static str; N],
    ) -> Result<[&[f32]; N], OptimError> {
        let are_these =
            self.arrays.keys().all(|name| names.contains(&name.as_str())) && self.arrays.len() == N;
        if !are_these {
            return Err(self.unlike(names.join(", ")));
        }
        Ok(names.map(|name| self.arrays[name].as_slice()))
    }

    /// Copies its arrays into those of these names.
    ///
    /// # Errors
    /// As [`arrays`](Self::arrays); [`OptimError::Length`]. Then nothing has changed.
    pub(super) fn copy_to<const N: usize>(
        &self,
        arrays: [(&'static str, &mut [f32]); N],
    ) -> Result<(), OptimError> {
        let saved = self.arrays(arrays.each_ref().map(|(name, _)| *name))?;
        for ((name, array), saved) in arrays.iter().zip(saved) {
            check_length(name, array.len(), saved.len())?;
        }
        arrays.into_iter().zip(saved).for_each(|((_, array), saved)| array.copy_from_slice(saved));
        Ok(())
    }

    /// Returns the number of steps taken.
    ///
    /// # Errors
    /// [`OptimError::State`] if it has none.
    pub(super) fn step(&self) -> Result<u64, OptimError> {
        self.step.ok_or_else(|| self.unlike("step".to_owned()))
    }

    fn unlike(&self, expected: String) -> OptimError {
        let step = self.step.map(|_| "step".to_owned());
        let got: Vec<String> = step.into_iter().chain(self.arrays.keys().cloned()).collect();
        OptimError::State { expected, got: got.join(", ") }
    }
}

/// The arrays that hold sums or means of squares, whose roots are taken.
const SQUARES: [&str; 3] = ["exp_avg_sq", "square_avg", "sum"];

/// The state of an optimiser is stored in a checkpoint under the names of its [`OptimizerState`].
impl<T: Optimizer + ?Sized> Checkpoint for T {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        let OptimizerState { step, arrays } = self.state_dict();
        for (name, array) in &arrays {
            state.insert_array(name, &[array.len()], array);
        }
        state.insert("step", &step)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let mut saved = self.state_dict();
        for (name, array) in &mut saved.arrays {
            let is_sum_of_squares = SQUARES.contains(&name.as_str());
            let expected =
                if is_sum_of_squares { "finite numbers from 0 on" } else { "finite numbers" };
            let fits = |x: &f32| x.is_finite() && (*x >= 0.0 || !is_sum_of_squares);
            *array = state.array_checked(name, &[array.len()], expected, fits)?;
        }
        let expected = "a count of at most 2^53, or none";
        let fits = |step: &Option<u64>| step.is_none_or(|step| step <= 1 << 53);
        saved.step = state.get_checked("step", expected, fits)?;
        self.load_state_dict(&saved).map_err(CheckpointError::part)
    }
}
