//! Structured pruning: removes hidden units and channels.

use std::collections::BTreeMap;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use super::mask::{norms, share, units};
use super::{CompressionError, check_amount, check_finite};
use crate::nn::{LayerConfig, LayerShape, Network as _, NetworkConfig, PlacedLayer, Sequential};
use crate::require;

/// A layer whose units can be removed: another layer reads them with weights, and no layer in
/// between mixes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenLayer {
    /// The name of the layer, such as `encoder.0`.
    pub name: String,
    /// The number of its units: outputs, or channels.
    pub units: usize,
}

/// Returns the layers of a network whose units can be removed, first to last. Layers before a
/// normalisation over units (layer, group or RMS normalisation), a softmax, a residual block or a custom
/// layer are excluded, and so are the layers inside a residual block.
pub fn hidden_layers(network: &Sequential) -> Vec<HiddenLayer> {
    let (mut hidden, mut candidate) = (Vec::new(), None);
    for PlacedLayer { name, config, .. } in placed(network) {
        match config {
            LayerConfig::Linear { outputs: units, .. }
            | LayerConfig::Conv2d { channels: units, .. } => {
                hidden.extend(candidate.replace(HiddenLayer { name, units }));
            }
            config if mixes_units(&config) => candidate = None,
            _ => {}
        }
    }
    hidden
}

fn placed(network: &Sequential) -> Vec<PlacedLayer> {
    let layers = network.config().layers(&network.input_shape().of_example());
    layers.expect("the network was built of it")
}

fn mixes_units(layer: &LayerConfig) -> bool {
    matches!(
        layer,
        LayerConfig::Softmax
            | LayerConfig::LayerNorm { .. }
            | LayerConfig::GroupNorm { .. }
            | LayerConfig::RmsNorm { .. }
            | LayerConfig::Residual { .. }
            | LayerConfig::Custom(_)
    )
}

/// Removes the fraction `amount` of the units of each [hidden layer](hidden_layers): those whose
/// weights have the smallest Lₙ norm (Li et al. 2017, <https://arxiv.org/abs/1608.08710>, with n =
/// 1). At least one unit stays.
///
/// # Errors
/// [`CompressionError::Setting`] unless `amount` lies in [0, 1] and `n` is positive, or if the
/// norms overflow or vanish; [`CompressionError::NotFinite`].
pub fn prune_units(
    network: &Sequential,
    amount: f64,
    n: f64,
) -> Result<Sequential, CompressionError> {
    check_amount(amount)?;
    require(n > 0.0, "n", n, "positive")?;
    check_finite("the weights", network.parameters().values())?;
    let named = network.named_parameters();
    let keep = |layer: HiddenLayer| {
        let name = format!("{}.weight", layer.name);
        let weights = named.iter().find(|one| one.name == name).expect("the layer has weights");
        let norms = norms(&units(weights), network.parameters().values(), n)?;
        let mut order: Vec<usize> = (0..layer.units).collect();
        order.sort_by(|&a, &b| norms[a].total_cmp(&norms[b]));
        let goes = share(amount, layer.units).min(layer.units - 1);
        let mut kept = order.split_off(goes);
        kept.sort_unstable();
        Ok((layer.name, kept))
    };
    let kept: Result<_, CompressionError> = hidden_layers(network).into_iter().map(keep).collect();
    keep_units(network, &kept?)
}

/// Returns a smaller network with only these units of the named layers and all units of the others.
/// It keeps their weights and running statistics. If the removed units had no effect, it computes
/// the same.
///
/// # Errors
/// [`CompressionError::UnknownName`] for a layer that is not [hidden](hidden_layers);
/// [`CompressionError::Units`] unless the units are numbers of the layer's units, in ascending
/// order.
pub fn keep_units(
    network: &Sequential,
    kept: &BTreeMap<String, Vec<usize>>,
) -> Result<Sequential, CompressionError> {
    let hidden = hidden_layers(network);
    for (name, units) in kept {
        let Some(layer) = hidden.iter().find(|layer| layer.name == *name) else {
            let (name, known) =
                (name.clone(), hidden.into_iter().map(|layer| layer.name).collect());
            return Err(CompressionError::UnknownName { name, known });
        };
        let rising = units.is_sorted_by(|a, b| a < b);
        if !rising || units.last().is_none_or(|&last| last >= layer.units) {
            let (layer, units, got) = (name.clone(), layer.units, units.clone());
            return Err(CompressionError::Units { layer, units, got });
        }
    }
    let mut smaller = empty(network, kept)?;
    let mut numbers = Vec::new(); // of the buffers
    let (buffers, named_buffers) = (network.buffers(), network.named_buffers());
    let mut present: Vec<usize> = (0..network.input_shape().channels()).collect();
    for layer in placed(network) {
        let before = present.clone();
        present = after(&layer, before.clone(), kept);
        let chosen = |shape: &[usize], values: &[f32]| -> Vec<f32> {
            let of_weights = matches!(
                (&layer.config, shape.len()),
                (LayerConfig::Linear { .. } | LayerConfig::Conv2d { .. }, 2..)
            );
            match (&layer.config, of_weights) {
                (LayerConfig::Linear { .. }, true) => select(values, shape, &[&before, &present]),
                (LayerConfig::Conv2d { .. }, true) => select(values, shape, &[&present, &before]),
                // One number a unit, as a bias; all that there are where units are not told apart.
                _ if shape == [layer.output.channels()] => select(values, shape, &[&present]),
                _ => values.to_vec(),
            }
        };
        let prefix = format!("{}.", layer.name);
        for one in network.named_parameters() {
            if one.name.starts_with(&prefix) {
                let values = &network.parameters().values()[one.range.clone()];
                smaller.parameters_mut().load_named(&one.name, &chosen(&one.shape, values))?;
            }
        }
        for one in named_buffers.iter().filter(|one| one.name.starts_with(&prefix)) {
            numbers.extend(chosen(&one.shape, &buffers.numbers[one.range.clone()]));
        }
    }
    smaller.load_buffers(&crate::nn::Buffers { numbers, draws: buffers.draws })?;
    Ok(smaller)
}

/// The smaller network, before it has its weights.
fn empty(
    network: &Sequential,
    kept: &BTreeMap<String, Vec<usize>>,
) -> Result<Sequential, CompressionError> {
    let narrow = |scope: &str, layers: &[LayerConfig]| {
        let narrowed = layers.iter().enumerate().map(|(i, layer)| {
            match (layer.clone(), kept.get(&format!("{scope}.{i}")).map(Vec::len)) {
                (LayerConfig::Linear { weight, bias, .. }, Some(outputs)) => {
                    LayerConfig::Linear { outputs, weight, bias }
                }
                (
                    LayerConfig::Conv2d { kernel, stride, padding, weight, bias, .. },
                    Some(channels),
                ) => LayerConfig::Conv2d { channels, kernel, stride, padding, weight, bias },
                (layer, _) => layer,
            }
        });
        narrowed.collect()
    };
    let NetworkConfig { encoder, head, dropout_seed } = network.config();
    let config = NetworkConfig {
        encoder: narrow("encoder", encoder),
        head: narrow("head", head),
        dropout_seed: *dropout_seed,
    };
    // What is drawn is replaced.
    let rng = &mut ChaCha8Rng::seed_from_u64(0);
    Ok(Sequential::new(&config, &network.input_shape().of_example(), rng)?)
}

/// Which units there are after a layer, of those that it returned before.
fn after(
    layer: &PlacedLayer,
    before: Vec<usize>,
    kept: &BTreeMap<String, Vec<usize>>,
) -> Vec<usize> {
    match layer.config {
        LayerConfig::Linear { outputs: units, .. }
        | LayerConfig::Conv2d { channels: units, .. } => {
            kept.get(&layer.name).cloned().unwrap_or_else(|| (0..units).collect())
        }
        LayerConfig::Flatten => {
            let pixels = match layer.input {
                LayerShape::Row(_) => 1,
                LayerShape::Picture(picture) => picture.height * picture.width,
            };
            let of_channel = |channel: usize| channel * pixels..(channel + 1) * pixels;
            before.into_iter().flat_map(of_channel).collect()
        }
        _ => before,
    }
}

/// The numbers at these places of the first dimensions.
fn select(values: &[f32], shape: &[usize], places: &[&[usize]]) -> Vec<f32> {
    let shape: Vec<i64> = shape.iter().map(|&n| n as i64).collect();
    let mut tensor = Tensor::from_slice(values).view(shape.as_slice());
    for (dimension, places) in (0..).zip(places) {
        let places: Vec<i64> = places.iter().map(|&place| place as i64).collect();
        tensor = tensor.index_select(dimension, &Tensor::from_slice(&places));
    }
    let mut selected = vec![0.0; tensor.numel()];
    tensor.contiguous().copy_data(&mut selected, tensor.numel());
    selected
}
