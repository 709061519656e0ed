//! Configurations of runs: assignments, files, and what is made of them.

use gymnast::{
    Catalog, Flow, QLearningConfig, Registry, Run, Training,
    harness::{Callback, Evaluation, Progress},
    run::{overlay, read_config},
    settings::{parse, parse_assignment, set},
};
use toml::{Table, Value};

use super::{
    scratch::Scratch,
    source::Source,
    values::{any_json, change_toml},
};

const FILES: [&[u8]; 6] = [
    include_bytes!("corpus/toml/run.toml"),
    include_bytes!("corpus/toml/dotted.toml"),
    include_bytes!("corpus/toml/numbers.toml"),
    include_bytes!("corpus/toml/deep.toml"),
    include_bytes!("corpus/toml/python.toml"),
    include_bytes!("corpus/toml/bom.toml"),
];

const ASSIGNMENTS: [&str; 14] = [
    "alpha=0.1",
    "training.env_steps=1e5",
    "env.max_episode_steps = 10",
    "epsilon={from=1.0,to=.05,until=0.5}",
    "a.b.c=[.5,-.5e3,+.1]",
    "a=\"\\u0000\"",
    "a='''\nb",
    "a=1\nb=2",
    "a=1979-05-27T07:32:00Z",
    "a=0x7fffffffffffffffff",
    "\"a.b\"=1",
    "a=True",
    "a=#",
    "hidden=[[64,64],[]]",
];

pub(super) fn assignments(source: &mut Source) {
    let text = source.pick(&ASSIGNMENTS).to_owned();
    let mut text = String::from_utf8_lossy(&source.mutated(text.as_bytes())).into_owned();
    if source.one_in(20) {
        let (open, close) = source.pick(&[("{a=", "}"), ("[", "]"), ("{a.a.a=", "}"), ("'", "'")]);
        let times = source.pick(&[15, 17, 200, 20_000]);
        text = format!("a={}1{}", open.repeat(times), close.repeat(times));
    }
    let Ok((key, value)) = parse_assignment(&text) else { return };
    let mut table: Table = "a = 1\n[b]\nc = { d = 2 }".parse().expect("it is TOML");
    let _ = set(&mut table, &key, value.clone());
    let written = table.to_string();
    let read: Table = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
    assert_eq!(written, read.to_string());
    for field in ["alpha", "epsilon", "gamma", "env_steps", "num_envs", "stop_at", &key] {
        let table = Table::from_iter([(field.to_owned(), value.clone())]);
        let _ = parse::<QLearningConfig>("q-learning", "", &table);
        if let Ok(training) = parse::<Training>("training", "training.", &table) {
            let _ = training.check();
        }
    }
}

/// Everything that can be named.
fn names() -> (Catalog, Registry) {
    (Catalog::builtin(), Registry::builtin())
}

/// A configuration that was accepted says the same once it was written and read.
fn is_complete(run: &Run, catalog: &Catalog, registry: &Registry) {
    let text = run.to_toml();
    let table: Table = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    let again = Run::new(catalog, registry, &table)
        .unwrap_or_else(|error| panic!("{text}\nis refused once it is written: {error}"));
    assert_eq!(text, again.to_toml());
}

pub(super) fn files(source: &mut Source) {
    let bytes = source.pick(&FILES);
    let scratch = Scratch::with("config.toml", &source.mutated(bytes));
    let Ok(read) = read_config(&scratch.path("config.toml")) else { return };
    let (catalog, registry) = names();
    let mut table =
        Run::defaults(&catalog, &registry, "q-learning", "FrozenLake-v1").expect("a preset");
    if overlay(&mut table, &read).is_err() {
        return;
    }
    if let Ok(run) = Run::new(&catalog, &registry, &table) {
        is_complete(&run, &catalog, &registry);
    }
    let _ = Run::read(&catalog, &registry, scratch.folder()).err().map(|error| error.to_string());
}

/// Ends a training after a few steps.
struct Soon(u64);

impl Soon {
    fn flow(&mut self) -> Flow {
        self.0 = self.0.saturating_sub(1);
        if self.0 == 0 { Flow::Stop } else { Flow::Continue }
    }
}

impl Callback for Soon {
    fn on_step(&mut self, _: &Progress) -> Flow {
        self.flow()
    }

    fn on_evaluation_step(&mut self) -> Flow {
        self.flow()
    }

    fn on_evaluation(&mut self, _: &Evaluation) -> Flow {
        self.flow()
    }
}

/// Settings that are accepted can be trained with.
pub(super) fn settings(source: &mut Source) {
    let (catalog, registry) = names();
    // Those on networks are as large as their settings say, which may be more than fits here.
    let agents: Vec<_> = catalog.iter().filter(|agent| agent.needs() == TABLES).collect();
    let agent = source.pick(&agents);
    let envs: Vec<_> = registry.iter().filter(|env| agent.serves(env)).collect();
    let env = source.pick(&envs);
    let defaults = Run::defaults(&catalog, &registry, agent.name, env.id());
    let defaults = defaults.and_then(|table| Run::new(&catalog, &registry, &table));
    let mut table = defaults.expect("an agent that serves an environment").to_table();
    let part = source.pick(&["training", "agent", "env", "env"]);
    match table.get_mut(part) {
        Some(Value::Table(part)) if !source.one_in(6) => change_toml(source, part),
        _ => change_toml(source, &mut table),
    }
    if source.one_in(8)
        && let Ok(value) = Value::try_from(any_json(source, 2))
    {
        table.insert("evaluation".to_owned(), value);
    }
    let Ok(run) = Run::new(&catalog, &registry, &table) else { return };
    is_complete(&run, &catalog, &registry);
    if run.check_first_update().is_ok() {
        let seed = run.seeds[0];
        let _ = run.train_with_callbacks(seed, &mut [&mut Soon(1 + source.up_to(100) as u64)]);
    }
}

/// What the tabular agents need.
const TABLES: &str = "finite observations and actions";
