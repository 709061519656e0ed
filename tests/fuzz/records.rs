//! What a run leaves on disk: records, summaries, checkpoints, event files; and recorded episodes.

use std::{fs, path::Path, sync::OnceLock};

use gymnast::{
    BoxSpace, Demonstrations, Discrete, Existing, Flow, MultiDiscrete, QLearning, QLearningConfig,
    RunIdentity, Space, Summary, Training,
    envs::RowSpace,
    harness::{
        CheckpointDir, Episode, Evaluation, EventWriter, Manifest, MetricRow, Record, SeedDir,
        StateDict, TrainError, read_records,
        report::{Demands, Report, Returns, RunResults, SeedResults},
        testing::{TwoArmedBandit, setup},
    },
};
use serde_json::Value;

use super::{
    scratch::{Files, Scratch},
    source::Source,
    values::change_json,
};
use crate::damage::crc32;

const DEMONSTRATIONS: [&[u8]; 5] = [
    include_bytes!("corpus/demonstrations/discrete.jsonl"),
    include_bytes!("corpus/demonstrations/box.jsonl"),
    include_bytes!("corpus/demonstrations/multi.jsonl"),
    include_bytes!("corpus/demonstrations/row.jsonl"),
    include_bytes!("corpus/demonstrations/odd.jsonl"),
];

/// A table of records: numbers as they are written, or as they should not be.
fn table<R: Record>(source: &mut Source) -> Vec<u8> {
    let columns = R::HEADER.split(',').count();
    let mut text = format!("{}\n", R::HEADER);
    let wild = source.one_in(3);
    for row in 1..=source.length().min(30) {
        let columns = if wild && source.one_in(20) { source.up_to(9) } else { columns };
        let cell = |column: usize| match (column, if wild { source.up_to(19) } else { 2 }) {
            (_, 0) => source.number().to_string(),
            (_, 1) => {
                source.pick(&["", "nan", "-1", "1e999", "\"a", "18446744073709551616"]).into()
            }
            (0, _) => (row * 10).to_string(),
            _ => source.up_to(9).to_string(),
        };
        text += &(0..columns).map(cell).collect::<Vec<_>>().join(",");
        text.push('\n');
    }
    if wild && source.one_in(2) { source.mutated(text.as_bytes()) } else { text.into_bytes() }
}

pub(super) fn tables(source: &mut Source) {
    fn reads<R: Record>(source: &mut Source) {
        let scratch = Scratch::with(R::FILE, &table::<R>(source));
        if let Ok(records) = read_records::<R>(scratch.folder()) {
            let mut lines = Vec::new();
            records.iter().for_each(|record| record.write(&mut lines));
            assert!(records.is_empty() || !lines.is_empty());
        }
    }
    match source.up_to(2) {
        0 => reads::<Episode>(source),
        1 => reads::<Evaluation>(source),
        _ => reads::<MetricRow>(source),
    }
}

/// What is read is written, and read the same again.
fn reads_episodes<O: Space, A: Space>(text: &[u8], observations: &O, actions: &A) {
    let scratch = Scratch::with("episodes.jsonl", text);
    let path = scratch.path("episodes.jsonl");
    let read = |path: &Path| Demonstrations::read(path, observations.clone(), actions.clone());
    let Ok(episodes) = read(&path) else { return };
    let steps: usize = episodes.episodes().map(|steps| steps.len()).sum();
    assert_eq!(steps, episodes.len());
    let _ = episodes.returns();
    let copy = scratch.path("copy.jsonl");
    episodes.write(&copy).expect("what was read can be written");
    let again = read(&copy).expect("and read again");
    assert_eq!(format!("{:?}", episodes.actions()), format!("{:?}", again.actions()));
    assert_eq!(format!("{:?}", episodes.observations()), format!("{:?}", again.observations()));
}

pub(super) fn demonstrations(source: &mut Source) {
    // Usually that of the space below.
    let space = source.up_to(3);
    let text = if source.one_in(4) { source.up_to(4) } else { space };
    let mut text = DEMONSTRATIONS[text].to_vec();
    if source.one_in(2) {
        let line = |line: &[u8]| {
            let mut json: Value = serde_json::from_slice(line).unwrap_or_default();
            if source.one_in(4) {
                change_json(source, &mut json);
            }
            format!("{json}\n").into_bytes()
        };
        text = text.trim_ascii().split(|&byte| byte == b'\n').flat_map(line).collect();
    } else {
        text = source.mutated(&text);
    }
    match space {
        0 => reads_episodes(&text, &Discrete::new(3), &Discrete::new(2)),
        1 => reads_episodes(&text, &BoxSpace::<2>::unbounded(), &BoxSpace::symmetric([1.0])),
        2 => {
            let multi = MultiDiscrete::new([3, 2]).expect("two sizes");
            reads_episodes(&text, &multi, &multi);
        }
        _ => {
            let row = RowSpace::new(vec![-1.0; 2], vec![1.0; 2], vec![2]).expect("two numbers");
            reads_episodes(&text, &row, &Discrete::new(2));
        }
    }
}

/// The manifest with a checksum that is right, so that what is wrong is the content.
fn summed(mut manifest: Value) -> Vec<u8> {
    if let Some(sum) = manifest.get_mut("crc32") {
        *sum = 0.into();
        let right = crc32(manifest.to_string().as_bytes());
        manifest["crc32"] = right.into();
    }
    manifest.to_string().into_bytes()
}

/// A manifest with changes that its checksums do not show.
fn with_changes(source: &mut Source, manifest: &[u8]) -> Vec<u8> {
    let mut json: Value = serde_json::from_slice(manifest).expect("a manifest is JSON");
    change_json(source, &mut json);
    summed(json)
}

fn owner() -> RunIdentity {
    RunIdentity { agent: "a".to_owned(), ..RunIdentity::default() }
}

/// Two checkpoints.
fn checkpoint_files() -> Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    let save = || {
        let scratch = Scratch::new();
        let checkpoints = CheckpointDir::new(scratch.folder());
        let mut state = StateDict::new();
        state.insert_array("table", &[2], &[0.5_f64, -1.0]);
        state.insert("count", &7).expect("plain data");
        for steps in [10, 20] {
            checkpoints.save(&state, Manifest::new(owner(), steps)).expect("a checkpoint");
        }
        Files::below(scratch.folder())
    };
    FILES.get_or_init(save).clone()
}

pub(super) fn manifests(source: &mut Source) {
    let (mut files, scratch) = (checkpoint_files(), Scratch::new());
    let manifest = files.file("manifest.json");
    *manifest = match source.up_to(1) {
        0 => source.mutated(manifest),
        _ => with_changes(source, manifest),
    };
    files.write(scratch.folder());
    if source.one_in(6) {
        let text = source.text().replace(['/', '\0'], "_");
        let name = source.pick(&["99999999999999999999", "000000000020.tmp", "-1", &text]);
        let _ = fs::create_dir(scratch.path(name));
    }
    let checkpoints = CheckpointDir::new(scratch.folder());
    // The one before it is whole.
    let newest = checkpoints.newest(&owner(), |_, state| Ok(state.get::<u64>("count")?));
    if let Ok(newest) = newest {
        let newest = newest.expect("there are two checkpoints");
        assert_eq!(newest.state, 7);
        checkpoints.set_aside_after(newest.manifest.env_steps).expect("a folder of our own");
    }
}

const STEPS: u64 = 60;

/// Trains in the directory of a run until this env step.
fn train(run: &Path, existing: Existing, until: u64) -> Result<Summary, TrainError> {
    let training = Training {
        eval_every: 20,
        checkpoint_every: 20,
        log_every: 20,
        env_steps: STEPS + 20,
        ..Training::default()
    };
    let plan = training.plan(0);
    let make = |o, a| QLearning::new(o, a, QLearningConfig::default(), &plan);
    let setup = &mut setup(&plan, TwoArmedBandit::default, make).expect("an agent and a bandit");
    let trainer = setup.trainer(&training, 0);
    let trainer = trainer.look(move |_, progress| Ok(Flow::stop_if(progress.env_steps >= until)));
    trainer.record_to(run, existing, &toml::Table::new())?.run()
}

/// The directory of a run after a short training.
fn seed_files() -> Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    let trained = || {
        let scratch = Scratch::new();
        train(scratch.folder(), Existing::Refuse, STEPS).expect("a training");
        Files::below(scratch.folder())
    };
    FILES.get_or_init(trained).clone()
}

/// Makes the sum right that the newest manifest has of a file.
fn sum_anew(files: &mut Files, part: &str, name: &str) {
    let bytes = files.file(name).clone();
    let manifest = files.file("manifest.json");
    let mut json: Value = serde_json::from_slice(manifest).expect("a manifest is JSON");
    json[part][name] = serde_json::json!({"bytes": bytes.len(), "crc32": crc32(&bytes)});
    *manifest = summed(json);
}

/// A seed is taken up from what is left of its directory, or refused.
pub(super) fn seed_directories(source: &mut Source) {
    let mut files = seed_files();
    match source.up_to(4) {
        0 => files.damage(source, |path| path.ends_with(EventWriter::FILE)),
        1 if source.one_in(2) => {
            // A log whose contents are wrong, under a sum that is right.
            let name = source.pick(&[Episode::FILE, Evaluation::FILE, MetricRow::FILE]);
            let log = files.file(name);
            *log = source.mutated(log);
            sum_anew(&mut files, "logs", name);
        }
        1 => files.damage(source, |path| path.extension().is_some_and(|end| end == "csv")),
        2 => {
            let manifest = files.file("manifest.json");
            *manifest = with_changes(source, manifest);
        }
        3 => {
            // The state of agent, environments and loop, under sums that are right.
            let values = files.file("values.json");
            let mut json: Value = serde_json::from_slice(values).expect("values are JSON");
            change_json(source, &mut json);
            *values = json.to_string().into_bytes();
            sum_anew(&mut files, "files", "values.json");
        }
        _ => files.damage(source, |_| true),
    }
    let scratch = Scratch::new();
    files.write(scratch.folder());
    let _ = train(scratch.folder(), Existing::Resume, u64::MAX);
}

/// The directory of a run: its tables and its summaries, as they are or as they should not be.
pub(super) fn reports(source: &mut Source) {
    let scratch = Scratch::with("config.toml", b"seeds = [0, 1]\n");
    let summary = r#"{"ending":"budget","env_steps":60,"episodes":9,"wall_time_s":1.0,
        "env_steps_per_s":60.0,"learned":true,"evaluations":[{"env_step":60,"wall_time_s":1.0,
        "mean_return":0.5,"std_return":0.1,"min_return":0.0,"max_return":1.0,"episodes":5}]}"#;
    for seed in 0..2 {
        let dir = scratch.path(&format!("seed-{seed}"));
        fs::create_dir(&dir).expect("a folder");
        fs::write(dir.join(Evaluation::FILE), table::<Evaluation>(source)).expect("a scratch file");
        let text = match source.up_to(5) {
            0 => source.mutated(summary.as_bytes()),
            2.. => summary.into(),
            1 => {
                let mut json: Value = serde_json::from_str(summary).expect("it is JSON");
                change_json(source, &mut json);
                json.to_string().into_bytes()
            }
        };
        fs::write(dir.join("summary.json"), text).expect("a scratch file");
        let _ = SeedDir::below(scratch.folder(), seed).summary();
    }
    let mut number = || Some(source.number()).filter(|_| !source.one_in(3));
    let demands = Demands {
        mean: number(),
        within: number().zip(number()),
        hold: number().zip(number()),
        last_quarter_min: number(),
    };
    let threshold = number();
    let Ok(seeds) = SeedResults::read_all(scratch.folder()) else { return };
    for seed in &seeds {
        let _ = seed.curve();
    }
    let (run, agent, env) = (source.text(), source.text(), source.text());
    let run = RunResults {
        run,
        agent,
        env,
        returns: Returns::Evaluation,
        threshold,
        reference: None,
        seeds,
    };
    if let Ok(judgement) = demands.judge(&run) {
        let _ = (judgement.verdict(), judgement.seeds_needed());
    }
    if let Ok(report) = Report::of(&[run.clone(), run], &[100]) {
        let texts = [report.to_table(), report.to_csv(), report.to_json(), report.to_latex()];
        assert!(texts.iter().all(|text| !text.is_empty()));
        let row = &report.rows[0];
        assert!(row.mean.estimate.is_finite() && row.iqm.estimate.is_finite(), "{row:?}");
    }
}
