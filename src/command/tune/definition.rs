//! What is searched for, and how: the whole of `tune.toml`.

use std::path::{Path, PathBuf};

use gymnast_core::{
    atomic_file,
    tune::{
        CmaEs, Direction, Grid, Median, Pruner, Sampler, SearchSpace, StudyConfig,
        SuccessiveHalving, Tpe,
    },
};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{DEFINITION, PrunerName, STUDY, SamplerName, Tune, search};
use crate::{
    Run,
    command::{CommandError, Names, run_dir},
    run::{RunError, read_toml, set_key},
    settings::{parse_assignment, to_table},
};

/// The trials of a search that names no number.
const TRIALS: u64 = 30;
/// The seeds of a trial, likewise.
const SEEDS: u32 = 2;
/// How many seeds the best settings are to be judged by.
const JUDGES: i64 = 5;

/// What is searched for, and how.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub(super) trials: u64,
    pub(super) seeds: u32,
    pub(super) jobs: usize,
    /// The ranges, as they were written.
    search: Table,
    pub(super) study: StudyConfig,
    /// Everything that is not searched, as of a run.
    config: Table,
}

impl Definition {
    pub(super) fn new(args: &Tune, names: &Names) -> Result<Self, CommandError> {
        let name = |name: &Option<String>| name.clone().expect("required without --resume");
        let (agent, env) = (name(&args.agent), name(&args.env));
        let mut config = Run::defaults(&names.catalog, &names.registry, &agent, &env)?;
        for text in &args.set {
            let (key, value) = parse_assignment(text).map_err(CommandError::usage)?;
            set_key(&mut config, &key, value)?;
        }
        if let Some(steps) = args.steps {
            let steps = i64::try_from(steps).unwrap_or(i64::MAX);
            set_key(&mut config, "training.env_steps", steps.into())?;
        }
        let search = search::gather(&agent, args.space.as_deref(), &args.search)?;
        let space = search::space(&search)?;
        let run = Run::new(&names.catalog, &names.registry, &config)?;
        let study = StudyConfig {
            direction: Direction::Maximize,
            sampler: match args.sampler {
                SamplerName::Tpe => Sampler::Tpe(Tpe::default()),
                SamplerName::CmaEs => Sampler::CmaEs(CmaEs::default()),
                SamplerName::Random => Sampler::Random,
                SamplerName::Grid => Sampler::Grid(Grid { space, points: args.grid_points }),
            },
            pruner: match args.pruner {
                PrunerName::None => Pruner::None,
                PrunerName::Median => Pruner::Median(Median {
                    // Early returns say little of late ones.
                    n_warmup_steps: run.training.env_steps / 2,
                    ..Median::default()
                }),
                PrunerName::Asha => Pruner::SuccessiveHalving(SuccessiveHalving {
                    // The lowest rung is the first evaluation.
                    min_resource: match run.training.eval_every {
                        0 => run.training.env_steps,
                        every => every.min(run.training.env_steps),
                    },
                    ..SuccessiveHalving::default()
                }),
            },
            seed: args.seed,
        };
        let definition = Self {
            trials: args.trials.unwrap_or(TRIALS),
            seeds: args.seeds.unwrap_or(SEEDS),
            jobs: args.jobs.unwrap_or(1),
            search,
            study,
            config: run.to_table(),
        };
        definition.check(names)?;
        Ok(definition)
    }

    /// The search of a directory, with as many trials as are asked for now.
    pub(super) fn read(dir: &Path, args: &Tune) -> Result<Self, CommandError> {
        let path = dir.join(DEFINITION);
        if !path.is_file() {
            return Err(CommandError::usage(format!(
                "{} holds no search: expected a directory with a {DEFINITION}",
                run_dir::name(dir)
            )));
        }
        let mut definition: Self =
            read_toml(&path).map_err(|error| CommandError::failed(error.to_string()))?;
        definition.trials = args.trials.unwrap_or(definition.trials);
        definition.jobs = args.jobs.unwrap_or(definition.jobs);
        for (key, is_sound) in [("seeds", definition.seeds > 0), ("jobs", definition.jobs > 0)] {
            if !is_sound {
                let path = path.display();
                return Err(CommandError::failed(format!(
                    "{path}: {key} = 0: expected at least 1"
                )));
            }
        }
        Ok(definition)
    }

    /// Checks each end and choice of each range, the others being as set, so that a wrong key or range
    /// is said before hours of training.
    fn check(&self, names: &Names) -> Result<(), CommandError> {
        for (key, distribution) in self.space()?.iter() {
            for value in distribution.extremes() {
                let checked = self.run(&[(key.to_owned(), value)], names);
                checked.map_err(|error| {
                    CommandError::usage(format!("--search {key}={distribution}: {error}"))
                })?;
            }
        }
        Ok(())
    }

    pub(super) fn space(&self) -> Result<SearchSpace, CommandError> {
        search::space(&self.search)
    }

    /// The run of a trial with these settings.
    pub(super) fn run(
        &self,
        settings: &[(String, serde_json::Value)],
        names: &Names,
    ) -> Result<Run, RunError> {
        let mut config = self.config.clone();
        for (key, value) in settings {
            let value =
                Value::try_from(value).map_err(|error| RunError::Config(error.to_string()))?;
            set_key(&mut config, key, value)?;
        }
        // Not those that the settings were chosen by: they would flatter them.
        let first = i64::from(self.seeds);
        let seeds: Vec<Value> = (first..first + JUDGES).map(Value::from).collect();
        config.insert("seeds".to_owned(), seeds.into());
        Run::new(&names.catalog, &names.registry, &config)
    }

    /// The agent's and the environment's names.
    pub(super) fn names(&self) -> (&str, &str) {
        let name = |part: &str, key: &str| self.config.get(part)?.get(key)?.as_str();
        (name("agent", "name").unwrap_or("?"), name("env", "id").unwrap_or("?"))
    }

    pub(super) fn default_dir(&self) -> PathBuf {
        let (agent, env) = self.names();
        run_dir::default(&format!("tune-{agent}"), env)
    }

    /// Makes the directory, which must hold nothing yet.
    pub(super) fn claim(&self, dir: &Path) -> Result<(), CommandError> {
        let name = run_dir::name(dir);
        let failed = |error| CommandError::failed(format!("cannot create {name}: {error}"));
        if [DEFINITION, STUDY].iter().any(|file| dir.join(file).exists()) {
            return Err(CommandError::usage(format!(
                "{name} holds a search already: continue it with gymnast tune --resume --out {name}, or \
                 choose another --out"
            )));
        }
        std::fs::create_dir_all(dir).map_err(failed)?;
        match std::fs::read_dir(dir).map_err(failed)?.next() {
            None => Ok(()),
            Some(_) => Err(CommandError::usage(format!(
                "{name} holds files that no search made: choose an empty or a new directory"
            ))),
        }
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), CommandError> {
        let name = run_dir::name(dir);
        let header =
            format!("# What is searched for. To go on:\n# gymnast tune --resume --out {name}\n");
        let text = header + &to_table(self).to_string();
        Ok(atomic_file::write(&dir.join(DEFINITION), text.as_bytes())?)
    }
}
