//! Invalid action masking: a policy over the actions that are allowed.
//!
//! Source: Huang and Ontañón, "A closer look at invalid action masking in policy gradient algorithms"
//! (2022): the logits of forbidden actions are made so small that their probabilities, and the
//! gradients through them, are 0. What is left is the distribution given that the action is allowed,
//! in its log-probabilities and its entropy too.

use std::ops::Range;

use gymnast_harness::AgentError;
use tch::Tensor;

/// What is added to the logit of a forbidden action: the paper's number. Not −∞, since 0 times
/// infinity is not a number.
const FORBIDDEN: f32 = -1e8;

/// Where among the features the mask lies: 1 where an action is allowed, 0 where not.
#[derive(Clone, Debug)]
pub(crate) struct ActionMask {
    places: Range<usize>,
}

impl ActionMask {
    /// Creates a mask for this number of actions.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where it has not one place for each.
    pub(crate) fn new(places: Range<usize>, actions: usize) -> Result<Self, AgentError> {
        let fits = places.len() == actions;
        let expected = "one feature for each action";
        AgentError::require(fits, "action_mask", &format_args!("{places:?}"), expected)?;
        Ok(Self { places })
    }

    /// Whether the i-th feature belongs to it.
    pub(crate) fn holds(&self, i: usize) -> bool {
        self.places.contains(&i)
    }

    /// Masks rows of logits, given as many rows of features.
    pub(crate) fn apply(&self, features: &[f32], logits: &mut [f32]) {
        let rows = logits.chunks_exact_mut(self.places.len());
        let width = features.len() / rows.len().max(1);
        for (logits, features) in rows.zip(features.chunks_exact(width)) {
            for (logit, allowed) in logits.iter_mut().zip(&features[self.places.clone()]) {
                *logit += (1.0 - allowed) * FORBIDDEN;
            }
        }
    }

    /// The same, differentiable by libtorch: of `[B, width]` features and `[B, A]` logits.
    pub(crate) fn masked(&self, features: &Tensor, logits: &Tensor) -> Tensor {
        let (start, actions) = (self.places.start as i64, self.places.len() as i64);
        let allowed = features.narrow(1, start, actions); // [B, A]
        logits + (1.0 - allowed) * f64::from(FORBIDDEN)
    }
}

#[cfg(test)]
mod tests {
    use gymnast_core::nn::Activation;
    use gymnast_envs::{Discrete, Experience, Outcome, RowSpace, Seed};
    use gymnast_harness::Mode;

    use super::*;
    use crate::{
        distributions::policy_head::{Categorical, PolicyHead as _},
        networks::actor_critic::{ActorCritic, ActorCriticConfig},
    };

    fn numbers(tensor: &Tensor) -> Vec<f32> {
        Vec::try_from(tensor.reshape(-1)).unwrap()
    }

    /// Logits 0.5, −1, 2, 0.25 with the mask 1, 0, 1, 1, then 3, 1, −2, 0 with 0, 1, 0, 0; the actions
    /// 2 and 1. Every number was computed by PyTorch 2.13:
    ///
    /// ```text
    /// d = Categorical(logits=torch.where(mask, logits, -1e8))
    /// (d.log_prob(a).sum() + d.entropy().mean()).backward()
    /// ```
    #[test]
    fn the_distribution_and_its_gradient_are_those_of_pytorch() {
        let mask = ActionMask::new(1..5, 4).unwrap();
        let features = Tensor::from_slice(&[
            9.0_f32, 1.0, 0.0, 1.0, 1.0, //
            9.0, 0.0, 1.0, 0.0, 0.0,
        ]);
        let features = features.view([2, 5]);
        let logits = [0.5_f32, -1.0, 2.0, 0.25, 3.0, 1.0, -2.0, 0.0];
        let logits = Tensor::from_slice(&logits).view([2, 4]).set_requires_grad(true);
        let head = Categorical::new(Discrete::new(4));
        let none = Tensor::zeros([0], tch::kind::FLOAT_CPU);
        let masked = mask.masked(&features, &logits);
        let (log_prob, entropy) = head.log_prob_and_entropy(&masked, &none, &[2.0, 1.0]);
        let close = |got: &[f32], expected: &[f32]| {
            for (got, expected) in got.iter().zip(expected) {
                assert!((got - expected).abs() < 1e-6, "{got} {expected}");
            }
        };
        close(&numbers(&log_prob), &LOG_PROB);
        close(&numbers(&entropy), &[ENTROPY]);
        (log_prob.sum(tch::Kind::Float) + entropy).backward();
        close(&numbers(&logits.grad()), &GRADIENT);
    }

    const LOG_PROB: [f32; 2] = [-0.334_258_56, 0.0];
    const ENTROPY: f32 = 0.395_777_58;
    const GRADIENT: [f32; 8] =
        [-0.076_455_41, 0.0, 0.120_449_13, -0.043_993_62, 0.0, 0.0, 0.0, 0.0];

    #[test]
    fn where_nothing_is_allowed_nothing_is_undefined() {
        let mask = ActionMask::new(0..2, 2).unwrap();
        let logits = Tensor::from_slice(&[1.0_f32, 2.0]).view([1, 2]).set_requires_grad(true);
        let masked = mask.masked(&Tensor::zeros([1, 2], tch::kind::FLOAT_CPU), &logits);
        let none = Tensor::zeros([0], tch::kind::FLOAT_CPU);
        let head = Categorical::new(Discrete::new(2));
        let (log_prob, entropy) = head.log_prob_and_entropy(&masked, &none, &[1.0]);
        (log_prob.sum(tch::Kind::Float) + entropy).backward();
        assert!(numbers(&logits.grad()).iter().all(|x| x.is_finite()));
    }

    #[test]
    fn a_policy_takes_allowed_actions_alone() {
        let space = RowSpace::new(vec![-9.0, 0.0, 0.0, 0.0], vec![9.0, 1.0, 1.0, 1.0], vec![4]);
        let space = space.unwrap().with_action_mask(1..4).unwrap();
        for normalize_observations in [false, true] {
            let config = ActorCriticConfig {
                hidden: vec![8],
                activation: Activation::Tanh,
                log_std: 0.0,
                normalize_observations,
                ..ActorCriticConfig::default()
            };
            let (head, mut rng) = (Categorical::new(Discrete::new(3)), Seed::new(1).rng());
            let mut networks = ActorCritic::new(space.clone(), head, &config, &mut rng).unwrap();
            let seen =
                [vec![1.0, 1.0, 0.0, 1.0], vec![-2.0, 0.0, 1.0, 0.0], vec![3.0, 1.0, 1.0, 0.0]];
            // So that the statistics are not those of a fresh network.
            networks
                .observe(&Experience {
                    observations: seen.to_vec(),
                    actions: vec![0; 3],
                    rewards: vec![0.0; 3],
                    next_observations: seen.to_vec(),
                    outcomes: vec![Outcome::Continues; 3],
                    is_reset: vec![false; 3],
                })
                .unwrap();
            // What is learned from is the same policy: the one action that is allowed is certain.
            let mut features = vec![0.0; 12];
            for (seen, row) in seen.iter().zip(features.chunks_exact_mut(4)) {
                networks.write_features(seen, row);
            }
            let features = networks.tensor(&features);
            let (log_prob, _) = networks.log_prob_and_entropy(&features, &[0.0, 1.0, 0.0]);
            let log_prob = numbers(&log_prob);
            assert!(log_prob[1] == 0.0 && log_prob[0] < -0.1, "{log_prob:?}");
            let mut drawn = [[0; 3]; 3];
            let mut actions = Vec::new();
            for i in 0..400 {
                let mode = if i % 2 == 0 { Mode::Explore } else { Mode::Exploit };
                networks.act(&seen, mode, &mut rng, &mut actions).unwrap();
                for (counts, &action) in drawn.iter_mut().zip(&actions) {
                    counts[action as usize] += 1;
                }
            }
            for (counts, seen) in drawn.iter().zip(&seen) {
                for (&count, &allowed) in counts.iter().zip(&seen[1..]) {
                    assert_eq!(count > 0, allowed == 1.0, "{drawn:?}");
                }
            }
        }
    }
}
