//! Networks in checkpoints: description, parameters and buffers.

use super::{Buffers, Net, Network, Transformer};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};

/// The entry of a network's description.
const NETWORK: &str = "network";
/// The entry of its buffers, if it has any.
const BUFFERS: &str = "buffers";

/// Writes the description, the parameters and the buffers of a network.
fn save(network: &dyn Network, state: &mut StateDict) -> Result<(), CheckpointError> {
    state.insert(NETWORK, &network.description())?;
    let buffers = network.buffers();
    if buffers != Buffers::default() {
        state.insert(BUFFERS, &buffers)?;
    }
    Checkpoint::save(network.parameters(), state)
}

/// Restores parameters and buffers; refuses those of a network with another description.
fn load(network: &mut dyn Network, state: &StateDict) -> Result<(), CheckpointError> {
    state.expect(NETWORK, &network.description())?;
    Checkpoint::load(network.parameters_mut(), state)?;
    let buffers = if state.value_names().any(|name| name == BUFFERS) {
        state.get(BUFFERS)?
    } else {
        Buffers::default()
    };
    network.load_buffers(&buffers).map_err(CheckpointError::part)
}

macro_rules! checkpoint {
    ($($network:ty),+) => {
        $(
            /// Saves and loads parameters and buffers. Load into a network of the same description;
            /// others are refused.
            impl Checkpoint for $network {
                fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
                    save(self, state)
                }

                fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
                    load(self, state)
                }
            }
        )+
    };
}
checkpoint!(Net, Transformer);

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::nn::{
        Activation, ConvConfig, LayerConfig, MlpConfig, NetworkConfig, QNetworkConfig, Sequential,
        TransformerConfig,
    };

    /// Networks with as many parameters each take up their own state and refuse all others'.
    fn assert_told_apart<N: Checkpoint>(networks: &mut [N]) {
        let states: Vec<StateDict> = networks
            .iter()
            .map(|network| {
                let mut state = StateDict::new();
                network.save(&mut state).unwrap();
                state
            })
            .collect();
        for (i, network) in networks.iter_mut().enumerate() {
            for (j, state) in states.iter().enumerate() {
                let loaded = network.load(state);
                assert_eq!(loaded.is_ok(), i == j, "{i} from {j}: {loaded:?}");
                if let Err(error) = loaded {
                    assert!(matches!(error, CheckpointError::Mismatch { .. }), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_tanh_perceptron_is_no_relu_perceptron() {
        let mlp = |activation, inputs, outputs| {
            let config = MlpConfig { hidden: vec![2], activation, ..MlpConfig::default() };
            config.build(inputs, outputs, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
        };
        let (tanh, relu) = (Activation::Tanh, Activation::Relu);
        // 2 (4 + 1) + 2 + 1 = 2 (1 + 1) + 3 · 3 = 13 parameters each.
        assert_told_apart(&mut [mlp(tanh, 4, 1), mlp(relu, 4, 1), mlp(tanh, 1, 3)]);
        let mut state = StateDict::new();
        mlp(tanh, 4, 1).save(&mut state).unwrap();
        let error = mlp(relu, 4, 1).load(&state).unwrap_err().to_string();
        assert!(error.contains("Relu") && error.contains("Tanh"), "{error}");
    }

    #[test]
    fn every_switch_of_a_q_network_counts() {
        let conv = |channels, kernel| {
            let conv = [ConvConfig { channels, kernel, stride: 1 }];
            ConvConfig::layers(&conv, Activation::Relu)
        };
        let q = |encoder, activation, dueling, atoms, noise, actions| {
            let hidden = MlpConfig { hidden: vec![2], activation, ..MlpConfig::default() };
            let hidden = hidden.hidden_layers();
            let config = QNetworkConfig { encoder, hidden, dueling, atoms, noise, dropout_seed: 0 };
            config.build(&[vec![3, 3]], actions, &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
        };
        let relu = Activation::Relu;
        assert_told_apart(&mut [
            q(vec![], relu, false, 3, None, 2),
            q(vec![], relu, false, 2, None, 3), // as wide an output
            q(vec![], relu, true, 2, None, 2),  // a value of 2 atoms
            q(vec![], Activation::Silu, false, 3, None, 2),
            q(vec![], relu, false, 3, Some(0.5), 2),
            q(conv(1, 1), relu, false, 3, None, 2),
            q(conv(1, 3), relu, false, 3, None, 2),
        ]);
    }

    #[test]
    fn transformers_and_layers_in_sequence_are_told_apart() {
        let transformer = |heads, norm_first, inputs, outputs| {
            let config = TransformerConfig {
                places: 2,
                width: 4,
                heads,
                layers: 1,
                norm_first,
                ..TransformerConfig::default()
            };
            let rng = &mut ChaCha8Rng::seed_from_u64(1);
            Transformer::new(&config, inputs, outputs, rng).unwrap()
        };
        assert_told_apart(&mut [
            transformer(1, false, 4, 2),
            transformer(2, false, 4, 2),
            transformer(2, true, 4, 2),
            transformer(2, false, 6, 2),
        ]);
        let sequential = |layer, activation| {
            let mut config = NetworkConfig::mlp(&[3], activation).linear_head(2);
            config.encoder.push(layer);
            Sequential::new(&config, &[4], &mut ChaCha8Rng::seed_from_u64(1)).unwrap()
        };
        let dropout = |p| LayerConfig::Dropout { p };
        assert_told_apart(&mut [
            sequential(dropout(0.5), Activation::Relu),
            sequential(dropout(0.25), Activation::Relu),
            sequential(dropout(0.5), Activation::Tanh),
            sequential(LayerConfig::Activation(Activation::Relu), Activation::Relu),
        ]);
    }
}
