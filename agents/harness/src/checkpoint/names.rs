//! The names in a directory of checkpoints.

use std::path::{Path, PathBuf};

/// The end of the name of what is being written or deleted.
pub(super) const UNFINISHED: &str = ".tmp";
/// The end of the name of a checkpoint while another of the same env steps takes its place.
pub(super) const REPLACED: &str = ".replaced.tmp";
/// What stands in the name of a checkpoint that was set aside.
const SET_ASIDE: &str = ".damaged";

/// The name of the checkpoint after some env steps.
pub(super) fn of(env_steps: u64) -> String {
    format!("{env_steps:012}")
}

/// The env steps that a checkpoint's name tells; `None` for any other name.
pub(super) fn parse(name: &str) -> Option<u64> {
    let env_steps = name.parse().ok()?;
    (name == of(env_steps)).then_some(env_steps)
}

/// The same for the name of a checkpoint that another was to replace.
pub(super) fn parse_replaced(name: &str) -> Option<u64> {
    parse(name.strip_suffix(REPLACED)?)
}

pub(super) fn is_unfinished(name: &str) -> bool {
    let unfinished = name.strip_suffix(UNFINISHED);
    parse_replaced(name).or_else(|| parse(unfinished?)).is_some()
}

/// Whether a checkpoint was set aside under this name, whatever the user appended to it.
pub(super) fn is_set_aside(name: &str) -> bool {
    name.split_once(SET_ASIDE).is_some_and(|(name, _)| parse(name).is_some())
}

/// The env steps of a checkpoint that was set aside, and which of these env steps it is, from 1;
/// `None` for a name that was not given by [`set_aside`].
pub(super) fn parse_set_aside(name: &str) -> Option<(u64, u64)> {
    let (checkpoint, number) = name.split_once(SET_ASIDE)?;
    let number = if number.is_empty() { 1 } else { number.strip_prefix('-')?.parse().ok()? };
    Some((parse(checkpoint)?, number))
}

/// The path of a checkpoint that is set aside as the `number`th of its env steps.
pub(super) fn set_aside(path: &Path, number: u64) -> PathBuf {
    match number {
        1 => with_end(path, SET_ASIDE),
        n => with_end(path, &format!("{SET_ASIDE}-{n}")),
    }
}

pub(super) fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
