//! The dueling network of Wang et al. 2016, <https://arxiv.org/abs/1511.06581>.

use rand::Rng;
use tch::Tensor;

use super::{
    Linear, MlpConfig, MlpLayers, Network, NetworkError, Parameters, ParametersBuilder, Plan,
};

/// `Q(s, a) = V(s) + A(s, a) − mean A(s, ·)` (their equation 9): one body, a head for the value of a
/// state and one for the advantage of each action.
#[derive(Debug)]
pub struct Dueling {
    body: MlpLayers,
    value: Linear,
    advantage: Linear,
    plan: Plan,
    parameters: Parameters,
}

impl Dueling {
    /// Builds it for `outputs` actions and draws its initial parameters from `rng`. Both heads are
    /// initialised as `config` says for an output layer.
    pub fn new<R: Rng + ?Sized>(
        config: &MlpConfig,
        inputs: usize,
        outputs: usize,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        let mut builder = ParametersBuilder::new();
        let body = MlpLayers::body(config, inputs, &mut builder)?;
        let width = body.outputs();
        let mut head = |n| Linear::new(width, n, config.output_weight, config.bias, &mut builder);
        let (value, advantage) = (head(1)?, head(outputs)?);
        let plan = body.plan().dueling(&value, &advantage);
        Ok(Self { body, value, advantage, plan, parameters: builder.build(rng)? })
    }
}

impl Network for Dueling {
    fn inputs(&self) -> usize {
        self.body.inputs()
    }

    fn outputs(&self) -> usize {
        self.advantage.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        let features = self.body.forward(input); // [B, H]
        let value = self.value.forward(&features); // [B, 1]
        let advantage = self.advantage.forward(&features); // [B, A]
        let mean = advantage.mean_dim([1_i64].as_slice(), true, tch::Kind::Float); // [B, 1]
        value + advantage - mean // [B, A]
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn plan(&self) -> &Plan {
        &self.plan
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn forward_by_hand() {
        let config = MlpConfig { hidden: vec![], ..MlpConfig::default() };
        let mut network = Dueling::new(&config, 1, 2, &mut ChaCha8Rng::seed_from_u64(1)).unwrap();
        //                              value     advantage
        network.parameters_mut().load(&[2.0, 1.0, 3.0, -1.0, 0.0, 6.0]).unwrap();
        // V(1) = 3, A(1) = (3, 5), mean 4
        let q = network.forward(&Tensor::from_slice(&[1.0_f32]).view([1, 1]));
        assert_eq!(Vec::<f32>::try_from(q.view(-1)).unwrap(), [2.0, 4.0]);
    }
}
