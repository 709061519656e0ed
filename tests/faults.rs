//! File operations that fail: each in turn, once or from there on. The command succeeds or ends with a
//! typed error, and afterwards comes to the same bytes as if nothing had happened.
//!
//! `GYMNAST_FAULTS=all` tries every operation, `GYMNAST_FAULTS=7` every seventh.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use crate::sandbox::{Outcome, Sandbox};

/// The smallest training that writes, prunes, evaluates and draws.
const TRAIN: &[&str] = &[
    "train",
    "q-learning",
    "FrozenLake-v1",
    "--steps=60",
    "--eval-every=20",
    "--eval-episodes=2",
    "--set=training.checkpoint_every=15",
    "--set=training.log_every=20",
    "--seeds=1",
    "--jobs=1",
    "--quiet",
    "--out=run",
];
const RESUME: &[&str] = &["train", "--resume", "--jobs=1", "--quiet", "--out=run"];
const BENCHMARK: &[&str] =
    &["benchmark", "suite.toml", "--seeds=1", "--jobs=1", "--quiet", "--out=runs"];
const SUITE: &str = "[[run]]\nagent = 'q-learning'\nenv = 'FrozenLake-v1'\nenv_steps = 40\n\
                     eval_episodes = 2\n[[run]]\nagent = 'sarsa'\nenv = 'CliffWalking-v1'\n\
                     env_steps = 40\neval_episodes = 1\n";
const TUNE: &[&str] = &[
    "tune",
    "q-learning",
    "FrozenLake-v1",
    "--steps=40",
    "--set=training.eval_episodes=2",
    "--search=alpha=uniform(0.1,0.9)",
    "--trials=3",
    "--seeds=1",
    "--quiet",
    "--out=tune",
];
const TUNE_RESUME: &[&str] = &["tune", "--resume", "--quiet", "--out=tune"];
const RECORD: &[&str] = &["record", "run", "--episodes=3", "--out=episodes.jsonl"];
const RECORD_AGAIN: &[&str] = &["record", "run", "--episodes=3", "--out=episodes.jsonl", "--force"];

/// What is tried.
struct Scenario {
    /// Makes what the command finds.
    prepare: fn(&Sandbox),
    /// The command whose operations fail.
    command: &'static [&'static str],
    /// The call that goes on afterwards.
    afterwards: fn(&Sandbox) -> &'static [&'static str],
    /// The directory, or the file, that is compared at the end.
    result: &'static str,
    /// Whether what was trained before must still be there, whatever fails.
    keeps_progress: bool,
}

#[test]
fn a_short_run_syncs_three_times_at_most_and_a_long_one_every_checkpoint() {
    let syncs = |clock: &str| {
        let sandbox = Sandbox::new();
        let log = sandbox.path("operations.log");
        let command =
            with_shim(&sandbox, TRAIN).env("FAULT_LOG", &log).env("FAULT_CLOCK", clock).output();
        assert!(command.unwrap().status.success());
        let operations = fs::read_to_string(log).unwrap();
        operations.lines().filter(|line| line.contains("sync ")).count()
    };
    assert!(syncs("-1") <= 3);
    assert!(syncs("20") > 4 * 9); // four checkpoints
}

#[test]
fn training() {
    Scenario {
        prepare: |_| {},
        command: TRAIN,
        afterwards: |sandbox| if has(sandbox, "run/config.toml") { RESUME } else { TRAIN },
        result: "run",
        keeps_progress: false,
    }
    .survives();
}

#[test]
fn resuming() {
    Scenario {
        prepare: |sandbox| {
            sandbox.run(TRAIN).ok();
            // As if the process had been killed while it wrote its last checkpoint.
            fs::remove_file(sandbox.path("run/seed-0/summary.json")).unwrap();
            let newest = sandbox.newest_checkpoint("run/seed-0");
            fs::rename(&newest, newest.with_extension("tmp")).unwrap();
        },
        command: RESUME,
        afterwards: |_| RESUME,
        result: "run",
        keeps_progress: true,
    }
    .survives();
}

#[test]
fn replacing() {
    const REPLACE: &[&str] = &[
        "train",
        "q-learning",
        "CliffWalking-v1",
        "--steps=40",
        "--eval-every=20",
        "--eval-episodes=1",
        "--seed=0",
        "--quiet",
        "--out=run",
        "--force",
    ];
    Scenario {
        prepare: |sandbox| drop(sandbox.run(TRAIN).ok()),
        command: REPLACE,
        afterwards: |_| REPLACE,
        result: "run",
        keeps_progress: false,
    }
    .survives();
}

#[test]
fn a_benchmark() {
    Scenario {
        prepare: |sandbox| fs::write(sandbox.path("suite.toml"), SUITE).unwrap(),
        command: BENCHMARK,
        afterwards: |_| BENCHMARK,
        result: "runs",
        keeps_progress: false,
    }
    .survives();
}

#[test]
fn tuning() {
    Scenario {
        prepare: |_| {},
        command: TUNE,
        afterwards: |sandbox| if has(sandbox, "tune/tune.toml") { TUNE_RESUME } else { TUNE },
        result: "tune",
        keeps_progress: false,
    }
    .survives();
}

#[test]
fn recording() {
    Scenario {
        prepare: |sandbox| drop(sandbox.run(TRAIN).ok()),
        command: RECORD,
        afterwards: |sandbox| if has(sandbox, "episodes.jsonl") { RECORD_AGAIN } else { RECORD },
        result: "episodes.jsonl",
        keeps_progress: true,
    }
    .survives();
}

fn has(sandbox: &Sandbox, name: &str) -> bool {
    sandbox.path(name).is_file()
}

impl Scenario {
    fn survives(&self) {
        let template = Sandbox::new();
        (self.prepare)(&template);
        let (whole, log) = (copy_of(&template), template.path("operations.log"));
        self.run_with_fault(&whole, 0, false, &log).ok();
        let expected = self.result(&whole);
        assert!(!expected.is_empty());
        let operations = fs::read_to_string(&log).unwrap();
        fs::remove_file(&log).unwrap();
        let operations: Vec<_> = operations.lines().collect();
        assert!(operations.len() > 10, "{operations:#?}");
        for at in (1..=operations.len()).step_by(stride()) {
            for is_sticky in [false, true] {
                let what = format!("operation {at}, sticky {is_sticky}: {}", operations[at - 1]);
                let sandbox = copy_of(&template);
                let log = template.path("operations.log");
                let outcome = self.run_with_fault(&sandbox, at, is_sticky, &log);
                check(&outcome, &what);
                if self.keeps_progress {
                    // Else a run that silently began anew would come to the same bytes.
                    assert!(progress(&sandbox) >= progress(&template), "{what}: {outcome:#?}");
                }
                let outcome = sandbox.run((self.afterwards)(&sandbox));
                assert_eq!(outcome.code, Some(0), "{what}: afterwards {outcome:#?}");
                let found = self.result(&sandbox);
                assert_eq!(
                    found.keys().collect::<Vec<_>>(),
                    expected.keys().collect::<Vec<_>>(),
                    "{what}"
                );
                let differing: Vec<_> =
                    found.keys().filter(|path| found[*path] != expected[*path]).collect();
                assert!(differing.is_empty(), "{what}: {differing:?} differ");
                let _ = fs::remove_file(log);
            }
        }
    }

    fn run_with_fault(&self, sandbox: &Sandbox, at: usize, is_sticky: bool, log: &Path) -> Outcome {
        // One that the system says is full, and others: an error that looks like damage is another.
        let errno = [5, 28, 13, 24][at % 4];
        Outcome::of(
            with_shim(sandbox, self.command)
                .env("FAULT_CLOCK", if at.is_multiple_of(2) { "20" } else { "-1" })
                .env("FAULT_AT", at.to_string())
                .env("FAULT_STICKY", u8::from(is_sticky).to_string())
                .env("FAULT_ERRNO", errno.to_string())
                .env("FAULT_LOG", log),
        )
    }

    /// What the command has made, without what the clock told.
    fn result(&self, sandbox: &Sandbox) -> BTreeMap<PathBuf, Vec<u8>> {
        let path = sandbox.path(self.result);
        if path.is_file() {
            return BTreeMap::from([(path.file_name().unwrap().into(), fs::read(path).unwrap())]);
        }
        let mut records = sandbox.records(self.result);
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(path.join(&folder)).unwrap() {
                let name = folder.join(entry.unwrap().file_name());
                if path.join(&name).is_dir() {
                    folders.push(name.clone());
                }
                // The study has no times; of others only the names are compared.
                let is_study = name.ends_with("study.jsonl");
                let bytes = if is_study { fs::read(path.join(&name)).unwrap() } else { vec![] };
                if !is_picture_left_half_drawn(&name) {
                    records.entry(name).or_insert(bytes);
                }
            }
        }
        records
    }
}

fn with_shim(sandbox: &Sandbox, args: &[&str]) -> Command {
    let mut command = sandbox.command(args);
    command.env("LD_PRELOAD", shim()).env("FAULT_DIR", sandbox.path(".").canonicalize().unwrap());
    command
}

/// The name of the newest whole checkpoint.
fn progress(sandbox: &Sandbox) -> Option<PathBuf> {
    let entries = fs::read_dir(sandbox.path("run/seed-0/checkpoints")).ok()?;
    let names = entries.map(|entry| PathBuf::from(entry.unwrap().file_name()));
    let is_whole = |name: &PathBuf| {
        let path = sandbox.path("run/seed-0/checkpoints").join(name).join("manifest.json");
        name.extension().is_none() && path.is_file()
    };
    names.filter(is_whole).max()
}

/// Where nothing can be deleted any more, the temporary file of a picture stays: another process may be
/// drawing it.
fn is_picture_left_half_drawn(name: &Path) -> bool {
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let shown = [".learning_curve.", ".results.md."];
    name.ends_with(".tmp") && shown.iter().any(|shown| name.starts_with(shown))
}

/// The command succeeded, or failed in one line.
fn check(outcome: &Outcome, what: &str) {
    let Outcome { code, stderr, .. } = outcome;
    assert!(matches!(code, Some(0..=2)), "{what}: {outcome:#?}");
    assert!(!stderr.contains("panicked"), "{what}: {outcome:#?}");
    if *code != Some(0) {
        assert_eq!(stderr.matches("error: ").count(), 1, "{what}: {outcome:#?}");
        let last = stderr.trim_end().lines().last().unwrap_or_default();
        assert!(last.starts_with("error: "), "{what}: {outcome:#?}");
    }
}

/// How many operations are gone on by.
fn stride() -> usize {
    match std::env::var("GYMNAST_FAULTS").ok().as_deref() {
        Some("all") => 1,
        Some(number) => number.parse().expect("GYMNAST_FAULTS: expected \"all\" or a number"),
        None => 7,
    }
}

fn copy_of(template: &Sandbox) -> Sandbox {
    let sandbox = Sandbox::new();
    copy(&template.path("."), &sandbox.path("."));
    sandbox
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// The library that makes operations fail, compiled once a process.
fn shim() -> &'static Path {
    static SHIM: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, library) = SHIM.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("shim.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let compile = |compiler: &str| {
            let mut command = Command::new(compiler);
            command.args(["-x", "c", "-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
            command.arg("-ldl").status().is_ok_and(|status| status.success())
        };
        assert!(["cc", "c++"].into_iter().any(compile), "no C compiler: install one");
        (folder, library)
    });
    library
}
