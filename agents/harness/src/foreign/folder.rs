//! Folders of other programs' results: each that holds such files is one training.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    ForeignError, ForeignSeed, Program, bytes_of, evaluations_npz, event_file, monitor_csv, names,
    npz::Npz,
    seed::{SeedNames, Series},
    zoo_args,
};

/// No folder is searched deeper.
const MAX_DEPTH: usize = 6;
/// No more files and folders are looked at.
const MAX_ENTRIES: usize = 200_000;
/// What our own runs hold: their directories are none of another program.
const OWN: &str = "config.toml";

/// Reads every training below a folder. Links are not followed.
pub(super) fn read(path: &Path, tag: Option<&str>) -> Result<Vec<ForeignSeed>, ForeignError> {
    let mut search = Search { seeds: Vec::new(), left: MAX_ENTRIES, lacking: Vec::new(), tag };
    search.folder(path, MAX_DEPTH)?;
    let Search { mut seeds, mut lacking, .. } = search;
    let Some(first) = seeds.first_mut() else {
        // Files that lack the series say more than that there is nothing.
        let unknown = || ForeignError::Unknown { path: path.to_owned() };
        return Err(lacking.drain(..).next().unwrap_or_else(unknown));
    };
    // A training that ended before it had anything to show is missing from all numbers.
    first.remarks.extend(lacking.iter().map(|error| format!("left out: {error}")));
    Ok(seeds)
}

struct Search<'a> {
    seeds: Vec<ForeignSeed>,
    /// How many entries may still be looked at.
    left: usize,
    /// The trainings without the series asked for.
    lacking: Vec<ForeignError>,
    tag: Option<&'a str>,
}

impl Search<'_> {
    fn folder(&mut self, path: &Path, depth: usize) -> Result<(), ForeignError> {
        let mut found = Files::default();
        for entry in fs::read_dir(path).map_err(ForeignError::file(path))? {
            let entry = entry.map_err(ForeignError::file(path))?;
            self.left = self.left.checked_sub(1).ok_or_else(|| {
                let reason =
                    format!("more than {MAX_ENTRIES} files and folders: name the runs themselves");
                ForeignError::invalid(path, reason)
            })?;
            let kind = entry.file_type().map_err(ForeignError::file(path))?;
            found.add(entry.path(), kind);
        }
        if found.is_own {
            return Ok(());
        }
        found.sort();
        if found.is_empty() {
            let below = if depth > 0 { &found.folders[..] } else { &[] };
            return below.iter().try_for_each(|folder| self.folder(folder, depth - 1));
        }
        match found.read(path, self.tag) {
            Ok(seed) => self.seeds.push(seed),
            Err(error @ ForeignError::NoSeries { .. }) => self.lacking.push(error),
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// What a folder holds.
#[derive(Default)]
struct Files {
    monitors: Vec<PathBuf>,
    evaluations: Option<PathBuf>,
    events: Vec<PathBuf>,
    folders: Vec<PathBuf>,
    is_own: bool,
}

/// `monitor.csv` or `N.monitor.csv`.
fn is_monitor(name: &str) -> bool {
    let number = name.strip_suffix("monitor.csv").map(|number| number.trim_end_matches('.'));
    number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Files {
    fn add(&mut self, path: PathBuf, kind: fs::FileType) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match name.as_str() {
            // What a program is still making, or keeps for itself.
            name if name.starts_with('.') => {}
            _ if kind.is_dir() => self.folders.push(path),
            _ if !kind.is_file() => {}
            OWN => self.is_own = true,
            "evaluations.npz" => self.evaluations = Some(path),
            // `eval_monitor.csv` is of evaluations, whose steps are none of the training.
            name if is_monitor(name) => self.monitors.push(path),
            name if name.contains(".tfevents.") => self.events.push(path),
            _ => {}
        }
    }

    fn sort(&mut self) {
        for paths in [&mut self.monitors, &mut self.events, &mut self.folders] {
            paths.sort();
        }
    }

    fn is_empty(&self) -> bool {
        self.monitors.is_empty() && self.events.is_empty() && self.evaluations.is_none()
    }

    /// Reads the training of a folder: evaluations and episodes from Stable-Baselines3's own files where
    /// they are there, else from event files; only from these if the user names a tag.
    fn read(&self, folder: &Path, tag: Option<&str>) -> Result<ForeignSeed, ForeignError> {
        let mut series = Series::default();
        if tag.is_none() {
            if let Some(path) = &self.evaluations {
                let bytes = bytes_of(path)?;
                let arrays = Npz::open(path, &bytes)?;
                series.evaluations = evaluations_npz::read(path, &arrays)?;
                series.program = Some(Program::StableBaselines3);
            }
            if !self.monitors.is_empty() {
                series = series.or(monitor_csv::read(&self.monitors)?);
            }
        }
        if !self.events.is_empty() {
            let is_enough = !series.evaluations.is_empty() || !series.training.is_empty();
            match event_file::read(&self.events, folder, tag) {
                Ok(events) => series = series.or(events),
                Err(ForeignError::NoSeries { .. }) if is_enough => {}
                Err(error) => return Err(error),
            }
        }
        if tag.is_some() && self.events.is_empty() {
            let expected = super::series::expected(tag);
            let path = folder.to_owned();
            return Err(ForeignError::NoSeries { path, expected, found: Vec::new() });
        }
        let zoo = zoo_args::read(folder).unwrap_or_default();
        let by_path = names::of_folder(folder);
        let mut seed = SeedNames {
            agent: zoo.names.agent.or(by_path.agent),
            env: zoo.names.env.or(by_path.env),
            seed: zoo.names.seed.or(by_path.seed),
            program: by_path.program.or(zoo.names.program),
        }
        .with(folder, series);
        if zoo.is_changed {
            // Wrappers or arguments: neither our reference returns nor our threshold hold for it.
            seed.env = seed.env.map(|env| format!("{env} (changed)"));
        }
        Ok(seed)
    }
}
