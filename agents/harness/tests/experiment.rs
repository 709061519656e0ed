//! The directory of an experiment: whose it is, what is resumed, and what is never deleted.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use gymnast_envs::{Discrete, Experience, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Existing, Experiment, Metrics, Mode, Plan,
    Policy, Quiet, Setup, StateDict, Summary, TrainError, Training,
    testing::{self, TwoArmedBandit},
};
use toml::Table;

const CONFIG: &str =
    "seeds = [0, 1]\n[agent]\nname = \"counter\"\nrate = 1\n[env]\nid = \"bandit\"\n";

/// Pulls an arm by its count of steps, which is all that it saves.
struct Counter {
    steps: u64,
    /// The step at which something happens to the run's directory.
    disaster: Option<(u64, Box<dyn Fn() + Send>)>,
}

impl Policy<Discrete, Discrete> for Counter {
    fn act(
        &self,
        observations: &[i64],
        _mode: Mode,
        _rng: &mut Rng,
        actions: &mut Vec<i64>,
    ) -> Result<(), AgentError> {
        actions.clear();
        actions.resize(observations.len(), (self.steps % 3 % 2) as i64);
        Ok(())
    }
}

impl Agent<Discrete, Discrete> for Counter {
    fn first_update(&self) -> u64 {
        1
    }

    fn has_learned(&self) -> bool {
        self.steps > 0
    }

    fn learn(
        &mut self,
        experience: &Experience<Discrete, Discrete>,
    ) -> Result<Option<Metrics>, AgentError> {
        self.steps += experience.rewards.len() as u64;
        if let Some((_, disaster)) = self.disaster.as_ref().filter(|(step, _)| *step == self.steps)
        {
            disaster();
        }
        Ok(Some(Metrics::new().with("steps", self.steps as f64)))
    }

    fn begin_episodes(&mut self) {}
}

impl Checkpoint for Counter {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("steps", &self.steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        self.steps = state.get("steps")?;
        // As an agent does that looks at what it loads.
        if self.steps == UNLOADABLE.load(Ordering::Relaxed) {
            return Err(CheckpointError::Missing { name: "table".to_owned() });
        }
        Ok(())
    }
}

/// The count that no agent of this test takes up.
static UNLOADABLE: AtomicU64 = AtomicU64::new(u64::MAX);

fn setup(plan: &Plan) -> Result<Setup<Discrete, Discrete>, TrainError> {
    setup_with(plan, None)
}

fn setup_with(
    plan: &Plan,
    disaster: Option<(u64, Box<dyn Fn() + Send>)>,
) -> Result<Setup<Discrete, Discrete>, TrainError> {
    testing::setup(plan, TwoArmedBandit::default, |_, _| Ok(Counter { steps: 0, disaster }))
}

fn experiment(dir: &Path, existing: Existing) -> Experiment {
    let training = Training {
        env_steps: 400,
        eval_every: 100,
        eval_episodes: 2,
        log_every: 50,
        checkpoint_every: 100,
        ..Training::default()
    };
    Experiment {
        dir: dir.to_owned(),
        training,
        seeds: vec![0, 1],
        defaults: Table::new(),
        jobs: 1,
        existing,
        progress: std::sync::Arc::new(Quiet),
    }
}

/// The summaries, or why the first seed failed that did.
fn run(dir: &Path, existing: Existing, config: &str) -> Result<Vec<Summary>, TrainError> {
    experiment(dir, existing).run(config, setup).map_err(TrainError::first_failure)
}

fn resume(dir: &Path) -> Result<Vec<Summary>, TrainError> {
    run(dir, Existing::Resume, CONFIG)
}

/// A folder with a finished run, and another without its summaries, as if it had been killed at the end.
fn finished() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("run");
    run(&dir, Existing::Refuse, CONFIG).unwrap();
    (folder, dir)
}

fn without_summaries(dir: &Path) {
    for seed in ["seed-0", "seed-1"] {
        fs::remove_file(dir.join(seed).join("summary.json")).unwrap();
    }
}

/// Every file below a directory with its contents.
fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push((path.clone(), fs::read(path).unwrap()));
            }
        }
    }
    all.sort();
    all
}

fn checkpoints(dir: &Path, seed: u64) -> Vec<String> {
    let entries = fs::read_dir(dir.join(format!("seed-{seed}/checkpoints"))).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_run_is_only_continued_with_its_own_configuration() {
    let (_folder, dir) = finished();
    let before = contents(&dir);
    let other = CONFIG.replace("rate = 1", "rate = 2");
    let error = run(&dir, Existing::Resume, &other).unwrap_err();
    assert!(matches!(error, TrainError::OtherConfiguration { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("agent.rate = 1; agent.rate = 2 would be another run"), "{text}");
    // The order of the keys and the way a number is written mean nothing.
    let same = "[env]\nid = 'bandit'\n[agent]\nrate = 1.0\nname = 'counter'\n";
    run(&dir, Existing::Resume, same).unwrap();
    assert_eq!(contents(&dir), before);
    // A setting that is newer than the run had its default.
    let newer = CONFIG.replace("rate = 1", "rate = 1\nnew = 3");
    let mut experiment = experiment(&dir, Existing::Resume);
    assert!(experiment.run(&newer, setup).unwrap_err().to_string().contains("agent.new = nothing"));
    experiment.defaults = "[agent]\nnew = 3".parse().unwrap();
    experiment.run(&newer, setup).unwrap();
    let newer = newer.replace("new = 3", "new = 4");
    assert!(experiment.run(&newer, setup).unwrap_err().to_string().contains("agent.new = 3"));
    assert!(
        run(&dir, Existing::Resume, "no TOML").unwrap_err().to_string().contains("config.toml")
    );
}

#[test]
fn seeds_are_added_to_a_run() {
    let (_folder, dir) = finished();
    let before = contents(&dir.join("seed-1"));
    let seeds = |list: &[u64], text: &str| {
        let experiment = Experiment { seeds: list.to_vec(), ..experiment(&dir, Existing::Resume) };
        let config = CONFIG.replace("[0, 1]", text);
        experiment.run(&config, setup).unwrap().len()
    };
    let saved = || fs::read_to_string(dir.join("config.toml")).unwrap();
    assert_eq!(seeds(&[1], "[1]"), 1);
    assert_eq!(saved(), CONFIG);
    assert_eq!(seeds(&[0, 1, 2], "[0, 1, 2]"), 3);
    assert_eq!(saved(), CONFIG.replace("[0, 1]", "[0, 1, 2]"));
    assert_eq!(seeds(&[7, 1], "[7, 1]"), 2);
    let all: Table = saved().parse().unwrap();
    assert_eq!(all["seeds"].to_string(), "[0, 1, 2, 7]");
    assert_eq!(all["agent"]["name"].as_str(), Some("counter"));
    assert!(dir.join("seed-7/summary.json").is_file());
    assert_eq!(contents(&dir.join("seed-1")), before);
}

#[test]
fn a_configuration_that_was_edited_by_hand_is_noticed() {
    let (_folder, dir) = finished();
    // Both the directory and the call say so, and only the checkpoints and summaries know better.
    let edited = CONFIG.replace("rate = 1", "rate = 2");
    fs::write(dir.join("config.toml"), &edited).unwrap();
    let error = run(&dir, Existing::Resume, &edited).unwrap_err().to_string();
    assert!(error.contains("summary.json was made with agent.rate = 1"), "{error}");
    without_summaries(&dir);
    let before = contents(&dir);
    let error = run(&dir, Existing::Resume, &edited).unwrap_err();
    assert!(matches!(error, TrainError::NoUsableCheckpoint { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("agent.rate = 1, not with agent.rate = 2"), "{text}");
    assert_eq!(contents(&dir), before);
}

#[test]
fn the_checkpoints_of_another_seed_are_refused() {
    let (_folder, dir) = finished();
    for name in ["checkpoints", "summary.json"] {
        let [a, b, c] = ["seed-0", "seed-1", "spare"].map(|seed| dir.join(seed).join(name));
        fs::create_dir_all(dir.join("spare")).unwrap();
        fs::rename(&a, &c).unwrap();
        fs::rename(&b, &a).unwrap();
        fs::rename(&c, &b).unwrap();
    }
    let error = resume(&dir).unwrap_err().to_string();
    assert!(error.contains("summary.json was made with seed = 1, not with seed = 0"), "{error}");
    without_summaries(&dir);
    let before = contents(&dir);
    let error = resume(&dir).unwrap_err().to_string();
    assert!(error.contains("was made with seed = 1, not with seed = 0"), "{error}");
    assert_eq!(contents(&dir), before);
}

#[test]
fn what_cannot_be_loaded_is_passed_over_and_set_aside() {
    let (_folder, dir) = finished();
    let whole = contents(&dir.join("seed-0"));
    let last = |files: &[(PathBuf, Vec<u8>)]| {
        let is_values = |path: &Path| path.ends_with("000000000400/values.json");
        files.iter().find(|(path, _)| is_values(path)).unwrap().1.clone()
    };
    fs::remove_file(dir.join("seed-0/summary.json")).unwrap();
    UNLOADABLE.store(400, Ordering::Relaxed);
    let resumed = resume(&dir);
    UNLOADABLE.store(u64::MAX, Ordering::Relaxed);
    resumed.unwrap();
    assert_eq!(checkpoints(&dir, 0), ["000000000300", "000000000400", "000000000400.damaged"]);
    assert_eq!(last(&contents(&dir.join("seed-0"))), last(&whole));
}

#[test]
fn a_run_of_another_version_is_refused_and_nothing_deleted() {
    let (_folder, dir) = finished();
    without_summaries(&dir);
    for name in checkpoints(&dir, 0) {
        let path = dir.join("seed-0/checkpoints").join(name).join("manifest.json");
        fs::write(path, r#"{"format": 1, "env_steps": 300, "files": {}, "logs": {}}"#).unwrap();
    }
    let before = contents(&dir.join("seed-0"));
    let error = resume(&dir).unwrap_err().to_string();
    assert!(error.contains("has format 1"), "{error}");
    assert_eq!(contents(&dir.join("seed-0")), before);
}

#[test]
fn logs_that_lost_something_make_a_checkpoint_unusable() {
    let (_folder, dir) = finished();
    let whole = contents(&dir.join("seed-0"));
    let path = dir.join("seed-0/episodes.csv");
    let text = fs::read_to_string(&path).unwrap();
    // Lines enough for the checkpoint before the last.
    let lines: Vec<_> = text.split_inclusive('\n').take(1 + 350).collect();
    fs::write(&path, lines.concat()).unwrap();
    without_summaries(&dir);
    resume(&dir).unwrap();
    assert_eq!(checkpoints(&dir, 0), ["000000000300", "000000000400", "000000000400.damaged"]);
    let is_log = |(path, _): &&(PathBuf, Vec<u8>)| path.ends_with("episodes.csv");
    let steps = |bytes: &[u8]| -> Vec<String> {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned()).collect()
    };
    let after = contents(&dir.join("seed-0"));
    let [before, after] = [&whole, &after].map(|all| all.iter().find(is_log).unwrap().1.clone());
    assert_eq!(steps(&after), steps(&before));
    // Too few for either: an error, and the file is not cut.
    fs::write(&path, lines[..200].concat()).unwrap();
    fs::remove_file(dir.join("seed-0/summary.json")).unwrap();
    let error = resume(&dir).unwrap_err().to_string();
    assert!(error.contains("episodes.csv") && error.contains("bytes long"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), lines[..200].concat());
    // A line that was altered is found before anything is cut or moved.
    fs::write(&path, &text).unwrap();
    let path = dir.join("seed-0/evaluations.csv");
    let damaged = fs::read_to_string(&path).unwrap().replace("\n200,", "\n2x0,");
    fs::write(&path, &damaged).unwrap();
    let error = resume(&dir).unwrap_err().to_string();
    assert!(error.contains("evaluations.csv") && error.contains("checksum"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
}

#[test]
fn an_event_file_is_made_anew_from_the_logs() {
    const FILE: &str = "seed-0/events.out.tfevents.0.gymnast";
    // The frame of an event, and what a scalar holds but its time.
    let scalars = |dir: &Path| {
        let bytes = fs::read(dir.join(FILE)).unwrap();
        let mut rest = &bytes[..];
        let mut scalars = Vec::new();
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            scalars.push(rest[12 + 9..12 + length].to_vec());
            rest = &rest[12 + length + 4..];
        }
        scalars.sort();
        scalars
    };
    let (_folder, dir) = finished();
    let whole = scalars(&dir);
    assert!(whole.len() > 400);
    let bytes = fs::read(dir.join(FILE)).unwrap();
    let mut altered = bytes.clone();
    altered[bytes.len() / 2] ^= 1;
    let damages: [Option<&[u8]>; 4] =
        [Some(&bytes[..bytes.len() / 2]), Some(&[]), Some(&altered), None];
    for damaged in damages {
        fs::remove_file(dir.join("seed-0/summary.json")).unwrap();
        match damaged {
            Some(bytes) => fs::write(dir.join(FILE), bytes).unwrap(),
            None => fs::remove_file(dir.join(FILE)).unwrap(),
        }
        resume(&dir).unwrap();
        assert_eq!(scalars(&dir), whole, "{:?}", damaged.map(<[u8]>::len));
    }
}

#[test]
fn a_directory_that_is_removed_is_not_made_anew() {
    let doomed = |act: fn(&Path)| {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("run");
        let result = experiment(&dir, Existing::Refuse).run(CONFIG, |plan| {
            let dir = dir.clone();
            setup_with(plan, Some((150, Box::new(move || act(&dir)))))
        });
        let error = result.unwrap_err().first_failure();
        assert!(matches!(error, TrainError::Gone { .. }), "{error}");
        (folder, dir)
    };
    let (_folder, dir) = doomed(|dir| fs::remove_dir_all(dir).unwrap());
    assert!(!dir.exists());
    let (_folder, dir) = doomed(|dir| drop(fs::remove_dir_all(dir.join("seed-0"))));
    assert!(!dir.join("seed-0").exists());
    // Replaced by another, into which nothing may be written.
    let (_folder, dir) = doomed(|dir| {
        fs::rename(dir, dir.with_extension("moved")).unwrap();
        fs::create_dir_all(dir.join("seed-0/checkpoints")).unwrap();
    });
    assert!(contents(&dir).is_empty());
    assert_eq!(checkpoints(&dir.with_extension("moved"), 0), ["000000000100"]);
}

#[cfg(unix)]
#[test]
fn links_are_refused_and_their_targets_left_alone() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign");
    fs::create_dir_all(foreign.join("000000000020")).unwrap();
    fs::write(foreign.join("file"), "precious").unwrap();
    let before = contents(&foreign);
    let refuses = |dir: &Path, existing| {
        let error = run(dir, existing, CONFIG).unwrap_err().to_string();
        assert!(error.contains("a link, which is not followed"), "{error}");
        assert_eq!(contents(&foreign), before);
        assert!(foreign.join("000000000020").is_dir());
    };
    // A lock that is a link, of a new run, of a resumed one and of one to be replaced.
    let dir = folder.path().join("new");
    fs::create_dir(&dir).unwrap();
    symlink(foreign.join("file"), dir.join(".gymnast.lock")).unwrap();
    refuses(&dir, Existing::Refuse);
    for existing in [Existing::Resume, Existing::Replace] {
        for (name, target) in [
            (".gymnast.lock", "file"),
            ("seed-0", ""),
            ("seed-0/episodes.csv", "file"),
            ("seed-0/evaluations.csv", "file"),
            ("seed-0/checkpoints", ""),
            ("seed-0/checkpoints/000000000400", "000000000020"),
            ("seed-0/events.out.tfevents.0.gymnast", "file"),
        ] {
            let (folder, dir) = finished();
            fs::remove_file(dir.join("seed-0/summary.json")).unwrap();
            fs::rename(dir.join(name), folder.path().join("aside")).unwrap();
            symlink(foreign.join(target), dir.join(name)).unwrap();
            let is_replaced = existing == Existing::Replace;
            if is_replaced && !["", ".gymnast.lock"].contains(&target) && name != ".gymnast.lock" {
                // The link itself is deleted with the old run.
                let result = run(&dir, existing, CONFIG);
                assert!(result.is_ok() || name.contains("checkpoints"), "{name}: {result:?}");
                assert_eq!(contents(&foreign), before);
                assert!(foreign.join("000000000020").is_dir());
                continue;
            }
            refuses(&dir, existing);
        }
    }
}

/// It may be another name of a file that is somebody's.
#[test]
fn a_lock_is_never_emptied() {
    let (folder, dir) = finished();
    let precious = folder.path().join("precious");
    fs::write(&precious, "mine").unwrap();
    let new = folder.path().join("new");
    fs::create_dir(&new).unwrap();
    for (dir, existing) in
        [(&dir, Existing::Resume), (&dir, Existing::Replace), (&new, Existing::Refuse)]
    {
        let _ = fs::remove_file(dir.join(".gymnast.lock"));
        fs::hard_link(&precious, dir.join(".gymnast.lock")).unwrap();
        run(dir, existing, CONFIG).unwrap();
        assert_eq!(fs::read(&precious).unwrap(), b"mine", "{existing:?}");
    }
}

#[test]
fn what_killed_processes_left_is_deleted() {
    let (_folder, dir) = finished();
    fs::remove_file(dir.join("seed-0/summary.json")).unwrap();
    let leftovers = [
        ".config.toml.123-0.tmp",
        "seed-0/.summary.json.123-4.tmp",
        "seed-0/checkpoints/000000000350.tmp",
    ];
    for name in leftovers {
        fs::create_dir_all(dir.join("seed-0/checkpoints")).unwrap();
        if name.contains("checkpoints") {
            fs::create_dir(dir.join(name)).unwrap();
        } else {
            fs::write(dir.join(name), "half").unwrap();
        }
    }
    fs::write(dir.join("seed-0/.mine.tmp"), "mine").unwrap();
    resume(&dir).unwrap();
    for name in leftovers {
        assert!(!dir.join(name).exists(), "{name}");
    }
    assert!(dir.join("seed-0/.mine.tmp").exists());
}

#[test]
fn a_run_whose_checkpoints_were_moved_away_does_not_begin_anew() {
    let (_folder, dir) = finished();
    without_summaries(&dir);
    let [checkpoints, away] = ["checkpoints", "away"].map(|name| dir.join("seed-0").join(name));
    fs::rename(&checkpoints, &away).unwrap();
    let before = contents(&dir.join("seed-0"));
    let error = resume(&dir).unwrap_err();
    assert!(matches!(error, TrainError::NoUsableCheckpoint { .. }), "{error}");
    for part in ["seed-0/checkpoints", "missing", "holds records", "nothing was deleted"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    assert_eq!(contents(&dir.join("seed-0")), before);
    // Each log by itself tells it.
    for kept in ["episodes.csv", "evaluations.csv", "metrics.csv"] {
        for name in ["episodes.csv", "evaluations.csv", "metrics.csv"] {
            let log = dir.join("seed-0").join(name);
            let (_, text) = before.iter().find(|(path, _)| *path == log).unwrap();
            let header = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
            fs::write(&log, &text[..if name == kept { text.len() } else { header }]).unwrap();
        }
        assert!(resume(&dir).unwrap_err().to_string().contains(kept));
    }
    // A run that was killed before its first checkpoint has the directory, and begins anew.
    fs::create_dir(&checkpoints).unwrap();
    resume(&dir).unwrap();
    assert!(checkpoints.join("000000000400").is_dir());
}

#[test]
fn a_file_that_is_named_like_a_seed_is_left_alone() {
    let (_folder, dir) = finished();
    fs::write(dir.join("seed-7"), "mine").unwrap();
    run(&dir, Existing::Replace, CONFIG).unwrap();
    assert_eq!(fs::read_to_string(dir.join("seed-7")).unwrap(), "mine");
    assert_eq!(gymnast_harness::RunSeeds::read(&dir).unwrap().own.len(), 2);
}
