//! Wrappers by name: on the command line, in a configuration, in a suite.

use std::fs;

use crate::sandbox::Sandbox;

const TRAIN: [&str; 6] =
    ["train", "q-learning", "CartPole-v1", "--steps=2000", "--seed=0", "--quiet"];
const BINS: &str =
    "--wrapper=DiscretizeObservation(bins=[1, 1, 6, 6], low=[-1, -1, -.2, -2], high=[1, 1, .2, 2])";

#[test]
fn tables_learn_where_observations_are_sorted_into_bins() {
    let sandbox = Sandbox::new();
    sandbox.run(&TRAIN).fails(2, &["q-learning cannot learn in CartPole-v1"]);
    let flags = ["--wrapper=TransformReward(scale=-0.5)", BINS, "--out=run"];
    sandbox.run(&[&TRAIN[..], &flags].concat()).ok();
    let config: toml::Table = sandbox.read("run/config.toml").parse().unwrap();
    let wrappers = config["env"]["wrappers"].as_array().unwrap();
    assert_eq!(wrappers.len(), 2);
    assert_eq!(wrappers[0]["shift"].as_float(), Some(0.0));
    assert_eq!(wrappers[1]["bins"][2].as_integer(), Some(6));
    // An episode of the training has the wrapper's rewards, an evaluation those of the environment.
    let column = |file: &str, name: &str| {
        let text = sandbox.read(&format!("run/seed-0/{file}"));
        let place = text.lines().next().unwrap().split(',').position(|cell| cell == name).unwrap();
        let cell = text.lines().nth(1).unwrap().split(',').nth(place).unwrap().to_owned();
        cell.parse::<f64>().unwrap()
    };
    assert_eq!(column("episodes.csv", "return"), -0.5 * column("episodes.csv", "length"));
    assert!(column("evaluations.csv", "min_return") > 0.0);

    // The same from a file, and from --set.
    let list = "[{ name = 'TransformReward', scale = -0.5 }, { name = 'DiscretizeObservation', \
                bins = [1, 1, 6e0, 6], low = [-1, -1, -0.2, -2], high = [1, 1, 0.2, 2] }]";
    fs::write(sandbox.path("mine.toml"), format!("[env]\nwrappers = {list}\n")).unwrap();
    sandbox.run(&[&TRAIN[..], &["--config=mine.toml", "--out=file"]].concat()).ok();
    let set = format!("--set=env.wrappers={list}");
    sandbox.run(&[&TRAIN[..], &[&set, "--out=set"]].concat()).ok();
    assert!(sandbox.records("file") == sandbox.records("run"));
    assert!(sandbox.records("set") == sandbox.records("run"));

    // Everything else finds the agent in the same wrappers.
    assert!(sandbox.run(&["evaluate", "run", "--episodes=2"]).ok().stdout.contains("mean"));
    sandbox.run(&["record", "run", "--episodes=2", "--out=run.jsonl"]).ok();
    let watched = sandbox.run(&["watch", "run", "--max-steps=1"]).ok().stdout;
    assert!(watched.contains("CartPole-v1 + TransformReward + DiscretizeObservation"), "{watched}");
}

#[test]
fn a_run_goes_on_in_its_own_wrappers_alone() {
    let sandbox = Sandbox::new();
    let frozen = ["train", "q-learning", "FrozenLake-v1", "--steps=500", "--seed=0", "--quiet"];
    let stack = |k: u8| format!("--wrapper=FrameStack(k={k})");
    sandbox.run(&[&frozen[..], &[&stack(2), "--out=run"]].concat()).ok();
    let resume = ["train", "--resume", "--out=run", "--quiet"];
    sandbox.run(&[&resume[..], &[&stack(2)]].concat()).ok();
    sandbox.run(&[&resume[..], &[&stack(3)]].concat()).fails(2, &["env.wrappers", "another run"]);
    sandbox.run(&[&resume[..], &["--set=env.wrappers=[]"]].concat()).fails(2, &["env.wrappers"]);
    // A checkpoint of a run in other wrappers.
    let config = sandbox.read("run/config.toml");
    fs::write(sandbox.path("run/config.toml"), config.replace("k = 2", "k = 1")).unwrap();
    let outcome = sandbox.run(&["evaluate", "run", "--episodes=2"]);
    assert!(outcome.code != Some(0) && outcome.stderr.contains("wrappers"), "{outcome:?}");
}

#[test]
fn what_does_not_fit_is_refused_before_a_directory_is_made() {
    let sandbox = Sandbox::new();
    for (flag, parts) in [
        ("ClipAction", &["ClipAction does not fit CartPole-v1", "real-valued actions"][..]),
        ("FrameStak(k=4)", &["did you mean `FrameStack`"]),
        ("FrameStack(k=4", &["--wrapper", "expected a name"]),
        ("FrameStack", &["`k` is missing"]),
        ("NormalizeObservation", &["NormalizeObservation learns statistics", "`mean` and `var`"]),
    ] {
        let call = [&TRAIN[..], &["--out=run", "--wrapper", flag]].concat();
        sandbox.run(&call).fails(2, parts);
    }
    assert!(!sandbox.path("run").exists());
    let check = ["check", "CartPole-v1", "--wrapper=NormalizeObservation", BINS];
    let text = sandbox.run(&check).ok().stdout;
    assert!(
        text.starts_with("CartPole-v1 + NormalizeObservation + DiscretizeObservation\n"),
        "{text}"
    );
    sandbox.run(&["check", "CartPole-v1", "--wrapper=ClipAction"]).fails(2, &["does not fit"]);
    sandbox.run(&["wrappers", "TimeLimt"]).fails(2, &["did you mean `TimeLimit`"]);
    let all = sandbox.run(&["wrappers", "--json"]).ok().json();
    assert_eq!(all.as_array().unwrap().len(), 17);
}

#[test]
fn a_suite_compares_wrappers() {
    let sandbox = Sandbox::new();
    let run = "[[run]]\nagent = 'q-learning'\nenv = 'FrozenLake-v1'\nenv_steps = 300\nseeds = 1\n";
    let suite = format!("{run}{run}wrappers = [{{ name = 'FrameStack', k = 2 }}]\n");
    fs::write(sandbox.path("suite.toml"), suite).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--quiet"];
    let table = sandbox.run(&args).ok().stdout;
    assert!(table.contains("| FrozenLake-v1 |"), "{table}");
    assert!(table.contains("| FrozenLake-v1 + FrameStack |"), "{table}");
    assert!(sandbox.path("runs/q-learning-FrozenLake-v1-FrameStack/config.toml").is_file());
    assert_eq!(sandbox.run(&args).ok().stdout, table);
}
