//! The same command, the same bytes: run twice, interrupted, killed, or after damage.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use gymnast::Seed;
use rand::RngExt as _;

use crate::sandbox::{SHORT, Sandbox};

/// A training that takes a second or two, so that it can be interrupted.
const Q_LEARNING: &[&str] = &[
    "train",
    "q-learning",
    "FrozenLake-v1",
    "--steps=2000000",
    "--eval-every=100000",
    "--set=training.checkpoint_every=50000",
    "--set=training.num_envs=4",
    "--seeds=2",
    "--quiet",
];

#[cfg(feature = "deep")]
const DQN: &[&str] = &[
    "train",
    "dqn",
    "CartPole-v1",
    "--steps=4000",
    "--eval-every=500",
    "--eval-episodes=2",
    "--set=training.checkpoint_every=250",
    "--set=learning_starts=200",
    "--set=hidden=[32,32]",
    "--seeds=2",
    "--quiet",
];

/// Four threads that take turns.
#[cfg(feature = "deep")]
const A3C: &[&str] = &[
    "train",
    "a3c",
    "CartPole-v1",
    "--steps=12000",
    "--eval-every=1500",
    "--eval-episodes=2",
    "--set=training.checkpoint_every=700",
    "--set=training.num_envs=4",
    "--set=t_max=7",
    "--set=hidden=[16,16]",
    "--seeds=2",
    "--quiet",
];

#[test]
fn the_same_command_gives_the_same_bytes() {
    let sandbox = Sandbox::with_run();
    let again = [&SHORT[..], &["--seeds", "2", "--out", "again", "--jobs", "1"]].concat();
    sandbox.run(&again).ok();
    let records = sandbox.records("run");
    assert!(records.len() > 10, "{:?}", records.keys());
    assert_eq!(sandbox.records("again"), records);
    // And so does the run's own configuration.
    sandbox.run(&["train", "--config", "run/config.toml", "--out", "third", "--quiet"]).ok();
    assert_eq!(sandbox.records("third"), records);
    // Another seed does not.
    sandbox.run(&[&SHORT[..], &["--seed", "9", "--out", "other"]].concat()).ok();
    let episodes = |run: &str| sandbox.read(run);
    assert_ne!(episodes("other/seed-9/episodes.csv"), episodes("run/seed-0/episodes.csv"));
}

#[test]
fn a_run_with_more_seeds_begins_with_the_same_ones() {
    let sandbox = Sandbox::with_run();
    sandbox.run(&[&SHORT[..], &["--seeds", "3", "--out", "three"]].concat()).ok();
    assert_eq!(sandbox.records("three/seed-1"), sandbox.records("run/seed-1"));
}

#[test]
fn a_killed_q_learning_resumes_exactly() {
    killed_runs_resume_exactly(Q_LEARNING);
}

#[cfg(feature = "deep")]
#[test]
fn a_killed_dqn_resumes_exactly() {
    killed_runs_resume_exactly(DQN);
}

#[cfg(feature = "deep")]
#[test]
fn a_killed_a3c_resumes_exactly() {
    killed_runs_resume_exactly(A3C);
}

/// The threads of asynchronous workers have one core, then as many as there are, and both seeds at
/// once to fight over them: the scheduler has no say.
#[cfg(all(feature = "deep", target_os = "linux"))]
#[test]
fn a3c_gives_the_same_bytes_on_any_number_of_cores() {
    let sandbox = Sandbox::new();
    // Some core that this process may run on: "0-3" or "2,5", say.
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let cores = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap();
    let core = cores.trim().split(['-', ',']).next().unwrap();
    let one = sandbox.command(&[A3C, &["--out", "one", "--jobs", "1"]].concat());
    let mut taskset = Command::new("taskset");
    taskset.args(["-c", core]).arg(one.get_program()).args(one.get_args());
    let status = taskset.current_dir(sandbox.path(".")).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    sandbox.run(&[A3C, &["--out", "all", "--jobs", "2"]].concat()).ok();
    assert_same(&sandbox, "one", "all");
}

/// Kills a training at several random moments, resumes it each time, and holds all that it
/// recorded against an uninterrupted one's.
fn killed_runs_resume_exactly(train: &[&str]) {
    let sandbox = Sandbox::new();
    let begin = Instant::now();
    sandbox.run(&[train, &["--out", "whole"]].concat()).ok();
    let duration = begin.elapsed();
    let mut moments = Seed::new(std::process::id().into()).rng();
    let mut kills = 0;
    for attempt in 0..8 {
        let first = [train, &["--out", "killed"]].concat();
        let begun = sandbox.path("killed/config.toml").is_file();
        let resume = &["train", "--resume", "--out", "killed", "--quiet"][..];
        let args = if begun { resume } else { &first };
        let mut child = sandbox.command(args).stdout(Stdio::null()).spawn().unwrap();
        thread::sleep(duration.mul_f64(moments.random_range(0.02..0.2)));
        if attempt % 3 == 2 {
            // A second process in the same directory is refused, and does no harm.
            let status = sandbox.run(resume).code;
            assert_ne!(status, Some(101));
        }
        kills += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 2, "the training was over before it could be killed: {kills} kills");
    sandbox.run(&["train", "--resume", "--out", "killed", "--quiet"]).ok();
    assert_same(&sandbox, "killed", "whole");
}

#[track_caller]
fn assert_same(sandbox: &Sandbox, left: &str, right: &str) {
    let (left, right) = (sandbox.records(left), sandbox.records(right));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    for (path, bytes) in &left {
        assert!(bytes == &right[path], "{} differs", path.display());
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_everything_and_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    sandbox.run(&[Q_LEARNING, &["--out", "whole"]].concat()).ok();
    let args = [Q_LEARNING, &["--out", "run"]].concat();
    let mut command = sandbox.command(&args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !sandbox.path("run/seed-0/checkpoints").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("gymnast train --resume --out run"), "{stderr}");
    // The same names without --out would be another directory; flags may only repeat the run.
    let steps = ["train", "--resume", "--out", "run", "--steps", "77"];
    sandbox.run(&steps).fails(2, &["training.env_steps = 2000000", "= 77"]);
    sandbox.run(&["train", "--resume", "--out", "run", "--set", "gamma=0.5"]).fails(2, &["gamma"]);
    sandbox
        .run(&["train", "q-learning", "Taxi-v4", "--resume", "--out", "run"])
        .fails(2, &["env.id"]);
    sandbox.run(&[Q_LEARNING, &["--out", "run", "--resume"]].concat()).ok();
    assert_same(&sandbox, "run", "whole");
    // Once it is over, resuming only shows the result again.
    let text = sandbox.run(&["train", "--resume", "--out", "run", "--quiet"]).ok().stdout;
    assert!(text.contains("IQM"), "{text}");
    assert_same(&sandbox, "run", "whole");
}

#[test]
fn a_damaged_newest_checkpoint_falls_back_to_the_one_before() {
    let sandbox = Sandbox::with_run();
    let whole = sandbox.records("run");
    let newest = sandbox.newest_checkpoint("run/seed-0");
    for file in ["arrays.safetensors", "values.json", "manifest.json"] {
        let path = newest.join(file);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let evaluated = sandbox.run(&["evaluate", "run/seed-0", "--json"]).ok();
        assert_eq!(evaluated.json()["seeds"][0]["env_steps"], 3000);
        assert!(evaluated.stderr.contains("older checkpoint is used"), "{evaluated:?}");
        // As if the process had been killed just then: the run ends as it did.
        fs::remove_file(sandbox.path("run/seed-0/summary.json")).unwrap();
        sandbox.run(&["train", "--resume", "--out", "run", "--quiet"]).ok();
        assert!(sandbox.records("run") == whole, "after damage to {file}");
    }
}
