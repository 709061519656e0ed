//! rl-zoo's `args.yml` and `config.yml`, which stand in a folder named like the environment.
//!
//! Both are Python's ordered dictionaries, written by PyYAML as lists of pairs. Only pairs of plain
//! values are read, line by line; nothing in the files is run or built.

use std::{fs, path::Path};

use super::{Program, seed::SeedNames};

/// No such file may be longer to be read.
const MAX_BYTES: u64 = 1 << 20;

/// What the files of a training say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ZooArgs {
    pub(super) names: SeedNames,
    /// Whether wrappers or arguments make the environment another than the registered one.
    pub(super) is_changed: bool,
}

/// Reads the files below the folder of a training; `None` if there are none.
pub(super) fn read(folder: &Path) -> Option<ZooArgs> {
    let entries = fs::read_dir(folder).ok()?;
    let mut below: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    below.sort();
    let args =
        |folder: &std::path::PathBuf| Some((folder.clone(), text(&folder.join("args.yml"))?));
    let (below, args) = below.iter().find_map(args)?;
    let config = text(&below.join("config.yml")).unwrap_or_default();
    Some(parse(&args, &config))
}

fn text(path: &Path) -> Option<String> {
    String::from_utf8(gymnast_core::files::read_bounded(path, MAX_BYTES).ok()?).ok()
}

fn parse(args: &str, config: &str) -> ZooArgs {
    let is_empty = |value: &str| ["null", "{}", "[]", "''", "false", ""].contains(&value);
    let said = |text, key| value(text, key).filter(|value| !is_empty(value));
    let changes = [
        said(args, "env_kwargs"),
        said(args, "eval_env_kwargs"),
        said(config, "env_kwargs"),
        said(config, "env_wrapper"),
    ];
    ZooArgs {
        names: SeedNames {
            agent: said(args, "algo").map(str::to_owned),
            env: said(args, "env").map(str::to_owned),
            // A negative one is drawn at random, and written as it was drawn.
            seed: said(args, "seed").and_then(|seed| seed.parse().ok()),
            program: Some(Program::StableBaselines3),
        },
        is_changed: changes.iter().any(Option::is_some),
    }
}

/// The value of a pair, `- - KEY` and `- VALUE` on the next line; `?` if it is no plain value.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    let found = lines.by_ref().find(|line| {
        let line = line.trim_start();
        let name =
            line.rsplit_once("- ").map(|(before, name)| (before.trim_matches(['-', ' ']), name));
        line.starts_with("- -") && name == Some(("", key))
    });
    found?;
    let value = lines.next()?.trim_start().strip_prefix("- ")?.trim();
    let value = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\'')).unwrap_or(value);
    Some(if value.starts_with(['-', '!', '&']) && value.parse::<f64>().is_err() {
        "?"
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGS: &str = "!!python/object/apply:collections.OrderedDict\n- - - algo\n    - ppo\n  \
                        - - env\n    - CartPole-v1\n  - - env_kwargs\n    - null\n  \
                        - - other_env_kwargs\n    - x\n  - - seed\n    - 1234\n";
    const CONFIG: &str = "!!python/object/apply:collections.OrderedDict\n- - - n_envs\n    - 8\n  \
                          - - policy\n    - MlpPolicy\n";

    #[test]
    fn pairs_are_read_line_by_line() {
        let args = parse(ARGS, CONFIG);
        let SeedNames { agent, env, seed, .. } = args.names;
        assert_eq!((agent.as_deref(), env.as_deref()), (Some("ppo"), Some("CartPole-v1")));
        assert_eq!((seed, args.is_changed), (Some(1234), false));
    }

    #[test]
    fn a_wrapped_environment_is_another_one() {
        let list = "- - - env_wrapper\n    - - gymnasium.wrappers.X\n";
        let text = "- - - env_wrapper\n    - rl_zoo3.wrappers.HistoryWrapper\n";
        for config in [list, text] {
            assert!(parse(ARGS, config).is_changed, "{config}");
        }
        assert!(parse(&ARGS.replace("null", "!!python/object:x"), CONFIG).is_changed);
    }

    #[test]
    fn other_text_says_nothing() {
        for text in ["", "- - seed", "seed: 5", "\0\n- - algo", "- - - algo\nppo\n"] {
            assert_eq!(parse(text, text).names.agent, None, "{text}");
        }
        let seed = parse("- - - seed\n    - -1\n", "").names.seed;
        assert_eq!(seed, None);
    }
}
