//! What Sutton and Barto's figures show, with fewer runs than the examples draw: `dyna_maze` (figure
//! 8.2) and `changing_mazes` (figures 8.4 and 8.5).

use gymnast_envs::{Seed, SyncVectorEnv, sutton_barto::DynaMaze};
use gymnast_harness::{Flow, Trainer, Training};
use gymnast_tabular::{
    Common, DynaQConfig, DynaQPlusConfig, DynaQPlusRule, DynaQRule, Memory, QLearningRule,
    TabularAgent, UpdateRule,
};

fn book(alpha: f64) -> Common {
    Common { alpha: alpha.into(), epsilon: 0.1.into(), gamma: 0.95, initial_value: 0.0 }
}

/// At each of so many steps: whether an episode ended, which in these mazes is the reward.
fn arrivals<R: UpdateRule>(
    maze: &DynaMaze,
    run: u64,
    steps: usize,
    config: R::Config,
) -> Vec<bool> {
    let seed = Seed::new(run);
    let mut agent = TabularAgent::<_, _, R>::for_env(maze, config, seed).unwrap();
    let mut arrivals = Vec::new();
    let mut envs = SyncVectorEnv::new(vec![maze.clone()], seed.child("envs", 0)).unwrap();
    Trainer::new(&Training::until_stopped(), run, &mut agent, &mut envs)
        .look_at_experience(|_, step| {
            arrivals.push(step.outcomes[0].is_final());
            assert_eq!(step.rewards[0], f64::from(u8::from(step.outcomes[0].is_final())));
            Ok(Flow::stop_if(arrivals.len() == steps))
        })
        .run()
        .unwrap();
    arrivals
}

/// The mean steps of each of the first 30 episodes, over ten runs.
fn episodes<R: UpdateRule>(config: impl Fn() -> R::Config) -> Vec<f64> {
    let mut mean = vec![0.0; 30];
    for run in 0..10 {
        let arrivals = arrivals::<R>(&DynaMaze::dyna(), run, 60_000, config());
        let ends = (1..).zip(arrivals).filter(|(_, ended)| *ended).map(|(step, _)| step);
        let mut before = 0;
        for (sum, end) in mean.iter_mut().zip(ends) {
            *sum += f64::from(end - before) / 10.0;
            before = end;
        }
        assert!(before > 0);
    }
    mean
}

#[test]
fn planning_finds_the_way_sooner() {
    let planning = |planning_steps| {
        episodes::<DynaQRule>(move || DynaQConfig { planning_steps, ..book(0.1).into() })
    };
    let curves = [episodes::<QLearningRule>(|| book(0.1).into()), planning(5), planning(50)];
    // The first episode is alike, as nothing is known yet but that the goal was not there.
    for curve in &curves {
        assert!((800.0..3_500.0).contains(&curve[0]), "{}", curve[0]);
    }
    let near = curves.each_ref().map(|curve| 1 + curve.iter().position(|&n| n <= 20.0).unwrap());
    let [none, five, fifty] = near;
    assert!((15..=30).contains(&none), "{near:?}");
    assert!((3..=7).contains(&five), "{near:?}");
    assert!((2..=4).contains(&fifty) && fifty < five, "{near:?}");
}

/// What both gather in so many steps and in the last 1000 of them, over ten runs.
fn gathered<R: UpdateRule>(
    maze: &DynaMaze,
    steps: usize,
    config: impl Fn() -> R::Config,
) -> (f64, f64) {
    let mut sums = (0.0, 0.0);
    for run in 0..10 {
        let arrivals = arrivals::<R>(maze, run, steps, config());
        let count = |steps: &[bool]| steps.iter().filter(|ended| **ended).count() as f64 / 10.0;
        sums.0 += count(&arrivals);
        sums.1 += count(&arrivals[steps - 1000..]);
    }
    sums
}

fn both(maze: &DynaMaze, steps: usize, planning_steps: usize, kappa: f64) -> [(f64, f64); 2] {
    let memory = Memory::Last;
    let plus = || DynaQPlusConfig { planning_steps, kappa, memory, ..book(1.0).into() };
    let plain = || DynaQConfig { planning_steps, memory, ..book(1.0).into() };
    [gathered::<DynaQPlusRule>(maze, steps, plus), gathered::<DynaQRule>(maze, steps, plain)]
}

#[test]
fn curiosity_finds_the_way_round_sooner() {
    let [plus, plain] = both(&DynaMaze::blocking(1000), 3000, 10, 1e-4);
    assert!(plus.0 > plain.0 + 3.0, "{plus:?} {plain:?}");
}

#[test]
fn only_curiosity_finds_the_shortcut() {
    let [plus, plain] = both(&DynaMaze::shortcut(3000), 6000, 50, 1e-3);
    assert!(plus.0 > plain.0 + 20.0, "{plus:?} {plain:?}");
    // 16 steps the long way and 10 the short one: at most 62.5 and 100 arrivals.
    assert!(plain.1 < 62.5 && plus.1 > 65.0, "{plus:?} {plain:?}");
}
