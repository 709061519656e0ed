//! What a network's outputs say of an action's return: its mean, or a distribution.
//!
//! Beside each other stand the three ways to read the outputs `[B, A · N]`, to make targets of them
//! and to learn from those. Everything that is not differentiated is plain Rust.

use gymnast_core::likelihood::{largest, softmax};
use gymnast_core::loss::{self, LossError};
use gymnast_harness::AgentError;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::DqnConfig;
use crate::{
    mathematics::targets::{self, Support},
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

    /// What is predicted of the actions taken, `[B]` of the outputs' B · A: their values `[B]`, the
    /// logarithms of their probabilities or their quantiles `[B, N]`. Differentiable.
    pub(super) fn predict(&self, outputs: &Tensor, taken: &[i64]) -> Tensor {
        let taken = Tensor::from_slice(taken);
        let select = |atoms: usize| outputs.view([-1, atoms as i64]).index_select(0, &taken);
        match self {
            // `take` counts through all rows; its gradient costs less than `gather`'s.
            Self::Mean => outputs.take(&taken),
            Self::Categorical(support) => select(support.atoms).log_softmax(-1, Kind::Float),
            Self::Quantile(atoms) => select(*atoms),
        }
    }

    /// How far the predictions are from their targets, `[]`, each counting by its weight.
    pub(super) fn loss(
        &self,
        prediction: &Tensor,
        target: &[f32],
        weight: &[f32],
    ) -> Result<Tensor, LossError> {
        let target = Tensor::from_slice(target).view_as(prediction);
        let weight = (!weight.is_empty()).then(|| Tensor::from_slice(weight)); // [B]
        match self {
            Self::Mean => loss::huber(prediction, &target, 1.0, weight.as_ref()),
            Self::Categorical(_) => loss::cross_entropy(prediction, &target, weight.as_ref()),
            Self::Quantile(_) => loss::quantile_huber(prediction, &target, 1.0, weight.as_ref()),
        }
    }

    /// The error of each prediction by itself, `[B]`, which sets its priority: the absolute TD
    /// error, the Kullback-Leibler divergence (Hessel et al., 2018), or the mean distance between
    /// quantiles, in order, which is the Wasserstein distance that QR-DQN minimises.
    pub(super) fn write_errors(&self, prediction: &Tensor, target: &[f32], errors: &mut Vec<f32>) {
        let prediction = Vec::<f32>::try_from(prediction.detach().view(-1));
        let mut prediction = prediction.expect("predictions are f32");
        errors.clear();
        let atoms = self.atoms();
        let rows = prediction.chunks_exact_mut(atoms).zip(target.chunks_exact(atoms));
        errors.extend(rows.map(|(prediction, target)| match self {
            Self::Mean => (target[0] - prediction[0]).abs(),
            Self::Categorical(_) => {
                let pairs = prediction.iter().zip(target).filter(|(_, p)| **p > 0.0);
                // Rounding may leave it a little below 0.
                pairs.map(|(log_q, p)| p * (p.ln() - log_q)).sum::<f32>().max(0.0)
            }
            Self::Quantile(_) => {
                let mut target = target.to_vec();
                for quantiles in [&mut *prediction, &mut target] {
                    quantiles.sort_unstable_by(f32::total_cmp);
                }
                let distances = prediction.iter().zip(&target).map(|(a, b)| (a - b).abs());
                distances.sum::<f32>() / atoms as f32
            }
        }));
    }

    /// The mean return of the actions taken, as predicted.
    pub(super) fn mean(&self, prediction: &Tensor) -> f64 {
        match self {
            Self::Categorical(support) => {
                let atoms: Vec<f32> = (0..support.atoms).map(|i| support.atom(i)).collect();
                let q = prediction.exp().matmul(&Tensor::from_slice(&atoms)); // [B]
                q.mean(None).double_value(&[])
            }
            _ => prediction.mean(None).double_value(&[]),
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

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.view(-1)).unwrap()
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

        // Taken: action 0 in both, rows 0 and 2 of the four.
        let prediction = values.predict(&Tensor::from_slice(&outputs).view([2, 6]), &[0, 2]);
        let third = (1.0_f32 / 3.0).ln();
        assert_near(
            &numbers(&prediction.exp()),
            &[0.25, 0.5, 0.25, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0],
        );
        assert!(values.mean(&prediction).abs() < 1e-6);
        let first = -(0.125 * ln(0.5) + 0.875 * ln(0.25));
        let loss = values.loss(&prediction, &target, &[]).unwrap().double_value(&[]);
        assert!((loss - f64::from(first - third) / 2.0).abs() < 1e-6);
        let loss = values.loss(&prediction, &target, &[1.0, 0.0]).unwrap().double_value(&[]);
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
        let prediction = values.predict(&Tensor::from_slice(&outputs).view([2, 4]), &[0, 2]);
        assert_eq!(numbers(&prediction), [1.0, 3.0, 0.0, 1.0]);
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
        let prediction = values.predict(&Tensor::from_slice(&outputs).view([2, 2]), &[0, 3]);
        assert_eq!(numbers(&prediction), [1.0, 2.0]);
        let mut errors = vec![f32::NAN; 9];
        values.write_errors(&prediction, &target, &mut errors);
        assert_eq!(errors, [1.5, 3.0]);
        // Huber: 1.5 − ½ and 3 − ½.
        let loss =
            |weight: &[f32]| values.loss(&prediction, &target, weight).unwrap().double_value(&[]);
        assert_eq!((loss(&[]), loss(&[1.0, 0.5])), (1.75, 1.125));
    }
}
