//! Recognises sequences of tones in a noisy signal with CTC, from six labelled examples, with and
//! without pretraining on unlabelled signals.
//!
//! ```text
//! cargo run --release --example tone_sequences
//! ```

use std::{error::Error, f32::consts::TAU};

use gymnast::core::{
    data::{Augmentation, Dataset, Shape},
    loss::CtcConfig,
    lr_schedule::LrSchedule,
    metrics::token_error_rate,
    nn::{Activation, LayerConfig, NetworkConfig, Sequential},
    self_supervised::{FineTuning, NtXent},
    supervised::{Ctc, FitConfig, fit, predict},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

#[path = "common/differences.rs"]
mod differences;
#[path = "common/intervals.rs"]
mod intervals;
use differences::mean_difference;
use intervals::mean_interval;

const FIRST_SEED: u64 = 100;
const DRAWS: u64 = 20; // of the six examples
const SAMPLES: usize = 256; // of a signal, which the network reads in 32 steps
const MOST: usize = 5; // tones of a signal

/// Signals of two to five of four tones (classes 1 to 4; 0 is the blank), and which they are.
fn signals(rows: usize, rng: &mut ChaCha8Rng) -> Result<Dataset, Box<dyn Error>> {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let (count, mut samples) = (rng.random_range(2..=MOST), vec![0.0; SAMPLES]);
        for place in 0..count {
            let (tone, length) = (rng.random_range(1..=4), rng.random_range(28..=40));
            let start = place * (SAMPLES / count) + rng.random_range(0..=SAMPLES / count - length);
            let (phase, loudness) = (TAU * rng.random::<f32>(), rng.random_range(0.5..1.0));
            let radians = TAU * 0.05 * 1.5_f32.powi(tone - 1); // a sample
            for (i, sample) in samples[start..start + length].iter_mut().enumerate() {
                *sample = loudness * (radians * i as f32 + phase).sin();
            }
            targets.push(tone as f32);
        }
        targets.resize(targets.len() + MOST - count, -1.0);
        inputs.extend(samples.iter().map(|x| x + 0.3 * rng.sample::<f32, _>(StandardNormal)));
    }
    Ok(Dataset::new(inputs, SAMPLES, targets, MOST)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    gymnast::core::threads::single_threaded();
    // A signal is a picture of height 1; each block halves its steps.
    let block = |channels| {
        let mut conv = LayerConfig::conv2d(channels, 7, 3);
        if let LayerConfig::Conv2d { stride, .. } = &mut conv {
            *stride = 2;
        }
        [conv, LayerConfig::batch_norm(), Activation::Relu.into()]
    };
    let encoder = [block(16), block(32), block(64)].concat();
    let with_head = |head| NetworkConfig { encoder: encoder.clone(), head, dropout_seed: 0 };
    let (input, shape) = ([1, SAMPLES, 1], Shape::signal(SAMPLES, 1));
    let augmentations = vec![
        Augmentation::RandomCrop { shape, padding: 8 },
        Augmentation::TimeMask { shape, max_length: 16, value: 0.0 },
        Augmentation::GaussianNoise { std: 0.2 },
    ];
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let settings = FitConfig { augmentations, lr_schedule, patience: 0, ..FitConfig::adam(3e-3) };

    // Phase 1: which two of all views are of the same signal?
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (unlabelled, test) = (signals(2_000, rng)?, signals(500, rng)?);
    let (hidden, z) = (LayerConfig::linear(64), LayerConfig::linear(32));
    let projector = vec![LayerConfig::GlobalAvgPool, hidden, Activation::Relu.into(), z];
    let mut pretrained = Sequential::new(&with_head(projector), &input, rng)?;
    let config = FitConfig { epochs: 30, batch_size: 128, views: 2, ..settings.clone() };
    let (nothing, objective) = (unlabelled.select(&[])?, NtXent { temperature: 0.2 });
    fit(&mut pretrained, &unlabelled, &nothing, &config, rng.clone(), &objective)?;

    // Phase 2: six signals with their tones.
    let task = Ctc { steps: 32, config: CtcConfig::default() };
    let mut errors = [Vec::new(), Vec::new()];
    for draw in 0..DRAWS {
        let mut rng = ChaCha8Rng::seed_from_u64(FIRST_SEED + draw);
        let labelled = signals(6, &mut rng)?;
        for (is_pretrained, errors) in [false, true].into_iter().zip(&mut errors) {
            let config = with_head(vec![LayerConfig::conv2d(5, 3, 1)]);
            let mut network = Sequential::new(&config, &input, &mut rng.clone())?;
            let mut config = FitConfig { epochs: 150, batch_size: 16, ..settings.clone() };
            if is_pretrained {
                network.load_encoder(&pretrained)?;
                config.param_groups = FineTuning::Full { lr_factor: 0.3 }.prepare(&mut network)?;
            }
            fit(&mut network, &labelled, &nothing, &config, rng.clone(), &task)?;
            let predictions = predict(&network, &test, 100)?;
            let (truth, found) = (task.true_labels(&predictions)?, task.decode(&predictions)?);
            errors.push(100.0 * token_error_rate(&truth, &found)?);
            if draw == 0 {
                println!("pretrained {is_pretrained}: {:?} spelled {:?}", truth[0], found[0]);
            }
        }
    }
    print(&errors)
}

/// The means over the draws of examples, and what pretraining changes draw by draw.
fn print([scratch, pretrained]: &[Vec<f64>; 2]) -> Result<(), Box<dyn Error>> {
    println!("\nTones wrong in %, {DRAWS} draws of the six examples, mean [95 %]:\n");
    println!("| network | least | most | mean |\n|---|---|---|---|");
    for (name, errors) in [("from scratch", scratch), ("pretrained", pretrained)] {
        let mut sorted = errors.clone();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
        println!("| {name} | {least:.1} | {most:.1} | {} |", mean_interval(errors)?);
    }
    println!("| difference | | | {} |", mean_difference(pretrained, scratch)?);
    Ok(())
}
