//! The options of the library's wrappers.
#![allow(unreachable_pub, reason = "`documented!` writes public structures with public fields")]

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

use crate::documented;

/// One value for all numbers of a space, or one per number.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrEach<T> {
    One(T),
    Each(Vec<T>),
}

impl<T: Copy> OneOrEach<T> {
    /// Returns one value for each of `width` numbers. A list stays unchanged.
    pub fn each(&self, width: usize) -> Vec<T> {
        match self {
            Self::One(value) => vec![*value; width],
            Self::Each(values) => values.clone(),
        }
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

macro_rules! options {
    ($($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* })*) => {
        $(documented! {
            $(#[doc = $doc])*
            #[derive(Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name { $($(#[doc = $field_doc])* pub $field: $type,)* }
        })*
    };
}

options! {
    /// No options.
    NoOptions {}

    /// Options of `TimeLimit`.
    TimeLimitOptions {
        /// The number of steps after which an episode is truncated, at least 1.
        max_episode_steps: u32,
    }

    /// Options of `RecordEpisodeStatistics`.
    RecordEpisodeStatisticsOptions {
        /// The number of episodes to keep, at least 1.
        buffer_length: usize,
    }

    /// Options of `StickyAction`.
    StickyActionOptions {
        /// The probability of repeating the previous action, in [0, 1].
        repeat_action_probability: f64,
    }

    /// Options of `RepeatAction`.
    RepeatActionOptions {
        /// The number of steps that each action is repeated for, at least 1.
        num_repeats: u32,
    }

    /// Options of `MaxAndSkipObservation`.
    MaxAndSkipObservationOptions {
        /// The number of steps that each action is repeated for, at least 2.
        skip: u32,
    }

    /// Options of `FrameStack`.
    FrameStackOptions {
        /// The number of observations in a stack, at least 1.
        k: usize,
        /// Whether to stack pictures as channels, [height, width, k * channels], which convolutions
        /// read together. Otherwise the shape is [k, height, width, channels], which a replay
        /// memory stores in less memory.
        channels: bool,
    }

    /// Options of `TimeAwareObservation`.
    TimeAwareObservationOptions {
        /// The number of steps after which an episode ends, at least 1: the largest time in an
        /// observation.
        max_episode_steps: u32,
        /// Whether to give the time as a fraction of `max_episode_steps`, in [0, 1].
        normalize_time: bool,
    }

    /// Options of `DiscretizeObservation`.
    DiscretizeObservationOptions {
        /// The number of bins, at least 1: one for all numbers, or a list.
        bins: OneOrEach<usize>,
        /// The lower limit of the bins, finite: one for all numbers, or a list. Default: the lower
        /// bounds of the observation space.
        low: Option<OneOrEach<f64>>,
        /// The upper limit of the bins, finite and above `low`: one for all numbers, or a list.
        /// Default: the upper bounds of the observation space.
        high: Option<OneOrEach<f64>>,
    }

    /// Options of `NormalizeObservation`.
    NormalizeObservationOptions {
        /// A constant added to the variance, > 0.
        epsilon: f64,
        /// The mean of each number. Together with `var` it fixes the statistics.
        mean: Option<Vec<f64>>,
        /// The variance of each number, at least 0. Together with `mean` it fixes the statistics.
        var: Option<Vec<f64>>,
    }

    /// Options of `RescaleObservation`.
    RescaleObservationOptions {
        /// The new lower bound: one for all numbers, or a list; "-inf" if the space has no lower
        /// bound.
        min_obs: OneOrEach<f64>,
        /// The new upper bound, above `min_obs`: one for all numbers, or a list; "inf" if the space
        /// has no upper bound.
        max_obs: OneOrEach<f64>,
    }

    /// Options of `RescaleAction`.
    RescaleActionOptions {
        /// The new lower bound: one for all numbers, or a list.
        min_action: OneOrEach<f64>,
        /// The new upper bound, above `min_action`: one for all numbers, or a list.
        max_action: OneOrEach<f64>,
    }

    /// Options of `NormalizeReward`.
    NormalizeRewardOptions {
        /// The discount γ of the return whose standard deviation is measured, in [0, 1].
        gamma: f64,
        /// A constant added to the variance, > 0.
        epsilon: f64,
    }

    /// Options of `ClipReward`.
    ClipRewardOptions {
        /// The smallest reward. Unset: no limit.
        min_reward: Option<f64>,
        /// The largest reward, at least `min_reward`. Unset: no limit.
        max_reward: Option<f64>,
    }

    /// Options of `TransformReward`.
    TransformRewardOptions {
        /// The factor of each reward, finite.
        scale: f64,
        /// A constant added to each reward after scaling, finite.
        shift: f64,
    }
}
