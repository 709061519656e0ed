//! The one-way rule: gymnast → agents/{tabular, deep} → agents/harness → {envs, core} → {base, draw, json}.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each crate and those that it may know.
const LAYERS: [(&str, &[&str]); 9] = [
    ("core/json", &[]),
    ("core/base", &[]),
    ("core/draw", &[]),
    ("envs", &["gymnast-json", "gymnast-base", "gymnast-draw"]),
    ("core", &["gymnast-json", "gymnast-base", "gymnast-draw"]),
    ("agents/harness", &["gymnast-json", "gymnast-base", "gymnast-envs", "gymnast-core"]),
    (
        "agents/tabular",
        &["gymnast-json", "gymnast-base", "gymnast-envs", "gymnast-core", "gymnast-harness"],
    ),
    (
        "agents/deep",
        &["gymnast-json", "gymnast-base", "gymnast-envs", "gymnast-core", "gymnast-harness"],
    ),
    (
        ".",
        &[
            "gymnast-json",
            "gymnast-base",
            "gymnast-envs",
            "gymnast-core",
            "gymnast-harness",
            "gymnast-tabular",
            "gymnast-deep",
        ],
    ),
];
/// What the command alone depends on: the library does without.
const COMMAND: [&str; 3] = ["clap", "indicatif", "signal-hook"];
/// What only the deep half may depend on.
const LIBTORCH: [&str; 2] = ["tch", "torch-sys"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn manifests_point_down_only() {
    for (folder, may_know) in LAYERS {
        let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for name in dependencies.keys() {
                let known = !name.starts_with("gymnast") || may_know.contains(&name.as_str());
                assert!(known, "{folder}/Cargo.toml: [{section}] {name} points up");
                let free = ["core", "agents/deep"].contains(&folder);
                let libtorch = LIBTORCH.contains(&name.as_str());
                assert!(free || !libtorch, "{folder}/Cargo.toml: {name} needs libtorch");
                let is_optional = dependencies[name].get("optional").is_some();
                let is_command = COMMAND.contains(&name.as_str());
                let free = folder == "." && is_optional;
                assert!(free || !is_command, "{folder}/Cargo.toml: {name} belongs to the command");
            }
        }
    }
}

#[test]
fn imports_point_down_only() {
    for (folder, may_know) in LAYERS {
        let mut sources = Vec::new();
        gather(&root().join(folder).join("src"), &mut sources);
        assert!(!sources.is_empty(), "{folder} has no sources");
        for path in sources {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for name in code.flat_map(crates) {
                let own = if folder == "." { "gymnast".to_owned() } else { own_name(folder) };
                let allowed = name == own || may_know.contains(&name.as_str());
                assert!(allowed, "{}: {name} points up", path.display());
            }
        }
    }
}

#[test]
fn only_the_command_draws_and_watches_signals() {
    for (folder, _) in LAYERS {
        let mut sources = Vec::new();
        gather(&root().join(folder).join("src"), &mut sources);
        sources.retain(|path| !path.starts_with(root().join("src/command")));
        for path in sources {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let forbidden =
                    ["StopOnInterrupt::", "ProgressBars::", "EpochBar::", "signal_hook"];
                let found = forbidden.iter().find(|name| line.contains(**name));
                assert!(found.is_none(), "{}: {line}: only where it is asked for", path.display());
            }
        }
    }
}

fn own_name(folder: &str) -> String {
    format!("gymnast-{}", folder.rsplit('/').next().unwrap_or(folder))
}

/// The crates of this workspace that a line of code names.
fn crates(line: &str) -> Vec<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let words = line.split(|c: char| !is_name(c));
    words.filter(|word| word.starts_with("gymnast_")).map(|word| word.replace('_', "-")).collect()
}

fn gather(folder: &Path, sources: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            gather(&path, sources);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.push(path);
        }
    }
}
