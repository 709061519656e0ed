//! Whatever is given to it, the library answers: with a value or an error, in time, in bounded memory.
//!
//! `cargo test -p gymnast-core --test fuzz` runs a fixed number of cases of each target, the same ones each
//! time. Longer, and other ones:
//!
//! ```text
//! GYMNAST_FUZZ_SECONDS=3600 GYMNAST_FUZZ_SEED=7 cargo test -p gymnast-core --test fuzz
//! GYMNAST_FUZZ_ONLY=losses:17 cargo test -p gymnast-core --test fuzz     one case again, as a report names it
//! ```
//!
//! The cases run in a process of their own, whose memory is limited. A case that panics is reported, and
//! the next one follows; one that aborts, hangs or runs out of memory ends the process, and another one
//! goes on behind that target.

mod complete;
mod runner;
mod source;
mod targets;

use std::process::Command;

use runner::{Progress, Settings};

/// Of address space: what libtorch maps, and 2 GiB to calculate with.
const MEMORY_KIB: u64 = 6 << 20;

#[test]
fn no_input_panics_hangs_or_exhausts_memory() {
    let folder = tempfile::tempdir().expect("a folder for scratch files");
    let file = folder.path().join("progress");
    let (mut from, mut reports) = (0, Vec::new());
    while from < targets::ALL.len() {
        let limited = format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\"");
        let output = Command::new("sh")
            .args(["-c", &limited])
            .arg(std::env::current_exe().expect("a test has a file"))
            .args(["runs_the_cases", "--exact", "--nocapture", "--test-threads=1"])
            .env(runner::CHILD, &file)
            .env(runner::FROM, from.to_string())
            .output()
            .expect("sh starts");
        let said = String::from_utf8_lossy(&output.stderr);
        reports.extend(said.lines().filter_map(|line| line.strip_prefix("FOUND ")).map(str::to_owned));
        if output.status.success() {
            break;
        }
        let Progress { target, case } = Progress::read(&file);
        let tail: Vec<&str> = said.lines().rev().take(3).collect();
        let name = targets::ALL[target].name;
        reports.push(format!("{name}:{case} ended the process ({}): {tail:?}", output.status));
        from = target + 1;
    }
    assert!(reports.is_empty(), "{} cases failed:\n{}", reports.len(), reports.join("\n"));
}

/// What the process runs that the test above starts; nothing otherwise.
#[test]
fn runs_the_cases() {
    if let Some(settings) = Settings::of_child() {
        runner::run(&settings);
    }
}
