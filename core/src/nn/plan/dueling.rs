//! Dueling heads: a value and advantages, combined.

use super::dense::Dense;
use super::tape::Gradient;
use crate::nn::matmul::{Precision, Start};
use crate::nn::{Activation, DuelingHead};

#[derive(Debug, Clone)]
pub(super) struct Dueling {
    pub(super) value: Dense,
    pub(super) advantage: Dense,
}

impl Dueling {
    pub(super) fn new(DuelingHead { value, advantage, .. }: &DuelingHead) -> Self {
        let dense = |layer| Dense::new(layer, Activation::Identity);
        Self { value: dense(value), advantage: dense(advantage) }
    }

    pub(super) fn set_precision(&mut self, precision: Precision) {
        self.value.precision = precision;
        self.advantage.precision = precision;
    }

    pub(super) fn affine(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        state_values: &mut Vec<f32>,
        out: &mut [f32],
    ) {
        let (outputs, atoms) = (self.advantage.outputs, self.value.outputs);
        state_values.resize(batch * atoms, 0.0);
        self.value.affine(values, x, state_values);
        self.advantage.affine(values, x, out);
        let rows = out.chunks_exact_mut(outputs).zip(state_values.chunks_exact(atoms));
        for (row, state_values) in rows {
            for (atom, value) in state_values.iter().enumerate() {
                let of_atom = || (atom..outputs).step_by(atoms);
                let mean = of_atom().map(|i| row[i]).sum::<f32>() / (outputs / atoms) as f32;
                of_atom().for_each(|i| row[i] = *value + row[i] - mean);
            }
        }
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        x: &[f32],
        gradient: &mut Gradient,
        mut gradients: Option<&mut [f32]>,
    ) {
        let Gradient { by_output, by_input, aside: by_value, .. } = gradient;
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
            if let Some(gradients) = gradients.as_deref_mut() {
                layer.add_gradients(x, by_output, gradients);
            }
            if !by_input.is_empty() {
                layer.input_gradient(values, by_output, 0, Start::Sum, by_input);
            }
        }
    }
}
