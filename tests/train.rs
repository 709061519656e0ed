//! `gymnast train`: configuration, messages, and what it leaves on disk.

use std::fs;

use crate::sandbox::{SHORT, Sandbox};

#[test]
fn a_training_leaves_what_it_says() {
    let sandbox = Sandbox::new();
    let args = [&SHORT[..], &["--seeds", "2"]].concat();
    let text = sandbox.run(&args).ok().stdout;
    for part in ["IQM", "learning_curve.svg", "gymnast watch runs/q-learning-FrozenLake-v1"] {
        assert!(text.contains(part), "{text}");
    }
    let run = "runs/q-learning-FrozenLake-v1";
    for file in ["config.toml", "learning_curve.svg", "learning_curve.png"] {
        assert!(sandbox.path(run).join(file).is_file(), "{file}");
    }
    for file in ["episodes.csv", "evaluations.csv", "metrics.csv", "summary.json"] {
        assert!(sandbox.path(run).join("seed-1").join(file).is_file(), "{file}");
    }
    let evaluations = sandbox.read(&format!("{run}/seed-0/evaluations.csv"));
    let steps: Vec<_> = evaluations.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(steps, ["env_step", "1000", "2000", "3000", "4000"]);
}

#[test]
fn json_holds_the_result() {
    let sandbox = Sandbox::new();
    let json = sandbox.run(&[&SHORT[..], &["--seed", "3", "--json"]].concat()).ok().json();
    assert_eq!(json["seeds"][0]["seed"], 3);
    assert_eq!(json["seeds"][0]["summary"]["env_steps"], 4000);
    assert_eq!(json["report"]["agent"], "q-learning");
}

#[test]
fn a_later_source_of_settings_wins() {
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path("mine.toml"),
        "seeds = [4]\n[agent]\ngamma = 0.5\nalpha = 0.25\n[env]\nis_slippery = false\n\
         [training]\neval_episodes = 3\n",
    )
    .unwrap();
    let args = ["--config", "mine.toml", "--set", "alpha=0.75", "--set", "epsilon.to=0.2"];
    sandbox.run(&[&SHORT[..], &args, &["--out", "run"]].concat()).ok();
    let config: toml::Table = sandbox.read("run/config.toml").parse().unwrap();
    let agent = &config["agent"];
    assert_eq!(agent["alpha"].as_float(), Some(0.75)); // flag over file
    assert_eq!(agent["gamma"].as_float(), Some(0.5)); // file over preset
    assert_eq!(agent["epsilon"]["from"].as_float(), Some(1.0)); // preset
    assert_eq!(agent["epsilon"]["to"].as_float(), Some(0.2)); // a part of a value
    assert_eq!(config["env"]["is_slippery"].as_bool(), Some(false));
    assert_eq!(config["training"]["env_steps"].as_integer(), Some(4000));
    assert_eq!(config["training"]["eval_episodes"].as_integer(), Some(3));
    assert_eq!(config["seeds"].as_array().unwrap().len(), 1);
}

#[test]
fn a_configuration_holds_what_nobody_set() {
    let sandbox = Sandbox::new();
    sandbox.run(&[&SHORT[..], &["--seed", "7", "--set", "env.success_rate=1"]].concat()).ok();
    let run = "runs/q-learning-FrozenLake-v1";
    let config: toml::Table = sandbox.read(&format!("{run}/config.toml")).parse().unwrap();
    let env = &config["env"];
    assert_eq!(env["map_name"].as_str(), Some("4x4"));
    assert_eq!(env["is_slippery"].as_bool(), Some(true));
    assert_eq!(env["success_rate"].as_float(), Some(1.0));
    assert_eq!(env["max_episode_steps"].as_integer(), Some(100));
    assert!(env.get("desc").is_none(), "{env}");
    // The same, said or unsaid, is the same run; anything else is not.
    let resume = ["train", "q-learning", "FrozenLake-v1", "--resume", "--quiet"];
    let same = ["--seed", "7", "--set", "env.success_rate=1", "--set", "env.is_slippery=true"];
    sandbox.run(&[&resume[..], &same].concat()).ok();
    sandbox.run(&["train", "--resume", "--out", run, "--quiet"]).ok();
    sandbox
        .run(&[&resume[..], &["--set", "env.max_episode_steps=99"]].concat())
        .fails(2, &["env.max_episode_steps = 100", "= 99 would be another run"]);
    sandbox.run(&[&resume[..], &["--seed", "8"]].concat()).fails(2, &["seeds"]);
    // A configuration from before the options were written out is continued too.
    let short = sandbox.read(&format!("{run}/config.toml"));
    let lines =
        short.lines().filter(|line| !line.starts_with("map_") && !line.contains("_episode_"));
    let short = lines.collect::<Vec<_>>().join("\n");
    assert!(!short.contains("map_name") && short.contains("success_rate"), "{short}");
    fs::write(sandbox.path(run).join("config.toml"), short).unwrap();
    sandbox.run(&["train", "--resume", "--out", run, "--quiet"]).ok();
    // What one environment is set to is nothing for another.
    let config = format!("{run}/config.toml");
    let other = ["train", "q-learning", "FrozenLake8x8-v1", "--config", &config, "--out", "other"];
    sandbox.run(&other).fails(2, &["options of FrozenLake-v1, not of FrozenLake8x8-v1"]);
}

#[test]
fn a_game_learned_by_self_play_is_evaluated_against_an_opponent() {
    let sandbox = Sandbox::new();
    let train =
        ["train", "q-learning", "TicTacToe-v0", "--seed", "0", "--steps", "2000", "--quiet"];
    let evaluation = |run: &str| -> toml::Table {
        let config: toml::Table = sandbox.read(&format!("{run}/config.toml")).parse().unwrap();
        assert_eq!(config["env"]["opponent"].as_str(), Some("self"));
        config["evaluation"].as_table().unwrap().clone()
    };
    sandbox.run(&[&train[..], &["--out", "perfect"]].concat()).ok();
    assert_eq!(evaluation("perfect")["opponent"].as_str(), Some("perfect"));
    let random = ["--set", "evaluation.opponent=random", "--out", "random"];
    sandbox.run(&[&train[..], &random].concat()).ok();
    assert_eq!(evaluation("random")["opponent"].as_str(), Some("random"));
    // Hardly anything is learned yet, but that is enough to win now and then from the one only.
    let best = |run: &str| {
        let json = sandbox.run(&["evaluate", run, "--episodes", "200", "--json"]).ok().json();
        json["seeds"][0]["max_return"].as_f64().unwrap()
    };
    assert!(best("perfect") < 1.0 && best("random") == 1.0);
    let resume = ["train", "--resume", "--out", "random", "--quiet"];
    sandbox.run(&[&resume[..], &["--set", "evaluation.opponent=random"]].concat()).ok();
    sandbox
        .run(&[&resume[..], &["--set", "evaluation.opponent=self"]].concat())
        .fails(2, &["evaluation.opponent", "would be another run"]);
    let wrong = ["--set", "evaluation.oponent=self", "--out", "wrong"];
    sandbox.run(&[&train[..], &wrong].concat()).fails(2, &["did you mean `opponent`"]);
    let text = sandbox.run(&["envs", "TicTacToe-v0"]).ok().stdout;
    assert!(text.contains("Evaluated with") && text.contains("opponent = \"perfect\""), "{text}");
    let json = sandbox.run(&["envs", "TicTacToe-v0", "--json"]).ok().json();
    assert_eq!(json["evaluation"]["opponent"], "perfect");
}

#[test]
fn a_threshold_ends_a_training() {
    let sandbox = Sandbox::new();
    let args = ["train", "q-learning", "FrozenLake-v1", "--seed", "0", "--stop-at-threshold"];
    let dry = ["--set", "env.is_slippery=false", "--steps", "100000", "--json", "--quiet"];
    let json = sandbox.run(&[&args[..], &dry].concat()).ok().json();
    assert_eq!(json["seeds"][0]["summary"]["ending"], "threshold");
    assert!(json["seeds"][0]["summary"]["env_steps"].as_u64().unwrap() < 100_000);
    let unknown = ["train", "q-learning", "CliffWalking-v1", "--stop-at-threshold"];
    sandbox.run(&unknown).fails(2, &["has no threshold", "training.stop_at"]);
}

#[test]
fn a_wrong_call_says_what_would_be_right_and_leaves_nothing() {
    let sandbox = Sandbox::new();
    let lake = |extra: &[&'static str]| {
        [&["train", "q-learning", "FrozenLake-v1", "--quiet"], extra].concat()
    };
    let cases: &[(Vec<&str>, &[&str])] = &[
        (vec!["train"], &["no agent given", "gymnast agents"]),
        (vec!["train", "q-learning"], &["no environment given", "gymnast envs"]),
        (vec!["train", "q-lerning", "FrozenLake-v1"], &["did you mean `q-learning`"]),
        (vec!["train", "q-learning", "FrozenLake"], &["did you mean `FrozenLake"]),
        (vec!["train", "q-learning", "CartPole-v1"], &["needs finite observations", "Taxi-v4"]),
        (lake(&["--set", "alhpa=1"]), &["`alhpa`", "did you mean `alpha`"]),
        (lake(&["--set", "alpha=2"]), &["alpha = 2.0", "(0, 1]"]),
        (lake(&["--set", "gamma=high"]), &["gamma = \"high\"", "[-1, 1]"]),
        (lake(&["--set", "alpha"]), &["key=value"]),
        (lake(&["--set", "training.steps=1"]), &["training.steps", "env_steps"]),
        (lake(&["--set", "training.num_envs=7"]), &["multiple of training.num_envs (7)"]),
        (lake(&["--set", "training.num_envs=-1"]), &["training.num_envs = -1"]),
        (lake(&["--set", "training.num_envs=999999999"]), &["num_envs = 999999999"]),
        (
            lake(&["--set", "env.is_slipery=true"]),
            &["`is_slipery`", "did you mean `is_slippery`", "map_name", "max_episode_steps"],
        ),
        (lake(&["--set", "env.success_rate=nan"]), &["`success_rate` = nan", "a finite number"]),
        (
            lake(&["--set", "env.reward_schedule=[1,0,-inf]"]),
            &["`reward_schedule`", "a finite number"],
        ),
        (lake(&["--set", "env.map_name=9x9"]), &["map_name", "8x8"]),
        (lake(&["--set", "env.max_episode_steps=0"]), &["max_episode_steps", "positive"]),
        (lake(&["--steps", "0"]), &["env_steps = 0"]),
        (lake(&["--steps", "18446744073709551615"]), &["--steps"]),
        (lake(&["--steps", "-5"]), &["--steps", "expected 0 to"]),
        (lake(&["--steps", "1.5"]), &["--steps", "whole number", "1e5"]),
        (lake(&["--seeds", "0"]), &["--seeds", "expected 1 to 10000"]),
        (lake(&["--seed", "-1"]), &["--seed", "expected 0 to 9223372036854775807"]),
        (lake(&["--jobs", "0"]), &["--jobs", "expected at least 1"]),
        (lake(&["--eval-every", "-1"]), &["--eval-every", "expected 0 to"]),
        (lake(&["--seed", "1", "--seeds", "2"]), &["--seed"]),
        (lake(&["--resume"]), &["holds no run"]),
        (lake(&["--resume", "--force"]), &["--force"]),
        (vec!["train", "--resume"], &["--out DIR"]),
    ];
    for (args, parts) in cases {
        sandbox.run(args).fails(2, parts);
    }
    sandbox.run(&lake(&["--config", "none.toml"])).fails(1, &["none.toml"]);
    assert_eq!(fs::read_dir(sandbox.path(".")).unwrap().count(), 0);
}

#[test]
fn large_counts_are_written_shortly() {
    let sandbox = Sandbox::new();
    let steps = ["train", "q-learning", "FrozenLake-v1", "--quiet", "--steps", "4e3"];
    sandbox.run(&[&steps[..], &["--eval-every", "2_000", "--seed", "1"]].concat()).ok();
    let config = sandbox.read("runs/q-learning-FrozenLake-v1/config.toml");
    assert!(config.contains("env_steps = 4000\n") && config.contains("eval_every = 2000\n"));
}

#[test]
fn no_picture_of_the_old_run_stays_beside_the_new_one() {
    let sandbox = Sandbox::with_run();
    let long = [
        "train",
        "q-learning",
        "FrozenLake-v1",
        "--steps=5e8",
        "--seed=0",
        "--quiet",
        "--set=training.checkpoint_every=1000",
    ];
    // A call that is refused deletes nothing.
    sandbox.run(&[&long[..], &["--out", "run"]].concat()).fails(2, &["--force"]);
    assert!(sandbox.path("run/learning_curve.svg").exists());
    let mut command = sandbox.command(&[&long[..], &["--out", "run", "--force"]].concat());
    let mut child = command.spawn().unwrap();
    while !sandbox.path("run/seed-0/checkpoints").exists() || sandbox.path("run/seed-1").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended at once");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    for picture in ["learning_curve.svg", "learning_curve.png"] {
        assert!(!sandbox.path("run").join(picture).exists(), "{picture}");
    }
}

#[test]
fn what_is_there_is_not_overwritten() {
    let sandbox = Sandbox::with_run();
    let again = [&SHORT[..], &["--seeds", "2", "--out", "run"]].concat();
    let before = sandbox.records("run");
    sandbox.run(&again).fails(2, &["already holds a run", "--resume", "--force"]);
    assert_eq!(sandbox.records("run"), before);

    // Replacing a run leaves what somebody else put there.
    fs::write(sandbox.path("run/notes.txt"), "mine").unwrap();
    fs::write(sandbox.path("run/seed-1/notes.txt"), "mine").unwrap();
    fs::create_dir(sandbox.path("run/seed-1/checkpoints/mine")).unwrap();
    let one = [&SHORT[..], &["--seed", "5", "--out", "run", "--force"]].concat();
    sandbox.run(&one).ok();
    assert!(sandbox.path("run/seed-5/episodes.csv").is_file());
    assert!(!sandbox.path("run/seed-0").exists());
    assert!(!sandbox.path("run/seed-1/episodes.csv").exists());
    for kept in ["run/notes.txt", "run/seed-1/notes.txt", "run/seed-1/checkpoints/mine"] {
        assert!(sandbox.path(kept).exists(), "{kept}");
    }

    // A directory that no run made is never used, not even by force.
    fs::create_dir(sandbox.path("project")).unwrap();
    fs::write(sandbox.path("project/config.toml"), "mine = true").unwrap();
    let there = [&SHORT[..], &["--out", "project"]].concat();
    sandbox.run(&there).fails(2, &["do not belong to a run", "new directory"]);
    sandbox.run(&[&there[..], &["--force"]].concat()).fails(2, &["do not belong to a run"]);
    assert_eq!(sandbox.read("project/config.toml"), "mine = true");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("file"), "").unwrap();
    sandbox.run(&[&SHORT[..], &["--out", "file/run"]].concat()).fails(1, &["file/run"]);
}
