//! Compresses a network for digits: structured pruning, a lottery ticket, int8 quantization,
//! distillation.
//!
//! ```text
//! cargo run --release --example compress_digits
//! ```

use std::{error::Error, time::Instant};

use gymnast::core::{
    compression::{
        Distillation, IterativePruning, Mask, Quantization, QuantizedNetwork, QuantizedScratch,
        find_ticket, prune_units,
    },
    data::{Dataset, Split},
    loss::Loss,
    metrics::accuracy_score,
    nn::{Activation, Network as _, NetworkConfig, Sequential},
    optim::ParamGroup,
    statistics::median,
    supervised::{FitConfig, Objective, Predictions, fit},
    threads,
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

const SEEDS: u64 = 6;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn rng(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

fn network(hidden: &[usize], seed: u64, stream: u64) -> Result<Sequential> {
    let config = NetworkConfig::mlp(hidden, Activation::Relu).linear_head(10);
    Ok(Sequential::new(&config, &[64], &mut rng(seed, stream))?)
}

fn train(
    network: &mut Sequential,
    data: &Split,
    epochs: usize,
    seed: u64,
    param_groups: Vec<ParamGroup>,
    objective: &impl Objective<Sequential>,
) -> Result<()> {
    let config = FitConfig { epochs, patience: 0, param_groups, ..FitConfig::adam(1e-3) };
    fit_with(network, data, &config, seed, objective)
}

fn fit_with(
    network: &mut Sequential,
    data: &Split,
    config: &FitConfig,
    seed: u64,
    objective: &impl Objective<Sequential>,
) -> Result<()> {
    fit(network, &data.train, &data.validation, config, rng(seed, 1), objective)?;
    Ok(())
}

fn accuracy_of_quantized(network: &QuantizedNetwork, data: &Dataset) -> Result<f64> {
    let mut outputs = vec![0.0; data.len() * 10];
    let scratch = &mut QuantizedScratch::default();
    network.evaluate(data.inputs(), data.len(), scratch, &mut outputs)?;
    let found = Predictions { outputs, width: 10, targets: vec![] }.classes()?;
    Ok(100.0 * accuracy_score(&data.classes()?, &found)?)
}

/// How much longer the first takes than the second, by libtorch and for all rows at once: the median
/// of interleaved pairs.
fn time_ratio(first: &Sequential, second: &Sequential, data: &Dataset) -> Result<f64> {
    let rows = data.batch(&(0..data.len()).collect::<Vec<_>>()).inputs();
    let seconds = |network: &Sequential| {
        let start = Instant::now();
        (0..10).for_each(|_| drop(network.predict(&rows)));
        start.elapsed().as_secs_f64()
    };
    let pairs: Vec<f64> = (0..41).map(|_| seconds(first) / seconds(second)).collect();
    Ok(median(&pairs).ok_or("no time passed")?)
}

/// One row of the table: the numbers that are kept, the most bytes that these and their places take for
/// any seed, and the accuracy for each seed.
#[derive(Default)]
struct Row {
    what: &'static str,
    numbers: usize,
    bytes: usize,
    accuracies: Vec<f64>,
}

#[derive(Default)]
struct Table(Vec<Row>);

impl Table {
    fn add(&mut self, what: &'static str, numbers: usize, bytes: usize, accuracy: f64) {
        let place = self.0.iter().position(|row| row.what == what).unwrap_or_else(|| {
            self.0.push(Row { what, numbers, bytes, ..Row::default() });
            self.0.len() - 1
        });
        let row = &mut self.0[place];
        row.bytes = row.bytes.max(bytes);
        row.accuracies.push(accuracy);
    }

    fn print(&self) -> Result<()> {
        println!(
            "| network | numbers | bytes with their places | accuracy, % | points against the whole |"
        );
        println!("|---|---|---|---|---|");
        for Row { what, numbers, bytes, accuracies } in &self.0 {
            let (mean, difference) =
                (mean_interval(accuracies)?, mean_difference(accuracies, &self.0[0].accuracies)?);
            println!("| {what} | {numbers} | {bytes} | {mean} | {difference} |");
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    threads::single_threaded();
    let (hidden, cross_entropy) = ([256, 256], Loss::cross_entropy());
    let (mut table, mut ratios) = (Table::default(), Vec::new());
    for seed in 0..SEEDS {
        let data = split_digits(seed)?;
        let add = |table: &mut Table, what, network: &Sequential| -> Result<()> {
            let numbers = network.parameters().len();
            table.add(what, numbers, 4 * numbers, accuracy(network, &data.test)?);
            Ok(())
        };
        // What is left of a pruned network needs its places too.
        let add_pruned =
            |table: &mut Table, what, network: &Sequential, mask: &Mask| -> Result<()> {
                let numbers = mask.kept().iter().filter(|&&kept| kept).count();
                table.add(what, numbers, mask.bytes(), accuracy(network, &data.test)?);
                Ok(())
            };
        let mut whole = network(&hidden, seed, 0)?;
        train(&mut whole, &data, 40, seed, vec![], &cross_entropy)?;
        add(&mut table, "whole, 64-256-256-10", &whole)?;

        let mut half = prune_units(&whole, 0.5, 2.0)?;
        add(&mut table, "half the units, as they are", &half)?;
        train(&mut half, &data, 5, seed, vec![], &cross_entropy)?;
        add(&mut table, "half the units, 5 epochs more", &half)?;
        ratios.push(time_ratio(&whole, &half, &data.train)?);

        let mut ticket = network(&hidden, seed, 0)?;
        let mask = Mask::new(ticket.parameters(), |_| true);
        let config = IterativePruning { rounds: 10, amount: 0.2 };
        let mask = find_ticket(&mut ticket, &config, mask, |network, mask| {
            train(network, &data, 40, seed, vec![mask.param_group()], &cross_entropy)
        })?;
        train(&mut ticket, &data, 40, seed, vec![mask.param_group()], &cross_entropy)?;
        add_pruned(&mut table, "lottery ticket, 0.8¹⁰ of the weights", &ticket, &mask)?;
        let mut other = network(&hidden, seed, 2)?;
        mask.apply(other.parameters_mut())?;
        train(&mut other, &data, 40, seed, vec![mask.param_group()], &cross_entropy)?;
        add_pruned(&mut table, "the same mask, drawn anew", &other, &mask)?;

        for (what, quantization) in [
            ("int8, weights alone", Quantization::WeightOnly),
            ("int8, dynamic", Quantization::Dynamic),
        ] {
            let quantized = QuantizedNetwork::new(&whole, quantization)?;
            let accuracy = accuracy_of_quantized(&quantized, &data.test)?;
            table.add(what, whole.parameters().len(), quantized.bytes(), accuracy);
        }
        let quantized = QuantizedNetwork::new(&half, Quantization::Dynamic)?;
        let score = accuracy_of_quantized(&quantized, &data.test)?;
        table.add("half the units and int8", half.parameters().len(), quantized.bytes(), score);

        // Small networks learn slowly; settings by the validation rows of other seeds.
        let long = FitConfig { epochs: 200, patience: 0, ..FitConfig::adam(3e-3) };
        let mut alone = network(&[8], seed, 3)?;
        fit_with(&mut alone, &data, &long, seed, &cross_entropy)?;
        add(&mut table, "64-8-10, alone", &alone)?;
        let mut student = network(&[8], seed, 3)?;
        let lesson = Distillation { teacher: &whole, temperature: 2.0, alpha: 1.0 };
        fit_with(&mut student, &data, &long, seed, &lesson)?;
        add(&mut table, "64-8-10, distilled", &student)?;
        eprintln!("seed {seed}");
    }
    println!("Digits, {SEEDS} seeds, mean [95 %].\n");
    table.print()?;
    println!("\nThe whole takes {} times as long as half of the units.", mean_interval(&ratios)?);
    Ok(())
}
