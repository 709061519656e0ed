//! Layers of one's own.

use std::fmt::Debug;

use tch::Tensor;

use super::{LayerShape, NetworkError, ParametersBuilder};

/// A layer at work: from a batch, `[B, N]` or pictures `[B, C, H, W]`, and whether it is trained to
/// what it returns, differentiable by libtorch.
pub type LayerForward = Box<dyn Fn(&Tensor, bool) -> Tensor + Send>;

/// A layer of one's own, as data: named in a configuration, saved, counted and resumed like the layers
/// here ([`LayerConfig::Custom`](super::LayerConfig::Custom)).
///
/// Its settings are the fields of a struct, its name is registered by the crate
/// [`typetag`](https://docs.rs/typetag), which must be among your dependencies. In a configuration it is
/// `{ custom = { type = "scale", start = 2.0 } }`:
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
/// A layer that is made of others names them after itself: with [`ParametersBuilder::layer`], its own name,
/// as the first part of their [scopes](ParametersBuilder::scope).
///
/// A layer has parameters and nothing else that training changes: no running statistics and no random
/// numbers. libtorch evaluates it and all layers with it. [`Debug`] must show all of its settings, as
/// deriving it does: it is the layer's description in a checkpoint.
#[typetag::serde(tag = "type")]
pub trait Layer: Debug + Send + Sync {
    /// The shape that it makes of another one.
    ///
    /// # Errors
    /// [`NetworkError`] where it cannot read that shape or a setting is out of its range: before memory
    /// is taken.
    fn output(&self, input: LayerShape) -> Result<LayerShape, NetworkError>;

    /// How many parameters it declares where it reads that shape: counted before memory is taken.
    fn parameters(&self, input: LayerShape) -> usize;

    /// Declares its parameters ([`ParametersBuilder::of_layer`]) and returns what it does with them.
    ///
    /// # Errors
    /// [`NetworkError`].
    fn declare(
        &self,
        input: LayerShape,
        builder: &mut ParametersBuilder,
    ) -> Result<LayerForward, NetworkError>;

    /// The FLOP of one example's forward pass, a multiplication and an addition counting 2. `None`: not
    /// known, and the [cost](crate::cost) of a network with it is an error.
    fn forward_flop(&self, _input: LayerShape) -> Option<u64> {
        None
    }

    /// A copy: `Box::new(self.clone())`.
    fn boxed(&self) -> Box<dyn Layer>;
}

impl Clone for Box<dyn Layer> {
    fn clone(&self) -> Self {
        self.boxed()
    }
}

impl PartialEq for dyn Layer {
    /// Layers of the same name and settings.
    fn eq(&self, other: &Self) -> bool {
        self.typetag_name() == other.typetag_name() && format!("{self:?}") == format!("{other:?}")
    }
}
