//! `gymnast tune`: searches, their files, and how they go on.

use std::fs;

use crate::{sandbox::Sandbox, signals};

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

/// A search of one setting, as short as may be.
const TINY: [&str; 6] = [
    "tune",
    "sarsa",
    "FrozenLake-v1",
    "--steps=200",
    "--quiet",
    "--search=alpha=[0.1, 0.2, 0.3, 0.4]",
];

fn tiny<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&TINY[..], extra].concat()
}

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
        // The table is written at the end.
        let _ = fs::remove_file(sandbox.path("part/trials.md"));
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
    let mut child = signals::spawn(sandbox.command(&args), &[]);
    let study = sandbox.path("run/study.jsonl");
    let trials = || fs::read_to_string(&study).unwrap_or_default().lines().count();
    while trials() < 4 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    signals::send(&child, libc::SIGINT);
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
    let study = |out: &str, jobs: &str| {
        let args = ["--trials=8", jobs, &format!("--out={out}")];
        sandbox.run(&short(&args)).ok();
        let text = sandbox.read(&format!("{out}/study.jsonl"));
        // In the order in which they ended.
        let mut trials: Vec<serde_json::Value> =
            text.lines().skip(1).map(|line| serde_json::from_str(line).unwrap()).collect();
        trials.sort_by_key(|trial| trial["number"].as_u64());
        trials
    };
    let (a, b, alone) =
        (study("a", "--jobs=3"), study("b", "--jobs=3"), study("alone", "--jobs=1"));
    assert_eq!(a, b);
    // They do run at once: trial 1 is drawn before anything is known of trial 0.
    assert_eq!(a[0], alone[0]);
    assert_ne!(a[1]["params"], alone[1]["params"]);
}

#[test]
fn a_grid_has_all_its_combinations_or_says_that_it_has_not() {
    let sandbox = Sandbox::new();
    let part = sandbox.run(&tiny(&["--sampler=grid", "--out=part", "--trials=3"])).ok().stdout;
    assert!(part.contains("the grid's 4 combinations only the first 3"), "{part}");
    assert!(part.contains("--resume --out part --trials 4"), "{part}");
    let all = sandbox.run(&tiny(&["--sampler=grid", "--out=all", "--json"])).ok().json();
    assert_eq!((all["trials"].as_u64(), all["combinations"].as_u64()), (Some(4), Some(4)));
    let many =
        ["--search=epsilon=uniform(0,1)", "--search=gamma=uniform(0,1)", "--grid-points=1000"];
    let many = [&["--sampler=grid", "--out=many"], &many[..]].concat();
    sandbox.run(&tiny(&many)).fails(2, &["4000000 combinations", "--grid-points", "--trials"]);
}

#[test]
fn a_search_that_was_changed_is_not_gone_on_with() {
    let sandbox = Sandbox::new();
    sandbox.run(&tiny(&["--trials=2", "--out=run"])).ok();
    let definition = sandbox.read("run/tune.toml");
    let study = sandbox.read("run/study.jsonl");
    let resume = |extra: &[&str]| {
        sandbox.run(&[&["tune", "--resume", "--out=run", "--quiet"], extra].concat())
    };
    let changed = |from: &str, to: &str| {
        assert!(definition.contains(from), "{definition}");
        fs::write(sandbox.path("run/tune.toml"), definition.replacen(from, to, 1)).unwrap();
        resume(&["--trials=4"])
    };
    changed("0.4", "0.5").fails(1, &["study of another search", "undo"]);
    changed("seeds = 2", "seeds = 3").fails(1, &["study of another search"]);
    changed("env_steps = 200", "env_steps = 300").fails(1, &["study of another search"]);
    changed("alpha = [", "alpa = [").fails(2, &["`alpa`", "did you mean `alpha`"]);
    assert_eq!(sandbox.read("run/study.jsonl"), study);

    // Who is refused, since another process is at work, has changed nothing.
    fs::write(sandbox.path("run/tune.toml"), &definition).unwrap();
    let file = fs::File::open(sandbox.path("run/study.jsonl")).unwrap();
    file.lock().unwrap();
    resume(&["--trials=4", "--jobs=4"]).fails(1, &["another process has this study open"]);
    assert_eq!(sandbox.read("run/tune.toml"), definition);
    file.unlock().unwrap();
    resume(&["--trials=4", "--jobs=2"]).ok();
    assert!(sandbox.read("run/tune.toml").contains("jobs = 2"));
}

#[test]
fn what_a_killed_search_has_left_is_in_nobodys_way() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.path("run")).unwrap();
    fs::write(sandbox.path("run/.tune.toml.99-0.tmp"), "tri").unwrap();
    fs::write(sandbox.path("run/study.jsonl"), "").unwrap();
    sandbox.run(&tiny(&["--trials=1", "--out=run"])).ok();
    assert_eq!(sandbox.read("run/study.jsonl").lines().count(), 2);
}

#[test]
fn trials_of_other_lengths_and_numbers_of_environments_are_compared() {
    let sandbox = Sandbox::new();
    let args = ["--sampler=grid", "--pruner=none", "--out=run", "--set=training.eval_every=50"];
    let searched = ["--search=training.num_envs=[1, 8]", "--search=training.env_steps=[160, 320]"];
    sandbox.run(&tiny(&[&args[..], &searched, &["--search=alpha=[0.1]"]].concat())).ok();
    let study = sandbox.read("run/study.jsonl");
    let steps: Vec<Vec<u64>> = study
        .lines()
        .skip(1)
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|trial| {
            trial["reports"].as_array().unwrap().iter().map(|r| r[0].as_u64().unwrap()).collect()
        })
        .collect();
    let short = [50, 100, 150, 160, 370, 420, 470, 480];
    let long = [50, 100, 150, 200, 250, 300, 320, 370, 420, 470, 520, 570, 620, 640];
    assert_eq!(steps, [&short[..], &long, &short, &long]);
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
    #[cfg(target_os = "linux")]
    tune(&["--space=/dev/zero"]).fails(1, &["/dev/zero", "larger than"]);
    let twice = |other: &str| tune(&["--search=alpha=log(0.1,1)", other]);
    twice("--search=agent.alpha=[0.5]").fails(2, &["alpha and agent.alpha set the same setting"]);
    twice("--search=alpha.from=log(0.1,1)").fails(2, &["alpha and alpha.from set the same"]);
    tune(&["--steps=9000000000000000000", "--seeds=3"]).fails(2, &["3 seeds", "2^64"]);
    sandbox.run(&["tune", "q-learnin", "FrozenLake-v1"]).fails(2, &["did you mean `q-learning`"]);
    sandbox.run(&["tune", "--resume", "--out=run"]).fails(2, &["run holds no search"]);
    sandbox.run(&["tune", "sarsa", "--resume", "--out=run"]).fails(2, &["--resume"]);
    assert!(!sandbox.path("run").exists());
    fs::create_dir(sandbox.path("run")).unwrap();
    fs::write(sandbox.path("run/mine.txt"), "").unwrap();
    tune(&[]).fails(2, &["files that belong to no search"]);
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
    assert_eq!(sandbox.read("all/trials.md").matches("failed: ").count(), 4);
}

#[test]
fn a_search_whose_trials_are_gone_does_not_begin_anew() {
    let sandbox = Sandbox::new();
    sandbox.run(&tiny(&["--trials=3", "--out", "t"])).ok();
    let table = sandbox.read("t/trials.md");
    fs::remove_file(sandbox.path("t/study.jsonl")).unwrap();
    let resume = ["tune", "--resume", "--out", "t", "--quiet"];
    sandbox.run(&resume).fails(1, &["trials.md lists trials", "study.jsonl"]);
    assert_eq!(sandbox.read("t/trials.md"), table);
}
