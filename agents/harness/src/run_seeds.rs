//! The seeds of a run: those that have records and are listed in its configuration.

use std::path::Path;

use toml::{Table, Value};

use crate::{SeedDir, TrainError, identity::SEEDS, run_directory::read_config};

/// The seeds with records in a run's directory. Everything that reads a run takes its seeds from
/// here.
///
/// A directory named like a seed may be a copy or belong to another run: only seeds listed in
/// `config.toml` belong to the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSeeds {
    /// The run's own seeds, in order.
    pub own: Vec<SeedDir>,
    /// The seeds that the configuration does not list, in order. They do not count.
    pub left_out: Vec<SeedDir>,
    /// The seeds that the configuration lists, with or without records. `None` if it has no list:
    /// then all seeds belong to the run.
    pub listed: Option<Vec<u64>>,
}

impl RunSeeds {
    /// Finds the seeds of the run in a directory.
    ///
    /// # Errors
    /// [`TrainError::NoRun`] if the directory holds no run; [`TrainError::InvalidFile`] if its
    /// configuration is not valid TOML; [`TrainError::File`].
    pub fn read(run: &Path) -> Result<Self, TrainError> {
        Self::of(run, &read_config(run)?)
    }

    /// Finds the seeds of the run in a directory whose configuration was already read.
    ///
    /// # Errors
    /// [`TrainError::File`].
    pub fn of(run: &Path, config: &Table) -> Result<Self, TrainError> {
        let listed = listed(config);
        let is_own = |dir: &SeedDir| listed.as_ref().is_none_or(|seeds| seeds.contains(&dir.seed));
        let (own, left_out) = SeedDir::with_records(run)?.into_iter().partition(is_own);
        Ok(Self { own, left_out, listed })
    }
}

/// The seeds that a configuration lists; `None` where it has no list.
pub(crate) fn listed(config: &Table) -> Option<Vec<u64>> {
    let seeds = config.get(SEEDS)?.as_array()?;
    let seed = |seed: &Value| u64::try_from(seed.as_integer()?).ok();
    Some(seeds.iter().filter_map(seed).collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{Evaluation, Record as _, report::SeedResults};

    #[test]
    fn the_seeds_of_a_run_are_those_that_its_configuration_lists() {
        let folder = tempfile::tempdir().unwrap();
        let run = folder.path();
        assert!(matches!(RunSeeds::read(run), Err(TrainError::NoRun { .. })));
        for seed in [3, 10, 0, 7] {
            let dir = SeedDir::below(run, seed);
            fs::create_dir(&dir.path).unwrap();
            let header = format!("{}\n", Evaluation::HEADER);
            fs::write(dir.path.join(Evaluation::FILE), header).unwrap();
        }
        // Named like a seed, but without records.
        fs::create_dir(run.join("seed-5")).unwrap();
        let read = |config: &str| {
            fs::write(run.join("config.toml"), config).unwrap();
            let seeds = RunSeeds::read(run).unwrap();
            let results = SeedResults::read_all(run).unwrap();
            assert!(results.iter().map(|seed| seed.seed).eq(seeds.own.iter().map(|dir| dir.seed)));
            let numbers = |dirs: &[SeedDir]| dirs.iter().map(|dir| dir.seed).collect::<Vec<_>>();
            (numbers(&seeds.own), numbers(&seeds.left_out), seeds.listed)
        };
        let listed = vec![10, 5, 3, 1];
        assert_eq!(read("seeds = [10, 5, 3, 1]"), (vec![3, 10], vec![0, 7], Some(listed)));
        assert_eq!(read("seeds = []"), (vec![], vec![0, 3, 7, 10], Some(vec![])));
        assert_eq!(read("[agent]"), (vec![0, 3, 7, 10], vec![], None));
        fs::write(run.join("config.toml"), "no TOML").unwrap();
        assert!(matches!(RunSeeds::read(run), Err(TrainError::InvalidFile { .. })));
    }
}
