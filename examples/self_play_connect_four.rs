//! PPO learns Connect Four by self-play and is evaluated against opponents that look ahead.
//!
//! ```text
//! cargo run --release --example self_play_connect_four
//! ```

use gymnast::{
    AgentError, Env as _, Flow, Mode, Presets as _, Seed, SyncVectorEnv, Trainer,
    deep::{Categorical, Ppo, PpoConfig},
    envs::games::{BoardSpace, ConnectFour, Opponent, TwoPlayer},
    harness::play_episodes,
};

type Game = TwoPlayer<ConnectFour>;
type Player = Ppo<BoardSpace<ConnectFour>, Categorical<gymnast::Discrete>>;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let preset = PpoConfig::preset("ConnectFour-v0").ok_or("no preset")?;
    let training = preset.training;
    let plan = training.plan(0);
    let (boards, columns) = (Game::default().observation_space(), Game::default().action_space());
    let mut agent = Player::new(boards, Categorical::new(columns), preset.settings, &plan)?;

    // Each move is seen by the player who made it, and the next board by the other: γ is −1.
    let games = vec![Game::default(); training.num_envs];
    let mut envs = SyncVectorEnv::new(games, plan.seed.child("envs", 0))?;
    println!("\nbefore it learns");
    report(&agent)?;
    let mut due = training.env_steps / 4;
    Trainer::new(&training, 0, &mut agent, &mut envs)
        .look(|agent, progress| {
            if progress.env_steps >= due {
                println!("\nafter {} moves against itself", progress.env_steps);
                report(agent)?;
                due += training.env_steps / 4;
            }
            Ok(Flow::Continue)
        })
        .run()?;
    Ok(())
}

/// How often the agent at its best wins, each side beginning half of the games.
fn report(agent: &Player) -> Result<(), AgentError> {
    let minimax = |depth| (format!("looking {depth} ahead"), Opponent::Minimax { depth });
    let opponents = [("moving at random".to_owned(), Opponent::Random)];
    for (name, opponent) in opponents.into_iter().chain([1, 2, 3, 4].map(minimax)) {
        let seed = Seed::new(1);
        let mut envs = SyncVectorEnv::new(vec![Game::new(opponent); 200], seed)?;
        let mut rng = seed.child("policy", 0).rng();
        let games = play_episodes(agent, &mut envs, Mode::Exploit, &mut rng, 42)?;
        let share = |result: f64| {
            let count = games.returns.iter().filter(|&&r| r == result).count();
            100.0 * count as f64 / games.returns.len() as f64
        };
        let [won, drawn] = [1.0, 0.0].map(share);
        println!("  against somebody {name}: {won:.0} % won, {drawn:.0} % drawn");
    }
    Ok(())
}
