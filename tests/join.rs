//! Several processes at work on one run or suite.

use std::{
    fs,
    process::{Child, Stdio},
    time::Duration,
};

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::sandbox::{Outcome, Sandbox};

/// The tasks of an array: each trains its seed of the same run.
fn task(sandbox: &Sandbox, seed: &str, more: &[&str]) -> Outcome {
    let train = ["train", "q-learning", "FrozenLake-v1", "--steps=20000", "--quiet", "--out=run"];
    sandbox.run(&[&train[..], &["--join", "--seed", seed], more].concat())
}

#[test]
fn the_tasks_of_an_array_make_one_run() {
    let sandbox = Sandbox::new();
    std::thread::scope(|scope| {
        let tasks: Vec<_> = ["3", "0", "2", "1", "2", "0"]
            .map(|seed| scope.spawn(|| task(&sandbox, seed, &[])))
            .into_iter()
            .collect();
        tasks.into_iter().for_each(|task| drop(task.join().unwrap().ok()));
    });
    let whole = ["train", "q-learning", "FrozenLake-v1", "--steps=20000", "--quiet"];
    sandbox.run(&[&whole[..], &["--seeds=4", "--out=whole"]].concat()).ok();
    assert!(sandbox.records("run") == sandbox.records("whole"));
    // One more is added; another configuration is refused, and nothing is changed.
    let before = sandbox.records("run");
    let other = task(&sandbox, "5", &["--set=alpha=0.5"]);
    other.fails(2, &["run was started with agent.alpha"]);
    assert!(sandbox.records("run") == before);
    task(&sandbox, "4", &[]).ok();
    assert!(sandbox.read("run/config.toml").contains("seeds = [0, 1, 2, 3, 4]"));
    // Without --join nobody adds to somebody's run by mistake.
    let train = ["train", "q-learning", "FrozenLake-v1", "--steps=20000", "--quiet", "--out=run"];
    sandbox.run(&train).fails(2, &["--resume", "--join", "--force"]);
}

#[test]
fn a_claim_is_what_the_system_holds_not_what_a_file_says() {
    let sandbox = Sandbox::new();
    task(&sandbox, "0", &[]).ok();
    for lock in [".seed-1.lock", ".gymnast.config.lock", ".gymnast.lock"] {
        fs::write(sandbox.path("run").join(lock), "mine, says nobody\n").unwrap();
    }
    task(&sandbox, "1", &[]).ok();
    assert!(sandbox.path("run/seed-1/summary.json").is_file());
    // A seed that has ended leaves no claim.
    let names = fs::read_dir(sandbox.path("run")).unwrap();
    let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name == ".seed-1.lock"), "{names:?}");
}

/// Eight runs of five seeds.
fn suite() -> String {
    let run = |agent: &str, env: &str| {
        format!("[[run]]\nagent = '{agent}'\nenv = '{env}'\nenv_steps = 30000\nseeds = 5\n")
    };
    let agents = ["q-learning", "sarsa", "expected-sarsa", "double-q"];
    let envs = ["FrozenLake-v1", "Taxi-v4"];
    agents.iter().flat_map(|agent| envs.map(|env| run(agent, env))).collect()
}

/// The page without the last column of its first table, the speed.
pub(crate) fn page_but_for_times(sandbox: &Sandbox, out: &str) -> String {
    let page = sandbox.read(&format!("{out}/report.html")).replace(out, "DIR");
    let (before, rest) = page.split_once("<h2>Runs</h2>").unwrap();
    let (runs, after) = rest.split_once("</table>").unwrap();
    let cut = |line: &str| line.rsplit_once("<td>").map_or(line, |(cells, _)| cells).to_owned();
    let runs: String = runs.lines().map(|line| cut(line) + "\n").collect();
    [before, &runs, after].concat()
}

#[test]
fn ten_workers_killed_thirty_times_end_in_the_report_of_one() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), suite()).unwrap();
    let args =
        |out: &'static str| ["benchmark", "suite.toml", "--out", out, "--quiet", "--jobs", "1"];
    let whole = sandbox.run(&args("by-one")).ok().stdout;
    let spawn = || -> Child {
        sandbox
            .command(&args("by-ten"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut workers: Vec<Child> = (0..10).map(|_| spawn()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut killed = 0;
    for _ in 0..30 {
        std::thread::sleep(Duration::from_millis(rng.random_range(1..40)));
        let worker = &mut workers[rng.random_range(0..10)];
        worker.kill().unwrap();
        killed += u32::from(worker.wait().unwrap().code().is_none());
        *worker = spawn();
    }
    for mut worker in workers {
        assert!(worker.wait().unwrap().success());
    }
    assert!(killed >= 10, "{killed} were killed at work");
    assert_eq!(sandbox.run(&args("by-ten")).ok().stdout, whole);
    assert!(page_but_for_times(&sandbox, "by-ten") == page_but_for_times(&sandbox, "by-one"));
    for run in ["q-learning-FrozenLake-v1", "double-q-Taxi-v4"] {
        let of = |out: &str| sandbox.records(&format!("{out}/{run}"));
        assert!(of("by-ten") == of("by-one"), "{run}");
    }
}
