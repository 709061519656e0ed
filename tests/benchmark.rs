//! `gymnast benchmark`: suites.

use std::{fs, process::Stdio, time::Instant};

use crate::{join::page_but_for_times, sandbox::Sandbox};

const SUITE: &str = "first_seed = 100\nseeds = 6\n\
                     [[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\nenv_steps = 2e3\n\
                     mean = -1000000\nseeds = 2\n\
                     [[run]]\nagent = 'q-learning'\nenv = 'Taxi-v4'\nenv_steps = 1000\n\
                     mean = 100\nreach = 100\nwithin = 500\nhold = 100\nhold_share = 0.5\n\
                     last_quarter_min = -1000000\neval_episodes = 5\n";

#[test]
fn a_suite_is_trained_once_and_held_against_its_demands() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), SUITE).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--quiet"];
    let table = sandbox.run(&args).ok().stdout;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    // The seeds are the suite's, and the run's own where it has some.
    assert!(lines[2].contains("| 2000 | 100..101 | "), "{table}");
    assert!(lines[2].contains("≥ -1000000") && lines[2].contains("| yes |"), "{table}");
    assert!(lines[3].contains("| 1000 | 100..105 | "), "{table}");
    let steps = "100: > 1000 (0/6) | ≤ 500 | 0.000 [0.000, 0.000] | ≥ 0.5 | ";
    assert!(lines[3].contains(steps) && lines[3].contains("| ≥ -1000000 | no |"), "{table}");
    assert_eq!(fs::read_to_string(sandbox.path("runs/results.md")).unwrap(), table);
    let config = fs::read_to_string(sandbox.path("runs/q-learning-Taxi-v4/config.toml")).unwrap();
    assert!(config.contains("eval_episodes = 5"), "{config}");

    // The second time nothing is trained, the third time one seed.
    let records = sandbox.records("runs");
    assert_eq!(sandbox.run(&args).ok().stdout, table);
    assert!(sandbox.records("runs") == records);
    let more = [&args[..], &["--seeds", "7", "--env", "Taxi-v4"]].concat();
    assert!(sandbox.run(&more).ok().stdout.contains("| 100..106 |"));
    assert!(sandbox.path("runs/q-learning-Taxi-v4/seed-106/summary.json").is_file());
}

#[test]
fn flags_win_over_the_suite_and_too_few_seeds_tell_nothing() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), SUITE).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--quiet", "--env", "CliffWalking-v1"];
    let table = |extra: &[&str]| sandbox.run(&[&args[..], extra].concat()).ok().stdout;
    let one = table(&["--first-seed", "5", "--seeds", "1"]);
    assert!(
        one.contains("| 5 |") && one.contains("| cannot tell (needs about 2 seeds) |"),
        "{one}"
    );
    // One seed has no interval.
    assert!(!one.lines().nth(2).unwrap().contains('['), "{one}");
    sandbox
        .run(&[&args[..], &["--seeds", "3,7", "--first-seed", "5"]].concat())
        .fails(2, &["--first-seed"]);
    sandbox.run(&[&args[..], &["--seeds", "3,3"]].concat()).fails(2, &["seed 3 is named twice"]);
}

#[test]
fn what_cannot_be_trained_is_said_before_anything_is() {
    let sandbox = Sandbox::new();
    let suite = |text: &str| fs::write(sandbox.path("suite.toml"), text).unwrap();
    let run = |extra: &[&str]| {
        sandbox.run(&[&["benchmark", "suite.toml", "--out", "runs", "--quiet"], extra].concat())
    };
    suite(&format!("{SUITE}[[run]]\nagent = 'q-lerning'\nenv = 'Taxi-v4'\nenv_steps = 1\n"));
    run(&[]).fails(2, &["did you mean `q-learning`"]);
    // Everything that is wrong is said at once.
    let impossible = "[[run]]\nagent = 'q-learning'\nenv = 'CartPole-v1'\nenv_steps = 1000\n";
    let misspelt = "[[run]]\nagent = 'q-learning'\nenv = 'Taxy-v4'\nenv_steps = 1000\n";
    let set = "[[run]]\nagent = 'sarsa'\nenv = 'Taxi-v4'\nenv_steps = 5000\nset = { gama = 0.9 }\n";
    let twice = "[[run]]\nagent = 'q-learning'\nenv = 'Taxi-v4'\nenv_steps = 5000\n";
    suite(&[SUITE, impossible, misspelt, set, twice].concat());
    let parts = [
        "4 runs",
        "q-learning cannot learn in CartPole-v1",
        "Taxi-v4`",
        "gama",
        "share the directory",
    ];
    run(&[]).fails(2, &parts);
    suite("[[run]]\nagent = 'q-learning'\nenv = 'Taxi-v4'\nsteps = 1\n");
    run(&[]).fails(1, &["suite.toml", "steps", "env_steps"]);
    suite(&format!("{SUITE}hold_share = 2\n").replace("hold_share = 0.5\n", ""));
    run(&["--env", "CliffWalking-v1"]).fails(1, &["q-learning in Taxi-v4: hold_share = 2"]);
    suite(SUITE);
    run(&["--agent", "sarsa"]).fails(1, &["lists no run of sarsa"]);
    run(&["--env", "Taxi-v3"]).fails(1, &["lists no run of Taxi-v3"]);
    sandbox.run(&["benchmark", "none.toml", "--out", "runs"]).fails(1, &["none.toml"]);
    assert!(!sandbox.path("runs").exists());
}

#[test]
fn runs_of_one_agent_differ_by_settings_and_name() {
    let sandbox = Sandbox::new();
    let run =
        "[[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\nenv_steps = 1000\nseeds = 2\n";
    let greedy = "name = 'greedy'\nset = { epsilon = 0.0, 'training.eval_every' = 500 }\n";
    fs::write(sandbox.path("suite.toml"), format!("{run}{run}{greedy}")).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--quiet"];
    let dry = sandbox.run(&[&args[..], &["--dry-run"]].concat()).ok().stdout;
    assert!(
        dry.contains("q-learning in CliffWalking-v1 (greedy)") && dry.contains("in all"),
        "{dry}"
    );
    assert!(!sandbox.path("runs").exists());
    sandbox.run(&args).ok();
    let config = sandbox.read("runs/q-learning-CliffWalking-v1-greedy/config.toml");
    assert!(config.contains("epsilon = 0.0") && config.contains("eval_every = 500"), "{config}");
    let table = sandbox.read("runs/results.md");
    let rows = ["| q-learning | CliffWalking-v1 |", "| q-learning (greedy) | CliffWalking-v1 |"];
    assert!(rows.iter().all(|row| table.contains(row)), "{table}");
    let page = sandbox.read("runs/report.html");
    assert!(page.contains("agent.epsilon") && page.contains("<svg role=\"img\""), "{page}");
    let done = sandbox.run(&[&args[..], &["--dry-run"]].concat()).ok().stdout;
    assert!(done.contains("About 0 s in all"), "{done}");
}

#[test]
fn a_benchmark_that_is_killed_again_and_again_ends_in_the_same_report() {
    let sandbox = Sandbox::new();
    let run = |agent: &str, env: &str| {
        format!("[[run]]\nagent = '{agent}'\nenv = '{env}'\nenv_steps = 200000\nseeds = 4\n")
    };
    let suite = [run("q-learning", "FrozenLake-v1"), run("sarsa", "Taxi-v4")].concat();
    fs::write(sandbox.path("suite.toml"), suite).unwrap();
    let args = |out: &'static str| ["benchmark", "suite.toml", "--out", out, "--quiet"];
    let begun = Instant::now();
    let whole = sandbox.run(&args("whole")).ok().stdout;
    let time = begun.elapsed();
    let mut killed = 0;
    for i in 0..10_u32 {
        let mut child = sandbox.command(&args("killed")).stdout(Stdio::null()).spawn().unwrap();
        // At another moment each time.
        std::thread::sleep(time * (1 + i * 7 % 5) / 30);
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
    }
    assert!(killed >= 5, "{killed} were killed in time");
    assert_eq!(sandbox.run(&args("killed")).ok().stdout, whole);
    // But for the command that made it, and the last column, the speed.
    assert!(page_but_for_times(&sandbox, "killed") == page_but_for_times(&sandbox, "whole"));
}

#[test]
fn a_table_keeps_the_rows_of_other_calls_and_no_other_file_is_replaced() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), SUITE).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--quiet"];
    let whole = sandbox.run(&args).ok().stdout;
    sandbox.run(&[&args[..], &["--env", "Taxi-v4"]].concat()).ok();
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&sandbox.read("runs/results.md")), sorted(&whole));
    fs::write(sandbox.path("runs/results.md"), "mine\n").unwrap();
    sandbox.run(&args).fails(1, &["results.md would be replaced"]);
    assert_eq!(sandbox.read("runs/results.md"), "mine\n");
}

#[test]
fn seeds_that_are_gone_are_not_judged_as_if_they_were_there() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), SUITE).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--quiet", "--env", "CliffWalking-v1"];
    let before = sandbox.run(&args).ok().stdout;
    let lost = sandbox.path("runs/q-learning-CliffWalking-v1/seed-101");
    fs::remove_file(lost.join("evaluations.csv")).unwrap();
    sandbox.run(&args).fails(1, &["seed-101/evaluations.csv"]);
    // Without the rest it is trained again.
    fs::remove_dir_all(lost).unwrap();
    assert_eq!(sandbox.run(&args).ok().stdout, before);
}
