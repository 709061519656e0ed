//! REINFORCE in the short corridor: figure 13.1 of Sutton and Barto (2018).
//!
//! All places look alike, so the best policy is stochastic. The library's `Reinforce` takes Adam
//! steps over batches of episodes with a network. The book's update, plain gradient ascent on two
//! preferences after each episode, is written out here.
//!
//! ```text
//! cargo run --release --example short_corridor    # writes short_corridor.png
//! ```

use std::{error::Error, path::Path};

use gymnast::core::plot::{Axis, Guide, Line, LinePlot, Picture as _};
use gymnast::{Env as _, EnvError, Seed, envs::sutton_barto::ShortCorridor};
use rand::RngExt as _;

const RUNS: u64 = 100;
const EPISODES: usize = 1000;

/// The softmax of two preferences: 1 / (1 + e^(θ_left − θ_right)), kept within [0.05, 0.95]. With the
/// largest α one run in thirty would else end up never arriving.
fn probability_of_right([left, right]: [f64; 2]) -> f64 {
    (1.0 / (1.0 + (left - right).exp())).clamp(0.05, 0.95)
}

/// The return of each episode of an agent that begins by going left.
fn returns(alpha: f64, seed: Seed) -> Result<Vec<f64>, EnvError> {
    let mut corridor = ShortCorridor::default();
    let mut envs_rng = seed.child("envs", 0).rng();
    let mut policy_rng = seed.child("policy", 0).rng();
    let mut theta = [1.47, -1.47]; // π(right) = 0.05, worth −82
    let (mut returns, mut episode) = (Vec::new(), Vec::new());
    for _ in 0..EPISODES {
        corridor.reset(&mut envs_rng)?;
        let right = probability_of_right(theta);
        loop {
            let action = i64::from(policy_rng.random_bool(right));
            let step = corridor.step(&action, &mut envs_rng)?;
            episode.push((action as f64, step.reward));
            if step.outcome.is_final() {
                break;
            }
        }
        let mut g: f64 = episode.iter().map(|(_, reward)| reward).sum();
        returns.push(g);
        for (action, reward) in episode.drain(..) {
            // θ ← θ + α G ∇ ln π(A): the features x(A) = (1, 0) or (0, 1) less their mean under π.
            let change = alpha * g * (action - probability_of_right(theta));
            theta = [theta[0] - change, theta[1] + change];
            g -= reward;
        }
    }
    Ok(returns)
}

fn main() -> Result<(), Box<dyn Error>> {
    let best = ShortCorridor::expected_return(2.0 - 2.0_f64.sqrt());
    let mut lines = Vec::new();
    for (power, alpha) in [(-12, "2⁻¹²"), (-13, "2⁻¹³"), (-14, "2⁻¹⁴")] {
        let mut mean = vec![0.0; EPISODES];
        for run in 0..RUNS {
            for (sum, value) in mean.iter_mut().zip(returns(2.0_f64.powi(power), Seed::new(run))?) {
                *sum += value / RUNS as f64;
            }
        }
        let level = |at: usize| mean[at - 100..at].iter().sum::<f64>() / 100.0;
        let (early, late) = (level(200), level(EPISODES));
        println!("α = {alpha}: {early:.1} in episodes 101 to 200, {late:.1} in the last 100");
        let points = mean.iter().enumerate().map(|(i, &sum)| (i as f64 + 1.0, sum));
        lines.push(Line::new(format!("α = {alpha}"), points.collect()));
    }
    let plot = LinePlot {
        title: format!("REINFORCE in the short corridor: mean over {RUNS} runs"),
        x_axis: Axis::new("episode"),
        y_axis: Axis::new("total reward"),
        lines,
        guides: vec![Guide { label: format!("v*(s₀) = −{:.1}", -best), y: best }],
        ..LinePlot::default()
    };
    plot.save(Path::new("short_corridor.png"))?;
    println!("short_corridor.png");
    Ok(())
}
