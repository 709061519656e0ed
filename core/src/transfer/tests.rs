use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tch::{Kind, Tensor};

use super::*;
use crate::data::Dataset;
use crate::loss::Loss;
use crate::nn::{
    Activation, Buffers, LayerConfig, Network, NetworkConfig, Sequential, Transformer,
    TransformerConfig,
};
use crate::supervised::{FitConfig, fit};

fn rng(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

fn mlp(outputs: usize, seed: u64) -> Sequential {
    let config = NetworkConfig::mlp(&[16, 12], Activation::Tanh).linear_head(outputs);
    Sequential::new(&config, &[6], &mut rng(seed)).unwrap()
}

fn rows(count: usize, width: usize) -> Tensor {
    let numbers: Vec<f32> = (0..count * width).map(|i| (1.3 * i as f32).sin()).collect();
    Tensor::from_slice(&numbers).view([count as i64, width as i64])
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.reshape(-1)).unwrap()
}

fn task() -> (Dataset, Dataset) {
    let inputs = numbers(&rows(120, 6));
    let targets = inputs.chunks(6).map(|row| f32::from(u8::from(row[0] * row[3] > row[1])));
    let data = Dataset::new(inputs.clone(), 6, targets.collect(), 1).unwrap();
    (data, Dataset::new(vec![], 6, vec![], 1).unwrap())
}

fn train<N: Network>(network: &mut N) -> f64 {
    let (data, none) = task();
    let config = FitConfig { epochs: 30, batch_size: 16, ..FitConfig::adam(1e-2) };
    let history = fit(network, &data, &none, &config, rng(3), &Loss::cross_entropy()).unwrap();
    let epochs = &history.epochs;
    assert!(epochs[epochs.len() - 1].train_loss < 0.8 * epochs[0].train_loss, "it learns");
    history.best().unwrap().loss()
}

/// B as if it had been trained.
fn filled(mut lora: Lora) -> Lora {
    let values = lora.parameters_mut().values_mut();
    (0..).zip(values).for_each(|(i, value)| *value = 0.3 * (0.7 * i as f32).cos());
    lora
}

#[test]
fn lora_begins_as_the_network_and_trains_its_factors_alone() {
    let x = rows(9, 6);
    let expected = mlp(2, 1).forward(&x);
    let config = LoraConfig { rank: 3, ..LoraConfig::default() };
    let mut lora = Lora::new(mlp(2, 1), &config, &mut rng(2)).unwrap();
    assert_eq!(lora.forward(&x), expected); // B is zero
    assert_eq!(lora.parameters().len(), 3 * (6 + 16) + 3 * (16 + 12) + 3 * (12 + 2));
    train(&mut lora);
    assert_ne!(lora.forward(&x), expected);
    assert_eq!(lora.base().parameters().values(), mlp(2, 1).parameters().values());
    assert_eq!(lora.base().forward(&x), expected);
    assert!(!lora.base().forward(&x).requires_grad());
    let mut base = lora.into_base(); // can be trained again
    train(&mut base);
}

#[test]
fn lora_by_hand() {
    let config = NetworkConfig::mlp(&[], Activation::Identity).linear_head(2);
    let mut base = Sequential::new(&config, &[2], &mut rng(1)).unwrap();
    base.parameters_mut().load(&[1.0, 0.0, 0.0, 1.0, 0.5, -0.5]).unwrap();
    let config = LoraConfig { rank: 1, alpha: 3.0, layers: vec!["head.0".to_owned()] };
    let mut lora = Lora::new(base, &config, &mut rng(1)).unwrap();
    assert_eq!(lora.named_parameters()[1].name, "head.0.lora_b");
    lora.parameters_mut().load(&[1.0, 2.0, 10.0, 100.0]).unwrap();
    let x = Tensor::from_slice(&[1.0_f32, -1.0]).view([1, 2]);
    // x A = −1; times B and 3: (−30, −300); x W + b = (1.5, −1.5).
    assert_eq!(numbers(&lora.forward(&x)), [-28.5, -301.5]);
    let merged = lora.merge();
    assert_eq!(merged.network().parameters().values()[..4], [31.0, 300.0, 60.0, 601.0]);
}

#[test]
fn merging_computes_the_same_and_comes_undone_exactly() {
    let picture = NetworkConfig::cnn(&[3], 10, Activation::Relu).linear_head(4);
    for (config, input) in [
        (NetworkConfig::mlp(&[16, 12], Activation::Relu).linear_head(3), vec![6]),
        (picture, vec![4, 4]),
    ] {
        let network = || Sequential::new(&config, &input, &mut rng(1)).unwrap();
        let x = rows(7, input.iter().product());
        let lora = filled(Lora::new(network(), &LoraConfig::default(), &mut rng(2)).unwrap());
        let (before, plain) = (numbers(&lora.predict(&x)), numbers(&network().predict(&x)));
        let merged = lora.merge();
        let after = numbers(&merged.network().predict(&x));
        for ((a, b), plain) in after.iter().zip(&before).zip(plain) {
            assert!((a - b).abs() <= 2e-5 * (1.0 + b.abs()), "{a} {b}");
            assert_ne!(*a, plain);
        }
        let lora = merged.unmerge();
        assert_eq!(lora.base().parameters().values(), network().parameters().values());
        assert_eq!(numbers(&lora.predict(&x)), before);
        let network = lora.merge().into_network();
        assert!(network.forward(&x).requires_grad());
    }
}

#[test]
fn lora_of_some_layers() {
    let config = LoraConfig { layers: vec!["encoder.2".to_owned()], ..LoraConfig::default() };
    let lora = filled(Lora::new(mlp(2, 1), &config, &mut rng(2)).unwrap());
    assert_eq!(lora.parameters().len(), 4 * (16 + 12));
    let merged = lora.merge();
    let (now, then) = (merged.network().parameters(), mlp(2, 1));
    for one in now.named() {
        let same = now.values()[one.range.clone()] == then.parameters().values()[one.range];
        assert_eq!(same, one.name != "encoder.2.weight", "{}", one.name);
    }
}

#[test]
fn bad_settings_are_errors() {
    let error = |config: LoraConfig| {
        Lora::new(mlp(2, 1), &config, &mut rng(1)).map(drop).unwrap_err().to_string()
    };
    let of = LoraConfig::default;
    assert_eq!(error(LoraConfig { rank: 0, ..of() }), "rank must be at least 1, got 0");
    assert!(error(LoraConfig { alpha: f64::NAN, ..of() }).contains("alpha must be positive"));
    let huge = error(LoraConfig { rank: 1 << 28, ..of() });
    assert!(huge.contains("the parameters of low-rank additions are more than"), "{huge}");
    let unknown = error(LoraConfig { layers: vec!["encoder.1".to_owned()], ..of() });
    assert!(unknown.contains(r#""encoder.1": there are ["encoder.0", "encoder.2", "head.0"]"#));
    let empty = Sequential::new(&NetworkConfig::default(), &[3], &mut rng(1)).unwrap();
    assert!(matches!(
        Lora::new(empty, &of(), &mut rng(1)),
        Err(TransferError::UnknownLayer { .. })
    ));
    let transformer = |layers| {
        let config = TransformerConfig { layers, ..TransformerConfig::default() };
        Transformer::new(&config, 16, 2, &mut rng(1)).unwrap()
    };
    let prefix = |layers, config: PrefixTuningConfig| {
        PrefixTuning::new(transformer(layers), &config, &mut rng(1)).map(drop).unwrap_err()
    };
    let none = PrefixTuningConfig { length: 0, ..PrefixTuningConfig::default() };
    assert_eq!(prefix(1, none).to_string(), "length must be at least 1, got 0");
    let long = PrefixTuningConfig { length: usize::MAX, ..PrefixTuningConfig::default() };
    assert!(prefix(1, long).to_string().contains("the parameters of prefixes are more than"));
    let still = PrefixTuningConfig { std: 0.0, ..PrefixTuningConfig::default() };
    assert!(prefix(1, still).to_string().starts_with("std must be"));
    assert!(prefix(0, PrefixTuningConfig::default()).to_string().starts_with("layers must be"));
    let transformer = |config: TransformerConfig, inputs| {
        Transformer::new(&config, inputs, 2, &mut rng(1)).map(drop).unwrap_err().to_string()
    };
    let config = TransformerConfig::default;
    assert!(transformer(config(), 12).contains("8 places of 12 inputs"));
    let heads = TransformerConfig { heads: 5, ..config() };
    assert!(transformer(heads, 16).contains("5 heads of width 32"));
    let wide = TransformerConfig { width: usize::MAX, ..config() };
    assert!(transformer(wide, 16).contains("may not be that large"));
    assert!(transformer(TransformerConfig { width: 0, ..config() }, 16).contains("width must be"));
}

#[test]
fn loading_says_what_matched() {
    let batch_norm = |channels, outputs| {
        let layers = vec![
            LayerConfig::linear(5),
            LayerConfig::batch_norm(),
            LayerConfig::linear(channels),
            LayerConfig::batch_norm(),
        ];
        let config = NetworkConfig { encoder: layers, ..NetworkConfig::default() };
        Sequential::new(&config.linear_head(outputs), &[3], &mut rng(outputs as u64)).unwrap()
    };
    let (mut network, mut source) = (batch_norm(4, 2), batch_norm(6, 1));
    let statistics: Vec<f32> = (0..22).map(|i| i as f32).collect();
    source.load_buffers(&Buffers { numbers: statistics.clone(), draws: 0 }).unwrap();
    let before = network.parameters().to_vec();
    let report = load_matching(&mut network, &source, |name| name.starts_with("encoder.")).unwrap();
    let first = ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var"];
    assert_eq!(report.matched, first.map(|name| format!("encoder.{name}")));
    let (name, here, there) = &report.mismatched[0];
    assert_eq!(
        (name.as_str(), here.as_slice(), there.as_slice()),
        ("encoder.2.weight", &[5, 4][..], &[5, 6][..])
    );
    assert_eq!(report.mismatched.len(), 6); // of both later layers, weight and bias, and statistics
    assert!(report.missing.is_empty() && report.unexpected.is_empty() && !report.is_complete());
    let taken = network.parameters().range_of("encoder.1.bias").unwrap().end;
    assert_eq!(network.parameters().values()[..taken], source.parameters().values()[..taken]);
    assert_eq!(network.parameters().values()[taken..], before[taken..]);
    assert_eq!(network.buffers().numbers[..10], statistics[..10]);
    assert_eq!(network.buffers().numbers[10..], [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]);

    let report = load_matching(&mut mlp(2, 1), &mlp(2, 2), |_| true).unwrap();
    assert!(report.is_complete());
    let misspelled = load_matching(&mut mlp(2, 1), &mlp(2, 2), |name| name.starts_with("encodr."));
    assert!(!misspelled.unwrap().is_complete());
    let deep = NetworkConfig::mlp(&[16, 12, 3], Activation::Tanh).linear_head(2);
    let mut deep = Sequential::new(&deep, &[6], &mut rng(1)).unwrap();
    let report = load_matching(&mut deep, &mlp(2, 2), |_| true).unwrap();
    assert_eq!(report.missing, ["encoder.4.weight", "encoder.4.bias"]);
    let report = load_matching(&mut mlp(2, 2), &deep, |_| true).unwrap();
    assert_eq!(report.unexpected, ["encoder.4.weight", "encoder.4.bias"]);
}

#[test]
fn prefixes_alone_are_trained() {
    let config =
        TransformerConfig { places: 3, width: 8, heads: 2, layers: 2, ..Default::default() };
    let transformer = || Transformer::new(&config, 6, 2, &mut rng(1)).unwrap();
    let settings = PrefixTuningConfig { length: 5, ..PrefixTuningConfig::default() };
    let mut tuned = PrefixTuning::new(transformer(), &settings, &mut rng(2)).unwrap();
    assert_eq!(tuned.parameters().len(), 2 * 2 * 5 * 8);
    let x = rows(4, 6);
    let loss = tuned.forward(&x).square().sum(Kind::Float);
    tuned.parameters_mut().backward(&loss).unwrap();
    assert!(tuned.parameters().gradients().iter().all(|gradient| *gradient != 0.0));
    let (data, none) = task();
    let config = FitConfig { epochs: 20, batch_size: 16, ..FitConfig::adam(3e-2) };
    let history = fit(&mut tuned, &data, &none, &config, rng(3), &Loss::cross_entropy()).unwrap();
    assert!(history.best().unwrap().loss() < 0.95 * history.epochs[0].loss());
    assert_eq!(tuned.base().parameters().values(), transformer().parameters().values());
    let base = tuned.into_base();
    assert_eq!(numbers(&base.forward(&x)), numbers(&transformer().forward(&x)));
    assert!(base.forward(&x).requires_grad());
}
