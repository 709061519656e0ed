//! Convolutions over small pictures.

use serde::{Deserialize, Serialize};

use super::{Activation, LayerConfig};
use crate::init::Init;

/// One convolution without padding, over pictures of any size: short for
/// [`LayerConfig::Conv2d`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConvConfig {
    /// The channels that it puts out.
    pub channels: usize,
    /// The height and width of its kernel.
    pub kernel: usize,
    /// The pixels from one place of the kernel to the next.
    #[serde(default = "one")]
    pub stride: usize,
}

fn one() -> usize {
    1
}

impl ConvConfig {
    /// The convolutions as layers, each followed by the activation, and last the pixels as a row.
    pub fn layers(configs: &[Self], activation: Activation) -> Vec<LayerConfig> {
        let (weight, bias, padding) = (Init::LinearDefault, Init::LinearDefault, 0);
        let layers = configs.iter().flat_map(|&Self { channels, kernel, stride }| {
            let layer = LayerConfig::Conv2d { channels, kernel, stride, padding, weight, bias };
            [layer, activation.into()]
        });
        let flatten = (!configs.is_empty()).then_some(LayerConfig::Flatten);
        layers.chain(flatten).collect()
    }

    /// The convolutions of Mnih et al., "Human-level control through deep reinforcement learning"
    /// (2015), for 84 by 84 pixels. One hidden layer of 512 follows.
    pub fn nature() -> Vec<Self> {
        let layer = |channels, kernel, stride| Self { channels, kernel, stride };
        vec![layer(32, 8, 4), layer(64, 4, 2), layer(64, 3, 1)]
    }

    /// The convolution of Young and Tian, "MinAtar" (2019), for 10 by 10 pixels. One hidden layer of
    /// 128 follows.
    pub fn min_atar() -> Vec<Self> {
        vec![Self { channels: 16, kernel: 3, stride: 1 }]
    }
}

/// The height, the width and the channels of a picture. Its pixels lie row by row, the channels of
/// a pixel side by side (`[H, W, C]`, TensorFlow's layout and Gymnasium's).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureShape {
    /// The rows.
    pub height: usize,
    /// The columns.
    pub width: usize,
    /// The numbers of a pixel.
    pub channels: usize,
}

impl PictureShape {
    /// How many numbers a picture holds.
    pub fn size(self) -> usize {
        self.height * self.width * self.channels
    }
}
