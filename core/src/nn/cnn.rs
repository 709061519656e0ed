//! Convolutions over small pictures.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::layer_shape::limited;
use super::{
    Activation, MAX_ACTIVATIONS, MAX_LAYERS, MAX_WIDTH, NetworkError, Parameter, ParametersBuilder,
    Plan,
};
use crate::init::{Fans, Init};

/// One convolution without padding, over pictures of any size.
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

/// Convolutions, each followed by an activation, whose parameters lie in somebody else's
/// [`Parameters`](super::Parameters).
#[derive(Debug)]
pub struct ConvLayers {
    layers: Vec<Conv>,
    activation: Activation,
    input: PictureShape,
    output: PictureShape,
}

/// `[H, W, C]` to `[H', W', C']`. Its weight is that of a fully connected layer that reads one place
/// of the kernel: `[kernel · kernel · C, C']`, row by row like the pixels.
#[derive(Debug)]
pub(super) struct Conv {
    pub(super) weight: Parameter,
    pub(super) bias: Parameter,
    pub(super) input: PictureShape,
    pub(super) output: PictureShape,
    pub(super) kernel: usize,
    pub(super) stride: usize,
}

impl ConvLayers {
    /// Declares each layer's weight, then its bias.
    ///
    /// # Errors
    /// [`NetworkError::Empty`] for a width of 0, [`NetworkError::Kernel`] where a kernel is larger
    /// than the picture that reaches it, [`NetworkError::TooLarge`].
    pub fn new(
        configs: &[ConvConfig],
        input: PictureShape,
        activation: Activation,
        init: (Init, Init),
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let numbers = [input.height, input.width, input.channels];
        limited("a picture's numbers", &numbers, MAX_WIDTH)?;
        if configs.len() > MAX_LAYERS {
            return Err(NetworkError::TooLarge { what: "the convolutions", limit: MAX_LAYERS });
        }
        let mut layers = Vec::with_capacity(configs.len());
        let mut shape = input;
        for config in configs {
            let layer = Conv::new(*config, shape, init, builder)?;
            shape = layer.output;
            layers.push(layer);
        }
        Ok(Self { layers, activation, input, output: shape })
    }

    /// The pictures that they read.
    pub fn input(&self) -> PictureShape {
        self.input
    }

    /// The pictures that they return.
    pub fn output(&self) -> PictureShape {
        self.output
    }

    /// `[B, H · W · C]` to `[B, H' · W' · C']`.
    ///
    /// # Panics
    /// If `input` has another width or another kind than `f32`.
    pub fn forward(&self, input: &Tensor) -> Tensor {
        let PictureShape { height, width, channels } = self.input;
        let rows = [-1, height as i64, width as i64, channels as i64];
        // libtorch counts channels before rows; in memory they stay where they are.
        let mut x = input.reshape(rows).permute([0, 3, 1, 2]); // [B, C, H, W]
        for layer in &self.layers {
            x = self.activation.forward(layer.forward(&x)); // [B, C', H', W']
        }
        x.permute([0, 2, 3, 1]).reshape([-1, self.output.size() as i64])
    }

    /// Where the last layer's parameters end in the flat vector.
    pub(super) fn parameters_end(&self) -> usize {
        self.layers.last().map_or(0, |layer| layer.bias.range().end)
    }

    /// How they are evaluated without libtorch.
    pub fn plan(&self) -> Plan {
        let plan = Plan::new(self.input.size());
        self.layers.iter().fold(plan, |plan, layer| plan.then_conv(layer, self.activation))
    }
}

impl Conv {
    fn new(
        ConvConfig { channels, kernel, stride }: ConvConfig,
        input: PictureShape,
        (weight, bias): (Init, Init),
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        for (what, n) in [
            ("a convolution's channels", channels),
            ("a convolution's kernel", kernel),
            ("a convolution's stride", stride),
            ("a picture's size", input.size()),
        ] {
            if n == 0 {
                return Err(NetworkError::Empty { what });
            }
        }
        let (height, width) = (input.height, input.width);
        if kernel > height.min(width) {
            return Err(NetworkError::Kernel { kernel, height, width });
        }
        let places = |length: usize| (length - kernel) / stride + 1;
        let output = PictureShape { height: places(height), width: places(width), channels };
        let numbers = [output.height, output.width, channels];
        limited("a picture's numbers", &numbers, MAX_WIDTH)?;
        let unfolded = [kernel, kernel, input.channels, output.height, output.width];
        limited("the numbers under a kernel's places", &unfolded, MAX_ACTIVATIONS)?;
        let inputs = kernel * kernel * input.channels;
        let fans = Fans { fan_in: inputs, fan_out: kernel * kernel * channels };
        builder.begin_layer();
        let weight = builder.of_layer("weight", &[inputs, channels], weight, fans)?;
        let bias = builder.of_layer("bias", &[channels], bias, fans)?;
        Ok(Self { weight, bias, input, output, kernel, stride })
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let kernel = self.kernel as i64;
        let (from, to) = (self.input.channels as i64, self.output.channels as i64);
        // [C', C, kernel, kernel], as libtorch has it
        let weight = self.weight.view().view([kernel, kernel, from, to]).permute([3, 2, 0, 1]);
        let (stride, padding, dilation) = ([self.stride as i64; 2], [0_i64; 2], [1_i64; 2]);
        x.conv2d(&weight, Some(self.bias.view()), stride, padding, dilation, 1)
    }
}
