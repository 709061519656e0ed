//! Every combination once.

use serde::{Deserialize, Serialize};

use super::Request;
use crate::tune::{SearchSpace, TuneError};

/// Every combination once: the first parameter changes slowest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The parameters.
    pub space: SearchSpace,
    /// How many values a range is cut into, its ends included; a parameter that has no more values has
    /// all of them, and so have choices; ≥ 2.
    pub points: u64,
}

impl Grid {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        self.space.check()?;
        if self.points >= 2 {
            return Ok(());
        }
        Err(TuneError::Setting { key: "points", value: self.points as f64, expected: "at least 2" })
    }

    /// The number of combinations.
    #[allow(clippy::len_without_is_empty, reason = "a grid is never empty")]
    pub fn len(&self) -> u64 {
        self.sizes().fold(1, u64::saturating_mul)
    }

    fn sizes(&self) -> impl Iterator<Item = u64> {
        self.space.iter().map(|(_, distribution)| match distribution.categories() {
            Some(choices) => choices as u64,
            None => distribution.count().map_or(self.points, |count| count.min(self.points)),
        })
    }

    pub(super) fn draw(&self, request: &Request<'_>) -> Result<Vec<f64>, TuneError> {
        let sizes: Vec<u64> = self.sizes().collect();
        let place = |&(name, distribution): &(&str, &crate::tune::Distribution)| {
            let Some(index) = self.space.iter().position(|own| own == (name, distribution)) else {
                let own = self.space.get(name);
                return Err(TuneError::NotInGrid {
                    name: name.to_owned(),
                    asked: distribution.to_string(),
                    holds: own.map_or_else(|| "no such".to_owned(), ToString::to_string),
                });
            };
            let below = sizes[index + 1..].iter().copied().fold(1, u64::saturating_mul);
            let digit = request.number / below % sizes[index];
            Ok(match (distribution.categories(), distribution.count()) {
                (Some(_), _) => digit as f64,
                // All of them: the middle of each one's share.
                (None, Some(count)) if count == sizes[index] => {
                    let crate::tune::Distribution::Int { low, .. } = distribution else {
                        unreachable!("only whole numbers and choices can be counted");
                    };
                    let value = serde_json::Value::from(low + digit as i64);
                    distribution.coordinate(&value).expect("the value is in its range")
                }
                _ => digit as f64 / (sizes[index] - 1) as f64,
            })
        };
        request.space.iter().map(place).collect()
    }
}
