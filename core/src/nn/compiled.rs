//! Evaluates and differentiates a module: by its plan if all its layers allow it, else by libtorch.

use std::ops::Range;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{
    Module, NetworkError, Parameters, Plan, Scratch, Tape, check_batch, check_outputs,
    matmul::Precision, network::evaluate_by, no_grad,
};

/// What computes a network's gradients.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// The network's plan where it has one that trains it, else libtorch.
    #[default]
    Auto,
    /// The network's [`Plan`], in plain Rust.
    Plan,
    /// The plan, with the factors of the products of fully connected layers rounded to bf16, which has
    /// the range of `f32` and 8 bits of precision; their sums, all other arithmetic and the weights
    /// themselves are `f32`, as in mixed-precision training. The plan evaluates in the same way, also a
    /// row alone, which then takes longer. Processors that know bf16 (AVX512-BF16) multiply wide layers up to
    /// twice as fast, for others it is slower. `f32` stay convolutions, layers of fewer than 16 inputs or
    /// outputs, and the gradients of weights of fewer than 16 rows.
    PlanBf16,
    /// libtorch's autograd.
    Libtorch,
}

impl Engine {
    /// Returns its name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Plan => "plan",
            Self::PlanBf16 => "plan_bf16",
            Self::Libtorch => "libtorch",
        }
    }
}

/// A module with its plan. Its parameters lie in a [`Parameters`] that it does not own: several
/// modules can share one.
///
/// Gradients start from those of a loss with respect to the outputs, which the caller computes in
/// closed form: [`record`](Self::record), then [`accumulate`](Self::accumulate) or
/// [`input_gradient`](Self::input_gradient). Both engines agree up to rounding. The plan is the
/// faster one at the widths and batch sizes measured (`cargo bench -p gymnast-core --bench
/// update`), so it is used wherever there is one; [`set_engine`](Self::set_engine) overrides the
/// choice. Batch normalisation is trained by libtorch here, as its rows depend on each other and
/// [`keep_rows`](Recorded::keep_rows) could not leave any out.
#[derive(Debug)]
pub struct Compiled {
    module: Box<dyn Module>,
    plan: Option<Plan>,
    engine: Engine,
}

/// A recorded forward pass, as gradients need it. It can be reused for any number of networks, one
/// after another.
#[derive(Debug, Default)]
pub struct Recorded {
    tape: Tape,
    graph: Option<Graph>,
    /// Whether libtorch records for gradients with respect to the inputs.
    for_inputs: bool,
}

/// libtorch's record.
#[derive(Debug)]
struct Graph {
    inputs: Tensor,       // [B, inputs]
    outputs: Tensor,      // [B, outputs]
    numbers: Vec<f32>,    // the outputs, of the rows that are kept
    kept: Option<Tensor>, // the rows that are kept
}

impl Recorded {
    /// Creates a record for [`input_gradient`](Compiled::input_gradient). The default is for
    /// [`accumulate`](Compiled::accumulate).
    pub fn for_inputs() -> Self {
        Self { for_inputs: true, ..Self::default() }
    }

    /// Returns the outputs, row by row.
    pub fn outputs(&self) -> &[f32] {
        self.graph.as_ref().map_or(self.tape.outputs(), |graph| &graph.numbers)
    }

    /// Returns the outputs mutably, for terms added before the loss. Gradients do not read them.
    pub fn outputs_mut(&mut self) -> &mut [f32] {
        self.graph.as_mut().map_or(self.tape.outputs_mut(), |graph| &mut graph.numbers)
    }

    /// Keeps these rows, which must ascend, for a gradient of theirs alone.
    ///
    /// # Panics
    /// If a row is not among those recorded.
    pub fn keep_rows(&mut self, rows: &[usize]) {
        let Some(Graph { outputs, numbers, kept, .. }) = &mut self.graph else {
            return self.tape.keep_rows(rows);
        };
        let width = outputs.size()[1] as usize;
        for (to, from) in rows.iter().enumerate() {
            numbers.copy_within(from * width..(from + 1) * width, to * width);
        }
        numbers.truncate(rows.len() * width);
        let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
        let rows = Tensor::from_slice(&rows);
        *kept = Some(kept.take().map_or(rows.shallow_clone(), |kept| kept.index_select(0, &rows)));
    }
}

impl Graph {
    /// Returns the loss whose gradient with respect to the kept outputs is `by_output`.
    fn loss(&self, by_output: &[f32]) -> Result<Tensor, NetworkError> {
        check_batch("a gradient by outputs", 1, self.numbers.len(), by_output.len())?;
        tch::with_grad(|| {
            let outputs = match &self.kept {
                Some(rows) => self.outputs.f_index_select(0, rows)?,
                None => self.outputs.shallow_clone(),
            };
            let by_output = Tensor::from_slice(by_output).f_view_as(&outputs)?;
            Ok((outputs * by_output).f_sum(Kind::Float)?)
        })
    }
}

impl Compiled {
    /// Compiles a module.
    pub fn new(module: Box<dyn Module>) -> Self {
        let mut compiled = Self { plan: module.plan(), module, engine: Engine::Libtorch };
        compiled.engine = compiled.fastest();
        compiled
    }

    /// Returns the module.
    pub fn module(&self) -> &dyn Module {
        self.module.as_ref()
    }

    /// Returns the module mutably.
    pub fn module_mut(&mut self) -> &mut dyn Module {
        self.module.as_mut()
    }

    /// Returns the plan that evaluates the module. `None` if only libtorch can.
    pub fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// Returns whether the plan computes in training mode what the module does.
    fn has_training_plan(&self) -> bool {
        self.plan.is_some() && self.module.trains_as_evaluated()
    }

    /// Returns what is faster of what can compute the gradients.
    fn fastest(&self) -> Engine {
        if self.has_training_plan() { Engine::Plan } else { Engine::Libtorch }
    }

    /// Returns what computes the gradients: never [`Engine::Auto`].
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// Chooses what computes the gradients.
    ///
    /// # Errors
    /// [`NetworkError::NoPlan`] if only libtorch can.
    pub fn set_engine(&mut self, engine: Engine) -> Result<(), NetworkError> {
        let engine = if engine == Engine::Auto { self.fastest() } else { engine };
        if engine != Engine::Libtorch && !self.has_training_plan() {
            return Err(NetworkError::NoPlan);
        }
        if let Some(plan) = &mut self.plan {
            let rounds = engine == Engine::PlanBf16;
            plan.set_precision(if rounds { Precision::Bf16 } else { Precision::F32 });
        }
        self.engine = engine;
        Ok(())
    }

    /// Evaluates `batch` rows in evaluation mode: with `values` if there is a plan, else with the
    /// module's own parameters.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the sizes do not fit.
    pub fn run(
        &self,
        values: &[f32],
        inputs: &[f32],
        batch: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        if let Some(plan) = &self.plan {
            return plan.run(values, inputs, batch, scratch, out);
        }
        let widths = [self.module.inputs(), self.module.outputs()];
        let predict = |rows: &Tensor| Ok(no_grad(|| self.module.forward(rows, false)));
        evaluate_by(widths, predict, inputs, batch, out)
    }

    /// Evaluates `batch` rows in training mode with `parameters`, which are the module's, and
    /// records what a gradient needs.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the sizes do not fit.
    pub fn record(
        &self,
        parameters: &Parameters,
        inputs: &[f32],
        batch: usize,
        recorded: &mut Recorded,
    ) -> Result<(), NetworkError> {
        let numbers = recorded.graph.take().map_or_else(Vec::new, |graph| graph.numbers);
        if let (true, Some(plan)) = (self.engine != Engine::Libtorch, &self.plan) {
            return plan.forward(parameters.effective(), inputs, batch, &mut recorded.tape);
        }
        let inputs = self.rows(inputs, batch)?.set_requires_grad(recorded.for_inputs);
        let outputs = tch::with_grad(|| self.module.forward(&inputs, true)).f_contiguous()?;
        check_outputs(&outputs, batch, self.module.outputs())?;
        let mut graph = Graph { inputs, outputs, numbers, kept: None };
        let length = batch * self.module.outputs();
        graph.numbers.resize(length, 0.0);
        graph.outputs.f_copy_data(&mut graph.numbers, length)?;
        recorded.graph = Some(graph);
        Ok(())
    }

    /// Adds a loss's gradient to the parameters' gradients, except those with respect to noise's
    /// deviations. `by_output` is the loss's gradient with respect to the outputs of
    /// [`record`](Self::record), row by row; the parameters must not have changed since.
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the sizes do not fit; [`NetworkError::Loss`] if the outputs do
    /// not depend on parameters.
    pub fn accumulate(
        &self,
        parameters: &mut Parameters,
        by_output: &[f32],
        recorded: &mut Recorded,
    ) -> Result<(), NetworkError> {
        if let Some(graph) = recorded.graph.take() {
            return parameters.accumulate(&graph.loss(by_output)?, 1.0);
        }
        let plan = self.plan.as_ref().ok_or(NetworkError::NoPlan)?;
        let (values, gradients) = parameters.effective_and_gradients_mut();
        plan.backward(values, by_output, &mut recorded.tape, gradients)
    }

    /// Sets `by_input` to the loss's gradient with respect to the inputs `columns`, `[B, columns]`.
    /// The parameters' gradients stay as they are. Otherwise as [`accumulate`](Self::accumulate);
    /// the record must be one [for inputs](Recorded::for_inputs).
    ///
    /// # Errors
    /// [`NetworkError::Length`] if the sizes do not fit; [`NetworkError::Loss`] if libtorch finds
    /// that the outputs do not depend on the inputs: no gradient is not one of zeros.
    pub fn input_gradient(
        &self,
        parameters: &Parameters,
        by_output: &[f32],
        recorded: &mut Recorded,
        columns: Range<usize>,
        by_input: &mut [f32],
    ) -> Result<(), NetworkError> {
        let Some(graph) = recorded.graph.take() else {
            let plan = self.plan.as_ref().ok_or(NetworkError::NoPlan)?;
            let (values, tape) = (parameters.effective(), &mut recorded.tape);
            return plan.backward_inputs(values, by_output, tape, columns, by_input);
        };
        let loss = graph.loss(by_output)?;
        // libtorch crashes if nothing has a gradient, and leaves this one undefined if only others
        // have one.
        let gradients = if loss.requires_grad() && graph.inputs.requires_grad() {
            Tensor::f_run_backward(&[&loss], &[&graph.inputs], false, false)?
        } else {
            Vec::new()
        };
        let Some(gradient) = gradients.into_iter().find(Tensor::defined) else {
            let (expected, got) = ("a function of the inputs", "outputs without a gradient");
            return Err(NetworkError::Loss { expected, got: got.to_owned() });
        };
        let gradient = match &graph.kept {
            Some(rows) => gradient.f_index_select(0, rows)?,
            None => gradient,
        };
        let (first, width) = (columns.start as i64, columns.len() as i64);
        let gradient = gradient.f_narrow(1, first, width)?.f_contiguous()?;
        check_batch("a gradient by inputs", 1, gradient.numel(), by_input.len())?;
        Ok(gradient.f_copy_data(by_input, by_input.len())?)
    }

    fn rows(&self, inputs: &[f32], batch: usize) -> Result<Tensor, NetworkError> {
        check_batch("a network's inputs", batch, self.module.inputs(), inputs.len())?;
        Ok(Tensor::from_slice(inputs).f_view([batch as i64, self.module.inputs() as i64])?)
    }
}
