//! `gymnast benchmark`: suites.

use std::fs;

use crate::sandbox::Sandbox;

const SUITE: &str = "[[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\nenv_steps = 2000\n\
                     mean = -1000\nseeds = 2\n[[run]]\nagent = 'q-learning'\nenv = 'Taxi-v4'\nenv_steps = 1000\n\
                     mean = 100\nreach = 100\nwithin = 500\neval_episodes = 5\n";

#[test]
fn a_suite_is_trained_once_and_held_against_its_demands() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("suite.toml"), SUITE).unwrap();
    let args = ["benchmark", "suite.toml", "--out", "runs", "--seeds", "2", "--quiet"];
    let table = sandbox.run(&args).ok().stdout;
    let lines: Vec<_> = table.lines().collect();
    assert_eq!(lines.len(), 4, "{table}");
    assert!(lines[2].contains("≥ -1000") && lines[2].contains("| yes |"), "{table}");
    assert!(lines[3].contains("100: not reached (0 of 2) | ≤ 500 | no |"), "{table}");
    assert_eq!(fs::read_to_string(sandbox.path("runs/results.md")).unwrap(), table);
    let config = fs::read_to_string(sandbox.path("runs/q-learning-Taxi-v4/config.toml")).unwrap();
    assert!(config.contains("eval_episodes = 5"), "{config}");

    // The second time nothing is trained, the third time one seed.
    let records = sandbox.records("runs");
    assert_eq!(sandbox.run(&args).ok().stdout, table);
    assert!(sandbox.records("runs") == records);
    let more = ["benchmark", "suite.toml", "--out", "runs", "--seeds", "3", "--quiet"];
    sandbox.run(&more).ok();
    assert!(!sandbox.path("runs/q-learning-CliffWalking-v1/seed-2").exists());
    assert!(sandbox.path("runs/q-learning-Taxi-v4/seed-2/summary.json").is_file());
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
    suite("[[run]]\nagent = 'q-learning'\nenv = 'Taxi-v4'\nsteps = 1\n");
    run(&[]).fails(1, &["suite.toml", "steps", "env_steps"]);
    suite(SUITE);
    run(&["--agent", "sarsa"]).fails(1, &["lists no run of sarsa"]);
    run(&["--env", "Taxi-v3"]).fails(1, &["lists no run of Taxi-v3"]);
    sandbox.run(&["benchmark", "none.toml", "--out", "runs"]).fails(1, &["none.toml"]);
    assert!(!sandbox.path("runs").exists());
}
