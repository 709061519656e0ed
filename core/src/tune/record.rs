//! The record of a trial.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Distribution;

/// A parameter of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// The name of the parameter.
    pub name: String,
    /// The distribution it was drawn from.
    pub distribution: Distribution,
    /// The value drawn.
    pub value: Value,
}

/// The outcome of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    /// Completed with this finite value.
    Complete(f64),
    /// Pruned: ended early, because it was worse than the others.
    Pruned,
    /// Failed for this reason: an error, or a value that is not finite.
    Failed(String),
}

/// A finished trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRecord {
    /// The number of the trial, from 0.
    pub number: u64,
    /// The parameters, in the order the trial asked for them.
    pub params: Vec<Param>,
    /// The reports, as (step, value) with increasing steps.
    pub reports: Vec<(u64, f64)>,
    /// The outcome.
    pub outcome: TrialOutcome,
}

impl TrialRecord {
    /// Returns the value of a parameter; `None` if the trial did not ask for it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.param(name).map(|param| &param.value)
    }

    /// Returns the value of a complete trial, else `None`.
    pub fn value(&self) -> Option<f64> {
        match self.outcome {
            TrialOutcome::Complete(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// Returns the places of these parameters; `None` if the trial lacks one of them or drew it
    /// from another distribution.
    pub(super) fn coordinates(&self, space: &[(&str, &Distribution)]) -> Option<Vec<f64>> {
        let place = |&(name, distribution): &(&str, &Distribution)| {
            let param = self.param(name).filter(|param| param.distribution == *distribution)?;
            distribution.coordinate(&param.value)
        };
        space.iter().map(place).collect()
    }

    /// Checks a record read from a file.
    pub(super) fn check(&self) -> Result<(), String> {
        for (i, Param { name, distribution, value }) in self.params.iter().enumerate() {
            if self.params[..i].iter().any(|other| other.name == *name) {
                return Err(format!("{name} occurs twice: expected each parameter once"));
            }
            distribution.check(name).map_err(|error| error.to_string())?;
            if distribution.coordinate(value).is_none() {
                return Err(format!("{name} = {value}: expected a value of {distribution}"));
            }
        }
        if !self.reports.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("the steps of its reports must increase".to_owned());
        }
        let values = self.reports.iter().map(|(_, value)| *value).chain(self.value());
        match values.into_iter().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("{value}: expected a finite number")),
            None => Ok(()),
        }
    }
}
