//! What a network's outputs say of an action's return: its mean, or a distribution.
//!
//! Beside each other stand the three ways to read the outputs `[B, A · N]`, to make targets of them
//! and to learn from those. Everything that is not differentiated is plain Rust.

use std::ops::Range;

use gymnast_core::likelihood::{largest, softmax};
use gymnast_harness::AgentError;
use serde::{Deserialize, Serialize};

use super::DqnConfig;
use crate::{
    mathematics::{
        losses::{self, mean},
        targets::{self, Support},
    },
    memory::replay::Batch,
};

/// What is learned of an action's return.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Its mean alone.
    #[default]
    None,
    /// The probabilities of fixed returns: C51 (Bellemare et al., 2017).
    Categorical,
    /// Quantiles: QR-DQN (Dabney et al., 2018).
    Quantile,
}

/// How the outputs are read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Values {
    /// The mean: one number an action.
    Mean,
    /// The probabilities of the support's returns, as logits.
    Categorical(Support),
    /// So many quantiles, equally likely.
    Quantile(usize),
}

impl Values {
    pub(super) fn new(config: &DqnConfig) -> Self {
        let DqnConfig { atoms, v_min, v_max, .. } = *config;
        match config.distribution {
            Distribution::None => Self::Mean,
            Distribution::Categorical => {
                Self::Categorical(Support { low: v_min as f32, high: v_max as f32, atoms })
            }
            Distribution::Quantile => Self::Quantile(atoms),
        }
    }

    /// The numbers an action, N.
    pub(super) fn atoms(&self) -> usize {
        match self {
            Self::Mean => 1,
            Self::Categorical(support) => support.atoms,
            Self::Quantile(atoms) => *atoms,
        }
    }

    /// The mean of every action's return: outputs `[B, A · N]` to `[B, A]`.
    pub(super) fn write_q(&self, outputs: &[f32], q: &mut Vec<f32>) {
        q.clear();
        match self {
            Self::Mean => q.extend_from_slice(outputs),
            Self::Categorical(support) => {
                let mean = |row| expectation(row, support);
                q.extend(outputs.chunks_exact(support.atoms).map(mean));
            }
            Self::Quantile(atoms) => {
                let mean = |row: &[f32]| row.iter().sum::<f32>() / row.len() as f32;
                q.extend(outputs.chunks_exact(*atoms).map(mean));
            }
        }
    }

    /// What the action taken should have been worth, `[B, N]`, by the successor's outputs
    /// `[B, A · N]` and the action `[B]` selected there.
    pub(super) fn write_target(
        &self,
        batch: &Batch<i64>,
        next_outputs: &mut Vec<f32>,
        next_action: &[usize],
        target: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let Batch { reward, discount, .. } = batch;
        if let Self::Mean = self {
            return targets::q_learning(reward, discount, next_outputs, next_action, target);
        }
        keep_selected(next_outputs, next_action, self.atoms()); // [B, N]
        match self {
            Self::Categorical(support) => {
                next_outputs.chunks_exact_mut(support.atoms).for_each(softmax);
                targets::categorical(reward, discount, next_outputs, support, target)
            }
            _ => targets::quantile(reward, discount, next_outputs, target),
        }
    }

    /// What the outputs `[B, A · N]` predict of the actions taken, `[B]`: their values, the logarithms of
    /// their probabilities, or their quantiles, `[B, N]`.
    pub(super) fn predict(&self, outputs: &[f32], taken: &[i64], prediction: &mut Vec<f32>) {
        prediction.clear();
        for range in self.taken(outputs.len(), taken) {
            prediction.extend_from_slice(&outputs[range]);
        }
        if let Self::Categorical(support) = self {
            losses::log_softmax(prediction, support.atoms);
        }
    }

    /// How far the predictions are from their targets, each counting by its weight, where there are
    /// weights. `by_output` becomes the gradient with respect to `outputs` numbers of `[B, A · N]`: zero
    /// for actions that were not taken.
    pub(super) fn loss(
        &self,
        prediction: &[f32],
        target: &[f32],
        batch: &Batch<i64>,
        outputs: usize,
        (by_prediction, by_output): (&mut Vec<f32>, &mut Vec<f32>),
    ) -> Result<f64, AgentError> {
        let (weight, atoms) = (&batch.weight, self.atoms());
        let loss = match self {
            Self::Mean => losses::huber(prediction, target, weight, by_prediction),
            Self::Categorical(_) => {
                losses::cross_entropy(prediction, target, weight, atoms, by_prediction)
            }
            Self::Quantile(_) => {
                losses::quantile_huber(prediction, target, weight, atoms, by_prediction)
            }
        }?;
        by_output.clear();
        by_output.resize(outputs, 0.0);
        let rows = self.taken(outputs, &batch.action).zip(by_prediction.chunks_exact(atoms));
        rows.for_each(|(range, slopes)| by_output[range].copy_from_slice(slopes));
        Ok(loss)
    }

    /// Where the numbers of the actions taken lie among `outputs` numbers, `[B, A · N]`.
    fn taken(&self, outputs: usize, taken: &[i64]) -> impl Iterator<Item = Range<usize>> {
        let (atoms, width) = (self.atoms(), outputs.checked_div(taken.len()).unwrap_or(0));
        taken.iter().enumerate().map(move |(row, &action)| {
            let from = row * width + action as usize * atoms;
            from..from + atoms
        })
    }

    /// The error of each prediction by itself, `[B]`, which sets its priority: the absolute TD
    /// error, the Kullback-Leibler divergence (Hessel et al., 2018), or the mean distance between
    /// quantiles, in order, which is the Wasserstein distance that QR-DQN minimises.
    pub(super) fn write_errors(&self, prediction: &[f32], target: &[f32], errors: &mut Vec<f32>) {
        errors.clear();
        let atoms = self.atoms();
        let rows = prediction.chunks_exact(atoms).zip(target.chunks_exact(atoms));
        errors.extend(rows.map(|(prediction, target)| match self {
            Self::Mean => (target[0] - prediction[0]).abs(),
            Self::Categorical(_) => {
                let pairs = prediction.iter().zip(target).filter(|(_, p)| **p > 0.0);
                // Rounding may leave it a little below 0.
                pairs.map(|(log_q, p)| p * (p.ln() - log_q)).sum::<f32>().max(0.0)
            }
            Self::Quantile(_) => {
                let (mut prediction, mut target) = (prediction.to_vec(), target.to_vec());
                for quantiles in [&mut prediction, &mut target] {
                    quantiles.sort_unstable_by(f32::total_cmp);
                }
                let distances = prediction.iter().zip(&target).map(|(a, b)| (a - b).abs());
                distances.sum::<f32>() / atoms as f32
            }
        }));
    }

    /// The mean return of the actions taken, as predicted.
    pub(super) fn mean(&self, prediction: &[f32]) -> f64 {
        match self {
            Self::Categorical(support) => {
                mean(prediction.chunks_exact(support.atoms).map(|log_p| {
                    log_p.iter().zip(0..).map(|(p, i)| p.exp() * support.atom(i)).sum::<f32>()
                }))
            }
            _ => mean(prediction.iter().copied()),
        }
    }
}

/// Keeps the numbers of the selected actions: `[B, A · N]` to `[B, N]`.
fn keep_selected(outputs: &mut Vec<f32>, selected: &[usize], atoms: usize) {
    let actions = outputs.len() / (selected.len() * atoms).max(1);
    for (row, action) in selected.iter().enumerate() {
        let from = (row * actions + action) * atoms;
        outputs.copy_within(from..from + atoms, row * atoms);
    }
    outputs.truncate(selected.len() * atoms);
}

/// The mean of a distribution over the support, given by logits.
fn expectation(logits: &[f32], support: &Support) -> f32 {
    let greatest = largest(logits);
    let (mut sum, mut mean) = (0.0, 0.0);
    for (i, logit) in logits.iter().enumerate() {
        let p = (logit - greatest).exp();
        sum += p;
        mean += p * support.atom(i);
    }
    mean / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPPORT: Support = Support { low: -1.0, high: 1.0, atoms: 3 };

    /// What is predicted of actions taken, the loss, and its gradient by the outputs.
    fn learn(
        values: Values,
        outputs: &[f32],
        action: &[i64],
        target: &[f32],
        weight: &[f32],
    ) -> (Vec<f32>, f64, Vec<f32>) {
        let batch = Batch { action: action.to_vec(), weight: weight.to_vec(), ..Batch::default() };
        let (mut prediction, mut by_output) = (vec![f32::NAN], vec![f32::NAN]);
        values.predict(outputs, action, &mut prediction);
        let gradients = (&mut vec![f32::NAN], &mut by_output);
        let loss = values.loss(&prediction, target, &batch, outputs.len(), gradients).unwrap();
        (prediction, loss, by_output)
    }

    fn assert_near(got: &[f32], expected: &[f32]) {
        assert_eq!(got.len(), expected.len());
        for (a, b) in got.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{got:?} {expected:?}");
        }
    }

    /// Two transitions, the second of which terminated, with two actions.
    fn batch() -> Batch<i64> {
        Batch { reward: vec![0.5, -1.0], discount: vec![0.5, 0.0], ..Batch::default() }
    }

    #[test]
    fn categories_agree_with_values_worked_by_hand() {
        let values = Values::Categorical(SUPPORT);
        // Probabilities (¼, ½, ¼), (0, ¼, ¾); (1/3, 1/3, 1/3), (½, ½, 0).
        let none = -1e9;
        let ln = |x: f32| x.ln();
        let outputs = [
            [ln(0.25), ln(0.5), ln(0.25), none, ln(0.25), ln(0.75)],
            [2.0, 2.0, 2.0, 5.0, 5.0, none],
        ]
        .concat();
        let mut q = vec![f32::NAN; 9];
        values.write_q(&outputs, &mut q);
        assert_near(&q, &[0.0, 0.75, 0.0, -0.5]);
        // 0.5 + 0.5 (−1, 0, 1) = (0, 0.5, 1), with the second action's probabilities; then −1.
        let mut target = vec![f32::NAN; 9];
        values.write_target(&batch(), &mut outputs.clone(), &[1, 0], &mut target).unwrap();
        assert_near(&target, &[0.0, 0.125, 0.875, 1.0, 0.0, 0.0]);

        // Taken: action 0 in both.
        let (prediction, loss, by_output) = learn(values, &outputs, &[0, 0], &target, &[]);
        let third = (1.0_f32 / 3.0).ln();
        let p: Vec<f32> = prediction.iter().map(|x| x.exp()).collect();
        assert_near(&p, &[0.25, 0.5, 0.25, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0]);
        assert!(values.mean(&prediction).abs() < 1e-6);
        let first = -(0.125 * ln(0.5) + 0.875 * ln(0.25));
        assert!((loss - f64::from(first - third) / 2.0).abs() < 1e-6);
        // (p − target) / 2 of the actions taken.
        let (a, b) = ([0.125, 0.1875, -0.3125], [-1.0 / 3.0, 1.0 / 6.0, 1.0 / 6.0]);
        assert_near(&by_output, &[a, [0.0; 3], b, [0.0; 3]].concat());
        let (_, loss, _) = learn(values, &outputs, &[0, 0], &target, &[1.0, 0.0]);
        assert!((loss - f64::from(first) / 2.0).abs() < 1e-6);
        // The entropy of the target is no error.
        let mut errors = vec![f32::NAN; 9];
        values.write_errors(&prediction, &target, &mut errors);
        let entropy = -(0.125 * ln(0.125) + 0.875 * ln(0.875));
        assert_near(&errors, &[first - entropy, -third]);
    }

    #[test]
    fn quantiles_agree_with_values_worked_by_hand() {
        let values = Values::Quantile(2);
        let outputs = [1.0, 3.0, 6.0, 2.0, 0.0, 1.0, -1.0, -1.0];
        let mut q = vec![f32::NAN; 9];
        values.write_q(&outputs, &mut q);
        assert_eq!(q, [2.0, 4.0, 0.5, -1.0]);
        let mut target = vec![f32::NAN; 9];
        values.write_target(&batch(), &mut outputs.to_vec(), &[1, 0], &mut target).unwrap();
        assert_eq!(target, [3.5, 1.5, -1.0, -1.0]);
        let (prediction, _, by_output) = learn(values, &outputs, &[0, 0], &target, &[]);
        assert_eq!(prediction, [1.0, 3.0, 0.0, 1.0]);
        assert!(by_output[..2].iter().all(|slope| *slope != 0.0) && by_output[2..4] == [0.0; 2]);
        assert_eq!(values.mean(&prediction), 1.25);
        // In order: (1.5, 3.5) against (1, 3), (−1, −1) against (0, 1).
        let mut errors = vec![f32::NAN; 9];
        values.write_errors(&prediction, &target, &mut errors);
        assert_eq!(errors, [0.5, 1.5]);
    }

    #[test]
    fn means_agree_with_values_worked_by_hand() {
        let (values, outputs) = (Values::Mean, [1.0, 4.0, 6.0, 2.0]);
        let mut target = vec![f32::NAN; 9];
        values.write_target(&batch(), &mut outputs.to_vec(), &[1, 0], &mut target).unwrap();
        assert_eq!(target, [2.5, -1.0]);
        let (prediction, loss, by_output) = learn(values, &outputs, &[0, 1], &target, &[]);
        assert_eq!(prediction, [1.0, 2.0]);
        // Huber: 1.5 − ½ and 3 − ½.
        assert_eq!((loss, by_output), (1.75, vec![-0.5, 0.0, 0.0, 0.5]));
        let mut errors = vec![f32::NAN; 9];
        values.write_errors(&prediction, &target, &mut errors);
        assert_eq!(errors, [1.5, 3.0]);
        let (_, loss, by_output) = learn(values, &outputs, &[0, 1], &target, &[1.0, 0.5]);
        assert_eq!((loss, by_output), (1.125, vec![-0.5, 0.0, 0.0, 0.25]));
    }
}
