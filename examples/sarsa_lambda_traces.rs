//! SARSA(λ) on the windy grid world, with different λ and both kinds of eligibility traces.
//!
//! Traces let one reward teach all the steps that led to it: with λ between 0.8 and 0.9 the goal is
//! reached in half the steps that λ = 0 takes. Larger λ give too much weight to the first, clumsy
//! episodes; accumulating traces do so even more.
//!
//! ```text
//! cargo run --release --example sarsa_lambda_traces    # writes sarsa_lambda.png
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    envs::sutton_barto::WindyGridWorld,
    tabular::{Common, SarsaLambdaConfig, SarsaLambdaRule, TabularAgent, Traces},
};

const RUNS: u64 = 50;
const EPISODES: u32 = 30;
/// A run that has not reached the goal by then counts as if it had; it may never reach it.
const MOST_STEPS: u32 = 30_000;

/// The mean number of steps of the first episodes.
fn mean_steps(lambda: f64, traces: Traces) -> Result<f64, Box<dyn Error>> {
    let mut sum = 0.0;
    for run in 0..RUNS {
        let (world, seed) = (WindyGridWorld::default(), Seed::new(run));
        let common =
            Common { alpha: 0.2.into(), epsilon: 0.1.into(), gamma: 1.0, initial_value: 0.0 };
        let config = SarsaLambdaConfig { lambda, traces, ..common.into() };
        let mut agent = TabularAgent::<_, _, SarsaLambdaRule>::for_env(&world, config, seed)?;
        let (mut steps, mut episodes) = (0, 0);
        let mut envs = SyncVectorEnv::new(vec![world], seed.child("envs", 0))?;
        Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
            .look_at_experience(|_, step| {
                steps += 1;
                episodes += u32::from(step.outcomes[0].is_final());
                Ok(Flow::stop_if(episodes == EPISODES || steps == MOST_STEPS))
            })
            .run()?;
        sum += f64::from(steps) / f64::from(EPISODES);
    }
    Ok(sum / RUNS as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut lines = Vec::new();
    for (label, traces) in
        [("replacing traces", Traces::Replacing), ("accumulating traces", Traces::Accumulating)]
    {
        let mut points = Vec::new();
        for lambda in [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95] {
            points.push((lambda, mean_steps(lambda, traces)?));
        }
        let all: Vec<_> = points.iter().map(|(l, steps)| format!("{l}: {steps:.0}")).collect();
        println!("{label:19} {}", all.join(", "));
        lines.push(Line::new(label, points));
    }
    let plot = LinePlot {
        title: format!("SARSA(λ) against the wind: the first {EPISODES} episodes"),
        x_axis: Axis::new("λ"),
        y_axis: Axis::new("steps per episode"),
        lines,
        ..LinePlot::default()
    };
    plot.save(Path::new("sarsa_lambda.png"))?;
    println!("sarsa_lambda.png");
    Ok(())
}
