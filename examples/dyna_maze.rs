//! Dyna-Q in a maze with different numbers of planning steps: figure 8.2 of Sutton and Barto
//! (2018).
//!
//! The more planning steps, the fewer env steps it takes to learn. Without planning (n = 0) Dyna-Q
//! is Q-learning.
//!
//! ```text
//! cargo run --release --example dyna_maze    # writes dyna_maze.png
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    envs::sutton_barto::DynaMaze,
    tabular::{Common, DynaQConfig, DynaQRule, QLearningRule, TabularAgent, UpdateRule},
};

const RUNS: u64 = 30;
const EPISODES: usize = 50;
/// The best ε-greedy policy takes about 16 steps: within a quarter of it is near-optimal.
const NEAR_OPTIMAL: f64 = 20.0;

fn book() -> Common {
    Common { alpha: 0.1.into(), epsilon: 0.1.into(), gamma: 0.95, initial_value: 0.0 }
}

/// The steps of each episode, their mean over the runs, which begin with the same seeds whatever n is.
fn mean_steps<R: UpdateRule>(config: impl Fn() -> R::Config) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut mean = vec![0.0; EPISODES];
    for run in 0..RUNS {
        let (maze, seed) = (DynaMaze::dyna(), Seed::new(run));
        let mut agent = TabularAgent::<_, _, R>::for_env(&maze, config(), seed)?;
        let mut episode = 0;
        let mut envs = SyncVectorEnv::new(vec![maze], seed.child("envs", 0))?;
        Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
            .look_at_experience(|_, step| {
                mean[episode] += 1.0 / RUNS as f64;
                episode += usize::from(step.outcomes[0].is_final());
                Ok(Flow::stop_if(episode == EPISODES))
            })
            .run()?;
    }
    Ok(mean)
}

fn main() -> Result<(), Box<dyn Error>> {
    let planning = |planning_steps| {
        mean_steps::<DynaQRule>(move || DynaQConfig { planning_steps, ..book().into() })
    };
    let curves = [
        ("0 planning steps", mean_steps::<QLearningRule>(|| book().into())?),
        ("5 planning steps", planning(5)?),
        ("50 planning steps", planning(50)?),
    ];
    let mut lines = Vec::new();
    for (label, steps) in curves {
        let near = steps.iter().position(|&steps| steps <= NEAR_OPTIMAL).map(|at| at + 1);
        let near = near.ok_or("it never came near the optimum")?;
        let (first, last) = (steps[0], steps[EPISODES - 10..].iter().sum::<f64>() / 10.0);
        println!(
            "{label:17} first episode {first:.0} steps, near-optimal from {near}, last {last:.1}"
        );
        // As in the book: without the first episode, which is alike for all n.
        let points = steps.iter().enumerate().skip(1).map(|(i, &steps)| (i as f64 + 1.0, steps));
        lines.push(Line::new(label, points.filter(|point| point.1 <= 800.0).collect()));
    }
    let plot = LinePlot {
        title: format!("Dyna-Q in the maze: mean over {RUNS} runs"),
        x_axis: Axis::new("episode"),
        y_axis: Axis::new("steps per episode"),
        lines,
        ..LinePlot::default()
    };
    let path = Path::new("dyna_maze.png");
    plot.save(path)?;
    println!("{}", path.display());
    Ok(())
}
