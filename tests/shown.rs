//! What the command shows: its width, its control characters, its pictures of many runs.

use std::fs;

use crate::sandbox::Sandbox;

#[test]
fn a_pipe_gets_no_escapes() {
    let sandbox = Sandbox::new();
    for env in ["FrozenLake-v1", "Taxi-v4", "CliffWalking-v1", "CartPole-v1", "TicTacToe-v0"] {
        let text = sandbox.run(&["watch", env, "--max-steps", "3"]).ok().stdout;
        assert!(!text.contains('\u{1b}'), "{env}: {text:?}");
    }
    // The player's place is marked all the same.
    let text = sandbox.run(&["watch", "FrozenLake-v1", "--max-steps", "0"]).ok().stdout;
    assert!(text.contains("[S]FFF"), "{text}");
}

#[test]
fn lists_fit_a_terminal() {
    let sandbox = Sandbox::with_run();
    for args in [
        &["envs"][..],
        &["envs", "FrozenLake-v1"],
        &["envs", "TicTacToe-v0"],
        &["agents"],
        &["agents", "q-learning"],
        &["wrappers"],
        &["wrappers", "NormalizeObservation"],
        &["report", "run"],
        &["report", "run", "run/seed-1"],
        &["evaluate", "run", "--episodes", "2"],
    ] {
        let text = sandbox.run(args).ok().stdout;
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
        }
    }
    let agents = sandbox.run(&["envs"]).ok().stdout;
    assert!(agents.contains("Agents for finite observations and actions: q-learning"), "{agents}");
}

#[test]
fn no_argument_commands_the_terminal() {
    let sandbox = Sandbox::new();
    for args in [
        &["\u{1b}[31mtrain"][..],
        &["envs", "Lake\u{1b}[2J\nerror: all is lost"],
        &["agents", "q\u{7}\u{9b}"],
        &["train", "q-learning", "FrozenLake-v1", "--set", "alpha=\u{1b}[31mhigh\nerror: no"],
        &["train", "q-learning", "FrozenLake-v1", "--steps", "\u{1b}[31m5"],
        &["report", "run\u{1b}]0;title\u{7}"],
    ] {
        let outcome = sandbox.run(args);
        assert_eq!(outcome.code, Some(2), "{outcome:?}");
        let printed = outcome.stderr.chars().all(|c| !c.is_control() || c == '\n');
        assert!(printed && !outcome.stderr.contains("\nerror:"), "{args:?}: {:?}", outcome.stderr);
    }
}

#[test]
fn many_runs_are_drawn_and_can_be_told_apart() {
    let sandbox = Sandbox::new();
    let train = |agent: &str, env: &str, out: &str| {
        let short = ["train", agent, env, "--steps=200", "--seed=0", "--quiet"];
        sandbox.run(&[&short[..], &["--set=training.eval_every=100", "--out", out]].concat()).ok();
    };
    train("q-learning", "FrozenLake-v1", "a-rather-long-name-of-a-run-0");
    for i in 1..60 {
        fs::create_dir_all(sandbox.path(&format!("a-rather-long-name-of-a-run-{i}/seed-0")))
            .unwrap();
        for file in ["config.toml", "seed-0/evaluations.csv", "seed-0/summary.json"] {
            let to = sandbox.path(&format!("a-rather-long-name-of-a-run-{i}/{file}"));
            fs::copy(sandbox.path(&format!("a-rather-long-name-of-a-run-0/{file}")), to).unwrap();
        }
    }
    let runs: Vec<String> = (0..60).map(|i| format!("a-rather-long-name-of-a-run-{i}")).collect();
    let runs: Vec<&str> = runs.iter().map(String::as_str).collect();
    for picture in ["many.svg", "many.png"] {
        let drawn = sandbox.run(&[&["plot"], &runs[..], &["--out", picture]].concat()).ok();
        assert_eq!(drawn.stderr, "", "60 lines can be told apart");
    }
    let svg = sandbox.read("many.svg");
    assert!(runs.iter().all(|run| svg.contains(&format!(">{run}<"))), "{svg}");
}

#[test]
fn a_report_of_seeds_that_stopped_at_different_steps_says_where_they_are_compared() {
    let sandbox = Sandbox::new();
    let train =
        ["train", "q-learning", "FrozenLake-v1", "--stop-at-threshold", "--seeds=3", "--quiet"];
    let dry = ["--set=env.is_slippery=false", "--eval-every=100", "--out=run", "--json"];
    let json = sandbox.run(&[&train[..], &dry].concat()).ok().json();
    let ends: Vec<_> = json["seeds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["summary"]["env_steps"].as_u64().unwrap())
        .collect();
    let (min, max) = (ends.iter().min().unwrap(), ends.iter().max().unwrap());
    assert!(min < max, "{ends:?}");
    let row = &json["report"];
    let steps = (row["env_steps"].as_u64(), row["env_steps_max"].as_u64());
    assert_eq!(steps, (Some(*min), Some(*max)));
    let range = format!("{min} of {max}");
    for format in ["table", "md"] {
        let text = sandbox.run(&["report", "run", "--format", format]).ok().stdout;
        assert!(text.contains(&range) && text.contains("ended at different env steps"), "{text}");
    }
    let csv = sandbox.run(&["report", "run", "--format", "csv"]).ok().stdout;
    assert!(csv.contains(&format!(",3,{min},{max},")), "{csv}");
}
