//! Reads the results of other programs, so that the report and the pictures can show them beside ours.
//!
//! | file | written by | holds |
//! |---|---|---|
//! | `monitor.csv`, `N.monitor.csv` | Stable-Baselines3's `Monitor` | every training episode |
//! | `evaluations.npz` | Stable-Baselines3's `EvalCallback` | evaluations |
//! | `events.out.tfevents.*` | TensorBoard's writers, as CleanRL and Stable-Baselines3 use them | series of numbers |
//! | a CSV of `NAME - METRIC` columns | W&B's export of a chart | a series for each run |
//! | `.npz` or `.json` of scores | rliable's users | final returns, `[runs, games]` or `[runs, games, frames]` |
//!
//! [`read`] finds out from a file's content which of these it is. A folder is searched: each folder that
//! holds such files is one [`ForeignSeed`], whose agent, environment and seed come from rl-zoo's
//! `args.yml`, from CleanRL's `ENV__EXPERIMENT__SEED__TIME`, or from names like `ppo/CartPole-v1_1`.
//! [`ForeignRun::group`] puts the seeds of one agent and environment together.
//!
//! Returns of training episodes are no evaluations: the agent explores. Where a program recorded no
//! evaluations, the results are [`Returns::Training`](crate::report::Returns): means of up to
//! [100](crate::report::MEAN_OF_EPISODES) episodes.
//!
//! Files are not trusted: sizes, counts and lengths are bounded before memory is taken, and pickles,
//! which run code when they are read, are refused.

mod error;
mod evaluations_npz;
mod event_file;
mod event_message;
mod folder;
mod monitor_csv;
mod names;
mod npy;
mod npz;
mod protobuf;
mod run;
mod score_dictionary;
mod seed;
mod series;
mod wandb_csv;
mod zoo_args;

use std::path::Path;

use gymnast_core::files;

pub use error::ForeignError;
pub use run::ForeignRun;
pub use seed::{ForeignSeed, Program};

use self::{npz::Npz, seed::Series};

/// No file may be larger to be read, nor what is compressed in one.
const MAX_BYTES: u64 = 1 << 28;
/// No file may hold more returns.
const MAX_RETURNS: usize = 4_000_000;
/// The largest env step: up to here an `f64` holds each whole number.
const MAX_STEP: u64 = 1 << 53;
/// What can be read, for messages.
const READABLE: &str = "a run's directory with a config.toml; Stable-Baselines3's monitor.csv or \
     evaluations.npz; a TensorBoard event file; W&B's CSV of a chart; scores as .npz or .json \
     ({agent: [runs][games]}); or a folder of these";

/// Reads the results of another program from a file or a folder: one or more seeds, in the order of
/// their names.
///
/// `tag` names the series to read from event files and from W&B's CSV. Without it, these are
/// `eval/mean_reward`, `charts/episodic_return` and `rollout/ep_rew_mean`.
///
/// # Errors
/// [`ForeignError::Unknown`] if the path holds nothing that can be read, [`ForeignError::NoSeries`] if it
/// lacks the series; [`ForeignError::Pickle`], [`ForeignError::Invalid`], [`ForeignError::File`].
pub fn read(path: &Path, tag: Option<&str>) -> Result<Vec<ForeignSeed>, ForeignError> {
    let found = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ForeignError::Unknown { path: path.to_owned() },
        _ => ForeignError::file(path)(error),
    })?;
    if found.is_dir() { folder::read(path, tag) } else { read_file(path, tag) }
}

/// What a file is, by its content.
enum Kind {
    Monitor,
    Npz,
    /// One array, without a name.
    Npy,
    Pickle,
    Events,
    Json,
    Chart,
}

impl Kind {
    /// Recognises a file by its first bytes; `None` if it is of no kind that can be read.
    fn of(bytes: &[u8]) -> Option<Self> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let kind = match bytes {
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Npz,
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Npy,
            [0x80, 2..=5, ..] => Self::Pickle,
            _ if event_file::is_event_file(bytes) => Self::Events,
            _ if text.starts_with(b"#{") => Self::Monitor,
            _ if text.starts_with(b"{") => Self::Json,
            _ if wandb_csv::is_chart(text) => Self::Chart,
            _ => return None,
        };
        Some(kind)
    }
}

fn read_file(path: &Path, tag: Option<&str>) -> Result<Vec<ForeignSeed>, ForeignError> {
    // Event files may be long: they are read record by record.
    let start = start_of(path)?;
    let kind = Kind::of(&start).ok_or_else(|| ForeignError::Unknown { path: path.to_owned() })?;
    let series = match kind {
        Kind::Pickle => return Err(ForeignError::Pickle { path: path.to_owned() }),
        Kind::Npy => {
            // It may be a pickle, which has a reason of its own.
            npy::read(path, "the array", &bytes_of(path)?)?;
            let reason = "it holds one array without a name: expected an .npz with an array for each \
                          agent, as numpy.savez(path, ppo=scores) writes it";
            return Err(ForeignError::invalid(path, reason));
        }
        Kind::Json => return score_dictionary::read_json(path, &bytes_of(path)?),
        Kind::Chart => return wandb_csv::read(path, &bytes_of(path)?, tag),
        Kind::Npz => {
            let bytes = bytes_of(path)?;
            let arrays = Npz::open(path, &bytes)?;
            if !evaluations_npz::is_evaluations(&arrays) {
                return score_dictionary::read_npz(path, &arrays);
            }
            Series { evaluations: evaluations_npz::read(path, &arrays)?, ..Series::default() }
        }
        Kind::Monitor => monitor_csv::read(&[path.to_owned()])?,
        Kind::Events => event_file::read(&[path.to_owned()], path, tag)?,
    };
    Ok(vec![names::of_file(path).with(path, series)])
}

/// Reads the first bytes of a file.
fn start_of(path: &Path) -> Result<Vec<u8>, ForeignError> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let file = files::open(path, std::fs::OpenOptions::new().read(true));
    let read = file.and_then(|file| file.take(1 << 16).read_to_end(&mut start));
    read.map_err(ForeignError::file(path))?;
    Ok(start)
}

/// Reads a whole file of a bounded length.
fn bytes_of(path: &Path) -> Result<Vec<u8>, ForeignError> {
    files::read_bounded(path, MAX_BYTES).map_err(ForeignError::file(path))
}
