//! Fine-tuning of pretrained networks.

use serde::{Deserialize, Serialize};

use crate::nn::{Network as _, NetworkError, Sequential};
use crate::optim::ParamGroup;

/// Which parts of a network with a pretrained encoder are trained. The head always is, at the full
/// learning rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FineTuning {
    /// Trains the head alone, to measure the quality of the features.
    LinearProbe,
    /// Trains the encoder's layers from one on; earlier layers are frozen. The whole encoder
    /// normalises by the statistics of the pretraining.
    Partial {
        /// The first layer to train, from 0; at most the number of layers, which equals
        /// [`LinearProbe`](Self::LinearProbe).
        from_layer: usize,
        /// The factor of their learning rate; ≥ 0.
        lr_factor: f64,
    },
    /// Trains the whole network.
    Full {
        /// The factor of the encoder's learning rate; ≥ 0.
        lr_factor: f64,
    },
}

impl FineTuning {
    /// Sets the encoder's mode, and returns the value for
    /// [`FitConfig::param_groups`](crate::supervised::FitConfig::param_groups).
    ///
    /// # Errors
    /// [`NetworkError::NoSuchLayer`].
    pub fn prepare(self, network: &mut Sequential) -> Result<Vec<ParamGroup>, NetworkError> {
        let (from_layer, lr_factor) = match self {
            Self::LinearProbe => (network.config().encoder.len(), 0.0),
            Self::Partial { from_layer, lr_factor } => (from_layer, lr_factor),
            Self::Full { lr_factor } => (0, lr_factor),
        };
        let layers = network.config().encoder.len();
        if from_layer > layers {
            return Err(NetworkError::NoSuchLayer { layer: from_layer, layers });
        }
        network.set_encoder_frozen(!matches!(self, Self::Full { .. }));
        let (mut still, mut learning) = (Vec::new(), Vec::new());
        for parameter in network.named_parameters() {
            let layer = parameter.name.strip_prefix("encoder.").and_then(|name| {
                let (layer, _) = name.split_once('.')?;
                layer.parse::<usize>().ok()
            });
            match layer {
                Some(layer) if layer < from_layer => still.push(parameter.range),
                Some(_) => learning.push(parameter.range),
                None => {}
            }
        }
        Ok(vec![
            ParamGroup { ranges: still, frozen: true, ..ParamGroup::default() },
            ParamGroup { ranges: learning, lr_factor, ..ParamGroup::default() },
        ])
    }
}
