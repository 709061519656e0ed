//! An environment of one's own, learned by a table.

use gymnast::prelude::*;
use rand::RngExt as _;

/// A corridor of six cells: go right (1) to the door, left (0) is the way back; one step in ten slips.
struct Corridor(i64);

impl Env for Corridor {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(6)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, _: &mut Rng) -> Result<i64, EnvError> {
        self.0 = 0;
        Ok(self.0)
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let slips = rng.random::<f32>() < 0.1;
        let right = (*action == 1) != slips;
        self.0 = (self.0 + if right { 1 } else { -1 }).max(0);
        Ok(Step::new(self.0, if self.0 == 5 { 1.0 } else { -0.1 }, self.0 == 5))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let training = Training { env_steps: 5_000, eval_every: 1_000, ..Training::default() };
    let plan = training.plan(0);
    let corridor = || Ok(TimeLimit::new(Corridor(0), 50));
    let mut envs = SyncVectorEnv::of(training.num_envs, plan.seed.child("envs", 0), corridor)?;
    let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
    let config = QLearningConfig::default();
    let mut agent = QLearning::new(observation_space, action_space, config, &plan)?;
    let summary = Trainer::new(&training, 0, &mut agent, &mut envs).evaluate_on(corridor).run()?;
    let last = summary.evaluations.last().ok_or("no evaluation")?;
    println!("Q-learning: return {:.2} after {} steps", last.mean_return, last.env_step);
    // Straight to the door is worth 1 − 4 · 0.1, a slip 0.2 less.
    if last.mean_return < 0.2 { Err("Q-learning has not found the door".into()) } else { Ok(()) }
}
