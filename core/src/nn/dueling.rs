//! The dueling head of Wang et al. 2016, <https://arxiv.org/abs/1511.06581>.

use tch::{Kind, Tensor};

use super::{Linear, MAX_WIDTH, NetworkError, ParametersBuilder, limited};
use crate::init::Init;

/// The head `Q(s, a) = V(s) + A(s, a) − mean A(s, ·)` (equation 9 of the paper) on the features of
/// a state. With more than one atom, it is applied to each atom (Hessel et al. 2018).
#[derive(Debug)]
pub struct DuelingHead {
    pub(super) value: Linear,
    pub(super) advantage: Linear,
    atoms: usize,
}

impl DuelingHead {
    /// Declares the layer `value`, then the layer `advantage`, with these initialisers for weights
    /// and biases.
    pub fn new(
        features: usize,
        actions: usize,
        atoms: usize,
        (weight, bias): (Init, Init),
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let outputs = limited("a dueling head's outputs", &[actions, atoms], MAX_WIDTH)?;
        let mut layer = |name: &str, outputs| {
            builder.scope(name);
            Linear::new(features, outputs, weight, bias, builder)
        };
        let (value, advantage) = (layer("value", atoms)?, layer("advantage", outputs)?);
        Ok(Self { value, advantage, atoms })
    }

    /// Maps `[B, features]` to `[B, actions · atoms]`.
    pub fn forward(&self, features: &Tensor) -> Tensor {
        let value = self.value.forward(features); // [B, N]
        let advantage = self.advantage.forward(features); // [B, A · N]
        if self.atoms == 1 {
            let mean = advantage.mean_dim([1_i64].as_slice(), true, Kind::Float); // [B, 1]
            return value + advantage - mean;
        }
        let actions = self.advantage.outputs() as i64 / self.atoms as i64;
        let advantage = advantage.view([features.size()[0], actions, self.atoms as i64]); // [B, A, N]
        let mean = advantage.mean_dim([1_i64].as_slice(), true, Kind::Float); // [B, 1, N]
        (value.unsqueeze(1) + advantage - mean).flatten(1, 2)
    }

    /// Returns its layers.
    pub(super) fn linear(&self) -> Vec<&Linear> {
        vec![&self.value, &self.advantage]
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::nn::{Network, QNetworkConfig};

    fn q(atoms: usize, values: &[f32]) -> Vec<f32> {
        let hidden = vec![];
        let config = QNetworkConfig { hidden, dueling: true, atoms, ..QNetworkConfig::default() };
        let rng = &mut ChaCha8Rng::seed_from_u64(1);
        let mut network = config.build(&[vec![1]], 2, rng).unwrap();
        network.parameters_mut().load(values).unwrap();
        let q = network.forward(&Tensor::from_slice(&[1.0_f32]).view([1, 1]));
        Vec::<f32>::try_from(q.view(-1)).unwrap()
    }

    #[test]
    fn forward_by_hand() {
        //             value     advantage
        let q = q(1, &[2.0, 1.0, 3.0, -1.0, 0.0, 6.0]);
        // V(1) = 3, A(1) = (3, 5), mean 4
        assert_eq!(q, [2.0, 4.0]);
    }

    #[test]
    fn every_atom_has_its_own_mean() {
        // Values (1, 2); advantages (10, 20) and (30, 60), whose means are (20, 40).
        let q = q(2, &[1.0, 2.0, 0.0, 0.0, 10.0, 20.0, 30.0, 60.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(q, [-9.0, -18.0, 11.0, 22.0]);
    }
}
