//! PPO on observations of two parts, a picture and a row, each with its own encoder.
//!
//! ```text
//! cargo run --release --example ppo_dict_observation
//! ```

#[path = "common/intervals.rs"]
mod intervals;

use gymnast::{
    core::nn::{Activation, ConvConfig},
    envs::{RowSpace, bsuite::Catch},
    prelude::*,
};
use intervals::mean_interval;
use rand::RngExt as _;

product_space! {
    /// What is seen: Gymnasium's `Dict` of a picture and a row.
    struct SignedSpace;
    /// The board's pixels, and what a caught ball is worth.
    struct Signed { board: RowSpace, sign: BoxSpace<1> }
}

/// Catch the ball where the sign is 1, dodge it where it is −1: neither part alone tells what to do.
struct CatchOrDodge {
    catch: Catch,
    sign: f32,
}

impl Env for CatchOrDodge {
    type ObservationSpace = SignedSpace;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> SignedSpace {
        SignedSpace { board: self.catch.observation_space(), sign: BoxSpace::symmetric([1.0]) }
    }

    fn action_space(&self) -> Discrete {
        self.catch.action_space()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Signed, EnvError> {
        self.sign = if rng.random() { 1.0 } else { -1.0 };
        Ok(Signed { board: self.catch.reset(rng)?, sign: [self.sign] })
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<Signed>, EnvError> {
        let Step { observation, reward, outcome, .. } = self.catch.step(action, rng)?;
        let observation = Signed { board: observation, sign: [self.sign] };
        Ok(Step::new(observation, reward * f64::from(self.sign), outcome.is_final()))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = PpoConfig {
        encoder: ConvConfig::layers(&ConvConfig::min_atar(), Activation::Relu),
        hidden: vec![64],
        activation: Activation::Relu,
        n_steps: 64,
        batch_size: 128,
        epochs: 4,
        learning_rate: Schedule::linear(1e-3, 0.0, 1.0),
        entropy_coefficient: 0.05,
        ..PpoConfig::default()
    };
    let training = Training {
        env_steps: 100_000,
        num_envs: 8,
        eval_every: 20_000,
        eval_episodes: 200,
        ..Training::default()
    };
    let mut returns = Vec::new();
    for seed in 100..110 {
        let plan = training.plan(seed);
        let task = || Ok(CatchOrDodge { catch: Catch::default(), sign: 1.0 });
        let mut envs = SyncVectorEnv::of(training.num_envs, plan.seed.child("envs", 0), task)?;
        let (observation_space, head) =
            (envs.observation_space().clone(), Categorical::new(*envs.action_space()));
        let mut agent = Ppo::new(observation_space, head, config.clone(), &plan)?;
        let summary =
            Trainer::new(&training, seed, &mut agent, &mut envs).evaluate_on(task).run()?;
        let course: Vec<f64> = summary.evaluations.iter().map(|e| e.mean_return).collect();
        println!("seed {seed}: {course:.2?}");
        returns.extend(course.last());
    }
    println!("PPO on a picture and a row, 100000 steps: {} of 1", mean_interval(&returns)?);
    Ok(())
}
