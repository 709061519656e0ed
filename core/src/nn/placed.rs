//! The layers of a description at their places: what each reads, returns and holds, before anything is
//! allocated.

use super::{
    LayerConfig, LayerShape, MAX_ACTIVATIONS, MAX_LAYERS, MAX_PARAMETERS, NetworkConfig,
    NetworkError,
};

/// A layer at its place in a network.
pub(crate) struct PlacedLayer {
    pub(crate) name: String,
    pub(crate) config: LayerConfig,
    pub(crate) input: LayerShape,
    pub(crate) output: LayerShape,
    /// Its own, without those of the layers within it.
    pub(crate) parameters: usize,
    /// The layers within it.
    pub(crate) inner: Vec<PlacedLayer>,
}

/// The shapes that flow between layers: that of the input, then each layer's. `scope` is the first
/// part of the layers' names.
pub(super) fn shapes(
    layers: &[LayerConfig],
    scope: &str,
    input: LayerShape,
) -> Result<Vec<LayerShape>, NetworkError> {
    let mut shapes = vec![input];
    for (i, layer) in layers.iter().enumerate() {
        shapes.push(layer.output_shape(&format!("{scope}.{i}"), shapes[i])?);
    }
    Ok(shapes)
}

/// Each layer's name, kind and what it reads and returns.
///
/// # Errors
/// What does not fit; [`NetworkError::TooLarge`] beyond the limits of one network.
pub(super) fn place(
    layers: &[LayerConfig],
    scope: &str,
    input: LayerShape,
) -> Result<Vec<PlacedLayer>, NetworkError> {
    within("a network's layers", count(layers), MAX_LAYERS)?;
    let shapes = shapes(layers, scope, input)?;
    let mut placed = Vec::with_capacity(layers.len());
    for (i, config) in layers.iter().enumerate() {
        let (name, input, output) = (format!("{scope}.{i}"), shapes[i], shapes[i + 1]);
        let inner = match config {
            LayerConfig::Residual { layers } => place(layers, &name, input)?,
            _ => Vec::new(),
        };
        let (parameters, config) = (config.parameters(input)?, config.clone());
        placed.push(PlacedLayer { name, config, input, output, parameters, inner });
    }
    check_sizes(&placed)?;
    Ok(placed)
}

/// How many layers there are, those within others included.
fn count(layers: &[LayerConfig]) -> usize {
    let within = layers.iter().map(|layer| match layer {
        LayerConfig::Residual { layers } => count(layers),
        _ => 0,
    });
    layers.len() + within.sum::<usize>()
}

/// That all layers together stay below the limits of one network.
fn check_sizes(placed: &[PlacedLayer]) -> Result<(), NetworkError> {
    let (parameters, activations) = sizes(placed);
    within("a network's parameters", parameters, MAX_PARAMETERS)?;
    within("the numbers between a network's layers", activations, MAX_ACTIVATIONS)
}

/// The parameters and the numbers put out of all layers, those within others included.
fn sizes(placed: &[PlacedLayer]) -> (usize, usize) {
    placed.iter().fold((0, 0), |(parameters, activations), layer| {
        let inner = sizes(&layer.inner);
        (parameters + layer.parameters + inner.0, activations + layer.output.size() + inner.1)
    })
}

impl NetworkConfig {
    /// Each layer's name, kind and what it reads and returns, for examples of this shape: see
    /// [`Sequential::new`](super::Sequential::new), whose errors these are.
    pub(crate) fn layers(&self, input: &[usize]) -> Result<Vec<PlacedLayer>, NetworkError> {
        let Self { encoder, head, .. } = self;
        within("a network's layers", count(encoder).saturating_add(count(head)), MAX_LAYERS)?;
        let input = LayerShape::of(input)?;
        let mut layers = place(encoder, "encoder", input)?;
        let features = layers.last().map_or(input, |layer| layer.output);
        layers.extend(place(head, "head", features)?);
        check_sizes(&layers)?;
        Ok(layers)
    }

    /// Says whether a network can be built of it, for examples of this shape, without building it.
    ///
    /// # Errors
    /// Those of [`Sequential::new`](super::Sequential::new).
    pub fn check(&self, input: &[usize]) -> Result<(), NetworkError> {
        self.layers(input).map(drop)
    }
}

fn within(what: &'static str, n: usize, limit: usize) -> Result<(), NetworkError> {
    if n > limit { Err(NetworkError::TooLarge { what, limit }) } else { Ok(()) }
}
