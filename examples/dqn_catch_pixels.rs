//! DQN with convolutions on Catch, which it sees as pixels: a training, then one episode as text.
//!
//! ```text
//! cargo run --release --example dqn_catch_pixels
//! ```

use gymnast::{
    Discrete, Dqn, DqnConfig, Env, Mode, Plan, Presets, Recorder, Seed, Setup, SyncVectorEnv,
    Training, envs::bsuite::Catch, train,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Its convolutions read the board's 10 by 5 pixels as a picture of one channel.
    let config = DqnConfig::preset("Catch-v0").expect("there is one").settings;
    println!("convolutions {:?}, then hidden layers of {:?}", config.conv, config.hidden);

    let training = Training { env_steps: 6_000, ..Training::default() };
    let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: training.env_steps };
    let make = |n: usize, seed: Seed| {
        Ok(Box::new(SyncVectorEnv::new(vec![Catch::default(); n], seed)?) as Box<_>)
    };
    let (observations, actions) = (Catch::default().observation_space(), Discrete::new(3));
    let mut setup = Setup {
        agent: Box::new(Dqn::new(observations, actions, config, &plan)?),
        envs: make(1, plan.seed.child("envs", 0))?,
        eval_envs: Box::new(make),
    };
    let summary = train(&mut setup, &training, plan.seed, Recorder::in_memory(), None, &mut [])?;
    for evaluation in &summary.evaluations {
        println!("{:>7} steps: {:.2} of 1", evaluation.env_step, evaluation.mean_return);
    }

    let (mut catch, mut rng, mut chosen) = (Catch::default(), Seed::new(1).rng(), Vec::new());
    let mut board = catch.reset(&mut rng)?;
    loop {
        println!("{}", catch.render_ansi().expect("a board is text"));
        setup.agent.act(&[board], Mode::Exploit, &mut rng, &mut chosen)?;
        let step = catch.step(&chosen[0], &mut rng)?;
        if step.outcome.is_final() {
            println!("{}", if step.reward > 0.0 { "caught" } else { "missed" });
            return Ok(());
        }
        board = step.observation;
    }
}
