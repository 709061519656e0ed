//! Diagnoses three networks that learn a noisy sine: one too small, one too large for its data, one
//! that fits. Shows their learning curves, bias and variance, and the benefit of more data.
//!
//! ```text
//! cargo run --release --example diagnose_fit    # writes fit_*.png and fit_rows.png
//! ```

use std::{error::Error, f32::consts::PI, path::Path};

use gymnast::core::{
    data::Dataset,
    diagnosis::{Problem, Thresholds, bias_variance, diagnose, learning_curve},
    loss::Loss,
    metrics::mean_squared_error,
    nn::{Activation, NetworkConfig, Sequential},
    plot::Picture as _,
    supervised::{FitConfig, FitError, History, fit, predict},
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

/// Trains a network. Returns its history and its predictions of the test rows.
fn train(
    (hidden, epochs): (&[usize], usize),
    rows: &Dataset,
    held_out: &Dataset,
    test: &Dataset,
) -> Result<(History, Vec<f32>), FitError> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let config = NetworkConfig::mlp(hidden, Activation::Tanh).linear_head(1);
    let mut network = Sequential::new(&config, &[1], &mut rng)?;
    let settings = FitConfig { epochs, batch_size: 16, patience: 0, ..FitConfig::adam(1e-2) };
    let history = fit(&mut network, rows, held_out, &settings, rng, &Loss::Mse)?;
    Ok((history, predict(&network, test, 256)?.outputs))
}

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut ChaCha8Rng::seed_from_u64(1);
    let ((few, _), (many, _), (test, truth)) = (sine(40, rng)?, sine(1_000, rng)?, sine(500, rng)?);
    let noise_variance = f64::from(NOISE * NOISE);
    let baseline = 0.5 + noise_variance; // the variance of the targets
    let nothing = few.select(&[])?;
    let fits = (&[32, 32][..], 60);
    for (name, network, rows) in [
        ("too_small", (&[1][..], 100), &many),
        ("too_large", (&[128, 128], 300), &few),
        ("fits", fits, &many),
    ] {
        let (history, _) = train(network, rows, &test, &test)?;
        println!("{name}: {}", diagnose(&history, baseline, &Thresholds::default())?);
        let mut curves = history.loss_curves();
        curves.title =
            format!("{}, hidden units {:?}, {} rows", curves.title, network.0, rows.len());
        curves.save(Path::new(&format!("fit_{name}.png")))?;

        // The test rows are not to choose the epoch here: nothing is held out.
        let problem = Problem { train: rows, test: &test, truth: &truth, noise_variance };
        let parts = bias_variance(&problem, 10, rng, |sample, _| {
            Ok::<_, FitError>(train(network, sample, &nothing, &test)?.1)
        })?;
        let (bias, variance, noise) = (parts.bias_squared, parts.variance, parts.noise);
        print!("  bias² {bias:.3} + variance {variance:.3} + noise {noise:.3} = ");
        println!("{:.3}, measured {:.3}\n", parts.expected(), parts.measured);
    }

    let curve = learning_curve(&many, &[20, 50, 100, 200, 400, 800], 3, rng, |rows, _| {
        let error = |data: &Dataset| -> Result<f64, Box<dyn Error>> {
            let network = (fits.0, fits.1 * many.len() / rows.len()); // as many steps with fewer rows
            let (_, predicted) = train(network, rows, &nothing, data)?;
            Ok(mean_squared_error(data.targets(), &predicted)?)
        };
        Ok::<_, Box<dyn Error>>((error(rows)?, error(&test)?))
    })?;
    curve.plot("mean squared error")?.save(Path::new("fit_rows.png"))?;
    println!("fit_too_small.png, fit_too_large.png, fit_fits.png, fit_rows.png");
    Ok(())
}
