//! The library's wrappers by name. To add a wrapper, add an entry here.
#![allow(unreachable_pub, reason = "`documented!` writes public structures with public fields")]

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    InEvaluation::{Given, LeftOut, Same},
    WrapperSpec,
    one_or_each::OneOrEach,
};
use crate::{
    Env, EnvError, FeatureSpace, RowSpace, documented, kind,
    wrappers::{
        BinnedObservation, BinnedSpace, ClipAction, ClipReward, FlattenObservation,
        MaxAndSkipObservation, NormalizeObservation, NormalizeReward, OrderEnforcing,
        RecordEpisodeStatistics, RepeatAction, RescaleAction, RescaleObservation, RunningMeanStd,
        StackedObservation, StickyAction, TimeAwareObservation, TimeLimit, TransformReward,
    },
};

/// Defines the wrappers. An entry has a summary, a name, its treatment in evaluations, the options
/// with their defaults (a required option has none), and how to wrap environments of these kinds.
macro_rules! wrappers {
    ($(
        #[doc = $summary:literal]
        $name:ident, $in_evaluation:expr => {
            $($(#[doc = $doc:literal])* $option:ident: $type:ty $(= $default:expr)?,)*
        }
        $($kinds:ident: $wrap:expr,)+
    )*) => {
        /// Returns all wrappers: first those of episodes, then of actions, observations and rewards.
        pub(crate) fn builtin() -> Vec<WrapperSpec> {
            vec![$({
                documented! {
                    #[derive(Serialize, Deserialize)]
                    #[serde(deny_unknown_fields)]
                    pub struct Options { $($(#[doc = $doc])* pub $option: $type,)* }
                }
                let defaults = Map::from_iter([
                    $($((stringify!($option).to_owned(), json!($default)),)?)*
                ]);
                let (name, summary) = (stringify!($name), $summary.trim());
                let spec =
                    WrapperSpec::new::<Options>(name, summary, &defaults.into(), $in_evaluation);
                $(let spec = around!(spec, $kinds, $wrap);)+
                spec
            }),*]
        }
    };
}

/// Adds support for environments of every kind, of those whose observations are rows, of one kind,
/// or of those whose observations become finite.
macro_rules! around {
    ($spec:expr, every, $wrap:expr) => {
        around!($spec, rows, $wrap).around(kind::Finite, $wrap)
    };
    ($spec:expr, rows, $wrap:expr) => {
        $spec
            .around(kind::Discrete, $wrap)
            .around(kind::MultiDiscrete, $wrap)
            .around(kind::Continuous, $wrap)
    };
    ($spec:expr, into_finite, $wrap:expr) => {
        $spec.into_finite($wrap)
    };
    ($spec:expr, $kind:ident, $wrap:expr) => {
        $spec.around(kind::$kind, $wrap)
    };
}

wrappers! {
    /// Truncates an episode after a number of steps.
    TimeLimit, Same => {
        /// The number of steps after which an episode is truncated, at least 1.
        max_episode_steps: u32,
    }
    every: |env, options: &Options| match options.max_episode_steps {
        0 => invalid("TimeLimit", "`max_episode_steps` must be at least 1, got 0"),
        steps => Ok(TimeLimit::new(env, steps)),
    },

    /// Rejects steps before the first reset or after the end of an episode.
    OrderEnforcing, Same => {}
    every: |env, _: &Options| Ok(OrderEnforcing::new(env)),

    /// Records the return and length of the last episodes, for programs to read.
    RecordEpisodeStatistics, Same => {
        /// The number of episodes to keep, at least 1.
        buffer_length: usize = 100,
    }
    every: |env, options: &Options| RecordEpisodeStatistics::new(env, options.buffer_length),

    /// Repeats the previous action instead of the chosen one with some probability.
    StickyAction, Same => {
        /// The probability of repeating the previous action, in [0, 1].
        repeat_action_probability: f64,
    }
    every: |env, options: &Options| {
        StickyAction::new(unmasked("StickyAction", env)?, options.repeat_action_probability)
    },

    /// Repeats each action and sums the rewards.
    RepeatAction, Same => {
        /// The number of steps that each action is repeated for, at least 1.
        num_repeats: u32,
    }
    every: |env, options: &Options| {
        RepeatAction::new(unmasked("RepeatAction", env)?, options.num_repeats)
    },

    /// Clips actions to the environment's bounds.
    ClipAction, Same => {}
    Continuous: |env, _: &Options| Ok(ClipAction::new(env)),

    /// Rescales actions from new bounds to the environment's.
    RescaleAction, Same => {
        /// The new lower bound: one for all numbers, or a list.
        min_action: OneOrEach<f64> = -1.0,
        /// The new upper bound, above `min_action`: one for all numbers, or a list.
        max_action: OneOrEach<f64> = 1.0,
    }
    Continuous: |env, options: &Options| {
        let width = env.action_space().width();
        let (low, high) = (&options.min_action, &options.max_action);
        RescaleAction::with_bounds(env, low.each_f32(width), high.each_f32(width))
    },

    /// Repeats each action and returns the maximum of the last two observations.
    MaxAndSkipObservation, Same => {
        /// The number of steps that each action is repeated for, at least 2.
        skip: u32 = 4,
    }
    rows: |env, options: &Options| {
        MaxAndSkipObservation::new(unmasked("MaxAndSkipObservation", env)?, options.skip)
    },

    /// Stacks the last k observations, oldest first.
    FrameStack, Same => {
        /// The number of observations in a stack, at least 1.
        k: usize,
        /// Whether to stack pictures as channels, [height, width, k * channels], which convolutions
        /// read together. Otherwise the shape is [k, height, width, channels]: convolutions read
        /// each picture separately, and a replay memory stores the stack in less memory.
        channels: bool = false,
    }
    rows: |env, options: &Options| StackedObservation::of_rows(env, options.k, options.channels),
    Finite: |env, options: &Options| match options.channels {
        true => invalid("FrameStack", "`channels` is for pictures, got states"),
        false => StackedObservation::of_states(env, options.k),
    },

    /// Flattens observations to rows.
    FlattenObservation, Same => {}
    rows: |env, _: &Options| FlattenObservation::new(env),

    /// Appends the number of steps taken to each observation and flattens it.
    TimeAwareObservation, Same => {
        /// The number of steps after which an episode ends, at least 1: the largest time in an
        /// observation.
        max_episode_steps: u32,
        /// Whether to give the time as a fraction of `max_episode_steps`, in [0, 1].
        normalize_time: bool = false,
    }
    rows: |env, options: &Options| match options.normalize_time {
        true => TimeAwareObservation::normalized(env, options.max_episode_steps),
        false => TimeAwareObservation::new(env, options.max_episode_steps),
    },

    /// Bins each number of an observation, so that tables can hold it.
    DiscretizeObservation, Same => {
        /// The number of bins, at least 1: one for all numbers, or a list.
        bins: OneOrEach<usize>,
        /// The lower limit of the bins, finite: one for all numbers, or a list. Default: the lower
        /// bounds of the observation space.
        low: Option<OneOrEach<f64>> = Value::Null,
        /// The upper limit of the bins, finite and above `low`: one for all numbers, or a list.
        /// Default: the upper bounds of the observation space.
        high: Option<OneOrEach<f64>> = Value::Null,
    }
    rows: |env, options: &Options| binned(env, &options.bins, [&options.low, &options.high]),
    into_finite: |env, options: &Options| {
        binned(env, &options.bins, [&options.low, &options.high])
    },

    /// Shifts and scales observations to mean 0 and variance 1.
    NormalizeObservation, Given(&["mean", "var"]) => {
        /// A constant added to the variance, > 0.
        epsilon: f64 = 1e-8,
        /// The mean of each number. Together with `var` it fixes the statistics.
        mean: Option<Vec<f64>> = Value::Null,
        /// The variance of each number, at least 0. Together with `mean` it fixes the statistics.
        var: Option<Vec<f64>> = Value::Null,
    }
    rows: |env, options: &Options| {
        const NAME: &str = "NormalizeObservation";
        let mut wrapper = NormalizeObservation::new(unmasked(NAME, env)?, options.epsilon)?;
        match (&options.mean, &options.var) {
            (Some(mean), Some(var)) => {
                let known = RunningMeanStd::from_parts(mean.clone(), var.clone(), 1.0);
                wrapper.set_statistics(known.map_err(|error| error.under(NAME))?)?;
                wrapper.set_update(false);
                Ok(wrapper)
            }
            (None, None) => Ok(wrapper),
            _ => invalid(NAME, "`mean` and `var` go together"),
        }
    },

    /// Rescales observations from the environment's bounds to new ones.
    RescaleObservation, Same => {
        /// The new lower bound: one for all numbers, or a list; "-inf" if the space has no lower
        /// bound.
        min_obs: OneOrEach<f64>,
        /// The new upper bound, above `min_obs`: one for all numbers, or a list; "inf" if the space
        /// has no upper bound.
        max_obs: OneOrEach<f64>,
    }
    rows: |env, options: &Options| {
        let env = unmasked("RescaleObservation", env)?;
        let width = env.observation_space().width();
        let (low, high) = (&options.min_obs, &options.max_obs);
        RescaleObservation::with_bounds(env, low.each_f32(width), high.each_f32(width))
    },

    /// Divides rewards by the standard deviation of the discounted return.
    NormalizeReward, LeftOut => {
        /// The discount γ of the return whose standard deviation is measured, in [0, 1].
        gamma: f64 = 0.99,
        /// A constant added to the variance, > 0.
        epsilon: f64 = 1e-8,
    }
    every: |env, options: &Options| NormalizeReward::new(env, options.gamma, options.epsilon),

    /// Clips rewards to bounds.
    ClipReward, LeftOut => {
        /// The smallest reward. Unset: no limit.
        min_reward: Option<f64> = Value::Null,
        /// The largest reward, at least `min_reward`. Unset: no limit.
        max_reward: Option<f64> = Value::Null,
    }
    every: |env, options: &Options| match (options.min_reward, options.max_reward) {
        (None, None) => invalid("ClipReward", "expected `min_reward`, `max_reward` or both"),
        (min, max) => {
            ClipReward::new(env, min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY))
        }
    },

    /// Scales and shifts rewards. Programs can use other functions.
    TransformReward, LeftOut => {
        /// The factor of each reward, finite.
        scale: f64 = 1.0,
        /// A constant added to each reward after scaling, finite.
        shift: f64 = 0.0,
    }
    every: |env, &Options { scale, shift }: &Options| {
        Ok(TransformReward::new(env, move |reward| scale * reward + shift))
    },
}

/// Bins rows between these limits, or between the bounds of the observation space.
fn binned<E: Env<ObservationSpace = RowSpace>, T: BinnedSpace>(
    env: E,
    bins: &OneOrEach<usize>,
    [low, high]: [&Option<OneOrEach<f64>>; 2],
) -> Result<BinnedObservation<E, T>, EnvError> {
    let space = env.observation_space();
    let width = space.width();
    let limits = |given: &Option<OneOrEach<f64>>, own: &[f32]| match given {
        Some(given) => given.each_f32(width),
        None => own.to_vec(),
    };
    let (low, high) = (limits(low, space.low()), limits(high, space.high()));
    BinnedObservation::of(env, &bins.each(width), &low, &high)
}

fn invalid<T>(wrapper: &str, reason: &str) -> Result<T, EnvError> {
    Err(EnvError::invalid_option(wrapper, reason.to_owned()))
}

/// Returns the environment, or an error if its observations contain an action mask, which would not
/// hold inside such a wrapper.
fn unmasked<E: Env<ObservationSpace: FeatureSpace>>(wrapper: &str, env: E) -> Result<E, EnvError> {
    if env.observation_space().action_mask().is_none() {
        return Ok(env);
    }
    invalid(
        wrapper,
        "the observations hold a mask of the actions that may be taken, which this wrapper would \
         make wrong: leave the wrapper out",
    )
}
