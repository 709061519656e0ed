//! What is kept of a trial.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Distribution;

/// A parameter as a trial had it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// What it might have been.
    pub distribution: Distribution,
    /// What it was.
    pub value: Value,
}

/// How a trial ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With this value, which is finite.
    Complete(f64),
    /// Early, since it lagged behind the others.
    Pruned,
    /// With an error or a value that is not finite, for this reason.
    Failed(String),
}

/// A trial that has ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrialRecord {
    /// Its number, from 0.
    pub number: u64,
    /// Its parameters, in the order it asked for them.
    pub params: Vec<Param>,
    /// What it reported on the way, as (step, value) with rising steps.
    pub reports: Vec<(u64, f64)>,
    /// How it ended.
    pub outcome: Outcome,
}

impl TrialRecord {
    /// The value of a parameter; `None` where the trial did not ask for it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.param(name).map(|param| &param.value)
    }

    /// What the trial came to; `None` unless it is complete.
    pub fn value(&self) -> Option<f64> {
        match self.outcome {
            Outcome::Complete(value) => Some(value),
            _ => None,
        }
    }

    pub(super) fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name == name)
    }

    /// The places of these parameters; `None` where the trial had not all of them as they are.
    pub(super) fn coordinates(&self, space: &[(&str, &Distribution)]) -> Option<Vec<f64>> {
        let place = |&(name, distribution): &(&str, &Distribution)| {
            let param = self.param(name).filter(|param| param.distribution == *distribution)?;
            distribution.coordinate(&param.value)
        };
        space.iter().map(place).collect()
    }

    /// What is wrong with a record that came from a file.
    pub(super) fn check(&self) -> Result<(), String> {
        for (i, Param { name, distribution, value }) in self.params.iter().enumerate() {
            if self.params[..i].iter().any(|other| other.name == *name) {
                return Err(format!("{name} is there twice: expected each parameter once"));
            }
            distribution.check(name).map_err(|error| error.to_string())?;
            if distribution.coordinate(value).is_none() {
                return Err(format!("{name} = {value}: expected a value of {distribution}"));
            }
        }
        if !self.reports.is_sorted_by(|a, b| a.0 < b.0) {
            return Err("the steps of its reports do not rise".to_owned());
        }
        let values = self.reports.iter().map(|(_, value)| *value).chain(self.value());
        match values.into_iter().find(|value| !value.is_finite()) {
            Some(value) => Err(format!("{value}: expected a finite number")),
            None => Ok(()),
        }
    }
}
