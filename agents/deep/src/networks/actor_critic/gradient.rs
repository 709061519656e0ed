//! The gradient of a policy-gradient loss, in closed form by what the networks put out; through them
//! without libtorch where their layers allow it, as its calls cost more than networks of the usual size
//! do.

use gymnast_core::nn::Recorded;
use gymnast_envs::FeatureSpace;

use super::ActorCritic;
use crate::distributions::policy_head::{PolicyHead, Rows};

/// One batch on its way through both networks: what came out, and what a loss's gradient by that is.
///
/// An agent lets [`evaluate_policy`](ActorCritic::evaluate_policy) and
/// [`evaluate_values`](ActorCritic::evaluate_values) write the first fields, writes the gradients of
/// its policy's loss and its values' loss itself (functions such as
/// [`losses::policy_gradient`](crate::losses::policy_gradient) do) and hands all to
/// [`backward`](ActorCritic::backward).
#[derive(Default)]
pub struct Pass {
    /// ln π(a|s).
    pub log_prob: Vec<f32>, // [B]
    /// The mean of the policy's entropy in all s.
    pub entropy: f64,
    /// V(s); empty where values are not asked for.
    pub value: Vec<f32>, // [B]
    /// The policy's loss, differentiated by each ln π(a|s).
    pub by_log_prob: Vec<f32>, // [B]
    /// The values' loss, differentiated by each V(s); empty where values do not learn.
    pub by_value: Vec<f32>, // [B]
    policy_recorded: Recorded,
    value_recorded: Recorded,
    by_outputs: Vec<f32>, // [B, outputs]
}

impl<O: FeatureSpace, H: PolicyHead> ActorCritic<O, H> {
    /// How likely `actions` are in `[B, width]` `features`.
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn evaluate_policy(&self, features: &[f32], actions: &[f32], pass: &mut Pass) {
        let batch = features.len() / self.width();
        let parameters = self.parameters.values();
        self.policy
            .record(&self.parameters, features, batch, &mut pass.policy_recorded)
            .expect("the features have the network's width");
        if let Some(mask) = &self.mask {
            mask.apply(features, pass.policy_recorded.outputs_mut());
        }
        pass.log_prob.resize(batch, 0.0);
        let (outputs, shared) = (pass.policy_recorded.outputs(), &parameters[self.shared.range()]);
        pass.entropy = self.head.evaluate(Rows { outputs, shared, actions }, &mut pass.log_prob);
    }

    /// What `[B, width]` `features` are worth.
    ///
    /// # Panics
    /// If the length does not fit.
    pub fn evaluate_values(&self, features: &[f32], pass: &mut Pass) {
        let batch = features.len() / self.width();
        self.value
            .record(&self.parameters, features, batch, &mut pass.value_recorded)
            .expect("the features have the network's width");
        pass.value.clear();
        pass.value.extend_from_slice(pass.value_recorded.outputs());
    }

    /// Sets the gradient to that of
    ///
    /// ```text
    /// L = policy loss + value_coefficient · values' loss − entropy_coefficient · mean entropy
    /// ```
    ///
    /// where `pass` holds the gradients of the first two by what was evaluated last, and the
    /// parameters have not changed since. `actions` are those of
    /// [`evaluate_policy`](Self::evaluate_policy).
    ///
    /// # Panics
    /// If the lengths do not fit.
    pub fn backward(
        &mut self,
        actions: &[f32],
        pass: &mut Pass,
        value_coefficient: f64,
        entropy_coefficient: f64,
    ) {
        let Pass { by_log_prob, by_value, policy_recorded, value_recorded, by_outputs, .. } = pass;
        self.parameters.zero_grad();
        let (parameters, gradients) = self.parameters.values_and_gradients_mut();
        let (outputs, shared) = (policy_recorded.outputs(), &parameters[self.shared.range()]);
        let by_entropy = -entropy_coefficient as f32;
        by_outputs.resize(outputs.len(), 0.0);
        self.head.backward(
            Rows { outputs, shared, actions },
            by_log_prob,
            by_entropy,
            by_outputs,
            &mut gradients[self.shared.range()],
        );
        self.policy
            .accumulate(&mut self.parameters, by_outputs, policy_recorded)
            .expect("the policy was evaluated");
        if by_value.is_empty() {
            return;
        }
        by_value.iter_mut().for_each(|g| *g *= value_coefficient as f32);
        self.value
            .accumulate(&mut self.parameters, by_value, value_recorded)
            .expect("the values were evaluated");
    }
}

#[cfg(test)]
mod tests {
    use gymnast_core::nn::{Activation, Engine, LayerConfig};
    use gymnast_envs::{BoxSpace, Discrete, RowSpace, Seed};
    use tch::{Kind, Tensor};

    use super::*;
    use crate::{
        distributions::policy_head::{Categorical, DiagonalGaussian},
        mathematics::losses,
        networks::actor_critic::ActorCriticConfig,
    };

    /// The whole gradient, beside what libtorch makes of the same loss, in these states.
    fn assert_agrees(
        space: impl FeatureSpace,
        features: &[f32],
        head: impl PolicyHead,
        actions: &[f32],
        learn_values: bool,
    ) {
        let config = ActorCriticConfig {
            hidden: vec![9, 7],
            activation: Activation::Tanh,
            log_std: 0.3,
            normalize_observations: false,
            ..ActorCriticConfig::default()
        };
        let mut networks = ActorCritic::new(space, head, &config, &mut Seed::new(3).rng()).unwrap();
        // The policy's last layer is almost zero in the beginning.
        let mut rng = Seed::new(4).rng();
        let values = networks.parameters_mut().values_mut();
        values.iter_mut().for_each(|x| *x += rand::RngExt::random::<f32>(&mut rng) - 0.5);
        let (advantage, returns) = ([1.0, -0.5, 2.0], [0.5, 1.0, -3.0]);

        let mut pass = Pass::default();
        networks.evaluate_policy(features, actions, &mut pass);
        let policy =
            losses::policy_gradient(&pass.log_prob, &advantage, &mut pass.by_log_prob).unwrap();
        let mut value = 0.0;
        if learn_values {
            networks.evaluate_values(features, &mut pass);
            value = losses::squared_error(&pass.value, &returns, &mut pass.by_value).unwrap();
        }
        networks.parameters_mut().gradients_mut().fill(f32::NAN);
        networks.backward(actions, &mut pass, 0.4, 0.7);
        let ours = networks.parameters().gradients().to_vec();

        let observation = networks.tensor(features);
        let (log_prob, entropy) = networks.log_prob_and_entropy(&observation, actions);
        let policy_loss = -(log_prob * Tensor::from_slice(&advantage)).mean(Kind::Float);
        let error = networks.value(&observation) - Tensor::from_slice(&returns);
        let value_loss = error.square().mean(Kind::Float);
        assert!((policy - policy_loss.double_value(&[])).abs() < 1e-5);
        assert!((pass.entropy - entropy.double_value(&[])).abs() < 1e-5);
        let mut loss = policy_loss - entropy * 0.7;
        if learn_values {
            assert!((value - value_loss.double_value(&[])).abs() < 1e-5);
            loss += value_loss * 0.4;
        }
        networks.parameters_mut().backward(&loss).unwrap();
        for (a, b) in ours.iter().zip(networks.parameters().gradients()) {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
        let mut plain = Vec::new();
        networks.log_probs(features, actions, &mut plain);
        assert_eq!(plain, pass.log_prob, "the ratio of a policy to itself is 1");
    }

    #[test]
    fn the_gradient_agrees_with_libtorch() {
        let (space, features) = (BoxSpace::<2>::unbounded(), [0.5, -1.0, 3.0, 0.0, -0.25, 1.5]);
        for learn_values in [true, false] {
            let actions = [2.0, 0.0, 1.0];
            let head = Categorical::new(Discrete::new(3));
            assert_agrees(space, &features, head, &actions, learn_values);
            let head = DiagonalGaussian::new(BoxSpace::symmetric([1.0, 1.0]));
            let actions = [0.5, -1.0, 2.0, 0.0, 0.1, 0.2];
            assert_agrees(space, &features, head, &actions, learn_values);
        }
    }

    #[test]
    fn through_libtorch_the_gradient_is_that_of_the_plan() {
        let picture = RowSpace::new(vec![-9.0; 12], vec![9.0; 12], vec![3, 4]).unwrap();
        let conv = LayerConfig::conv2d(3, 2, 1);
        let block = vec![LayerConfig::linear(6), Activation::Tanh.into()];
        let config = ActorCriticConfig {
            encoder: vec![conv, Activation::Relu.into(), LayerConfig::Flatten],
            head: vec![
                LayerConfig::linear(6),
                LayerConfig::layer_norm(),
                LayerConfig::Residual { layers: block },
            ],
            hidden: vec![],
            average: 0.5,
            ..ActorCriticConfig::default()
        };
        let features: Vec<f32> = (0..36).map(|i| (1.3 * i as f32).sin()).collect();
        let of = |engine| {
            let head = Categorical::new(Discrete::new(3));
            let rng = &mut Seed::new(3).rng();
            let space = picture.clone();
            let mut networks = ActorCritic::new(space, head, &config, rng).unwrap();
            networks.policy.set_engine(engine).unwrap();
            networks.value.set_engine(engine).unwrap();
            let actions = [2.0, 0.0, 1.0];
            let mut pass = Pass::default();
            // Twice, as what is kept from the first is written over.
            for _ in 0..2 {
                networks.evaluate_policy(&features, &actions, &mut pass);
                networks.evaluate_values(&features, &mut pass);
                (pass.by_log_prob, pass.by_value) = (vec![1.0, -0.5, 2.0], vec![0.5, 1.0, -3.0]);
                networks.backward(&actions, &mut pass, 0.4, 0.7);
            }
            networks.parameters_mut().values_mut().iter_mut().for_each(|x| *x *= 1.1);
            networks.follow_update();
            let (mut values, mut outputs) = (vec![], vec![]);
            networks.values(&features, &mut values);
            let observation: Vec<f32> = features[..12].to_vec();
            networks.write_outputs(&[observation], &mut outputs);
            let gradients = networks.parameters().gradients().to_vec();
            let plain = networks.trains_by_plan();
            (plain, [gradients, pass.log_prob, pass.value, values, outputs].concat())
        };
        let ((plain, ours), (other, theirs)) = (of(Engine::Plan), of(Engine::Libtorch));
        assert!(plain && !other);
        assert!(ours.iter().any(|x| x.abs() > 0.1) && ours.len() == theirs.len());
        for (a, b) in ours.iter().zip(&theirs) {
            assert!((a - b).abs() < 1e-5 * (1.0 + b.abs()), "{a} {b}");
        }
    }

    #[test]
    fn the_gradient_of_a_masked_policy_agrees_with_libtorch() {
        let space = RowSpace::new(vec![-9.0, 0.0, 0.0, 0.0], vec![9.0, 1.0, 1.0, 1.0], vec![4]);
        let space = space.unwrap().with_action_mask(1..4).unwrap();
        let features = [0.5, 1.0, 0.0, 1.0, -1.0, 1.0, 1.0, 0.0, 3.0, 0.0, 1.0, 0.0];
        let head = Categorical::new(Discrete::new(3));
        assert_agrees(space, &features, head, &[2.0, 0.0, 1.0], true);
    }
}
