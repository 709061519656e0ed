//! Custom layers.

use std::fmt::Debug;

use tch::Tensor;

use super::{LayerShape, NetworkError, ParametersBuilder};

/// The forward function of a layer. Takes a batch, `[B, N]` or pictures `[B, C, H, W]`, and whether
/// the network is in training mode. Its result must be differentiable by libtorch.
pub type LayerForward = Box<dyn Fn(&Tensor, bool) -> Tensor + Send>;

/// A custom layer as data. It is named in a configuration, saved, counted and resumed like the
/// built-in layers ([`LayerConfig::Custom`](super::LayerConfig::Custom)).
///
/// Its settings are the fields of a struct. Its name is registered by the crate
/// [`typetag`](https://docs.rs/typetag), which must be among your dependencies. A configuration
/// contains `{ custom = { type = "scale", start = 2.0 } }`:
///
/// ```
/// use gymnast_core::init::{Fans, Init};
/// use gymnast_core::nn::{
///     Layer, LayerConfig, LayerForward, LayerShape, NetworkConfig, NetworkError, ParametersBuilder,
///     Sequential, Network as _,
/// };
/// use rand::SeedableRng;
///
/// /// Multiplies each number by a learned one.
/// #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
/// struct Scale {
///     start: f32,
/// }
///
/// #[typetag::serde(name = "scale")]
/// impl Layer for Scale {
///     fn output(&self, input: LayerShape) -> Result<LayerShape, NetworkError> {
///         Ok(input)
///     }
///
///     fn parameters(&self, input: LayerShape) -> usize {
///         input.channels()
///     }
///
///     fn declare(
///         &self,
///         input: LayerShape,
///         builder: &mut ParametersBuilder,
///     ) -> Result<LayerForward, NetworkError> {
///         let (start, fans) = (Init::Constant { value: self.start }, Fans { fan_in: 1, fan_out: 1 });
///         let weight = builder.of_layer("weight", &[input.channels()], start, fans)?;
///         Ok(Box::new(move |x, _training| x * weight.tensor()))
///     }
///
///     fn boxed(&self) -> Box<dyn Layer> {
///         Box::new(self.clone())
///     }
/// }
///
/// let encoder: Vec<LayerConfig> =
///     serde_json::from_str(r#"[{"linear": {"outputs": 3}}, {"custom": {"type": "scale", "start": 2.0}}]"#)?;
/// let config = NetworkConfig { encoder, ..NetworkConfig::default() };
/// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
/// let network = Sequential::new(&config, &[4], &mut rng)?;
/// let scales = network.parameters().range_of("encoder.1.weight")?;
/// assert_eq!(network.parameters().values()[scales], [2.0; 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A layer that contains other layers names them after itself: [`ParametersBuilder::layer`], its own name, is the
/// first part of their [scopes](ParametersBuilder::scope).
///
/// Training may change the parameters of a custom layer and nothing else: it has no running
/// statistics and no random numbers. A network with a custom layer is always evaluated by libtorch.
/// [`Debug`] must show all settings, as the derived one does: it describes the layer in a
/// checkpoint.
#[typetag::serde(tag = "type")]
pub trait Layer: Debug + Send + Sync {
    /// Returns the output shape for an input shape.
    ///
    /// # Errors
    /// [`NetworkError`] if the layer cannot read that shape or a setting is out of its range.
    /// Checked before memory is allocated.
    fn output(&self, input: LayerShape) -> Result<LayerShape, NetworkError>;

    /// Returns the number of parameters for an input shape. Counted before memory is allocated.
    fn parameters(&self, input: LayerShape) -> usize;

    /// Declares the parameters ([`ParametersBuilder::of_layer`]) and returns the forward function.
    ///
    /// # Errors
    /// [`NetworkError`].
    fn declare(
        &self,
        input: LayerShape,
        builder: &mut ParametersBuilder,
    ) -> Result<LayerForward, NetworkError>;

    /// Returns the FLOP of the forward pass of one example; a multiplication and an addition count
    /// as 2. `None` if unknown: then the [cost](crate::cost) of a network with this layer is an
    /// error.
    fn forward_flop(&self, _input: LayerShape) -> Option<u64> {
        None
    }

    /// Returns a copy: `Box::new(self.clone())`.
    fn boxed(&self) -> Box<dyn Layer>;
}

impl Clone for Box<dyn Layer> {
    fn clone(&self) -> Self {
        self.boxed()
    }
}

impl PartialEq for dyn Layer {
    /// Two layers are equal if they have the same name and settings.
    fn eq(&self, other: &Self) -> bool {
        self.typetag_name() == other.typetag_name() && format!("{self:?}") == format!("{other:?}")
    }
}
