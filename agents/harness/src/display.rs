//! The interface through which an experiment shows progress. The harness itself draws nothing.

use std::{fmt, io::Write as _};

use gymnast_base::text::escape_controls;
use gymnast_envs::Restored;

use crate::{Callback, Summary};

/// Shows the progress of an experiment's trainings, which may run in parallel: bars in a terminal, lines in a log.
pub trait ProgressDisplay: fmt::Debug + Send + Sync {
    /// Starts the display of a seed's training of `env_steps` env steps.
    fn begin(&self, seed: u64, env_steps: u64) -> Box<dyn SeedDisplay>;

    /// Shows a warning, even if progress is hidden. Must not fail: the run continues.
    fn warn(&self, line: &str);
}

/// Shows the training of one seed.
pub trait SeedDisplay: Callback {
    /// Ends the display after a training without an error.
    fn finish(&mut self, summary: &Summary);
}

/// Shows no progress; prints each warning as a line on standard error.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl ProgressDisplay for Quiet {
    fn begin(&self, seed: u64, _env_steps: u64) -> Box<dyn SeedDisplay> {
        Box::new(QuietSeed(seed))
    }

    fn warn(&self, line: &str) {
        // Standard error may be closed; nothing is left to tell it to then.
        let _ = writeln!(std::io::stderr(), "{}", escape_controls(line));
    }
}

struct QuietSeed(u64);

impl Callback for QuietSeed {
    fn on_resume(&mut self, env_steps: u64, restored: Restored) {
        if let Some(line) = restart_warning(self.0, env_steps, restored) {
            Quiet.warn(&line);
        }
    }
}

impl SeedDisplay for QuietSeed {
    fn finish(&mut self, _summary: &Summary) {}
}

/// Returns the warning for a seed that resumes without the exact state of its environments.
#[must_use]
pub fn restart_warning(seed: u64, env_steps: u64, restored: Restored) -> Option<String> {
    match restored {
        Restored::Exactly => None,
        Restored::AtEpisodeStart => Some(format!(
            "seed {seed}: continues after {env_steps} env steps with new episodes, because the \
             environment cannot be saved: the run will differ from one without interruption"
        )),
    }
}
