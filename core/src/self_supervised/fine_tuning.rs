//! What of a pretrained network learns from labels.

use serde::{Deserialize, Serialize};

use crate::nn::{Network as _, NetworkError, Sequential};
use crate::optim::ParamGroup;

/// What of a network with a pretrained encoder learns. The head always does, at the full rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FineTuning {
    /// The head alone: how good the features are as they stand.
    LinearProbe,
    /// The layers of the encoder from one on; those before it stay as they are. The whole encoder
    /// normalises by the statistics that pretraining left.
    Partial {
        /// The first layer that learns, from 0; at most their number, which is
        /// [`LinearProbe`](Self::LinearProbe).
        from_layer: usize,
        /// By which factor their learning rate counts; ≥ 0.
        lr_factor: f64,
    },
    /// Everything.
    Full {
        /// By which factor the encoder's learning rate counts; ≥ 0.
        lr_factor: f64,
    },
}

impl FineTuning {
    /// Sets the encoder's mode, and returns what
    /// [`FitConfig::param_groups`](crate::supervised::FitConfig::param_groups) has to hold.
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
