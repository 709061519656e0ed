//! Grid search.

use serde::{Deserialize, Serialize};

use super::Request;
use crate::require;
use crate::tune::{Distribution, SearchSpace, TuneError};

/// The largest number of values in a range.
const MOST_POINTS: u64 = 1000;

/// Tries every combination once; the first parameter changes slowest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// The parameters.
    pub space: SearchSpace,
    /// The number of values in a range, its ends included; from 2 to 1000. A range of fewer whole
    /// numbers gives all of them; a logarithmic scale gives fewer values where small whole numbers
    /// would repeat. Choices are all tried.
    pub points: u64,
}

impl Grid {
    pub(super) fn check(&self) -> Result<(), TuneError> {
        self.space.check()?;
        let fits = (2..=MOST_POINTS).contains(&self.points);
        Ok(require(fits, "points", self.points as f64, "from 2 to 1000")?)
    }

    /// Returns the number of combinations.
    #[allow(clippy::len_without_is_empty, reason = "a grid is never empty")]
    pub fn len(&self) -> u64 {
        self.places().map(|places| places.len() as u64).fold(1, u64::saturating_mul)
    }

    /// The places of the values of each parameter.
    fn places(&self) -> impl Iterator<Item = Vec<f64>> {
        let points = self.points.clamp(1, MOST_POINTS);
        self.space.iter().map(move |(_, distribution)| distribution.spread(points))
    }

    pub(super) fn draw(&self, request: &Request<'_>) -> Result<Vec<f64>, TuneError> {
        let all: Vec<Vec<f64>> = self.places().collect();
        let place = |&(name, distribution): &(&str, &Distribution)| {
            let Some(index) = self.space.iter().position(|own| own == (name, distribution)) else {
                let own = self.space.get(name);
                return Err(TuneError::NotInGrid {
                    name: name.to_owned(),
                    asked: distribution.to_string(),
                    holds: own.map_or_else(|| "no such parameter".to_owned(), ToString::to_string),
                });
            };
            let sizes = all[index + 1..].iter().map(|places| places.len() as u64);
            let below = sizes.fold(1, u64::saturating_mul);
            let places = &all[index];
            Ok(places[(request.number / below % places.len() as u64) as usize])
        };
        request.space.iter().map(place).collect()
    }
}
