//! The layers of a description with their names, inputs, outputs and parameters, computed before
//! anything is allocated.

use super::{
    LayerConfig, LayerShape, MAX_ACTIVATIONS, MAX_LAYERS, MAX_PARAMETERS, NetworkConfig,
    NetworkError,
};

/// A layer at its position in a network.
pub(crate) struct PlacedLayer {
    pub(crate) name: String,
    pub(crate) config: LayerConfig,
    pub(crate) input: LayerShape,
    pub(crate) output: LayerShape,
    /// The number of its own parameters, without those of the layers within it.
    pub(crate) parameters: usize,
    /// The layers within it.
    pub(crate) inner: Vec<PlacedLayer>,
}

/// Returns the shape of the input, then each layer's output shape. `scope` is the first part of the
/// layers' names.
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

/// Returns the name, kind, input and output of each layer.
///
/// # Errors
/// If a layer does not fit; [`NetworkError::TooLarge`] beyond the limits of one network.
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

/// Returns the number of layers, including those within others.
fn count(layers: &[LayerConfig]) -> usize {
    let within = layers.iter().map(|layer| match layer {
        LayerConfig::Residual { layers } => count(layers),
        _ => 0,
    });
    layers.len() + within.sum::<usize>()
}

/// Checks that all layers together stay within the limits of one network.
fn check_sizes(placed: &[PlacedLayer]) -> Result<(), NetworkError> {
    let (parameters, activations) = sizes(placed);
    within("a network's parameters", parameters, MAX_PARAMETERS)?;
    within("the numbers between a network's layers", activations, MAX_ACTIVATIONS)
}

/// Returns the number of parameters and of outputs of all layers, including those within others.
fn sizes(placed: &[PlacedLayer]) -> (usize, usize) {
    placed.iter().fold((0, 0), |(parameters, activations), layer| {
        let inner = sizes(&layer.inner);
        (parameters + layer.parameters + inner.0, activations + layer.output.size() + inner.1)
    })
}

impl NetworkConfig {
    /// Returns the name, kind, input and output of each layer for examples of this shape. The
    /// errors are those of [`Sequential::new`](super::Sequential::new).
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

    /// Checks that a network for examples of this shape can be built, without building it.
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
