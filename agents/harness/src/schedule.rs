//! Schedules: values that change during training, as pure functions of its progress.

use serde::{Deserialize, Serialize};

use crate::AgentError;

/// A value as a function of the training's progress, from 0 to 1.
///
/// It has no state, so resuming cannot shift it. In a configuration a plain number is a constant,
/// and `{ from = 1.0, to = 0.05, until = 0.1 }` is a line.
///
/// ```
/// use gymnast_harness::Schedule;
///
/// let epsilon = Schedule::linear(1.0, 0.1, 0.5);
/// assert_eq!(epsilon.at(0.25), 0.55);
/// assert_eq!(epsilon.at(0.9), 0.1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "expected a number, { from = 1.0, to = 0.05, until = 0.5 } or \
                 { from = 1.0, decay_to = 0.05, until = 0.5 }"
)]
pub enum Schedule {
    /// The same value throughout.
    Constant(f64),
    /// A straight line from `from` at the start to `to` at the progress `until`, then constant.
    Linear {
        /// The value at the start.
        from: f64,
        /// The value from `until` on.
        to: f64,
        /// The progress at which `to` is reached, in (0, 1].
        #[serde(default = "one")]
        until: f64,
    },
    /// Exponential change: from `from` at the start to `decay_to` at the progress `until`, by the
    /// same ratio every step, then constant.
    Exponential {
        /// The value at the start, > 0.
        from: f64,
        /// The value from `until` on, > 0.
        decay_to: f64,
        /// The progress at which `decay_to` is reached, in (0, 1].
        #[serde(default = "one")]
        until: f64,
    },
}

fn one() -> f64 {
    1.0
}

impl Schedule {
    /// Creates a straight line from `from` to `to`, reached at the progress `until`.
    #[must_use]
    pub fn linear(from: f64, to: f64, until: f64) -> Self {
        Self::Linear { from, to, until }
    }

    /// Creates an exponential decay (or growth) from `from` to `to`, reached at the progress
    /// `until`.
    #[must_use]
    pub fn exponential(from: f64, to: f64, until: f64) -> Self {
        Self::Exponential { from, decay_to: to, until }
    }

    /// Returns the value at `progress`.
    #[must_use]
    pub fn at(&self, progress: f64) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Linear { to, until, .. } if progress >= until => to,
            Self::Linear { from, to, until } => from + (to - from) * progress / until,
            Self::Exponential { decay_to, until, .. } if progress >= until => decay_to,
            Self::Exponential { from, decay_to, until } => {
                from * (decay_to / from).powf(progress / until)
            }
        }
    }

    /// Returns the progress from which the value no longer changes.
    #[must_use]
    pub fn settled_at(&self) -> f64 {
        match *self {
            Self::Constant(_) => 0.0,
            Self::Linear { until, .. } | Self::Exponential { until, .. } => until,
        }
    }

    /// Checks a step size: every value in [0, 1], and not 0 throughout, which would learn nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] for `key`.
    pub fn check_step_size(&self, key: &'static str) -> Result<(), AgentError> {
        self.check(key, 0.0, 1.0, "a step size in [0, 1]")?;
        let learns = self.at(0.0) > 0.0 || self.at(1.0) > 0.0;
        AgentError::require(
            learns,
            key,
            &format_args!("{self}"),
            "a step size above 0: at 0 nothing is learned",
        )
    }

    /// Checks that every value of the schedule lies in `low..=high`.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] for `key`.
    pub fn check(
        &self,
        key: &'static str,
        low: f64,
        high: f64,
        expected: &'static str,
    ) -> Result<(), AgentError> {
        let ends = [self.at(0.0), self.at(1.0)];
        let positive = !matches!(self, Self::Exponential { .. }) || ends.iter().all(|&x| x > 0.0);
        let inside = ends.iter().all(|x| (low..=high).contains(x));
        AgentError::require(inside && positive, key, &format_args!("{self}"), expected)?;
        let until = self.settled_at();
        let is_share = until > 0.0 && until <= 1.0;
        let is_constant = matches!(self, Self::Constant(_));
        AgentError::require(is_constant || is_share, key, &until, "`until` in (0, 1]")
    }
}

impl std::fmt::Display for Schedule {
    /// As it is written in a configuration.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "{value:?}"),
            Self::Linear { from, to, until } => {
                write!(f, "{{ from = {from:?}, to = {to:?}, until = {until:?} }}")
            }
            Self::Exponential { from, decay_to, until } => {
                write!(f, "{{ from = {from:?}, decay_to = {decay_to:?}, until = {until:?} }}")
            }
        }
    }
}

impl From<f64> for Schedule {
    fn from(value: f64) -> Self {
        Self::Constant(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exponential_keeps_its_ratio() {
        let schedule = Schedule::exponential(1.0, 0.01, 1.0);
        assert!((schedule.at(0.5) - 0.1).abs() < 1e-12);
        assert_eq!(schedule.at(2.0), 0.01);
    }

    #[test]
    fn a_step_size_that_is_0_throughout_is_refused() {
        for nothing in [Schedule::Constant(0.0), Schedule::linear(0.0, 0.0, 1.0)] {
            let error = nothing.check_step_size("learning_rate").unwrap_err().to_string();
            assert!(error.contains("nothing is learned"), "{error}");
        }
        assert!(Schedule::linear(1e-3, 0.0, 0.5).check_step_size("learning_rate").is_ok());
        assert!(Schedule::Constant(1.5).check_step_size("learning_rate").is_err());
    }

    #[test]
    fn a_configuration_names_a_number_or_a_line() {
        #[derive(Deserialize)]
        struct Config {
            a: Schedule,
            b: Schedule,
            c: Schedule,
        }
        let text = "a = 0.5\nb = { from = 1.0, to = 0.0 }\nc = { from = 1.0, decay_to = 0.1 }";
        let config: Config = toml::from_str(text).unwrap();
        assert_eq!(config.a, Schedule::Constant(0.5));
        assert_eq!(config.b, Schedule::linear(1.0, 0.0, 1.0));
        assert_eq!(config.c, Schedule::exponential(1.0, 0.1, 1.0));
    }

    #[test]
    fn values_out_of_range_are_named() {
        let error = Schedule::from(1.5).check("epsilon", 0.0, 1.0, "0 to 1").unwrap_err();
        assert!(error.to_string().starts_with("epsilon = 1.5:"), "{error}");
        let error = Schedule::linear(2.0, 0.0, 0.1).check("epsilon", 0.0, 1.0, "").unwrap_err();
        assert!(error.to_string().contains("{ from = 2.0, to = 0.0, until = 0.1 }"), "{error}");
        assert!(Schedule::linear(1.0, 0.0, 0.0).check("epsilon", 0.0, 1.0, "").is_err());
        assert!(Schedule::from(f64::NAN).check("epsilon", 0.0, 1.0, "").is_err());
    }
}
