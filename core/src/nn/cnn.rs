//! Convolutions over small pictures.

use serde::{Deserialize, Serialize};

use super::{Activation, LayerConfig};
use crate::init::Init;

/// A convolution without padding, for pictures of any size. Short for [`LayerConfig::Conv2d`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// The number of output channels.
    pub channels: usize,
    /// The height and width of its kernel.
    pub kernel: usize,
    /// The step of the kernel, in pixels.
    #[serde(default = "one")]
    pub stride: usize,
}

fn one() -> usize {
    1
}

impl ConvConfig {
    /// Returns the convolutions as layers, each followed by the activation, and a final flatten
    /// layer.
    pub fn layers(configs: &[Self], activation: Activation) -> Vec<LayerConfig> {
        let (weight, bias, padding) = (Init::LinearDefault, Init::LinearDefault, 0);
        let layers = configs.iter().flat_map(|&Self { channels, kernel, stride }| {
            let layer = LayerConfig::Conv2d { channels, kernel, stride, padding, weight, bias };
            [layer, activation.into()]
        });
        let flatten = (!configs.is_empty()).then_some(LayerConfig::Flatten);
        layers.chain(flatten).collect()
    }

    /// Returns the convolutions of Mnih et al., "Human-level control through deep reinforcement
    /// learning" (2015), for 84 by 84 pixels. The paper adds one hidden layer of 512.
    pub fn nature() -> Vec<Self> {
        let layer = |channels, kernel, stride| Self { channels, kernel, stride };
        vec![layer(32, 8, 4), layer(64, 4, 2), layer(64, 3, 1)]
    }

    /// Returns the convolution of Young and Tian, "MinAtar" (2019), for 10 by 10 pixels. The paper
    /// adds one hidden layer of 128.
    pub fn min_atar() -> Vec<Self> {
        vec![Self { channels: 16, kernel: 3, stride: 1 }]
    }
}

/// The height, width and channels of a picture. Pixels are stored row by row, the channels of a
/// pixel side by side (`[H, W, C]`, the layout of TensorFlow and Gymnasium).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureShape {
    /// The number of rows.
    pub height: usize,
    /// The number of columns.
    pub width: usize,
    /// The number of channels.
    pub channels: usize,
}

impl PictureShape {
    /// Returns the number of values in a picture.
    pub fn size(self) -> usize {
        self.height * self.width * self.channels
    }
}
