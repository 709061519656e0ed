//! What starts without libtorch, and what is said where it is missing.
#![cfg(feature = "deep")]

use std::fs;

use crate::sandbox::{Outcome, Sandbox};

/// Calls the command where libtorch cannot be loaded.
fn without_libtorch(sandbox: &Sandbox, args: &[&str]) -> Outcome {
    Outcome::of(sandbox.command(args).env("LIBTORCH", "/nonexistent"))
}

/// Whether programs load libtorch at its first use: `./setup` arranges it on x86-64 Linux.
fn is_loaded_at_first_use() -> bool {
    let program = fs::read(env!("CARGO_BIN_EXE_gymnast")).unwrap();
    let sentence = b"libtorch was not found, and this needs it";
    program.windows(sentence.len()).any(|window| window == sentence)
}

#[test]
fn agents_that_plain_rust_trains_need_no_libtorch() {
    let sandbox = Sandbox::new();
    for args in ["--version", "--help", "envs", "agents", "agents ppo"] {
        without_libtorch(&sandbox, &args.split(' ').collect::<Vec<_>>()).ok();
    }
    let small =
        "--steps 1280 --seeds 1 --quiet --eval-episodes 1 --set training.checkpoint_every=300";
    for (agent, env) in [
        ("q-learning", "FrozenLake-v1"),
        ("ppo", "CartPole-v1"),
        ("a3c", "CartPole-v1"),
        ("dqn", "CartPole-v1"),
        ("rainbow", "CartPole-v1"),
        ("dqn", "Catch-v0"),
        ("sac", "Pendulum-v1"),
        ("td3", "Pendulum-v1"),
    ] {
        let args = format!("train {agent} {env} {small} --out {agent}-{env}");
        without_libtorch(&sandbox, &args.split_whitespace().collect::<Vec<_>>()).ok();
        let args = ["evaluate", &*format!("{agent}-{env}"), "--episodes", "1"];
        without_libtorch(&sandbox, &args).ok();
    }
    without_libtorch(&sandbox, &["report", "ppo-CartPole-v1", "dqn-CartPole-v1"]).ok();
    without_libtorch(&sandbox, &["plot", "ppo-CartPole-v1", "--out", "a.png"]).ok();
}

#[test]
fn a_network_that_needs_libtorch_says_so_where_it_is_missing() {
    let sandbox = Sandbox::new();
    let head = r#"head=[{ linear = { outputs = 8 } }, { dropout = { p = 0.1 } }]"#;
    let args = [
        "train",
        "ppo",
        "CartPole-v1",
        "--steps",
        "1280",
        "--seeds",
        "1",
        "--quiet",
        "--set",
        "hidden=[]",
        "--set",
        head,
    ];
    sandbox.run(&[&args[..], &["--out", "with"]].concat()).ok();
    let outcome = without_libtorch(&sandbox, &[&args[..], &["--out", "without"]].concat());
    if is_loaded_at_first_use() {
        assert_eq!(outcome.code, Some(1), "{outcome:#?}");
        assert!(outcome.stderr.contains("run ./setup"), "{outcome:#?}");
    } else {
        outcome.ok();
    }
}
