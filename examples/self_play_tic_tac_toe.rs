//! Q-learning learns tic-tac-toe by self-play and never loses again.
//!
//! The agent moves for both sides. The other player sees the board after a move, so its value
//! counts negatively: self-play only needs a discount of −1.
//!
//! ```text
//! cargo run --release --example self_play_tic_tac_toe
//! ```

use gymnast::{
    AgentError, Env as _, FiniteSpace as _, Flow, Mode, Presets as _, QLearning, QLearningConfig,
    Seed, SyncVectorEnv, Trainer,
    envs::games::{Opponent, TicTacToe, TwoPlayer, every_game, members},
    harness::play_episodes,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let preset = QLearningConfig::preset("TicTacToe-v0").ok_or("no preset")?;
    println!("γ = {}", preset.settings.gamma);
    let training = preset.training;
    let plan = training.plan(0);
    let game = TwoPlayer::<TicTacToe>::default();
    let (boards, moves) = (game.observation_space(), game.action_space());
    let mut agent = QLearning::new(boards, moves, preset.settings, &plan)?;
    let mut envs = SyncVectorEnv::new(vec![game], plan.seed.child("envs", 0))?;
    println!("\nbefore it learns");
    report(&agent)?;
    Trainer::new(&training, 0, &mut agent, &mut envs)
        .look(|agent, progress| {
            if progress.env_steps % (training.env_steps / 5) == 0 {
                println!("\nafter {} moves against itself", progress.env_steps);
                report(agent)?;
            }
            Ok(Flow::Continue)
        })
        .run()?;
    Ok(())
}

type Player = QLearning<gymnast::envs::games::BoardSpace<TicTacToe>, gymnast::Discrete>;

/// How the agent does at its best.
fn report(agent: &Player) -> Result<(), AgentError> {
    for (name, opponent) in [("random", Opponent::Random), ("perfect", TicTacToe::PERFECT)] {
        let seed = Seed::new(1);
        let mut envs = SyncVectorEnv::new(vec![TwoPlayer::<TicTacToe>::new(opponent); 1000], seed)?;
        let mut rng = seed.child("policy", 0).rng();
        let games = play_episodes(agent, &mut envs, Mode::Exploit, &mut rng, 9)?;
        let count = |result: f64| games.returns.iter().filter(|&&r| r == result).count();
        let [won, drawn, lost] = [1.0, 0.0, -1.0].map(count);
        println!("  against {name} play: {won} won, {drawn} drawn, {lost} lost");
    }
    // Whatever an opponent may do, and whichever of equally good moves the agent makes.
    let boards = TwoPlayer::<TicTacToe>::default().observation_space();
    let tally = every_game::<TicTacToe>(&mut |stones| {
        let values = agent.table().row(boards.index_of(&stones));
        let best = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        members(0b1_1111_1111).filter(|&a| values[a] == best).fold(0, |set, a| set | 1 << a)
    });
    println!(
        "  every game there is: {} won, {} drawn, {} lost",
        tally.won, tally.drawn, tally.lost
    );
    Ok(())
}
