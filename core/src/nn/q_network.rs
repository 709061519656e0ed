//! The networks of the DQN family: a body of convolutions and hidden layers, and a head.

use std::ops::Range;

use rand::Rng;
use tch::Tensor;

use super::layer_shape::limited;
use super::{
    ConvConfig, ConvLayers, DuelingHead, Linear, MAX_WIDTH, MlpConfig, MlpLayers, Network,
    NetworkError, Parameters, ParametersBuilder, PictureShape, Plan,
};

/// What a [`QNetwork`] looks like.
#[derive(Debug, Clone, PartialEq)]
pub struct QNetworkConfig {
    /// The convolutions that come first; none, and rows of numbers are read.
    pub conv: Vec<ConvConfig>,
    /// The hidden layers, the output layer and the activation of all, the convolutions included.
    pub mlp: MlpConfig,
    /// Ends with a value and advantages ([`DuelingHead`]) instead of one layer.
    pub dueling: bool,
    /// The numbers that describe an action: 1 for its value, more for a distribution.
    pub atoms: usize,
    /// Makes every fully connected layer noisy ([`Noise`](super::Noise)), with this σ₀.
    pub noise: Option<f32>,
}

impl Default for QNetworkConfig {
    fn default() -> Self {
        Self { conv: vec![], mlp: MlpConfig::default(), dueling: false, atoms: 1, noise: None }
    }
}

impl QNetworkConfig {
    /// The architecture of a network with this body, for its checkpoint.
    fn describe(&self, shape: &[usize], actions: usize, hidden: &MlpLayers) -> String {
        let Self { conv, dueling, atoms, noise, .. } = self;
        let convolutions: Vec<_> = conv
            .iter()
            .map(|ConvConfig { channels, kernel, stride }| format!("{channels}/{kernel}/{stride}"))
            .collect();
        format!(
            "a Q-network of {shape:?}, convolutions {convolutions:?}, {}, {actions} actions of {atoms} \
             atoms, dueling: {dueling}, noisy: {}",
            hidden.description(),
            noise.is_some(),
        )
    }
}

/// Values of actions, or distributions of returns: `[B, inputs]` to `[B, actions · atoms]`, the
/// atoms of an action side by side.
#[derive(Debug)]
pub struct QNetwork {
    conv: Option<ConvLayers>,
    hidden: MlpLayers,
    head: Head,
    plan: Plan,
    parameters: Parameters,
    description: String,
}

#[derive(Debug)]
enum Head {
    Plain(Linear),
    Dueling(DuelingHead),
}

impl QNetwork {
    /// Builds it and draws its initial parameters from `rng`, the convolutions' first.
    ///
    /// `shape` is that of an observation. Convolutions read `[H, W, C]`, channels last as
    /// Gymnasium's pictures are, or `[H, W]` for one channel.
    ///
    /// # Errors
    /// [`NetworkError::NotAPicture`] for convolutions over another shape, and what the layers
    /// return.
    pub fn new<R: Rng + ?Sized>(
        config: &QNetworkConfig,
        shape: &[usize],
        actions: usize,
        rng: &mut R,
    ) -> Result<Self, NetworkError> {
        let QNetworkConfig { conv, mlp, dueling, atoms, noise } = config;
        let mut builder = ParametersBuilder::new();
        let conv = match conv.as_slice() {
            [] => None,
            layers => {
                let init = (mlp.weight, mlp.bias);
                let picture = picture(shape)?;
                Some(ConvLayers::new(layers, picture, mlp.activation, init, &mut builder)?)
            }
        };
        let width = limited("an observation's numbers", shape, MAX_WIDTH)?;
        let width = conv.as_ref().map_or(width, |conv| conv.output().size());
        let hidden = MlpLayers::body(mlp, width, &mut builder)?;
        let init = (mlp.output_weight, mlp.bias);
        let head = if *dueling {
            let head = DuelingHead::new(hidden.outputs(), actions, *atoms, init, &mut builder)?;
            Head::Dueling(head)
        } else {
            let outputs = limited("a network's outputs", &[actions, *atoms], MAX_WIDTH)?;
            Head::Plain(Linear::new(hidden.outputs(), outputs, init.0, init.1, &mut builder)?)
        };
        let plan = conv.as_ref().map_or_else(|| Plan::new(width), ConvLayers::plan);
        let plan = head.append_to(hidden.append_to(plan));
        let parameters = match noise {
            None => builder.build(rng)?,
            Some(sigma) => {
                let layers = [hidden.linear(), head.linear()].concat();
                builder.build_noisy(&layers, *sigma, rng)?
            }
        };
        let description = config.describe(shape, actions, &hidden);
        Ok(Self { conv, hidden, head, plan, parameters, description })
    }

    /// How it is evaluated without libtorch, which can always be done.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the convolutions make of pictures, `[B, inputs]` to `[B, features]`, differentiable; without
    /// convolutions the rows as they are.
    ///
    /// # Panics
    /// As [`forward`](Network::forward).
    pub fn encode(&self, input: &Tensor) -> Tensor {
        self.conv.as_ref().map_or_else(|| input.shallow_clone(), |conv| conv.forward(input))
    }

    /// Where the convolutions' parameters lie in the flat vector: at its beginning.
    pub fn encoder_range(&self) -> Range<usize> {
        0..self.conv.as_ref().map_or(0, ConvLayers::parameters_end)
    }
}

/// The shape of an observation as that of a picture.
fn picture(shape: &[usize]) -> Result<PictureShape, NetworkError> {
    match *shape {
        [height, width] => Ok(PictureShape { height, width, channels: 1 }),
        [height, width, channels] => Ok(PictureShape { height, width, channels }),
        _ => Err(NetworkError::NotAPicture { shape: shape.to_vec() }),
    }
}

impl Head {
    fn forward(&self, features: &Tensor) -> Tensor {
        match self {
            Self::Plain(layer) => layer.forward(features),
            Self::Dueling(head) => head.forward(features),
        }
    }

    fn linear(&self) -> Vec<&Linear> {
        match self {
            Self::Plain(layer) => vec![layer],
            Self::Dueling(head) => head.linear(),
        }
    }

    fn append_to(&self, plan: Plan) -> Plan {
        match self {
            Self::Plain(layer) => plan.then(layer, super::Activation::Identity),
            Self::Dueling(head) => plan.dueling(head),
        }
    }
}

impl Network for QNetwork {
    fn inputs(&self) -> usize {
        self.plan.inputs()
    }

    fn outputs(&self) -> usize {
        self.plan.outputs()
    }

    fn forward(&self, input: &Tensor) -> Tensor {
        let features = self.hidden.forward(&self.encode(input)); // [B, H]
        self.head.forward(&features) // [B, actions · atoms]
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn plan(&self) -> Option<&Plan> {
        Some(&self.plan)
    }

    fn description(&self) -> String {
        self.description.clone()
    }

    /// Applies the noise that was drawn last to the new values.
    fn after_step(&mut self) -> Result<(), NetworkError> {
        self.parameters.apply_noise();
        Ok(())
    }

    super::parameters_are_all!();
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::nn::{Activation, Mlp, Scratch};

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    #[test]
    fn without_switches_it_is_a_perceptron() {
        let mlp = Mlp::new(&MlpConfig::default(), 4, 2, &mut rng()).unwrap();
        let ours = QNetwork::new(&QNetworkConfig::default(), &[4], 2, &mut rng()).unwrap();
        assert_eq!(ours.parameters().values(), mlp.parameters().values());
    }

    #[test]
    fn every_composition_agrees_with_libtorch() {
        let scratch = &mut Scratch::default();
        let (nature, min_atar) = (ConvConfig::nature(), ConvConfig::min_atar());
        let strided = vec![ConvConfig { channels: 5, kernel: 2, stride: 3 }; 2];
        let mlp = MlpConfig { hidden: vec![16], ..MlpConfig::default() };
        for (conv, shape) in [
            (nature, &[84, 84, 4][..]),
            (min_atar, &[10, 10, 4]),
            (strided, &[11, 9]),
            (vec![], &[3, 2]),
        ] {
            for (dueling, atoms, noise) in
                [(false, 1, None), (true, 1, Some(0.5)), (false, 5, Some(0.5)), (true, 7, None)]
            {
                let (conv, mlp) = (conv.clone(), mlp.clone());
                let config = QNetworkConfig { conv, mlp, dueling, atoms, noise };
                let mut network = QNetwork::new(&config, shape, 3, &mut rng()).unwrap();
                network.parameters_mut().draw_noise(&mut rng());
                let mut rng = rng();
                let x: Vec<f32> = (0..3 * network.inputs()).map(|_| rng.random()).collect();
                let mut ours = vec![f32::NAN; 3 * 3 * atoms];
                network.evaluate(&x, 3, scratch, &mut ours).unwrap();
                let x = Tensor::from_slice(&x).view([3, -1]);
                let theirs = tch::no_grad(|| network.forward(&x));
                let theirs = Vec::<f32>::try_from(theirs.reshape(-1)).unwrap();
                for (a, b) in ours.iter().zip(&theirs) {
                    assert!((a - b).abs() <= 1e-5 * (1.0 + b.abs()), "{config:?}: {a} {b}");
                }
            }
        }
    }

    #[test]
    fn a_convolution_by_hand() {
        // Pictures of 3 by 3 pixels and 2 channels: the first counts pixels, the second ones.
        let conv = vec![ConvConfig { channels: 1, kernel: 2, stride: 1 }];
        let mlp =
            MlpConfig { hidden: vec![], activation: Activation::Relu, ..MlpConfig::default() };
        let config = QNetworkConfig { conv, mlp, ..QNetworkConfig::default() };
        let mut network = QNetwork::new(&config, &[3, 3, 2], 1, &mut rng()).unwrap();
        // By kernel row, kernel column, channel: 1 · upper left − 1 · lower right + 10 · ones above
        // on the right, and −4 as the bias; then the four places weigh 1, 10, 100, 1000.
        let kernel = [1.0, 0.0, 0.0, 10.0, 0.0, 0.0, -1.0, 0.0];
        let head = [1.0, 10.0, 100.0, 1000.0, 0.5];
        let values = [&kernel[..], &[-4.0], &head].concat();
        network.parameters_mut().load(&values).unwrap();
        let mut picture = [0.0_f32; 18];
        (0..9).for_each(|pixel| picture[2 * pixel] = pixel as f32);
        picture[2 + 1] = 1.0; // upper middle: above on the right of the first place
        picture[2 * 5 + 1] = 1.0; // right middle: of the last one
        // The pixel counts differ by −4 everywhere: −8 + 10 at two places, ReLU(−8) at the others.
        let expected = 2.0 * 1.0 + 2.0 * 1000.0 + 0.5;
        let mut out = [0.0];
        network.evaluate(&picture, 1, &mut Scratch::default(), &mut out).unwrap();
        assert_eq!(out, [expected]);
        let theirs = network.forward(&Tensor::from_slice(&picture).view([1, 18]));
        assert_eq!(theirs.double_value(&[0, 0]) as f32, expected);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let config = |conv| QNetworkConfig { conv, ..QNetworkConfig::default() };
        let error = |conv, shape: &[usize]| {
            QNetwork::new(&config(conv), shape, 2, &mut rng()).map(drop).unwrap_err().to_string()
        };
        assert!(error(ConvConfig::min_atar(), &[4]).contains("[4]"));
        // Its first layer leaves one pixel, which the second one's kernel does not fit.
        assert!(error(ConvConfig::nature(), &[10, 10, 4]).contains("4 does not fit into 1 by 1"));
        let empty = ConvConfig { channels: 0, kernel: 1, stride: 1 };
        assert!(error(vec![empty], &[4, 4]).contains("channels"));
        let still = ConvConfig { channels: 1, kernel: 1, stride: 0 };
        assert!(error(vec![still], &[4, 4]).contains("stride"));
    }
}
