//! Rainbow on CartPole, and an ablation of each of its parts: one seed, in memory.
//!
//! ```text
//! cargo run --release --example rainbow_cart_pole
//! ```

use gymnast::{Catalog, Registry, Run, settings::set};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    // A setting switches each part off; without noise, random actions explore.
    let parts: [(&str, &[(&str, toml::Value)]); 5] = [
        ("everything", &[]),
        ("no priorities", &[("priority_exponent", 0.0.into())]),
        ("one step", &[("n_step", 1.into())]),
        ("no noise", &[("noise", 0.0.into()), ("epsilon", 0.05.into())]),
        ("no distribution", &[("distribution", "none".into())]),
    ];
    for (name, changes) in parts {
        let mut config = Run::defaults(&catalog, &registry, "rainbow", "CartPole-v1")?;
        set(&mut config, "training.env_steps", 20_000.into())?;
        for (key, value) in changes {
            set(&mut config, &format!("agent.{key}"), value.clone())?;
        }
        let summary = Run::new(&catalog, &registry, &config)?.train_in_memory(0)?;
        let returns: Vec<f64> = summary.evaluations.iter().map(|e| e.mean_return).collect();
        let first = summary.evaluations.iter().find(|e| e.mean_return >= 475.0);
        let reached = first.map_or("never".to_owned(), |e| format!("after {} steps", e.env_step));
        println!("{name:<16} 475 {reached}, at the end {:.1}", returns[returns.len() - 1]);
    }
    Ok(())
}
