//! A directory of its own to run the command in, and what it leaves there.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A short training whose files are small.
pub(crate) const SHORT: [&str; 9] = [
    "train",
    "q-learning",
    "FrozenLake-v1",
    "--steps",
    "4000",
    "--eval-every",
    "1000",
    "--quiet",
    "--set=training.checkpoint_every=1000",
];

/// What a call of the command came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Outcome {
    /// Runs a command to its end.
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The call succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// The call failed with this exit code, in one `error:` message that names all of `parts`, and
    /// without a panic.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(self.stderr.starts_with("error: "), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        for part in parts {
            assert!(self.stderr.contains(part), "no `{part}` in {self:#?}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// A temporary directory.
pub(crate) struct Sandbox(tempfile::TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// One that holds a short run, `run`, of two seeds.
    pub(crate) fn with_run() -> Self {
        let sandbox = Self::new();
        sandbox.run(&[&SHORT[..], &["--seeds", "2", "--out", "run"]].concat()).ok();
        sandbox
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gymnast"));
        command.args(args).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(args))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// The newest checkpoint of a seed's directory.
    pub(crate) fn newest_checkpoint(&self, seed: &str) -> PathBuf {
        let entries = fs::read_dir(self.path(seed).join("checkpoints")).unwrap();
        entries.map(|entry| entry.unwrap().path()).max().unwrap()
    }

    /// Everything that a run recorded, by file, without what the clock told: the logs without their
    /// wall-time columns, and the checkpoints without their manifests. Without those set aside, too.
    pub(crate) fn records(&self, run: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut records = BTreeMap::new();
        gather(&self.path(run), Path::new(""), &mut records);
        records
    }
}

fn gather(root: &Path, below: &Path, records: &mut BTreeMap<PathBuf, Vec<u8>>) {
    for entry in fs::read_dir(root.join(below)).unwrap() {
        let path = below.join(entry.unwrap().file_name());
        let full = root.join(&path);
        if path.to_string_lossy().contains(".damaged") {
            continue;
        }
        if full.is_dir() {
            gather(root, &path, records);
            continue;
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("csv") => drop(records.insert(path, without_wall_time(&full))),
            Some("safetensors" | "toml") => drop(records.insert(path, fs::read(full).unwrap())),
            _ if path.ends_with("values.json") => {
                records.insert(path, fs::read(full).unwrap());
            }
            _ => {}
        }
    }
}

pub(crate) fn without_wall_time(csv: &Path) -> Vec<u8> {
    let text = fs::read_to_string(csv).unwrap();
    let clock = text.lines().next().unwrap().split(',').position(|name| name == "wall_time_s");
    let clock = clock.expect("every log has a wall-time column");
    let mut kept = String::new();
    for line in text.lines() {
        let cells = line.split(',').enumerate().filter(|(i, _)| *i != clock);
        kept.push_str(&cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(","));
        kept.push('\n');
    }
    kept.into_bytes()
}
