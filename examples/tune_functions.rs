//! Compares samplers with random search on functions with known minima, at the same number of
//! trials.
//!
//! ```text
//! cargo run --release --example tune_functions -- 30      # the number of seeds; add a number of trials
//! ```
//!
//! The two searches of a seed form a pair. The table shows the median distance of the best trial to
//! the minimum, the number of pairs that random search lost, and the 95 % bootstrap interval of the
//! mean logarithm (base 10) of random search's distance divided by the other's: above 0 the other
//! is better.

use std::error::Error;

use gymnast::core::{
    statistics::{Bootstrap, mean, median},
    tune::{CmaEs, Study, StudyConfig, Tpe, TrialSampler, functions},
};
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

/// Others than those by which the width of the kernels was chosen.
const FIRST_SEED: u64 = 1000;
/// Closer is as good as there.
const NEAREST: f64 = 1e-9;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>());
    let seeds = args.next().transpose()?.unwrap_or(30);
    let trials = args.next().transpose()?.unwrap_or(100);
    let samplers = [
        ("TPE, together", TrialSampler::Tpe(Tpe::default())),
        ("TPE, each alone", TrialSampler::Tpe(Tpe { multivariate: false, ..Tpe::default() })),
        ("CMA-ES", TrialSampler::CmaEs(CmaEs::default())),
    ];
    println!("{trials} trials, {seeds} seeds\n");
    println!("| function | random | sampler | its median | won of {seeds} | log10 ratio [95 %] |");
    println!("|---|---|---|---|---|---|");
    for function in functions::all() {
        let distances = |sampler: &TrialSampler| -> Result<Vec<f64>, Box<dyn Error>> {
            let best = |seed| {
                let sampler = sampler.clone();
                let mut study = Study::new(StudyConfig { sampler, seed, ..Default::default() })?;
                study.optimize(trials, |trial| function.evaluate(trial))?;
                let best = study
                    .best()
                    .and_then(gymnast::core::tune::TrialRecord::value)
                    .ok_or("no trial")?;
                Ok((best - function.minimum).max(NEAREST))
            };
            (FIRST_SEED..FIRST_SEED + seeds).map(best).collect()
        };
        let random = distances(&TrialSampler::Random)?;
        for (name, sampler) in &samplers {
            let own = distances(sampler)?;
            let pairs = || random.iter().zip(&own);
            let won = pairs().filter(|(random, own)| own < random).count();
            let ratios: Vec<f64> = pairs().map(|(random, own)| (random / own).log10()).collect();
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let interval = Bootstrap::default().interval(&ratios, mean, &mut rng)?;
            println!(
                "| {} | {:.3} | {name} | {:.3} | {won} | {:.2} [{:.2}, {:.2}] |",
                function.name,
                median(&random).ok_or("no seeds")?,
                median(&own).ok_or("no seeds")?,
                interval.estimate,
                interval.low,
                interval.high,
            );
        }
    }
    Ok(())
}
