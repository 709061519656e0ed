//! Environments: their options, what they are stepped with, their snapshots and traces.

use std::fmt::Debug;

use gymnast::{
    DynEnv, EnvError, EnvOptions, EnvSpec, Registry, Seed, Space, VectorEnv,
    envs::{
        Restored, VectorSnapshot, each_kind, kind,
        toy_text::{FrozenLake, FrozenLakeConfig, generate_random_map},
        trace,
    },
};
use serde_json::json;

use super::{
    source::Source,
    values::{any_json, change_json},
};

type Vector<O, A> = Box<dyn VectorEnv<O, A>>;
type Make<'a, O, A> = &'a dyn Fn() -> Option<Result<Vector<O, A>, EnvError>>;

fn any_spec(source: &mut Source) -> EnvSpec {
    let specs: Vec<EnvSpec> = Registry::builtin().iter().cloned().collect();
    source.pick(&specs)
}

/// Some of the options that an environment has, as they are, changed or made up.
fn any_options(source: &mut Source, spec: &EnvSpec) -> EnvOptions {
    let mut options = EnvOptions::none();
    for option in spec.options() {
        if !source.one_in(3) {
            continue;
        }
        let mut value = option.default.clone();
        match source.up_to(2) {
            0 => value = any_json(source, 1),
            1 => change_json(source, &mut value),
            _ => {}
        }
        options = options.with(option.name, value);
    }
    if source.one_in(4) {
        options = options.with("max_episode_steps", any_json(source, 0));
    }
    if source.one_in(20) { options.with(&source.text(), any_json(source, 1)) } else { options }
}

/// What an environment shows is of its spaces and finite, whatever its options are.
fn play(env: &mut dyn DynEnv) -> Result<(), EnvError> {
    env.reset(None)?;
    for _ in 0..12 {
        let action = env.sample_action();
        let _ = env.transitions(&action)?;
        let step = env.step(&action)?;
        assert!(step.reward.is_finite(), "a reward of {}", step.reward);
        if step.outcome.is_final() {
            env.reset(None)?;
        }
    }
    if let Some(state) = env.state() {
        env.set_state(&state)?;
    }
    let _ = (env.render_ansi(), env.render_rgb());
    Ok(())
}

fn play_vector<O: Space, A: Space>(envs: &mut Vector<O, A>, steps: usize) -> Result<(), EnvError> {
    let (space, mut rng) = (envs.action_space().clone(), Seed::new(3).rng());
    for _ in 0..steps {
        let actions: Vec<_> = (0..envs.num_envs()).map(|_| space.sample(&mut rng)).collect();
        envs.step(&actions)?;
    }
    let _ = (envs.render_ansi(0), envs.render_rgb(0));
    Ok(())
}

pub(super) fn options(source: &mut Source) {
    let spec = any_spec(source);
    let options = any_options(source, &spec);
    let Ok(mut env) = spec.make(source.u64(), &options) else { return };
    let _ = play(&mut *env).map_err(|error| error.to_string());
    fn vector<O: Space, A: Space>(made: Option<Result<Vector<O, A>, EnvError>>) {
        let Some(made) = made else { return };
        let mut envs = made.expect("what can be made once can be made again");
        let _ = envs.reset().and_then(|()| play_vector(&mut envs, 3));
    }
    let seed = Seed::new(source.u64());
    each_kind!(kind => vector(spec.vector(kind, 2, seed, &options)));
}

pub(super) fn lake_maps(source: &mut Source) {
    let mut rng = Seed::new(source.u64()).rng();
    let (size, frozen) = (source.count(), source.share());
    let drawn = generate_random_map(size, frozen, &mut rng);
    let desc = match drawn {
        Ok(map) if source.one_in(2) => map,
        _ => {
            let width = source.up_to(6);
            let tiles = ["S", "F", "F", "F", "H", "G", "x", "ä", ""];
            let mut row = || {
                let width = source.about(width);
                (0..width).map(|_| source.pick(&tiles)).collect::<String>()
            };
            (0..width).map(|_| row()).collect()
        }
    };
    let config = FrozenLakeConfig {
        desc: Some(desc),
        success_rate: source.share(),
        reward_schedule: [source.number(), source.number(), 0.0],
        ..FrozenLakeConfig::default()
    };
    let lake = FrozenLake::new(config.clone());
    let options = serde_json::to_value(config).expect("plain data");
    let options = EnvOptions::from(options.as_object().expect("an object").clone());
    let registry = Registry::builtin();
    let made = registry.spec("FrozenLake-v1").expect("it is there").make(0, &options);
    assert!(lake.is_ok() || made.is_err(), "refused by its type, made by its name: {options:?}");
    let _ = made.and_then(|mut lake| play(&mut *lake));
}

pub(super) fn steps(source: &mut Source) {
    let spec = any_spec(source);
    let mut env = spec.make(source.u64(), &EnvOptions::none()).expect("an environment");
    if !source.one_in(8) {
        env.reset(Some(source.u64())).expect("an observation");
    }
    for _ in 0..6 {
        let mut action = env.sample_action();
        match source.up_to(3) {
            0 => action = any_json(source, 2),
            1 => change_json(source, &mut action),
            _ => {}
        }
        let _ = env.transitions(&action);
        if let Ok(step) = env.step(&action) {
            assert!(step.reward.is_finite(), "{} {action}: {}", spec.id(), step.reward);
        }
        let mut state = env.state().unwrap_or_default();
        if source.one_in(3) {
            let length = source.about(state.len());
            state = source.f64s(length);
        } else if let Some(last) = state.len().checked_sub(1) {
            state[source.up_to(last)] = source.number();
        }
        let _ = env.set_state(&state);
        if source.one_in(12) {
            let _ = (env.render_ansi(), env.render_rgb());
        }
    }
}

/// Vectors whose types are erased, stepped with indices and rows that are no actions.
pub(super) fn vector_steps(source: &mut Source) {
    let (spec, n) = (any_spec(source), 1 + source.up_to(2));
    let (seed, none) = (Seed::new(source.u64()), EnvOptions::none());
    fn drive<O: Space, A: Space>(
        made: Option<Result<Vector<O, A>, EnvError>>,
        actions: &[A::Element],
    ) {
        let Some(made) = made else { return };
        let mut envs = made.expect("a vector of environments");
        let _ = envs.step(actions);
        envs.reset().expect("observations");
        for _ in 0..3 {
            let _ = envs.step(actions);
        }
        for (mut lane, action) in envs.lanes().into_iter().zip(actions) {
            let _ = lane.step(action);
        }
        let space = envs.action_space();
        for action in actions {
            let _ = (space.contains(action), space.to_jsonable(action));
        }
    }
    let count = source.about(n);
    let indices: Vec<i64> = (0..count).map(|_| source.count() as i64).collect();
    let width = spec.vector(kind::Continuous, 1, seed, &none).map_or(1, |envs| {
        let mut rng = seed.rng();
        envs.expect("an environment").action_space().sample(&mut rng).len()
    });
    let rows = (0..count).map(|_| {
        let width = source.about(width);
        source.f32s(width)
    });
    let rows: Vec<Vec<f32>> = rows.collect();
    let choices: Vec<Vec<i64>> =
        indices.iter().map(|&index| vec![index; source.about(2)]).collect();
    drive(spec.vector(kind::Finite, n, seed, &none), &indices);
    drive(spec.vector(kind::Discrete, n, seed, &none), &indices);
    drive(spec.vector(kind::MultiDiscrete, n, seed, &none), &choices);
    drive(spec.vector(kind::Continuous, n, seed, &none), &rows);
}

pub(super) fn snapshots(source: &mut Source) {
    let (spec, seed) = (any_spec(source), Seed::new(source.u64()));
    let limit = EnvOptions::none().with("max_episode_steps", 30);
    match source.up_to(3) {
        0 => restores(source, &|| spec.vector(kind::Finite, 2, seed, &limit)),
        1 => restores(source, &|| spec.vector(kind::Discrete, 2, seed, &limit)),
        2 => restores(source, &|| spec.vector(kind::MultiDiscrete, 2, seed, &limit)),
        _ => restores(source, &|| spec.vector(kind::Continuous, 2, seed, &limit)),
    }
}

/// A changed snapshot is refused, or leaves environments that work.
fn restores<O: Space<Element: Debug>, A: Space>(source: &mut Source, make: Make<'_, O, A>) {
    let Some(made) = make() else { return };
    let mut envs = made.expect("a vector of environments");
    envs.reset().expect("observations");
    play_vector(&mut envs, source.up_to(40)).expect("the environments work");
    let mut saved = gymnast_json::to_value(&envs.save()).expect("a snapshot is plain data");
    let read: Result<VectorSnapshot, _> = if source.one_in(3) {
        let text = source.mutated(saved.to_string().as_bytes());
        gymnast_json::from_slice(&text)
    } else {
        change_json(source, &mut saved);
        gymnast_json::from_value(&saved)
    };
    let Ok(snapshot) = read else { return };
    let mut other = make().expect("as before").expect("a vector of environments");
    let restored = other.restore(&snapshot);
    if matches!(restored, Ok(Restored::Exactly | Restored::AtEpisodeStart)) {
        // An error will do: its message names what is wrong.
        let _ = play_vector(&mut other, 6).map_err(|error| error.to_string());
        let again = other.save();
        let text = gymnast_json::to_string(&again).expect("a snapshot is plain data");
        let read = gymnast_json::from_slice::<VectorSnapshot>(text.as_bytes());
        let _ = other.restore(&read.expect("what is written can be read"));
    }
}

pub(super) fn traces(source: &mut Source) {
    let spec = any_spec(source);
    let mut env = spec.make(source.u64(), &EnvOptions::none()).expect("an environment");
    env.reset(None).expect("an observation");
    let mut text = Vec::new();
    for _ in 0..3 {
        let (Some(state), action) = (env.state(), env.sample_action()) else { break };
        let step = env.step(&action).expect("a step");
        let mut line = json!({
            "state": state,
            "action": action,
            "next_state": env.state(),
            "reward": step.reward,
            "terminated": step.outcome.terminated(),
        });
        if source.one_in(2) {
            change_json(source, &mut line);
        }
        text.extend(line.to_string().into_bytes());
        text.push(b'\n');
        if step.outcome.is_final() {
            break;
        }
    }
    if source.one_in(2) {
        text = source.mutated(&text);
    }
    let options = if source.one_in(3) { any_options(source, &spec) } else { EnvOptions::none() };
    let tolerance = if source.one_in(3) { source.number() } else { spec.tolerance() };
    if let Ok(report) = trace::replay(&spec, &options, text.as_slice(), tolerance) {
        assert!(report.agreeing <= report.lines);
        assert_eq!(report.agreeing == report.lines, report.first_disagreement.is_none());
    }
}
