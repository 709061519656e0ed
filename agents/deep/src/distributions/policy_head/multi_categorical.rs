//! Several finite choices at a time.

use gymnast_envs::{FactoredSpace, Rng, Space};
use tch::Tensor;

use super::{
    PolicyHead, Rows, backward_logits, draw, evaluate_logits, is_number_below, likeliest,
    log_prob_and_entropy,
};

/// A [`Categorical`](super::Categorical) for each of several choices, independent of each other: the
/// outputs are the first one's logits, then the second's, and so on. So log-probabilities and
/// entropies are sums.
#[derive(Clone, Debug)]
pub struct MultiCategorical<A>(A);

impl<A: FactoredSpace> MultiCategorical<A> {
    /// Creates the distributions over the actions of this space.
    #[must_use]
    pub fn new(action_space: A) -> Self {
        Self(action_space)
    }

    /// The logits of each choice.
    fn groups<'a>(&self, logits: &'a [f32]) -> impl Iterator<Item = &'a [f32]> {
        let mut rest = logits;
        self.0.nvec().iter().map(move |&n| {
            let (group, after) = rest.split_at(n);
            rest = after;
            group
        })
    }
}

impl<A: FactoredSpace> PolicyHead for MultiCategorical<A> {
    type ActionSpace = A;

    fn outputs(&self) -> usize {
        self.0.nvec().iter().sum()
    }

    fn shared(&self) -> usize {
        0
    }

    fn action_width(&self) -> usize {
        self.0.nvec().len()
    }

    fn is_over_actions(&self) -> bool {
        false
    }

    fn description(&self) -> String {
        format!("one of each of {:?} actions", self.0.nvec())
    }

    fn is_action(&self, action: &[f32]) -> bool {
        let mut pairs = action.iter().zip(self.0.nvec());
        action.len() == self.action_width() && pairs.all(|(&number, &n)| is_number_below(number, n))
    }

    fn sample(&self, logits: &[f32], _shared: &[f32], rng: &mut Rng, action: &mut [f32]) {
        for (number, logits) in action.iter_mut().zip(self.groups(logits)) {
            *number = draw(logits, rng) as f32;
        }
    }

    fn mode(&self, logits: &[f32], action: &mut [f32]) {
        for (number, logits) in action.iter_mut().zip(self.groups(logits)) {
            *number = likeliest(logits);
        }
    }

    fn element(&self, action: &[f32]) -> A::Element {
        self.0.choose(|i| action[i] as i64)
    }

    fn write(&self, element: &<A as Space>::Element, action: &mut [f32]) {
        for (number, &x) in action.iter_mut().zip(element.as_ref()) {
            *number = x as f32;
        }
    }

    fn evaluate(&self, Rows { outputs, actions, .. }: Rows<'_>, log_prob: &mut [f32]) -> f64 {
        let rows =
            outputs.chunks_exact(self.outputs()).zip(actions.chunks_exact(self.action_width()));
        let mut entropy = 0.0;
        for ((logits, action), log_prob) in rows.zip(&mut *log_prob) {
            *log_prob = 0.0;
            for (logits, &number) in self.groups(logits).zip(action) {
                let of_group = evaluate_logits(logits, number as usize);
                *log_prob += of_group.0;
                entropy += f64::from(of_group.1);
            }
        }
        entropy / log_prob.len() as f64
    }

    fn backward(
        &self,
        Rows { outputs, actions, .. }: Rows<'_>,
        by_log_prob: &[f32],
        by_entropy: f32,
        by_outputs: &mut [f32],
        _by_shared: &mut [f32],
    ) {
        let by_entropy = by_entropy / by_log_prob.len() as f32; // of each row
        let rows =
            outputs.chunks_exact(self.outputs()).zip(actions.chunks_exact(self.action_width()));
        let by_rows = by_outputs.chunks_exact_mut(self.outputs());
        for (((logits, action), &by_log_prob), mut by_rest) in rows.zip(by_log_prob).zip(by_rows) {
            for (logits, &number) in self.groups(logits).zip(action) {
                let (by_logits, after) = by_rest.split_at_mut(logits.len());
                backward_logits(logits, number as usize, by_log_prob, by_entropy, by_logits);
                by_rest = after;
            }
        }
    }

    fn log_prob_and_entropy(
        &self,
        logits: &Tensor,
        _shared: &Tensor,
        actions: &[f32],
    ) -> (Tensor, Tensor) {
        let sizes: Vec<i64> = self.0.nvec().iter().map(|&n| n as i64).collect();
        let groups = logits.split_with_sizes(sizes.as_slice(), 1); // of each choice [B, n]
        let each = groups.iter().enumerate().map(|(i, logits)| {
            log_prob_and_entropy(logits, actions.iter().skip(i).step_by(sizes.len()).copied())
        });
        let sum = |(p, h): (Tensor, Tensor), (q, i): (Tensor, Tensor)| (p + q, h + i);
        each.reduce(sum).expect("an action is at least one integer")
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{MultiDiscrete, Seed};

    use super::*;
    use crate::distributions::policy_head::tests::assert_agrees;

    #[test]
    fn plain_gradients_agree_with_libtorch() {
        let head = MultiCategorical::new(MultiDiscrete::new([2, 3]).unwrap());
        let outputs = [0.1, -2.0, 1.5, 0.0, 0.3, 500.0, 499.0, 1.0, 1.0, -1e9];
        let actions = [1.0, 2.0, 0.0, 1.0];
        assert_agrees(&head, Rows { outputs: &outputs, shared: &[], actions: &actions });
    }

    #[test]
    fn two_choices_by_hand() {
        let head = MultiCategorical::new(MultiDiscrete::new([2, 3]).unwrap());
        assert_eq!((head.outputs(), head.action_width(), head.is_over_actions()), (5, 2, false));
        // Probabilities 1/4, 3/4 and 1/8, 2/8, 5/8; in the second row 1/2, 1/2 and 1/3 each.
        let row = [0.0, 3_f32.ln(), 0.0, 2_f32.ln(), 5_f32.ln()];
        let logits = [row, [7.0, 7.0, -1.0, -1.0, -1.0]].concat();
        let tensor = Tensor::from_slice(&logits).view([2, 5]);
        let none = Tensor::zeros([0], tch::kind::FLOAT_CPU);
        let (log_prob, entropy) = head.log_prob_and_entropy(&tensor, &none, &[1., 2., 0., 1.]);
        let log_prob = Vec::<f32>::try_from(log_prob).unwrap();
        let expected = [(0.75_f64 * 0.625).ln(), (1.0_f64 / 6.0).ln()];
        for (got, expected) in log_prob.iter().zip(expected) {
            assert!((f64::from(*got) - expected).abs() < 1e-6, "{log_prob:?}");
        }
        let h = |ps: &[f64]| -ps.iter().map(|p| p * p.ln()).sum::<f64>();
        let first = h(&[0.25, 0.75]) + h(&[0.125, 0.25, 0.625]);
        let expected = (first + 6_f64.ln()) / 2.0;
        assert!((entropy.double_value(&[]) - expected).abs() < 1e-6);

        let mut action = [f32::NAN; 2];
        head.mode(&row, &mut action);
        assert_eq!((action, head.element(&action)), ([1.0, 2.0], [1, 2]));
        head.write(&[0, 1], &mut action);
        assert_eq!(action, [0.0, 1.0]);

        let (mut counts, mut rng) = ([[0; 3]; 2], Seed::new(1).rng());
        for _ in 0..8_000 {
            head.sample(&row, &[], &mut rng, &mut action);
            counts[action[0] as usize][action[1] as usize] += 1;
        }
        for (first, share) in counts.iter().zip([0.25, 0.75]) {
            for (&count, other) in first.iter().zip([0.125, 0.25, 0.625]) {
                let expected = 8_000.0 * share * other;
                assert!((f64::from(count) - expected).abs() < 130.0, "{counts:?}");
            }
        }
    }
}
