//! Runs of other programs beside ours in a report and a picture.

use std::{fs, path::Path};

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A sandbox with our short run of FrozenLake-v1, `run`, of the seeds 0 and 1, and the files that
/// other programs wrote, in `sb3`, `zoo`, `cleanrl` and so on.
fn sandbox() -> Sandbox {
    let sandbox = Sandbox::with_run();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("agents/harness/tests/foreign");
    copy(&files, &sandbox.path("."));
    sandbox
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn names(json: &Value) -> Vec<&str> {
    json["rows"].as_array().unwrap().iter().map(|row| row["agent"].as_str().unwrap()).collect()
}

#[test]
fn other_programs_stand_in_the_table_beside_ours() {
    let sandbox = sandbox();
    let runs = ["report", "run", "sb3/ppo/FrozenLake-v1_1", "cleanrl"];
    let outcome = sandbox.run(&[&runs[..], &["--json"]].concat()).ok();
    assert_eq!(outcome.stderr, "");
    let json = outcome.json();
    assert_eq!(names(&json), ["q-learning", "ppo (SB3)", "ppo (CleanRL, training)"]);
    let rows = json["rows"].as_array().unwrap();
    for row in rows {
        assert_eq!(row["env"], "FrozenLake-v1");
        assert!(row["normalized"].is_object() && row["threshold"].is_object(), "{row}");
    }
    let returns: Vec<_> = rows.iter().map(|row| row["returns"].as_str().unwrap()).collect();
    assert_eq!(returns, ["evaluation", "evaluation", "training"]);
    assert_eq!((&rows[1]["env_steps"], &rows[2]["seeds"]), (&1024.into(), &2.into()));
    // The seed 1 is in all three, but training returns are paired with no evaluations.
    let pairs = json["comparisons"].as_array().unwrap();
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    assert_eq!(
        (&pairs[0]["agent"], &pairs[0]["other_agent"]),
        (&"q-learning".into(), &"ppo (SB3)".into())
    );
    let table = sandbox.run(&runs).ok().stdout;
    let words = table.replace('\n', " ");
    assert!(words.contains("ppo (CleanRL, training)") && words.contains("Runs marked `training`"));
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let json = sandbox.run(&[&runs[..], &["--json", "--episodes"]].concat()).ok().json();
    assert!(json["rows"].as_array().unwrap().iter().all(|row| row["returns"] == "training"));
    let table = sandbox.run(&[&runs[..], &["--episodes"]].concat()).ok().stdout;
    assert!(
        table.replace('\n', " ").contains("All returns are those of training episodes"),
        "{table}"
    );
    let only = ["report", "run", "sb3/ppo/FrozenLake-v1_1/evaluations.npz", "--episodes"];
    sandbox.run(&only).fails(1, &["evaluations only", "without --episodes"]);
    let csv = sandbox.run(&[&runs[..], &["--format", "csv"]].concat()).ok().stdout;
    let ends: Vec<_> = csv.lines().map(|line| line.rsplit(',').next().unwrap()).collect();
    assert_eq!(ends, ["returns", "evaluation", "evaluation", "training"]);
}

#[test]
fn other_programs_are_drawn_beside_ours() {
    let sandbox = sandbox();
    let plot =
        |args: &[&str]| sandbox.run(&[&["plot", "--force", "--out", "a.svg"], args].concat());
    plot(&["run", "sb3/ppo/FrozenLake-v1_1", "cleanrl"]).ok();
    let svg = sandbox.read("a.svg");
    for part in
        ["q-learning", "ppo (SB3)", "ppo (CleanRL, training)", "evaluation or training return"]
    {
        assert!(svg.contains(part), "no {part} in {svg}");
    }
    plot(&["run", "sb3/ppo/FrozenLake-v1_1", "cleanrl", "--episodes"]).ok();
    assert!(sandbox.read("a.svg").contains("trailing mean of up to 100 episodes"));
    plot(&["run", "cleanrl", "--x", "time"]).ok();
    let evaluations = "sb3/ppo/FrozenLake-v1_1/evaluations.npz";
    plot(&["run", evaluations, "--episodes"]).fails(1, &["evaluations only", "without --episodes"]);
    plot(&["run", evaluations, "--x", "time"]).fails(1, &["does not say when", "without --x time"]);
    sandbox.run(&["report", "run", "zoo/ppo", "cleanrl", "--out", "page.html"]).ok();
    let page = sandbox.read("page.html");
    for part in ["ppo (SB3)", "written_by", "CartPole-v1_2", "Runs marked `training`"] {
        assert!(page.contains(part), "no {part}");
    }
}

#[test]
fn a_run_is_named_before_its_path() {
    let sandbox = sandbox();
    let report = |args: &[&str]| sandbox.run(&[&["report", "--json"], args].concat());
    let json = report(&["ours=run", "theirs@FrozenLake-v1=sb3/tb", "zoo"]).ok().json();
    assert_eq!(names(&json), ["ours", "theirs", "ppo (SB3)"]);
    // One name for several paths is one run of several seeds.
    let [first, second] =
        [1, 2].map(|seed| format!("rl=cleanrl/FrozenLake-v1__ppo__{seed}__170000000{seed}"));
    let json = report(&[&first, "run", &second]).ok().json();
    assert_eq!(names(&json), ["rl (training)", "q-learning"]);
    assert_eq!(json["rows"][0]["seeds"], 2);
    let seed = "again@Walk-v0#7=sb3/ppo/FrozenLake-v1_1/monitor.csv";
    let json = report(&[seed]).ok().json();
    let row = &json["rows"][0];
    assert_eq!((&row["agent"], &row["env"]), (&"again (training)".into(), &"Walk-v0".into()));
    assert!(row["normalized"].is_null() && row["threshold"].is_null(), "{row}");
    let tag = report(&["cleanrl", "--tag", "charts/episodic_length"]).ok().json();
    assert!(tag["rows"][0]["mean"]["estimate"].as_f64().unwrap() > 1.0, "{tag}");
    let chart = report(&["chart.csv", "scores.json"]).ok();
    assert_eq!(names(&chart.json()).len(), 1 + 8);
    assert!(chart.stderr.contains("does not say its env steps"), "{chart:?}");

    report(&["sb3/tb"]).fails(2, &["does not say its environment", "@CartPole-v1=sb3/tb"]);
    report(&["a@X-v0=run"]).fails(2, &["says its environment and seeds", "NAME=run"]);
    report(&["a=scores.npz"]).fails(2, &["several agents", "dqn, ppo"]);
    report(&["@X-v0=scores.npz"]).fails(2, &["several environments"]);
    report(&["#3=cleanrl"]).fails(2, &["holds 2 seeds"]);
    report(&["a#x=cleanrl"]).fails(2, &["expected a number behind #"]);
    report(&["run", "--tag", "x"]).fails(2, &["--tag chooses a series of another program"]);
    report(&["cleanrl", "--tag", "x"]).fails(2, &["lacks a series", "charts/episodic_return"]);
    report(&["pickled.npy"]).fails(2, &["a pickle", "runs code", "numpy.savez"]);
    report(&["chart.csv", "make.py"]).fails(2, &["make.py holds no run", "evaluations.npz"]);
    report(&["no=where"]).fails(2, &["where holds no run"]);
    let twice = "a=sb3/ppo/FrozenLake-v1_1/monitor.csv";
    fs::create_dir_all(sandbox.path("other/FrozenLake-v1_1")).unwrap();
    let other = sandbox.path("other/FrozenLake-v1_1/monitor.csv");
    fs::copy(sandbox.path("sb3/ppo/FrozenLake-v1_1/monitor.csv"), other).unwrap();
    report(&[twice, "a=other"]).fails(2, &["are both seed 1 of a (training) · FrozenLake-v1"]);
    let help = sandbox.run(&["report", "--help"]).ok().stdout;
    for part in ["NAME@ENV#SEED=PATH", "rl-zoo", "CleanRL", "W&B", "rliable"] {
        assert!(help.contains(part), "no {part} in {help}");
    }
}
