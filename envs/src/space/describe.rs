//! Spaces as data.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A space as data: for listings, records and messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum SpaceDescription {
    /// The integers `start..start + n`.
    Discrete {
        /// The number of elements.
        n: usize,
        /// The smallest element.
        start: i64,
    },
    /// A box of real numbers.
    Box {
        /// The lower bound of each number; `"-inf"` in JSON if unbounded.
        #[serde(with = "bounds")]
        low: Vec<f32>,
        /// The upper bound of each number; `"inf"` in JSON if unbounded.
        #[serde(with = "bounds")]
        high: Vec<f32>,
        /// The shape of the array.
        shape: Vec<usize>,
    },
    /// Several integers, each below its own bound.
    MultiDiscrete {
        /// The number of values of each integer.
        nvec: Vec<usize>,
    },
    /// Several bits.
    MultiBinary {
        /// The number of bits.
        n: usize,
    },
    /// One element of each space, in order.
    Tuple(Vec<SpaceDescription>),
    /// One element of each space, by name.
    Dict(Vec<(String, SpaceDescription)>),
    /// A custom space, described by its author.
    Custom(String),
}

impl fmt::Display for SpaceDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discrete { n, start: 0 } => write!(f, "Discrete({n})"),
            Self::Discrete { n, start } => write!(f, "Discrete({n}, start={start})"),
            Self::Box { low, high, shape } => {
                write!(f, "Box({}, {}, {shape:?})", Bounds(low), Bounds(high))
            }
            Self::MultiDiscrete { nvec } => match nvec[..] {
                [n, .., last] if nvec.len() > 8 && nvec.iter().all(|other| *other == last) => {
                    write!(f, "MultiDiscrete([{n}; {}])", nvec.len())
                }
                _ => write!(f, "MultiDiscrete({nvec:?})"),
            },
            Self::MultiBinary { n } => write!(f, "MultiBinary({n})"),
            Self::Tuple(spaces) => {
                let inner: Vec<_> = spaces.iter().map(ToString::to_string).collect();
                write!(f, "Tuple({})", inner.join(", "))
            }
            Self::Dict(spaces) => {
                let inner: Vec<_> = spaces.iter().map(|(k, v)| format!("{k}: {v}")).collect();
                write!(f, "Dict({})", inner.join(", "))
            }
            Self::Custom(text) => f.write_str(text),
        }
    }
}

/// Bounds in a form that JSON can hold.
mod bounds {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};
    use serde_json::Value;

    use crate::space::numbers::{numbers_from_json, numbers_to_json};

    pub(super) fn serialize<S: Serializer>(bounds: &[f32], to: S) -> Result<S::Ok, S::Error> {
        numbers_to_json(bounds).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f32>, D::Error> {
        let value = Value::deserialize(from)?;
        numbers_from_json(&value).ok_or_else(|| D::Error::custom("expected a list of numbers"))
    }
}

/// Shows one number if all bounds are equal, a list if they are few, their range if they are many.
struct Bounds<'a>(&'a [f32]);

impl fmt::Display for Bounds<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [first, rest @ ..] if rest.iter().all(|x| x == first) => write!(f, "{first}"),
            all if all.len() <= 8 => write!(f, "{all:?}"),
            all => {
                let least = all.iter().copied().fold(f32::INFINITY, f32::min);
                let most = all.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                write!(f, "[{least}..{most}]")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_read_like_gymnasium() {
        let bounded = SpaceDescription::Box {
            low: vec![-4.8, f32::NEG_INFINITY],
            high: vec![1.0, 1.0],
            shape: vec![2],
        };
        assert_eq!(bounded.to_string(), "Box([-4.8, -inf], 1, [2])");
        let pair = SpaceDescription::Tuple(vec![
            SpaceDescription::Discrete { n: 32, start: 0 },
            SpaceDescription::MultiBinary { n: 3 },
        ]);
        assert_eq!(pair.to_string(), "Tuple(Discrete(32), MultiBinary(3))");
        let integers = |nvec: &[usize]| SpaceDescription::MultiDiscrete { nvec: nvec.to_vec() };
        assert_eq!(integers(&[3, 3]).to_string(), "MultiDiscrete([3, 3])");
        assert_eq!(integers(&[3; 42]).to_string(), "MultiDiscrete([3; 42])");
    }

    #[test]
    fn infinite_bounds_are_read_as_they_are_written() {
        let (low, high) = (vec![-4.8, f32::NEG_INFINITY], vec![f32::INFINITY, 0.1]);
        let space = SpaceDescription::Box { low, high, shape: vec![2] };
        let text = serde_json::to_string(&space).unwrap();
        assert!(text.contains(r#""low":[-4.8,"-inf"],"high":["inf",0.1]"#), "{text}");
        assert_eq!(serde_json::from_str::<SpaceDescription>(&text).unwrap(), space);
    }
}
