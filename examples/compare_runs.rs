//! Compares two runs of Q-learning in a table: optimistic initial values against random
//! exploration.
//!
//! ```text
//! cargo run --release --example compare_runs
//! ```

use std::path::Path;

use gymnast::{
    Catalog, Existing, Registry, Run,
    harness::report::{Report, Returns, RunResults, SeedResults},
    run::overlay,
};

const CHANCE: &str = "agent = { epsilon = { from = 1.0, to = 0.05, until = 0.5 } }";
const OPTIMISM: &str = "agent = { epsilon = 0.0, initial_value = 1.0 }";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let mut results = Vec::new();
    for (name, settings) in [("chance", CHANCE), ("optimism", OPTIMISM)] {
        let mut config = Run::defaults(&catalog, &registry, "q-learning", "Taxi-v4")?;
        overlay(&mut config, &settings.parse()?)?;
        let run = Run::new(&catalog, &registry, &config)?;
        let dir = Path::new("runs/compare").join(name);
        run.train(&dir, Existing::Replace)?;
        results.push(RunResults {
            run: name.to_owned(),
            agent: format!("q-learning by {name}"),
            env: run.env.id().to_owned(),
            returns: Returns::Evaluation,
            threshold: run.env.threshold(),
            reference: run.env.reference(),
            seeds: SeedResults::read_all(&dir)?,
        });
    }
    print!("{}", Report::of(&results, &[])?.to_table());
    Ok(())
}
