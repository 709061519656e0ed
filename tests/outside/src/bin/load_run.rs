//! A run that was recorded in a directory, loaded by another program, and acting.

use gymnast::{Catalog, Existing, Registry, Run, Trained, Which, settings::set};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::temp_dir().join(format!("run-{}", std::process::id()));
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let mut config = Run::defaults(&catalog, &registry, "dqn", "CartPole-v1")?;
    set(&mut config, "training.env_steps", 2_000.into())?;
    set(&mut config, "seeds", vec![0].into())?;
    Run::new(&catalog, &registry, &config)?.train(&dir, Existing::Refuse)?;

    let mut trained = Trained::load(&dir, Which::Newest)?;
    let action = trained.act([0.0, 0.1, 0.02, -0.3])?;
    println!("DQN: {action:?}");
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
