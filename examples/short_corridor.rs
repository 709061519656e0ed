//! REINFORCE in the short corridor, with an agent of one's own: figure 13.1 of Sutton and Barto (2018).
//!
//! All places look alike, so the best policy is a random one. The library's `Reinforce` takes steps of
//! Adam over batches of episodes; the book's update is this small, and any agent fits the same loop.
//!
//! ```text
//! cargo run --release --example short_corridor    # writes short_corridor.png
//! ```

use std::{error::Error, path::Path};

use gymnast::core::plot::{Axis, Guide, Line, LinePlot};
use gymnast::harness::{CheckpointError, StateDict};
use gymnast::{
    Agent, AgentError, Checkpoint, Discrete, Experience, Flow, Metrics, Mode, Policy, Rng, Seed,
    envs::sutton_barto::ShortCorridor, learn_online,
};
use rand::RngExt as _;

const RUNS: u64 = 100;
const EPISODES: usize = 1000;

/// Two preferences under a softmax: π(right) = 1 / (1 + e^(θ_left − θ_right)).
struct SoftmaxReinforce {
    theta: [f64; 2],
    alpha: f64,
    /// The actions and rewards of the running episode.
    episode: Vec<(i64, f64)>,
}

impl SoftmaxReinforce {
    fn right(&self) -> f64 {
        1.0 / (1.0 + (self.theta[0] - self.theta[1]).exp())
    }
}

impl Policy<Discrete, Discrete> for SoftmaxReinforce {
    fn act(&self, seen: &[i64], _mode: Mode, rng: &mut Rng, actions: &mut Vec<i64>) {
        actions.clear();
        actions.extend(seen.iter().map(|_| i64::from(rng.random_bool(self.right()))));
    }
}

impl Agent<Discrete, Discrete> for SoftmaxReinforce {
    fn learn(
        &mut self,
        step: &Experience<Discrete, Discrete>,
    ) -> Result<Option<Metrics>, AgentError> {
        self.episode.push((step.actions[0], step.rewards[0]));
        if step.outcomes[0].is_final() {
            let mut left: f64 = self.episode.iter().map(|(_, reward)| reward).sum();
            for (action, reward) in std::mem::take(&mut self.episode) {
                // θ ← θ + α G ∇ ln π(A): the features x(s, A) less their mean under π.
                let change = self.alpha * left * (action as f64 - self.right());
                self.theta = [self.theta[0] - change, self.theta[1] + change];
                left -= reward;
            }
        }
        Ok(None)
    }
}

impl Checkpoint for SoftmaxReinforce {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("all", &(self.theta, &self.episode))
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        (self.theta, self.episode) = state.get("all")?;
        Ok(())
    }
}

/// The return of each episode, its mean over the runs, from an agent that begins by going left.
fn mean_returns(alpha: f64) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut mean = vec![0.0; EPISODES];
    for run in 0..RUNS {
        let theta = [1.47, -1.47]; // π(right) = 0.05, worth −82
        let mut agent = SoftmaxReinforce { theta, alpha, episode: Vec::new() };
        let mut episode = 0;
        learn_online(&mut agent, ShortCorridor::default(), Seed::new(run), |_, step| {
            mean[episode] += step.rewards[0] / RUNS as f64;
            episode += usize::from(step.outcomes[0].is_final());
            if episode < EPISODES { Flow::Continue } else { Flow::Stop }
        })?;
    }
    Ok(mean)
}

fn main() -> Result<(), Box<dyn Error>> {
    let best = ShortCorridor::expected_return(2.0 - 2.0_f64.sqrt());
    let mut lines = Vec::new();
    for power in [-12, -13, -14] {
        let (label, returns) = (format!("α = 2^{power}"), mean_returns(2.0_f64.powi(power))?);
        let level = |at: usize| returns[at - 100..at].iter().sum::<f64>() / 100.0;
        println!("{label}: {:.1} up to episode 200, {:.1} at the end", level(200), level(EPISODES));
        let points = returns.iter().enumerate().map(|(i, &sum)| (i as f64 + 1.0, sum));
        lines.push(Line::new(label, points.collect()));
    }
    let plot = LinePlot {
        title: format!("REINFORCE in the short corridor: mean over {RUNS} runs"),
        x_axis: Axis::new("episode"),
        y_axis: Axis::new("total reward"),
        lines,
        guides: vec![Guide { label: format!("v*(s₀) = {best:.1}"), y: best }],
        ..LinePlot::default()
    };
    let path = Path::new("short_corridor.png");
    plot.save(path)?;
    println!("{}", path.display());
    Ok(())
}
