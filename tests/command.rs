//! Every subcommand but `train`, its messages and its JSON.

use std::{
    ffi::OsString,
    fs,
    process::{ExitCode, Stdio},
};

use gymnast::{
    Catalog, Registry,
    envs::{EnvError, EnvOptions, EnvSpec, toy_text::FrozenLake},
};

use crate::sandbox::{SHORT, Sandbox};

#[test]
fn help_teaches() {
    let sandbox = Sandbox::new();
    let help = sandbox.run(&["--help"]).ok().stdout;
    let commands = [
        "envs",
        "agents",
        "train",
        "evaluate",
        "watch",
        "record",
        "plot",
        "report",
        "benchmark",
        "check",
        "replay",
    ];
    for command in commands {
        assert!(help.contains(command), "{command}");
        let help = sandbox.run(&[command, "--help"]).ok().stdout;
        assert!(help.contains("Examples:"), "{command}");
    }
    assert_eq!(sandbox.run(&[]).code, Some(2));
    sandbox.run(&["trian"]).fails(2, &["train"]);
}

#[test]
fn environments_are_listed_and_described() {
    let sandbox = Sandbox::new();
    let list = sandbox.run(&["envs"]).ok().stdout;
    assert!(list.contains("CartPole-v1") && list.contains("475"), "{list}");
    let json = sandbox.run(&["envs", "--json"]).ok().json();
    let ids: Vec<_> = json.as_array().unwrap().iter().map(|env| env["id"].clone()).collect();
    assert!(ids.contains(&"FrozenLake-v1".into()), "{ids:?}");
    let lake = sandbox.run(&["envs", "FrozenLake-v1"]).ok().stdout;
    assert!(lake.contains("is_slippery") && lake.contains("Discrete(16)"), "{lake}");
    let json = sandbox.run(&["envs", "FrozenLake-v1", "--json"]).ok().json();
    assert_eq!(json["max_episode_steps"], 100);
    assert!(json["agents"].as_array().unwrap().contains(&"q-learning".into()));
    sandbox.run(&["envs", "FrozenLak-v1"]).fails(2, &["did you mean `FrozenLake-v1`"]);
}

#[test]
fn agents_are_listed_and_described() {
    let sandbox = Sandbox::new();
    assert!(sandbox.run(&["agents"]).ok().stdout.contains("q-learning"));
    let text = sandbox.run(&["agents", "q-learning"]).ok().stdout;
    assert!(text.contains("The discount γ") && text.contains("Preset for Taxi-v4"), "{text}");
    let json = sandbox.run(&["agents", "q-learning", "--json"]).ok().json();
    assert_eq!(json["settings"][0]["name"], "alpha");
    assert!(sandbox.run(&["agents", "--json"]).ok().json().is_array());
    sandbox.run(&["agents", "qlearning"]).fails(2, &["did you mean `q-learning`"]);
}

#[test]
fn the_expected_return_of_a_table_is_what_many_episodes_reach() {
    let sandbox = Sandbox::with_run();
    let args = ["evaluate", "run", "--episodes", "20000", "--json"];
    let json = sandbox.run(&args).ok().json();
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let best = number(&json["best_return"]);
    // By dynamic programming elsewhere: envs/src/reference_returns.rs.
    assert!((best - 0.7441).abs() < 0.001, "{best}");
    for seed in json["seeds"].as_array().unwrap() {
        let exact = number(&seed["exact_return"]);
        let error = number(&seed["std_return"]) / 20_000_f64.sqrt();
        assert!((number(&seed["mean_return"]) - exact).abs() < 4.0 * error + 1e-9, "{seed}");
        assert!((number(&seed["regret"]) - (best - exact)).abs() < 1e-12 && exact <= best);
    }
    let text = sandbox.run(&["evaluate", "run", "--episodes", "20"]).ok().stdout;
    assert!(text.contains("the best policy reaches 0.74"), "{text}");
    // Nobody knows the transitions of wrapped observations.
    let train = ["train", "q-learning", "CartPole-v1", "--steps", "2000", "--seed=0", "--quiet"];
    let wrapper = "--wrapper=DiscretizeObservation(bins=4, low=-3, high=3)";
    sandbox.run(&[&train[..], &[wrapper, "--out=cart"]].concat()).ok();
    let json = sandbox.run(&["evaluate", "cart", "--json"]).ok().json();
    assert!(json["best_return"].is_null() && json["seeds"][0]["exact_return"].is_null());
}

#[test]
fn a_run_is_evaluated_as_a_whole_and_by_seed() {
    let sandbox = Sandbox::with_run();
    let both = sandbox.run(&["evaluate", "run", "--episodes", "20", "--json"]).ok().json();
    assert_eq!(both["seeds"].as_array().unwrap().len(), 2);
    assert_eq!(both["seeds"][1]["env_steps"], 4000);
    let one = sandbox.run(&["evaluate", "run/seed-1", "--episodes", "20", "--json"]).ok().json();
    assert_eq!(one["seeds"][0], both["seeds"][1]);
    let text = sandbox.run(&["evaluate", "run", "--episodes", "20"]).ok().stdout;
    assert!(text.contains("mean over seeds") && text.contains(" ± "), "{text}");
    // No deviation of one seed, nor of one episode.
    let one = sandbox.run(&["evaluate", "run/seed-1", "--episodes", "1"]).ok().stdout;
    assert!(!one.contains('±') && one.contains(" –  "), "{one}");
    let one = sandbox.run(&["evaluate", "run/seed-1", "--episodes", "1", "--json"]).ok().json();
    assert!(one["std_return"].is_null() && one["seeds"][0]["std_return"].is_null(), "{one}");
    sandbox.run(&["evaluate", "nowhere"]).fails(2, &["nowhere holds no run"]);
    let absent = ["run has no seed 7: its seeds are 0, 1"];
    for command in ["evaluate", "watch", "report"] {
        sandbox.run(&[command, "run/seed-7"]).fails(2, &absent);
    }
    sandbox.run(&["plot", "run/seed-7", "--out", "x.svg"]).fails(2, &absent);
    sandbox.run(&["evaluate", "run", "--seed", "-2"]).fails(2, &["expected at least 0"]);
    let episodes = ["evaluate", "run", "--episodes", "0"];
    sandbox.run(&episodes).fails(2, &["--episodes", "expected 1 to 1000000"]);
}

#[test]
fn episodes_are_watched() {
    let sandbox = Sandbox::with_run();
    let text = sandbox.run(&["watch", "run"]).ok().stdout;
    assert!(text.contains("step 0") && text.contains("FHFH"), "{text}");
    let twice = ["watch", "FrozenLake-v1", "--episodes", "2", "--seed", "3"];
    let text = sandbox.run(&twice).ok().stdout;
    assert!(text.contains("episode 2") && text.contains("terminated"), "{text}");
    assert_eq!(sandbox.run(&twice).ok().stdout, text);
    sandbox.run(&["watch", "FrozenLak-v1"]).fails(2, &["did you mean `FrozenLake-v1`"]);
    sandbox.run(&["watch", "run", "--gif", "there.png"]).fails(2, &["there.png", ".gif"]);
    assert!(!sandbox.path("there.png").exists());
    sandbox.run(&["watch", "run/seed-1", "--gif", "OTHER.GIF"]).ok();
    sandbox.run(&["watch", "run", "--max-steps", "-1"]).fails(2, &["expected at least 0"]);
    fs::write(sandbox.path("there.gif"), "mine").unwrap();
    sandbox.run(&["watch", "run", "--gif", "there.gif"]).fails(2, &["--force"]);
    assert_eq!(sandbox.read("there.gif"), "mine");
    sandbox.run(&["watch", "run", "--gif", "there.gif", "--force"]).ok();
    assert!(fs::read(sandbox.path("there.gif")).unwrap().starts_with(b"GIF89a"));
}

#[test]
fn a_panic_of_an_environment_is_an_error_with_its_exit_code() {
    let sandbox = Sandbox::new();
    let mut registry = Registry::builtin();
    let broken = |_: &EnvOptions| -> Result<FrozenLake, EnvError> { panic!("the maker fell") };
    registry.register(EnvSpec::finite("Broken-v0", broken)).unwrap();
    let out = sandbox.path("out.jsonl");
    let args = ["gymnast", "record", "Broken-v0", "--out"].map(OsString::from);
    let args = args.into_iter().chain([out.clone().into()]);
    let code = gymnast::command::run(registry, Catalog::builtin(), args);
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
    assert!(!out.try_exists().unwrap());
}

#[test]
fn episodes_are_recorded() {
    let sandbox = Sandbox::with_run();
    let lake = ["record", "FrozenLake-v1", "--set", "is_slippery=false", "--out", "lake.jsonl"];
    let text = sandbox.run(&[&lake[..], &["--episodes", "3"]].concat()).ok().stdout;
    assert!(text.contains("lake.jsonl: 3 episodes"), "{text}");
    let first = sandbox.read("lake.jsonl");
    let line = first.lines().next().unwrap();
    assert!(line.starts_with(r#"{"episode":0,"observation":[1.0,0.0"#), "{line}");
    // Nothing is overwritten, and the same seed records the same episodes.
    sandbox.run(&lake).fails(2, &["lake.jsonl already exists", "--force"]);
    sandbox.run(&[&lake[..], &["--episodes", "3", "--force"]].concat()).ok();
    assert_eq!(sandbox.read("lake.jsonl"), first);
    sandbox.run(&[&lake[..], &["--episodes", "3", "--force", "--seed", "1"]].concat()).ok();
    assert_ne!(sandbox.read("lake.jsonl"), first);
    // A table's episodes are written as networks read them.
    let text = sandbox.run(&["record", "run", "--out", "run.jsonl"]).ok().stdout;
    assert!(text.contains("25 episodes"), "{text}");
    assert!(sandbox.read("run.jsonl").starts_with(r#"{"episode":0,"observation":[1.0,0.0"#));
    let pendulum = ["record", "Pendulum-v1", "--episodes", "1", "--out", "pendulum.jsonl"];
    let text = sandbox.run(&[&pendulum[..], &["--max-steps", "7"]].concat()).ok().stdout;
    assert!(text.contains("1 episodes, 7 steps"), "{text}");
    let last = sandbox.read("pendulum.jsonl");
    assert!(last.trim_end().ends_with(r#""outcome":"Truncated"}"#), "{last}");
    for (what, parts) in [("nowhere", "not a run's directory"), ("run/seed-7", "seeds are 0, 1")] {
        sandbox.run(&["record", what, "--out", "x.jsonl"]).fails(2, &[parts]);
    }
    sandbox.run(&["record", "run", "--set", "a=1", "--out", "x.jsonl"]).fails(2, &["--set"]);
    sandbox.run(&["record", "run", "--out", "no/x.jsonl"]).fails(1, &["create it first"]);
    sandbox.run(&["record", "run"]).fails(2, &["--out"]);
    assert!(!sandbox.path("x.jsonl").exists());
}

#[cfg(feature = "deep")]
#[test]
fn what_was_recorded_is_cloned() {
    let sandbox = Sandbox::new();
    let lake = ["q-learning", "FrozenLake-v1", "--steps=20000", "--seed=0", "--quiet"];
    let dry = ["--set=env.is_slippery=false", "--eval-every=0", "--out=expert"];
    sandbox.run(&[&["train"], &lake[..], &dry].concat()).ok();
    sandbox.run(&["record", "expert", "--episodes", "5", "--out", "expert.jsonl"]).ok();
    let clone = ["train", "bc", "FrozenLake-v1", "--seed=0", "--quiet", "--steps=300"];
    let set = ["--set=env.is_slippery=false", "--set=demonstrations=expert.jsonl", "--out=clone"];
    sandbox.run(&[&clone[..], &set].concat()).ok();
    let json = sandbox.run(&["evaluate", "clone", "--episodes", "10", "--json"]).ok().json();
    assert_eq!(json["mean_return"], 1.0);
    // A byte order mark, as Windows' editors write it, is no part of the file.
    let marked = format!("\u{feff}{}", sandbox.read("expert.jsonl"));
    fs::write(sandbox.path("marked.jsonl"), marked).unwrap();
    let marked =
        ["--set=env.is_slippery=false", "--set=demonstrations=marked.jsonl", "--out=marked"];
    sandbox.run(&[&clone[..], &marked].concat()).ok();
    // Without a file it says how to come by one; a wrong line is named.
    sandbox.run(&clone).fails(2, &["demonstrations = \"\"", "gymnast record"]);
    let other = ["train", "bc", "CartPole-v1", "--set=demonstrations=expert.jsonl"];
    sandbox.run(&other).fails(1, &["expert.jsonl, line 1: `observation`: expected an element of"]);
    let none = ["train", "bc", "CartPole-v1", "--set=demonstrations=none.jsonl"];
    sandbox.run(&none).fails(1, &["cannot read none.jsonl"]);
}

#[cfg(feature = "deep")]
#[test]
fn several_choices_at_a_time_are_learned_shown_recorded_and_cloned() {
    use gymnast::{Trained, Which, trained::Action};

    const KINGS: &str = "WindyGridWorldKings-v0";
    let sandbox = Sandbox::new();
    let text = sandbox.run(&["envs", KINGS]).ok().stdout;
    assert!(text.contains("MultiDiscrete([3, 3])") && text.contains("ppo, a2c"), "{text}");
    sandbox.run(&["check", KINGS]).ok();
    let few = ["--steps=12000", "--seed=0", "--quiet", "--out=ppo", "--eval-every=0"];
    let quick = ["--set=n_steps=256", "--set=learning_rate=0.003", "--set=gamma=0.95"];
    sandbox.run(&[&["train", "ppo", KINGS], &few[..], &quick].concat()).ok();
    let json = sandbox.run(&["evaluate", "ppo", "--episodes", "5", "--json"]).ok().json();
    let mean = json["mean_return"].as_f64().unwrap();
    assert!((-15.0..=-7.0).contains(&mean), "{mean}"); // never arriving costs 200
    let action = Trained::load(sandbox.path("ppo"), Which::Newest).unwrap().act([1.0; 70]).unwrap();
    assert!(matches!(&action, Action::Numbers(numbers) if numbers.len() == 2), "{action:?}");

    assert!(sandbox.run(&["watch", "ppo"]).ok().stdout.contains("terminated"));
    sandbox.run(&["watch", KINGS, "--max-steps=3", "--gif=random.gif"]).ok();
    sandbox.run(&["record", KINGS, "--episodes=1", "--out=random.jsonl"]).ok();
    sandbox.run(&["record", "ppo", "--episodes=4", "--out=ppo.jsonl"]).ok();
    assert!(sandbox.read("ppo.jsonl").contains(r#""action":["#));
    let clone = ["train", "bc", KINGS, "--steps=300", "--seed=0", "--quiet", "--out=clone"];
    sandbox.run(&[&clone[..], &["--set=demonstrations=ppo.jsonl"]].concat()).ok();
    let json = sandbox.run(&["evaluate", "clone", "--episodes", "5", "--json"]).ok().json();
    assert_eq!(json["mean_return"].as_f64(), Some(mean));

    let needs = ["it needs finite actions", ": ppo, a2c, a3c, reinforce, bc"];
    sandbox.run(&["train", "dqn", KINGS]).fails(2, &needs);
}

#[test]
fn curves_are_drawn_and_no_picture_is_overwritten() {
    let sandbox = Sandbox::with_run();
    sandbox.run(&["plot", "run", "--out", "a.svg"]).ok();
    assert!(sandbox.read("a.svg").contains("FrozenLake-v1"));
    let before = fs::read(sandbox.path("a.svg")).unwrap();
    sandbox.run(&["plot", "run", "--out", "a.svg", "--x", "time"]).fails(2, &["--force"]);
    assert_eq!(fs::read(sandbox.path("a.svg")).unwrap(), before);
    let other = ["plot", "run", "--out", "a.svg", "--x", "time", "--force", "--episodes"];
    sandbox.run(&other).ok();
    assert_ne!(fs::read(sandbox.path("a.svg")).unwrap(), before);
    // The same agent in the same environment: named by directory, so that the lines can be told apart.
    sandbox.run(&[&SHORT[..], &["--seed", "7", "--out", "other"]].concat()).ok();
    let both = ["plot", "run", "other", "--out", "b.svg", "--center", "iqm", "--title", "Both"];
    sandbox.run(&both).ok();
    let svg = sandbox.read("b.svg");
    assert!(svg.contains("Both") && svg.contains("other"), "{svg}");
    sandbox.run(&["plot", "run", "--out", "a.gif"]).fails(2, &[".svg, .png or .pdf"]);
    let nan = ["plot", "run", "--out", "n.svg", "--threshold", "nan"];
    sandbox.run(&nan).fails(2, &["--threshold", "a finite number"]);
    sandbox.run(&["report", "run", "--threshold", "inf"]).fails(2, &["a finite number"]);
}

#[test]
fn each_run_is_drawn_once_under_a_name_of_its_own() {
    let sandbox = Sandbox::with_run();
    let svg = |runs: &[&str]| {
        sandbox.run(&[&["plot"], runs, &["--out", "a.svg", "--force"]].concat()).ok();
        sandbox.read("a.svg")
    };
    // The same run twice is the same run.
    let alone = svg(&["run"]);
    assert_eq!(svg(&["run", "./run", "run/"]), alone);
    // Of the same name in different places: told apart by where they are.
    fs::create_dir(sandbox.path("far")).unwrap();
    let copied = [&SHORT[..], &["--seed", "7", "--out", "far/run"]].concat();
    sandbox.run(&copied).ok();
    let both = svg(&["run", "far/run"]);
    assert!(both.contains("far/run") && !both.contains(">q-learning<"), "{both}");
    // A seed is a run of one.
    let one = svg(&["run/seed-1"]);
    assert_ne!(one, alone);
    assert!(svg(&["run", "run/seed-1"]).contains("run/seed-1"));
    let json = sandbox.run(&["report", "run/seed-1", "--json"]).ok().json();
    assert_eq!(
        (&json["rows"][0]["seeds"], &json["rows"][0]["run"]),
        (&1.into(), &"run/seed-1".into())
    );
    let episodes = ["plot", "run/seed-1", "--episodes", "--out", "e.svg"];
    sandbox.run(&episodes).ok();
}

#[test]
fn the_episodes_of_a_short_training_are_drawn() {
    let sandbox = Sandbox::new();
    let short = ["train", "q-learning", "Taxi-v4", "--steps=2000", "--seeds=2", "--quiet"];
    sandbox.run(&[&short[..], &["--out", "run"]].concat()).ok();
    let episodes = sandbox.read("run/seed-0/episodes.csv").lines().count() - 1;
    assert!((1..100).contains(&episodes), "{episodes}");
    sandbox.run(&["plot", "run", "--episodes", "--out", "a.svg"]).ok();
    assert!(sandbox.read("a.svg").contains("mean of up to 100 episodes"));
    let help = sandbox.run(&["plot", "--help"]).ok().stdout;
    let words: Vec<_> = help.split_whitespace().collect();
    assert!(words.join(" ").contains("the mean of the last 100"), "{help}");
}

#[test]
fn a_report_comes_in_five_formats() {
    let sandbox = Sandbox::with_run();
    let json = sandbox.run(&["report", "run", "--format", "json"]).ok().json();
    let row = &json["rows"][0];
    assert_eq!((&row["seeds"], &row["env_steps"]), (&2.into(), &4000.into()));
    assert_eq!(sandbox.run(&["report", "run", "--json"]).ok().json(), json);
    let csv = sandbox.run(&["report", "run", "--format", "csv"]).ok().stdout;
    let cells: Vec<_> = csv.lines().nth(1).unwrap().split(',').collect();
    assert_eq!(cells[6].parse::<f64>().unwrap(), row["mean"]["estimate"].as_f64().unwrap());
    let latex = sandbox.run(&["report", "run", "--format", "latex"]).ok().stdout;
    assert!(latex.contains("\\toprule"), "{latex}");
    assert!(sandbox.run(&["report", "run", "--format", "md"]).ok().stdout.starts_with("| agent |"));
    let table = sandbox.run(&["report", "run", "--threshold", "2"]).ok().stdout;
    assert!(table.contains("> 4000 (0/2)"), "{table}");
    sandbox.run(&["report", "."]).fails(2, &["holds no run"]);
    // Of environments that differ neither returns nor pairs are compared.
    let other = ["--seeds=2", "--set=env.is_slippery=false", "--out=dry"];
    sandbox.run(&[&SHORT[..], &other].concat()).ok();
    let both = sandbox.run(&["report", "run", "dry", "--json"]).ok().json();
    assert!(both["rows"][0]["normalized"].is_object() && both["rows"][1]["normalized"].is_null());
    assert_eq!(both["rows"][1]["env"], "FrozenLake-v1 (is_slippery = false)");
    assert_eq!(both["comparisons"], serde_json::json!([]));
}

#[test]
fn environments_are_checked() {
    let sandbox = Sandbox::new();
    let text = sandbox.run(&["check", "FrozenLake-v1", "--set", "is_slippery=false"]).ok().stdout;
    assert!(text.contains(" 0 errors"), "{text}");
    let json = sandbox.run(&["check", "CartPole-v1", "--json"]).ok().json();
    assert_eq!((&json["is_ok"], json["report"]["findings"].is_array()), (&true.into(), true));
    sandbox.run(&["check", "CartPol-v1"]).fails(2, &["did you mean `CartPole-v1`"]);
    let cart = |option| sandbox.run(&["check", "CartPole-v1", "--set", option]);
    cart("lenght=1").fails(2, &["did you mean `length`", "max_episode_steps"]);
    cart("length=nan").fails(2, &["`length` = nan", "expected a finite number"]);
}

#[test]
fn a_trace_is_replayed() {
    let sandbox = Sandbox::new();
    let line = |next: u8| {
        format!(
            "{{\"state\":36,\"action\":0,\"next_state\":{next},\"reward\":-1,\"terminated\":false}}\n"
        )
    };
    fs::write(sandbox.path("good.jsonl"), line(24) + &line(24)).unwrap();
    fs::write(sandbox.path("bad.jsonl"), line(24) + &line(25)).unwrap();
    let good = sandbox.run(&["replay", "CliffWalking-v1", "good.jsonl"]).ok().stdout;
    assert!(good.contains("2 of 2 lines agree"), "{good}");
    let bad = sandbox.run(&["replay", "CliffWalking-v1", "bad.jsonl"]);
    assert_eq!(bad.code, Some(1));
    assert!(bad.stdout.contains("line 2, next_state"), "{bad:?}");
    let bad = sandbox.run(&["replay", "CliffWalking-v1", "bad.jsonl", "--json"]);
    assert_eq!((bad.code, &bad.json()["agreeing"]), (Some(1), &1.into()));
    fs::write(sandbox.path("torn.jsonl"), line(24) + &line(25) + "{\"state\":36").unwrap();
    sandbox
        .run(&["replay", "CliffWalking-v1", "torn.jsonl"])
        .fails(1, &["torn.jsonl: line 3: not JSON: ", "1 of 2 lines before it agree"]);
    fs::write(sandbox.path("part.jsonl"), "{\"state\":36}").unwrap();
    sandbox
        .run(&["replay", "CliffWalking-v1", "part.jsonl"])
        .fails(1, &["line 1: `next_state` is missing"]);
    let tolerance = |x| sandbox.run(&["replay", "CliffWalking-v1", "good.jsonl", "--tolerance", x]);
    tolerance("-1").fails(2, &["--tolerance", "0 or more"]);
    tolerance("nan").fails(2, &["--tolerance", "0 or more"]);
    tolerance("1e-3").ok();
    // On slippery ground what is recorded is one of several outcomes.
    let slippery = ["replay", "CliffWalking-v1", "good.jsonl", "--set", "is_slippery=true"];
    sandbox.run(&slippery).ok();
    sandbox.run(&["replay", "CliffWalking-v1", "none.jsonl"]).fails(1, &["none.jsonl"]);
    sandbox.run(&["replay", "Cliffwalking", "good.jsonl"]).fails(2, &["CliffWalking-v1"]);
}

#[test]
fn a_closed_pipe_is_no_failure() {
    let sandbox = Sandbox::with_run();
    for args in [&["envs"][..], &["agents", "q-learning"], &["report", "run"], &["watch", "run"]] {
        let mut command = sandbox.command(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && stderr.is_empty(), "{args:?}: {stderr}");
    }
}
