//! n-step SARSA on a random walk with different n: figure 7.2 of Sutton and Barto (2018).
//!
//! There is only one action, so its values are those of the states: prediction, as in the book. The
//! best n lies between one step and the whole episode.
//! ```text
//! cargo run --release --example n_step_random_walk    # writes n_step_random_walk.png
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    envs::sutton_barto::{RandomWalk, RandomWalkConfig},
    tabular::{Common, NStepSarsaConfig, NStepSarsaRule, TabularAgent},
};

const RUNS: u64 = 100;
const EPISODES: usize = 10;
const STATES: usize = 19;

/// The root mean square error of the values, its mean over the first episodes and the runs.
fn error(walk: &RandomWalk, n: usize, alpha: f64) -> Result<f64, Box<dyn Error>> {
    let truth = walk.true_values();
    let mut sum = 0.0;
    for run in 0..RUNS {
        let seed = Seed::new(run);
        let common =
            Common { alpha: alpha.into(), epsilon: 0.0.into(), gamma: 1.0, initial_value: 0.0 };
        let config = NStepSarsaConfig { n, ..common.into() };
        let mut agent = TabularAgent::<_, _, NStepSarsaRule>::for_env(walk, config, seed)?;
        let mut episodes = 0;
        let mut envs = SyncVectorEnv::new(vec![walk.clone()], seed.child("envs", 0))?;
        Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
            .look_at_experience(|agent, step| {
                if step.outcomes[0].is_final() {
                    let miss = |state: usize| agent.table().row(state)[0] - truth[state - 1];
                    let squares: f64 = (1..=STATES).map(|state| miss(state).powi(2)).sum();
                    sum += (squares / STATES as f64).sqrt();
                    episodes += 1;
                }
                Ok(Flow::stop_if(episodes == EPISODES))
            })
            .run()?;
    }
    Ok(sum / (RUNS as usize * EPISODES) as f64)
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = RandomWalkConfig { states: STATES, left_reward: -1.0, right_reward: 1.0 };
    let walk = RandomWalk::new(config)?;
    let mut lines = Vec::new();
    for n in [1, 2, 4, 8, 16, 64] {
        let mut points = Vec::new();
        for alpha in (1..=25).map(|i| f64::from(i) / 25.0) {
            points.push((alpha, error(&walk, n, alpha)?));
        }
        let (alpha, least) =
            points.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).ok_or("no point")?;
        println!("n = {n:2}: least error {least:.3} at α = {alpha:.2}");
        points.retain(|&(_, error)| error <= 0.55); // as the book draws it
        lines.push(Line::new(format!("n = {n}"), points));
    }
    let plot = LinePlot {
        title: format!("n-step methods on a walk of {STATES} states, first {EPISODES} episodes"),
        x_axis: Axis::new("step size α"),
        y_axis: Axis::new("RMS error"),
        lines,
        ..LinePlot::default()
    };
    plot.save(Path::new("n_step_random_walk.png"))?;
    println!("n_step_random_walk.png");
    Ok(())
}
