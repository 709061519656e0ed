//! SAC on Pendulum: one seed, in memory.
//!
//! ```text
//! cargo run --release --example sac_pendulum
//! ```

use gymnast::{Catalog, Registry, Run, settings::set};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let mut config = Run::defaults(&catalog, &registry, "sac", "Pendulum-v1")?;
    set(&mut config, "training.env_steps", 10_000.into())?;
    let run = Run::new(&catalog, &registry, &config)?;
    println!("{}", run.to_toml());
    let summary = run.train_in_memory(0)?;
    for evaluation in &summary.evaluations {
        println!("{:>7} steps: {:.1}", evaluation.env_step, evaluation.mean_return);
    }
    if let Some(speed) = summary.env_steps_per_s {
        println!("{speed:.0} env steps a second");
    }
    Ok(())
}
