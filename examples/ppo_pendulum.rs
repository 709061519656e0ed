//! PPO on Pendulum: one seed, in memory.
//!
//! ```text
//! cargo run --release --example ppo_pendulum
//! ```

use gymnast::{Catalog, Registry, Run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let config = Run::defaults(&catalog, &registry, "ppo", "Pendulum-v1")?;
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
