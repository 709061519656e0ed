//! DQN with convolutions on Catch from pixels: a training, then one episode as text.
//!
//! ```text
//! cargo run --release --example dqn_catch_pixels
//! ```

use gymnast::{
    Discrete, Dqn, DqnConfig, Env, Mode, Policy as _, Presets, Seed, SyncVectorEnv, Trainer,
    Training, envs::bsuite::Catch,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Its convolutions read the board's 10 by 5 pixels as a picture of one channel.
    let config = DqnConfig::preset("Catch-v0").expect("there is one").settings;
    println!("convolutions {:?}, then hidden layers of {:?}", config.conv, config.hidden);

    let training = Training { env_steps: 6_000, ..Training::default() };
    let plan = training.plan(0);
    let mut envs = SyncVectorEnv::new(vec![Catch::default()], plan.seed.child("envs", 0))?;
    let (observations, actions) = (Catch::default().observation_space(), Discrete::new(3));
    let mut agent = Dqn::new(observations, actions, config, &plan)?;
    let summary = Trainer::new(&training, 0, &mut agent, &mut envs)
        .evaluate_on(|| Ok(Catch::default()))
        .run()?;
    for evaluation in &summary.evaluations {
        println!("{:>7} steps: {:.2} of 1", evaluation.env_step, evaluation.mean_return);
    }

    let (mut catch, mut rng, mut chosen) = (Catch::default(), Seed::new(1).rng(), Vec::new());
    let mut board = catch.reset(&mut rng)?;
    loop {
        println!("{}", catch.render_ansi().expect("a board is text"));
        agent.act(&[board], Mode::Exploit, &mut rng, &mut chosen)?;
        let step = catch.step(&chosen[0], &mut rng)?;
        if step.outcome.is_final() {
            println!("{}", if step.reward > 0.0 { "caught" } else { "missed" });
            return Ok(());
        }
        board = step.observation;
    }
}
