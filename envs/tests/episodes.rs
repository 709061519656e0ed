//! Random episodes of every registered environment, and the exact optima of the finite ones.

use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvOptions, FiniteSpace, Outcome, Registry, Seed, Space,
    bsuite::{Catch, DeepSea, DeepSeaConfig},
    classic::{
        Acrobot, CartPole, CartPoleContinuous, MountainCar, MountainCarContinuous, Pendulum,
    },
    kind,
    minatar::Breakout,
    physics::{LunarLander, LunarLanderConfig, LunarLanderContinuous},
    sutton_barto::{
        Bandit, BanditConfig, DynaMaze, RandomWalk, ShortCorridor, WindyGridWorld,
        WindyGridWorldConfig, WindyGridWorldKings, WindyGridWorldKingsConfig,
    },
    toy_text::{
        Blackjack, CliffWalking, CliffWalkingConfig, FrozenLake, FrozenLakeConfig, Taxi, TaxiConfig,
    },
};
use proptest::prelude::*;

/// Plays with random actions; observations stay in their space, and an environment restored in
/// mid-episode goes on in the same way.
fn play<E: Env + Clone>(mut env: E, seed: u64) {
    let mut rng = Seed::new(seed).rng();
    let (space, actions) = (env.observation_space(), env.action_space());
    let mut observation = env.reset(&mut rng).unwrap();
    for step in 0..300 {
        assert!(space.contains(&observation), "{observation:?} after {step} steps");
        let action = actions.sample(&mut rng);
        let mut twin = env.clone();
        twin.reset(&mut Seed::new(1).rng()).unwrap();
        twin.restore(&env.save().unwrap()).unwrap();
        let next = env.step(&action, &mut rng.clone()).unwrap();
        assert_eq!(next, twin.step(&action, &mut rng).unwrap());
        assert_eq!(env.state(), twin.state());
        observation = match next.outcome {
            Outcome::Continues => next.observation,
            _ => env.reset(&mut rng).unwrap(),
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn classic_episodes_stay_in_their_spaces(seed in any::<u64>()) {
        play(CartPole::default(), seed);
        play(CartPoleContinuous::default(), seed);
        play(MountainCar::default(), seed);
        play(MountainCarContinuous::default(), seed);
        play(Pendulum::default(), seed);
        let mut noisy = Acrobot::default();
        noisy.torque_noise_max = 0.5;
        play(noisy, seed);
    }

    #[test]
    fn toy_text_episodes_stay_in_their_spaces(seed in any::<u64>()) {
        let random = FrozenLakeConfig {
            map_name: "random".to_owned(),
            map_seed: seed,
            ..Default::default()
        };
        play(FrozenLake::new(random).unwrap(), seed);
        play(CliffWalking::new(CliffWalkingConfig { is_slippery: true }), seed);
        let weather = TaxiConfig { is_rainy: true, fickle_passenger: true, ..Default::default() };
        play(Taxi::new(weather).unwrap(), seed);
        play(Blackjack::default(), seed);
    }

    #[test]
    fn the_books_episodes_stay_in_their_spaces(seed in any::<u64>()) {
        play(DynaMaze::dyna(), seed);
        play(DynaMaze::blocking(seed % 300), seed);
        play(DynaMaze::shortcut(seed % 300), seed);
        let windy = WindyGridWorldConfig {
            kings_moves: seed % 2 == 0,
            standing_still: seed % 3 == 0,
            stochastic_wind: true,
        };
        play(WindyGridWorld::new(windy), seed);
        let kings = WindyGridWorldKingsConfig { stochastic_wind: true };
        play(WindyGridWorldKings::new(kings), seed);
        play(RandomWalk::default(), seed);
        play(ShortCorridor::default(), seed);
        play(Bandit::new(BanditConfig { drift: 0.1, ..Default::default() }).unwrap(), seed);
    }

    #[test]
    fn bsuites_and_minatars_episodes_stay_in_their_spaces(seed in any::<u64>()) {
        play(Catch::default(), seed);
        play(DeepSea::default(), seed);
        let uncertain =
            DeepSeaConfig { deterministic: false, mapping_seed: seed, ..Default::default() };
        play(DeepSea::new(uncertain).unwrap(), seed);
        play(Breakout::default(), seed);
    }

    #[test]
    fn landers_episodes_stay_in_their_spaces(seed in any::<u64>()) {
        let windy = LunarLanderConfig { enable_wind: true, ..LunarLanderConfig::default() };
        play(LunarLander::new(windy).unwrap(), seed);
        play(LunarLanderContinuous::default(), seed);
    }

    #[test]
    fn torques_beyond_the_bounds_leave_the_pendulum_in_its_space(torque in any::<f32>()) {
        let mut rng = Seed::new(0).rng();
        let mut pendulum = Pendulum::default();
        pendulum.reset(&mut rng).unwrap();
        match pendulum.step(&[torque], &mut rng) {
            Ok(step) => prop_assert!(pendulum.observation_space().contains(&step.observation)),
            Err(_) => prop_assert!(!torque.is_finite()),
        }
    }
}

/// The best expected return within `limit` steps, by backward induction over the model.
fn optimum<E>(env: &E, limit: usize) -> f64
where
    E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace>,
{
    let (states, actions) = (env.observation_space(), env.action_space());
    let mut values = vec![0.0; states.size()];
    for _ in 0..limit {
        let value = |state: usize, action: usize| -> f64 {
            let model = env.transitions(&states.element(state), &actions.element(action)).unwrap();
            let one = |t: &gymnast_envs::Transition<_>| {
                let next = if t.terminated { 0.0 } else { values[states.index_of(&t.next_state)] };
                t.probability * (t.reward + next)
            };
            model.iter().map(one).sum()
        };
        let best = |state| (0..actions.size()).map(|a| value(state, a)).fold(f64::MIN, f64::max);
        values = (0..states.size()).map(best).collect();
    }
    let starts = env.initial_states().unwrap();
    starts.iter().map(|(p, state)| p * values[states.index_of(state)]).sum()
}

#[test]
fn value_iteration_finds_the_known_optima() {
    assert!((optimum(&FrozenLake::default(), 100) - 0.7442).abs() < 5e-5);
    assert!((optimum(&FrozenLake::default(), 10_000) - 0.8235).abs() < 5e-5);
    let large = FrozenLakeConfig { map_name: "8x8".to_owned(), ..Default::default() };
    assert!((optimum(&FrozenLake::new(large).unwrap(), 200) - 0.9132).abs() < 5e-5);
    assert_eq!(optimum(&CliffWalking::default(), 100), -13.0);
    assert!((optimum(&Taxi::default(), 200) - 7.93).abs() < 5e-3);
}

#[test]
fn limits_and_thresholds_are_as_documented() {
    let registry = Registry::builtin();
    let listed = [
        ("CartPole-v0", Some(200), Some(195.0)),
        ("CartPole-v1", Some(500), Some(475.0)),
        ("MountainCar-v0", Some(200), Some(-110.0)),
        ("MountainCarContinuous-v0", Some(999), Some(90.0)),
        ("Pendulum-v1", Some(200), None),
        ("Acrobot-v1", Some(500), Some(-100.0)),
        ("FrozenLake-v1", Some(100), Some(0.7)),
        ("FrozenLake8x8-v1", Some(200), Some(0.85)),
        ("CliffWalking-v1", None, None),
        ("CliffWalkingSlippery-v1", None, None),
        // Gymnasium's 8 is above the optimum.
        ("Taxi-v4", Some(200), Some(7.5)),
        ("Blackjack-v1", None, None),
        // Not Gymnasium's: the optimum, or a little below it where returns vary or round.
        ("CartPoleContinuous-v1", Some(500), Some(475.0)),
        ("DynaMaze-v0", None, Some(1.0)),
        ("BlockingMaze-v0", None, Some(1.0)),
        ("ShortcutMaze-v0", None, Some(1.0)),
        ("WindyGridWorld-v0", None, Some(-15.0)),
        ("WindyGridWorldKings-v0", Some(200), Some(-7.0)),
        ("RandomWalk-v0", None, None),
        ("ShortCorridor-v0", Some(1000), Some(-12.0)),
        ("Bandit-v0", Some(1000), None),
        ("Catch-v0", None, Some(0.95)),
        ("DeepSea-v0", None, Some(0.98)),
        ("MinAtarBreakout-v1", Some(1000), Some(10.0)),
    ];
    for (id, limit, threshold) in listed {
        let spec = registry.spec(id).unwrap();
        assert_eq!((spec.step_limit(), spec.threshold()), (limit, threshold), "{id}");
        assert!(!spec.summary().is_empty(), "{id}");
    }
}

#[test]
fn agents_are_served_as_the_spaces_allow() {
    let registry = Registry::builtin();
    for spec in registry.iter() {
        let (_, actions) = spec.spaces(&EnvOptions::none()).unwrap();
        let actions = actions.to_string();
        let is = |name: &str| actions.starts_with(name);
        assert_eq!(spec.serves(kind::Continuous), is("Box"), "{}", spec.id());
        assert_eq!(spec.serves(kind::MultiDiscrete), is("MultiDiscrete"), "{}", spec.id());
        assert_eq!(spec.serves(kind::Discrete), is("Discrete"), "{}", spec.id());
    }
    let is_finite = |id| registry.spec(id).unwrap().serves(kind::Finite);
    for id in ["Blackjack-v1", "DynaMaze-v0", "ShortCorridor-v0", "Bandit-v0", "DeepSea-v0"] {
        assert!(is_finite(id), "{id}");
    }
    assert!(!is_finite("Acrobot-v1") && !is_finite("Catch-v0"));
}

#[test]
fn spaces_are_gymnasiums() {
    assert_eq!(Pendulum::default().action_space(), BoxSpace::symmetric([2.0]));
    assert_eq!(MountainCarContinuous::default().action_space(), BoxSpace::symmetric([1.0]));
    let car = BoxSpace::new([-1.2, -0.07], [0.6, 0.07]).unwrap();
    assert_eq!(MountainCar::default().observation_space(), car);
    assert_eq!(Taxi::default().observation_space(), Discrete::new(500));
    assert_eq!(Blackjack::default().observation_space().size(), 704);
    let acrobot = Acrobot::default().observation_space();
    assert_eq!(acrobot.high()[4..], [12.566_371, 28.274_334]);
}
