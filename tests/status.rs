//! `gymnast status`: who works on what, and how far.

use std::{fs, process::Stdio, time::Duration};

use crate::sandbox::Sandbox;

#[test]
fn the_status_of_a_run_is_that_of_its_seeds() {
    let sandbox = Sandbox::with_run();
    let status = |args: &[&str]| sandbox.run(&[&["status"], args].concat()).ok();
    let text = status(&["run"]).stdout;
    assert_eq!(text.matches("finished").count(), 2, "{text}");
    assert_eq!(text.matches("100 %").count(), 2, "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    // One was begun, another was not, and nobody trains them.
    fs::remove_file(sandbox.path("run/seed-0/summary.json")).unwrap();
    fs::remove_dir_all(sandbox.path("run/seed-1")).unwrap();
    let text = status(&["run"]).stdout;
    assert!(text.contains("stopped") && text.contains("not begun"), "{text}");
    assert!(!text.contains("left at these speeds"), "{text}");
    let json = status(&["run", "--json"]).json();
    let seeds = &json[0]["seeds"];
    assert_eq!((&seeds[0]["state"], &seeds[0]["env_steps"]), (&"stopped".into(), &4000.into()));
    assert_eq!((&seeds[1]["state"], &seeds[1]["written"]), (&"not_begun".into(), &().into()));
    fs::create_dir(sandbox.path("empty")).unwrap();
    sandbox.run(&["status", "empty"]).fails(2, &["empty"]);
    sandbox.run(&["status", "nowhere"]).fails(1, &["cannot list nowhere"]);
}

#[test]
fn the_status_names_the_processes_at_work() {
    let sandbox = Sandbox::new();
    let train = ["train", "q-learning", "FrozenLake-v1", "--steps=100000000", "--quiet"];
    let mut command = sandbox.command(&[&train[..], &["--seed=7", "--out=runs/long"]].concat());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let by = format!("process {}", child.id());
    let status = |dir: &str| {
        for _ in 0..1000 {
            let outcome = sandbox.run(&["status", dir]);
            if outcome.stdout.contains(&by) && outcome.stdout.contains("left at these speeds") {
                return outcome.stdout;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("no {by} in {:?}", sandbox.run(&["status", dir]))
    };
    let text = status("runs/long");
    assert!(text.lines().any(|line| line.contains("training") && line.contains(&by)), "{text}");
    // Beside another run, each process has a line.
    sandbox.run(&[&train[..3], &["--steps=100", "--quiet", "--out=runs/short"]].concat()).ok();
    let text = status("runs");
    assert!(text.contains("runs/long, seed 7\n"), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
    // The system has let go of its lock, though the lock's file is there.
    assert!(sandbox.path("runs/long/.seed-7.lock").exists());
    let text = sandbox.run(&["status", "runs/long"]).ok().stdout;
    assert!(text.contains("stopped") && !text.contains(&by), "{text}");
}

#[test]
fn the_status_of_a_search_counts_its_trials() {
    let sandbox = Sandbox::new();
    let tune = ["tune", "sarsa", "FrozenLake-v1", "--steps=200", "--quiet", "--trials=3"];
    sandbox.run(&[&tune[..], &["--search=alpha=[0.1, 0.2]", "--out=runs/search"]].concat()).ok();
    let json = sandbox.run(&["status", "runs/search", "--json"]).ok().json();
    assert_eq!((&json[0]["kind"], &json[0]["ended"]), (&"search".into(), &3.into()));
    assert!(json[0]["best"].is_number());
    let text = sandbox.run(&["status", "runs"]).ok().stdout;
    assert!(text.contains("search") && text.contains("100 %"), "{text}");
}

#[cfg(unix)]
#[test]
fn processes_train_what_threads_do() {
    let sandbox = Sandbox::new();
    let train = ["train", "q-learning", "FrozenLake-v1", "--steps=20000", "--quiet", "--seeds=4"];
    let run = |more: &[&str]| sandbox.run(&[&train[..], more].concat());
    run(&["--jobs=3", "--out=threads"]).ok();
    run(&["--jobs=3", "--jobs-as=processes", "--out=processes"]).ok();
    let records = |run: &str| sandbox.records(run);
    assert!(records("processes") == records("threads"));
    run(&["--jobs-as=processes", "--out=processes"]).fails(2, &["--resume", "--force"]);
    run(&["--jobs-as=processes", "--out=processes", "--force"]).ok();
    assert!(records("processes") == records("threads"));
    // Asked to end, it asks the others.
    let long = ["--steps=100000000", "--jobs=3", "--jobs-as=processes", "--out=long"];
    let args: Vec<&str> = train.iter().filter(|arg| !arg.starts_with("--steps")).copied().collect();
    let child = crate::signals::spawn(sandbox.command(&[&args[..], &long].concat()), &[]);
    let at_work = || {
        let json = sandbox.run(&["status", "long", "--json"]).stdout;
        json.matches("\"state\": \"training\"").count()
    };
    for _ in 0..1000 {
        if at_work() == 3 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(at_work(), 3);
    crate::signals::send(&child, libc::SIGTERM);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert_eq!(at_work(), 0);
}
