//! Dyna-Q and Dyna-Q+ in mazes that change: figures 8.4 and 8.5 of Sutton and Barto (2018).
//!
//! When the short way is blocked, both find the other way, Dyna-Q+ sooner. When a shorter way
//! opens, Dyna-Q does not find it, because it does not explore it.
//!
//! ```text
//! cargo run --release --example changing_mazes    # writes blocking_maze.png and shortcut_maze.png
//! ```

use std::{error::Error, path::Path};

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    core::plot::{Axis, Line, LinePlot, Picture as _},
    envs::sutton_barto::DynaMaze,
    tabular::{
        Common, DynaQConfig, DynaQPlusConfig, DynaQPlusRule, DynaQRule, Memory, TabularAgent,
        UpdateRule,
    },
};

const RUNS: u64 = 30;

fn book() -> Common {
    Common { alpha: 1.0.into(), epsilon: 0.1.into(), gamma: 0.95, initial_value: 0.0 }
}

/// The reward gathered up to each step, its mean over the runs.
fn gathered<R: UpdateRule>(
    maze: &DynaMaze,
    steps: usize,
    config: impl Fn() -> R::Config,
) -> Result<Vec<f64>, Box<dyn Error>> {
    let mut mean = vec![0.0; steps];
    for run in 0..RUNS {
        let seed = Seed::new(run);
        let mut agent = TabularAgent::<_, _, R>::for_env(maze, config(), seed)?;
        let (mut step, mut sum) = (0, 0.0);
        let mut envs = SyncVectorEnv::new(vec![maze.clone()], seed.child("envs", 0))?;
        Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
            .look_at_experience(|_, experience| {
                sum += experience.rewards[0];
                mean[step] += sum / RUNS as f64;
                step += 1;
                Ok(Flow::stop_if(step == steps))
            })
            .run()?;
    }
    Ok(mean)
}

fn main() -> Result<(), Box<dyn Error>> {
    let (blocking, shortcut) = (DynaMaze::blocking(1000), DynaMaze::shortcut(3000));
    for (name, maze, steps, planning_steps, kappa) in
        [("blocking", blocking, 3000, 10, 1e-4), ("shortcut", shortcut, 6000, 50, 1e-3)]
    {
        let memory = Memory::Last; // the book's
        let plus = || DynaQPlusConfig { planning_steps, kappa, memory, ..book().into() };
        let plain = || DynaQConfig { planning_steps, memory, ..book().into() };
        let curves = [
            ("Dyna-Q+", gathered::<DynaQPlusRule>(&maze, steps, plus)?),
            ("Dyna-Q", gathered::<DynaQRule>(&maze, steps, plain)?),
        ];
        let line = |(label, sum): &(&str, Vec<f64>)| {
            let (end, late) = (sum[steps - 1], sum[steps - 1] - sum[steps - 1001]);
            println!("{name}: {label:7} gathered {end:.0}, {late:.0} of it in the last 1000 steps");
            Line::new(*label, sum.iter().enumerate().map(|(i, &y)| (i as f64 + 1.0, y)).collect())
        };
        let plot = LinePlot {
            title: format!("The {name} maze: mean over {RUNS} runs"),
            x_axis: Axis::new("time steps"),
            y_axis: Axis::new("cumulative reward"),
            lines: curves.iter().map(line).collect(),
            ..LinePlot::default()
        };
        let path = format!("{name}_maze.png");
        plot.save(Path::new(&path))?;
        println!("{path}");
    }
    Ok(())
}
