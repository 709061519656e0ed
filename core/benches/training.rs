//! How long an epoch of the digits CNN and a contrastive loss take.
//!
//! `cargo bench -p gymnast-core --bench training -- TASK SIZE`: `digits_cnn` with the batch size, as
//! the supervised trainer runs it, with batching, loss and Adam; or `nt_xent` with the number of
//! embeddings of 128 numbers, forward and backward. One thread. Prints the CPU seconds, the least of
//! some rounds. `docs/benchmarks/training_against_python.py` compares them with PyTorch's.

use std::{error::Error, hint::black_box};

use gymnast_core::data::{Batch, Dataset, load_digits};
use gymnast_core::loss::Loss;
use gymnast_core::nn::{Activation, Network as _, NetworkConfig, Sequential};
use gymnast_core::self_supervised::NtXent;
use gymnast_core::supervised::{Fit, FitConfig, OutputLoss as _};
use gymnast_core::threads;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

#[path = "cpu/mod.rs"]
mod cpu;
use cpu::cpu_seconds;

/// The width of an embedding.
const WIDTH: usize = 128;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [task, size] = arguments.as_slice() else { return Ok(()) };
    threads::single_threaded();
    let seconds = match task.as_str() {
        "digits_cnn" => digits_cnn(size.parse()?)?,
        "nt_xent" => contrastive(size.parse()?)?,
        other => return Err(format!("no task {other}").into()),
    };
    println!("{seconds}");
    Ok(())
}

fn digits_cnn(batch_size: usize) -> Result<f64, Box<dyn Error>> {
    let rng = ChaCha8Rng::seed_from_u64(0);
    let (digits, none) = (load_digits(), Dataset::new(vec![], 64, vec![], 1)?);
    let network = NetworkConfig::cnn(&[16, 32], 64, Activation::Relu).linear_head(10);
    let mut network = Sequential::new(&network, &[8, 8], &mut rng.clone())?;
    let config = FitConfig { batch_size, epochs: 20, patience: 0, ..FitConfig::adam(1e-3) };
    let mut fit = Fit::new(&config, network.parameters(), rng)?;
    let (mut best, mut begin) = (f64::INFINITY, cpu_seconds()?);
    while !fit.is_over() {
        if fit.step(&mut network, &digits, &none, &Loss::cross_entropy())?.is_some() {
            let end = cpu_seconds()?;
            (best, begin) = (best.min(end - begin), end);
        }
    }
    Ok(best)
}

fn contrastive(rows: usize) -> Result<f64, Box<dyn Error>> {
    let z: Vec<f32> = (0..rows * WIDTH).map(|i| (1.3 * i as f32).sin()).collect();
    let data = Dataset::new(z[..rows / 2 * WIDTH].to_vec(), WIDTH, vec![0.0; rows / 2], 1)?;
    let mut batch = Batch::default();
    data.gather_views(&(0..rows / 2).collect::<Vec<_>>(), 2, &mut batch)?;
    let (loss, mut by_outputs) = (NtXent { temperature: 0.5 }, vec![0.0; z.len()]);
    let (mut best, calls) = (f64::INFINITY, 20_000_000 / rows.pow(2));
    for _ in 0..5 {
        let begin = cpu_seconds()?;
        for _ in 0..calls {
            black_box(loss.differentiate(black_box(&z), &batch, &mut by_outputs)?);
        }
        best = best.min((cpu_seconds()? - begin) / calls as f64);
    }
    Ok(best)
}
