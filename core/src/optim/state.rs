//! What an optimiser remembers, in a form that all of them share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{OptimError, Optimizer};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};

/// All that an optimiser remembers between steps, under PyTorch's names: what
/// [`Optimizer::state_dict`](super::Optimizer::state_dict) returns.
///
/// A training goes on from it to the last bit, as its numbers survive any format that keeps an `f32`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerState {
    /// How many steps were taken, where the optimiser counts them.
    pub step: Option<u64>,
    /// One number a parameter each: `exp_avg` and `exp_avg_sq` of Adam, `momentum_buffer` of gradient
    /// descent, and so on.
    pub arrays: BTreeMap<String, Vec<f32>>,
}

impl OptimizerState {
    pub(super) fn new<const N: usize>(step: Option<u64>, arrays: [(&str, &[f32]); N]) -> Self {
        let arrays = arrays.into_iter().map(|(name, array)| (name.to_owned(), array.to_vec()));
        Self { step, arrays: arrays.collect() }
    }

    /// Its arrays of these names.
    ///
    /// # Errors
    /// [`OptimError::State`] where it has others: it is another optimiser's.
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

    /// How many steps were taken.
    ///
    /// # Errors
    /// [`OptimError::State`] where it does not say.
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

/// What an optimiser remembers goes into a checkpoint under the names of its
/// [`OptimizerState`].
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
