//! An agent that a program holds while it is trained, and one that it loads afterwards.

use std::path::Path;

use gymnast::{
    envs::with_kind,
    harness::{SeedDir, SettingError, TrainError},
    prelude::*,
    run::RunError,
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
    gymnast::core::checkpoint::load(&path).unwrap().load_part("agent", &mut again).unwrap();
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
    let mut walker = Trained::load(&dir, Which::Newest).unwrap();
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
    let failing = |dir: &Path, which| Trained::load(dir, which).err().unwrap().to_string();
    let error = failing(&dir.join("seed-7"), Which::Newest);
    assert!(error.contains("no seed 7: its seeds are 2"), "{error}");
    let error = failing(&dir, Which::Best);
    assert!(error.contains("training.keep_best=true"), "{error}");
    let error = failing(folder.path(), Which::Newest);
    assert!(error.contains("holds no run"), "{error}");
    std::fs::remove_dir_all(dir.join("seed-2/checkpoints")).unwrap();
    std::fs::create_dir(dir.join("seed-2/checkpoints")).unwrap();
    let error = failing(&dir.join("seed-2"), Which::Newest);
    assert!(error.contains("no checkpoint"), "{error}");
}

#[test]
fn the_best_of_several_seeds_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
    let dir = folder.path().join("run");
    let mut config = Run::defaults(&catalog, &registry, "q-learning", "FrozenLake-v1").unwrap();
    let training = "env_steps = 6_000\neval_every = 1_000\nkeep_best = true".parse::<toml::Table>();
    config["training"].as_table_mut().unwrap().extend(training.unwrap());
    set(&mut config, "seeds", vec![0, 1, 2].into()).unwrap();
    let run = Run::new(&catalog, &registry, &config).unwrap();
    let summaries = run.train_with(&dir, Existing::Refuse, 1, Quiet).unwrap();
    let best = |summary: &Summary| {
        // The first of several that are as good.
        let all = summary.evaluations.iter().rev();
        let best = all.max_by(|a, b| a.mean_return.total_cmp(&b.mean_return)).unwrap();
        (best.mean_return, best.env_step)
    };
    let bests: Vec<_> = summaries.iter().map(best).collect();
    let most = bests.iter().map(|best| best.0).fold(f64::NEG_INFINITY, f64::max);
    let seed = bests.iter().position(|best| best.0 == most).unwrap();
    let env_steps = |path: &Path, which| with_kind!(Trained::load(path, which).unwrap().agent(), (_, agent) => agent.env_steps);
    assert_eq!(env_steps(&dir, Which::Best), bests[seed].1);
    for (seed, best) in bests.iter().enumerate() {
        assert_eq!(env_steps(&dir.join(format!("seed-{seed}")), Which::Best), best.1);
    }
    assert_eq!(env_steps(&dir, Which::Newest), 6_000);
}

#[test]
fn a_recorded_training_is_loaded_by_its_names_or_into_an_agent_of_its_type() {
    let folder = tempfile::tempdir().unwrap();
    let training = Training { keep_best: true, ..training() };
    let train = |dir: &Path, is_named: bool| {
        let (mut agent, mut envs) = parts(&training.plan(0));
        let mut trainer = Trainer::new(&training, 0, &mut agent, &mut envs).evaluate_on(lake);
        if is_named {
            trainer = trainer.named("q-learning", "FrozenLake-v1");
        }
        let trainer = trainer.record_to(dir, Existing::Refuse, &QLearningConfig::default());
        trainer.unwrap().run().unwrap();
        values(&agent)
    };
    let [named, unnamed] = ["named", "unnamed"].map(|name| folder.path().join(name));
    let last = train(&named, true);
    assert_eq!(train(&unnamed, false), last);
    let mut bests = Vec::new();
    for dir in [&named, &unnamed] {
        let (mut newest, _) = parts(&training.plan(0));
        assert_eq!(Trained::load_into(dir, Which::Newest, &mut newest).unwrap(), 6_000);
        assert_eq!(values(&newest), last);
        let (mut best, _) = parts(&training.plan(0));
        let env_steps = Trained::load_into(dir, Which::Best, &mut best).unwrap();
        bests.push((env_steps, values(&best)));
    }
    assert_eq!(bests[0], bests[1]);
    // By its names it acts as the agent of its type does.
    for which in [Which::Newest, Which::Best] {
        let mut by_name = Trained::load(&named, which).unwrap();
        assert_eq!(by_name.env().id(), "FrozenLake-v1");
        let (mut typed, _) = parts(&training.plan(0));
        Trained::load_into(&named, which, &mut typed).unwrap();
        let (mut rng, mut actions) = (Seed::new(0).child("trained", 0).rng(), Vec::new());
        for field in 0..16 {
            typed.act(&[field], Mode::Exploit, &mut rng, &mut actions).unwrap();
            assert_eq!(by_name.act(field).unwrap(), Action::Number(actions[0]));
        }
    }
    let error = Trained::load(&unnamed, Which::Newest).err().unwrap().to_string();
    assert!(error.contains("load_into"), "{error}");
    let error =
        Trained::load_into(unnamed.join("seed-1"), Which::Newest, &mut parts(&training.plan(0)).0);
    assert!(matches!(error, Err(RunError::NoSeed { seed: 1, .. })), "{error:?}");
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
        let mut trained = Trained::load(&dir, Which::Newest).unwrap();
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

#[cfg(feature = "deep")]
#[test]
fn a_network_with_typed_spaces_is_loaded_by_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    let training = Training { env_steps: 2_000, keep_best: true, ..Training::default() };
    let plan = training.plan(0);
    let pole = || Ok(TimeLimit::new(CartPole::default(), 500));
    let mut envs = SyncVectorEnv::of(1, plan.seed.child("envs", 0), pole).unwrap();
    let (observation_space, action_space) = (*envs.observation_space(), *envs.action_space());
    let config = DqnConfig { learning_starts: 500, ..DqnConfig::default() };
    let mut agent = Dqn::new(observation_space, action_space, config.clone(), &plan).unwrap();
    Trainer::new(&training, 0, &mut agent, &mut envs)
        .evaluate_on(pole)
        .named("dqn", "CartPole-v1")
        .record_to(&dir, Existing::Refuse, &config)
        .unwrap()
        .run()
        .unwrap();
    Trained::load(&dir, Which::Best).unwrap().act([0.0; 4]).unwrap();
    let mut newest = Trained::load(&dir, Which::Newest).unwrap();
    let (mut rng, mut actions) = (Seed::new(1).rng(), Vec::new());
    for i in 0..20 {
        let row = [0.1 * i as f32 - 1.0, 0.3, 0.01 * i as f32, -0.2];
        agent.act(&[row], Mode::Exploit, &mut rng, &mut actions).unwrap();
        assert_eq!(newest.act(row).unwrap(), Action::Number(actions[0]));
    }
}
