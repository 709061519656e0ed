//! SARSA and Q-learning on CliffWalking: example 6.6 of Sutton and Barto (2018), with its figure.
//!
//! SARSA learns the safe way. Q-learning learns the shortest way along the edge, where exploration
//! makes it fall, so its return is lower during training.
//!
//! ```text
//! cargo run --release --example cliff_walking    # writes cliff_walking.png
//! ```

use std::{error::Error, num::NonZeroUsize, path::Path};

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    core::statistics::{Curve, moving_average},
    envs::toy_text::CliffWalking,
    tabular::{Common, QLearningRule, SarsaRule, TabularAgent, UpdateRule},
};

const RUNS: u64 = 50;
const EPISODES: usize = 500;

/// The return of each episode while the agent learns: one run.
fn returns<R: UpdateRule<Config: From<Common>>>(run: u64) -> Result<Vec<f64>, Box<dyn Error>> {
    let (cliff, seed) = (CliffWalking::default(), Seed::new(run));
    let book = Common { alpha: 0.5.into(), epsilon: 0.1.into(), gamma: 1.0, initial_value: 0.0 };
    let mut agent = TabularAgent::<_, _, R>::for_env(&cliff, book.into(), seed)?;
    let (mut returns, mut sum) = (Vec::new(), 0.0);
    let mut envs = SyncVectorEnv::new(vec![cliff], seed.child("envs", 0))?;
    Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
        .look_at_experience(|_, step| {
            sum += step.rewards[0];
            if step.outcomes[0].is_final() {
                returns.push(std::mem::take(&mut sum));
            }
            Ok(Flow::stop_if(returns.len() == EPISODES))
        })
        .run()?;
    Ok(returns)
}

/// The mean over the runs, a line of it, and its level at the end.
fn line<R: UpdateRule<Config: From<Common>>>(label: &str) -> Result<Line, Box<dyn Error>> {
    let mut mean = vec![0.0; EPISODES];
    for run in 0..RUNS {
        for (sum, value) in mean.iter_mut().zip(returns::<R>(run)?) {
            *sum += value / RUNS as f64;
        }
    }
    let last = &mean[EPISODES - 100..];
    println!(
        "{label:10} mean return of the last 100 episodes: {:.1}",
        last.iter().sum::<f64>() / 100.0
    );
    // As in the book: smoothed, and nothing below −100 is drawn.
    let episodes = (1..=EPISODES).map(|episode| episode as f64).collect();
    let smooth = moving_average(&Curve::new(episodes, mean)?, NonZeroUsize::MIN.saturating_add(9));
    let points = smooth.points().filter(|&(_, value)| value >= -100.0);
    Ok(Line::new(label, points.collect()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let plot = LinePlot {
        title: format!("The cliff: online return, mean over {RUNS} runs"),
        x_axis: Axis::new("episode"),
        y_axis: Axis::new("return"),
        lines: vec![line::<SarsaRule>("SARSA")?, line::<QLearningRule>("Q-learning")?],
        ..LinePlot::default()
    };
    let path = Path::new("cliff_walking.png");
    plot.save(path)?;
    println!("{}", path.display());
    Ok(())
}
