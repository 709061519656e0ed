//! Gradients of a network without libtorch, whose calls cost more than a small network's arithmetic.
//!
//! Backpropagation (Rumelhart, Hinton and Williams 1986) over the layers of a [`Plan`]. A layer reads
//! rows X and puts out Y = f(Z), where Z = X W + b. Given ∂L/∂Y of a loss L,
//!
//! ```text
//! ∂L/∂Z = ∂L/∂Y · f'(Z)          number by number
//! ∂L/∂W = Xᵀ ∂L/∂Z
//! ∂L/∂b = the sum of the rows of ∂L/∂Z
//! ∂L/∂X = ∂L/∂Z Wᵀ               the layer before's ∂L/∂Y
//! ```
//!
//! A convolution is such a layer whose rows are the places of its kernel: what flows back to a pixel is
//! the sum over the places that cover it.
//!
//! Each of these numbers is one sum in a fixed order: the same inputs give the same bits.

use super::{
    NetworkError, Plan, check_batch, check_length,
    inference::{Convolution, Dense, Dueling, Step},
    matmul,
};
use crate::simd::wide;

/// A batch on its way through a network: what each layer put out, as its gradients need it. One
/// serves any number of networks, one after another, and allocates only to grow.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    batch: usize,
    inputs: Vec<f32>,      // [B, inputs]
    layers: Vec<Recorded>, // of each step
    outputs: Vec<f32>,     // [B, outputs]
    gradient: Gradient,
}

/// What one layer put out.
#[derive(Debug, Clone, Default)]
struct Recorded {
    before: Vec<f32>, // [B, outputs], where the activation remembers its input
    after: Vec<f32>,  // [B, outputs]
}

/// What flows back.
#[derive(Debug, Clone, Default)]
struct Gradient {
    by_output: Vec<f32>,  // [B, a layer's outputs]
    by_input: Vec<f32>,   // [B, its inputs]
    transposed: Vec<f32>, // [outputs, inputs], its weights
    places: Vec<f32>,     // [B · H' · W', kernel · kernel · C], of a convolution
    by_place: Vec<f32>,   // likewise
    aside: Vec<f32>,      // what a step needs for itself
}

impl Tape {
    /// What the network put out, row by row.
    pub fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    /// The same, for what is added to them before a loss is made of them:
    /// [`backward`](Plan::backward) does not read them.
    pub fn outputs_mut(&mut self) -> &mut [f32] {
        &mut self.outputs
    }
}

impl Plan {
    /// Evaluates `batch` rows with the flat parameters `values`, as [`run`](Self::run) and to the
    /// same bits, and writes down what [`backward`](Self::backward) needs.
    pub fn forward(
        &self,
        values: &[f32],
        inputs: &[f32],
        batch: usize,
        tape: &mut Tape,
    ) -> Result<(), NetworkError> {
        check_batch("a network's inputs", batch, self.inputs(), inputs.len())?;
        self.check_parameters(values)?;
        tape.batch = batch;
        refill(&mut tape.inputs, inputs);
        tape.layers.resize_with(self.steps.len(), Recorded::default);
        let mut x = &tape.inputs;
        for (step, recorded) in self.steps.iter().zip(&mut tape.layers) {
            recorded.after.resize(batch * step.outputs(), 0.0);
            step.affine(values, x, batch, &mut tape.gradient.aside, &mut recorded.after);
            let activation = step.activation();
            if activation.remembers_input() {
                refill(&mut recorded.before, &recorded.after);
            }
            activation.apply(&mut recorded.after);
            x = &recorded.after;
        }
        refill(&mut tape.outputs, x);
        Ok(())
    }

    /// Adds a loss's gradient to the flat `gradients`: `by_output` is its gradient by what the
    /// network put out in [`forward`](Self::forward), row by row. `values` must be what they were
    /// then.
    pub fn backward(
        &self,
        values: &[f32],
        by_output: &[f32],
        tape: &mut Tape,
        gradients: &mut [f32],
    ) -> Result<(), NetworkError> {
        let Tape { batch, inputs, layers, gradient, .. } = tape;
        check_length("a tape's layers", self.steps.len(), layers.len())?;
        check_batch("a tape's inputs", *batch, self.inputs(), inputs.len())?;
        for (step, layer) in self.steps.iter().zip(layers.iter()) {
            check_batch("a tape's layer", *batch, step.outputs(), layer.after.len())?;
            if step.activation().remembers_input() {
                check_batch("a tape's layer", *batch, step.outputs(), layer.before.len())?;
            }
        }
        check_batch("a gradient by outputs", *batch, self.outputs(), by_output.len())?;
        self.check_parameters(values)?;
        self.check_parameters(gradients)?;
        refill(&mut gradient.by_output, by_output);
        for (i, step) in self.steps.iter().enumerate().rev() {
            let Recorded { before, after } = &layers[i];
            step.activation().backward(before, after, &mut gradient.by_output);
            let x = i.checked_sub(1).map_or(&*inputs, |i| &layers[i].after);
            gradient.by_input.clear();
            if i > 0 {
                gradient.by_input.resize(x.len(), 0.0);
            }
            match step {
                Step::Dense(layer) => layer.backward(values, x, gradient, gradients),
                Step::Convolution(layer) => layer.backward(values, x, gradient, gradients),
                Step::Dueling(head) => head.backward(values, x, gradient, gradients),
            }
            std::mem::swap(&mut gradient.by_output, &mut gradient.by_input);
        }
        Ok(())
    }
}

// Each of these goes from the gradient by what the step put out, which lies in `gradient.by_output`,
// to that by what came in, where `gradient.by_input` is not empty: the first step's is not asked for.

impl Dense {
    fn backward(&self, values: &[f32], x: &[f32], gradient: &mut Gradient, gradients: &mut [f32]) {
        let Gradient { by_output, by_input, transposed, .. } = gradient;
        self.add_gradients(x, by_output, gradients);
        if !by_input.is_empty() {
            self.add_input_gradient(values, by_output, transposed, by_input);
        }
    }
}

impl Convolution {
    fn backward(&self, values: &[f32], x: &[f32], gradient: &mut Gradient, gradients: &mut [f32]) {
        let Gradient { by_output, by_input, transposed, places, by_place, .. } = gradient;
        places.clear();
        for picture in x.chunks_exact(self.input.size()) {
            self.lines(|line| places.extend_from_slice(&picture[line]));
        }
        self.dense.add_gradients(places, by_output, gradients);
        if by_input.is_empty() {
            return;
        }
        by_place.clear();
        by_place.resize(places.len(), 0.0);
        self.dense.add_input_gradient(values, by_output, transposed, by_place);
        let mut from = by_place.iter();
        for picture in by_input.chunks_exact_mut(self.input.size()) {
            self.lines(|line| {
                picture[line].iter_mut().zip(&mut from).for_each(|(sum, by)| *sum += by);
            });
        }
    }
}

impl Dueling {
    fn backward(&self, values: &[f32], x: &[f32], gradient: &mut Gradient, gradients: &mut [f32]) {
        let Gradient { by_output, by_input, transposed, aside: by_value, .. } = gradient;
        let (outputs, atoms) = (self.advantage.outputs, self.value.outputs);
        let actions = outputs / atoms;
        by_value.clear(); // [B, N]
        for row in by_output.chunks_exact_mut(outputs) {
            for atom in 0..atoms {
                let sum = row[atom..].iter().step_by(atoms).sum::<f32>();
                let mean = sum / actions as f32;
                row[atom..].iter_mut().step_by(atoms).for_each(|g| *g -= mean);
                by_value.push(sum);
            }
        }
        for (layer, by_output) in [(&self.value, &*by_value), (&self.advantage, &*by_output)] {
            layer.add_gradients(x, by_output, gradients);
            if !by_input.is_empty() {
                layer.add_input_gradient(values, by_output, transposed, by_input);
            }
        }
    }
}

impl Dense {
    /// Adds ∂L/∂W = Xᵀ ∂L/∂Z and ∂L/∂b.
    fn add_gradients(&self, x: &[f32], by_output: &[f32], gradients: &mut [f32]) {
        let by_weight = &mut gradients[self.weight.clone()];
        matmul::add_transposed_product(x, by_output, self.outputs, by_weight);
        add_rows(by_output, &mut gradients[self.bias.clone()]);
    }

    /// Adds ∂L/∂X = ∂L/∂Z Wᵀ.
    fn add_input_gradient(
        &self,
        values: &[f32],
        by_output: &[f32],
        transposed: &mut Vec<f32>,
        by_input: &mut [f32],
    ) {
        let weight = &values[self.weight.clone()];
        transposed.resize(weight.len(), 0.0);
        matmul::transpose(weight, self.outputs, transposed);
        matmul::add_product(by_output, transposed, weight.len() / self.outputs, by_input);
    }
}

wide! {
    /// Adds rows of the sum's width to it.
    fn add_rows<FMA>(rows: &[f32], sum: &mut [f32]) {
        for row in rows.chunks_exact(sum.len()) {
            for (sum, x) in sum.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

fn refill(to: &mut Vec<f32>, from: &[f32]) {
    to.clear();
    to.extend_from_slice(from);
}

#[cfg(test)]
mod tests;
