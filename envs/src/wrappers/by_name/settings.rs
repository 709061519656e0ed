//! The options of the library's wrappers.
#![allow(unreachable_pub, reason = "`documented!` writes public structures with public fields")]

use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

use crate::documented;

/// One value for all numbers of a space, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OneOrEach<T> {
    One(T),
    Each(Vec<T>),
}

impl<T: Copy> OneOrEach<T> {
    /// One value for each of `width` numbers; a list stays as it is.
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
        /// The steps after which an episode is truncated, at least 1.
        max_episode_steps: u32,
    }

    /// Options of `RecordEpisodeStatistics`.
    RecordEpisodeStatisticsOptions {
        /// The episodes that are kept, at least 1.
        buffer_length: usize,
    }

    /// Options of `StickyAction`.
    StickyActionOptions {
        /// The probability of repeating the previous action, in [0, 1].
        repeat_action_probability: f64,
    }

    /// Options of `RepeatAction`.
    RepeatActionOptions {
        /// The steps that each action is taken for, at least 1.
        num_repeats: u32,
    }

    /// Options of `MaxAndSkipObservation`.
    MaxAndSkipObservationOptions {
        /// The steps that each action is taken for, at least 2.
        skip: u32,
    }

    /// Options of `FrameStack`.
    FrameStackOptions {
        /// The number of observations in a stack, at least 1.
        k: usize,
        /// Whether stacked pictures are one picture [height, width, k * channels], which convolutions read as a whole, instead of [k, height, width, channels], which a replay memory stores in less room.
        channels: bool,
    }

    /// Options of `TimeAwareObservation`.
    TimeAwareObservationOptions {
        /// The steps at which an episode is cut, at least 1: the greatest time that is shown.
        max_episode_steps: u32,
        /// Whether the time is shown as a share of `max_episode_steps`, from 0 to 1.
        normalize_time: bool,
    }

    /// Options of `DiscretizeObservation`.
    DiscretizeObservationOptions {
        /// The bins of each number, at least 1: one count for all, or a list.
        bins: OneOrEach<usize>,
        /// The lower limit of the bins, finite: one for all numbers, or a list. Unset: the least values of the observation space.
        low: Option<OneOrEach<f64>>,
        /// The upper limit of the bins, finite and above `low`. Unset: the greatest values of the observation space.
        high: Option<OneOrEach<f64>>,
    }

    /// Options of `NormalizeObservation`.
    NormalizeObservationOptions {
        /// Added to the variance, above 0.
        epsilon: f64,
        /// The mean of each number; with `var` it keeps the statistics fixed.
        mean: Option<Vec<f64>>,
        /// The variance of each number, at least 0; with `mean` it keeps the statistics fixed.
        var: Option<Vec<f64>>,
    }

    /// Options of `RescaleObservation`.
    RescaleObservationOptions {
        /// The new least value: one for all numbers, or a list; "-inf" where the space has no lower bound.
        min_obs: OneOrEach<f64>,
        /// The new greatest value, above `min_obs`; "inf" where the space has no upper bound.
        max_obs: OneOrEach<f64>,
    }

    /// Options of `RescaleAction`.
    RescaleActionOptions {
        /// The new least value: one for all numbers, or a list.
        min_action: OneOrEach<f64>,
        /// The new greatest value, above `min_action`.
        max_action: OneOrEach<f64>,
    }

    /// Options of `NormalizeReward`.
    NormalizeRewardOptions {
        /// The discount γ of the return whose spread is measured, in [0, 1].
        gamma: f64,
        /// Added to the variance, above 0.
        epsilon: f64,
    }

    /// Options of `ClipReward`.
    ClipRewardOptions {
        /// The least reward. Unset: none.
        min_reward: Option<f64>,
        /// The greatest reward, at least `min_reward`. Unset: none.
        max_reward: Option<f64>,
    }

    /// Options of `TransformReward`.
    TransformRewardOptions {
        /// The factor on each reward, finite.
        scale: f64,
        /// Added to each reward after scaling, finite.
        shift: f64,
    }
}
