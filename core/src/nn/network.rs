//! What every network can do.

use tch::{Kind, Tensor};

use super::{
    Buffers, NamedParameter, NetworkError, Parameters, Plan, Scratch, check_batch, check_outputs,
    check_rows,
};

/// Implements the methods of a [`Network`] about its fields `parameters` and `training`.
macro_rules! parameters_and_mode {
    () => {
        fn parameters(&self) -> &$crate::nn::Parameters {
            &self.parameters
        }

        fn parameters_mut(&mut self) -> &mut $crate::nn::Parameters {
            &mut self.parameters
        }

        fn training(&self) -> bool {
            self.training
        }

        fn set_training(&mut self, training: bool) {
            self.training = training;
        }
    };
}
pub(super) use parameters_and_mode;

/// A network that maps rows to rows and owns its parameters.
pub trait Network: Send {
    /// Returns the number of inputs.
    fn inputs(&self) -> usize;
    /// Returns the number of outputs.
    fn outputs(&self) -> usize;
    /// Maps `[B, inputs]` to `[B, outputs]`, differentiably.
    ///
    /// # Panics
    /// If `input` has the wrong width or is not `f32`, or has too few rows in training mode.
    /// [`check_input`](Self::check_input) returns these as errors.
    fn forward(&self, input: &Tensor) -> Tensor;
    /// Returns the parameters.
    fn parameters(&self) -> &Parameters;
    /// Returns the parameters, mutably.
    fn parameters_mut(&mut self) -> &mut Parameters;
    /// Returns the parameters by name, to freeze, load or count groups of them.
    fn named_parameters(&self) -> Vec<NamedParameter> {
        self.parameters().named()
    }
    /// Returns the plan that evaluates the network, in evaluation mode, without libtorch. `None` if
    /// only libtorch can evaluate it.
    fn plan(&self) -> Option<&Plan> {
        None
    }
    /// Returns the plan that trains the network without libtorch: it computes in training mode what
    /// [`forward`](Self::forward) does. `None` if only libtorch can train it, as with dropout, or
    /// with batch normalisation in a frozen encoder.
    fn training_plan(&self) -> Option<&Plan> {
        None
    }

    /// Returns whether the network is in training mode, in which dropout is active and batch
    /// normalisation uses the statistics of the batch. A new network is in evaluation mode. A
    /// network whose layers have only one mode always is.
    fn training(&self) -> bool;
    /// Switches every layer to training mode or back to evaluation mode, as PyTorch's `train()` and
    /// `eval()`. Does nothing if the layers have only one mode.
    fn set_training(&mut self, training: bool);
    /// Updates state derived from the parameters (noise, a moving average). Call after every optimiser
    /// step.
    ///
    /// # Errors
    /// An error of the network.
    fn after_step(&mut self) -> Result<(), NetworkError>;
    /// Returns the complete architecture: layers, widths, activations, normalisation, dropout; and
    /// a [fingerprint](crate::checkpoint::fingerprint) of numbers that are neither parameters nor
    /// buffers, for example those of a network under an adapter. Two networks with the same
    /// description, parameters and buffers compute the same. A checkpoint stores it and loads only
    /// into a network with the same description.
    fn description(&self) -> String;
    /// Returns the buffers (what training changes besides the parameters), for a checkpoint.
    /// [`Buffers::default`] if there are none.
    fn buffers(&self) -> Buffers;
    /// Returns the names and ranges of the numbers in [`buffers`](Self::buffers), as PyTorch's
    /// `named_buffers`. Weights are matched by these names. Empty if there are no such numbers.
    fn named_buffers(&self) -> Vec<NamedParameter>;
    /// Sets the [`buffers`](Self::buffers), from a checkpoint.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if their number is wrong; see [`Buffers::check_none`].
    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError>;

    /// Checks that [`forward`](Self::forward) accepts these rows: their kind, device and width, and
    /// in training mode their number. One check per data set suffices, with one for its smallest
    /// batch. Does not look at the values: NaN passes.
    fn check_input(&self, input: &Tensor) -> Result<(), NetworkError> {
        check_rows(input, self.inputs())
    }
    /// Calls [`check_input`](Self::check_input), then [`forward`](Self::forward).
    fn try_forward(&self, input: &Tensor) -> Result<Tensor, NetworkError> {
        self.check_input(input)?;
        let outputs = self.forward(input);
        check_outputs(&outputs, input.size()[0] as usize, self.outputs())?;
        Ok(outputs)
    }
    /// Evaluates the network in evaluation mode, whatever its mode, and without gradients.
    ///
    /// # Panics
    /// As `forward`.
    fn predict(&self, input: &Tensor) -> Tensor;

    /// [`predict`](Self::predict) for slices, for acting: maps `batch` rows of `inputs` numbers to
    /// `batch` rows of `outputs` numbers. With a [`plan`](Self::plan) it runs in plain Rust,
    /// allocates only to grow `scratch`, and gives each row the same bits in any batch. Without a
    /// plan it uses libtorch, which guarantees neither.
    fn evaluate(
        &self,
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        if let Some(plan) = self.plan() {
            return plan.run(self.parameters().effective(), inputs, batch, scratch, out);
        }
        evaluate_by(
            [self.inputs(), self.outputs()],
            |rows| Ok(self.predict(rows).f_to_kind(Kind::Float)?),
            inputs,
            batch,
            out,
        )
    }
}

/// Evaluates `batch` rows with a function of libtorch's between these widths.
pub(super) fn evaluate_by(
    [inputs, outputs]: [usize; 2],
    predict: impl FnOnce(&Tensor) -> Result<Tensor, NetworkError>,
    numbers: &[f32],
    batch: usize,
    out: &mut [f32],
) -> Result<(), NetworkError> {
    check_batch("a network's inputs", batch, inputs, numbers.len())?;
    check_batch("a network's outputs", batch, outputs, out.len())?;
    if batch == 0 {
        return Ok(());
    }
    let rows = Tensor::from_slice(numbers).f_view([batch as i64, inputs as i64])?;
    let results = predict(&rows)?.f_contiguous()?;
    check_outputs(&results, batch, outputs)?;
    Ok(results.f_copy_data(out, out.len())?)
}
