//! The library's wrappers by name. To add a wrapper, add an entry here.

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{InEvaluation, WrapperSpec, settings::*};
use crate::{
    Discrete, Documented, Env, EnvError, FeatureSpace, RowSpace, kind,
    wrappers::{
        ArraySpace, BinnedObservation, BinnedSpace, ClipAction, ClipReward, FlattenObservation,
        MaxAndSkipObservation, NormalizeObservation, NormalizeReward, OrderEnforcing,
        RecordEpisodeStatistics, RepeatAction, RescaleAction, RescaleObservation, RunningMeanStd,
        StackedObservation, StickyAction, TimeAwareObservation, TimeLimit, TransformReward,
    },
};

type Wrapped<E> = Result<E, EnvError>;

/// Returns all wrappers: first those of episodes, then of actions, observations and rewards.
pub(crate) fn builtin() -> Vec<WrapperSpec> {
    [episodes(), actions(), observations(), rewards()].concat()
}

/// Wraps environments of these kinds, or of every kind.
macro_rules! around {
    ($wrapper:expr, $wrap:expr) => {
        around!($wrapper, $wrap, Finite Discrete MultiDiscrete Continuous)
    };
    ($wrapper:expr, $wrap:expr, $($kind:ident)+) => {
        $wrapper$(.around(kind::$kind, $wrap))+
    };
}

/// Wraps environments whose observations are rows.
macro_rules! around_rows {
    ($wrapper:expr, $wrap:expr) => {
        around!($wrapper, $wrap, Discrete MultiDiscrete Continuous)
    };
}

fn entry<C: Documented + Serialize + DeserializeOwned>(
    name: &'static str,
    summary: &'static str,
    defaults: &Value,
) -> WrapperSpec {
    WrapperSpec::new::<C>(name, summary, defaults, InEvaluation::Same)
}

fn episodes() -> Vec<WrapperSpec> {
    let none = json!({});
    let limit = entry::<TimeLimitOptions>(
        "TimeLimit",
        "Truncates an episode after a number of steps.",
        &none,
    );
    let order = entry::<NoOptions>(
        "OrderEnforcing",
        "Rejects steps before the first reset or after the end of an episode.",
        &none,
    );
    let record = entry::<RecordEpisodeStatisticsOptions>(
        "RecordEpisodeStatistics",
        "Records the return and length of the last episodes, for programs to read.",
        &json!({ "buffer_length": 100 }),
    );
    vec![
        around!(limit, time_limit),
        around!(order, order_enforcing),
        around!(record, record_episodes),
    ]
}

fn actions() -> Vec<WrapperSpec> {
    let none = json!({});
    let sticky = entry::<StickyActionOptions>(
        "StickyAction",
        "Repeats the previous action instead of the chosen one with some probability.",
        &none,
    );
    let repeat = entry::<RepeatActionOptions>(
        "RepeatAction",
        "Repeats each action and sums the rewards.",
        &none,
    );
    let clip =
        entry::<NoOptions>("ClipAction", "Clips actions to the environment's bounds.", &none);
    let rescale = entry::<RescaleActionOptions>(
        "RescaleAction",
        "Rescales actions from new bounds to the environment's.",
        &json!({ "min_action": -1.0, "max_action": 1.0 }),
    );
    vec![
        around!(sticky, sticky_action),
        around!(repeat, repeat_action),
        clip.around(kind::Continuous, clip_action),
        rescale.around(kind::Continuous, rescale_action),
    ]
}

fn observations() -> Vec<WrapperSpec> {
    let none = json!({});
    let skip = entry::<MaxAndSkipObservationOptions>(
        "MaxAndSkipObservation",
        "Repeats each action and returns the maximum of the last two observations.",
        &json!({ "skip": 4 }),
    );
    let stack = entry::<FrameStackOptions>(
        "FrameStack",
        "Stacks the last k observations, oldest first.",
        &json!({ "channels": false }),
    );
    let flatten = entry::<NoOptions>("FlattenObservation", "Flattens observations to rows.", &none);
    let time = entry::<TimeAwareObservationOptions>(
        "TimeAwareObservation",
        "Appends the number of steps taken to each observation and flattens it.",
        &json!({ "normalize_time": false }),
    );
    let discretize = entry::<DiscretizeObservationOptions>(
        "DiscretizeObservation",
        "Bins each number of an observation, so that tables can hold it.",
        &json!({ "low": null, "high": null }),
    );
    let normalize = WrapperSpec::new::<NormalizeObservationOptions>(
        "NormalizeObservation",
        "Shifts and scales observations to mean 0 and variance 1.",
        &json!({ "epsilon": 1e-8, "mean": null, "var": null }),
        InEvaluation::Given(&["mean", "var"]),
    );
    let rescale = entry::<RescaleObservationOptions>(
        "RescaleObservation",
        "Rescales observations from the environment's bounds to new ones.",
        &none,
    );
    vec![
        around_rows!(skip, max_and_skip),
        around_rows!(stack, frame_stack).around(kind::Finite, stack_states),
        around_rows!(flatten, flatten_observation),
        around_rows!(time, time_aware),
        around_rows!(discretize, discretize_observation::<_, RowSpace>)
            .into_finite(discretize_observation::<_, Discrete>),
        around_rows!(normalize, normalize_observation),
        around_rows!(rescale, rescale_observation),
    ]
}

fn rewards() -> Vec<WrapperSpec> {
    let normalize = WrapperSpec::new::<NormalizeRewardOptions>(
        "NormalizeReward",
        "Divides rewards by the standard deviation of the discounted return.",
        &json!({ "gamma": 0.99, "epsilon": 1e-8 }),
        InEvaluation::LeftOut,
    );
    let clip = WrapperSpec::new::<ClipRewardOptions>(
        "ClipReward",
        "Clips rewards to bounds.",
        &json!({ "min_reward": null, "max_reward": null }),
        InEvaluation::LeftOut,
    );
    let transform = WrapperSpec::new::<TransformRewardOptions>(
        "TransformReward",
        "Scales and shifts rewards. Programs can use other functions.",
        &json!({ "scale": 1.0, "shift": 0.0 }),
        InEvaluation::LeftOut,
    );
    vec![
        around!(normalize, normalize_reward),
        around!(clip, clip_reward),
        around!(transform, transform_reward),
    ]
}

fn time_limit<E: Env>(env: E, options: &TimeLimitOptions) -> Wrapped<TimeLimit<E>> {
    let steps = options.max_episode_steps;
    at_least_one("TimeLimit", "max_episode_steps", steps as usize)?;
    Ok(TimeLimit::new(env, steps))
}

fn order_enforcing<E: Env>(env: E, _: &NoOptions) -> Wrapped<OrderEnforcing<E>> {
    Ok(OrderEnforcing::new(env))
}

fn record_episodes<E: Env>(
    env: E,
    options: &RecordEpisodeStatisticsOptions,
) -> Wrapped<RecordEpisodeStatistics<E>> {
    RecordEpisodeStatistics::new(env, options.buffer_length)
}

fn sticky_action<E: Env<ObservationSpace: FeatureSpace>>(
    env: E,
    options: &StickyActionOptions,
) -> Wrapped<StickyAction<E>> {
    StickyAction::new(unmasked("StickyAction", env)?, options.repeat_action_probability)
}

fn repeat_action<E: Env<ObservationSpace: FeatureSpace>>(
    env: E,
    options: &RepeatActionOptions,
) -> Wrapped<RepeatAction<E>> {
    RepeatAction::new(unmasked("RepeatAction", env)?, options.num_repeats)
}

fn clip_action<E: Env<ActionSpace: ArraySpace>>(env: E, _: &NoOptions) -> Wrapped<ClipAction<E>> {
    Ok(ClipAction::new(env))
}

fn rescale_action<E: Env<ActionSpace: ArraySpace>>(
    env: E,
    options: &RescaleActionOptions,
) -> Wrapped<RescaleAction<E>> {
    let width = env.action_space().width();
    let [low, high] = [&options.min_action, &options.max_action].map(|x| floats(x, width));
    RescaleAction::with_bounds(env, low, high)
}

fn max_and_skip<E: Env<ObservationSpace: ArraySpace>>(
    env: E,
    options: &MaxAndSkipObservationOptions,
) -> Wrapped<MaxAndSkipObservation<E>> {
    MaxAndSkipObservation::new(unmasked("MaxAndSkipObservation", env)?, options.skip)
}

fn frame_stack<E: Env<ObservationSpace = RowSpace>>(
    env: E,
    options: &FrameStackOptions,
) -> Wrapped<StackedObservation<E, RowSpace>> {
    StackedObservation::of_rows(env, options.k, options.channels)
}

fn stack_states<E: Env<ObservationSpace = Discrete>>(
    env: E,
    options: &FrameStackOptions,
) -> Wrapped<StackedObservation<E, Discrete>> {
    if options.channels {
        let reason = "`channels` is for pictures, got states".to_owned();
        return Err(EnvError::invalid_option("FrameStack", reason));
    }
    StackedObservation::of_states(env, options.k)
}

fn flatten_observation<E: Env<ObservationSpace: FeatureSpace>>(
    env: E,
    _: &NoOptions,
) -> Wrapped<FlattenObservation<E>> {
    FlattenObservation::new(env)
}

fn time_aware<E: Env<ObservationSpace: FeatureSpace>>(
    env: E,
    options: &TimeAwareObservationOptions,
) -> Wrapped<TimeAwareObservation<E>> {
    let steps = options.max_episode_steps;
    match options.normalize_time {
        true => TimeAwareObservation::normalized(env, steps),
        false => TimeAwareObservation::new(env, steps),
    }
}

fn discretize_observation<E, T>(
    env: E,
    options: &DiscretizeObservationOptions,
) -> Wrapped<BinnedObservation<E, T>>
where
    E: Env<ObservationSpace = RowSpace>,
    T: BinnedSpace,
{
    let space = env.observation_space();
    let width = space.width();
    let limits = |given: &Option<OneOrEach<f64>>, own: &[f32]| match given {
        Some(given) => floats(given, width),
        None => own.to_vec(),
    };
    let (low, high) = (limits(&options.low, space.low()), limits(&options.high, space.high()));
    BinnedObservation::of(env, &options.bins.each(width), &low, &high)
}

fn normalize_observation<E: Env<ObservationSpace: ArraySpace>>(
    env: E,
    options: &NormalizeObservationOptions,
) -> Wrapped<NormalizeObservation<E>> {
    const NAME: &str = "NormalizeObservation";
    let mut wrapper = NormalizeObservation::new(unmasked(NAME, env)?, options.epsilon)?;
    match (&options.mean, &options.var) {
        (Some(mean), Some(var)) => {
            let known = RunningMeanStd::from_parts(mean.clone(), var.clone(), 1.0);
            wrapper.set_statistics(known.map_err(|error| error.under(NAME))?)?;
            wrapper.set_update(false);
        }
        (None, None) => {}
        _ => return Err(EnvError::invalid_option(NAME, "`mean` and `var` go together".to_owned())),
    }
    Ok(wrapper)
}

fn rescale_observation<E: Env<ObservationSpace: ArraySpace>>(
    env: E,
    options: &RescaleObservationOptions,
) -> Wrapped<RescaleObservation<E>> {
    let env = unmasked("RescaleObservation", env)?;
    let width = env.observation_space().width();
    let [low, high] = [&options.min_obs, &options.max_obs].map(|x| floats(x, width));
    RescaleObservation::with_bounds(env, low, high)
}

fn normalize_reward<E: Env>(
    env: E,
    options: &NormalizeRewardOptions,
) -> Wrapped<NormalizeReward<E>> {
    NormalizeReward::new(env, options.gamma, options.epsilon)
}

fn clip_reward<E: Env>(env: E, options: &ClipRewardOptions) -> Wrapped<ClipReward<E>> {
    let (min, max) = (options.min_reward, options.max_reward);
    if (min, max) == (None, None) {
        let reason = "expected `min_reward`, `max_reward` or both".to_owned();
        return Err(EnvError::invalid_option("ClipReward", reason));
    }
    ClipReward::new(env, min.unwrap_or(f64::NEG_INFINITY), max.unwrap_or(f64::INFINITY))
}

fn transform_reward<E: Env>(
    env: E,
    options: &TransformRewardOptions,
) -> Wrapped<TransformReward<E>> {
    let (scale, shift) = (options.scale, options.shift);
    Ok(TransformReward::new(env, move |reward| scale * reward + shift))
}

fn floats(numbers: &OneOrEach<f64>, width: usize) -> Vec<f32> {
    numbers.each(width).into_iter().map(|x| x as f32).collect()
}

fn at_least_one(wrapper: &str, option: &str, count: usize) -> Result<(), EnvError> {
    if count == 0 {
        let reason = format!("`{option}` must be at least 1, got 0");
        return Err(EnvError::invalid_option(wrapper, reason));
    }
    Ok(())
}

/// Returns the environment, or an error if its observations contain an action mask, which would not
/// hold inside such a wrapper.
fn unmasked<E: Env<ObservationSpace: FeatureSpace>>(wrapper: &str, env: E) -> Result<E, EnvError> {
    if env.observation_space().action_mask().is_none() {
        return Ok(env);
    }
    let reason = "the observations hold a mask of the actions that may be taken, which this wrapper \
                  would make wrong: leave the wrapper out";
    Err(EnvError::invalid_option(wrapper, reason.to_owned()))
}
