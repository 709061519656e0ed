//! The definition of a search: the contents of `tune.toml`.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use gymnast_core::{
    atomic_file, files, locks,
    tune::{
        CmaEs, Distribution, Grid, Median, Pruner, SearchSpace, StudyConfig, StudyDirection,
        SuccessiveHalving, Tpe, TrialSampler, TuneError,
    },
};
use gymnast_envs::spelling::whole_number;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use toml::{Table, Value};

use super::{DEFINITION, PrunerName, STUDY, SamplerName, Tune, search};
use crate::{
    Run,
    command::{
        CommandError, MOST, Names, is_there, run_dir,
        seeds::{self, MOST_SEEDS},
        shell,
    },
    run::{self, RunError, key_path, read_toml, set_key},
    settings::{parse_assignment, to_table},
};

/// The default number of trials. A grid has one per combination.
const TRIALS: u64 = 30;
/// The default seeds of a trial.
const SEEDS: [u64; 2] = [0, 1];
/// The maximum number of trials, for --trials.
pub(super) const MOST_TRIALS: u64 = 100_000;
/// The setting that gives trials different lengths.
const ENV_STEPS: &str = "training.env_steps";
/// The number of seeds to judge the best settings by.
const JUDGES: usize = 5;

/// The definition of a search.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    pub(super) trials: u64,
    #[serde(serialize_with = "write_seeds", deserialize_with = "read_seeds")]
    pub(super) seeds: Vec<u64>,
    pub(super) jobs: usize,
    /// The ranges, as written.
    search: Table,
    pub(super) study: StudyConfig,
    /// All settings that are not searched, as in a run.
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
            set_key(&mut config, ENV_STEPS, steps.into())?;
        }
        let search =
            search::gather(names.catalog.agent(&agent)?, args.space.as_deref(), &args.search)?;
        let space = search::space(&search)?;
        let run = Run::new(&names.catalog, &names.registry, &config)?;
        let longest = longest(&run, &space)?;
        let study = StudyConfig {
            direction: StudyDirection::Maximize,
            sampler: match args.sampler {
                SamplerName::Tpe => TrialSampler::Tpe(Tpe::default()),
                SamplerName::CmaEs => TrialSampler::CmaEs(CmaEs::default()),
                SamplerName::Random => TrialSampler::Random,
                SamplerName::Grid => TrialSampler::Grid(Grid { space, points: args.grid_points }),
            },
            pruner: match args.pruner {
                PrunerName::None => Pruner::None,
                PrunerName::Median => Pruner::Median(Median {
                    // Early returns predict late ones poorly.
                    n_warmup_steps: longest / 2,
                    ..Median::default()
                }),
                PrunerName::Asha => Pruner::SuccessiveHalving(SuccessiveHalving {
                    // The lowest rung is the first evaluation.
                    min_resource: match run.training.eval_every {
                        0 => longest,
                        every => every.min(longest),
                    },
                    ..SuccessiveHalving::default()
                }),
            },
            seed: args.seed,
            about: String::new(),
        };
        let trials = match &study.sampler {
            TrialSampler::Grid(grid) => grid.len(),
            _ => TRIALS,
        };
        if args.trials.is_none() && trials > MOST_TRIALS {
            return Err(CommandError::usage(format!(
                "the grid has {trials} combinations, and a search at most {MOST_TRIALS} trials: choose \
                 fewer --grid-points or ranges, or give --trials for the first of them"
            )));
        }
        let definition = Self {
            trials: args.trials.unwrap_or(trials),
            seeds: seeds::resolve(args.seeds.as_ref(), args.first_seed, 0, &SEEDS)?,
            jobs: args.jobs.unwrap_or(1),
            search,
            study,
            config: run.to_table(),
        };
        definition.check(names)?;
        Ok(definition)
    }

    /// Reads the search of a directory, with the number of trials given now.
    pub(super) fn read(dir: &Path, args: &Tune, names: &Names) -> Result<Self, CommandError> {
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
        for (key, count) in [("seeds", definition.seeds.len()), ("jobs", definition.jobs)] {
            if count == 0 {
                let path = path.display();
                return Err(CommandError::failed(format!(
                    "{path}: {key} = 0: expected at least 1"
                )));
            }
        }
        definition.check(names)?;
        Ok(definition)
    }

    /// Checks the ends and choices of each range, with the other settings fixed, so that a wrong
    /// key or range is reported before hours of training.
    fn check(&self, names: &Names) -> Result<(), CommandError> {
        let space = self.space()?;
        let paths: Vec<_> = space.iter().map(|(key, _)| (key, key_path(key) + ".")).collect();
        for (i, (key, path)) in paths.iter().enumerate() {
            let is_part = |(_, other): &&(&str, String)| {
                other.starts_with(path.as_str()) || path.starts_with(other.as_str())
            };
            if let Some((other, _)) = paths[..i].iter().find(is_part) {
                return Err(CommandError::usage(format!(
                    "--search {other} and {key} set the same setting: give one of them"
                )));
            }
        }
        let (longest, seeds) = (self.longest(names)?, self.seeds.len());
        if longest.checked_mul(seeds as u64).is_none() {
            return Err(CommandError::usage(format!(
                "{ENV_STEPS} = {longest} with {seeds} seeds: expected less than 2^64 env steps in total"
            )));
        }
        if space.get(ENV_STEPS).is_none() {
            self.run(&[], names)?.check_first_update()?;
        }
        for (key, distribution) in space.iter() {
            let inside = match distribution {
                // Both ends of uniform(1, 4) are whole numbers, but most values between are not.
                Distribution::Float { low, high, .. } => {
                    Some((low + (high - low) / std::f64::consts::PI).into())
                }
                _ => None,
            };
            for value in distribution.extremes(key)?.into_iter().chain(inside) {
                let checked = self.run(&[(key.to_owned(), value.clone())], names);
                let checked = checked.and_then(|run| Ok(run.check_first_update()?));
                checked.map_err(|error| {
                    let better = search::suggest(key, distribution, &value, self.setting(key));
                    let reason = better.unwrap_or_else(|| error.to_string());
                    CommandError::usage(format!("--search {key}={distribution}: {reason}"))
                })?;
            }
        }
        Ok(())
    }

    /// Returns the value of a setting that is not searched. `None` if it is unset or part of a
    /// value.
    fn setting(&self, key: &str) -> Option<&Value> {
        let path = key_path(key);
        let (part, key) = path.split_once('.')?;
        self.config.get(part)?.get(key)
    }

    pub(super) fn space(&self) -> Result<SearchSpace, CommandError> {
        search::space(&self.search)
    }

    /// Returns the env steps of the longest training that a trial may have with one seed.
    pub(super) fn longest(&self, names: &Names) -> Result<u64, CommandError> {
        Ok(longest(&self.run(&[], names)?, &self.space()?)?)
    }

    /// Returns the study with everything that its trials depend on, so that a changed search cannot
    /// continue it.
    pub(super) fn study(&self) -> StudyConfig {
        let mut about = Table::new();
        about.insert("seeds".to_owned(), seeds_value(&self.seeds));
        about.insert("search".to_owned(), self.search.clone().into());
        about.insert("config".to_owned(), self.config.clone().into());
        StudyConfig { about: about.to_string(), ..self.study.clone() }
    }

    /// Returns the run of a trial with these settings.
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
        // Not the seeds that the settings were chosen by, which would flatter them.
        let after = self.seeds.last().map_or(0, |last| last + 1);
        let unseen = (after..=MOST).chain(0..after).filter(|seed| !self.seeds.contains(seed));
        config.insert("seeds".to_owned(), seeds::to_toml(&unseen.take(JUDGES).collect::<Vec<_>>()));
        Run::new(&names.catalog, &names.registry, &config)
    }

    /// Returns the names of the agent and the environment.
    pub(super) fn names(&self) -> (&str, &str) {
        let name = |part: &str, key: &str| self.config.get(part)?.get(key)?.as_str();
        (name("agent", "name").unwrap_or("?"), name("env", "id").unwrap_or("?"))
    }

    pub(super) fn default_dir(&self) -> PathBuf {
        let (agent, env) = self.names();
        run_dir::default(&format!("tune-{agent}"), env)
    }

    /// Creates the directory, which must be empty except for files of a search killed before its
    /// first trial.
    pub(super) fn claim(&self, dir: &Path) -> Result<(), CommandError> {
        let name = run_dir::name(dir);
        let failed = |error| CommandError::failed(format!("cannot create {name}: {error}"));
        if dir.join(DEFINITION).try_exists().map_err(failed)? {
            return Err(CommandError::usage(format!(
                "{name} holds a search already: continue it with gymnast tune --resume --out {}, or \
                 choose another --out",
                shell::path(dir)
            )));
        }
        files::create_dir_all(dir).and_then(|()| files::sync_names(dir)).map_err(failed)?;
        self.expect_free(dir)
    }

    fn expect_free(&self, dir: &Path) -> Result<(), CommandError> {
        let name = run_dir::name(dir);
        let failed = |error| CommandError::failed(format!("cannot list {name}: {error}"));
        for entry in std::fs::read_dir(dir).map_err(failed)? {
            let file = entry.map_err(failed)?.file_name();
            let file = file.to_string_lossy();
            let is_lock =
                |of: &str| file.starts_with(&format!(".{of}.")) && file.ends_with(".lock");
            if file != STUDY
                && !atomic_file::is_leftover(&file, DEFINITION)
                && ![DEFINITION, STUDY].into_iter().any(is_lock)
            {
                return Err(CommandError::usage(format!(
                    "{name} contains files that belong to no search: choose an empty or a new directory"
                )));
            }
        }
        Ok(())
    }

    /// Begins the search in the directory, or checks that the directory's is the same. Returns the
    /// lock that the definition is read and written under.
    pub(super) fn join(&self, dir: &Path) -> Result<File, CommandError> {
        let path = dir.join(DEFINITION);
        let exists = || is_there(&path);
        if !exists()? {
            files::create_dir_all(dir).and_then(|()| files::sync_names(dir))?;
            // Before anything is written into a directory that holds something else.
            if let Err(error) = self.expect_free(dir)
                && !exists()?
            {
                return Err(error);
            }
        }
        let lock = lock(dir)?;
        if !exists()? {
            self.write(dir)?;
            return Ok(lock);
        }
        let saved: Self =
            read_toml(&path).map_err(|error| CommandError::failed(error.to_string()))?;
        let tables = [to_table(&saved), to_table(self)];
        // More trials continue the search.
        let differs =
            |key: &&String| *key != "trials" && tables[0].get(*key) != tables[1].get(*key);
        if let Some(key) = tables[1].keys().find(differs) {
            let hint = if key == "jobs" { " (--jobs)" } else { "" };
            return Err(CommandError::usage(format!(
                "{} holds another search: its {DEFINITION} has other values of `{key}`{hint}; give the same \
                 arguments, or choose another --out",
                run_dir::name(dir)
            )));
        }
        if self.trials > saved.trials {
            self.write(dir)?;
        }
        Ok(lock)
    }

    pub(super) fn write(&self, dir: &Path) -> Result<(), CommandError> {
        // No name ends the line: the rest would be read as a setting.
        let out = shell::path(dir);
        let header = format!(
            "# The definition of this search. To continue it:\n# gymnast tune --resume --out {out}\n"
        );
        let text = header + &to_table(self).to_string();
        Ok(atomic_file::write(&dir.join(DEFINITION), text.as_bytes())?)
    }
}

/// Waits for the lock under which the definition and the result are written.
pub(super) fn lock(dir: &Path) -> Result<File, CommandError> {
    let path = dir.join(format!(".{DEFINITION}.lock"));
    locks::wait(&path)
        .map_err(|error| CommandError::failed(format!("cannot lock {}: {error}", path.display())))
}

/// Writes seeds in `tune.toml`: their number if they count from 0, else a list.
fn seeds_value(seeds: &[u64]) -> Value {
    let is_count = seeds.iter().zip(0..).all(|(seed, i)| *seed == i);
    if is_count { Value::Integer(seeds.len() as i64) } else { seeds::to_toml(seeds) }
}

fn write_seeds<S: Serializer>(seeds: &[u64], serializer: S) -> Result<S::Ok, S::Error> {
    seeds_value(seeds).serialize(serializer)
}

fn read_seeds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let expected = || D::Error::custom(format!("seeds = {value}: expected a number or a list"));
    match &value {
        Value::Integer(count) => {
            let count = u64::try_from(*count).ok().filter(|count| *count <= MOST_SEEDS);
            Ok((0..count.ok_or_else(expected)?).collect())
        }
        list => run::read_seeds(&Table::from_iter([("seeds".to_owned(), list.clone())]))
            .map_err(|_| expected()),
    }
}

/// Returns the env steps of the longest training of a search with one seed.
fn longest(run: &Run, space: &SearchSpace) -> Result<u64, TuneError> {
    let Some(searched) = space.get(ENV_STEPS) else { return Ok(run.training.env_steps) };
    let steps = searched.extremes(ENV_STEPS)?;
    // 1e4 is accepted as a count in a choice.
    let count = |steps: &serde_json::Value| {
        let whole = || steps.as_f64().and_then(whole_number)?.try_into().ok();
        steps.as_u64().or_else(whole)
    };
    Ok(steps.iter().filter_map(count).max().unwrap_or(run.training.env_steps))
}
