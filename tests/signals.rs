//! The process is told to end: by a terminal, a batch system, or whoever closed the terminal.
#![cfg(unix)]

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use libc::{SIG_DFL, SIG_IGN, SIGHUP, SIGINT, SIGTERM};

use super::sandbox::Sandbox;

/// A training that would take hours.
const LONG: [&str; 7] =
    ["train", "q-learning", "FrozenLake-v1", "--steps=5e8", "--seeds=2", "--quiet", "--out=run"];
/// No machine is so busy that this would not do, and none so quick that what is interrupted is done before.
const SOON: Duration = Duration::from_secs(20);

/// Starts a command that ignores these signals and no other, whatever the test itself was started to
/// ignore.
#[allow(unsafe_code)] // there is no safe way to set what a child does with a signal
pub(crate) fn spawn(mut command: Command, ignored: &'static [i32]) -> Child {
    // SAFETY: `signal` may be called between fork and exec.
    unsafe {
        command.pre_exec(move || {
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                libc::signal(signal, if ignored.contains(&signal) { SIG_IGN } else { SIG_DFL });
            }
            Ok(())
        });
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

pub(crate) fn send(child: &Child, signal: i32) {
    let number = format!("-{signal}");
    let sent = Command::new("kill").args([&number, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits for the child, at most [`SOON`].
#[track_caller]
fn end(mut child: Child) -> Output {
    let begin = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begin.elapsed() > SOON {
            child.kill().unwrap();
            panic!("it went on: {:?}", child.wait_with_output());
        }
        thread::sleep(Duration::from_millis(10));
    }
    child.wait_with_output().unwrap()
}

#[track_caller]
fn wait_for(child: &mut Child, holds: impl Fn() -> bool) {
    while !holds() {
        assert!(child.try_wait().unwrap().is_none(), "it ended at once");
        thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn assert_saved(output: &Output) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("gymnast train --resume --out run"), "{stderr}");
}

#[test]
fn each_signal_alone_saves_everything_and_says_so() {
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        let sandbox = Sandbox::new();
        let mut child = spawn(sandbox.command(&LONG), &[]);
        wait_for(&mut child, || sandbox.path("run/seed-0/checkpoints").exists());
        send(&child, signal);
        assert_saved(&end(child));
        assert!(sandbox.path("run/seed-0/summary.json").is_file());
    }
}

#[test]
fn a_signal_that_comes_twice_at_once_is_one() {
    // A shell hands on the SIGHUP that the system sends too; `timeout` tells the process and its group.
    for signal in [SIGTERM, SIGHUP] {
        let sandbox = Sandbox::new();
        let mut child = spawn(sandbox.command(&LONG), &[]);
        wait_for(&mut child, || sandbox.path("run/seed-0/checkpoints").exists());
        for _ in 0..3 {
            send(&child, signal);
        }
        assert_saved(&end(child));
        assert!(sandbox.path("run/seed-0/summary.json").is_file());
    }
}

#[test]
fn what_is_ignored_stays_ignored_and_the_others_are_heeded() {
    // As under nohup, in a script's background job, and under both.
    let cases: [(&'static [i32], i32); 3] =
        [(&[SIGHUP], SIGINT), (&[SIGINT], SIGHUP), (&[SIGINT, SIGHUP], SIGTERM)];
    for (ignored, heeded) in cases {
        let sandbox = Sandbox::new();
        let mut child = spawn(sandbox.command(&LONG), ignored);
        wait_for(&mut child, || sandbox.path("run/seed-0/checkpoints").exists());
        for &signal in ignored {
            send(&child, signal);
            send(&child, signal);
        }
        thread::sleep(Duration::from_millis(500));
        assert!(child.try_wait().unwrap().is_none(), "{ignored:?} ended it");
        send(&child, heeded);
        assert_saved(&end(child));
    }
}

#[test]
fn a_long_evaluation_ends_at_once_and_is_done_again() {
    let sandbox = Sandbox::new();
    let train = |out: &'static str| {
        let command = ["train", "q-learning", "CliffWalking-v1", "--steps=20", "--eval-every=10"];
        // Episodes that walk in circles, all of them.
        let long = ["--eval-episodes=2000", "--set=training.max_eval_steps=300", "--seed=0"];
        let saved = ["--set=training.checkpoint_every=10", "--quiet", out];
        [&command[..], &long, &saved].concat()
    };
    sandbox.run(&train("--out=whole")).ok();
    let mut child = spawn(sandbox.command(&train("--out=run")), &[]);
    wait_for(&mut child, || sandbox.path("run/seed-0/evaluations.csv").exists());
    send(&child, SIGTERM);
    assert_saved(&end(child));
    sandbox.run(&["train", "--resume", "--out=run", "--quiet"]).ok();
    assert!(sandbox.records("run") == sandbox.records("whole"));
}

#[cfg(feature = "deep")]
mod deep {
    use super::*;

    #[test]
    fn a_second_signal_ends_it_at_once() {
        // A batch large enough to keep libtorch's own threads busy.
        let args =
            ["train", "dqn", "CartPole-v1", "--steps=1e6", "--seeds=2", "--jobs=2", "--quiet"];
        let sizes =
            ["--set=gradient_steps=10000", "--set=batch_size=4096", "--set=learning_starts=50"];
        for attempt in 0..4 {
            let sandbox = Sandbox::new();
            let all = [&args[..], &sizes, &["--set=train_every=50", "--out=run"]].concat();
            let mut child = spawn(sandbox.command(&all), &[]);
            wait_for(&mut child, || sandbox.path("run/seed-1").exists());
            thread::sleep(Duration::from_millis(1500 + 100 * attempt));
            send(&child, SIGINT);
            thread::sleep(Duration::from_millis(50));
            send(&child, SIGINT);
            let output = end(child);
            let stderr = String::from_utf8_lossy(&output.stderr);
            assert_eq!(
                (
                    output.status.code(),
                    std::os::unix::process::ExitStatusExt::signal(&output.status)
                ),
                (Some(130), None),
                "{stderr}"
            );
            assert_eq!(stderr, "", "attempt {attempt}");
        }
    }

    #[test]
    fn a_long_update_is_given_up() {
        let sandbox = Sandbox::new();
        let args = ["train", "dqn", "CartPole-v1", "--steps=1e6", "--seed=0", "--quiet"];
        let sizes =
            ["--set=gradient_steps=10000", "--set=batch_size=4096", "--set=learning_starts=50"];
        let all = [&args[..], &sizes, &["--set=train_every=50", "--out=run"]].concat();
        let mut child = spawn(sandbox.command(&all), &[]);
        wait_for(&mut child, || sandbox.path("run/seed-0").exists());
        thread::sleep(Duration::from_millis(1500));
        send(&child, SIGTERM);
        assert_saved(&end(child));
    }
}

#[test]
fn episodes_that_are_played_end_early_too() {
    let sandbox = Sandbox::with_run();
    for args in [
        &["evaluate", "run", "--episodes=1000000"][..],
        &["record", "run", "--episodes=1000000", "--out=episodes.jsonl"],
    ] {
        let child = spawn(sandbox.command(args), &[]);
        thread::sleep(Duration::from_millis(1500));
        send(&child, SIGINT);
        let output = end(child);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{args:?}: {stderr}");
        assert!(stderr.contains("interrupted"), "{args:?}: {stderr}");
    }
    assert!(!sandbox.path("episodes.jsonl").exists());
}
