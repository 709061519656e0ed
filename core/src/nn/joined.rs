//! Several encoders side by side, whose joined features a head reads.

use tch::Tensor;

use super::dropout::Masks;
use super::layers;
use super::{
    Activation, Buffers, DuelingHead, LayerConfig, LayerShape, Layers, Linear, MAX_LAYERS,
    MAX_WIDTH, Module, NamedParameter, NetworkError, ParametersBuilder, Plan, limited,
};

/// A network for rows of several parts, such as a picture and some numbers. An encoder reads each
/// part; their outputs are joined in one row, which the head reads. One part gives an encoder and a
/// head; parts without layers give a head alone.
#[derive(Debug)]
pub struct Joined {
    parts: Vec<Layers>,
    head: Layers,
    /// The output layer of a Q-network, with the network's description.
    output: Option<(Output, String)>,
    inputs: usize,
}

/// The output layer of a Q-network ([`QNetworkConfig`](super::QNetworkConfig)).
#[derive(Debug)]
pub(super) enum Output {
    Linear(Linear),
    Dueling(DuelingHead),
}

/// One part of a row: its shape and the layers of its encoder.
pub type EncodedPart = (LayerShape, Vec<LayerConfig>);

impl Joined {
    /// Returns the encoder of each part of an observation whose parts have these shapes. Pictures,
    /// `[H, W, C]` or `[H, W]`, go through `encoder`; rows are passed on unchanged. Without a
    /// picture, the encoder reads the whole row. Without an encoder, the observation is one row.
    ///
    /// # Errors
    /// [`NetworkError::TooLarge`], [`NetworkError::Empty`].
    pub fn parts(
        shapes: &[Vec<usize>],
        encoder: &[LayerConfig],
    ) -> Result<Vec<EncodedPart>, NetworkError> {
        let size = |shape: &[usize]| limited("an input's numbers", shape, MAX_WIDTH);
        let is_picture = |shape: &[usize]| matches!(shape.len(), 2 | 3);
        let any_picture = shapes.iter().any(|shape| is_picture(shape));
        if encoder.is_empty() || !any_picture {
            let sizes = shapes.iter().map(|shape| size(shape)).collect::<Result<Vec<_>, _>>()?;
            let width = sizes.iter().fold(0, |sum: usize, n| sum.saturating_add(*n));
            return Ok(vec![(LayerShape::of(&[width])?, encoder.to_vec())]);
        }
        let part = |shape: &Vec<usize>| {
            if is_picture(shape) {
                Ok((LayerShape::of(shape)?, encoder.to_vec()))
            } else {
                Ok((LayerShape::of(&[size(shape)?])?, Vec::new()))
            }
        };
        shapes.iter().map(part).collect()
    }

    /// Declares the layers of each part, then those of the head. If one part has layers, they are
    /// called `encoder.0`, …, otherwise `encoder.part0.0`, …; the head's are `head.0`, …. The seed
    /// determines the dropout masks.
    ///
    /// # Errors
    /// As [`Layers::new`].
    pub fn new(
        parts: &[EncodedPart],
        head: &[LayerConfig],
        dropout_seed: u64,
        builder: &mut ParametersBuilder,
    ) -> Result<Self, NetworkError> {
        let count = parts.iter().map(|(_, layers)| layers.len()).sum::<usize>();
        if count.saturating_add(head.len()).saturating_add(parts.len()) > MAX_LAYERS {
            let (what, limit) = ("a network's layers", MAX_LAYERS);
            return Err(NetworkError::TooLarge { what, limit });
        }
        let alone = parts.iter().filter(|(_, layers)| !layers.is_empty()).count() == 1;
        let scope =
            |i: usize| if alone { "encoder".to_owned() } else { format!("encoder.part{i}") };
        let parts = parts.iter().enumerate().map(|(i, (shape, layers))| {
            Layers::new(layers, &scope(i), *shape, dropout_seed, builder)
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let [inputs, features] = [Layers::input, Layers::output].map(|shape| {
            parts.iter().fold(0, |sum: usize, part| sum.saturating_add(shape(part).size()))
        });
        for (what, width) in [("an input's numbers", inputs), ("an encoder's features", features)] {
            limited(what, &[width], MAX_WIDTH)?;
        }
        let head = Layers::new(head, "head", LayerShape::Row(features), dropout_seed, builder)?;
        Ok(Self { parts, head, output: None, inputs })
    }

    /// Adds an output layer behind the head. `description` is that of the whole network.
    pub(super) fn followed_by(self, output: Output, description: String) -> Self {
        Self { output: Some((output, description)), ..self }
    }

    /// Returns whether a part has layers.
    fn encodes(&self) -> bool {
        self.parts.iter().any(|part| !part.is_empty())
    }

    /// Returns the dropout masks of all layers, which share one stream.
    fn masks(&self) -> &Masks {
        self.head.masks()
    }

    fn all(&self) -> Vec<&Layers> {
        self.parts.iter().chain([&self.head]).collect()
    }

    /// Maps `[B, inputs]` to `[B, features]`.
    fn features_of(&self, input: &Tensor, training: bool) -> Tensor {
        if !self.encodes() {
            return input.shallow_clone();
        }
        if let [part] = self.parts.as_slice() {
            return part.rows(input, training, self.masks());
        }
        let mut start = 0;
        let parts = self.parts.iter().map(|part| {
            let width = part.input().size() as i64;
            let columns = input.narrow(1, start, width);
            start += width;
            part.rows(&columns, training, self.masks())
        });
        Tensor::cat(&parts.collect::<Vec<_>>(), 1)
    }
}

impl Module for Joined {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        match &self.output {
            None => self.head.output().size(),
            Some((Output::Linear(layer), _)) => layer.outputs(),
            Some((Output::Dueling(head), _)) => head.advantage.outputs(),
        }
    }

    fn forward(&self, input: &Tensor, training: bool) -> Tensor {
        let x = self.head.rows(&self.features_of(input, training), training, self.masks());
        match &self.output {
            None => x,
            Some((Output::Linear(layer), _)) => layer.forward(&x), // [B, actions · atoms]
            Some((Output::Dueling(head), _)) => head.forward(&x),
        }
    }

    fn description(&self) -> String {
        if let Some((_, description)) = &self.output {
            return description.clone();
        }
        let parts: Vec<_> = self.parts.iter().map(Module::description).collect();
        format!("{} joined, {}", parts.join(" and "), self.head.description())
    }

    fn append_to(&self, plan: Plan) -> Option<Plan> {
        let plan = match self.parts.as_slice() {
            [part] => part.append_to(plan)?,
            parts => {
                let parts = parts.iter().map(|part| (part as &dyn Module).plan());
                plan.side_by_side(parts.collect::<Option<_>>()?)
            }
        };
        let plan = self.head.append_to(plan)?;
        Some(match &self.output {
            None => plan,
            Some((Output::Linear(layer), _)) => plan.then(layer, Activation::Identity),
            Some((Output::Dueling(head), _)) => plan.dueling(head),
        })
    }

    fn trains_as_evaluated(&self) -> bool {
        self.all().into_iter().all(Module::trains_as_evaluated)
    }

    /// The layers behind the encoders.
    fn linear(&self) -> Vec<&Linear> {
        let mut layers = self.head.linear();
        match &self.output {
            None => {}
            Some((Output::Linear(layer), _)) => layers.push(layer),
            Some((Output::Dueling(head), _)) => layers.extend(head.linear()),
        }
        layers
    }

    fn least_rows(&self) -> i64 {
        self.all().into_iter().map(Module::least_rows).max().unwrap_or(0)
    }

    fn encode(&self, input: &Tensor, training: bool) -> Option<Tensor> {
        self.encodes().then(|| self.features_of(input, training))
    }

    fn buffers(&self) -> Buffers {
        layers::buffers(&self.all())
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        layers::named_buffers(&self.all())
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        layers::load_buffers(self.parts.iter_mut().chain([&mut self.head]).collect(), buffers)
    }
}
