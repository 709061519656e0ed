//! How far the seeds of a run are, as another process sees it.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    time::SystemTime,
};

use gymnast_core::{files, locks};
use serde::Serialize;

use crate::{
    Ending, Episode, Evaluation, MetricRow, Record, SeedDir, TrainError, run_directory::seed_lock,
};

/// The part at a log's end in which its last line is looked for.
const TAIL_BYTES: u64 = 4096;

/// What became of a seed so far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum SeedState {
    /// Its training has ended.
    Finished,
    /// A process trains it.
    Training {
        /// The process, as its lock's file says.
        by: String,
    },
    /// It was begun, and no process trains it.
    Stopped,
    /// It was not begun.
    NotBegun,
    /// Its summary cannot be read, for this reason.
    Damaged {
        /// What was expected and what came.
        reason: String,
    },
}

/// How far a seed of a run is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeedStatus {
    /// The seed.
    pub seed: u64,
    /// What became of it so far.
    #[serde(flatten)]
    pub state: SeedState,
    /// The env steps that its records have reached. A seed that trains may be further.
    pub env_steps: u64,
    /// The seconds of its training up to there, evaluations included.
    pub wall_time_s: Option<f64>,
    /// The mean return of its last evaluation.
    pub mean_return: Option<f64>,
    /// The newest value of each metric, by name: losses, entropies and so on.
    pub metrics: BTreeMap<String, f64>,
    /// When its records were last written.
    #[serde(serialize_with = "seconds_since_1970")]
    pub written: Option<SystemTime>,
}

impl SeedStatus {
    /// Looks at a seed below a run's directory, and changes nothing there. The seed need not exist.
    ///
    /// # Errors
    /// [`TrainError::File`] if the directory cannot be read.
    pub fn of(run: &Path, seed: u64) -> Result<Self, TrainError> {
        let dir = SeedDir::below(run, seed);
        let lock = seed_lock(run, seed);
        // Looked at first: a training that ends in between is then seen as ended.
        let holder = locks::holder(&lock).map_err(TrainError::file("open", &lock))?;
        let evaluations = Tail::of::<Evaluation>(&dir)?;
        let metrics = Tail::of::<MetricRow>(&dir)?;
        let ends = [evaluations.end(), Tail::of::<Episode>(&dir)?.end(), metrics.end()];
        let last = ends.into_iter().flatten().max_by_key(|end| end.env_steps);
        let mut status = Self {
            seed,
            state: SeedState::NotBegun,
            env_steps: last.map_or(0, |last| last.env_steps),
            wall_time_s: last.and_then(|last| last.wall_time_s),
            mean_return: evaluations.last("mean_return"),
            metrics: metrics.by_name(),
            written: last.and_then(|last| last.written),
        };
        status.state = match (dir.summary(), holder) {
            (Ok(Some(summary)), _) if summary.ending != Ending::Stopped => {
                status.env_steps = summary.env_steps;
                status.wall_time_s = Some(summary.wall_time_s);
                SeedState::Finished
            }
            (_, Some(by)) => SeedState::Training { by },
            (Err(error), None) => SeedState::Damaged { reason: error.to_string() },
            (Ok(_), None) if last.is_some() => SeedState::Stopped,
            (Ok(_), None) => SeedState::NotBegun,
        };
        Ok(status)
    }

    /// Returns the env steps per second of training so far, evaluations included; `None` before the
    /// first record.
    #[must_use]
    pub fn env_steps_per_s(&self) -> Option<f64> {
        let seconds = self.wall_time_s.filter(|seconds| *seconds > 0.0)?;
        Some(self.env_steps as f64 / seconds)
    }
}

/// How far a log goes.
#[derive(Clone, Copy)]
struct End {
    env_steps: u64,
    wall_time_s: Option<f64>,
    written: Option<SystemTime>,
}

/// The last whole lines of a log; none if there is no log.
struct Tail {
    header: &'static str,
    lines: Vec<String>,
    is_there: bool,
    written: Option<SystemTime>,
}

impl Tail {
    fn of<R: Record>(dir: &SeedDir) -> Result<Self, TrainError> {
        let path = dir.path.join(R::FILE);
        let failed = || TrainError::file("read", &path);
        let mut tail =
            Self { header: R::HEADER, lines: Vec::new(), is_there: false, written: None };
        let Some(found) = files::metadata(&path).map_err(failed())? else { return Ok(tail) };
        let mut file = files::open(&path, OpenOptions::new().read(true)).map_err(failed())?;
        let mut text = Vec::new();
        let begin = found.len().saturating_sub(TAIL_BYTES);
        file.seek(SeekFrom::Start(begin)).map_err(failed())?;
        file.take(TAIL_BYTES).read_to_end(&mut text).map_err(failed())?;
        let text = String::from_utf8_lossy(&text);
        // Behind the last end of a line, one is being written; the first is the header or half a line.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        tail.lines = whole.split('\n').skip(1).map(str::to_owned).collect();
        (tail.is_there, tail.written) = (true, found.modified().ok());
        Ok(tail)
    }

    fn cell<'a>(&self, line: &'a str, name: &str) -> Option<&'a str> {
        let column = self.header.split(',').position(|column| column == name)?;
        line.split(',').nth(column)
    }

    /// The number of a column in the last line.
    fn last(&self, name: &str) -> Option<f64> {
        self.cell(self.lines.last()?, name)?.parse().ok()
    }

    fn end(&self) -> Option<End> {
        let env_steps = self.lines.last().and_then(|line| self.cell(line, "env_step"));
        self.is_there.then(|| End {
            env_steps: env_steps.and_then(|cell| cell.parse().ok()).unwrap_or(0),
            wall_time_s: self.last("wall_time_s"),
            written: self.written,
        })
    }

    /// The last value of each metric.
    fn by_name(&self) -> BTreeMap<String, f64> {
        let of_line = |line: &String| {
            let name = self.cell(line, "metric")?;
            Some((name.to_owned(), self.cell(line, "value")?.parse().ok()?))
        };
        self.lines.iter().filter_map(of_line).collect()
    }
}

fn seconds_since_1970<S: serde::Serializer>(
    time: &Option<SystemTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let since = time.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    since.map(|since| since.as_secs_f64()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_seed_is_at_work_as_long_as_its_lock_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        let status = || SeedStatus::of(run, 3).unwrap();
        assert_eq!((status().state, status().env_steps), (SeedState::NotBegun, 0));
        let dir = SeedDir::below(run, 3);
        fs::create_dir(&dir.path).unwrap();
        let evaluations = format!("{}\n2000,1.5,0,0,0,0,5\n4000,", Evaluation::HEADER);
        fs::write(dir.path.join(Evaluation::FILE), evaluations).unwrap();
        assert_eq!((status().state, status().env_steps), (SeedState::Stopped, 2000));
        let episodes = format!("{}\n3000,7,1,20,2.5\n", Episode::HEADER);
        fs::write(dir.path.join(Episode::FILE), episodes).unwrap();
        let claim = locks::Claim::take(&seed_lock(run, 3)).unwrap().unwrap();
        assert!(matches!(status().state, SeedState::Training { by } if by.starts_with("process")));
        assert_eq!(status().env_steps, 3000);
        assert_eq!(status().env_steps_per_s(), Some(1200.0));
        let metrics =
            format!("{}\n1,0.5,loss,3.5\n2,0.5,loss,2.5\n2,0.5,td_error,NaN\n", MetricRow::HEADER);
        fs::write(dir.path.join(MetricRow::FILE), metrics).unwrap();
        let metrics = status().metrics;
        assert_eq!((metrics.len(), metrics["loss"]), (2, 2.5));
        assert!(metrics["td_error"].is_nan());
        assert_eq!(status().mean_return, Some(0.0));
        // A lock's file without its process, which was killed, holds nothing.
        drop(claim);
        assert_eq!(status().state, SeedState::Stopped);
        fs::write(dir.path.join("summary.json"), "{").unwrap();
        assert!(matches!(status().state, SeedState::Damaged { .. }));
    }
}
