//! Wrappers by name: each held against the checker, against its type, and saved and restored.

use gymnast_envs::{
    Env as _, EnvError, EnvOptions, EnvSpec, FeatureSpace as _, FiniteSpace as _, Registry, Seed,
    Storage, SyncVectorEnv, VectorEnv as _,
    classic::CartPole,
    kind,
    serde_json::{Value, json},
    wrappers::{DiscretizeObservation, FrameStack, TimeLimit},
};

/// Options that suit each wrapper. A wrapper without them fails the test.
fn sample(name: &str) -> Value {
    match name {
        "OrderEnforcing" | "ClipAction" | "FlattenObservation" | "RecordEpisodeStatistics" => {
            json!({})
        }
        "RescaleAction" | "MaxAndSkipObservation" | "NormalizeObservation" | "NormalizeReward" => {
            json!({})
        }
        "TimeLimit" => json!({ "max_episode_steps": 9 }),
        "StickyAction" => json!({ "repeat_action_probability": 0.25 }),
        "RepeatAction" => json!({ "num_repeats": 3 }),
        "FrameStack" => json!({ "k": 3 }),
        "TimeAwareObservation" => json!({ "max_episode_steps": 500, "normalize_time": true }),
        "DiscretizeObservation" => json!({ "bins": 6, "low": -8, "high": 8 }),
        "RescaleObservation" => json!({ "min_obs": -1, "max_obs": 1 }),
        "ClipReward" => json!({ "max_reward": 0.5 }),
        "TransformReward" => json!({ "scale": 0.1 }),
        other => panic!("no sample options of {other}"),
    }
}

fn wrapped(env: &str, wrappers: &Value) -> Result<EnvSpec, EnvError> {
    let registry = Registry::builtin();
    registry.wrapped(registry.spec(env)?, wrappers)
}

const ENVS: [&str; 6] = [
    "FrozenLake-v1",
    "CartPole-v1",
    "MountainCar-v0",
    "WindyGridWorldKings-v0",
    "Pendulum-v1",
    "TicTacToe-v0",
];

#[test]
fn every_wrapper_passes_the_checker_on_every_environment_that_it_fits() {
    let options = EnvOptions::none();
    for spec in Registry::builtin().wrappers() {
        let mut entry = sample(spec.name());
        entry["name"] = spec.name().into();
        let mut fitting = 0;
        for env in ENVS {
            let Ok(env) = wrapped(env, &json!([entry])) else { continue };
            match env.spaces(&options) {
                Err(EnvError::InvalidOption { .. }) => continue,
                spaces => spaces.unwrap(),
            };
            fitting += 1;
            let report = env.check(&options);
            assert!(report.is_ok(), "{}: {report}", env.title());
        }
        assert!(fitting > 0, "{} fits no environment", spec.name());
        assert!(!spec.summary().is_empty() && !spec.needs().is_empty());
        assert!(spec.options().iter().all(|option| !option.doc.is_empty()), "{}", spec.name());
    }
}

#[test]
fn by_name_and_by_type_show_the_same() {
    let list =
        json!([{ "name": "TimeLimit", "max_episode_steps": 7 }, { "name": "FrameStack", "k": 3 }]);
    let named = wrapped("CartPole-v1", &list).unwrap();
    let mut named =
        named.vector(kind::Discrete, 2, Seed::new(4), &EnvOptions::none()).unwrap().unwrap();
    let typed = || Ok(FrameStack::<_, 3>::new(TimeLimit::new(CartPole::default(), 7)));
    let mut typed = SyncVectorEnv::of(2, Seed::new(4), typed).unwrap();
    named.reset().unwrap();
    typed.reset().unwrap();
    for i in 0..40 {
        let actions = [i % 2, i % 3 % 2];
        let (named, typed) = (named.step(&actions).unwrap(), typed.step(&actions).unwrap());
        assert_eq!(named.outcomes, typed.outcomes);
        for (row, frames) in named.next_observations.iter().zip(&typed.next_observations) {
            assert_eq!(row, &frames.concat());
        }
    }
}

#[test]
fn bins_make_an_environment_of_numbers_finite() {
    let (low, high) = ([-2.4, -3.0, -0.2, -3.0], [2.4, 3.0, 0.2, 3.0]);
    let bins =
        json!({ "name": "DiscretizeObservation", "bins": [4, 3, 6, 2], "low": low, "high": high });
    let named = wrapped("CartPole-v1", &json!([bins])).unwrap();
    assert!(
        named.serves(kind::Finite)
            && named.serves(kind::Discrete)
            && !named.serves(kind::Continuous)
    );
    let none = EnvOptions::none();
    let mut finite = named.vector(kind::Finite, 1, Seed::new(0), &none).unwrap().unwrap();
    let mut rows = named.vector(kind::Discrete, 1, Seed::new(0), &none).unwrap().unwrap();
    let [low, high] = [low, high].map(|limits| limits.map(|x: f64| x as f32));
    let typed = DiscretizeObservation::with_limits(CartPole::default(), [4, 3, 6, 2], low, high);
    let typed = TimeLimit::new(typed.unwrap(), 500);
    let space = typed.observation_space();
    let mut typed = SyncVectorEnv::new(vec![typed], Seed::new(0)).unwrap();
    typed.reset().unwrap();
    finite.reset().unwrap();
    rows.reset().unwrap();
    assert_eq!((finite.observation_space().n(), rows.observation_space().width()), (144, 15));
    for i in 0..60 {
        let typed = typed.step(&[i % 2]).unwrap().next_observations[0];
        let number = finite.step(&[i % 2]).unwrap().next_observations[0];
        let row = &rows.step(&[i % 2]).unwrap().next_observations[0];
        let mut features = vec![0.0; 15];
        space.flatten(&typed, &mut features);
        assert_eq!((number, row), (space.index_of(&typed) as i64, &features));
    }
}

#[test]
fn stacked_states_are_numbered_and_a_mask_is_the_last_one() {
    let named = wrapped("FrozenLake-v1", &json!([{ "name": "FrameStack", "k": 2 }])).unwrap();
    let none = EnvOptions::none();
    let mut envs = named.vector(kind::Finite, 1, Seed::new(0), &none).unwrap().unwrap();
    assert_eq!(envs.observation_space().n(), 256);
    envs.reset().unwrap();
    assert_eq!(envs.observations(), [0]);
    let game = wrapped("TicTacToe-v0", &json!([{ "name": "FrameStack", "k": 2 }])).unwrap();
    let envs = game.vector(kind::Discrete, 1, Seed::new(0), &none).unwrap().unwrap();
    let plain = Registry::builtin();
    let plain = plain.spec("TicTacToe-v0").unwrap().vector(kind::Discrete, 1, Seed::new(0), &none);
    let plain = plain.unwrap().unwrap().observation_space().clone();
    let (mask, width) = (plain.action_mask().unwrap(), plain.width());
    assert_eq!(envs.observation_space().action_mask(), Some(width + mask.start..width + mask.end));
    let spoilt = wrapped("TicTacToe-v0", &json!(["NormalizeObservation"])).unwrap();
    assert!(spoilt.spaces(&none).unwrap_err().to_string().contains("mask"));
}

#[test]
fn stacked_pictures_come_first_or_as_channels() {
    let (none, breakout) = (EnvOptions::none(), "MinAtarBreakout-v1");
    let play = |channels: bool| {
        let stack = json!([{ "name": "FrameStack", "k": 3, "channels": channels }]);
        let spec = wrapped(breakout, &stack).unwrap();
        let mut envs = spec.vector(kind::Discrete, 1, Seed::new(0), &none).unwrap().unwrap();
        envs.reset().unwrap();
        let rows: Vec<_> =
            (0..40).map(|i| envs.step(&[i % 3]).unwrap().next_observations[0].clone()).collect();
        (envs.observation_space().clone(), rows)
    };
    let ((first, stacks), (last, pictures)) = (play(false), play(true));
    assert_eq!((first.shape(), first.parts()), (vec![3, 10, 10, 4], vec![vec![10, 10, 4]; 3]));
    assert_eq!(first.storage(), Storage { frames: 3, ..Storage::U8 });
    assert_eq!((last.parts(), last.storage()), (vec![vec![10, 10, 12]], Storage::U8));
    for (stack, picture) in stacks.iter().zip(&pictures) {
        let channels =
            |cell: usize| (0..3).flat_map(move |k| (0..4).map(move |c| (k, cell * 4 + c)));
        let expected: Vec<_> =
            (0..100).flat_map(channels).map(|(k, i)| stack[k * 400 + i]).collect();
        assert_eq!(picture, &expected);
    }
    let row = wrapped("CartPole-v1", &json!([{ "name": "FrameStack", "k": 2, "channels": true }]));
    let error = row.unwrap().spaces(&none).unwrap_err().to_string();
    assert!(error.contains("`channels` is for pictures") && error.contains("[4]"), "{error}");
}

#[test]
fn a_chain_goes_on_exactly_from_a_snapshot() {
    let list = json!([
        { "name": "StickyAction", "repeat_action_probability": 0.5 },
        "NormalizeObservation", "NormalizeReward",
        { "name": "TimeLimit", "max_episode_steps": 11 },
        { "name": "FrameStack", "k": 2 },
        { "name": "TimeAwareObservation", "max_episode_steps": 11 },
    ]);
    let spec = wrapped("CartPole-v1", &list).unwrap();
    let make = |seed| {
        let envs = spec.vector(kind::Discrete, 2, Seed::new(seed), &EnvOptions::none()).unwrap();
        let mut envs = envs.unwrap();
        envs.reset().unwrap();
        envs
    };
    let (mut first, mut second) = (make(0), make(1));
    for i in 0..37 {
        first.step(&[i % 2, 1]).unwrap();
    }
    second.restore(&first.save()).unwrap();
    for i in 0..50 {
        let (one, other) = (first.step(&[i % 2, 0]).unwrap(), second.step(&[i % 2, 0]).unwrap());
        assert_eq!((&one.rewards, &one.outcomes), (&other.rewards, &other.outcomes));
        assert_eq!(one.next_observations, other.next_observations);
    }
}

#[test]
fn an_evaluation_reports_the_environment_s_own_rewards() {
    let list = json!(["NormalizeReward", { "name": "TimeLimit", "max_episode_steps": 5 },
        { "name": "ClipReward", "max_reward": 0.25 }]);
    let spec = wrapped("CartPole-v1", &list).unwrap();
    let names = |spec: &EnvSpec| spec.title();
    assert_eq!(names(&spec), "CartPole-v1 + NormalizeReward + TimeLimit + ClipReward");
    assert_eq!(names(spec.for_evaluation()), "CartPole-v1 + TimeLimit");
    let rewards = |spec: &EnvSpec| {
        let envs = spec.vector(kind::Discrete, 1, Seed::new(0), &EnvOptions::none()).unwrap();
        let mut envs = envs.unwrap();
        envs.reset().unwrap();
        envs.step(&[0]).unwrap().rewards[0]
    };
    assert_eq!((rewards(&spec), rewards(spec.for_evaluation())), (0.25, 1.0));
    let serves = |options: Value| {
        let mut entry = options;
        entry["name"] = "NormalizeObservation".into();
        wrapped("CartPole-v1", &json!([entry])).unwrap().wrappers()[0].serves_evaluation()
    };
    assert!(!serves(json!({})) && !serves(json!({ "mean": [0, 0, 0, 0] })));
    assert!(serves(json!({ "mean": [0, 0, 0, 0], "var": [1, 1, 1, 1] })));
}

#[test]
fn what_does_not_fit_is_told_what_does() {
    let says = |env: &str, list: Value, parts: &[&str]| {
        let made = wrapped(env, &list).and_then(|spec| spec.spaces(&EnvOptions::none()));
        let error = made.unwrap_err().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    };
    says("CartPole-v1", json!(["FrameStak"]), &["did you mean `FrameStack`", "ClipAction"]);
    let needs = ["ClipAction does not fit CartPole-v1", "needs real-valued", "finite actions"];
    says("CartPole-v1", json!(["ClipAction"]), &needs);
    says("CartPole-v1", json!(["ClipAction"]), &["that fit: TimeLimit,", "DiscretizeObservation"]);
    says("Pendulum-v1", json!(["FrameStack"]), &["FrameStack", "`k` is missing", "at least 1"]);
    let stack = |k: Value| json!([{ "name": "FrameStack", "k": k }]);
    says("CartPole-v1", stack(json!("four")), &["`k` = \"four\"", "a whole number"]);
    says("CartPole-v1", stack(json!(0)), &["FrameStack", "`k` must lie between 1"]);
    says("FrozenLake-v1", stack(json!(99)), &["few enough to be numbered"]);
    let bins = |bins: Value| json!([{ "name": "DiscretizeObservation", "bins": bins }]);
    says("CartPole-v1", bins(json!(4)), &["number 1 needs finite limits", "`low` and `high`"]);
    says("MountainCar-v0", bins(json!([4])), &["`bins`: expected 2"]);
    says("MountainCar-v0", bins(json!("many")), &["`bins` = \"many\"", "a number, or a list"]);
    let one = json!([{ "name": "RescaleObservation", "min_obs": 0, "max_obs": 1 }]);
    says("CartPole-v1", one, &["RescaleObservation", "unbounded sides must match"]);
    let limit = json!([{ "name": "TimeLimit", "max_steps": 5 }]);
    says("CartPole-v1", limit, &["no option `max_steps`", "did you mean `max_episode_steps`"]);
    says("CartPole-v1", json!("FrameStack"), &["expected a list of names and tables"]);
    says("CartPole-v1", json!([{ "k": 4 }]), &["expected a list of names and tables"]);
    let whole = wrapped("CartPole-v1", &stack(json!(4.0))).unwrap();
    assert_eq!(
        whole.wrappers()[0].to_json(),
        json!({ "name": "FrameStack", "k": 4, "channels": false })
    );
}
