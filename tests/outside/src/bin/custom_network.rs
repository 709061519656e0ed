//! A network of one's own in DQN and in SAC: declared in code, saved and optimised by the agent.

use gymnast::{
    core::{
        init::Init,
        nn::{Buffers, Linear, Module, NamedParameter, NetworkError, ParametersBuilder},
    },
    deep::Wanted,
    prelude::*,
};
use tch::Tensor;

/// Three layers, the second of which reads the input once more (a shortcut).
#[derive(Debug)]
struct Shortcut {
    first: Linear,
    second: Linear,
    third: Linear,
}

impl Module for Shortcut {
    fn inputs(&self) -> usize {
        self.first.inputs()
    }

    fn outputs(&self) -> usize {
        self.third.outputs()
    }

    fn forward(&self, input: &Tensor, _training: bool) -> Tensor {
        let first = self.first.forward(input).relu(); // [B, 64]
        let joined = Tensor::cat(&[first, input.shallow_clone()], 1); // [B, 64 + inputs]
        self.third.forward(&self.second.forward(&joined).relu())
    }

    fn description(&self) -> String {
        format!("a shortcut {}-{}-{}", self.inputs(), self.first.outputs(), self.outputs())
    }

    fn buffers(&self) -> Buffers {
        Buffers::default()
    }

    fn named_buffers(&self) -> Vec<NamedParameter> {
        Vec::new()
    }

    fn load_buffers(&mut self, buffers: &Buffers) -> Result<(), NetworkError> {
        buffers.check_none()
    }
}

fn shortcut(
    wanted: &Wanted<'_>,
    builder: &mut ParametersBuilder,
) -> Result<Box<dyn Module>, NetworkError> {
    let width = wanted.parts.iter().map(|part| part.iter().product::<usize>()).sum();
    let mut layer = |inputs, outputs| {
        Linear::new(inputs, outputs, Init::LinearDefault, Init::LinearDefault, builder)
    };
    let (first, second) = (layer(width, 64)?, layer(64 + width, 64)?);
    Ok(Box::new(Shortcut { first, second, third: layer(64, wanted.outputs)? }))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let training = Training { env_steps: 3_000, eval_every: 3_000, ..Training::default() };
    let plan = training.plan(0);

    let cart_pole = || Ok(TimeLimit::new(CartPole::default(), 500));
    let mut envs = SyncVectorEnv::of(1, plan.seed.child("envs", 0), cart_pole)?;
    let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
    let config = DqnConfig::preset("CartPole-v1").ok_or("no preset")?.settings;
    let mut dqn = Dqn::with_network(observation_space, action_space, config, &plan, &shortcut)?;
    let summary = Trainer::new(&training, 0, &mut dqn, &mut envs).evaluate_on(cart_pole).run()?;
    let balanced = summary.evaluations.last().ok_or("no evaluation")?.mean_return;

    let pendulum = || Ok(TimeLimit::new(Pendulum::default(), 200));
    let mut envs = SyncVectorEnv::of(1, plan.seed.child("envs", 0), pendulum)?;
    let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
    let config = SacConfig::preset("Pendulum-v1").ok_or("no preset")?.settings;
    let mut sac = Sac::with_network(observation_space, action_space, config, &plan, &shortcut)?;
    let summary = Trainer::new(&training, 0, &mut sac, &mut envs).evaluate_on(pendulum).run()?;
    let swung = summary.evaluations.last().ok_or("no evaluation")?.mean_return;

    println!("DQN: {balanced:.1} on CartPole; SAC: {swung:.1} on Pendulum");
    // A random policy gets 22 and −1200.
    if balanced < 60.0 || swung < -900.0 { Err("they have not learned".into()) } else { Ok(()) }
}
