//! An agent that a program holds while it is trained, and one that it loads afterwards.

use std::path::Path;

use gymnast::{
    harness::{SeedDir, SettingError, TrainError},
    prelude::*,
    settings::set,
    trained::{Action, Observation},
};

use crate::sandbox::without_wall_time;

type Lake = TimeLimit<FrozenLake>;
type Table = QLearning<Discrete, Discrete>;

fn lake() -> Result<Lake, EnvError> {
    Ok(TimeLimit::new(FrozenLake::default(), 100))
}

fn training() -> Training {
    Training { env_steps: 6_000, eval_every: 2_000, checkpoint_every: 1_000, ..Training::default() }
}

fn parts(plan: &Plan) -> (Table, SyncVectorEnv<Lake>) {
    let envs = SyncVectorEnv::new(vec![lake().unwrap()], plan.seed.child("envs", 0)).unwrap();
    let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
    let config = QLearningConfig::default();
    (QLearning::new(observation_space, action_space, config, plan).unwrap(), envs)
}

/// What is known of every field.
fn values(agent: &Table) -> Vec<f64> {
    (0..16).flat_map(|state| agent.table().row(state).to_vec()).collect()
}

#[test]
fn it_trains_as_a_run_by_names_does_and_gives_the_agent_back() {
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let mut config = Run::defaults(&catalog, &registry, "q-learning", "FrozenLake-v1").unwrap();
    config.insert("agent".to_owned(), toml::toml! { name = "q-learning" }.into());
    for (key, value) in [("env_steps", 6_000), ("eval_every", 2_000), ("eval_episodes", 20)] {
        set(&mut config, &format!("training.{key}"), value.into()).unwrap();
    }
    let by_name = Run::new(&catalog, &registry, &config).unwrap().train_in_memory(3).unwrap();
    let (mut agent, mut envs) = parts(&training().plan(3));
    let mut looks = Vec::new();
    let summary = Trainer::new(&training(), 3, &mut agent, &mut envs)
        .evaluate_on(lake)
        .look(|agent, progress| {
            looks.push((progress.env_steps, values(agent)));
            Ok(Flow::Continue)
        })
        .run()
        .unwrap();
    let returns = |summary: &Summary| -> Vec<_> {
        summary.evaluations.iter().map(|e| (e.env_step, e.mean_return, e.std_return)).collect()
    };
    assert_eq!(returns(&summary), returns(&by_name));
    assert_eq!(returns(&summary).len(), 3);
    // It was looked at after every step, and is what it was at the last look.
    assert!(looks.iter().map(|(steps, _)| *steps).eq(1..=6_000));
    assert_ne!(values(&agent), looks[3_000].1);
    assert_eq!(values(&agent), looks[5_999].1);
}

#[test]
fn a_look_may_stop_it_and_may_fail() {
    let (mut agent, mut envs) = parts(&training().plan(0));
    let summary = Trainer::new(&training(), 0, &mut agent, &mut envs)
        .evaluate_on(lake)
        .look_when_evaluated(|_, evaluation| Ok(Flow::stop_if(evaluation.env_step == 4_000)))
        .run()
        .unwrap();
    assert_eq!((summary.env_steps, summary.evaluations.len()), (4_000, 2));
    let result = Trainer::new(&training(), 0, &mut agent, &mut envs)
        .look(|_, _| AgentError::check_outputs(&[f32::NAN]).map(|()| Flow::Continue))
        .run();
    assert!(matches!(result, Err(TrainError::Agent(AgentError::NoAction { .. }))), "{result:?}");
    // Nothing is evaluated where nothing says in what.
    let summary = Trainer::new(&training(), 0, &mut agent, &mut envs).run().unwrap();
    assert_eq!((summary.env_steps, summary.evaluations.len()), (6_000, 0));
}

#[test]
fn the_best_that_was_seen_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("best.safetensors");
    let (mut agent, mut envs) = parts(&training().plan(0));
    let mut seen = Vec::new();
    let summary = Trainer::new(&training(), 0, &mut agent, &mut envs)
        .evaluate_on(lake)
        .look_when_evaluated(save_best(&path))
        .look_when_evaluated(|agent, evaluation| {
            seen.push((evaluation.mean_return, values(agent)));
            Ok(Flow::Continue)
        })
        .run()
        .unwrap();
    let returns = summary.evaluations.iter().map(|evaluation| evaluation.mean_return);
    assert!(returns.eq(seen.iter().map(|(mean_return, _)| *mean_return)));
    // The first of several that are as good.
    let mut best = &seen[0];
    for found in &seen {
        best = if found.0 > best.0 { found } else { best };
    }
    let (mut again, _) = parts(&training().plan(0));
    again.load(&gymnast::core::checkpoint::load(&path).unwrap()).unwrap();
    assert_eq!(values(&again), best.1);
}

/// What a training recorded whose sessions end at these env steps.
fn recorded(dir: &Path, sessions: &[u64]) -> (Vec<f64>, Vec<Vec<u8>>) {
    let mut learned = Vec::new();
    for (i, &last) in sessions.iter().enumerate() {
        let (mut agent, mut envs) = parts(&training().plan(0));
        let existing = if i == 0 { Existing::Refuse } else { Existing::Resume };
        let trainer = Trainer::new(&training(), 0, &mut agent, &mut envs)
            .evaluate_on(lake)
            .record_to(dir, existing, &QLearningConfig::default())
            .unwrap()
            .look(move |_, progress| Ok(Flow::stop_if(progress.env_steps >= last)));
        trainer.run().unwrap();
        learned = values(&agent);
    }
    let files = ["episodes.csv", "evaluations.csv", "metrics.csv"];
    let seed = SeedDir::below(dir, 0).path;
    (learned, files.map(|file| without_wall_time(&seed.join(file))).to_vec())
}

#[test]
fn a_recorded_training_goes_on_where_it_was_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let [whole, parts_of_it] = ["whole", "parts"].map(|name| folder.path().join(name));
    assert_eq!(
        recorded(&whole, &[u64::MAX]),
        recorded(&parts_of_it, &[1_500, 1_501, 3_000, u64::MAX])
    );
    // Resumed once more it has nothing left to do, and the agent is what it was.
    assert_eq!(
        recorded(&whole.with_file_name("again"), &[u64::MAX, u64::MAX]).0,
        recorded(&whole.with_file_name("once"), &[u64::MAX]).0
    );
}

#[test]
fn other_settings_and_another_root_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    recorded(&dir, &[1_500]);
    let (mut agent, mut envs) = parts(&training().plan(0));
    let config = QLearningConfig { gamma: 0.5, ..QLearningConfig::default() };
    let result = Trainer::new(&training(), 0, &mut agent, &mut envs)
        .evaluate_on(lake)
        .record_to(&dir, Existing::Resume, &config)
        .unwrap()
        .run();
    let Err(TrainError::OtherConfiguration { key, .. }) = result else { panic!("{result:?}") };
    assert_eq!(key, "settings.gamma");
    let again = Trainer::new(&training(), 0, &mut agent, &mut envs)
        .record_to(&dir, Existing::Refuse, &QLearningConfig::default())
        .unwrap()
        .run();
    assert!(matches!(again, Err(TrainError::RunExists { .. })), "{again:?}");
    let result = Trainer::new(&training(), 0, &mut agent, &mut envs)
        .root(Seed::new(0).child("part", 1))
        .record_to(folder.path().join("other"), Existing::Refuse, &config)
        .unwrap()
        .run();
    assert!(
        matches!(result, Err(TrainError::InvalidSetting(SettingError { key: "root", .. }))),
        "{result:?}"
    );
}

#[test]
fn a_trained_agent_is_loaded_and_acts_and_refuses_what_it_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let run = |agent: &str, env: &str, steps: i64| {
        let dir = folder.path().join(agent);
        let mut config = Run::defaults(&catalog, &registry, agent, env).unwrap();
        set(&mut config, "training.env_steps", steps.into()).unwrap();
        set(&mut config, "seeds", vec![2].into()).unwrap();
        let run = Run::new(&catalog, &registry, &config).unwrap();
        run.train_with(&dir, Existing::Refuse, 1, ProgressBars::hidden()).unwrap();
        dir
    };
    let dir = run("q-learning", "CliffWalking-v1", 20_000);
    let mut walker = Trained::load(&dir, 2).unwrap();
    // Up from the start, along the cliff, down to the goal: thirteen steps.
    let mut walk = CliffWalking::default();
    let mut rng = Seed::new(0).rng();
    let (mut field, mut steps) = (walk.reset(&mut rng).unwrap(), 0);
    loop {
        let Action::Number(action) = walker.act(field).unwrap() else { panic!("a number") };
        let step = walk.step(&action, &mut rng).unwrap();
        (field, steps) = (step.observation, steps + 1);
        if step.outcome.is_final() {
            break;
        }
        assert!(steps < 20);
    }
    assert_eq!(steps, 13);
    for wrong in [Observation::Number(48), Observation::Number(-1), Observation::Row(vec![1.0])] {
        let error = walker.act(wrong.clone()).unwrap_err();
        assert!(matches!(error, AgentError::Mismatch { .. }), "{wrong:?}: {error}");
    }
    let error = Trained::load(&dir, 7).err().unwrap().to_string();
    assert!(error.contains("no seed 7") && error.contains("[2]"), "{error}");
    let error = Trained::load(folder.path(), 0).err().unwrap().to_string();
    assert!(error.contains("holds no run"), "{error}");
    std::fs::remove_dir_all(dir.join("seed-2/checkpoints")).unwrap();
    std::fs::create_dir(dir.join("seed-2/checkpoints")).unwrap();
    let error = Trained::load(&dir, 2).err().unwrap().to_string();
    assert!(error.contains("no checkpoint"), "{error}");
}

#[cfg(feature = "deep")]
#[test]
fn a_trained_network_takes_rows() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    for (agent, env, width) in [("ppo", "CartPole-v1", 4), ("ppo", "Pendulum-v1", 3)] {
        let dir = folder.path().join(env);
        let mut config = Run::defaults(&catalog, &registry, agent, env).unwrap();
        let steps = config["training"]["num_envs"].as_integer().unwrap() * 4_096;
        set(&mut config, "training.env_steps", steps.into()).unwrap();
        set(&mut config, "seeds", vec![0].into()).unwrap();
        let run = Run::new(&catalog, &registry, &config).unwrap();
        run.train_with(&dir, Existing::Refuse, 1, ProgressBars::hidden()).unwrap();
        let mut trained = Trained::load(&dir, 0).unwrap();
        assert_eq!(trained.env().id(), env);
        let row = vec![0.1; width];
        let action = trained.act(row.clone()).unwrap();
        assert_eq!(matches!(action, Action::Number(_)), width == 4);
        assert_eq!(trained.act(row).unwrap(), action);
        for wrong in [vec![0.0; width + 1], vec![], vec![f32::NAN; width]] {
            assert!(trained.act(wrong.clone()).is_err(), "{wrong:?}");
        }
        assert!(trained.act(3_i64).is_err());
    }
}
