//! The options of the registered environments.

use gymnast_envs::{EnvOptions, EnvSpec, Registry};

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
