//! The directory of one seed of a run.

use std::{
    fs,
    path::{Path, PathBuf},
};

use gymnast_core::{atomic_file, files};
use serde::{Deserialize, Serialize};

use crate::{
    CheckpointDir, Episode, Evaluation, EventWriter, MetricRow, Record as _, RunIdentity, Summary,
    TrainError, recorder::CHECKPOINTS, trainer::BEST,
};

const SUMMARY: &str = "summary.json";
/// No summary may be larger: some 500,000 evaluations.
const MAX_SUMMARY_BYTES: u64 = 1 << 27;

/// The directory of one seed of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedDir {
    /// The seed.
    pub seed: u64,
    /// The directory.
    pub path: PathBuf,
}

/// The contents of `summary.json`.
#[derive(Serialize)]
struct SummaryFile<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    identity: &'a RunIdentity,
}

/// Whose a summary is. Read apart from it: flattened, its numbers that JSON lacks could not be read.
#[derive(Deserialize)]
struct Whose {
    /// Older versions did not say.
    identity: Option<RunIdentity>,
}

impl SeedDir {
    /// Returns the directory of a seed below a run's.
    #[must_use]
    pub fn below(run: &Path, seed: u64) -> Self {
        Self { seed, path: run.join(format!("seed-{seed}")) }
    }

    /// Every directory below a run's that is named like a seed and holds records, in order, be it the run's
    /// or not.
    pub(crate) fn with_records(run: &Path) -> Result<Vec<Self>, TrainError> {
        let mut seeds = Vec::new();
        for dir in Self::named(run)? {
            // What somebody keeps beside a run's files may look like a seed without being one.
            let mut is_seed = false;
            // A training that has ended and whose evaluations are gone is not to be forgotten.
            for name in [Evaluation::FILE, SUMMARY] {
                let file = dir.path.join(name);
                let found = files::metadata(&file).map_err(TrainError::file("open", &file))?;
                is_seed |= found.is_some();
            }
            seeds.extend(is_seed.then_some(dir));
        }
        Ok(seeds)
    }

    /// Every directory, or link, below a run's that is named like a seed, in order. Links are there to be
    /// refused, not followed.
    pub(crate) fn named(run: &Path) -> Result<Vec<Self>, TrainError> {
        let mut seeds = Vec::new();
        for entry in fs::read_dir(run).map_err(TrainError::file("list", run))? {
            let entry = entry.map_err(TrainError::file("list", run))?;
            let kind = entry.file_type().map_err(TrainError::file("list", run))?;
            if !kind.is_dir() && !kind.is_symlink() {
                continue;
            }
            let name = entry.file_name();
            let seed = name.to_str().and_then(|name| name.strip_prefix("seed-")?.parse().ok());
            let dir = seed.map(|seed| Self::below(run, seed));
            seeds.extend(dir.filter(|dir| dir.path.file_name() == Some(&name)));
        }
        seeds.sort_unstable_by_key(|dir| dir.seed);
        Ok(seeds)
    }

    /// Reads the result of the seed's training; `None` if it has not ended, or if a power cut emptied
    /// the file: the last checkpoint tells it again.
    ///
    /// # Errors
    /// [`TrainError::InvalidFile`] if the summary is damaged.
    pub fn summary(&self) -> Result<Option<Summary>, TrainError> {
        Ok(self.read_summary()?.map(|(summary, _)| summary))
    }

    /// Reads the result like [`summary`](Self::summary), if it belongs to this run. Summaries of
    /// older versions do not name their run and are accepted.
    ///
    /// # Errors
    /// As [`summary`](Self::summary);
    /// [`CheckpointError::Foreign`](crate::CheckpointError::Foreign) if it belongs to another run.
    pub fn summary_of(&self, identity: &RunIdentity) -> Result<Option<Summary>, TrainError> {
        let Some((summary, whose)) = self.read_summary()? else { return Ok(None) };
        if let Some(saved) = &whose.identity {
            identity.check(&self.path.join(SUMMARY), saved)?;
        }
        Ok(Some(summary))
    }

    fn read_summary(&self) -> Result<Option<(Summary, Whose)>, TrainError> {
        let path = self.path.join(SUMMARY);
        if files::metadata(&path).map_err(TrainError::file("read", &path))?.is_none() {
            return Ok(None);
        }
        let text = files::read_bounded(&path, MAX_SUMMARY_BYTES);
        let text = text.map_err(TrainError::file("read", &path))?;
        if text.is_empty() {
            return Ok(None);
        }
        let invalid = |error: gymnast_json::Error| TrainError::InvalidFile {
            path,
            reason: format!("{error}: delete it and continue the run with --resume"),
        };
        let both = || Ok((gymnast_json::from_slice(&text)?, gymnast_json::from_slice(&text)?));
        both().map(Some).map_err(invalid)
    }

    pub(crate) fn write_summary(
        &self,
        summary: &Summary,
        identity: &RunIdentity,
    ) -> Result<(), TrainError> {
        let file = SummaryFile { summary, identity };
        let text = gymnast_json::to_string_pretty(&file).expect("a summary is plain data");
        Ok(atomic_file::write_unsynced(&self.path.join(SUMMARY), text.as_bytes())?)
    }

    /// Returns the checkpoints of the seed.
    #[must_use]
    pub fn checkpoints(&self) -> CheckpointDir {
        CheckpointDir::new(self.path.join(CHECKPOINTS))
    }

    /// Deletes what a process that was killed had begun to write. A link in the directory's place is
    /// refused.
    pub(crate) fn tidy(&self) -> Result<(), TrainError> {
        if files::is_dir(&self.path).map_err(TrainError::file("open", &self.path))? {
            let removed = atomic_file::remove_leftovers(&self.path, &[SUMMARY, BEST]);
            removed.map_err(TrainError::file("tidy", &self.path))?;
        }
        Ok(())
    }

    /// Deletes what a run made here, and the directory where nothing else is left in it.
    pub(crate) fn clear(&self) -> Result<(), TrainError> {
        self.tidy()?;
        // The summary first: as long as it stands, the seed counts as finished.
        self.remove(SUMMARY)?;
        self.checkpoints().delete_all()?;
        for name in [BEST, Episode::FILE, MetricRow::FILE, EventWriter::FILE, Evaluation::FILE] {
            self.remove(name)?;
        }
        // Fails where somebody keeps something else there, which then stays.
        let _ = fs::remove_dir(&self.path);
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), TrainError> {
        let path = self.path.join(name);
        files::remove_file(&path).map_err(TrainError::file("delete", &path))
    }
}
