//! What messages offer can be typed, what they say is in plain words, and who is at fault is named.

use std::fs;

use crate::sandbox::{SHORT, Sandbox};

const TUNE: [&str; 6] = ["tune", "dyna-q", "FrozenLake-v1", "--steps=200", "--trials=1", "--quiet"];

#[test]
fn a_command_that_is_offered_can_be_typed() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&[&SHORT[..], &["--seeds=1", "--out=my run/"]].concat()).ok().stdout;
    assert!(text.contains("my run holds\n"), "{text}");
    for command in ["watch 'my run' ", "evaluate 'my run' ", "plot 'my run' OTHER"] {
        assert!(text.contains(&format!("gymnast {command}")), "no `{command}` in {text}");
    }
    let tune = [&TUNE[..], &["--out=it's/"]].concat();
    let text = sandbox.run(&tune).ok().stdout;
    for command in [
        r"gymnast train --config 'it'\''s/config.toml' --out 'it'\''s-best'",
        r"gymnast tune --resume --out 'it'\''s' --trials 2",
    ] {
        assert!(text.contains(command), "no `{command}` in {text}");
    }
    let resume = r"gymnast tune --resume --out 'it'\''s'";
    sandbox.run(&tune).fails(2, &[resume]);
    assert!(sandbox.read("it's/tune.toml").contains(&format!("# {resume}\n")));
}

#[test]
fn a_search_of_any_name_is_resumed() {
    let sandbox = Sandbox::new();
    // Of two lines, of which the second is none of a search.
    let out = "--out=a\njobz = 5";
    sandbox.run(&[&TUNE[..], &[out]].concat()).ok();
    sandbox.run(&["tune", "--resume", "--trials=2", "--quiet", out]).ok();
}

#[test]
fn long_names_of_runs_leave_a_report_its_width() {
    let sandbox = Sandbox::new();
    let folder = "a-sweep-of-many-settings/of-which-this-is-one-with-a-long-name";
    let runs = [0.1, 0.2].map(|alpha| format!("{folder}/alpha-{alpha}/q-learning-FrozenLake-v1"));
    for run in &runs {
        sandbox.run(&[&SHORT[..], &["--seeds=1", "--out", run]].concat()).ok();
    }
    let report = |extra: &[&str]| {
        sandbox.run(&[&["report", runs[0].as_str(), &runs[1]], extra].concat()).ok().stdout
    };
    let table = report(&[]);
    for line in table.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    assert!(table.contains("(…/alpha-0.1/…)") && table.contains("(…/alpha-0.2/…)"), "{table}");
    for format in ["json", "csv", "md"] {
        let text = report(&["--format", format]);
        assert!(runs.iter().all(|run| text.contains(run.as_str())), "{text}");
    }
}

/// Linux alone has such names.
#[cfg(target_os = "linux")]
#[test]
fn a_path_may_hold_other_bytes_than_text() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let sandbox = Sandbox::with_run();
    let [run, new, lost] = [&b"r\xff"[..], b"n\xff", b"l\xff"].map(OsStr::from_bytes);
    fs::rename(sandbox.path("run"), sandbox.path(".").join(run)).unwrap();
    let call = |args: &[&str], path: &OsStr, more: &[&str]| {
        let output = sandbox.command(args).arg(path).args(more).output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code(), out, err)
    };
    let watched = call(&["watch"], run, &["--max-steps=1"]);
    assert!(watched.0 == Some(0) && watched.1.contains("step 1"), "{watched:?}");
    let recorded = call(&["record", "--out=run.jsonl", "--episodes=2"], run, &[]);
    assert!(recorded.0 == Some(0) && recorded.1.contains("2 episodes"), "{recorded:?}");
    let missing = call(&["watch"], lost, &[]);
    assert!(missing.0 == Some(2) && missing.2.contains("holds no run"), "{missing:?}");
    let args = [&SHORT[..], &["--seeds=1", "--out"]].concat();
    let trained = call(&args, new, &["--json"]);
    assert!(trained.0 == Some(0) && trained.1.contains("learning_curve.svg"), "{trained:?}");
    let resumed = call(&["train", "--resume", "--quiet", "--out"], new, &[]);
    assert!(resumed.1.contains(r"gymnast watch $'n\377' "), "{resumed:?}");
}

#[test]
fn a_search_says_which_ranges_a_setting_takes() {
    let sandbox = Sandbox::new();
    for (search, parts) in [
        ("alpha=[nan]", &["alpha = [nan]: nan cannot be a choice", "uniform(LOW, HIGH)"][..]),
        ("alpha=[0.1, [inf]]", &["inf cannot be a choice"]),
        (
            "planning_steps=uniform(1,4)",
            &[
                "planning_steps is a whole number: expected int(1, 4) or a list of choices, for example [1, 2, 4]",
            ],
        ),
        ("training.env_steps=log(100,400)", &["a whole number: expected log_int(100, 400)"]),
        ("env.max_episode_steps=uniform(10,20)", &["a whole number: expected int(10, 20)"]),
        ("env.is_slippery=uniform(0,1)", &["true or false: expected [true, false]"]),
        ("planning_steps=[1.5]", &["planning_steps = 1.5: expected a whole number from 0 on"]),
        // Read by way of a float it would be 9007199254740992.
        ("planning_steps=int(1,9007199254740993)", &["not whole numbers within ±9007199254740992"]),
    ] {
        let search = format!("--search={search}");
        sandbox.run(&[&TUNE[..], &["--out=t", &search]].concat()).fails(2, parts);
    }
    assert!(!sandbox.path("t").exists());
}

#[test]
fn a_suite_says_in_plain_words_what_it_expects() {
    let sandbox = Sandbox::new();
    let run = "[[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\n";
    for (text, parts) in [
        (
            format!("seeds = -1\n{run}env_steps = 1\n"),
            &["line 1", "expected a whole number from 0 to 4294967295, got -1"][..],
        ),
        (format!("{run}env_steps = 'x'\n"), &["expected a whole number from 0 on, got the text"]),
        (format!("{run}env_steps = 1e17\n"), &["got 1e17", "write all its digits"]),
        (format!("{run}env_steps = 9007199254740993.0\n"), &["write all its digits"]),
        (format!("{run}env_steps = 1\nmean = [1]\n"), &["expected a number, got a list"]),
        (run.to_owned(), &["`env_steps` is missing"]),
        ("run = [5]\n".to_owned(), &["expected a table, got 5"]),
        (format!("{run}steps = 1\n"), &["there is no `steps`: expected one of `agent`"]),
        // The float is right, and not what is wrong.
        (format!("{run}env_steps = 2e3\nmean = 'x'\n"), &["got the text \"x\"", "run.mean"]),
    ] {
        fs::write(sandbox.path("suite.toml"), text).unwrap();
        let outcome = sandbox.run(&["benchmark", "suite.toml", "--out=runs"]).fails(1, parts);
        for rust in ["u32", "u64", "f64", "struct", "sequence", "integer `", "invalid type"] {
            assert!(!outcome.stderr.contains(rust), "`{rust}` in {outcome:#?}");
        }
    }
}

#[test]
fn a_setting_says_in_plain_words_what_it_expects() {
    let sandbox = Sandbox::new();
    let lake = ["train", "q-learning", "FrozenLake-v1", "--quiet", "--out=run"];
    for (set, part) in [
        ("training.num_envs=x", "expected a whole number from 0 on, got the text \"x\""),
        ("training.num_envs=[1]", "expected a whole number from 0 on, got a list"),
        ("gamma=true", "gamma = true: expected a number, got true"),
        ("env.is_slippery=1", "`is_slippery` = 1: expected true or false, got 1"),
        ("env.map_name=5", "`map_name` = 5: expected a text, got 5"),
        ("env.reward_schedule=[1]", "expected a list of length 3, got length 1"),
    ] {
        sandbox.run(&[&lake[..], &["--set", set]].concat()).fails(2, &[part]);
    }
}

#[test]
fn a_count_is_exact_or_refused() {
    let sandbox = Sandbox::new();
    let lake = ["train", "q-learning", "FrozenLake-v1", "--quiet", "--steps=200", "--out=run"];
    let call = |extra: &str| sandbox.run(&[&lake[..], &[extra]].concat());
    call("--seed=9007199254740993").ok();
    assert!(sandbox.path("run/seed-9007199254740993/summary.json").is_file());
    // As a float it is the number before.
    fs::write(sandbox.path("float.toml"), "seeds = [9007199254740993.0]\n").unwrap();
    call("--config=float.toml").fails(2, &["seeds = [", "expected numbers from 0 on"]);
    let steps = ["--set=training.env_steps=9007199254740993.0"];
    let steps = [&lake[..4], &["--out=other"], &steps].concat();
    sandbox.run(&steps).fails(2, &["training.env_steps = ", "write all its digits"]);
    call("--steps=1e16+1").fails(2, &["--steps"]);
}

#[test]
fn a_trace_that_leads_nowhere_is_at_fault() {
    let sandbox = Sandbox::new();
    let line = |state: &str, action: &str| {
        format!(
            "{{\"state\":{state},\"action\":{action},\"next_state\":[0,0],\"reward\":0,\"terminated\":0}}\n"
        )
    };
    for (text, part) in [
        (line("[0,1e308]", "0"), "line 1: `state`: expected one seen as an element of Box("),
        (line("[0,0]", "[1,2]"), "line 1: `action`: expected an element of Box(-2, 2, [1])"),
        (line("[0,0]", "NaN"), "line 1: not JSON"),
        (line("[0,0]", "0").replace("[0,0],\"r", "[0],\"r"), "line 1: `next_state`: expected as"),
    ] {
        fs::write(sandbox.path("trace.jsonl"), text).unwrap();
        let outcome = sandbox.run(&["replay", "Pendulum-v1", "trace.jsonl"]).fails(1, &[part]);
        assert!(!outcome.stderr.contains("are at fault"), "{outcome:#?}");
    }
}
