//! A network whose parameters lie among others', evaluated in plain Rust where its layers can be.

use gymnast_core::nn::{Module, NetworkError, Parameters, Plan, Scratch, Tape};
use tch::{Kind, Tensor};

/// The layers, and how they are evaluated and trained without libtorch, where that is possible.
pub(super) struct Estimator {
    pub(super) module: Box<dyn Module>,
    plan: Option<Plan>,
    training_plan: Option<Plan>,
}

/// One batch on its way through: what came out, and what the gradients need of it.
#[derive(Default)]
pub(super) struct Recorded {
    tape: Tape,
    /// Where libtorch trains: the outputs with their graph, and as they are changed before a loss.
    by_libtorch: Option<(Tensor, Vec<f32>)>,
}

impl Estimator {
    pub(super) fn new(module: Box<dyn Module>) -> Self {
        let (plan, training_plan) = (module.plan(), module.training_plan());
        Self { module, plan, training_plan }
    }

    /// Whether plain Rust evaluates it: then by any weights, not only by its parameters.
    pub(super) fn has_plan(&self) -> bool {
        self.plan.is_some()
    }

    /// Whether plain Rust trains it too.
    pub(super) fn trains_by_plan(&self) -> bool {
        self.training_plan.is_some()
    }

    /// Evaluates `n` rows; by `weights` where it has a plan, else by its parameters.
    pub(super) fn run(
        &self,
        weights: &[f32],
        features: &[f32],
        n: usize,
        scratch: &mut Scratch,
        out: &mut [f32],
    ) -> Result<(), NetworkError> {
        if let Some(plan) = &self.plan {
            return plan.run(weights, features, n, scratch, out);
        }
        let _guard = tch::no_grad_guard();
        let outputs = self.module.forward(&self.rows(features), false).f_contiguous()?;
        Ok(outputs.f_copy_data(out, out.len())?)
    }

    /// Evaluates rows in training mode, and writes down what [`backward`](Self::backward) needs.
    pub(super) fn forward(
        &self,
        values: &[f32],
        features: &[f32],
        recorded: &mut Recorded,
    ) -> Result<(), NetworkError> {
        let batch = features.len() / self.module.inputs();
        if let Some(plan) = &self.training_plan {
            recorded.by_libtorch = None;
            return plan.forward(values, features, batch, &mut recorded.tape);
        }
        let mut numbers = recorded.by_libtorch.take().map_or_else(Vec::new, |(_, numbers)| numbers);
        let outputs =
            tch::with_grad(|| self.module.forward(&self.rows(features), true)).f_contiguous()?;
        numbers.resize(batch * self.module.outputs(), 0.0);
        outputs.f_copy_data(&mut numbers, batch * self.module.outputs())?;
        recorded.by_libtorch = Some((outputs, numbers));
        Ok(())
    }

    /// Adds a loss's gradient, given by what came out of [`forward`](Self::forward), to the parameters'.
    pub(super) fn backward(
        &self,
        parameters: &mut Parameters,
        by_output: &[f32],
        recorded: &mut Recorded,
    ) -> Result<(), NetworkError> {
        match (&self.training_plan, recorded.by_libtorch.take()) {
            (None, Some((outputs, _))) => {
                let by_output = Tensor::from_slice(by_output).f_view_as(&outputs)?;
                let loss = tch::with_grad(|| (&outputs * by_output).sum(Kind::Float));
                parameters.accumulate(&loss, 1.0)
            }
            (Some(plan), _) => {
                let (values, gradients) = parameters.values_and_gradients_mut();
                plan.backward(values, by_output, &mut recorded.tape, gradients)
            }
            (None, None) => Err(NetworkError::NoPlan),
        }
    }

    fn rows(&self, features: &[f32]) -> Tensor {
        Tensor::from_slice(features).view([-1, self.module.inputs() as i64])
    }
}

impl Recorded {
    /// What came out, row by row.
    pub(super) fn outputs(&self) -> &[f32] {
        match &self.by_libtorch {
            Some((_, numbers)) => numbers,
            None => self.tape.outputs(),
        }
    }

    /// The same, for what is added before a loss is made of it.
    pub(super) fn outputs_mut(&mut self) -> &mut [f32] {
        match &mut self.by_libtorch {
            Some((_, numbers)) => numbers,
            None => self.tape.outputs_mut(),
        }
    }
}
