//! An option for all numbers of a space, or for each.

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

/// One value for all numbers of a space, or one per number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum OneOrEach<T> {
    One(T),
    Each(Vec<T>),
}

impl<T: Copy> OneOrEach<T> {
    /// Returns one value for each of `width` numbers. A list stays unchanged.
    pub(super) fn each(&self, width: usize) -> Vec<T> {
        match self {
            Self::One(value) => vec![*value; width],
            Self::Each(values) => values.clone(),
        }
    }
}

impl OneOrEach<f64> {
    /// Returns one value for each of `width` numbers, as a space holds them.
    pub(super) fn each_f32(&self, width: usize) -> Vec<f32> {
        self.each(width).into_iter().map(|x| x as f32).collect()
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for OneOrEach<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(from)?;
        let one = || gymnast_json::from_value(&value).map(Self::One);
        let read = gymnast_json::from_value(&value).map(Self::Each).or_else(|_| one());
        read.map_err(|_| D::Error::custom("expected a number, or a list with one for each"))
    }
}
