//! Dyna-Q and prioritized sweeping in mazes, after example 8.4 of Sutton and Barto (2018).
//!
//! Dyna-Q plans from random remembered steps; prioritized sweeping works backwards from where
//! values change. Both get the same number of planning steps. The measure is the number of env
//! steps until the greedy policy takes the shortest way.
//!
//! ```text
//! cargo run --release --example prioritized_sweeping_mazes
//! ```

use std::error::Error;

use gymnast::{
    Flow, Seed, SyncVectorEnv, Trainer, Training,
    envs::sutton_barto::DynaMaze,
    tabular::{
        Common, DynaQConfig, DynaQRule, Model, PrioritizedSweepingConfig, PrioritizedSweepingRule,
        QLearningRule, TabularAgent, UpdateRule, policy_value,
    },
};

const RUNS: u64 = 21;

/// In a deterministic environment the full step size works.
fn common() -> Common {
    Common { alpha: 1.0.into(), epsilon: 0.1.into(), gamma: 0.95, initial_value: 0.0 }
}

/// The number of env steps until the greedy policy takes the shortest way: the median over the
/// runs.
fn steps_to_optimum<R: UpdateRule>(
    maze: &DynaMaze,
    shortest: u32,
    config: impl Fn() -> R::Config,
) -> Result<u64, Box<dyn Error>> {
    let model = Model::of(maze)?;
    let mut all = Vec::new();
    for run in 0..RUNS {
        let seed = Seed::new(run);
        let mut agent = TabularAgent::<_, _, R>::for_env(maze, config(), seed)?;
        let (mut steps, mut ties) = (0, seed.child("ties", 0).rng());
        let mut envs = SyncVectorEnv::new(vec![maze.clone()], seed.child("envs", 0))?;
        Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
            .look_at_experience(|agent, _| {
                steps += 1;
                if steps % 20 > 0 {
                    return Ok(Flow::Continue);
                }
                let greedy = |state| agent.table().greedy(state, &mut ties);
                let policy: Vec<usize> = (0..model.states()).map(greedy).collect();
                Ok(Flow::stop_if(policy_value(&model, &policy, shortest) == 1.0))
            })
            .run()?;
        all.push(steps);
    }
    all.sort_unstable();
    Ok(all[all.len() / 2])
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("steps until the shortest way is known, median of {RUNS} runs\n");
    println!("maze              planning steps  Q-learning  Dyna-Q  prioritized sweeping");
    let never = u64::MAX;
    for (name, shortest, maze) in [
        ("open at the right", 10, DynaMaze::blocking(never)),
        ("Dyna's", 14, DynaMaze::dyna()),
        ("open at the left", 16, DynaMaze::shortcut(never)),
    ] {
        let none = steps_to_optimum::<QLearningRule>(&maze, shortest, || common().into())?;
        for planning_steps in [2, 10] {
            let dyna = || DynaQConfig { planning_steps, ..common().into() };
            let dyna = steps_to_optimum::<DynaQRule>(&maze, shortest, dyna)?;
            let sweeping = || PrioritizedSweepingConfig { planning_steps, ..common().into() };
            let sweeping = steps_to_optimum::<PrioritizedSweepingRule>(&maze, shortest, sweeping)?;
            println!("{name:17} {planning_steps:14} {none:11} {dyna:7} {sweeping:21}");
        }
    }
    Ok(())
}
