//! `gymnast tune`: searches, their files, and how they go on.

use std::fs;

use crate::sandbox::Sandbox;

/// A short search, of which some trials are pruned.
const SHORT: [&str; 8] = [
    "tune",
    "q-learning",
    "FrozenLake-v1",
    "--steps=2000",
    "--quiet",
    "--set=training.eval_every=500",
    "--search=alpha=log(0.001, 1)",
    "--search=epsilon=[0.1, {from=1.0,to=0.1}]",
];

fn short<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&SHORT[..], extra].concat()
}

#[test]
fn a_search_leaves_what_it_says() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&short(&["--trials=12"])).ok().stdout;
    let dir = "runs/tune-q-learning-FrozenLake-v1";
    for part in ["12 trials", "| `alpha` | `epsilon` |", "gymnast train --config", "alone", dir] {
        assert!(text.contains(part), "no `{part}` in {text}");
    }
    for picture in ["history.png", "history.svg", "importance.png", "importance.svg"] {
        assert!(sandbox.path(dir).join(picture).is_file(), "{picture}");
    }
    let table = sandbox.read(&format!("{dir}/trials.md"));
    assert_eq!(table.lines().count(), 14, "{table}");
    assert!(table.contains("| pruned after "), "{table}");

    // The best settings, with everything else, to be judged by seeds that the search has not seen.
    let config: toml::Table = sandbox.read(&format!("{dir}/config.toml")).parse().unwrap();
    let seeds: Vec<_> =
        config["seeds"].as_array().unwrap().iter().map(toml::Value::as_integer).collect();
    assert_eq!(seeds, (2..7).map(Some).collect::<Vec<_>>());
    assert_eq!(config["training"]["eval_every"].as_integer(), Some(500));
    let alpha = config["agent"]["alpha"].as_float().unwrap();
    assert!((0.001..=1.0).contains(&alpha), "{config}");
    sandbox
        .run(&["train", "--config", &format!("{dir}/config.toml"), "--out=best", "--quiet"])
        .ok();
    sandbox.run(&short(&[])).fails(2, &["holds a search already", "--resume"]);
}

#[test]
fn a_search_killed_after_any_trial_comes_to_the_same_file() {
    let sandbox = Sandbox::new();
    let args = ["--trials=12", "--out=whole", "--sampler=cma-es", "--pruner=asha"];
    sandbox.run(&short(&args)).ok();
    let whole = sandbox.read("whole/study.jsonl");
    let ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    assert_eq!(ends.len(), 13);
    fs::create_dir(sandbox.path("part")).unwrap();
    fs::copy(sandbox.path("whole/tune.toml"), sandbox.path("part/tune.toml")).unwrap();
    // Before its file was there, in the middle of a trial's line, after one.
    for kept in [None, Some(ends[0]), Some(ends[3] + 30), Some(ends[8])] {
        let _ = fs::remove_file(sandbox.path("part/study.jsonl"));
        if let Some(kept) = kept {
            fs::write(sandbox.path("part/study.jsonl"), &whole[..kept]).unwrap();
        }
        sandbox.run(&["tune", "--resume", "--out=part", "--quiet"]).ok();
        assert!(sandbox.read("part/study.jsonl") == whole, "{kept:?}");
    }
    assert_eq!(sandbox.read("part/trials.md"), sandbox.read("whole/trials.md"));
    assert_eq!(sandbox.read("part/config.toml"), sandbox.read("whole/config.toml"));
    let more = ["tune", "--resume", "--out=part", "--trials=14", "--json", "--quiet"];
    let json = sandbox.run(&more).ok().json();
    assert_eq!(json["trials"], 14);
    assert!(json["best"]["settings"]["alpha"].is_number() && json["importances"].is_array());
    assert!(sandbox.read("part/study.jsonl").starts_with(&whole));
}

#[cfg(unix)]
#[test]
fn ctrl_c_saves_what_is_done() {
    let sandbox = Sandbox::new();
    let args = short(&["--out=run", "--trials=100000"]);
    let mut child = sandbox.command(&args).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let study = sandbox.path("run/study.jsonl");
    let trials = || fs::read_to_string(&study).unwrap_or_default().lines().count();
    while trials() < 4 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("gymnast tune --resume --out run"), "{stderr}");
    let (saved, done) = (sandbox.read("run/study.jsonl"), trials());
    let more = format!("--trials={}", done + 1);
    sandbox.run(&["tune", "--resume", "--out=run", "--quiet", &more]).ok();
    assert!(sandbox.read("run/study.jsonl").starts_with(&saved) && trials() == done + 2);
}

#[test]
fn trials_at_once_are_the_same_whichever_ends_first() {
    let sandbox = Sandbox::new();
    let trials = |out: &str| {
        let out = format!("--out={out}");
        sandbox.run(&short(&["--trials=8", "--jobs=3", &out])).ok();
    };
    trials("a");
    trials("b");
    assert_eq!(sandbox.read("a/trials.md"), sandbox.read("b/trials.md"));
}

#[test]
fn ranges_come_from_a_file_from_flags_or_from_the_agent() {
    let sandbox = Sandbox::new();
    let file = "alpha = 'log(0.01, 1)'\ngamma = 'uniform(0.9, 1)'\n[training]\nnum_envs = [1, 2]\n";
    fs::write(sandbox.path("ranges.toml"), file).unwrap();
    let run = |extra: &[&str]| {
        let args = ["tune", "sarsa", "FrozenLake-v1", "--steps=200", "--quiet"];
        sandbox.run(&[&args[..], extra].concat()).ok();
    };
    run(&["--trials=2", "--space=ranges.toml", "--search=gamma=[0.5]", "--out=file"]);
    let table = sandbox.read("file/trials.md");
    assert!(
        table.starts_with("| trial | final return | `alpha` | `gamma` | `training.num_envs` |")
    );
    assert!(table.lines().nth(2).unwrap().contains(" | 0.5000 | "), "{table}");
    run(&["--trials=2", "--out=own", "--sampler=random", "--pruner=none"]);
    assert!(sandbox.read("own/trials.md").contains("| `alpha` | `epsilon` | `gamma` |"));
    let grid = ["--search=alpha=[0.1,0.2]", "--search=training.num_envs=int(1,2)", "--out=grid"];
    run(&[&grid[..], &["--sampler=grid", "--trials=100"]].concat());
    assert_eq!(sandbox.read("grid/trials.md").lines().count(), 2 + 4);
}

#[test]
fn what_cannot_be_searched_is_said_before_anything_is_trained() {
    let sandbox = Sandbox::new();
    let tune = |extra: &[&str]| {
        sandbox.run(
            &[&["tune", "q-learning", "FrozenLake-v1", "--out=run", "--quiet"], extra].concat(),
        )
    };
    tune(&["--search=alpa=log(0.1,1)"]).fails(2, &["`alpa`", "did you mean `alpha`"]);
    tune(&["--search=alpha=lg(0.1,1)"]).fails(2, &["no `lg`", "log(LOW, HIGH)"]);
    tune(&["--search=alpha=log(0,1)"]).fails(2, &["alpha", "positive", "0 to 1"]);
    tune(&["--search=alpha=uniform(0.5,9)"]).fails(2, &["--search alpha=uniform(0.5, 9)", "9"]);
    tune(&["--search=gamma=[]"]).fails(2, &["gamma", "at least one choice"]);
    tune(&["--search=training.num_envs=uniform(1,2)"]).fails(2, &["num_envs"]);
    tune(&["--search=env.is_slipery=[true,false]"]).fails(2, &["is_slipery"]);
    tune(&["--search=alpha"]).fails(2, &["key=value"]);
    tune(&["--set=agent.name=sarsa"]).fails(2, &["agent.name"]);
    tune(&["--space=none.toml"]).fails(1, &["none.toml"]);
    sandbox.run(&["tune", "q-learnin", "FrozenLake-v1"]).fails(2, &["did you mean `q-learning`"]);
    sandbox.run(&["tune", "--resume", "--out=run"]).fails(2, &["run holds no search"]);
    sandbox.run(&["tune", "sarsa", "--resume", "--out=run"]).fails(2, &["--resume"]);
    assert!(!sandbox.path("run").exists());
    fs::create_dir(sandbox.path("run")).unwrap();
    fs::write(sandbox.path("run/mine.txt"), "").unwrap();
    tune(&[]).fails(2, &["files that no search made"]);
}

#[test]
fn settings_that_fail_together_are_failed_trials() {
    let sandbox = Sandbox::new();
    let grid = |envs: &str, out: &str| {
        let args = ["tune", "sarsa", "FrozenLake-v1", "--sampler=grid", "--quiet"];
        let envs = format!("--search=training.num_envs={envs}");
        let args = [&args[..], &["--search=training.env_steps=[3, 5]", &envs, out]].concat();
        sandbox.run(&args)
    };
    grid("[1, 2]", "--out=some").ok();
    let table = sandbox.read("some/trials.md");
    assert_eq!(table.matches("failed: training.env_steps = ").count(), 2, "{table}");
    assert!(table.lines().last().unwrap().contains("failed"), "{table}");
    let parts = ["no trial of all is complete", "trial 3 failed", "training.num_envs (4)"];
    grid("[2, 4]", "--out=all").fails(1, &parts);
}
