//! What every kind of network holds to.

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::init::Init;
use crate::transfer::{Lora, LoraConfig, PrefixTuning, PrefixTuningConfig};

const MOST: usize = usize::MAX;

fn rng() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(2)
}

fn transformer(norm_first: bool) -> Transformer {
    let config = TransformerConfig { norm_first, ..TransformerConfig::default() };
    Transformer::new(&config, 16, 3, &mut rng()).unwrap()
}

/// One of each, of 16 numbers to 3.
fn networks() -> Vec<Box<dyn Network>> {
    let q = |dueling, atoms, conv: &[ConvConfig], shape: &[usize], actions| {
        let encoder = ConvConfig::layers(conv, Activation::Relu);
        let config = QNetworkConfig { dueling, atoms, encoder, ..QNetworkConfig::default() };
        let config = QNetworkConfig { noise: Some(0.5), ..config };
        config.build(&[shape.to_vec()], actions, &mut rng()).unwrap()
    };
    let conv = [ConvConfig { channels: 2, kernel: 2, stride: 1 }];
    let layers = NetworkConfig::cnn(&[4], 10, Activation::Relu).linear_head(3);
    let linear = NetworkConfig::mlp(&[8], Activation::Tanh).linear_head(3);
    let linear = Sequential::new(&linear, &[16], &mut rng()).unwrap();
    let prefixes = PrefixTuningConfig::default();
    vec![
        Box::new(MlpConfig::default().build(16, 3, &mut rng()).unwrap()),
        Box::new(q(false, 1, &conv, &[4, 4], 3)),
        Box::new(q(true, 3, &[], &[16], 1)),
        Box::new(Sequential::new(&layers, &[4, 4], &mut rng()).unwrap()),
        Box::new(Lora::new(linear, &LoraConfig::default(), &mut rng()).unwrap()),
        Box::new(transformer(false)),
        Box::new(transformer(true)),
        Box::new(PrefixTuning::new(transformer(false), &prefixes, &mut rng()).unwrap()),
    ]
}

#[test]
fn no_rows_make_no_rows() {
    for (i, network) in networks().iter().enumerate() {
        let none = Tensor::zeros([0, 16], tch::kind::FLOAT_CPU);
        assert_eq!(network.try_forward(&none).unwrap().size(), [0, 3], "{i}");
        assert_eq!(network.predict(&none).size(), [0, 3], "{i}");
        network.evaluate(&[], 0, &mut Scratch::default(), &mut []).unwrap();
    }
}

#[test]
fn rows_of_another_shape_or_kind_are_errors() {
    let float = tch::kind::FLOAT_CPU;
    for network in networks() {
        for shape in [&[2, 15][..], &[16], &[], &[2, 4, 4], &[0, 0]] {
            let error = network.try_forward(&Tensor::zeros(shape, float)).unwrap_err();
            assert!(matches!(error, NetworkError::Input { width: 16, .. }), "{shape:?}: {error}");
        }
        for kind in [Kind::Double, Kind::Int64] {
            let error = network.try_forward(&Tensor::zeros([2, 16], (kind, Device::Cpu)));
            assert!(matches!(error, Err(NetworkError::Kind { .. })));
        }
    }
}

#[test]
fn widths_that_no_memory_holds_are_errors() {
    let conv = |channels, kernel| {
        ConvConfig::layers(&[ConvConfig { channels, kernel, stride: 1 }], Activation::Relu)
    };
    let (zeros, rng) = (Init::Zeros, &mut rng());
    for n in [MOST, 1 << 63, 1 << 40, 1 << 33] {
        let builder = &mut ParametersBuilder::new();
        let mlp = MlpConfig { hidden: vec![n], ..MlpConfig::default() };
        let long = MlpConfig { hidden: vec![1; 1 << 14], ..MlpConfig::default() };
        let q = |atoms, encoder| QNetworkConfig { atoms, encoder, ..QNetworkConfig::default() };
        let build = |config: QNetworkConfig, shape: &[usize], actions| {
            config.build(&[shape.to_vec()], actions, &mut ChaCha8Rng::seed_from_u64(2)).map(drop)
        };
        let dueling = QNetworkConfig { dueling: true, ..q(n, vec![]) };
        let wide = TransformerConfig { width: n, heads: 1, ..TransformerConfig::default() };
        let init = (zeros, zeros);
        for (i, built) in [
            mlp.build(4, 2, rng).map(drop),
            MlpConfig::default().build(n, 2, rng).map(drop),
            MlpConfig::default().build(4, n, rng).map(drop),
            long.build(4, 2, rng).map(drop),
            Linear::new(n, n, zeros, zeros, builder).map(drop),
            MultiheadAttention::new(n, 1, "attention", builder).map(drop),
            DuelingHead::new(4, n, n, init, builder).map(drop),
            build(q(n, vec![]), &[4], n),
            build(dueling, &[4], 2),
            build(q(1, conv(1, n)), &[n, n, n], 2),
            build(q(1, vec![]), &[n, n], 2),
            Transformer::new(&wide, 16, 2, rng).map(drop),
            Transformer::new(&TransformerConfig::default(), n / 8 * 8, 2, rng).map(drop),
            TransformerEncoderLayer::new(&wide, "block", builder).map(drop),
        ]
        .into_iter()
        .enumerate()
        {
            let is_refused =
                matches!(built, Err(NetworkError::TooLarge { .. } | NetworkError::Layer { .. }));
            assert!(is_refused, "{i}, {n}: {built:?}");
        }
    }
}

#[test]
fn rates_and_deviations_that_are_none_are_errors() {
    let mut network = MlpConfig::default().build(2, 1, &mut rng()).unwrap();
    let other = MlpConfig::default().build(2, 1, &mut rng()).unwrap();
    let before = network.parameters().to_vec();
    for tau in [f32::NAN, -0.1, 1.1, f32::INFINITY] {
        let error = network.parameters_mut().polyak(other.parameters(), tau).unwrap_err();
        assert!(matches!(error, NetworkError::Rate { .. }), "{error}");
    }
    assert_eq!(network.parameters().values(), before);
    for sigma in [f32::NAN, -0.5, f32::INFINITY] {
        let config = QNetworkConfig { noise: Some(sigma), ..QNetworkConfig::default() };
        let error = config.build(&[vec![2]], 2, &mut rng()).map(drop).unwrap_err();
        assert!(matches!(error, NetworkError::Sigma { .. }), "{error}");
    }
}
