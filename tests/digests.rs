//! What every preset learns, as digests: before and after a change that should change nothing.
//!
//! ```sh
//! export GYMNAST_DIGESTS=/tmp/digests     # written where it is not there, else compared with
//! cargo test --release --test tests digests -- --ignored
//! ```
//!
//! Digests of another machine differ: the last bits of a matrix product depend on the processor.

use std::{
    env,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

use gymnast::Catalog;
use safetensors::SafeTensors;

use crate::sandbox::{Sandbox, without_wall_time};

/// Enough env steps for an update and more, and a multiple of every preset's environments.
fn env_steps(agent: &str) -> u32 {
    match agent {
        "mbpo" => 512,
        "sac" | "td3" | "ddpg" => 1_280,
        "dqn" | "rainbow" => 2_560,
        "ppo" => 16_384,
        _ => 8_192,
    }
}

#[test]
#[ignore = "compares with digests made on this machine: set GYMNAST_DIGESTS"]
fn every_preset_learns_what_it_learned() {
    let file = env::var_os("GYMNAST_DIGESTS").expect("GYMNAST_DIGESTS names a file");
    let sandbox = Sandbox::new();
    let mut digests = String::new();
    for agent in Catalog::builtin().iter() {
        assert!(!agent.presets.is_empty(), "{} has no preset to learn with", agent.name);
        for env in agent.presets.iter().map(|preset| preset.env) {
            writeln!(digests, "{} {env} {}", agent.name, learn(&sandbox, agent.name, env)).unwrap();
        }
    }
    let Ok(before) = fs::read_to_string(&file) else {
        fs::write(&file, digests).unwrap();
        return;
    };
    let [old, new] = [&before, &digests].map(|text| text.lines().collect::<Vec<_>>());
    let changed: Vec<_> = new.iter().filter(|line| !old.contains(line)).collect();
    assert!(changed.is_empty() && old.len() == new.len(), "changed: {changed:#?}");
}

/// Trains the seed 0 for a few steps: the digests of its evaluations and of its weights.
fn learn(sandbox: &Sandbox, agent: &str, env: &str) -> String {
    let (out, steps) = (format!("{agent}-{env}"), env_steps(agent));
    let (steps, half) = (steps.to_string(), format!("training.eval_every={}", steps / 2));
    let mut args = vec!["train", agent, env, "--steps", &steps, "--seeds", "1", "--out", &out];
    args.extend(["--quiet", "--set", &half, "--set", "training.eval_episodes=5"]);
    // Else some presets of large memories would learn nothing yet.
    match agent {
        "dqn" | "rainbow" | "sac" | "td3" | "ddpg" => args.extend(["--set", "learning_starts=300"]),
        "mbpo" => args.extend(["--set", "sac.learning_starts=300"]),
        _ => {}
    }
    if agent == "bc" {
        sandbox.run(&["record", env, "--out", "episodes.jsonl", "--force"]).ok();
        args.extend(["--set", "demonstrations=episodes.jsonl"]);
    }
    sandbox.run(&args).ok();
    let seed = format!("{out}/seed-0");
    let arrays = sandbox.newest_checkpoint(&seed).join("arrays.safetensors");
    let evaluations = without_wall_time(&sandbox.path(&seed).join("evaluations.csv"));
    format!("evaluations={:016x} weights={:016x}", digest(&evaluations), weights(&arrays))
}

/// A digest of all weights, whatever they are called and in whatever order they stand.
fn weights(arrays: &Path) -> u64 {
    let bytes = fs::read(arrays).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let is_weights = |name: &str| {
        let part = name.rsplit('/').next().unwrap();
        // Parameters, their average, tables.
        ["values", "mean"].contains(&part) || part.starts_with('q')
    };
    let weights = tensors.iter().filter(|(name, _)| is_weights(name));
    let mut digests: Vec<u64> = weights.map(|(_, tensor)| digest(tensor.data())).collect();
    assert!(!digests.is_empty(), "no weights among {:?}", tensors.names());
    digests.sort_unstable();
    digest(&digests)
}

fn digest(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
