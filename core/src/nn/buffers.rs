//! Buffers: what training changes in a network besides its parameters.

use serde::{Deserialize, Serialize};

use super::{NetworkError, check_length};

/// Implements the methods of a [`Network`] whose layers compute the same in training and evaluation
/// mode and that has nothing but its `parameters`.
macro_rules! parameters_are_all {
    () => {
        fn parameters(&self) -> &$crate::nn::Parameters {
            &self.parameters
        }

        fn parameters_mut(&mut self) -> &mut $crate::nn::Parameters {
            &mut self.parameters
        }

        fn after_step(&mut self) -> Result<(), $crate::nn::NetworkError> {
            Ok(())
        }

        fn training(&self) -> bool {
            false
        }

        fn set_training(&mut self, _training: bool) {}

        fn buffers(&self) -> $crate::nn::Buffers {
            $crate::nn::Buffers::default()
        }

        fn named_buffers(&self) -> Vec<$crate::nn::NamedParameter> {
            Vec::new()
        }

        fn load_buffers(
            &mut self,
            buffers: &$crate::nn::Buffers,
        ) -> Result<(), $crate::nn::NetworkError> {
            buffers.check_none()
        }

        fn predict(&self, input: &tch::Tensor) -> tch::Tensor {
            $crate::nn::no_grad(|| self.forward(input))
        }
    };
}
pub(crate) use parameters_are_all;

/// What training changes in a network besides its parameters.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buffers {
    /// The running statistics of the batch normalisation layers, first to last: for each layer the
    /// means, then the variances.
    pub numbers: Vec<f32>,
    /// The number of dropout masks drawn.
    pub draws: u64,
}

impl Buffers {
    /// Checks that there are no buffers. Use it to implement
    /// [`load_buffers`](crate::nn::Network::load_buffers) for a network without them.
    ///
    /// # Errors
    /// [`NetworkError::Length`].
    pub fn check_none(&self) -> Result<(), NetworkError> {
        check_length("a network's running statistics", 0, self.numbers.len())?;
        check_length("the masks of a network without dropout", 0, self.draws as usize)
    }
}
