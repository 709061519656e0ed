//! The directory of a run, used by one process at a time, for one configuration.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

use gymnast_core::{atomic_file, files};
use toml::{Table, Value};

use crate::{
    Existing, Experiment, SeedDir, TrainError,
    identity::{Difference, SEEDS, difference},
    run_seeds::listed,
};

const CONFIG: &str = "config.toml";
/// Held while a process trains; also the mark of a directory that a run made.
const LOCK: &str = ".gymnast.lock";
/// No configuration may be larger.
const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// A run's directory, this process's own as long as this lives.
pub(crate) struct Claimed {
    /// The configuration.
    pub(crate) config: Table,
    lock: File,
    path: PathBuf,
}

impl Claimed {
    /// Checks that the directory is still the one that was claimed.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        let lock = self.path.join(LOCK);
        match files::is_at(&self.lock, &lock).map_err(TrainError::file("open", &lock))? {
            true => Ok(()),
            false => Err(TrainError::Gone { path: self.path.clone() }),
        }
    }
}

/// Makes the directory of a run ready: new, emptied or as it was left, as the experiment says.
pub(crate) fn claim(experiment: &Experiment, config: &str) -> Result<Claimed, TrainError> {
    let dir = &experiment.dir;
    let path = dir.join(CONFIG);
    let table = parse(&path, config)?;
    let lock = match experiment.existing {
        Existing::Resume => {
            if !path.try_exists().map_err(TrainError::file("open", &path))? {
                return Err(TrainError::NoRun { path: dir.clone() });
            }
            let lock = lock(dir)?;
            join(experiment, config, &table)?;
            lock
        }
        Existing::Refuse | Existing::Replace => {
            files::create_dir_all(dir).map_err(TrainError::file("create", dir))?;
            expect_free(dir, experiment.existing)?;
            let lock = lock(dir)?;
            // Another process may have begun a run in between.
            expect_free(dir, experiment.existing)?;
            for seed in SeedDir::named(dir)? {
                seed.clear()?;
            }
            atomic_file::write(&path, config.as_bytes())?;
            lock
        }
    };
    atomic_file::remove_leftovers(dir, &[CONFIG]).map_err(TrainError::file("tidy", dir))?;
    Ok(Claimed { config: table, lock, path: dir.clone() })
}

/// Checks that the directory holds nothing, or a run that may be replaced.
fn expect_free(dir: &Path, existing: Existing) -> Result<(), TrainError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(TrainError::file("list", dir))? {
        let name = entry.map_err(TrainError::file("list", dir))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    // A process that was killed before it wrote the configuration leaves these.
    let is_empty = names.iter().all(|name| name == LOCK || atomic_file::is_leftover(name, CONFIG));
    let is_run = [CONFIG, LOCK].iter().all(|name| names.iter().any(|other| other == name));
    match (is_empty, is_run, existing) {
        (true, _, _) | (_, true, Existing::Replace) => Ok(()),
        (_, true, _) => Err(TrainError::RunExists { path: dir.to_owned() }),
        (_, false, _) => Err(TrainError::NotEmpty { path: dir.to_owned() }),
    }
}

/// Checks that the directory's run has this configuration, and adds the seeds that it does not have yet.
fn join(experiment: &Experiment, config: &str, asked: &Table) -> Result<(), TrainError> {
    let path = experiment.dir.join(CONFIG);
    let mut saved = read_config(&experiment.dir)?;
    let mut asked = asked.clone();
    let seeds = [&mut saved, &mut asked].map(|config| {
        let seeds = listed(config);
        config.remove(SEEDS);
        seeds
    });
    if let Some(Difference { key, was, is }) = difference(&saved, &asked, &experiment.defaults) {
        return Err(TrainError::OtherConfiguration { path: experiment.dir.clone(), key, was, is });
    }
    let [Some(saved), Some(added)] = seeds else { return Ok(()) };
    let mut all = saved.clone();
    all.extend(added.iter().filter(|seed| !saved.contains(seed)));
    if all.len() == saved.len() {
        return Ok(());
    }
    all.sort_unstable();
    let text = if all == added {
        config.to_owned()
    } else {
        let header: String =
            config.split_inclusive('\n').take_while(|line| line.starts_with('#')).collect();
        // They were read from TOML, whose numbers are those of `i64`.
        let all: Vec<Value> = all.into_iter().map(|seed| Value::Integer(seed as i64)).collect();
        let mut table = Table::from_iter([(SEEDS.to_owned(), all.into())]);
        table.extend(asked);
        format!("{header}{table}")
    };
    Ok(atomic_file::write(&path, text.as_bytes())?)
}

/// The configuration of a run's directory.
pub(crate) fn read_config(dir: &Path) -> Result<Table, TrainError> {
    let path = dir.join(CONFIG);
    if !path.try_exists().map_err(TrainError::file("open", &path))? {
        return Err(TrainError::NoRun { path: dir.to_owned() });
    }
    let failed = || TrainError::file("read", &path);
    // Nothing is written to it: where a link stands in its place, that is the user's choice.
    let target = path.canonicalize().map_err(failed())?;
    let text = files::read_bounded(&target, MAX_CONFIG_BYTES).map_err(failed())?;
    parse(&path, &String::from_utf8_lossy(&text))
}

fn parse(path: &Path, text: &str) -> Result<Table, TrainError> {
    text.parse().map_err(|error: toml::de::Error| TrainError::InvalidFile {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}

fn lock(dir: &Path) -> Result<File, TrainError> {
    let path = dir.join(LOCK);
    // Never emptied: what stands there may not be ours.
    let options = &mut OpenOptions::new();
    let open = files::open(&path, options.read(true).write(true).create(true).truncate(false));
    let file = open.map_err(TrainError::file("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(TrainError::file("lock", &path)(error)),
        Err(TryLockError::WouldBlock) => {
            let reason = "another process is training in this directory".to_owned();
            return Err(TrainError::InvalidFile { path: dir.to_owned(), reason });
        }
    }
    files::sync_name(&path).map_err(TrainError::file("sync", dir))?;
    Ok(file)
}
