//! Plans within a plan: residual blocks and parallel parts.

use std::ops::Range;

use super::tape::{Gradient, Tape};
use super::{Plan, Work};

/// A plan that reads a part of each row.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// The start of its part of a row.
    pub(super) from: usize,
    /// The start of its outputs.
    pub(super) to: usize,
    pub(super) plan: Plan,
}

#[derive(Debug, Clone)]
pub(super) struct SideBySide {
    pub(super) parts: Vec<Part>,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
}

impl SideBySide {
    /// Returns the end of the parameters of all parts.
    pub(super) fn end(&self) -> usize {
        self.parts.iter().map(|part| part.plan.end).max().unwrap_or(0)
    }

    pub(super) fn evaluate(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        work: &mut Work,
        out: &mut [f32],
    ) {
        let Work { aside, results, inner, .. } = work;
        for Part { from, to, plan } in &self.parts {
            take(x, self.inputs, *from, plan.inputs, aside);
            results.resize(batch * plan.outputs(), 0.0);
            plan.evaluate(values, aside, batch, inner.get_or_insert_default(), results);
            put(results, plan.outputs(), out, self.outputs, *to);
        }
    }

    pub(super) fn record(
        &self,
        values: &[f32],
        x: &[f32],
        batch: usize,
        tapes: &mut Vec<Tape>,
        out: &mut [f32],
    ) {
        tapes.resize_with(tapes.len().max(self.parts.len()), Tape::default);
        for (Part { from, to, plan }, tape) in self.parts.iter().zip(tapes) {
            take(x, self.inputs, *from, plan.inputs, tape.inputs_mut());
            plan.record_inputs(values, batch, tape);
            put(tape.outputs(), plan.outputs(), out, self.outputs, *to);
        }
    }

    pub(super) fn backward(
        &self,
        values: &[f32],
        tapes: &mut [Tape],
        gradient: &mut Gradient,
        mut gradients: Option<&mut [f32]>,
        wanted: &Range<usize>, // of the inputs
    ) {
        let Gradient { by_output, by_input, aside, results, .. } = gradient;
        for (Part { from, to, plan }, tape) in self.parts.iter().zip(tapes) {
            let gradients = gradients.as_deref_mut();
            let is_wanted = wanted.start < from + plan.inputs && *from < wanted.end;
            if !by_input.is_empty() && is_wanted {
                take(by_output, self.outputs, *to, plan.outputs(), aside);
                results.resize(tape.batch() * plan.inputs, 0.0);
                let inputs = Some((0..plan.inputs, results.as_mut_slice()));
                plan.backpropagate(values, aside, tape, gradients, inputs);
                put(results, plan.inputs, by_input, self.inputs, *from);
            } else if gradients.is_some() {
                take(by_output, self.outputs, *to, plan.outputs(), aside);
                plan.backpropagate(values, aside, tape, gradients, None);
            }
        }
    }
}

/// Copies the `width` columns from `first` on out of rows of `of` numbers.
pub(super) fn take(rows: &[f32], of: usize, first: usize, width: usize, part: &mut Vec<f32>) {
    part.clear();
    rows.chunks_exact(of).for_each(|row| part.extend_from_slice(&row[first..][..width]));
}

/// Copies a part of `width` columns back into rows of `of` numbers, from `first` on.
fn put(part: &[f32], width: usize, rows: &mut [f32], of: usize, first: usize) {
    for (part, row) in part.chunks_exact(width).zip(rows.chunks_exact_mut(of)) {
        row[first..][..width].copy_from_slice(part);
    }
}

/// `sum ← sum + x`.
pub(super) fn add(sum: &mut [f32], x: &[f32]) {
    sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += x);
}
