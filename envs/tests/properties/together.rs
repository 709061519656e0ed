//! Environments stepped together against each stepped alone.

use gymnast_envs::{
    Act, Env, Obs, Outcome, Rng, Seed, Space, SyncVectorEnv, ToRow, VectorEnv,
    classic::{
        Acrobot, AcrobotDynamics, CartPole, CartPoleContinuous, MountainCar, MountainCarContinuous,
        Pendulum,
    },
    serde_json::Value,
    toy_text::{CliffWalking, CliffWalkingConfig, FrozenLake, Taxi, TaxiConfig},
    wrappers::TimeLimit,
};

const STEPS: usize = 120;

/// One environment with its stream, stepped by itself.
struct Alone<E: Env> {
    env: E,
    rng: Rng,
    seen: Obs<E>,
}

impl<E: Env> Alone<E> {
    fn new(mut env: E, seed: Seed, i: usize) -> Self {
        let mut rng = seed.child("env", i as u64).rng();
        let seen = env.reset(&mut rng).unwrap();
        Self { env, rng, seen }
    }

    fn step(&mut self, action: &Act<E>) -> (Obs<E>, f64, Outcome) {
        let step = self.env.step(action, &mut self.rng).unwrap();
        self.seen = step.observation.clone();
        if step.outcome.is_final() {
            self.seen = self.env.reset(&mut self.rng).unwrap();
        }
        (step.observation, step.reward, step.outcome)
    }
}

/// What the environments hold, and their streams.
fn snapshot(envs: &impl Env) -> Value {
    envs.save().unwrap()
}

/// Steps `n` environments together, half of the steps in a vector that was restored, and each alone.
fn agree<E: Env + Clone>(env: &E, n: usize, limit: u32) {
    let seed = Seed::new(u64::from(limit));
    let env = TimeLimit::new(env.clone(), limit);
    let make = || SyncVectorEnv::new(vec![env.clone(); n], seed).unwrap();
    let mut envs = make();
    envs.reset().unwrap();
    let mut alone: Vec<_> = (0..n).map(|i| Alone::new(env.clone(), seed, i)).collect();
    let (mut rng, mut actions) = (seed.rng(), Vec::new());
    env.action_space().sample_many(n, &mut rng, &mut actions);
    let (mut begun, mut rngs) = (envs.envs().to_vec(), vec![seed.rng(); n]);
    let did = TimeLimit::step_together(&mut begun, |env| env, &actions, &mut rngs, |_, _, _, _| ());
    assert!(did || n < 4, "{n} were too few");
    let (mut ends, space) = (0, env.action_space());
    for step in 0..STEPS {
        if step == STEPS / 2 {
            let saved = envs.save();
            envs = make();
            envs.restore(&saved).unwrap();
        }
        space.sample_many(n, &mut rng, &mut actions);
        let rows = envs.step(&actions).unwrap().clone();
        for (i, alone) in alone.iter_mut().enumerate() {
            let (next, reward, outcome) = alone.step(&actions[i]);
            assert_eq!(rows.next_observations[i], next, "{i} of {n}, step {step}");
            assert_eq!((rows.rewards[i].to_bits(), rows.outcomes[i]), (reward.to_bits(), outcome));
            assert_eq!(envs.observations()[i], alone.seen);
            ends += usize::from(outcome.is_final());
        }
    }
    for (env, alone) in envs.envs().iter().zip(&alone) {
        assert_eq!(snapshot(env), snapshot(&alone.env));
    }
    assert!(ends >= n, "only {ends} of {n} ended");
}

/// Does that with numbers of environments around those that are advanced at once.
fn agrees<E: Env + Clone>(env: &E) {
    for n in [1, 2, 7, 31, 32, 33, 100] {
        agree(env, n, 11 + n as u32);
    }
}

macro_rules! agreeing {
    ($($test:ident: $env:expr;)*) => {
        $(#[test] fn $test() { agrees(&$env); })*
    };
}

agreeing! {
    cart_pole: CartPole::default();
    cart_pole_of_other_options: {
        let mut cart_pole = CartPole::default();
        (cart_pole.length, cart_pole.sutton_barto_reward) = (0.7, true);
        cart_pole
    };
    cart_pole_continuous: CartPoleContinuous::default();
    mountain_car: MountainCar::default();
    mountain_car_continuous: MountainCarContinuous::default();
    pendulum: Pendulum::default();
    acrobot: Acrobot::default();
    acrobot_of_the_paper: {
        let mut acrobot = Acrobot::default();
        acrobot.dynamics = AcrobotDynamics::Nips;
        acrobot
    };
    frozen_lake: FrozenLake::default();
    cliff_walking: CliffWalking::default();
    slippery_cliff_walking: CliffWalking::new(CliffWalkingConfig { is_slippery: true });
    taxi: Taxi::default();
    taxi_in_rain: {
        let mut config = TaxiConfig::default();
        (config.is_rainy, config.fickle_passenger) = (true, true);
        Taxi::new(config).unwrap()
    };
}

#[test]
fn rows_for_networks_are_those_of_the_environment() {
    let make =
        || SyncVectorEnv::new(vec![CartPoleContinuous::default(); 40], Seed::new(0)).unwrap();
    let (mut envs, mut rows) = (make(), make().erased::<ToRow, ToRow>());
    envs.reset().unwrap();
    rows.reset().unwrap();
    for i in 0..100 {
        let actions: Vec<_> = (0..40).map(|j| [((i + j) % 5) as f32 / 2.0 - 1.0]).collect();
        let taken: Vec<_> = actions.iter().map(|action| action.to_vec()).collect();
        envs.step(&actions).unwrap();
        rows.step(&taken).unwrap();
        assert_eq!(envs.observations().concat(), rows.observations().concat());
    }
}

/// Steps 40 environments together, set to states far from those of an episode, and each alone.
fn agree_from<E: Env + Clone + Default>(state: impl Fn(usize) -> Vec<f64>, action: &Act<E>)
where
    Obs<E>: PartialEq + std::fmt::Debug,
{
    let mut envs = vec![E::default(); 40];
    for (i, env) in envs.iter_mut().enumerate() {
        env.set_state(&state(i)).unwrap();
    }
    let mut alone = envs.clone();
    let mut seen = Vec::new();
    let mut rngs = vec![Seed::new(0).rng(); 40];
    let each = |_, _: &mut E, _: &mut Rng, step| seen.push(step);
    let actions = vec![action.clone(); 40];
    assert!(E::step_together(&mut envs, |env| env, &actions, &mut rngs, each));
    for (i, env) in alone.iter_mut().enumerate() {
        assert_eq!(env.step(action, &mut Seed::new(0).rng()).unwrap(), seen[i], "{:?}", state(i));
        assert_eq!(env.state(), envs[i].state());
    }
}

#[test]
fn states_that_were_set_far_off_are_stepped_alike() {
    // Up to 1e12 with both signs, so that some are beyond what is computed at once.
    let far = |i: usize| 10_f64.powf(i as f64 * 0.3) * if i.is_multiple_of(2) { 0.7 } else { -0.7 };
    let angle = |i: usize| i as f64 * 0.09 - 1.8;
    agree_from::<CartPole>(|i| vec![0.0, 0.1, angle(i), -0.2], &1);
    agree_from::<Pendulum>(|i| vec![far(i), far(i + 1)], &[-0.3]);
    agree_from::<Pendulum>(|i| vec![angle(i), far(i)], &[f32::MAX]);
    agree_from::<MountainCarContinuous>(|i| vec![far(i), 0.01], &[-0.4]);
    agree_from::<MountainCarContinuous>(|i| vec![angle(i), far(i)], &[1.5]);
    // At most 1e6.
    let large = |i: usize| far(i / 2) / 1.5;
    agree_from::<Acrobot>(|i| vec![large(i), angle(i), 0.5, -0.5], &2);
    agree_from::<Acrobot>(|i| vec![angle(i), 2.0 * angle(i), large(i) / 1e3, 28.0], &0);
    agree_from::<Acrobot>(|i| vec![3.0, -3.0, 0.1, large(i)], &0);
}

#[test]
fn noise_is_drawn_one_after_the_other() {
    let mut acrobots = vec![Acrobot::default(); 8];
    acrobots[7].torque_noise_max = 0.5;
    let mut rngs = vec![Seed::new(0).rng(); 8];
    let each = |_, _: &mut Acrobot, _: &mut Rng, _| ();
    assert!(!Acrobot::step_together(&mut acrobots, |env| env, &[0; 8], &mut rngs, each));
    agree(&acrobots[7], 1, 12);
}

#[test]
fn an_invalid_action_stops_where_it_would_alone() {
    let mut envs = SyncVectorEnv::new(vec![CartPole::default(); 4], Seed::new(0)).unwrap();
    envs.reset().unwrap();
    let before: Vec<_> = envs.envs().iter().map(CartPole::state).collect();
    envs.step(&[0, 1, 2, 0]).unwrap_err();
    let after: Vec<_> = envs.envs().iter().map(CartPole::state).collect();
    let changed: Vec<_> =
        before.iter().zip(&after).map(|(before, after)| before != after).collect();
    assert_eq!(changed, [true, true, false, false]);
}
