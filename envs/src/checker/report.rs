//! The report of the checker.

use std::fmt;

use serde::Serialize;

use crate::EnvError;

/// A check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// The environment can be created.
    Construction,
    /// The bounds of the spaces make sense.
    SpaceBounds,
    /// Samples of a space lie in it.
    SpaceSamples,
    /// The spaces never change.
    ConstantSpaces,
    /// The observations of `reset` lie in the observation space.
    ResetObservations,
    /// The observations of `step` lie in the observation space.
    StepObservations,
    /// Actions drawn from the action space are accepted.
    SampledActions,
    /// Actions outside the action space are errors.
    OutsideActions,
    /// Rewards are finite numbers.
    Rewards,
    /// `reset` works at any time.
    ResetAnyTime,
    /// Episodes end.
    EpisodeEnd,
    /// The same stream and actions give the same episode.
    SameSeed,
    /// Different streams give different episodes.
    DifferentSeeds,
    /// No state of an episode survives into the next.
    CleanReset,
    /// `save` and `restore` continue in mid-episode.
    SaveRestore,
    /// `state` and `set_state` agree.
    StateRoundTrip,
    /// `transitions` and `initial_states` agree with the steps and resets.
    TransitionModel,
    /// Pictures and texts are available at any time; pictures keep their size.
    Rendering,
    /// The number of steps per second.
    Speed,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Construction => "construction",
            Self::SpaceBounds => "space-bounds",
            Self::SpaceSamples => "space-samples",
            Self::ConstantSpaces => "constant-spaces",
            Self::ResetObservations => "reset-observations",
            Self::StepObservations => "step-observations",
            Self::SampledActions => "sampled-actions",
            Self::OutsideActions => "outside-actions",
            Self::Rewards => "rewards",
            Self::ResetAnyTime => "reset-any-time",
            Self::EpisodeEnd => "episode-end",
            Self::SameSeed => "same-seed",
            Self::DifferentSeeds => "different-seeds",
            Self::CleanReset => "clean-reset",
            Self::SaveRestore => "save-restore",
            Self::StateRoundTrip => "state-round-trip",
            Self::TransitionModel => "transition-model",
            Self::Rendering => "rendering",
            Self::Speed => "speed",
        };
        f.pad(name)
    }
}

/// The severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// An error: agents cannot rely on the environment.
    Error,
    /// A warning: it works, but probably not as its author intended.
    Warning,
}

/// A problem found by a check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The severity.
    pub severity: Severity,
    /// The check that found it.
    pub check: Check,
    /// The problem.
    pub problem: String,
    /// The advice to the author.
    pub advice: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}: {}: {}\n  {}", self.check, self.problem, self.advice)
    }
}

/// The result of [`check_env`](crate::check_env).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CheckReport {
    /// The problems, each kind once.
    pub findings: Vec<Finding>,
    /// The checks that were run. Capabilities that the environment does not offer are left out.
    pub checks_run: Vec<Check>,
    /// Env steps per second with random actions, resets included. `None` if stepping failed.
    pub steps_per_second: Option<f64>,
}

impl CheckReport {
    /// The report on an environment that cannot be made.
    pub(crate) fn not_made(error: &EnvError) -> Self {
        let mut report = Self {
            findings: vec![],
            checks_run: vec![Check::Construction],
            steps_per_second: None,
        };
        report.error(
            Check::Construction,
            format!("the environment cannot be created: {error}"),
            "Fix its constructor or the given options.",
        );
        report
    }

    /// Returns whether there are no errors; there may be warnings.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.errors().next().is_none()
    }

    /// Returns the findings that are errors.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// Returns the findings that are warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Warning)
    }

    pub(super) fn error(&mut self, check: Check, problem: String, advice: &str) {
        self.find(Severity::Error, check, problem, advice);
    }

    pub(super) fn warn(&mut self, check: Check, problem: String, advice: &str) {
        self.find(Severity::Warning, check, problem, advice);
    }

    /// The same advice is not given twice: its first occasion stands for the others.
    fn find(&mut self, severity: Severity, check: Check, problem: String, advice: &str) {
        if self.findings.iter().all(|finding| finding.advice != advice) {
            self.findings.push(Finding { severity, check, problem, advice: advice.to_owned() });
        }
    }
}

impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        let (errors, warnings) = (self.errors().count(), self.warnings().count());
        let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
        let checks = count(self.checks_run.len(), "check");
        write!(f, "{checks}, {}, {}", count(errors, "error"), count(warnings, "warning"))?;
        match self.steps_per_second {
            Some(speed) => write!(f, "; {speed:.0} steps/s"),
            None => Ok(()),
        }
    }
}
