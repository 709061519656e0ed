//! The options of the registered environments.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gymnast_envs::{EnvError, EnvOptions, EnvSpec, Registry, Seed, Space, VectorEnv, each_kind};
use serde_json::json;

/// What happens under random actions, in words.
fn told(spec: &EnvSpec, options: &EnvOptions) -> Vec<String> {
    let mut env = spec.make(5, options).unwrap();
    let mut told = vec![format!("{:?}", env.reset(None).unwrap())];
    for _ in 0..300 {
        let action = env.sample_action();
        let step = env.step(&action).unwrap();
        if step.outcome.is_final() {
            env.reset(None).unwrap();
        }
        told.push(format!("{step:?} {:?}", env.render_ansi()));
    }
    told
}

#[test]
fn the_listed_defaults_are_what_holds_without_them() {
    for spec in Registry::builtin().iter() {
        let with = |options: EnvOptions, option: &gymnast_envs::EnvOption| {
            options.with(option.name, option.default.clone())
        };
        let listed = spec.options().iter().fold(EnvOptions::none(), with);
        assert_eq!(told(spec, &listed), told(spec, &EnvOptions::none()), "{}", spec.id());
    }
}

#[test]
fn an_unknown_option_is_answered_with_the_nearest_and_all() {
    let registry = Registry::builtin();
    for (id, key, parts) in [
        ("FrozenLake-v1", "is_slipery", &["did you mean `is_slippery`", "map_name, desc"][..]),
        ("CliffWalkingSlippery-v1", "slippery", &["`is_slippery`"]),
        ("Taxi-v4", "max_steps", &["did you mean `max_episode_steps`", "is_rainy"]),
        (
            "CartPole-v1",
            "zzz",
            &["no option `zzz`: the options are length, sutton_barto_reward, max_"],
        ),
    ] {
        let options = EnvOptions::none().with(key, true);
        let error = registry.spec(id).unwrap().make(0, &options).err().unwrap().to_string();
        for part in parts.iter().chain(&[id, "max_episode_steps"]) {
            assert!(error.contains(part), "no `{part}` in {error}");
        }
    }
}

/// Plays so many random steps with one option set, on whichever vectors serve the environment, and
/// returns what went wrong, if anything.
fn played(spec: &EnvSpec, options: &EnvOptions) -> Result<(), EnvError> {
    const STEPS: usize = 50;
    fn play<O: Space, A: Space>(mut envs: Box<dyn VectorEnv<O, A>>) -> Result<(), EnvError> {
        let (space, mut rng) = (envs.action_space().clone(), Seed::new(1).rng());
        envs.reset()?;
        for _ in 0..STEPS {
            let actions = vec![space.sample(&mut rng)];
            envs.step(&actions)?;
        }
        let _ = (envs.render_ansi(0), envs.render_rgb(0));
        let saved = envs.save();
        envs.restore(&saved).map(drop)
    }
    let seed = Seed::new(0);
    each_kind!(kind => if let Some(envs) = spec.vector(kind, 1, seed, options) {
        play(envs?)?;
    });
    Ok(())
}

/// No value of an option panics, hangs or makes an environment that brings numbers which are none: it
/// is refused, by name, before the first step.
#[test]
fn an_option_is_refused_or_its_environment_is_sound() {
    let numbers = [
        1e308, -1e308, 1e200, -1e200, 1e39, 1e20, 1e9, 1e3, 1.0, 0.0, -0.0, -1.0, 1e-300, 5e-324,
        0.5,
    ];
    let odd = [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(u32::MAX),
        json!(1_u64 << 32),
        json!(100_000_000),
        json!(1000),
        json!("NaN"),
        json!("inf"),
        json!(null),
        json!([]),
        json!([1e308, -1e308]),
        json!({}),
        json!(true),
        json!(""),
    ];
    let mut faults = Vec::new();
    for spec in Registry::builtin().iter() {
        let names = spec.options().iter().map(|option| option.name);
        for name in names.chain(["max_episode_steps"]) {
            for value in numbers.iter().map(|&x| json!(x)).chain(odd.iter().cloned()) {
                let options = EnvOptions::none().with(name, value.clone());
                let fault = match catch_unwind(AssertUnwindSafe(|| played(spec, &options))) {
                    Ok(Ok(()) | Err(EnvError::InvalidOption { .. })) => continue,
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "it panicked".to_owned(),
                };
                faults.push(format!("{} with {name} = {value}: {fault}", spec.id()));
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}
