//! Adapts networks for upright digits to rotated ones: all weights, LoRA, the last layer only, or
//! prefix tuning.
//!
//! ```text
//! cargo run --release --example lora_digits
//! ```

use std::{collections::BTreeMap, error::Error};

use gymnast::core::{
    data::{Augmentation, Dataset, Shape, Split},
    loss::Loss,
    nn::{Activation, Network, NetworkConfig, Sequential, Transformer, TransformerConfig},
    optim::ParamGroup,
    supervised::{FitConfig, fit},
    threads,
    transfer::{Lora, LoraConfig, PrefixTuning, PrefixTuningConfig},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

#[path = "common/differences.rs"]
mod differences;
#[path = "common/digits.rs"]
mod digits;
#[path = "common/intervals.rs"]
mod intervals;
use differences::mean_difference;
use digits::{accuracy, split_digits};
use intervals::mean_interval;

const SEEDS: u64 = 20;
/// By how much the digits are turned, counter-clockwise.
const DEGREES: f64 = 40.0;

fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

fn turned(data: &Dataset) -> Result<Dataset, Box<dyn Error>> {
    let shape = Shape { height: 8, width: 8, channels: 1 };
    let turn = Augmentation::Rotation { shape, degrees: (DEGREES, DEGREES) };
    let mut pixels = data.inputs().to_vec();
    for row in pixels.chunks_mut(64) {
        turn.apply(row, &mut rng(0, 0))?; // draws nothing of meaning: the range is one angle
    }
    Ok(Dataset::new(pixels, 64, data.targets().to_vec(), 1)?)
}

fn turned_split(split: &Split) -> Result<Split, Box<dyn Error>> {
    let Split { train, validation, test } = split;
    Ok(Split { train: turned(train)?, validation: turned(validation)?, test: turned(test)? })
}

/// Trains by the validation rows' best epoch; what `frozen` names stays.
fn train<N: Network>(
    network: &mut N,
    data: &Split,
    rate: f64,
    seed: u64,
    frozen: impl Fn(&str) -> bool,
) -> Result<(), Box<dyn Error>> {
    let ranges = network.parameters().ranges_where(frozen);
    let param_groups = vec![ParamGroup { ranges, frozen: true, ..ParamGroup::default() }];
    let config = FitConfig { epochs: 40, patience: 0, param_groups, ..FitConfig::adam(rate) };
    let Split { train, validation, .. } = data;
    fit(network, train, validation, &config, rng(seed, 1), &Loss::cross_entropy())?;
    Ok(())
}

/// Of each way, in order, the trained parameters and the accuracy for each seed.
#[derive(Default)]
struct Results(Vec<&'static str>, BTreeMap<&'static str, (usize, Vec<f64>)>);

impl Results {
    fn add(&mut self, way: &'static str, trained: usize, accuracy: f64) {
        if !self.0.contains(&way) {
            self.0.push(way);
        }
        let (count, accuracies) = self.1.entry(way).or_default();
        *count = trained;
        accuracies.push(accuracy);
    }

    fn print(&self, all: usize, full: &str) -> Result<(), Box<dyn Error>> {
        println!("| way | trained parameters | accuracy, % | points against full fine-tuning |");
        println!("|---|---|---|---|");
        for way in &self.0 {
            let (trained, accuracies) = &self.1[way];
            let share = 100.0 * *trained as f64 / all as f64;
            let (mean, difference) =
                (mean_interval(accuracies)?, mean_difference(accuracies, &self.1[full].1)?);
            println!("| {way} | {trained} ({share:.1} %) | {mean} | {difference} |");
        }
        println!();
        Ok(())
    }
}

fn perceptron(seed: u64) -> Result<Sequential, Box<dyn Error>> {
    let config = NetworkConfig::mlp(&[256, 256], Activation::Relu).linear_head(10);
    Ok(Sequential::new(&config, &[64], &mut rng(seed, 0))?)
}

fn transformer(seed: u64) -> Result<Transformer, Box<dyn Error>> {
    let config = TransformerConfig { places: 8, width: 32, layers: 2, ..Default::default() };
    Ok(Transformer::new(&config, 64, 10, &mut rng(seed, 0))?)
}

/// What does not change from one way to another: the network trained on upright digits.
fn pretrained<N: Network>(
    make: impl Fn(u64) -> Result<N, Box<dyn Error>>,
    upright: &Split,
    seed: u64,
) -> Result<Vec<f32>, Box<dyn Error>> {
    let mut network = make(seed)?;
    train(&mut network, upright, 1e-3, seed, |_| false)?;
    Ok(network.parameters().to_vec())
}

/// The ways that every network knows: not at all, anew, all, the last layer.
fn usual<N: Network>(
    make: impl Fn(u64) -> Result<N, Box<dyn Error>>,
    weights: &[f32],
    turned: &Split,
    seed: u64,
    results: &mut Results,
) -> Result<(), Box<dyn Error>> {
    let in_head = |name: &str| name.starts_with("head");
    let mut network = make(seed)?;
    let all = network.parameters().len();
    let head =
        network.parameters().ranges_where(in_head).into_iter().map(|range| range.len()).sum();
    train(&mut network, turned, 1e-3, seed, |_| false)?;
    results.add("from scratch", all, accuracy(&network, &turned.test)?);
    network.parameters_mut().load(weights)?;
    results.add("not adapted", 0, accuracy(&network, &turned.test)?);
    train(&mut network, turned, 1e-3, seed, |_| false)?;
    results.add("full fine-tuning", all, accuracy(&network, &turned.test)?);
    network.parameters_mut().load(weights)?;
    train(&mut network, turned, 1e-2, seed, |name| !in_head(name))?;
    results.add("head only", head, accuracy(&network, &turned.test)?);
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    threads::single_threaded();
    let (mut of_perceptron, mut of_transformer) = (Results::default(), Results::default());
    for seed in 0..SEEDS {
        let upright = split_digits(seed)?;
        let turned = turned_split(&upright)?;

        let weights = pretrained(perceptron, &upright, seed)?;
        usual(perceptron, &weights, &turned, seed, &mut of_perceptron)?;
        // Rank, rates and lengths by the validation rows of other seeds.
        for (way, rank) in [("LoRA, rank 2", 2), ("LoRA, rank 7", 7)] {
            let mut base = perceptron(seed)?;
            base.parameters_mut().load(&weights)?;
            let config = LoraConfig { rank, alpha: rank as f64, ..LoraConfig::default() };
            let mut lora = Lora::new(base, &config, &mut rng(seed, 2))?;
            train(&mut lora, &turned, 1e-2, seed, |_| false)?;
            let trained = lora.parameters().len();
            let merged = lora.merge().into_network();
            of_perceptron.add(way, trained, accuracy(&merged, &turned.test)?);
        }

        let weights = pretrained(transformer, &upright, seed)?;
        usual(transformer, &weights, &turned, seed, &mut of_transformer)?;
        let mut base = transformer(seed)?;
        base.parameters_mut().load(&weights)?;
        let mut tuned = PrefixTuning::new(base, &PrefixTuningConfig::default(), &mut rng(seed, 2))?;
        train(&mut tuned, &turned, 1e-1, seed, |_| false)?;
        let trained = tuned.parameters().len();
        of_transformer.add("prefix of 8", trained, accuracy(&tuned, &turned.test)?);
        eprintln!("seed {seed}");
    }
    println!("Digits turned by {DEGREES} degrees, {SEEDS} seeds, mean [95 %].\n");
    println!("Perceptron 64-256-256-10:\n");
    of_perceptron.print(perceptron(0)?.parameters().len(), "full fine-tuning")?;
    println!("Transformer of two blocks of width 32:\n");
    of_transformer.print(transformer(0)?.parameters().len(), "full fine-tuning")
}
