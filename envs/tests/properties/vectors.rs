use gymnast_envs::{
    Act, AutoresetMode, Env, EnvError, Obs, Outcome, Seed, Space, Step, SyncVectorEnv, VectorEnv,
    classic::{CartPole, MountainCarContinuous},
    toy_text::{Blackjack, FrozenLake},
    wrappers::TimeLimit,
};
use proptest::prelude::*;

const STEPS: usize = 60;

/// The actions of environment `i`.
fn actions<E: Env>(env: &E, seed: Seed, i: usize) -> Vec<Act<E>> {
    let mut rng = seed.child("actions", i as u64).rng();
    (0..STEPS).map(|_| env.action_space().sample(&mut rng)).collect()
}

/// One row: what was seen, what came of it, whether it is a reset, and what is seen then.
type Row<E> = (Obs<E>, Step<Obs<E>>, bool, Obs<E>);

/// What a vector should do with environment `i`, from the environment alone.
fn alone<E: Env>(mut env: E, seed: Seed, i: usize, mode: AutoresetMode) -> Vec<Row<E>> {
    let mut rng = seed.child("env", i as u64).rng();
    let mut seen = env.reset(&mut rng).unwrap();
    let mut is_finished = false;
    let mut rows = vec![];
    for action in actions(&env, seed, i) {
        let before = seen.clone();
        if std::mem::take(&mut is_finished) {
            seen = env.reset(&mut rng).unwrap();
            if mode == AutoresetMode::NextStep {
                rows.push((before, Step::new(seen.clone(), 0.0, false), true, seen.clone()));
                continue;
            }
        }
        // Where nobody else resets, the caller has, so the row starts anew.
        let before = if mode == AutoresetMode::Disabled { seen.clone() } else { before };
        let step = env.step(&action, &mut rng).unwrap();
        seen = step.observation.clone();
        if step.outcome.is_final() && mode == AutoresetMode::SameStep {
            seen = env.reset(&mut rng).unwrap();
        } else {
            is_finished = step.outcome.is_final();
        }
        rows.push((before, step, false, seen.clone()));
    }
    rows
}

fn agrees<E: Env + Clone>(env: &E, seed: u64, n: usize, mode: AutoresetMode) {
    let seed = Seed::new(seed);
    let mut envs = SyncVectorEnv::with_autoreset(vec![env.clone(); n], seed, mode).unwrap();
    envs.reset().unwrap();
    let actions: Vec<_> = (0..n).map(|i| actions(env, seed, i)).collect();
    let expected: Vec<_> = (0..n).map(|i| alone(env.clone(), seed, i, mode)).collect();
    let mut finished = vec![false; n];
    for step in 0..STEPS {
        let batch: Vec<_> = actions.iter().map(|actions| actions[step].clone()).collect();
        if mode == AutoresetMode::Disabled && finished.contains(&true) {
            let before = envs.observations().to_vec();
            assert!(matches!(envs.step(&batch), Err(EnvError::NeedsReset { .. })));
            assert_eq!(envs.observations(), before, "an error leaves all as it was");
            envs.reset_where(&finished).unwrap();
        }
        envs.step(&batch).unwrap();
        let got = envs.experience();
        for i in 0..n {
            let (seen, outcome) = (got.observations[i].clone(), got.outcomes[i]);
            let observation = got.next_observations[i].clone();
            let taken = Step { observation, reward: got.rewards[i], outcome };
            let row: Row<E> = (seen, taken, got.is_reset[i], envs.observations()[i].clone());
            assert_eq!(row, expected[i][step], "env {i} of {n}, step {step}, {mode:?}");
            assert_eq!(
                got.is_reset[i],
                mode == AutoresetMode::NextStep && finished[i],
                "a row across a reset is marked, and no other"
            );
            finished[i] = outcome.is_final();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_vector_is_its_environments_alone(seed in any::<u64>(), n in 1..5_usize, limit in 1..30_u32) {
        use AutoresetMode::{Disabled, NextStep, SameStep};
        for mode in [SameStep, NextStep, Disabled] {
            agrees(&TimeLimit::new(CartPole::default(), limit), seed, n, mode);
            agrees(&TimeLimit::new(MountainCarContinuous::default(), limit), seed, n, mode);
            agrees(&TimeLimit::new(FrozenLake::default(), limit), seed, n, mode);
            agrees(&Blackjack::default(), seed, n, mode);
        }
    }

    #[test]
    fn no_episode_exceeds_its_limit(seed in any::<u64>(), limit in 1..80_u32) {
        let mut rng = Seed::new(seed).rng();
        let mut env = TimeLimit::new(CartPole::default(), limit);
        let actions = env.action_space();
        for _ in 0..5 {
            env.reset(&mut rng).unwrap();
            for step in 1..=limit {
                let mut bare = CartPole::default();
                bare.set_state(&env.state().unwrap()).unwrap();
                let action = actions.sample(&mut rng);
                let terminated = bare.step(&action, &mut rng).unwrap().outcome.terminated();
                let outcome = env.step(&action, &mut rng).unwrap().outcome;
                let expected = match (terminated, step == limit) {
                    (true, _) => Outcome::Terminated,
                    (false, true) => Outcome::Truncated,
                    (false, false) => Outcome::Continues,
                };
                prop_assert_eq!(outcome, expected);
                if outcome.is_final() {
                    break;
                }
            }
        }
    }
}
