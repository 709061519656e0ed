//! The networks of the DQN family: an encoder for pictures, hidden layers, and a head.

use rand::Rng;

use super::joined::Output;
use super::{
    DuelingHead, Joined, LayerConfig, Linear, MAX_WIDTH, MlpConfig, Module, Net, NetworkError,
    ParametersBuilder, limited,
};
use crate::init::Init;

/// The layers of a network of action values, or of return distributions: `[B, inputs]` to
/// `[B, actions · atoms]`, the atoms of an action side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct QNetworkConfig {
    /// The layers that read pictures ([`Joined::parts`]). Empty: the observation is read as one
    /// row.
    pub encoder: Vec<LayerConfig>,
    /// The layers between the encoder and the output layer.
    pub hidden: Vec<LayerConfig>,
    /// Whether the network ends with a dueling head ([`DuelingHead`]) instead of one layer.
    pub dueling: bool,
    /// The number of outputs per action: 1 for its value, more for a distribution.
    pub atoms: usize,
    /// The initial σ₀ of noise on every fully connected layer behind the encoder
    /// ([`Noise`](super::Noise)). `None`: no noise.
    pub noise: Option<f32>,
    /// The seed of the dropout masks.
    pub dropout_seed: u64,
}

impl Default for QNetworkConfig {
    /// Two hidden layers of 64 with ReLU.
    fn default() -> Self {
        Self {
            encoder: vec![],
            hidden: MlpConfig::default().hidden_layers(),
            dueling: false,
            atoms: 1,
            noise: None,
            dropout_seed: 0,
        }
    }
}

impl QNetworkConfig {
    /// Creates a network for observations whose parts have these shapes and draws its initial
    /// parameters from `rng`, the encoder's first.
    ///
    /// # Errors
    /// As [`declare`](Self::declare); [`NetworkError::Sigma`].
    pub fn build<R: Rng + ?Sized>(
        &self,
        parts: &[Vec<usize>],
        actions: usize,
        rng: &mut R,
    ) -> Result<Net, NetworkError> {
        let declare = |builder: &mut ParametersBuilder| -> Result<Box<dyn Module>, NetworkError> {
            Ok(Box::new(self.declare(parts, actions, builder)?))
        };
        match self.noise {
            None => Net::new(declare, rng),
            Some(sigma) => Net::noisy(declare, sigma, rng),
        }
    }

    /// Declares the layers: `encoder.0`, … and `head.0`, … ([`Joined`]), then `output`, or `value`
    /// and `advantage`. [`build`](Self::build) adds the noise.
    ///
    /// # Errors
    /// As [`Joined::new`]: [`NetworkError::Layer`] for convolutions over rows,
    /// [`NetworkError::Kernel`] for a kernel larger than its picture.
    pub fn declare(
        &self,
        parts: &[Vec<usize>],
        actions: usize,
        builder: &mut ParametersBuilder,
    ) -> Result<Joined, NetworkError> {
        let Self { encoder, hidden, dueling, atoms, dropout_seed, .. } = self;
        let outputs = limited("a network's outputs", &[actions, *atoms], MAX_WIDTH)?;
        let body = Joined::new(&Joined::parts(parts, encoder)?, hidden, *dropout_seed, builder)?;
        let (features, init) = (body.outputs(), Init::LinearDefault);
        let output = if *dueling {
            let init = (init, init);
            Output::Dueling(DuelingHead::new(features, actions, *atoms, init, builder)?)
        } else {
            builder.scope("output");
            Output::Linear(Linear::new(features, outputs, init, init, builder)?)
        };
        let description = format!(
            "a Q-network, {}, {actions} actions of {atoms} atoms, dueling: {dueling}",
            body.description()
        );
        Ok(body.followed_by(output, description))
    }
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use tch::Tensor;

    use super::*;
    use crate::nn::{Activation, ConvConfig, Network as _, Scratch};

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    fn conv(configs: &[ConvConfig]) -> Vec<LayerConfig> {
        ConvConfig::layers(configs, Activation::Relu)
    }

    #[test]
    fn without_switches_it_is_a_perceptron() {
        let mlp = MlpConfig::default().build(4, 2, &mut rng()).unwrap();
        let ours = QNetworkConfig::default().build(&[vec![4]], 2, &mut rng()).unwrap();
        assert_eq!(ours.parameters().values(), mlp.parameters().values());
        let x = Tensor::from_slice(&[0.5_f32, -1.0, 2.0, 0.25]).view([1, 4]);
        assert_eq!(ours.forward(&x), mlp.forward(&x));
    }

    #[test]
    fn every_composition_agrees_with_libtorch() {
        let scratch = &mut Scratch::default();
        let strided = vec![ConvConfig { channels: 5, kernel: 2, stride: 3 }; 2];
        let hidden = MlpConfig { hidden: vec![16], ..MlpConfig::default() }.hidden_layers();
        for (encoder, shape) in [
            (conv(&ConvConfig::nature()), &[84, 84, 4][..]),
            (conv(&ConvConfig::min_atar()), &[10, 10, 4]),
            (conv(&strided), &[11, 9]),
            (vec![], &[3, 2]),
        ] {
            for (dueling, atoms, noise) in
                [(false, 1, None), (true, 1, Some(0.5)), (false, 5, Some(0.5)), (true, 7, None)]
            {
                let (encoder, hidden) = (encoder.clone(), hidden.clone());
                let config =
                    QNetworkConfig { encoder, hidden, dueling, atoms, noise, dropout_seed: 0 };
                let mut network = config.build(&[shape.to_vec()], 3, &mut rng()).unwrap();
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
        let encoder = conv(&[ConvConfig { channels: 1, kernel: 2, stride: 1 }]);
        let config = QNetworkConfig { encoder, hidden: vec![], ..QNetworkConfig::default() };
        let mut network = config.build(&[vec![3, 3, 2]], 1, &mut rng()).unwrap();
        // By channel, kernel row, kernel column: 1 · upper left − 1 · lower right + 10 · ones above
        // on the right, and −4 as the bias; then the four places weigh 1, 10, 100, 1000.
        let kernel = [1.0, 0.0, 0.0, -1.0, 0.0, 10.0, 0.0, 0.0];
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
    fn noise_stays_behind_the_encoder() {
        let encoder = vec![LayerConfig::linear(3), Activation::Tanh.into()];
        let config = QNetworkConfig { encoder, noise: Some(0.5), ..QNetworkConfig::default() };
        let mut network = config.build(&[vec![4]], 2, &mut rng()).unwrap();
        assert_eq!(network.encoder_range(), 0..15);
        let before = network.parameters().effective().to_vec();
        network.parameters_mut().draw_noise(&mut rng());
        let after = network.parameters().effective();
        assert_eq!(before[..15], after[..15]);
        assert!(before[15..].iter().zip(&after[15..]).all(|(a, b)| a != b));
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let error = |layers: &[ConvConfig], shape: &[usize]| {
            let config = QNetworkConfig { encoder: conv(layers), ..QNetworkConfig::default() };
            config.build(&[shape.to_vec()], 2, &mut rng()).map(drop).unwrap_err().to_string()
        };
        assert!(error(&ConvConfig::min_atar(), &[4]).contains("[4]"));
        // Its first layer leaves one pixel, which the second one's kernel does not fit.
        assert!(error(&ConvConfig::nature(), &[10, 10, 4]).contains("4 does not fit into 1 by 1"));
        let empty = ConvConfig { channels: 0, kernel: 1, stride: 1 };
        assert!(error(&[empty], &[4, 4]).contains("channels"));
        let still = ConvConfig { channels: 1, kernel: 1, stride: 0 };
        assert!(error(&[still], &[4, 4]).contains("stride"));
    }
}
