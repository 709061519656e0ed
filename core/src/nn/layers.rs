//! Layers one after another, declared on the [`Parameters`](super::Parameters) of a larger network.

mod built;

use tch::Tensor;

use built::Built;

use super::dropout::Masks;
use super::low_rank::LowRank;
use super::normalization::Running;
use super::placed::place;
use super::{
    Buffers, LayerConfig, LayerShape, Linear, Module, NamedParameter, NetworkError,
    ParametersBuilder, Plan, check_length,
};

/// Layers one after another, built from [`LayerConfig`]s.
///
/// Pictures are read as rows, `[B, H · W · C]`, the channels of a pixel side by side. If the last
/// layer returns pictures, they are returned in the same form.
#[derive(Debug)]
pub struct Layers {
    layers: Vec<Built>,
    configs: Vec<LayerConfig>,
    shapes: Vec<LayerShape>,
    scope: String,
    masks: Masks,
}

impl Layers {
    /// Declares the layers, called `scope.0`, `scope.1`, …. With an empty scope the builder names
    /// the fully connected ones by their number: `0`, `1`, …. The dropout masks depend on the seed
    /// and on the number of masks drawn.
    ///
    /// # Errors
    /// As [`Sequential::new`](super::Sequential::new), before memory is allocated.
    pub fn new(
        configs: &[LayerConfig],
        scope: &str,
        input: LayerShape,
        dropout_seed: u64,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let placed = place(configs, scope, input)?;
        let mut layers = Vec::with_capacity(configs.len());
        let mut shapes = vec![input];
        for layer in placed {
            if !scope.is_empty() {
                builder.scope(&*layer.name);
            }
            let built = Built::new(&layer, layers.last(), dropout_seed, builder)?;
            layers.push(built);
            shapes.push(layer.output);
        }
        let (configs, scope) = (configs.to_vec(), scope.to_owned());
        Ok(Self { layers, configs, shapes, scope, masks: Masks::new(dropout_seed) })
    }

    /// Returns the shape that the first layer reads.
    pub fn input(&self) -> LayerShape {
        self.shapes[0]
    }

    /// Returns the shape that the last layer returns.
    pub fn output(&self) -> LayerShape {
        self.shapes[self.layers.len()]
    }

    /// Returns whether there are no layers.
    pub(super) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Maps the input of the first layer to the output of the last. Each fully connected layer adds
    /// the entry at its index in `additions`, which may be shorter than the layers.
    pub(super) fn run(
        &self,
        x: Tensor,
        training: bool,
        masks: &Masks,
        additions: &[Option<LowRank>],
    ) -> Tensor {
        self.layers.iter().enumerate().fold(x, |x, (i, layer)| match additions.get(i) {
            Some(Some(addition)) => {
                layer.forward(x.shallow_clone(), training, masks) + addition.forward(&x)
            }
            _ => layer.forward(x, training, masks),
        })
    }

    /// Maps rows to rows, with these dropout masks.
    pub(super) fn rows(&self, input: &Tensor, training: bool, masks: &Masks) -> Tensor {
        if self.is_empty() {
            return input.shallow_clone();
        }
        self.output().write(self.run(self.input().read(input), training, masks, &[]))
    }

    /// Returns the dropout masks.
    pub(super) fn masks(&self) -> &Masks {
        &self.masks
    }

    /// Returns each running statistic with the name of its layer.
    fn running(&self) -> Vec<(String, &Running)> {
        let running = self.layers.iter().enumerate().flat_map(|(i, layer)| match layer {
            Built::Normalization(layer) => layer
                .running()
                .map(|one| (format!("{}.{i}", self.scope), one))
                .into_iter()
                .collect(),
            Built::Residual(layers) => layers.running(),
            _ => Vec::new(),
        });
        running.collect()
    }

    /// Sets the running statistics of all layers and returns the numbers left over.
    pub(super) fn load_running<'a>(&self, mut numbers: &'a [f32]) -> &'a [f32] {
        for layer in &self.layers {
            match layer {
                Built::Normalization(layer) => {
                    if let Some(mut running) = layer.running().map(Running::numbers) {
                        let (first, rest) = numbers.split_at(running.len());
                        running.copy_from_slice(first);
                        numbers = rest;
                    }
                }
                Built::Residual(layers) => numbers = layers.load_running(numbers),
                _ => {}
            }
        }
        numbers
    }

    /// Returns whether a plan computes in training mode what the layers do.
    pub(super) fn trains_by_plan(&self) -> bool {
        self.layers.iter().all(Built::trains_by_plan)
    }

    /// Appends the layers to a plan; pictures have their channels first.
    fn append_inner(&self, plan: Plan) -> Option<Plan> {
        let layers = self.layers.iter().zip(self.shapes.windows(2));
        layers
            .into_iter()
            .try_fold(plan, |plan, (layer, shapes)| layer.append_to(plan, shapes[0], shapes[1]))
    }
}

impl Module for Layers {
    fn inputs(&self) -> usize {
        self.input().size()
    }

    fn outputs(&self) -> usize {
        self.output().size()
    }

    fn forward(&self, input: &Tensor, training: bool) -> Tensor {
        self.rows(input, training, &self.masks)
    }

    /// Describes the layers without their initialisers.
    fn description(&self) -> String {
        let layers: Vec<_> = self.configs.iter().map(LayerConfig::uninitialised).collect();
        // Without dropout the seed means nothing: networks with other seeds accept the numbers.
        let seed = match self.trains_as_evaluated() {
            true => String::new(),
            false => format!(", dropout seed {}", self.masks.seed()),
        };
        format!("{layers:?} of {}{seed}", self.input())
    }

    fn append_to(&self, mut plan: Plan) -> Option<Plan> {
        if self.is_empty() {
            return Some(plan);
        }
        if let LayerShape::Picture(picture) = self.input() {
            plan = plan.channels_first(picture);
        }
        plan = self.append_inner(plan)?;
        if let LayerShape::Picture(picture) = self.output() {
            plan = plan.channels_last(picture);
        }
        Some(plan)
    }

    fn trains_as_evaluated(&self) -> bool {
        self.layers.iter().all(Built::trains_as_evaluated)
    }

    fn linear(&self) -> Vec<&Linear> {
        let linear = self.layers.iter().flat_map(|layer| match layer {
            Built::Linear(linear) => vec![linear],
            Built::Residual(layers) => layers.linear(),
            _ => Vec::new(),
        });
        linear.collect()
    }

    /// Batch normalisation needs two numbers per channel.
    fn least_rows(&self) -> i64 {
        let least = self.layers.iter().zip(&self.shapes).map(|(layer, shape)| match layer {
            Built::Normalization(layer) if layer.running().is_some() => {
                if shape.size() == shape.channels() { 2 } else { 1 }
            }
            Built::Residual(layers) => layers.least_rows(),
            _ => 0,
        });
        least.max().unwrap_or(0)
    }

    fn buffers(&self) -> Buffers {
        buffers(&[self])
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        named_buffers(&[self])
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        load_buffers(vec![self], buffers)
    }
}

/// Returns the buffers of a network of these layers, first to last. The last ones' dropout masks
/// are those of all.
pub(super) fn buffers(all: &[&Layers]) -> Buffers {
    let mut numbers = Vec::new();
    let running = all.iter().flat_map(|layers| layers.running());
    running.for_each(|(_, running)| numbers.extend_from_slice(&running.numbers()));
    Buffers { numbers, draws: all.last().map_or(0, |layers| layers.masks.draws()) }
}

/// Returns the names and ranges of the numbers in [`buffers`].
pub(super) fn named_buffers(all: &[&Layers]) -> Vec<NamedParameter> {
    let (mut named, mut start) = (Vec::new(), 0);
    for (layer, running) in all.iter().flat_map(|layers| layers.running()) {
        for name in ["running_mean", "running_var"] {
            let (name, channels) = (format!("{layer}.{name}"), running.numbers().len() / 2);
            let range = start..start + channels;
            start = range.end;
            named.push(NamedParameter { name, shape: vec![channels], range });
        }
    }
    named
}

/// Sets the [`buffers`] of a network of these layers.
pub(super) fn load_buffers(all: Vec<&mut Layers>, buffers: &Buffers) -> Result<(), NetworkError> {
    let running = all.iter().flat_map(|layers| layers.running());
    let expected = running.map(|(_, running)| running.numbers().len()).sum();
    check_length("a network's running statistics", expected, buffers.numbers.len())?;
    let mut numbers = buffers.numbers.as_slice();
    for layers in all {
        numbers = layers.load_running(numbers);
        layers.masks.set_draws(buffers.draws);
    }
    Ok(())
}
