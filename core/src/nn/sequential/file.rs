//! Saves and loads networks as files: configuration, parameters and running statistics.

use std::path::Path;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::Sequential;
use crate::checkpoint::{self, Checkpoint, CheckpointError, StateDict};
use crate::nn::{LayerConfig, Network as _, NetworkConfig};

impl Sequential {
    /// Saves the whole network to one file, atomically.
    ///
    /// # Errors
    /// [`CheckpointError::Write`].
    pub fn save_to(&self, path: &Path) -> Result<(), CheckpointError> {
        let mut state = StateDict::new();
        state.insert("config", self.config())?;
        state.insert("input", &self.example())?;
        Checkpoint::save(self, &mut state)?;
        checkpoint::save(path, &state)
    }

    /// Loads a network from a file written by [`save_to`](Self::save_to). It is in evaluation mode.
    ///
    /// # Errors
    /// [`CheckpointError::Read`], [`CheckpointError::Damaged`]; [`CheckpointError::Part`] if the
    /// file describes no network or too large a one, before memory is allocated for it.
    pub fn load_from(path: &Path) -> Result<Self, CheckpointError> {
        let state = checkpoint::load(path)?;
        let config: NetworkConfig = state.get("config")?;
        let input: Vec<usize> = state.get("input")?;
        // The initial parameters are overwritten.
        let rng = &mut ChaCha8Rng::seed_from_u64(0);
        let mut network = Self::new(&config, &input, rng).map_err(CheckpointError::part)?;
        network.load_numbers(&state)?;
        Ok(network)
    }

    /// Returns the architecture without initialisers, to check that a checkpoint fits.
    fn architecture(&self) -> String {
        let [encoder, head] = [&self.config.encoder, &self.config.head]
            .map(|layers| layers.iter().map(LayerConfig::uninitialised).collect::<Vec<_>>());
        let seed = self.config.dropout_seed;
        format!("encoder {encoder:?}, head {head:?} of {:?}, dropout seed {seed}", self.example())
    }

    fn load_numbers(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("parameters", self.parameters_mut())?;
        self.load_buffers(&state.get("buffers")?).map_err(CheckpointError::part)
    }

    /// Returns the shape of an example, as [`new`](Self::new) takes it.
    fn example(&self) -> Vec<usize> {
        self.input_shape().of_example()
    }
}

/// Saves and loads parameters and buffers. Load into a network of the same architecture; others are
/// refused.
impl Checkpoint for Sequential {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("network", &self.architecture())?;
        state.insert_part("parameters", self.parameters())?;
        state.insert("buffers", &self.buffers())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.expect("network", &self.architecture())?;
        self.load_numbers(state)
    }
}

#[cfg(test)]
mod tests {
    use tch::{Kind, Tensor};

    use super::*;
    use crate::nn::Activation;

    #[test]
    fn a_network_comes_back_from_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.safetensors");
        let mut config = NetworkConfig::cnn(&[4], 8, Activation::Relu).linear_head(3);
        config.encoder.push(LayerConfig::Dropout { p: 0.5 });
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut network = Sequential::new(&config, &[6, 6], &mut rng).unwrap();
        let pictures = Tensor::arange(5 * 36, (Kind::Float, tch::Device::Cpu)).view([5, 36]) / 90.0;
        network.set_training(true);
        let _ = network.forward(&pictures); // running statistics and a mask
        network.save_to(&path).unwrap();
        let mut read = Sequential::load_from(&path).unwrap();
        assert_eq!(read.config(), network.config());
        assert!(!read.training());
        read.set_training(true);
        assert_eq!(read.forward(&pictures), network.forward(&pictures), "the same mask");
        network.set_training(false);
        read.set_training(false);
        assert_eq!(read.forward(&pictures), network.forward(&pictures));

        let other = NetworkConfig::mlp(&[3], Activation::Relu);
        let mut other = Sequential::new(&other, &[36], &mut rng).unwrap();
        let state = checkpoint::load(&path).unwrap();
        assert!(Checkpoint::load(&mut other, &state).is_err());
        std::fs::write(&path, b"nothing of the kind").unwrap();
        assert!(matches!(Sequential::load_from(&path), Err(CheckpointError::Damaged { .. })));
    }

    #[test]
    fn a_file_cannot_ask_for_all_memory() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("network.safetensors");
        let mut state = StateDict::new();
        let huge = NetworkConfig::mlp(&[1 << 23, 1 << 23], Activation::Relu);
        state.insert("config", &huge).unwrap();
        state.insert("input", &[1 << 20]).unwrap();
        checkpoint::save(&path, &state).unwrap();
        assert!(matches!(Sequential::load_from(&path), Err(CheckpointError::Part(_))));
    }
}
