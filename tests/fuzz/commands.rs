//! The command, called in this process: its arguments and every file that it reads. No call trains for
//! long: where one would begin, a file stands in the directory's place.

use std::{fs, path::Path, process::ExitCode, sync::OnceLock};

use gymnast::{Catalog, Registry, command};

use super::{
    scratch::{Files, Scratch},
    source::Source,
    values::change_toml,
};
use crate::sandbox::SHORT;

const SUITES: [&[u8]; 3] = [
    include_bytes!("corpus/suite/scores.toml"),
    include_bytes!("corpus/suite/seeds.toml"),
    include_bytes!("corpus/suite/shared.toml"),
];
const DEFINITIONS: [&[u8]; 2] =
    [include_bytes!("corpus/tune/tune.toml"), include_bytes!("corpus/tune/grid.toml")];
const SPACES: [&[u8]; 2] =
    [include_bytes!("corpus/tune/space.toml"), include_bytes!("corpus/tune/nested.toml")];

/// Calls the command, which answers.
fn call(args: &[&str]) {
    let args = [&["gymnast"], args].concat();
    let code = command::run(Registry::builtin(), Catalog::builtin(), &args);
    let usual = [0, 1, 2].map(ExitCode::from);
    assert!(usual.contains(&code), "{args:?}: {code:?}");
}

/// Without a NUL, which no argument can hold.
fn argument(text: &str) -> String {
    text.replace('\0', "")
}

const COUNTS: [&str; 12] =
    ["10", "1e3", "1_000", "2.5e6", "-1", "+3", "1e-1", "0e99999", "1e32767", ".5e1", "0x10", "９"];
const SEEDS: [&str; 10] = [
    "3,7",
    "100..119",
    "100-119,7",
    "0..=9",
    "5..1",
    "0..9223372036854775807",
    "9223372036854775807,9223372036854775806",
    "1e2..1e3",
    "1,,2",
    "1e3-1e4",
];
const KEYS: [&str; 9] = [
    "alpha=0.5",
    "training.num_envs=2",
    "env.is_slippery=false",
    "env.desc=[\"SG\"]",
    "evaluation.map_name='8x8'",
    "agent.name=1",
    "epsilon.from.x=1",
    "env.reward_schedule=[1,nan,inf]",
    "training.stop_at=-inf",
];

fn damaged(source: &mut Source, texts: &[&str]) -> String {
    let text = source.pick(texts);
    if source.one_in(2) {
        return text.to_owned();
    }
    argument(&String::from_utf8_lossy(&source.mutated(text.as_bytes())))
}

pub(super) fn arguments(source: &mut Source) {
    let scratch = Scratch::with("busy", b"");
    let busy = scratch.argument("busy");
    let (count, seeds) = (damaged(source, &COUNTS), damaged(source, &SEEDS));
    let (key, text) = (damaged(source, &KEYS), argument(&source.text()));
    match source.up_to(7) {
        0 => call(&["train", "q-learning", "FrozenLake-v1", "--seeds", &seeds, "--out", &busy]),
        1 => call(&[
            "train",
            "sarsa",
            "FrozenLake-v1",
            "--set",
            &key,
            "--steps",
            &count,
            "--out",
            &busy,
        ]),
        2 => call(&[
            "train",
            "dyna-q",
            "DynaMaze-v0",
            "--seeds",
            &count,
            "--first-seed",
            &count,
            "--out",
            &busy,
        ]),
        3 => call(&["evaluate", &busy, "--episodes", &count, "--seed", &count]),
        4 => call(&["train", &text, &seeds, "--eval-every", &count, "--out", &busy]),
        5 => call(&["report", &busy, &text, "--threshold", &count]),
        6 => call(&["replay", "FrozenLake-v1", &busy, "--tolerance", &count, "--set", &key]),
        _ => call(&[&text, &key, &count, "--out", &busy]),
    }
}

/// A text of TOML, its bytes or its values changed.
fn changed(source: &mut Source, text: &[u8]) -> Vec<u8> {
    let table = std::str::from_utf8(text).ok().and_then(|text| text.parse::<toml::Table>().ok());
    match table {
        Some(mut table) if source.one_in(2) => {
            change_toml(source, &mut table);
            table.to_string().into_bytes()
        }
        _ => source.mutated(text),
    }
}

pub(super) fn suites(source: &mut Source) {
    let text = source.pick(&SUITES);
    let scratch = Scratch::with("suite.toml", &changed(source, text));
    fs::write(scratch.path("busy"), b"").expect("a scratch file");
    let (suite, busy) = (scratch.argument("suite.toml"), scratch.argument("busy"));
    let seeds = damaged(source, &SEEDS);
    let arguments = ["benchmark", &suite, "--out", &busy, "--quiet", "--jobs=1"];
    match source.up_to(4) {
        0 => call(&[&arguments[..], &["--seeds", &seeds]].concat()),
        1 => call(&[&arguments[..], &["--agent", "sarsa"]].concat()),
        _ => call(&arguments),
    }
}

const RANGES: [&str; 12] = [
    "alpha=uniform(0.1,0.9)",
    "alpha=log(1e-5,1)",
    "gamma=uniform(0.9,0.999)",
    "epsilon=[0.1, {from=1.0,to=0.1}]",
    "training.num_envs=int(1,8)",
    "training.env_steps=log_int(1_000,1e5)",
    "training.env_steps=[1000, 2e3]",
    "alpha=log_int(1,9007199254740993)",
    "alpha=uniform(-1e308,1e308)",
    "env.map_name=['4x4','8x8']",
    "alpha=uniform(nan,inf)",
    "a.b=uniform(0,1",
];

pub(super) fn searches(source: &mut Source) {
    let text = source.pick(&SPACES);
    let scratch = Scratch::with("space.toml", &changed(source, text));
    fs::write(scratch.path("busy"), b"").expect("a scratch file");
    let (space, busy) = (scratch.argument("space.toml"), scratch.argument("busy"));
    let (range, other) = (damaged(source, &RANGES), damaged(source, &RANGES));
    let sampler = source.pick(&["tpe", "cma-es", "random", "grid"]);
    let pruner = source.pick(&["none", "median", "asha"]);
    let points = source.pick(&["2", "4", "1000", "1001"]);
    let seeds = damaged(source, &SEEDS);
    let mut arguments = vec![
        "tune",
        "q-learning",
        "FrozenLake-v1",
        "--out",
        &busy,
        "--quiet",
        "--sampler",
        sampler,
        "--pruner",
        pruner,
        "--grid-points",
        points,
    ];
    if source.one_in(2) {
        arguments.extend(["--space", &space]);
    }
    if source.one_in(2) {
        arguments.extend(["--search", &range, "--search", &other]);
    }
    if source.one_in(4) {
        arguments.extend(["--seeds", &seeds]);
    }
    call(&arguments);
}

pub(super) fn tune_definitions(source: &mut Source) {
    let text = source.pick(&DEFINITIONS);
    let scratch = Scratch::with("tune.toml", &changed(source, text));
    // No study can be begun here.
    fs::create_dir(scratch.path("study.jsonl")).expect("a scratch folder");
    let dir = scratch.folder().to_str().expect("a temporary folder has a plain name");
    let jobs = source.pick(&["1", "2", "1024"]);
    call(&["tune", "--resume", "--out", dir, "--quiet", "--jobs", jobs]);
}

/// The directory of a short run of two seeds.
fn run_files() -> Files {
    static FILES: OnceLock<Files> = OnceLock::new();
    let train = || {
        let scratch = Scratch::new();
        let run = scratch.argument("run");
        call(&[&SHORT[..], &["--seeds=2", "--out", &run]].concat());
        Files::below(&scratch.path("run"))
    };
    FILES.get_or_init(train).clone()
}

pub(super) fn damaged_runs(source: &mut Source) {
    let mut files = run_files();
    // A run of other settings may train for ever: `configurations` reads those.
    let resumes = source.one_in(2);
    let is_config = |path: &Path| path.ends_with("config.toml");
    files.damage(source, |path| !(resumes && is_config(path)));
    let scratch = Scratch::new();
    files.write(&scratch.path("run"));
    let [run, svg, lines] = ["run", "x.svg", "x.jsonl"].map(|name| scratch.argument(name));
    let format = source.pick(&["table", "csv", "json", "md"]);
    call(&["report", &run, "--format", format]);
    call(&["plot", &run, "--out", &svg, "--force"]);
    call(&["plot", &run, "--out", &svg, "--force", "--episodes", "--x=time"]);
    call(&["plot", &run, "--out", &svg, "--force", "--kind=intervals", "--width=one-column"]);
    call(&["plot", &run, "--out", &svg, "--force", "--smooth=2", "--x-limits=0,300", "--log-y"]);
    call(&["evaluate", &run, "--episodes=2", "--json"]);
    call(&["record", &run, "--episodes=1", "--out", &lines, "--max-steps=50"]);
    if resumes {
        call(&["train", "--resume", "--out", &run, "--quiet", "--jobs=1"]);
    }
}
