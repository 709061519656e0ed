//! MBPO on Pendulum beside the SAC that it builds on: one seed each, in memory.
//!
//! ```text
//! cargo run --release --example mbpo_pendulum
//! ```

use gymnast::{Catalog, Registry, Run, settings::set};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    for (agent, env_steps) in [("mbpo", 1_500), ("sac", 3_000)] {
        let mut config = Run::defaults(&catalog, &registry, agent, "Pendulum-v1")?;
        set(&mut config, "training.env_steps", env_steps.into())?;
        set(&mut config, "training.eval_every", 250.into())?;
        let summary = Run::new(&catalog, &registry, &config)?.train_in_memory(0)?;
        if let Some(speed) = summary.env_steps_per_s {
            println!("{agent}: {speed:.0} env steps a second");
        }
        for evaluation in &summary.evaluations {
            println!("{:>7} steps: {:.1}", evaluation.env_step, evaluation.mean_return);
        }
    }
    Ok(())
}
