//! Three networks learn a noisy sine: one too small, one too large for its rows, one that fits. What
//! their curves say, where their errors come from, and what more rows would bring.
//!
//! ```text
//! cargo run --release --example diagnose_fit    # writes fit_*.png and fit_rows.png
//! ```

use std::{error::Error, f32::consts::PI, path::Path};

use gymnast::core::{
    data::Dataset,
    diagnosis::{Problem, Thresholds, bias_variance, diagnose, learning_curve},
    loss::Loss,
    nn::{Activation, NetworkConfig, Sequential},
    supervised::{FitConfig, FitError, History, Predictions, fit, predict},
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

const NOISE: f32 = 0.4; // its standard deviation

/// Rows `x` and `sin 2πx` plus noise, and the sine without it.
fn sine(rows: usize, rng: &mut ChaCha8Rng) -> Result<(Dataset, Vec<f32>), Box<dyn Error>> {
    let x: Vec<f32> = (0..rows).map(|_| rng.random_range(-1.0..1.0)).collect();
    let truth: Vec<f32> = x.iter().map(|x| (2.0 * PI * x).sin()).collect();
    let noisy = truth.iter().map(|y| y + NOISE * rng.sample::<f32, _>(StandardNormal)).collect();
    Ok((Dataset::new(x, 1, noisy, 1)?, truth))
}

fn train(
    (hidden, epochs): (&[usize], usize),
    rows: &Dataset,
    held_out: &Dataset,
) -> Result<(History, Predictions), FitError> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let config = NetworkConfig::mlp(hidden, Activation::Tanh).linear_head(1);
    let mut network = Sequential::new(&config, &[1], &mut rng)?;
    let settings = FitConfig { epochs, batch_size: 16, patience: 0, ..FitConfig::adam(1e-2) };
    let history = fit(&mut network, rows, held_out, &settings, rng, &Loss::Mse)?;
    Ok((history, predict(&network, held_out, 256)?))
}

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let ((few, _), (many, _), (test, truth)) = (sine(40, rng)?, sine(1_000, rng)?, sine(500, rng)?);
    let baseline = 0.5 + f64::from(NOISE * NOISE); // the variance of the targets
    let cases: [(&str, (&[usize], usize), &Dataset); 3] = [
        ("too_small", (&[1], 200), &many),
        ("too_large", (&[128, 128], 300), &few),
        ("fits", (&[32, 32], 60), &many),
    ];
    for (name, network, rows) in cases {
        let (history, _) = train(network, rows, &test)?;
        println!("{name}: {}", diagnose(&history, baseline, &Thresholds::default())?);
        history.save_loss_curves(Path::new(&format!("fit_{name}.png")))?;

        let noise_variance = f64::from(NOISE * NOISE);
        let problem = Problem { train: rows, test: &test, truth: &truth, noise_variance };
        let nothing = rows.select(&[])?;
        let parts = bias_variance(&problem, 10, rng, |sample, _| {
            // Nothing held out: the test rows are not to choose the epoch.
            let (_, fitted) = train_and_predict(network, sample, &nothing, &test)?;
            Ok::<_, FitError>(fitted.outputs)
        })?;
        println!(
            "  bias² {:.3} + variance {:.3} + noise {:.3} = {:.3}; measured {:.3}\n",
            parts.bias_squared,
            parts.variance,
            parts.noise,
            parts.expected(),
            parts.measured
        );
    }
    Ok(())
}
