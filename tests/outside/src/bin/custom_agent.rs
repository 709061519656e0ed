//! An agent of one's own in the command: a rule for tables, trained and resumed like the library's.
//!
//!     cargo run --manifest-path tests/outside/Cargo.toml --bin custom_agent -- train optimist FrozenLake-v1

use std::process::ExitCode;

use gymnast::{
    AgentEntry, Builders, Catalog, Registry, command,
    envs::kind,
    harness::{Preset, checkpoint},
    prelude::*,
    tabular::{QTable, Rates, TabularAgent, TimeStep, UpdateRule, tabular_settings},
};

tabular_settings! {
    /// The settings of the optimist.
    pub struct OptimistConfig {
        /// The step size for a value that turns out lower, as a share of `alpha`, in [0, 1].
        pub doubt: f64 = 0.1,
    }
}

/// Q-learning that believes good news sooner than bad news.
struct Optimist {
    q: QTable,
    doubt: f64,
}

impl UpdateRule for Optimist {
    type Config = OptimistConfig;

    fn new(config: &OptimistConfig, q: QTable, _: &Plan) -> Result<Self, AgentError> {
        let doubt = config.doubt;
        AgentError::require((0.0..=1.0).contains(&doubt), "doubt", &doubt, "a share in [0, 1]")?;
        Ok(Self { q, doubt })
    }

    fn table(&self) -> &QTable {
        &self.q
    }

    fn update(&mut self, step: &TimeStep, rates: &Rates) -> f64 {
        let TimeStep { state, action, reward, next_state, outcome, .. } = *step;
        let future = if outcome == Outcome::Terminated { 0.0 } else { self.q.max(next_state) };
        let target = reward + rates.gamma * future;
        let share = if target > self.q.row(state)[action] { 1.0 } else { self.doubt };
        self.q.step_towards(target, state, action, share * rates.alpha).abs()
    }

    fn begin_episodes(&mut self) {} // each step is learned from by itself
}

checkpoint!(Optimist { inline q });

impl Presets for OptimistConfig {
    fn presets() -> Vec<Preset<Self>> {
        Vec::new()
    }
}

fn main() -> ExitCode {
    let optimist = |config: OptimistConfig| {
        Builders::default().with(kind::Finite, move |o, a, plan| {
            TabularAgent::<_, _, Optimist>::new(o, a, config.clone(), plan)
        })
    };
    let entry = AgentEntry::new("optimist", "Q-learning that believes good news sooner.", optimist);
    command::run(Registry::builtin(), Catalog::builtin().with(entry), std::env::args_os())
}
