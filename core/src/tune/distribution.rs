//! The distribution of a parameter, and its mapping to a line from 0 to 1.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::TuneError;
use crate::rounding;
use crate::text::number;

/// The largest whole number: beyond ±2⁵³ `f64` skips some.
const LARGEST: i64 = 1 << 53;

/// Whether equal steps are sums or ratios.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal differences: 1 to 2 is as far as 2 to 3.
    #[default]
    Linear,
    /// Equal ratios: 1 to 2 is as far as 2 to 4. Use it for learning rates and sizes.
    Log,
}

/// The values that a parameter may take.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Distribution {
    /// A real number from `low` to `high`.
    Float {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
        /// How the numbers are spread over the range.
        #[serde(default)]
        scale: Scale,
    },
    /// A whole number from `low` to `high`, both included.
    Int {
        /// The lower end.
        low: i64,
        /// The upper end.
        high: i64,
        /// How the numbers are spread over the range.
        #[serde(default)]
        scale: Scale,
    },
    /// One of several unordered choices.
    Categorical {
        /// The choices.
        choices: Vec<Value>,
    },
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Float { low, high, scale: Scale::Linear } => {
                write!(f, "uniform({}, {})", number(*low), number(*high))
            }
            Self::Float { low, high, scale: Scale::Log } => {
                write!(f, "log({}, {})", number(*low), number(*high))
            }
            Self::Int { low, high, scale: Scale::Linear } => write!(f, "int({low}, {high})"),
            Self::Int { low, high, scale: Scale::Log } => write!(f, "log_int({low}, {high})"),
            Self::Categorical { choices } => write!(f, "{}", Value::from(choices.clone())),
        }
    }
}

impl Distribution {
    /// Checks that the range or the choices are valid.
    ///
    /// # Errors
    /// [`TuneError::Range`], [`TuneError::Choices`].
    pub fn check(&self, name: &str) -> Result<(), TuneError> {
        let range = |holds, low, high, expected| match holds {
            true => Ok(()),
            false => Err(TuneError::Range { name: name.to_owned(), expected, low, high }),
        };
        match *self {
            Self::Float { low, high, scale } => {
                // The difference too: a range that is not finite cannot be drawn from.
                let is_range = low < high && (high - low).is_finite();
                range(is_range, low, high, "finite numbers, the first below the second")?;
                let is_log = scale == Scale::Linear || low > 0.0;
                range(is_log, low, high, "positive numbers on a logarithmic scale")?;
                // Neighbouring numbers may have the same logarithm, between which nothing lies.
                let (l, h) = ends(low, high, scale);
                range(l < h, low, high, "numbers that are further apart on a logarithmic scale")
            }
            Self::Int { low, high, scale } => {
                let (l, h) = (low as f64, high as f64);
                range(low < high, l, h, "whole numbers, the first below the second")?;
                let is_exact = low >= -LARGEST && high <= LARGEST;
                range(is_exact, l, h, "whole numbers within ±2^53")?;
                let is_log = scale == Scale::Linear || low > 0;
                range(is_log, l, h, "positive numbers on a logarithmic scale")?;
                let (first, last) = ends(l - 0.5, h + 0.5, scale);
                range(first < last, l, h, "numbers that are further apart on a logarithmic scale")
            }
            Self::Categorical { ref choices } => {
                let is_new = |(i, choice): (usize, &Value)| !choices[..i].contains(choice);
                if !choices.is_empty() && choices.iter().enumerate().all(is_new) {
                    return Ok(());
                }
                let choices = Value::from(choices.clone()).to_string();
                Err(TuneError::Choices { name: name.to_owned(), choices })
            }
        }
    }

    /// Returns the two ends of the range, or every choice, of the parameter `name`: values to try
    /// in advance.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    pub fn extremes(&self, name: &str) -> Result<Vec<Value>, TuneError> {
        self.check(name)?;
        Ok(match self {
            Self::Categorical { choices } => choices.clone(),
            _ => vec![self.value(0.0), self.value(1.0)],
        })
    }

    /// Returns the number of choices; `None` for ordered values.
    pub(super) fn categories(&self) -> Option<usize> {
        match self {
            Self::Categorical { choices } => Some(choices.len()),
            _ => None,
        }
    }

    /// Returns at most `points` different places, evenly spread from end to end; all choices of a
    /// categorical parameter.
    pub(super) fn spread(&self, points: u64) -> Vec<f64> {
        let share = |i: u64| i as f64 / points.saturating_sub(1).max(1) as f64;
        match *self {
            Self::Float { .. } => (0..points).map(share).collect(),
            Self::Categorical { ref choices } => (0..choices.len()).map(|i| i as f64).collect(),
            Self::Int { low, high, scale } => {
                let is_dense = high.abs_diff(low) < points;
                let mut values: Vec<i64> = match is_dense {
                    true => (low..=high).collect(),
                    false => (0..points)
                        .map(|i| between(low as f64, high as f64, scale, share(i)))
                        .map(|value| (rounding::settled(2.0 * value) / 2.0).round() as i64)
                        .collect(),
                };
                // The small numbers of a logarithmic scale lie further apart than its
                // points.
                values.dedup();
                values.into_iter().filter_map(|value| self.coordinate(&value.into())).collect()
            }
        }
    }

    /// Returns the place of a value: from 0 to 1, or the index of the choice. `None` for a value
    /// outside the distribution.
    pub(super) fn coordinate(&self, value: &Value) -> Option<f64> {
        match *self {
            Self::Float { low, high, scale } => {
                let value = value.as_f64().filter(|value| (low..=high).contains(value))?;
                let (low, high) = ends(low, high, scale);
                let place = if scale == Scale::Log { value.ln() } else { value };
                Some(((place - low) / (high - low)).clamp(0.0, 1.0))
            }
            Self::Int { low, high, scale } => {
                let value = value.as_i64().filter(|value| (low..=high).contains(value))?;
                let (low, high) = ends(low as f64 - 0.5, high as f64 + 0.5, scale);
                let value = value as f64;
                let place = if scale == Scale::Log { value.ln() } else { value };
                Some((place - low) / (high - low))
            }
            Self::Categorical { ref choices } => {
                choices.iter().position(|choice| choice == value).map(|index| index as f64)
            }
        }
    }

    /// Returns the value at a place.
    pub(super) fn value(&self, coordinate: f64) -> Value {
        match *self {
            Self::Float { low, high, scale } => {
                between(low, high, scale, coordinate).clamp(low, high).into()
            }
            Self::Int { low, high, scale } => {
                let place = between(low as f64 - 0.5, high as f64 + 0.5, scale, coordinate);
                (place.round() as i64).clamp(low, high).into()
            }
            Self::Categorical { ref choices } => {
                choices[(coordinate as usize).min(choices.len() - 1)].clone()
            }
        }
    }
}

fn ends(low: f64, high: f64, scale: Scale) -> (f64, f64) {
    if scale == Scale::Log { (low.ln(), high.ln()) } else { (low, high) }
}

fn between(low: f64, high: f64, scale: Scale, share: f64) -> f64 {
    let (low, high) = ends(low, high, scale);
    let place = low + share * (high - low);
    if scale == Scale::Log { place.exp() } else { place }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn float(low: f64, high: f64, scale: Scale) -> Distribution {
        Distribution::Float { low, high, scale }
    }

    fn int(low: i64, high: i64, scale: Scale) -> Distribution {
        Distribution::Int { low, high, scale }
    }

    #[test]
    fn a_grid_rounds_halves_alike() {
        // Every 4.5: in binary 0.7 · 45 is less than 31.5.
        let integers = int(0, 45, Scale::Linear);
        let places = integers.spread(11);
        let values: Vec<_> = places.iter().map(|&place| integers.value(place)).collect();
        let expected = [0, 5, 9, 14, 18, 23, 27, 32, 36, 41, 45];
        assert_eq!(values, expected.map(Value::from));
    }

    #[test]
    fn a_value_and_its_place_are_each_others_inverse() {
        assert_eq!(float(-1.0, 3.0, Scale::Linear).value(0.75), Value::from(2.0));
        let rate = float(1e-4, 1.0, Scale::Log).value(0.5).as_f64().unwrap();
        assert!((rate - 1e-2).abs() < 1e-12, "{rate}");
        for distribution in [int(-2, 5, Scale::Linear), int(1, 300, Scale::Log)] {
            for place in [0.0, 0.1, 0.5, 0.77, 1.0] {
                let value = distribution.value(place);
                let again = distribution.coordinate(&value).unwrap();
                assert_eq!(distribution.value(again), value, "{distribution} {place}");
                assert!(distribution.coordinate(&Value::from(500)).is_none());
            }
        }
        let choices = vec![Value::from("a"), Value::from(vec![64, 64])];
        let layers = Distribution::Categorical { choices };
        assert_eq!(layers.coordinate(&Value::from(vec![64, 64])), Some(1.0));
        assert_eq!((layers.value(1.0), layers.value(0.0)), (vec![64, 64].into(), "a".into()));
    }

    #[test]
    fn each_whole_number_has_the_same_share() {
        let mut counts = [0; 4];
        for i in 0..400 {
            let value = int(2, 5, Scale::Linear).value((f64::from(i) + 0.5) / 400.0);
            counts[value.as_u64().unwrap() as usize - 2] += 1;
        }
        assert_eq!(counts, [100; 4]);
    }

    #[test]
    fn what_is_no_range_says_what_would_be() {
        let message =
            |distribution: Distribution| distribution.check("rate").unwrap_err().to_string();
        let swapped = message(float(2.0, 1.0, Scale::Linear));
        assert!(swapped.contains("rate") && swapped.contains("got 2 to 1"), "{swapped}");
        assert!(message(float(0.0, 1.0, Scale::Log)).contains("positive"));
        assert!(message(float(f64::NAN, 1.0, Scale::Linear)).contains("finite"));
        assert!(message(float(f64::MIN, f64::MAX, Scale::Linear)).contains("finite"));
        assert!(message(int(3, 3, Scale::Linear)).contains("below"));
        assert!(message(int(0, 3, Scale::Log)).contains("positive"));
        assert!(message(int(0, i64::MAX, Scale::Linear)).contains("2^53"));
        // What the logarithm cannot tell apart would be drawn as no number.
        let narrow = float(1e-3, 1e-3_f64.next_up(), Scale::Log);
        assert!(message(narrow).contains("further apart"));
        assert!(message(int(LARGEST - 1, LARGEST, Scale::Log)).contains("further apart"));
        float(1e-3, 1.001e-3, Scale::Log).check("rate").unwrap();
        assert!(float(f64::NAN, 1.0, Scale::Linear).extremes("rate").is_err());
        assert!(int(3, 1, Scale::Linear).extremes("rate").is_err());
        assert_eq!(int(1, 3, Scale::Log).extremes("rate").unwrap(), [1, 3]);
        let twice = vec![Value::from(1), Value::from(2), Value::from(1)];
        assert!(message(Distribution::Categorical { choices: twice }).contains("[1,2,1]"));
        assert!(message(Distribution::Categorical { choices: vec![] }).contains("at least one"));
    }
}
