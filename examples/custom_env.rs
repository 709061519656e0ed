//! A custom environment with a custom observation type, used through the library and by the whole
//! command.
//!
//! ```text
//! cargo run --release --example custom_env    # seconds
//! cargo run --release --example custom_env train q-learning Windy-v0
//! cargo run --release --example custom_env watch runs/q-learning-Windy-v0
//! ```

use std::process::ExitCode;

use gymnast::{
    Catalog, Discrete, Env, EnvError, EnvSpec, Registry, Rng, Run, Step, command, product_space,
    settings::set, snapshot,
};
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

product_space! {
    /// Where a boat may be, and how the wind may blow.
    struct RiverSpace: finite;
    /// Where the boat is, and how the wind blows.
    #[derive(Copy, Serialize, Deserialize)]
    struct River { row: Discrete, column: Discrete, wind: Discrete }
}

/// Cross a river of 5 × 8 fields from the left to the pier in the middle of the right bank. The
/// wind drives the boat up or down while it steers up (0), straight on (1) or down (2).
#[derive(Serialize, Deserialize)]
struct Windy(River);

impl Env for Windy {
    type ObservationSpace = RiverSpace;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> RiverSpace {
        let [row, column, wind] = [5, 8, 3].map(Discrete::new);
        RiverSpace { row, column, wind }
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<River, EnvError> {
        self.0 = River { row: rng.random_range(0..5), column: 0, wind: rng.random_range(0..3) };
        Ok(self.0)
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<River>, EnvError> {
        let row = (self.0.row + action - 1 + self.0.wind - 1).clamp(0, 4);
        self.0 = River { row, column: self.0.column + 1, wind: rng.random_range(0..3) };
        let arrived = self.0.column == 7;
        Ok(Step::new(self.0, if arrived && row == 2 { 1.0 } else { 0.0 }, arrived))
    }

    fn render_ansi(&self) -> Option<String> {
        let boat =
            |row, column| if (self.0.row, self.0.column) == (row, column) { 'B' } else { '~' };
        Some((0..5).map(|row| (0..8).map(|c| boat(row, c)).collect::<String>() + "\n").collect())
    }

    snapshot!();
}

fn main() -> ExitCode {
    let mut registry = Registry::builtin();
    let windy = EnvSpec::finite("Windy-v0", |_| Ok(Windy(River { row: 0, column: 0, wind: 0 })))
        .description("Cross a windy river to a pier.")
        .reward_threshold(0.95);
    registry.register(windy).expect("no other environment has this name");
    if std::env::args().len() > 1 {
        return command::main(registry);
    }
    learn(&registry).unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

/// The same training through the library, with a table and with a network, in seconds.
fn learn(registry: &Registry) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let catalog = Catalog::builtin();
    for (agent, env_steps) in [("q-learning", 50_000), ("dqn", 5_000)] {
        let mut config = Run::defaults(&catalog, registry, agent, "Windy-v0")?;
        set(&mut config, "training.env_steps", env_steps.into())?;
        let evaluations = Run::new(&catalog, registry, &config)?.train_in_memory(0)?.evaluations;
        let last = evaluations.last().ok_or("no evaluation")?;
        println!("{agent}: return {:.2} after {} steps", last.mean_return, last.env_step);
    }
    let others = catalog.serving(registry.spec("Windy-v0")?);
    println!("agents that can learn it: {}", others.join(", "));
    Ok(ExitCode::SUCCESS)
}
