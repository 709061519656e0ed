//! The same command, the same bytes: run twice, interrupted, killed, or after damage.

use std::{
    fs,
    path::PathBuf,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use gymnast::Seed;
use rand::RngExt as _;

use crate::{
    sandbox::{SHORT, Sandbox},
    signals,
};

/// A training that takes a second or two, so that it can be interrupted.
const Q_LEARNING: &str = "q-learning FrozenLake-v1 --steps=2000000 --eval-every=100000 \
    --set=training.checkpoint_every=50000 --set=training.num_envs=4";

/// Four threads that take turns.
#[cfg(feature = "deep")]
const A3C: &str = "a3c CartPole-v1 --steps=12000 --eval-every=1500 --eval-episodes=2 \
    --set=training.checkpoint_every=700 --set=training.num_envs=4 --set=t_max=7 \
    --set=hidden=[16,16]";

/// Makes a test of each training: killed at several moments, it ends as if it had not been.
macro_rules! killed {
    ($($name:ident: $training:expr;)*) => {
        $(#[test]
        fn $name() {
            super::killed_runs_resume_exactly(&super::Sandbox::new(), $training);
        })*
    };
}

/// One line an agent, at least one a family: the agent, the environment, and what makes the training
/// short, with a dozen checkpoints or more.
mod a_killed_run_resumes_exactly {
    killed! {
        q_learning: super::Q_LEARNING;
        sarsa_lambda: "sarsa-lambda Taxi-v4 --steps=200000 --eval-every=50000 \
            --set=training.checkpoint_every=10000";
        n_step_sarsa: "n-step-sarsa CliffWalking-v1 --steps=600000 --eval-every=150000 \
            --set=training.checkpoint_every=30000 --set=training.num_envs=4";
        dyna_q_plus: "dyna-q-plus DynaMaze-v0 --steps=100000 --eval-every=25000 \
            --set=training.checkpoint_every=5000 --set=training.max_eval_steps=200";
        prioritized_sweeping: "prioritized-sweeping FrozenLake-v1 --steps=200000 \
            --eval-every=50000 --set=training.checkpoint_every=10000";
        wrapped: "q-learning CartPole-v1 --steps=200000 --eval-every=50000 --eval-episodes=5 \
            --set=training.checkpoint_every=10000 --set=training.num_envs=4 \
            --wrapper=StickyAction(repeat_action_probability=0.25) --wrapper=NormalizeReward \
            --wrapper=DiscretizeObservation(bins=6,low=-3,high=3) --wrapper=FrameStack(k=2)";
        monte_carlo: "monte-carlo Blackjack-v1 --steps=1000000 --eval-every=250000 \
            --set=training.checkpoint_every=50000";
    }

    #[cfg(feature = "deep")]
    killed! {
        dqn: "dqn CartPole-v1 --steps=4000 --eval-every=500 --eval-episodes=2 \
            --set=training.checkpoint_every=250 --set=learning_starts=200 --set=hidden=[32,32]";
        rainbow: "rainbow CartPole-v1 --steps=2500 --eval-every=500 --eval-episodes=2 \
            --set=training.checkpoint_every=150 --set=learning_starts=200 --set=hidden=[32,32]";
        ppo: "ppo CartPole-v1 --steps=8192 --eval-every=2048 --eval-episodes=2 \
            --set=training.checkpoint_every=512 --set=hidden=[32,32]";
        a2c: "a2c Acrobot-v1 --steps=48000 --eval-every=12000 --eval-episodes=1 \
            --set=training.checkpoint_every=3000 --set=hidden=[32,32]";
        a3c: super::A3C;
        reinforce: "reinforce CartPole-v1 --steps=30000 --eval-every=7500 --eval-episodes=2 \
            --set=training.checkpoint_every=1500 --set=hidden=[32,32]";
        sac: "sac Pendulum-v1 --steps=900 --eval-every=300 --eval-episodes=1 \
            --set=training.checkpoint_every=60 --set=learning_starts=100 --set=hidden=[32,32] \
            --set=batch_size=32";
        td3: "td3 Pendulum-v1 --steps=1200 --eval-every=400 --eval-episodes=1 \
            --set=training.checkpoint_every=80 --set=learning_starts=100 --set=hidden=[32,32] \
            --set=batch_size=32";
        mbpo: "mbpo Pendulum-v1 --steps=300 --eval-every=100 --eval-episodes=1 \
            --set=training.checkpoint_every=25 --set=sac.hidden=[32,32] --set=model_hidden=[32,32] \
            --set=ensemble=3 --set=elites=2 --set=max_epochs=2 --set=model_train_every=50 \
            --set=rollouts=50 --set=sac.learning_starts=50 --set=sac.batch_size=32";
        ddpg: "ddpg MountainCarContinuous-v0 --steps=1200 --eval-every=400 --eval-episodes=1 \
            --set=training.checkpoint_every=80 --set=learning_starts=100 --set=hidden=[32,32] \
            --set=batch_size=32 --set=env.max_episode_steps=200";
    }

    #[cfg(feature = "deep")]
    #[test]
    fn bc() {
        let sandbox = super::Sandbox::new();
        sandbox.run(&["record", "CartPole-v1", "--out", "random.jsonl"]).ok();
        let training = "bc CartPole-v1 --steps=6000 --eval-every=1500 --eval-episodes=2 \
            --set=training.checkpoint_every=400 --set=hidden=[32,32] --set=patience=0 \
            --set=demonstrations=random.jsonl";
        super::killed_runs_resume_exactly(&sandbox, training);
    }
}

/// The arguments of a training of two seeds, into that directory.
fn train<'a>(training: &'a str, out: &'a str) -> Vec<&'a str> {
    let words = training.split_whitespace();
    ["train"].into_iter().chain(words).chain(["--seeds=2", "--quiet", "--out", out]).collect()
}

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
    let one = sandbox.command(&[&train(A3C, "one")[..], &["--jobs", "1"]].concat());
    let mut taskset = std::process::Command::new("taskset");
    taskset.args(["-c", core]).arg(one.get_program()).args(one.get_args());
    let status = taskset.current_dir(sandbox.path(".")).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    sandbox.run(&[&train(A3C, "all")[..], &["--jobs", "2"]].concat()).ok();
    assert_same(&sandbox, "one", "all");
}

/// Kills a training at several moments, resumes it each time, and holds all that it recorded against
/// an uninterrupted one's.
fn killed_runs_resume_exactly(sandbox: &Sandbox, training: &str) {
    let begin = Instant::now();
    sandbox.run(&train(training, "whole")).ok();
    let duration = begin.elapsed();
    let resume = ["train", "--resume", "--out", "killed", "--quiet"];
    let mut moments = Seed::new(std::process::id().into()).rng();
    let mut kills = 0;
    for attempt in 0..6 {
        let begun = sandbox.path("killed/config.toml").is_file();
        let args = if begun { resume.to_vec() } else { train(training, "killed") };
        let before = newest_checkpoint(sandbox);
        let mut child = sandbox.command(&args).stdout(Stdio::null()).spawn().unwrap();
        let mut is_running = || child.try_wait().unwrap().is_none();
        // At any moment, the start of the process too; but every other time it gets further first,
        // so that the kills are spread over the whole training.
        while attempt % 2 == 0 && newest_checkpoint(sandbox) == before && is_running() {
            thread::sleep(Duration::from_millis(2));
        }
        thread::sleep(duration.mul_f64(moments.random_range(0.0..0.15)));
        if attempt == 2 {
            // A second process in the same directory waits for the first, and does no harm.
            let mut second = sandbox.command(&resume).stdout(Stdio::null()).spawn().unwrap();
            thread::sleep(Duration::from_millis(20));
            second.kill().unwrap();
            second.wait().unwrap();
        }
        kills += u32::from(is_running());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(kills > 2, "the training was over before it could be killed: {kills} kills");
    sandbox.run(&resume).ok();
    assert_same(sandbox, "killed", "whole");
}

/// The newest checkpoint of the first seed.
fn newest_checkpoint(sandbox: &Sandbox) -> Option<PathBuf> {
    let entries = fs::read_dir(sandbox.path("killed/seed-0/checkpoints")).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).max()
}

#[track_caller]
fn assert_same(sandbox: &Sandbox, left: &str, right: &str) {
    let (left, right) = (sandbox.records(left), sandbox.records(right));
    assert_eq!(left.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>());
    let differing: Vec<_> = left.keys().filter(|path| left[*path] != right[*path]).collect();
    assert!(differing.is_empty(), "these files differ: {differing:?}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_everything_and_says_how_to_go_on() {
    let sandbox = Sandbox::new();
    sandbox.run(&train(Q_LEARNING, "whole")).ok();
    let child = signals::spawn(sandbox.command(&train(Q_LEARNING, "run")), &[]);
    while !sandbox.path("run/seed-0/checkpoints").exists() {
        thread::sleep(Duration::from_millis(5));
    }
    signals::send(&child, libc::SIGINT);
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
    sandbox.run(&[&train(Q_LEARNING, "run")[..], &["--resume"]].concat()).ok();
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

#[test]
fn a_log_that_was_altered_falls_back_to_the_checkpoint_before() {
    let sandbox = Sandbox::with_run();
    let whole = sandbox.records("run");
    for file in ["episodes.csv", "evaluations.csv"] {
        let path = sandbox.path("run/seed-0").join(file);
        let mut bytes = fs::read(&path).unwrap();
        // Within the last row, and of the same length.
        let digit = bytes.iter().rposition(u8::is_ascii_digit).unwrap();
        bytes[digit] ^= 1;
        fs::write(&path, bytes).unwrap();
        fs::remove_file(sandbox.path("run/seed-0/summary.json")).unwrap();
        let resumed = sandbox.run(&["train", "--resume", "--out", "run", "--quiet"]).ok();
        assert!(resumed.stderr.contains("older checkpoint is used"), "{resumed:#?}");
        assert!(resumed.stderr.contains(file), "{resumed:#?}");
        assert!(sandbox.records("run") == whole, "after damage to {file}");
    }
}
