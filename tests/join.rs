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

/// A worker, which says nothing.
fn spawn(sandbox: &Sandbox, args: &[&str]) -> Child {
    let mut command = sandbox.command(args);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Ten workers, of which thirty times one at random is killed and begun again, until all have ended.
fn kill_thirty_times(spawn: impl Fn() -> Child) {
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
}

#[test]
fn ten_workers_killed_thirty_times_end_in_the_report_of_one() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), suite()).unwrap();
    let args =
        |out: &'static str| ["benchmark", "suite.toml", "--out", out, "--quiet", "--jobs", "1"];
    let whole = sandbox.run(&args("by-one")).ok().stdout;
    kill_thirty_times(|| spawn(&sandbox, &args("by-ten")));
    assert_eq!(sandbox.run(&args("by-ten")).ok().stdout, whole);
    assert!(page_but_for_times(&sandbox, "by-ten") == page_but_for_times(&sandbox, "by-one"));
    for run in ["q-learning-FrozenLake-v1", "double-q-Taxi-v4"] {
        let of = |out: &str| sandbox.records(&format!("{out}/{run}"));
        assert!(of("by-ten") == of("by-one"), "{run}");
    }
}

/// A search of forty trials, of which ten run at once.
fn search<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let search = ["tune", "q-learning", "FrozenLake-v1", "--steps=20000", "--quiet", "--trials=40"];
    let ranges = ["--search=alpha=log(0.001, 1)", "--search=epsilon=[0.1, {from=1.0,to=0.1}]"];
    // What is given once more replaces these.
    let key = |arg: &str| arg.split('=').next().map(str::to_owned);
    let is_new =
        |arg: &&&str| !more.iter().any(|other| arg.starts_with("--") && key(other) == key(arg));
    let own = [&search[..], &ranges, &["--jobs=10", "--out", out]].concat();
    own.iter().filter(is_new).chain(more).copied().collect()
}

#[test]
fn ten_workers_killed_thirty_times_end_in_the_search_of_one() {
    let sandbox = Sandbox::new();
    sandbox.run(&search("by-one", &[])).ok();
    kill_thirty_times(|| spawn(&sandbox, &search("by-ten", &["--join"])));
    sandbox.run(&search("by-ten", &["--join"])).ok();
    // No trial is lost or doubled; they stand in the order in which they ended.
    let trials = |out: &str| {
        let study = sandbox.read(&format!("{out}/study.jsonl"));
        let mut trials: Vec<_> = study.lines().map(str::to_owned).collect();
        trials.sort();
        trials
    };
    assert_eq!(trials("by-one").len(), 41);
    assert_eq!(trials("by-ten"), trials("by-one"));
    for file in ["trials.md", "history.svg", "history.png", "importance.svg", "importance.png"] {
        let read = |out: &str| fs::read(sandbox.path(&format!("{out}/{file}"))).unwrap();
        assert!(read("by-ten") == read("by-one"), "{file}");
    }
    let config = |out: &str| sandbox.read(&format!("{out}/config.toml")).replace(out, "DIR");
    assert_eq!(config("by-ten"), config("by-one"));
    // Only the locks of the directory itself stay.
    let names = fs::read_dir(sandbox.path("by-ten")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut hidden: Vec<String> = names.filter(|name| name.starts_with('.')).collect();
    hidden.sort();
    assert_eq!(hidden, [".study.jsonl.lock", ".tune.toml.lock"]);
}

#[test]
fn a_search_is_joined_with_the_same_arguments_alone() {
    let sandbox = Sandbox::new();
    let join = |more: &[&str]| {
        let few = ["--trials=3"];
        let few = if more.iter().any(|arg| arg.starts_with("--trials")) { &[][..] } else { &few };
        sandbox.run(&search("run", &[&["--join"], few, more].concat()))
    };
    join(&[]).ok();
    let before = sandbox.read("run/study.jsonl");
    join(&["--jobs=2"]).fails(2, &["`jobs` (--jobs)", "same"]);
    join(&["--steps=10000"]).fails(2, &["holds another search", "other values of"]);
    join(&["--seed=1"]).fails(2, &["other values of `study`"]);
    assert_eq!(sandbox.read("run/study.jsonl"), before);
    join(&["--trials=5"]).ok();
    assert!(sandbox.read("run/tune.toml").contains("trials = 5"));
    assert_eq!(sandbox.read("run/study.jsonl").lines().count(), 6);
    // A claim that somebody damaged holds nothing.
    fs::write(sandbox.path("run/.study.jsonl.trial-5.lock"), "mine, says nobody").unwrap();
    join(&["--trials=6"]).ok();
    assert_eq!(sandbox.read("run/study.jsonl").lines().count(), 7);
    assert!(!sandbox.path("run/.study.jsonl.trial-5.lock").exists());
    // Another's directory stays as it is.
    fs::create_dir(sandbox.path("mine")).unwrap();
    fs::write(sandbox.path("mine/mine.txt"), "").unwrap();
    sandbox.run(&search("mine", &["--join"])).fails(2, &["files that belong to no search"]);
    assert_eq!(fs::read_dir(sandbox.path("mine")).unwrap().count(), 1);
}
