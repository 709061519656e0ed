//! Learning curves with a confidence band, from trainings in memory.
//!
//! ```text
//! cargo run --release --example plot_curves    # writes learning_curves.svg
//! ```

use std::path::Path;

use gymnast::{
    Catalog, Registry, Run,
    core::{
        plot::{LearningCurves, Picture as _, Series},
        statistics::Curve,
    },
    settings::set,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let mut series = Vec::new();
    for alpha in [0.02, 0.1, 0.5] {
        let mut config = Run::defaults(&catalog, &registry, "q-learning", "CliffWalking-v1")?;
        set(&mut config, "agent.alpha", alpha.into())?;
        set(&mut config, "training.env_steps", 20_000.into())?;
        set(&mut config, "training.eval_every", 500.into())?;
        set(&mut config, "training.max_eval_steps", 100.into())?;
        let run = Run::new(&catalog, &registry, &config)?;
        let mut seeds = Vec::new();
        for &seed in &run.seeds {
            let evaluations = run.train_in_memory(seed)?.evaluations;
            let steps = evaluations.iter().map(|evaluation| evaluation.env_step as f64);
            let returns = evaluations.iter().map(|evaluation| evaluation.mean_return);
            seeds.push(Curve::new(steps.collect(), returns.collect())?);
        }
        series.push(Series { label: format!("α = {alpha}"), seeds });
    }
    let title = "Q-learning on CliffWalking-v1".to_owned();
    let path = Path::new("learning_curves.svg");
    LearningCurves { title, series, ..LearningCurves::default() }.save(path)?;
    println!("{}", path.display());
    Ok(())
}
