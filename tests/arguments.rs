//! Seeds, counts and settings as they are written, and those that would make a training void.

use std::fs;

use crate::sandbox::Sandbox;

#[cfg(feature = "deep")]
#[test]
fn a_training_that_would_end_before_it_learns_is_refused() {
    let sandbox = Sandbox::new();
    for (agent, env, set, first) in [
        (
            "ppo",
            "CartPole-v1",
            &["--set=training.num_envs=1", "--set=n_steps=2048"][..],
            "at least 2048",
        ),
        (
            "a2c",
            "CartPole-v1",
            &["--set=training.num_envs=8", "--set=n_steps=500"],
            "at least 4000",
        ),
        ("reinforce", "CartPole-v1", &["--set=episodes_per_update=1001"], "at least 1001"),
        ("dqn", "CartPole-v1", &["--set=learning_starts=1200"], "at least 12"),
        ("rainbow", "CartPole-v1", &["--set=learning_starts=5000"], "at least 5000"),
        ("sac", "Pendulum-v1", &["--set=learning_starts=1001"], "at least 100"),
        ("td3", "Pendulum-v1", &["--set=learning_starts=1001"], "at least 100"),
        ("ddpg", "Pendulum-v1", &["--set=learning_starts=1001"], "at least 100"),
        ("mbpo", "Pendulum-v1", &["--set=sac.learning_starts=1001"], "at least 100"),
    ] {
        let train = ["train", agent, env, "--steps=1000", "--seed=0", "--quiet"];
        sandbox
            .run(&[&train[..], set].concat())
            .fails(2, &["training.env_steps = 1000", first, "first update"]);
    }
    assert_eq!(fs::read_dir(sandbox.path(".")).unwrap().count(), 0);
    let tune = [
        "tune",
        "dqn",
        "CartPole-v1",
        "--steps=1000",
        "--quiet",
        "--search=learning_starts=[10, 2000]",
    ];
    sandbox.run(&tune).fails(2, &["--search learning_starts", "at least 2000"]);
}

#[test]
fn seeds_are_counted_from_the_first_or_listed() {
    let sandbox = Sandbox::new();
    let seeds = |extra: &[&str]| -> Vec<i64> {
        let short = ["train", "q-learning", "FrozenLake-v1", "--quiet", "--steps=200", "--force"];
        sandbox.run(&[&short[..], extra, &["--out=run"]].concat()).ok();
        let config: toml::Table = sandbox.read("run/config.toml").parse().unwrap();
        config["seeds"].as_array().unwrap().iter().filter_map(toml::Value::as_integer).collect()
    };
    assert_eq!(seeds(&[]), [0, 1, 2, 3, 4]);
    assert_eq!(seeds(&["--first-seed=100", "--seeds=2"]), [100, 101]);
    assert_eq!(seeds(&["--first-seed=100"]), [100, 101, 102, 103, 104]);
    assert_eq!(seeds(&["--seeds=100-101,7"]), [7, 100, 101]);
    assert_eq!(seeds(&["--seeds=1e0"]), [0]);
    assert!(sandbox.path("run/seed-0/summary.json").is_file());
    assert!(!sandbox.path("run/seed-7").exists());
    fs::write(sandbox.path("two.toml"), "seeds = [8e0, 9]").unwrap();
    assert_eq!(seeds(&["--config=two.toml"]), [8, 9]);
    let resume = ["train", "--resume", "--out=run", "--quiet"];
    sandbox.run(&[&resume[..], &["--first-seed=8", "--seeds=2"]].concat()).ok();
    sandbox.run(&[&resume[..], &["--seeds=8"]].concat()).fails(2, &["seeds = "]);
    for (seeds, part) in [
        ("--seeds=5,5", "seed 5 is named twice"),
        ("--seeds=0..5,3", "seed 3 is named twice"),
        ("--seeds=9..1", "expected 1..9"),
        ("--seeds=0..9223372036854775807", "at most 10000 seeds"),
    ] {
        let call = ["train", "q-learning", "FrozenLake-v1", seeds];
        sandbox.run(&call).fails(2, &["--seeds", part]);
    }
    let both = ["train", "q-learning", "FrozenLake-v1", "--seeds=5,6", "--first-seed=1"];
    sandbox.run(&both).fails(2, &["--first-seed"]);
    let help = sandbox.run(&["train", "--help"]).ok().stdout;
    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("tuned on the seeds 0 to 9") && words.contains("seeds 100 and up"),
        "{help}"
    );
}

#[test]
fn counts_are_written_alike_everywhere() {
    let sandbox = Sandbox::new();
    fs::write(
        sandbox.path("mine.toml"),
        "\u{feff}[training]\nenv_steps = 4e2\neval_every = 2e2\n[env]\nmax_episode_steps = 5e1\n",
    )
    .unwrap();
    let lake = ["train", "q-learning", "FrozenLake-v1", "--quiet", "--seed=0", "--out=run"];
    let set = ["--config=mine.toml", "--set=training.eval_episodes=1e1", "--set=alpha=.5"];
    sandbox.run(&[&lake[..], &set].concat()).ok();
    let config = sandbox.read("run/config.toml");
    for line in [
        "env_steps = 400\n",
        "eval_every = 200\n",
        "eval_episodes = 10\n",
        "max_episode_steps = 50\n",
        "alpha = 0.5\n",
    ] {
        assert!(config.contains(line), "no {line}in {config}");
    }
    let wrong = |set: &str, parts: &[&str]| {
        sandbox.run(&[&lake[..5], &["--out=wrong", set]].concat()).fails(2, parts);
    };
    wrong("--set=training.env_steps=1.5e0", &["training.env_steps = 1.5"]);
    wrong("--set=training.env_steps=1e300", &["training.env_steps = 1"]);
    wrong("--set=env.is_slippery=False", &["is_slippery", "write false"]);
    fs::write(sandbox.path("python.toml"), "[env]\nis_slippery = False\n").unwrap();
    sandbox
        .run(&[&lake[..5], &["--out=wrong", "--config=python.toml"]].concat())
        .fails(1, &["python.toml", "line 2: False, write false"]);
    let search = ["tune", "q-learning", "FrozenLake-v1", "--quiet", "--trials=2", "--out=search"];
    let space = ["--search=training.env_steps=[2e2, 4e2]", "--seeds=1e0", "--sampler=grid"];
    sandbox.run(&[&search[..], &space].concat()).ok();
    // The first of the seeds that the search has not seen.
    assert!(sandbox.read("search/config.toml").contains("seeds = [1, 2, 3, 4, 5]"));
}
