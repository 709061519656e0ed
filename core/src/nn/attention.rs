//! Attention (Vaswani et al. 2017, <https://arxiv.org/abs/1706.03762>) and the transformer block.

use tch::{Kind, Tensor};

use super::normalization::Normalization;
use super::{
    Activation, LayerConfig, LayerShape, Linear, MAX_WIDTH, NetworkError, ParametersBuilder,
    TransformerConfig,
};
use crate::init::Init;

/// Keys and values put in front of those of a sequence, for the attention of one block.
#[derive(Debug)]
pub struct Prefix {
    /// The keys, `[P, width]`.
    pub key: Tensor,
    /// The values, `[P, width]`.
    pub value: Tensor,
}

/// Multi-head self-attention, as `torch.nn.MultiheadAttention` applied to one sequence:
///
/// ```text
/// softmax(Q Kᵀ / √d) V   for each head of width d; Q, K, V = x W + b, the heads side by side, then a layer
/// ```
///
/// Every position attends to all positions: there is no mask.
#[derive(Debug)]
pub struct MultiheadAttention {
    in_projection: Linear,
    out_projection: Linear,
    heads: i64,
}

impl MultiheadAttention {
    /// Declares `scope.in_projection`, which computes queries, keys and values of width `width`
    /// each, and `scope.out_projection`. Both are initialised like PyTorch's.
    ///
    /// # Errors
    /// [`NetworkError::Layer`] unless the heads share the width evenly; [`NetworkError::TooLarge`].
    pub fn new(
        width: usize,
        heads: usize,
        scope: &str,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        if heads == 0 || !width.is_multiple_of(heads) {
            return Err(NetworkError::Layer {
                layer: scope.to_owned(),
                kind: "multihead_attention",
                need: "a number of heads, at least 1, that divides its width",
                got: format!("{heads} heads of width {width}"),
            });
        }
        if width > MAX_WIDTH {
            return Err(NetworkError::TooLarge { what: "an attention's width", limit: MAX_WIDTH });
        }
        builder.scope(format!("{scope}.in_projection"));
        let xavier = Init::XavierUniform { gain: 1.0 };
        let in_projection = Linear::new(width, 3 * width, xavier, Init::Zeros, builder)?;
        builder.scope(format!("{scope}.out_projection"));
        let out_projection = Linear::new(width, width, Init::LinearDefault, Init::Zeros, builder)?;
        Ok(Self { in_projection, out_projection, heads: heads as i64 })
    }

    /// Maps `[B, T, width]` to `[B, T, width]`. With a prefix, each position also attends to its P
    /// keys and values.
    ///
    /// # Panics
    /// If `x` or the prefix has the wrong width or is not `f32`.
    pub fn forward(&self, x: &Tensor, prefix: Option<&Prefix>) -> Tensor {
        let (batch, width) = (x.size()[0], self.out_projection.inputs() as i64);
        let projected = rows(x, |x| self.in_projection.forward(x)); // [B, T, 3 · width]
        let [query, key, value] = <[Tensor; 3]>::try_from(projected.chunk(3, -1))
            .expect("a width of three parts is cut in three");
        let (key, value) = match prefix {
            None => (key, value),
            Some(Prefix { key: before, value: with }) => {
                let join = |before: &Tensor, after: &Tensor| {
                    let before = before.unsqueeze(0).expand([batch, -1, -1], false); // [B, P, width]
                    Tensor::cat(&[&before, after], 1) // [B, P + T, width]
                };
                (join(before, &key), join(with, &value))
            }
        };
        let of_heads = |x: &Tensor| {
            let places = x.size()[1];
            x.reshape([batch, places, self.heads, width / self.heads]).transpose(1, 2) // [B, H, ·, d]
        };
        let (query, key, value) = (of_heads(&query), of_heads(&key), of_heads(&value));
        let scale = 1.0 / ((width / self.heads) as f64).sqrt();
        let weights = (query.matmul(&key.transpose(-2, -1)) * scale).softmax(-1, Kind::Float);
        let heads = weights.matmul(&value).transpose(1, 2).reshape(x.size()); // [B, T, width]
        rows(&heads, |x| self.out_projection.forward(x))
    }
}

/// Applies a layer to the positions of a sequence as rows, and restores the shape.
pub(super) fn rows(x: &Tensor, layer: impl Fn(&Tensor) -> Tensor) -> Tensor {
    let size = x.size(); // [B, T, ·]
    let y = layer(&x.reshape([size[0] * size[1], size[2]]));
    y.reshape([size[0], size[1], y.size()[1]]) // the width is named, as −1 has none among no rows
}

/// A transformer block, as `torch.nn.TransformerEncoderLayer` without dropout: attention, then two
/// fully connected layers for each position. Each part has a residual connection and layer
/// normalisation.
#[derive(Debug)]
pub struct TransformerEncoderLayer {
    attention: MultiheadAttention,
    wide: Linear,
    narrow: Linear,
    norms: [Normalization; 2],
    activation: Activation,
    norm_first: bool,
}

impl TransformerEncoderLayer {
    /// Declares `scope.attention`, `scope.linear1`, `scope.linear2`, `scope.norm1` and `scope.norm2`.
    ///
    /// # Errors
    /// As [`MultiheadAttention::new`]; [`NetworkError::Empty`] for a width of 0.
    pub fn new(
        config: &TransformerConfig,
        scope: &str,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let &TransformerConfig { width, heads, feed_forward, activation, norm_first, .. } = config;
        let attention =
            MultiheadAttention::new(width, heads, &format!("{scope}.attention"), builder)?;
        let mut linear = |name: &str, inputs, outputs| {
            builder.scope(format!("{scope}.{name}"));
            Linear::new(inputs, outputs, Init::LinearDefault, Init::LinearDefault, builder)
        };
        let wide = linear("linear1", width, feed_forward)?;
        let narrow = linear("linear2", feed_forward, width)?;
        let norms = [
            layer_norm(&format!("{scope}.norm1"), width, builder)?,
            layer_norm(&format!("{scope}.norm2"), width, builder)?,
        ];
        Ok(Self { attention, wide, narrow, norms, activation, norm_first })
    }

    /// Maps `[B, T, width]` to `[B, T, width]`.
    ///
    /// # Panics
    /// As [`MultiheadAttention::forward`].
    pub fn forward(&self, x: &Tensor, prefix: Option<&Prefix>) -> Tensor {
        let norm = |i: usize, x: &Tensor| self.norms[i].forward(x, false);
        let feed_forward = |x: &Tensor| {
            rows(x, |x| self.narrow.forward(&self.activation.forward(self.wide.forward(x))))
        };
        if self.norm_first {
            let x = x + self.attention.forward(&norm(0, x), prefix);
            &x + feed_forward(&norm(1, &x))
        } else {
            let x = norm(0, &(x + self.attention.forward(x, prefix)));
            norm(1, &(&x + feed_forward(&x)))
        }
    }
}

pub(super) fn layer_norm(
    scope: &str,
    width: usize,
    builder: &mut ParametersBuilder,
) -> Result<Normalization, NetworkError> {
    builder.scope(scope);
    let norm = Normalization::new(&LayerConfig::layer_norm(), LayerShape::Row(width), builder)?;
    Ok(norm.expect("a layer that normalises"))
}
