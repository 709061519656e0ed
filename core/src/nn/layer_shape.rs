//! What flows between layers, and how each layer changes it: known before a byte is allocated, so
//! that a description from a stranger is refused by arithmetic alone.

use std::fmt;

use tch::Tensor;

use super::placed::shapes;
use super::{LayerConfig, NetworkError, PictureShape};

/// The maximum number of layers in a network.
pub const MAX_LAYERS: usize = 1024;
/// The maximum size of one example between two layers, and of an integer setting of a layer.
pub const MAX_WIDTH: usize = 1 << 24;
/// The maximum number of parameters in a network.
pub const MAX_PARAMETERS: usize = 1 << 26;
/// The maximum total size of the layers' outputs for one example.
pub const MAX_ACTIVATIONS: usize = 1 << 26;

/// The shape of one example between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LayerShape {
    /// A row of this width: `[B, N]`.
    Row(usize),
    /// A picture. The inputs and outputs of a network hold it as a row, the channels of a pixel
    /// side by side. Between layers it is libtorch's `[B, C, H, W]`.
    Picture(PictureShape),
}

impl LayerShape {
    /// Creates the shape of an example: `[N]` is a row, `[H, W, C]` or `[H, W]` a picture.
    pub fn of(shape: &[usize]) -> Result<Self, NetworkError> {
        if shape.iter().try_fold(1_usize, |n, &m| n.checked_mul(m)).is_none_or(|n| n > MAX_WIDTH) {
            return Err(NetworkError::TooLarge { what: "an input's numbers", limit: MAX_WIDTH });
        }
        let shape = match *shape {
            [width] => Self::Row(width),
            [height, width] => Self::Picture(PictureShape { height, width, channels: 1 }),
            [height, width, channels] => Self::Picture(PictureShape { height, width, channels }),
            _ => return Err(NetworkError::InputShape { shape: shape.to_vec() }),
        };
        if shape.size() == 0 {
            return Err(NetworkError::Empty { what: "an input's numbers" });
        }
        Ok(shape)
    }

    /// Returns the number of values in an example.
    pub fn size(self) -> usize {
        match self {
            Self::Row(width) => width,
            Self::Picture(picture) => picture.size(),
        }
    }

    /// Returns the number of channels of a picture, or the width of a row.
    pub fn channels(self) -> usize {
        match self {
            Self::Row(width) => width,
            Self::Picture(picture) => picture.channels,
        }
    }

    /// Returns the shape of an example as [`of`](Self::of) takes it: `[N]` or `[H, W, C]`.
    pub fn of_example(self) -> Vec<usize> {
        match self {
            Self::Row(width) => vec![width],
            Self::Picture(p) => vec![p.height, p.width, p.channels],
        }
    }

    /// Returns libtorch's shape of one example: `[N]` or `[C, H, W]`.
    pub(super) fn dimensions(self) -> Vec<usize> {
        match self {
            Self::Row(width) => vec![width],
            Self::Picture(p) => vec![p.channels, p.height, p.width],
        }
    }

    /// Reshapes rows to the input of a layer.
    pub(super) fn read(self, rows: &Tensor) -> Tensor {
        match self {
            Self::Row(_) => rows.shallow_clone(),
            Self::Picture(p) => {
                let shape = [p.height, p.width, p.channels].map(|n| n as i64);
                let shape = [&[rows.size()[0]], &shape[..]].concat();
                rows.reshape(shape).permute([0, 3, 1, 2]) // [B, C, H, W]
            }
        }
    }

    /// Reshapes the output of a layer to rows.
    pub(super) fn write(self, x: Tensor) -> Tensor {
        match self {
            Self::Row(_) => x,
            Self::Picture(p) => x.permute([0, 2, 3, 1]).reshape([x.size()[0], p.size() as i64]),
        }
    }
}

impl fmt::Display for LayerShape {
    /// `[N]` or `[H, W, C]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Row(width) => f.pad(&format!("[{width}]")),
            Self::Picture(PictureShape { height, width, channels }) => {
                f.pad(&format!("[{height}, {width}, {channels}]"))
            }
        }
    }
}

impl LayerConfig {
    /// Returns the output shape for an input shape; `layer` is the layer's name, for errors.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] where the layer does not fit the shape or a setting is out of its
    /// range; [`NetworkError::Init`] for an initialiser's; [`NetworkError::TooLarge`] beyond
    /// [`MAX_WIDTH`].
    pub(super) fn output_shape(
        &self,
        layer: &str,
        input: LayerShape,
    ) -> Result<LayerShape, NetworkError> {
        let kind = self.kind();
        let require = |holds: bool, need: &'static str, got: &dyn fmt::Display| match holds {
            true => Ok(()),
            false => {
                let (layer, got) = (layer.to_owned(), got.to_string());
                Err(NetworkError::Layer { layer, kind, need, got })
            }
        };
        let count = |need, n: usize| require((1..=MAX_WIDTH).contains(&n), need, &n);
        let positive = |eps: f64| require(eps > 0.0 && eps.is_finite(), "a finite eps > 0", &eps);
        let picture = || match input {
            LayerShape::Picture(picture) => Ok(picture),
            LayerShape::Row(_) => Err(NetworkError::Layer {
                layer: layer.to_owned(),
                kind,
                need: "pictures [H, W, C]",
                got: format!("rows {input}"),
            }),
        };
        match *self {
            Self::Residual { ref layers } => {
                let output = shapes(layers, layer, input)?[layers.len()];
                require(output == input, "layers that return the shape that they read", &output)?;
                Ok(input)
            }
            Self::Custom(ref custom) => {
                let output = custom.output(input)?;
                limited("a layer's outputs", &output.of_example(), MAX_WIDTH)?;
                require(output.size() > 0, "at least one output", &output)?;
                Ok(output)
            }
            Self::Linear { outputs, weight, bias } => {
                weight.check(&[input.size(), outputs])?;
                bias.check(&[outputs])?;
                count("outputs from 1 to 2²⁴", outputs)?;
                let rows = matches!(input, LayerShape::Row(_));
                require(rows, "rows [N] (flatten pictures first)", &input)?;
                Ok(LayerShape::Row(outputs))
            }
            Self::Conv2d { channels, kernel, stride, padding, weight, bias } => {
                let picture = picture()?;
                weight.check(&[channels, picture.channels, kernel, kernel])?;
                bias.check(&[channels])?;
                count("channels from 1 to 2²⁴", channels)?;
                count("a kernel from 1 to 2²⁴", kernel)?;
                count("a stride from 1 to 2²⁴", stride)?;
                require(padding < kernel, "a padding below the kernel", &padding)?;
                let output = Window { kernel, stride, padding }.over(picture)?;
                // What libtorch may unfold the picture into.
                let unfolded = [kernel, kernel, picture.channels, output.height, output.width];
                limited("the numbers under a kernel's places", &unfolded, MAX_ACTIVATIONS)?;
                let numbers = [output.height, output.width, channels];
                limited("a picture's numbers", &numbers, MAX_WIDTH)?;
                Ok(LayerShape::Picture(PictureShape { channels, ..output }))
            }
            Self::MaxPool { kernel, stride, padding }
            | Self::AvgPool { kernel, stride, padding } => {
                let (picture, stride) = (picture()?, stride.unwrap_or(kernel));
                count("a kernel from 1 to 2²⁴", kernel)?;
                count("a stride from 1 to 2²⁴", stride)?;
                require(padding <= kernel / 2, "a padding of at most half the kernel", &padding)?;
                Ok(LayerShape::Picture(Window { kernel, stride, padding }.over(picture)?))
            }
            Self::GlobalAvgPool => Ok(LayerShape::Row(picture()?.channels)),
            Self::Flatten => Ok(LayerShape::Row(input.size())),
            Self::Activation(_) | Self::Softmax => Ok(input),
            Self::PRelu { slope, .. } => {
                require(slope.is_finite(), "a finite slope", &slope)?;
                Ok(input)
            }
            Self::BatchNorm { momentum, eps } => {
                positive(eps)?;
                require((0.0..=1.0).contains(&momentum), "a momentum in [0, 1]", &momentum)?;
                Ok(input)
            }
            Self::LayerNorm { eps } | Self::RmsNorm { eps: Some(eps) } => {
                positive(eps)?;
                Ok(input)
            }
            Self::RmsNorm { eps: None } => Ok(input),
            Self::InstanceNorm { eps, .. } => {
                positive(eps)?;
                let PictureShape { height, width, .. } = picture()?;
                require(height * width > 1, "pictures of more than one pixel", &input)?;
                Ok(input)
            }
            Self::GroupNorm { groups, eps } => {
                positive(eps)?;
                let need = "groups that divide the channels into more than one number each";
                let divides = groups > 0 && input.channels().is_multiple_of(groups);
                let got = format!("{groups} groups of {input}");
                require(divides && input.size() > groups, need, &got)?;
                Ok(input)
            }
            Self::Dropout { p } => {
                require((0.0..1.0).contains(&p), "a probability in [0, 1)", &p)?;
                Ok(input)
            }
        }
    }

    /// Returns the number of parameters for an input shape, which must fit. Layers within the layer
    /// do not count.
    pub(super) fn parameters(&self, input: LayerShape) -> Result<usize, NetworkError> {
        let channels = input.channels();
        match *self {
            Self::Linear { outputs, .. } => parameters(&[channels + 1, outputs]),
            Self::Conv2d { channels: to, kernel, .. } => {
                Ok(parameters(&[to, channels, kernel, kernel])? + to)
            }
            Self::PRelu { per_channel, .. } => Ok(if per_channel { channels } else { 1 }),
            Self::BatchNorm { .. } | Self::GroupNorm { .. } => Ok(2 * channels),
            Self::InstanceNorm { affine, .. } => Ok(if affine { 2 * channels } else { 0 }),
            Self::LayerNorm { .. } => Ok(2 * input.size()),
            Self::RmsNorm { .. } => Ok(input.size()),
            Self::Custom(ref custom) => parameters(&[custom.parameters(input)]),
            _ => Ok(0),
        }
    }
}

/// Returns the product, or an error if it exceeds the limit.
pub(super) fn limited(
    what: &'static str,
    factors: &[usize],
    limit: usize,
) -> Result<usize, NetworkError> {
    let product = factors.iter().try_fold(1_usize, |product, &n| product.checked_mul(n));
    product.filter(|&n| n <= limit).ok_or(NetworkError::TooLarge { what, limit })
}

fn parameters(factors: &[usize]) -> Result<usize, NetworkError> {
    limited("a layer's parameters", factors, MAX_PARAMETERS)
}

struct Window {
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl Window {
    /// The places of the kernel in a picture: `(length + 2 padding − kernel) / stride + 1` a side.
    fn over(self, picture: PictureShape) -> Result<PictureShape, NetworkError> {
        let Self { kernel, stride, padding } = self;
        let (height, width) = (picture.height + 2 * padding, picture.width + 2 * padding);
        if kernel > height.min(width) {
            return Err(NetworkError::Kernel { kernel, height, width });
        }
        let places = |length: usize| (length - kernel) / stride + 1;
        let output = PictureShape { height: places(height), width: places(width), ..picture };
        let numbers = [output.height, output.width, output.channels];
        limited("a picture's numbers", &numbers, MAX_WIDTH)?;
        Ok(output)
    }
}

#[cfg(test)]
mod tests;
