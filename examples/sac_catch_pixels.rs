//! SAC with convolutions on Catch from pixels, with real-valued actions, over ten seeds.
//!
//! ```text
//! cargo run --release --example sac_catch_pixels
//! ```

#[path = "common/intervals.rs"]
mod intervals;

use gymnast::{
    core::nn::{Activation, ConvConfig},
    envs::{RowSpace, bsuite::Catch},
    prelude::*,
};
use intervals::mean_interval;

/// Catch whose paddle goes left below −⅓, right above ⅓, and otherwise stays.
struct Steered(Catch);

impl Env for Steered {
    type ObservationSpace = RowSpace;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> RowSpace {
        self.0.observation_space()
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        self.0.reset(rng)
    }

    fn step(&mut self, action: &[f32; 1], rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        self.0.step(&(1 + (1.49 * action[0].clamp(-1.0, 1.0)).round() as i64), rng)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = SacConfig {
        encoder: ConvConfig::layers(&ConvConfig::min_atar(), Activation::Relu),
        hidden: vec![64],
        learning_rate: 1e-3.into(),
        tau: 0.02,
        alpha: 0.1,
        buffer_size: 10_000,
        batch_size: 64,
        learning_starts: 500,
        train_every: 2,
        ..SacConfig::default()
    };
    let training = Training {
        env_steps: 10_000,
        eval_every: 2_000,
        eval_episodes: 100,
        ..Training::default()
    };
    let mut returns = Vec::new();
    for seed in 100..110 {
        let plan = training.plan(seed);
        let catch = || Ok(Steered(Catch::default()));
        let mut envs = SyncVectorEnv::of(1, plan.seed.child("envs", 0), catch)?;
        let (observation_space, action_space) =
            (envs.observation_space().clone(), *envs.action_space());
        let mut agent = Sac::new(observation_space, action_space, config.clone(), &plan)?;
        let summary =
            Trainer::new(&training, seed, &mut agent, &mut envs).evaluate_on(catch).run()?;
        let course: Vec<f64> = summary.evaluations.iter().map(|e| e.mean_return).collect();
        println!("seed {seed}: {course:.2?}");
        returns.extend(course.last());
    }
    println!("SAC on Catch from pixels, 10000 steps: {} of 1", mean_interval(&returns)?);
    Ok(())
}
