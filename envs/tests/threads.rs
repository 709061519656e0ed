//! Environments stepped on several threads.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gymnast_envs::{
    AutoresetMode, Discrete, Env, EnvError, Rng, Seed, Space, Step, SyncVectorEnv, VectorEnv,
    classic::{Acrobot, CartPole},
    toy_text::FrozenLake,
    wrappers::TimeLimit,
};
use rand::RngExt as _;

/// Everything that a vector of `n` shows in 300 steps of random actions, as text.
fn played<E: Env>(make: impl Fn() -> E, n: usize, threads: usize, mode: AutoresetMode) -> String {
    let make = || Ok(make());
    let mut envs = SyncVectorEnv::of(n, Seed::new(4), make).unwrap();
    envs.set_autoreset(mode);
    envs.set_threads(threads);
    envs.reset().unwrap();
    let mut rng = Seed::new(5).rng();
    let mut shown = String::new();
    for _ in 0..300 {
        let space = envs.action_space().clone();
        let actions: Vec<_> = (0..n).map(|_| space.sample(&mut rng)).collect();
        let experience = envs.step(&actions).unwrap();
        shown += &format!("{experience:?}");
        shown += &format!("{:?}", envs.observations());
    }
    shown + &serde_json::to_string(&envs.save()).unwrap()
}

#[test]
fn however_many_threads_there_are_the_results_are_the_same() {
    for mode in [AutoresetMode::SameStep, AutoresetMode::NextStep] {
        for n in [1, 2, 7] {
            let pole = || TimeLimit::new(CartPole::default(), 20);
            let one = played(pole, n, 1, mode);
            for threads in [0, 2, 3, 7, 100] {
                assert_eq!(played(pole, n, threads, mode), one, "{n} on {threads}");
            }
        }
        let lake = || TimeLimit::new(FrozenLake::default(), 20);
        assert_eq!(played(lake, 5, 2, mode), played(lake, 5, 1, mode));
        let acrobot = || TimeLimit::new(Acrobot::default(), 20);
        assert_eq!(played(acrobot, 5, 4, mode), played(acrobot, 5, 1, mode));
    }
}

/// Fails, or panics, where its action says so.
#[derive(Clone)]
struct Fragile;

impl Env for Fragile {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<i64, EnvError> {
        Ok(rng.random_range(0..2))
    }

    fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        match action {
            0 => Ok(Step::new(1, 0.0, false)),
            1 => Ok(Step::new(9, 0.0, false)),
            _ => panic!("it fell"),
        }
    }
}

#[test]
fn of_several_errors_that_of_the_first_environment_is_returned() {
    for threads in 1..=6 {
        let mut envs = SyncVectorEnv::new(vec![Fragile; 6], Seed::new(0)).unwrap();
        envs.set_threads(threads);
        envs.reset().unwrap();
        let error = envs.step(&[0, 0, 1, 0, 1, 1]).unwrap_err().to_string();
        assert!(error.contains("number 2 of the vector"), "{threads}: {error}");
    }
}

#[test]
fn a_panic_is_passed_on_with_what_it_said() {
    for threads in 1..=3 {
        let mut envs = SyncVectorEnv::new(vec![Fragile; 3], Seed::new(0)).unwrap();
        envs.set_threads(threads);
        envs.reset().unwrap();
        let panic = catch_unwind(AssertUnwindSafe(|| drop(envs.step(&[0, 0, 2])))).unwrap_err();
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"it fell"), "{threads}");
    }
}
