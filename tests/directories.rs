//! Whose a directory is: nothing is resumed, reported or deleted that is another's.

use std::fs;

use gymnast::{
    Catalog, Registry, Run,
    harness::{difference, report::SeedResults},
};
use toml::Table;

use crate::sandbox::{SHORT, Sandbox};

/// Replaces a text in a file, which must hold it.
fn edit(sandbox: &Sandbox, name: &str, from: &str, to: &str) {
    let text = sandbox.read(name);
    assert!(text.contains(from), "{text}");
    fs::write(sandbox.path(name), text.replace(from, to)).unwrap();
}

fn without_summaries(sandbox: &Sandbox) {
    for seed in [0, 1] {
        fs::remove_file(sandbox.path(&format!("run/seed-{seed}/summary.json"))).unwrap();
    }
}

const RESUME: &[&str] = &["train", "--resume", "--out", "run", "--quiet"];

#[test]
fn checkpoints_that_cannot_be_read_are_an_error_and_stay() {
    let sandbox = Sandbox::with_run();
    without_summaries(&sandbox);
    let before = sandbox.records("run");
    let checkpoints = |seed| sandbox.path(&format!("run/seed-{seed}/checkpoints"));
    for seed in [0, 1] {
        for entry in fs::read_dir(checkpoints(seed)).unwrap() {
            let path = entry.unwrap().path().join("manifest.json");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, text.replace("\"format\": 3", "\"format\": 4")).unwrap();
        }
    }
    sandbox.run(RESUME).fails(1, &["checkpoints", "format 4", "nothing was deleted"]);
    sandbox.run(&["evaluate", "run"]).fails(1, &["format 4"]);
    assert!(sandbox.records("run") == before);
}

#[test]
fn a_configuration_edited_by_hand_is_not_resumed() {
    let sandbox = Sandbox::with_run();
    let config = sandbox.read("run/config.toml");
    // The preset's, which may be another tomorrow.
    let gamma = config.lines().find(|line| line.starts_with("gamma = ")).unwrap();
    edit(&sandbox, "run/config.toml", gamma, "gamma = 0.5");
    let parts = [&*format!("agent.{gamma}, not with agent.gamma = 0.5")];
    sandbox.run(RESUME).fails(1, &parts);
    without_summaries(&sandbox);
    let before = sandbox.records("run");
    sandbox.run(RESUME).fails(1, &parts);
    // It is no longer the agent that was trained.
    sandbox.run(&["evaluate", "run"]).fails(1, &parts);
    assert!(sandbox.records("run") == before);
}

#[test]
fn results_of_another_seed_or_configuration_are_not_reported() {
    let sandbox = Sandbox::with_run();
    let calls: [&[&str]; 2] = [&["report", "run"], &["plot", "run", "--out", "x.svg"]];
    let config = sandbox.read("run/config.toml");
    let fails =
        |part: &str| calls.iter().for_each(|call| drop(sandbox.run(call).fails(1, &[part])));
    edit(&sandbox, "run/config.toml", "eval_every = 1000", "eval_every = 500");
    fails("training.eval_every = 1000, not with training.eval_every = 500");
    // No run can be made of these, and they are told apart all the same.
    edit(&sandbox, "run/config.toml", "q-learning", "lost-agent");
    fails("agent.name = q-learning, not with agent.name = lost-agent");
    fs::write(sandbox.path("run/config.toml"), &config).unwrap();
    let swap = || {
        let [a, b, c] = ["seed-0", "seed-1", "spare"].map(|name| sandbox.path("run").join(name));
        fs::rename(&a, &c).unwrap();
        fs::rename(&b, &a).unwrap();
        fs::rename(&c, &b).unwrap();
    };
    swap();
    fails("summary.json was made with seed = 1, not with seed = 0");
    swap();
    sandbox.run(&["report", "run"]).ok();
    // A run whose agent is gone is still reported.
    for file in ["config.toml", "seed-0/summary.json", "seed-1/summary.json"] {
        edit(&sandbox, &format!("run/{file}"), "q-learning", "lost-agent");
    }
    assert!(sandbox.run(&["report", "run"]).ok().stdout.contains("lost-agent"));
}

#[test]
fn damaged_records_of_a_seed_that_was_not_asked_for_are_not_read() {
    let sandbox = Sandbox::new();
    let text = "[[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\nenv_steps = 1000\n";
    fs::write(sandbox.path("suite.toml"), text).unwrap();
    let benchmark = |seeds: &str| {
        sandbox.run(&["benchmark", "suite.toml", "--out", "runs", "--quiet", "--seeds", seeds])
    };
    benchmark("2").ok();
    let log = "runs/q-learning-CliffWalking-v1/seed-1/evaluations.csv";
    fs::write(sandbox.path(log), "damaged\n").unwrap();
    benchmark("1").ok();
    benchmark("2").fails(1, &["seed-1/evaluations.csv"]);
    sandbox.run(&["report", "runs/q-learning-CliffWalking-v1/seed-0"]).ok();
}

#[test]
fn a_suite_reports_its_own_runs_only() {
    let sandbox = Sandbox::new();
    let suite = |env_steps: u32| {
        let text = format!(
            "[[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\nenv_steps = {env_steps}\n"
        );
        fs::write(sandbox.path("suite.toml"), text).unwrap();
    };
    let benchmark = |seeds: &str| {
        sandbox.run(&["benchmark", "suite.toml", "--out", "runs", "--quiet", "--seeds", seeds])
    };
    suite(2000);
    let table = benchmark("2").ok().stdout;
    let before = sandbox.records("runs");
    suite(3000);
    benchmark("2").fails(
        2,
        &[
            "runs/q-learning-CliffWalking-v1 was started with training.env_steps = 2000",
            "training.env_steps = 3000 would be another run",
        ],
    );
    assert!(sandbox.records("runs") == before);
    suite(2000);
    // More seeds are joined, and fewer are judged by themselves.
    assert!(benchmark("3").ok().stdout != table);
    let config = sandbox.read("runs/q-learning-CliffWalking-v1/config.toml");
    assert!(config.contains("seeds = [0, 1, 2]"), "{config}");
    assert_eq!(benchmark("2").ok().stdout, table);
    // A run made there with other settings is not the suite's.
    let foreign = [
        "train",
        "q-learning",
        "CliffWalking-v1",
        "--set=alpha=0.0001",
        "--out=runs/q-learning-CliffWalking-v1",
        "--force",
        "--seeds=2",
        "--steps=2000",
        "--quiet",
    ];
    sandbox.run(&foreign).ok();
    benchmark("2").fails(2, &["agent.alpha = 0.0001"]);
}

#[test]
fn two_runs_of_a_suite_do_not_share_a_directory() {
    let sandbox = Sandbox::new();
    let run = "[[run]]\nagent = 'q-learning'\nenv = 'CliffWalking-v1'\n";
    let text = format!("{run}env_steps = 1000\n{run}env_steps = 2000\n");
    fs::write(sandbox.path("suite.toml"), text).unwrap();
    let benchmark = ["benchmark", "suite.toml", "--out", "runs", "--quiet", "--seeds", "1"];
    let parts = ["q-learning in CliffWalking-v1", "share the directory runs/q-learning-Cliff"];
    sandbox.run(&benchmark).fails(1, &parts);
    assert!(!sandbox.path("runs").exists());
}

#[cfg(unix)]
#[test]
fn a_linked_lock_is_refused() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("precious"), "mine").unwrap();
    fs::create_dir(sandbox.path("run")).unwrap();
    std::os::unix::fs::symlink(sandbox.path("precious"), sandbox.path("run/.gymnast.lock"))
        .unwrap();
    let train = [&SHORT[..], &["--seeds", "1", "--out", "run"]].concat();
    sandbox.run(&train).fails(1, &[".gymnast.lock", "a link, which is not followed"]);
    assert_eq!(sandbox.read("precious"), "mine");
}

/// What a configuration says comes back from its file: else no run could be resumed.
#[test]
fn every_preset_is_the_same_after_it_was_written_and_read() {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    for agent in catalog.iter() {
        // Recorded episodes have to be there.
        for preset in agent.presets.iter().filter(|_| agent.name != "bc") {
            let config = Run::defaults(&catalog, &registry, agent.name, preset.env).unwrap();
            let run = Run::new(&catalog, &registry, &config).unwrap();
            let read: Table = run.to_toml().parse().unwrap();
            let again = Run::new(&catalog, &registry, &read).unwrap().to_table();
            for read in [read, again] {
                assert_eq!(difference(&run.to_table(), &read, &Table::new()), None);
            }
        }
    }
}

#[test]
fn evaluations_that_are_not_those_of_the_summary_are_not_reported() {
    type Damage<'a> = &'a dyn Fn(&Sandbox);
    let damages: [(&str, Damage<'_>); 4] = [
        ("3 of 4 are there", &|sandbox| {
            let text = sandbox.read("run/seed-0/evaluations.csv");
            fs::write(sandbox.path("run/seed-0/evaluations.csv"), &text[..text.len() - 3]).unwrap();
        }),
        ("env steps differs", &|sandbox| {
            let text = sandbox.read("run/seed-1/evaluations.csv");
            fs::write(sandbox.path("run/seed-0/evaluations.csv"), text).unwrap();
        }),
        ("0 of 4 are there", &|sandbox| {
            let text = sandbox.read("run/seed-0/evaluations.csv");
            let header = text.lines().next().unwrap();
            fs::write(sandbox.path("run/seed-0/evaluations.csv"), format!("{header}\n")).unwrap();
        }),
        ("cannot read", &|sandbox| {
            fs::remove_file(sandbox.path("run/seed-0/evaluations.csv")).unwrap();
        }),
    ];
    for (says, damage) in damages {
        let sandbox = Sandbox::with_run();
        damage(&sandbox);
        for call in [&["report", "run"][..], &["train", "--resume", "--out", "run", "--quiet"]] {
            sandbox.run(call).fails(1, &["seed-0/evaluations.csv", says]);
        }
    }
}

#[test]
fn only_the_seeds_of_the_configuration_are_reported() {
    let sandbox = Sandbox::with_run();
    let copy = |name: &str| {
        let (from, to) = (sandbox.path("run/seed-0").join(name), sandbox.path("run/seed-9"));
        fs::create_dir_all(&to).unwrap();
        fs::copy(from, to.join(name)).unwrap();
    };
    copy("evaluations.csv");
    let outcome = sandbox.run(&["report", "run", "--format", "json"]).ok();
    assert!(outcome.stderr.contains("seed-9 is left out"), "{outcome:#?}");
    assert_eq!(outcome.json()["rows"][0]["seeds"], 2);
    // Whatever else reads the run leaves it out too, the library as well.
    let outcome = sandbox.run(&["evaluate", "run", "--episodes", "2", "--json"]).ok();
    assert!(outcome.stderr.contains("seed-9 is left out"), "{outcome:#?}");
    assert_eq!(outcome.json()["seeds"].as_array().unwrap().len(), 2);
    for call in ["report", "evaluate"] {
        let outcome = sandbox.run(&[call, "run/seed-9"]);
        let says = |part: &str| outcome.stderr.contains(part);
        assert!(says("seed-9 is left out") && says("error: run has no seed 9"), "{outcome:#?}");
        assert_eq!(outcome.code, Some(2), "{outcome:#?}");
    }
    let read = SeedResults::read_all(&sandbox.path("run")).unwrap();
    assert_eq!(read.iter().map(|seed| seed.seed).collect::<Vec<_>>(), [0, 1]);
    fs::remove_dir_all(sandbox.path("run/seed-1")).unwrap();
    let outcome = sandbox.run(&["report", "run"]).ok();
    assert!(outcome.stderr.contains("1 of the 2 seeds"), "{outcome:#?}");
}
