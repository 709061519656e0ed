//! Custom agents, used by the whole command: TQC, an off-policy algorithm for real-valued actions,
//! and hysteretic Q-learning, an update rule for tables.
//!
//! ```text
//! cargo run --release --example custom_agent train tqc Pendulum-v1
//! cargo run --release --example custom_agent train hysteretic-q FrozenLake-v1
//! cargo run --release --example custom_agent tune hysteretic-q FrozenLake-v1
//! cargo run --release --example custom_agent report runs/tqc-Pendulum-v1
//! ```
//!
//! `OffPolicyAgent` does what every off-policy agent needs (memory, random start, checkpoints,
//! exact resume), `TabularAgent` does the same for tables. An algorithm only defines its update.

mod hysteretic;
mod tqc;

use std::process::ExitCode;

use gymnast::{
    AgentEntry, Builders, Catalog, Registry, command, envs::kind, tabular::TabularAgent,
};

use hysteretic::{HystereticConfig, HystereticRule};
use tqc::{Tqc, TqcConfig};

fn main() -> ExitCode {
    let tqc = |config: TqcConfig| {
        Builders::default()
            .with(kind::Continuous, move |o, a, plan| Tqc::new(o, a, config.clone(), plan))
    };
    let hysteretic = |config: HystereticConfig| {
        Builders::default().with(kind::Finite, move |o, a, plan| {
            TabularAgent::<_, _, HystereticRule>::new(o, a, config.clone(), plan)
        })
    };
    let catalog = Catalog::builtin()
        .with(AgentEntry::new("tqc", "TQC: SAC with truncated quantile critics.", tqc))
        .with(AgentEntry::new("hysteretic-q", "Q-learning that forgives bad luck.", hysteretic));
    command::run(Registry::builtin(), catalog, std::env::args_os())
}
