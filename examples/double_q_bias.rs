//! Double Q-learning against Q-learning where the maximum over uncertain values is biased: example
//! 6.7 and figure 6.5 of Sutton and Barto (2018).
//!
//! ```text
//! cargo run --release --example double_q_bias    # writes double_q_bias.png
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Discrete, Env, EnvError, Flow, Rng, Seed, Step, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    tabular::{Common, DoubleQRule, QLearningRule, TabularAgent, UpdateRule},
};
use rand::RngExt as _;
use rand_distr::StandardNormal;

const RUNS: u64 = 2000;
const EPISODES: usize = 300;
const LEFT: i64 = 0;

/// From A, left (0) leads to B and all else to the end, both for nothing. From B each of ten actions
/// leads to the end for −0.1 on average, give or take 1: to go left is a mistake. In the book A has but
/// two actions; here all states share ten, nine of which lead right from A.
#[derive(Default)]
struct MaximizationBias {
    is_at_b: bool,
}

impl Env for MaximizationBias {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(10)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        self.is_at_b = false;
        Ok(0)
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        if !self.is_at_b && *action == LEFT {
            self.is_at_b = true;
            return Ok(Step::new(1, 0.0, false));
        }
        let noise: f64 = rng.sample(StandardNormal);
        Ok(Step::new(1, if self.is_at_b { noise - 0.1 } else { 0.0 }, true))
    }
}

/// How often, in percent of the runs, each episode began with left.
fn left<R: UpdateRule<Config: From<Common>>>(label: &str) -> Result<Line, Box<dyn Error>> {
    let mut share = vec![0.0; EPISODES];
    for run in 0..RUNS {
        let (env, seed) = (MaximizationBias::default(), Seed::new(run));
        let book =
            Common { alpha: 0.1.into(), epsilon: 0.1.into(), gamma: 1.0, initial_value: 0.0 };
        let mut agent = TabularAgent::<_, _, R>::for_env(&env, book.into(), seed)?;
        let mut episode = 0;
        let mut envs = SyncVectorEnv::new(vec![env], seed.child("envs", 0))?;
        Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
            .look_at_experience(|_, step| {
                let is_left = step.observations[0] == 0 && step.actions[0] == LEFT;
                share[episode] += if is_left { 100.0 / RUNS as f64 } else { 0.0 };
                episode += usize::from(step.outcomes[0].is_final());
                Ok(Flow::stop_if(episode == EPISODES))
            })
            .run()?;
    }
    let (most, end) = (share.iter().copied().fold(0.0, f64::max), share[EPISODES - 1]);
    println!("{label:17} left at most in {most:.0} % of the runs, in {end:.0} % at the end");
    Ok(Line::new(label, share.iter().enumerate().map(|(i, &y)| (i as f64 + 1.0, y)).collect()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let plot = LinePlot {
        title: "How often a mistake looks best".to_owned(),
        x_axis: Axis::new("episode"),
        y_axis: Axis::new("% left from A (1 % is unavoidable)"),
        lines: vec![
            left::<QLearningRule>("Q-learning")?,
            left::<DoubleQRule>("Double Q-learning")?,
        ],
        ..LinePlot::default()
    };
    plot.save(Path::new("double_q_bias.png"))?;
    println!("double_q_bias.png");
    Ok(())
}
