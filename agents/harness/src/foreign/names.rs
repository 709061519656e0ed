//! Agents, environments and seeds in the names of files and folders.

use std::path::Path;

use super::{Program, seed::SeedNames};

/// Environments of other packages that have the dynamics of one of ours under another name.
const OURS: [(&str, &str); 1] = [("MinAtar/Breakout-v1", "MinAtarBreakout-v1")];
/// Namespaces of environments, which make a folder more where a name is used as a path.
const NAMESPACES: [&str; 2] = ["ALE", "MinAtar"];

/// Returns our name of an environment, or its own.
pub(super) fn our_env(env: &str) -> String {
    // `gymnasium:CartPole-v1` is `CartPole-v1`, imported from a module.
    let id = env.rsplit_once(':').map_or(env, |(_, id)| id);
    OURS.iter().find(|(theirs, _)| *theirs == id).map_or(id, |(_, ours)| ours).to_owned()
}

/// Returns what the path of a file says: the folder that it is in, or its own name.
pub(super) fn of_file(path: &Path) -> SeedNames {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = whole.parent().map(of_folder).unwrap_or_default();
    if folder.env.is_some() {
        return folder;
    }
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let says_nothing = ["monitor", "evaluations", "events", "0.monitor"];
    let stem = stem.filter(|stem| !says_nothing.iter().any(|word| stem.starts_with(word)));
    SeedNames { agent: stem.or(folder.agent), ..folder }
}

/// Returns what the path of a folder says.
pub(super) fn of_folder(path: &Path) -> SeedNames {
    let whole = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let part = |path: Option<&Path>| {
        let name = path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_default()
    };
    of_names(&part(whole.parent()), &part(Some(&whole)))
}

/// Returns what the names of a folder and of the one around it say.
fn of_names(parent: &str, name: &str) -> SeedNames {
    if let Some(names) = of_clean_rl(parent, name) {
        return names;
    }
    let (stem, number) = match name.rsplit_once('_') {
        Some((stem, number)) if !stem.is_empty() => match number.parse() {
            Ok(number) => (stem, Some(number)),
            Err(_) => (name, None),
        },
        _ => (name, None),
    };
    let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let (agent, env) = match (is_env(stem), is_env(parent)) {
        // rl-zoo's logs/ppo/CartPole-v1_1.
        (true, _) => (text(parent), text(stem)),
        // Its TensorBoard files: tb/CartPole-v1/PPO_1.
        (false, true) => (text(&stem.to_lowercase()), text(parent)),
        (false, false) => (text(stem), None),
    };
    SeedNames { agent, env, seed: number, program: None }
}

/// Reads the name of a run of CleanRL, `ENV__EXPERIMENT__SEED__TIME`.
pub(super) fn of_clean_rl(parent: &str, name: &str) -> Option<SeedNames> {
    let parts: Vec<&str> = name.split("__").collect();
    let [env, experiment @ .., seed, time] = &parts[..] else { return None };
    time.parse::<u64>().ok()?;
    let is_within = NAMESPACES.contains(&parent);
    let env = if is_within { format!("{parent}/{env}") } else { (*env).to_owned() };
    Some(SeedNames {
        agent: Some(experiment.join("__")).filter(|agent| !agent.is_empty()),
        env: Some(env).filter(|env| !env.is_empty()),
        seed: Some(seed.parse().ok()?),
        program: Some(Program::CleanRl),
    })
}

/// Whether a name is that of an environment of Gymnasium: it ends in its version.
fn is_env(name: &str) -> bool {
    let version = name.rsplit_once("-v").map(|(_, version)| version);
    version.is_some_and(|v| !v.is_empty() && v.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_names_agent_environment_and_seed() {
        for (parent, name, expected) in [
            ("ppo", "CartPole-v1_2", (Some("ppo"), Some("CartPole-v1"), Some(2))),
            ("ppo", "CartPole-v1", (Some("ppo"), Some("CartPole-v1"), None)),
            ("CartPole-v1", "PPO_3", (Some("ppo"), Some("CartPole-v1"), Some(3))),
            ("tb", "PPO_3", (Some("PPO"), None, Some(3))),
            ("tb", "my_run", (Some("my_run"), None, None)),
            (
                "runs",
                "CartPole-v1__ppo__7__1700000000",
                (Some("ppo"), Some("CartPole-v1"), Some(7)),
            ),
            ("ALE", "Pong-v5__dqn_atari__1__17", (Some("dqn_atari"), Some("ALE/Pong-v5"), Some(1))),
            ("runs", "a__b__c", (Some("a__b__c"), None, None)),
            ("", "", (None, None, None)),
            ("", "_1", (Some("_1"), None, None)),
        ] {
            let names = of_names(parent, name);
            let found = (names.agent.as_deref(), names.env.as_deref(), names.seed);
            assert_eq!(found, expected, "{parent}/{name}");
        }
    }

    #[test]
    fn environments_that_are_ours_have_our_names() {
        for (env, ours) in [
            ("CartPole-v1", "CartPole-v1"),
            ("gymnasium:CartPole-v1", "CartPole-v1"),
            ("MinAtar/Breakout-v1", "MinAtarBreakout-v1"),
            ("ALE/Breakout-v5", "ALE/Breakout-v5"),
        ] {
            assert_eq!(our_env(env), ours);
        }
    }
}
