//! Files that a case works on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::source::Source;

/// A folder that goes with the case.
pub(super) struct Scratch(tempfile::TempDir);

impl Scratch {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder for scratch files"))
    }

    /// A folder that holds one file.
    pub(super) fn with(name: &str, bytes: &[u8]) -> Self {
        let scratch = Self::new();
        fs::write(scratch.path(name), bytes).expect("a scratch file");
        scratch
    }

    pub(super) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The path as an argument.
    pub(super) fn argument(&self, name: &str) -> String {
        self.path(name).to_str().expect("a temporary folder has a plain name").to_owned()
    }
}

/// The files of a folder, to be laid out again for each case.
#[derive(Clone)]
pub(super) struct Files(Vec<(PathBuf, Vec<u8>)>);

impl Files {
    pub(super) fn below(root: &Path) -> Self {
        let mut files = Vec::new();
        gather(root, Path::new(""), &mut files);
        files.sort();
        Self(files)
    }

    pub(super) fn write(&self, root: &Path) {
        for (path, bytes) in &self.0 {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
            fs::write(path, bytes).expect("a scratch file");
        }
    }

    /// Damages one of the files, or removes it.
    pub(super) fn damage(&mut self, source: &mut Source, is_meant: impl Fn(&Path) -> bool) {
        let meant = |(path, _): &(PathBuf, Vec<u8>)| is_meant(path);
        let places: Vec<usize> = (0..self.0.len()).filter(|&i| meant(&self.0[i])).collect();
        let place = source.pick(&places);
        if source.one_in(12) {
            self.0.remove(place);
        } else {
            self.0[place].1 = source.mutated(&self.0[place].1);
        }
    }

    pub(super) fn file(&mut self, end: &str) -> &mut Vec<u8> {
        let found = self.0.iter_mut().rev().find(|(path, _)| path.ends_with(end));
        &mut found.expect("there is such a file").1
    }
}

fn gather(root: &Path, below: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(root.join(below)).expect("a folder that can be listed") {
        let path = below.join(entry.expect("an entry").file_name());
        match root.join(&path) {
            full if full.is_dir() => gather(root, &path, files),
            full => files.push((path, fs::read(full).expect("a file that can be read"))),
        }
    }
}
