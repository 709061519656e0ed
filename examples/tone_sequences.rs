//! Tones in a noisy signal, one after the other: a network spells them (CTC), after it has learned from
//! signals that nobody labelled, and without.
//!
//! ```text
//! cargo run --release --example tone_sequences
//! ```

use std::{error::Error, f32::consts::TAU};

use gymnast::core::{
    data::{Augmentation, Dataset, Shape},
    loss::CtcConfig,
    lr_schedule::LrSchedule,
    metrics::{sequence_error_rate, token_error_rate},
    nn::{Activation, LayerConfig, NetworkConfig, Sequential},
    self_supervised::{FineTuning, MaskedReconstruction, reconstruction},
    supervised::{Ctc, FitConfig, fit, predict},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const SAMPLES: usize = 256; // of a signal
const STEPS: usize = 32; // of the network, 8 samples each
const TONES: usize = 4; // classes 1 to 4; 0 is CTC's blank
const MOST: usize = 5; // tones of a signal

/// Signals of 2 to 5 tones, each as long as it likes, and which tones they are.
fn signals(rows: usize, rng: &mut ChaCha8Rng) -> Result<Dataset, Box<dyn Error>> {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let count = rng.random_range(2..=MOST);
        let mut samples = vec![0.0; SAMPLES];
        for place in 0..MOST {
            if place >= count {
                targets.push(-1.0);
                continue;
            }
            let tone = rng.random_range(1..=TONES);
            targets.push(tone as f32);
            let (slot, length) = (SAMPLES / count, rng.random_range(28..=40));
            let start = place * slot + rng.random_range(0..=slot - length);
            let (phase, loudness) = (TAU * rng.random::<f32>(), rng.random_range(0.5..1.0));
            let frequency = 0.05 * 1.5_f32.powi(tone as i32 - 1); // in cycles a sample
            for (i, sample) in samples[start..start + length].iter_mut().enumerate() {
                *sample = loudness * (TAU * frequency * i as f32 + phase).sin();
            }
        }
        inputs.extend(samples.iter().map(|x| x + 0.3 * rng.sample::<f32, _>(StandardNormal)));
    }
    Ok(Dataset::new(inputs, SAMPLES, targets, MOST)?)
}

fn main() -> Result<(), Box<dyn Error>> {
    gymnast::core::threads::single_threaded();
    // A signal is a picture of height 1: three layers, each of half as many steps as the one before.
    let conv = |channels, kernel, stride| {
        let LayerConfig::Conv2d { weight, bias, .. } = LayerConfig::conv2d(1, 1, 0) else {
            unreachable!()
        };
        LayerConfig::Conv2d { channels, kernel, stride, padding: kernel / 2, weight, bias }
    };
    let block =
        |channels| [conv(channels, 7, 2), LayerConfig::batch_norm(), Activation::Relu.into()];
    let encoder = NetworkConfig {
        encoder: [block(16), block(32), block(64)].concat(),
        ..NetworkConfig::default()
    };
    let input = [1, SAMPLES, 1];

    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let (unlabelled, labelled, test) =
        (signals(2_000, rng)?, signals(50, rng)?, signals(500, rng)?);
    let lr_schedule = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let settings = FitConfig { lr_schedule, patience: 0, ..FitConfig::adam(3e-3) };

    // Phase 1: what was there where the signal is masked? Each step puts out its own 8 samples.
    let mut pretrained =
        Sequential::new(&encoder.clone().with_head(vec![conv(8, 3, 1)]), &input, rng)?;
    let mask =
        Augmentation::TimeMask { shape: Shape::signal(SAMPLES, 1), max_length: 24, value: 3.0 };
    let config = FitConfig { epochs: 20, augmentations: vec![mask; 3], ..settings.clone() };
    let rows = reconstruction(&unlabelled)?;
    let history = fit(
        &mut pretrained,
        &rows,
        &rows.select(&[])?,
        &config,
        rng.clone(),
        &MaskedReconstruction,
    )?;
    let losses = [0, 19].map(|epoch| history.epochs[epoch].train_loss);
    println!("masked reconstruction: mean squared error from {:.3} to {:.3}", losses[0], losses[1]);

    // Phase 2: few signals with their tones.
    let task = Ctc { steps: STEPS, config: CtcConfig::default() };
    let start = rng.clone();
    for is_pretrained in [false, true] {
        let mut rng = start.clone();
        let head = vec![conv(TONES + 1, 3, 1)];
        let mut network = Sequential::new(&encoder.clone().with_head(head), &input, &mut rng)?;
        let mut config = FitConfig { epochs: 60, batch_size: 16, ..settings.clone() };
        if is_pretrained {
            network.load_encoder(&pretrained)?;
            config.param_groups = FineTuning::Full { lr_factor: 0.5 }.prepare(&mut network)?;
        }
        fit(&mut network, &labelled, &labelled.select(&[])?, &config, rng, &task)?;
        let predictions = predict(&network, &test, 100)?;
        let (truth, found) = (task.true_labels(&predictions)?, task.decode(&predictions)?);
        println!(
            "pretrained: {is_pretrained}; first signal {:?}, spelled {:?}",
            truth[0], found[0]
        );
        let (tokens, sequences) =
            (token_error_rate(&truth, &found)?, sequence_error_rate(&truth, &found)?);
        println!(
            "  errors: {:.1} % of tones, {:.1} % of signals",
            100.0 * tokens,
            100.0 * sequences
        );
    }
    Ok(())
}
