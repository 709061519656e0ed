//! SARSA and Expected SARSA with different step sizes: figure 6.3 of Sutton and Barto (2018), its
//! left half.
//!
//! SARSA's target depends on the next random action, so it diverges for large α. Expected SARSA
//! uses the expectation over that action: on the cliff, where nothing else is random, it can learn
//! with α = 1.
//!
//! ```text
//! cargo run --release --example expected_sarsa_step_sizes    # writes expected_sarsa.png
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    envs::toy_text::CliffWalking,
    tabular::{Common, ExpectedSarsaRule, QLearningRule, SarsaRule, TabularAgent, UpdateRule},
};

const RUNS: u64 = 50;
const EPISODES: u32 = 100;

/// The mean return of the first hundred episodes, for each α.
fn interim<R: UpdateRule<Config: From<Common>>>(label: &str) -> Result<Line, Box<dyn Error>> {
    let mut points = Vec::new();
    for alpha in (1..=10).map(|tenths| f64::from(tenths) / 10.0) {
        let mut sum = 0.0;
        for run in 0..RUNS {
            let (cliff, seed) = (CliffWalking::default(), Seed::new(run));
            let epsilon = 0.1.into();
            let common = Common { alpha: alpha.into(), epsilon, gamma: 1.0, initial_value: 0.0 };
            let mut agent = TabularAgent::<_, _, R>::for_env(&cliff, common.into(), seed)?;
            let mut episodes = 0;
            let mut envs = SyncVectorEnv::new(vec![cliff], seed.child("envs", 0))?;
            Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
                .look_at_experience(|_, step| {
                    sum += step.rewards[0];
                    episodes += u32::from(step.outcomes[0].is_final());
                    Ok(Flow::stop_if(episodes == EPISODES))
                })
                .run()?;
        }
        points.push((alpha, sum / RUNS as f64 / f64::from(EPISODES)));
    }
    let all: Vec<_> = points.iter().map(|(alpha, mean)| format!("{alpha}: {mean:.0}")).collect();
    println!("{label:14} {}", all.join(", "));
    // SARSA with a large α would stretch the picture beyond the others.
    points.retain(|&(_, mean)| mean >= -160.0);
    Ok(Line::new(label, points))
}

fn main() -> Result<(), Box<dyn Error>> {
    let plot = LinePlot {
        title: "The cliff: mean return of the first 100 episodes".to_owned(),
        x_axis: Axis::new("step size α"),
        y_axis: Axis::new("return"),
        lines: vec![
            interim::<ExpectedSarsaRule>("Expected SARSA")?,
            interim::<SarsaRule>("SARSA")?,
            interim::<QLearningRule>("Q-learning")?,
        ],
        ..LinePlot::default()
    };
    plot.save(Path::new("expected_sarsa.png"))?;
    println!("expected_sarsa.png");
    Ok(())
}
