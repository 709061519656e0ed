use gymnast_envs::{
    Act, AutoresetMode, Env, EnvError, Experience, Lane, Obs, Outcome, Seed, Space, Step,
    SyncVectorEnv, ToRow, VectorEnv,
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

/// Everything that a vector showed of one environment.
type Rows<O, A> = Vec<(Vec<<O as Space>::Element>, Experience<O, A>)>;

/// The lanes of `apart`, each on a thread of its own, and the vector `together` do the same.
fn lanes_agree<O: Space, A: Space>(
    together: &mut dyn VectorEnv<O, A>,
    apart: &mut dyn VectorEnv<O, A>,
    seed: Seed,
) {
    let (n, space) = (together.num_envs(), together.action_space().clone());
    let action = |i, step| space.sample(&mut seed.child("action", i).child("step", step).rng());
    assert!(apart.lanes().is_empty(), "there is nothing to choose actions from before a reset");
    together.reset().unwrap();
    apart.reset().unwrap();
    let play = |i, lane: &mut dyn Lane<O, A>| -> Rows<O, A> {
        let rows = (0..STEPS as u64).map(|step| {
            let experience = lane.step(&action(i, step)).unwrap().clone();
            (lane.observations().to_vec(), experience)
        });
        rows.collect()
    };
    let rows: Vec<_> = std::thread::scope(|scope| {
        let play = &play;
        let lanes = (0..).zip(apart.lanes());
        let threads: Vec<_> =
            lanes.map(|(i, mut lane)| scope.spawn(move || play(i, &mut *lane))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(rows.len(), n);
    for step in 0..STEPS {
        let batch: Vec<_> = (0..n as u64).map(|i| action(i, step as u64)).collect();
        let expected = together.step(&batch).unwrap().clone();
        for (i, rows) in rows.iter().enumerate() {
            let (shown, row) = &rows[step];
            assert_eq!(row.observations[0], expected.observations[i]);
            assert_eq!(row.actions[0], expected.actions[i]);
            assert_eq!(row.next_observations[0], expected.next_observations[i]);
            assert_eq!(row.rewards[0].to_bits(), expected.rewards[i].to_bits());
            assert_eq!(
                (row.outcomes[0], row.is_reset[0]),
                (expected.outcomes[i], expected.is_reset[i])
            );
            assert_eq!(shown[0], together.observations()[i]);
        }
    }
    assert_eq!(apart.observations(), together.observations());
    let state = |envs: &dyn VectorEnv<O, A>| serde_json::to_value(envs.save()).unwrap();
    assert_eq!(state(apart), state(together));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn lanes_do_what_the_vector_does(seed in any::<u64>(), n in 1..5_usize, limit in 1..30_u32) {
        for mode in [AutoresetMode::SameStep, AutoresetMode::NextStep] {
            let seed = Seed::new(seed);
            let lake = || {
                let envs = vec![TimeLimit::new(FrozenLake::default(), limit); n];
                SyncVectorEnv::with_autoreset(envs, seed, mode).unwrap()
            };
            lanes_agree(&mut lake(), &mut lake(), seed);
            let car = || {
                let envs = vec![TimeLimit::new(MountainCarContinuous::default(), limit); n];
                let envs = SyncVectorEnv::with_autoreset(envs, seed, mode).unwrap();
                envs.erased::<ToRow, ToRow>()
            };
            lanes_agree(&mut car(), &mut car(), seed);
        }
    }

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
