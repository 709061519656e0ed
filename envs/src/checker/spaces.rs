//! The spaces themselves.

use serde_json::Value;

use super::{
    Check, CheckReport, Checked, Make,
    play::{Play, Trouble, made},
};
use crate::{Env, Seed, Space, SpaceDescription};

/// A finite bound from here on stands for "unbounded" and is better written so.
const HUGE: f32 = 1e30;

/// Bounds are in order, and actions easy to learn.
pub(super) fn bounds<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let env = made(make)?;
    let observations = env.observation_space().describe();
    for (path, low, high) in boxes(&observations, "the observation space") {
        check_bounds(&path, &low, &high, report);
    }
    let actions = env.action_space().describe();
    for (path, low, high) in boxes(&actions, "the action space") {
        check_bounds(&path, &low, &high, report);
        check_action_bounds(&path, &low, &high, report);
    }
    Ok(Checked::Done)
}

/// The boxes of a space, each with its name and bounds.
fn boxes(space: &SpaceDescription, path: &str) -> Vec<(String, Vec<f32>, Vec<f32>)> {
    match space {
        SpaceDescription::Box { low, high, .. } => {
            vec![(path.to_owned(), low.clone(), high.clone())]
        }
        SpaceDescription::Tuple(parts) => {
            let part = |(i, part)| boxes(part, &format!("part {i} of {path}"));
            parts.iter().enumerate().flat_map(part).collect()
        }
        SpaceDescription::Dict(parts) => {
            let part = |(name, part): &(String, _)| boxes(part, &format!("`{name}` of {path}"));
            parts.iter().flat_map(part).collect()
        }
        _ => vec![],
    }
}

fn check_bounds(path: &str, low: &[f32], high: &[f32], report: &mut CheckReport) {
    for (i, (low, high)) in low.iter().zip(high).enumerate() {
        let bounds = format!("component {i} of {path} lies between {low} and {high}");
        if low.is_nan() || high.is_nan() || low > high {
            report.error(
                Check::SpaceBounds,
                format!("{bounds}, so nothing lies in the space"),
                "Give each component a lower bound that is a number and not above its upper one.",
            );
        } else if low == high {
            report.warn(
                Check::SpaceBounds,
                format!("{bounds}, so it is always the same"),
                "Leave out a component that never changes, or fix its bounds.",
            );
        } else if [low, high].into_iter().any(|x| x.is_finite() && x.abs() >= HUGE) {
            report.warn(
                Check::SpaceBounds,
                format!("{bounds}: finite, but so wide that scaling by it gives 0"),
                "Write `f32::INFINITY` for a component that has no bound, or give its true one.",
            );
        }
    }
}

fn check_action_bounds(path: &str, low: &[f32], high: &[f32], report: &mut CheckReport) {
    for (i, (&low, &high)) in low.iter().zip(high).enumerate() {
        let bounds = format!("component {i} of {path} lies between {low} and {high}");
        if low.is_infinite() || high.is_infinite() {
            report.warn(
                Check::SpaceBounds,
                format!("{bounds}: agents cannot know how large an action may be"),
                "Bound the actions: policies scale their outputs by the bounds.",
            );
        } else if (low != 0.0 && low.abs() != high.abs()) || low < -1.0 || high > 1.0 {
            report.warn(
                Check::SpaceBounds,
                format!("{bounds}: neither -1 to 1 nor 0 to 1"),
                "Prefer actions between -1 and 1: policies start near 0 with a spread near 1. \
                 `RescaleAction` does it from outside.",
            );
        }
    }
}

/// What a space samples lies in it and can be written down and read again.
pub(super) fn samples<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let env = made(make)?;
    check_samples(&env.observation_space(), "observation", report);
    check_samples(&env.action_space(), "action", report);
    Ok(Checked::Done)
}

fn check_samples<S: Space>(space: &S, name: &str, report: &mut CheckReport) {
    let mut rng = Seed::new(0).child("samples", 0).rng();
    for _ in 0..100 {
        let element = space.sample(&mut rng);
        if !space.contains(&element) {
            report.error(
                Check::SpaceSamples,
                format!("the {name} space sampled {element:?}, which it does not contain"),
                "Make the space's `sample` and `contains` agree.",
            );
            return;
        }
        let json = space.to_jsonable(&element);
        if space.from_jsonable(&json).ok().as_ref() != Some(&element) {
            report.error(
                Check::SpaceSamples,
                format!("the {name} space writes {element:?} as {json}, and reads it otherwise"),
                "Make the space's `to_jsonable` and `from_jsonable` agree: checkpoints and \
                 records need them.",
            );
            return;
        }
    }
}

/// The spaces are the same from one environment to the next, and all through an episode.
pub(super) fn constant<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    // As text, since a bound that is NaN differs from itself.
    let spaces = |env: &E| {
        [env.observation_space().describe(), env.action_space().describe()]
            .map(|s| format!("{s:?}"))
    };
    let first = made(make)?;
    let before = spaces(&first);
    let mut later = vec![("in a second environment", spaces(&made(make)?))];
    let mut play = Play::start_with(first, Seed::new(0).rng())?;
    later.push(("after `reset`", spaces(&play.env)));
    for _ in 0..100 {
        let action = play.draw();
        let is_final = play.take(&action)?.outcome.is_final();
        later.push(("after `step`", spaces(&play.env)));
        if is_final {
            play.reset()?;
        }
    }
    for (when, spaces) in later {
        for (name, (before, now)) in ["observation", "action"].iter().zip(before.iter().zip(spaces))
        {
            if *before != now {
                report.error(
                    Check::ConstantSpaces,
                    format!("the {name} space was {before} and is {now} {when}"),
                    "Fix the spaces when the environment is made: agents build their networks \
                     and tables from them once.",
                );
            }
        }
    }
    Ok(Checked::Done)
}

/// Which part of an element does not fit its space, where the description tells.
pub(super) fn misfit(space: &SpaceDescription, element: &Value) -> Option<String> {
    match space {
        SpaceDescription::Box { low, high, .. } => {
            let numbers = element.as_array()?;
            if numbers.len() != low.len() {
                return Some(format!("it has {} numbers, not {}", numbers.len(), low.len()));
            }
            let outside = |(i, number): (usize, &Value)| {
                let value = match number {
                    Value::String(text) => text.parse().ok()?,
                    other => other.as_f64().map_or(f32::NAN, |x| x as f32),
                };
                let fits = low[i] <= value && value <= high[i];
                (!fits).then(|| {
                    let (low, high) = (low[i], high[i]);
                    format!("component {i} is {value}, not between {low} and {high}")
                })
            };
            numbers.iter().enumerate().find_map(outside)
        }
        SpaceDescription::Discrete { n, start } => {
            let value = element.as_i64()?;
            let above = i128::from(value) - i128::from(*start);
            (!(0..*n as i128).contains(&above))
                .then(|| format!("it is {value}, not one of the {n} integers from {start}"))
        }
        SpaceDescription::MultiDiscrete { nvec } => {
            let numbers = element.as_array()?.iter().zip(nvec).enumerate();
            numbers.filter_map(|(i, (x, n))| Some((i, x.as_i64()?, n))).find_map(|(i, x, n)| {
                let fits = u64::try_from(x).is_ok_and(|x| x < *n as u64);
                (!fits).then(|| format!("component {i} is {x}, not from 0 to below {n}"))
            })
        }
        SpaceDescription::Tuple(parts) => {
            let mut parts = parts.iter().zip(element.as_array()?).enumerate();
            parts.find_map(|(i, (part, value))| Some(format!("part {i}: {}", misfit(part, value)?)))
        }
        SpaceDescription::Dict(parts) => parts.iter().find_map(|(name, part)| {
            Some(format!("`{name}`: {}", misfit(part, element.get(name)?)?))
        }),
        _ => None,
    }
}
