//! A3C on CartPole: one seed, in memory, with eight workers on eight threads.
//!
//! Two trainings with the same seed give the same bits, whatever the scheduler does.
//!
//! ```text
//! cargo run --release --example a3c_cart_pole
//! ```

use gymnast::{Catalog, Registry, Run};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let mut config = Run::defaults(&catalog, &registry, "a3c", "CartPole-v1")?;
    config["training"]["eval_every"] = 10_000.into();
    let run = Run::new(&catalog, &registry, &config)?;
    println!("{}", run.to_toml());
    let [first, second] = [run.train_in_memory(0)?, run.train_in_memory(0)?];
    for (evaluation, again) in first.evaluations.iter().zip(&second.evaluations) {
        assert_eq!(evaluation.mean_return.to_bits(), again.mean_return.to_bits());
        println!("{:>7} steps: {:.1}", evaluation.env_step, evaluation.mean_return);
    }
    if let Some(speed) = first.env_steps_per_s {
        println!("{speed:.0} env steps a second");
    }
    Ok(())
}
