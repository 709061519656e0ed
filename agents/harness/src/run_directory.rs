//! The directory of a run: any number of processes may work in it, for one configuration, each seed in
//! one of them.
//!
//! The operating system's locks say who works on what: they end with their process, however it ends.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    thread::sleep,
    time::Duration,
};

use gymnast_core::{
    atomic_file, files,
    locks::{self, Claim},
};
use toml::{Table, Value};

use crate::{
    Existing, Experiment, SeedDir, TrainError,
    identity::{Difference, SEEDS, difference},
    run_seeds::listed,
};

const CONFIG: &str = "config.toml";
/// Shared by the processes that train here, held alone by one that begins or replaces the run; also the
/// mark of a directory that a run made.
const LOCK: &str = ".gymnast.lock";
/// Held while a process changes the configuration.
const CONFIG_LOCK: &str = ".gymnast.config.lock";
/// The name of a seed's lock, before and after its number.
const SEED_LOCK: [&str; 2] = [".seed-", ".lock"];
/// No configuration may be larger.
const MAX_CONFIG_BYTES: u64 = 1 << 20;
/// How often it is asked whether another process has ended with a seed.
pub(crate) const BUSY_PAUSE: Duration = Duration::from_millis(200);
/// How often it is asked whether another process has begun a run, and how many times.
const PAUSE: Duration = Duration::from_millis(20);
const MOST_PAUSES: u32 = 1500;

/// A run's directory, in which this process works as long as this lives.
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

    /// Claims a seed; `None` if another process has it.
    pub(crate) fn seed(&self, seed: u64) -> Result<Option<Claim>, TrainError> {
        let path = seed_lock(&self.path, seed);
        Claim::take(&path).map_err(TrainError::file("lock", &path))
    }

    /// Gives up the claim of a seed that has ended.
    pub(crate) fn finish(&self, seed: u64, claim: Claim) -> Result<(), TrainError> {
        claim.finish().map_err(TrainError::file("delete", &seed_lock(&self.path, seed)))
    }
}

/// The lock of a seed.
pub(crate) fn seed_lock(run: &Path, seed: u64) -> PathBuf {
    let [before, after] = SEED_LOCK;
    run.join(format!("{before}{seed}{after}"))
}

/// Makes the directory of a run ready: new, emptied or as it was left, as the experiment says.
pub(crate) fn claim(experiment: &Experiment, config: &str) -> Result<Claimed, TrainError> {
    let dir = &experiment.dir;
    let path = dir.join(CONFIG);
    let table = parse(&path, config)?;
    let is_run = || path.try_exists().map_err(TrainError::file("open", &path));
    let is_taken = || {
        let reason = match experiment.existing {
            Existing::Join => {
                "another process has been about to begin a run here for half a minute"
            }
            _ => "another process is training in this directory: --join works beside it",
        };
        TrainError::InvalidFile { path: dir.clone(), reason: reason.to_owned() }
    };
    let lock = match experiment.existing {
        Existing::Resume if !is_run()? => return Err(TrainError::NoRun { path: dir.clone() }),
        Existing::Resume => share(dir)?.ok_or_else(is_taken)?,
        Existing::Refuse | Existing::Replace => begin(experiment, config)?.ok_or_else(is_taken)?,
        Existing::Join => {
            let mut pauses = 0;
            loop {
                let lock = if is_run()? { share(dir)? } else { begin(experiment, config)? };
                if let Some(lock) = lock {
                    break lock;
                }
                pauses += 1;
                if pauses > MOST_PAUSES {
                    return Err(is_taken());
                }
                sleep(PAUSE);
            }
        }
    };
    join(experiment, config, &table)?;
    Ok(Claimed { config: table, lock, path: dir.clone() })
}

/// Works in a directory beside others; `None` if another process is beginning or replacing its run.
fn share(dir: &Path) -> Result<Option<File>, TrainError> {
    hold(&dir.join(LOCK), File::try_lock_shared)
}

/// Begins a run in a directory; `None` if another process works there.
fn begin(experiment: &Experiment, config: &str) -> Result<Option<File>, TrainError> {
    let (dir, existing) = (&experiment.dir, experiment.existing);
    files::create_dir_all(dir).map_err(TrainError::file("create", dir))?;
    expect_free(dir, existing)?;
    let Some(lock) = hold(&dir.join(LOCK), File::try_lock)? else { return Ok(None) };
    files::sync_name(&dir.join(LOCK)).map_err(TrainError::file("sync", dir))?;
    // Another process may have begun a run in between.
    expect_free(dir, existing)?;
    if existing != Existing::Join || !dir.join(CONFIG).is_file() {
        for seed in SeedDir::named(dir)? {
            seed.clear()?;
        }
        atomic_file::write(&dir.join(CONFIG), config.as_bytes())?;
    }
    // Others may work here now.
    let path = dir.join(LOCK);
    lock.unlock().and_then(|()| lock.lock_shared()).map_err(TrainError::file("lock", &path))?;
    Ok(Some(lock))
}

/// Checks that the directory holds nothing, or a run that may be replaced.
fn expect_free(dir: &Path, existing: Existing) -> Result<(), TrainError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir).map_err(TrainError::file("list", dir))? {
        let name = entry.map_err(TrainError::file("list", dir))?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    // A process that was killed before it wrote the configuration leaves these.
    let [before, after] = SEED_LOCK;
    let is_seed_lock = |name: &str| name.starts_with(before) && name.ends_with(after);
    let is_lock =
        |name: &String| [LOCK, CONFIG_LOCK].contains(&name.as_str()) || is_seed_lock(name);
    let is_empty = names.iter().all(|name| is_lock(name) || atomic_file::is_leftover(name, CONFIG));
    let is_run = [CONFIG, LOCK].iter().all(|name| names.iter().any(|other| other == name));
    match (is_empty, is_run, existing) {
        (true, _, _) | (_, true, Existing::Replace | Existing::Join) => Ok(()),
        (_, true, _) => Err(TrainError::RunExists { path: dir.to_owned() }),
        (_, false, _) => Err(TrainError::NotEmpty { path: dir.to_owned() }),
    }
}

/// Checks that the directory's run has this configuration, and adds the seeds that it does not have yet.
fn join(experiment: &Experiment, config: &str, asked: &Table) -> Result<(), TrainError> {
    let path = experiment.dir.join(CONFIG);
    // Two processes that add seeds at once do so one after the other.
    let lock = experiment.dir.join(CONFIG_LOCK);
    let _lock = locks::wait(&lock).map_err(TrainError::file("lock", &lock))?;
    let dir = &experiment.dir;
    atomic_file::remove_leftovers(dir, &[CONFIG]).map_err(TrainError::file("tidy", dir))?;
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

/// Takes hold of a lock; `None` if another process has it.
fn hold(
    path: &Path,
    take: impl Fn(&File) -> Result<(), TryLockError>,
) -> Result<Option<File>, TrainError> {
    locks::hold(path, take).map_err(TrainError::file("lock", path))
}
