//! `reset` and `step`.

use std::{
    any::Any,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{
    Check, CheckReport, Checked, Make,
    play::{Play, Trouble},
    spaces::misfit,
};
use crate::{Act, Env, EnvError, Obs, Outcome, Space, SpaceDescription};

/// An episode of this many steps counts as endless.
const ENDLESS: usize = 10_000;

/// What `reset` shows lies in the observation space.
pub(super) fn resets<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    for seed in 0..20 {
        let play = Play::start(make, seed)?;
        check_observation(&play.env, &play.observation, Check::ResetObservations, report);
    }
    Ok(Checked::Done)
}

fn check_observation<E: Env>(
    env: &E,
    observation: &Obs<E>,
    check: Check,
    report: &mut CheckReport,
) {
    let space = env.observation_space();
    if space.contains(observation) {
        return;
    }
    let description = space.describe();
    let part = misfit(&description, &space.to_jsonable(observation));
    let part = part.map(|part| format!(": {part}")).unwrap_or_default();
    let (method, advice) = match check {
        Check::ResetObservations => {
            ("reset", "Widen the observation space, or let `reset` return what lies in it.")
        }
        _ => ("step", "Widen the observation space, or let `step` return what lies in it."),
    };
    let problem =
        format!("`{method}` returned {observation:?}, which is not in {description}{part}");
    report.error(check, problem, advice);
}

/// Steps with actions of the space succeed, show what lies in the space, bring finite rewards and
/// come to an end.
pub(super) fn steps<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let mut play = Play::start(make, 0)?;
    let (mut length, mut episodes, mut at_once) = (0, 0, 0);
    for _ in 0..ENDLESS {
        let action = play.draw();
        let step = match play.take(&action) {
            Ok(step) => step,
            Err(trouble) => {
                report.error(Check::SampledActions, trouble.problem, trouble.advice);
                return Ok(Checked::Done);
            }
        };
        length += 1;
        check_observation(&play.env, &step.observation, Check::StepObservations, report);
        if !step.reward.is_finite() {
            report.error(
                Check::Rewards,
                format!("`step` returned the reward {} for action {action:?}", step.reward),
                "Return a finite reward: look for a division by zero, a logarithm or an overflow.",
            );
        }
        if step.outcome.is_final() {
            at_once += usize::from(step.outcome == Outcome::Truncated && length == 1);
            (length, episodes) = (0, episodes + 1);
            play.reset()?;
        }
        // Enough to judge by, without trying the patience of who waits for a slow environment.
        if episodes >= 20 && length == 0 {
            break;
        }
    }
    if length == ENDLESS {
        report.warn(
            Check::EpisodeEnd,
            format!("an episode did not end within {ENDLESS} random steps"),
            "If no terminal state is meant to be reached, bound the episode: wrap it in \
             `TimeLimit`, or register it with `max_episode_steps`.",
        );
    } else if episodes > 0 && at_once == episodes {
        report.warn(
            Check::EpisodeEnd,
            "every episode was truncated by its first step".to_owned(),
            "Raise the step limit, or return `Outcome::Terminated` where an episode ends by itself.",
        );
    }
    Ok(Checked::Done)
}

/// Actions outside the space are refused; those beyond a box's bounds may also be clipped.
pub(super) fn outside_actions<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let space = Play::start(make, 0)?.action_space;
    let candidates = outside(&space);
    if candidates.is_empty() {
        return Ok(Checked::NotOffered);
    }
    let is_box = matches!(space.describe(), SpaceDescription::Box { .. });
    for action in candidates {
        let mut play = Play::start(make, 0)?;
        let described = format!("{action:?}, which is not in {}", space.describe());
        match play.env.step(&action, &mut play.rng) {
            Err(EnvError::InvalidAction { .. } | EnvError::Space(_)) => {}
            Err(error) => report.warn(
                Check::OutsideActions,
                format!("`step` refused {described}, but with another error: {error}"),
                "Return `EnvError::invalid_action(&self.action_space(), action)`.",
            ),
            Ok(step) if is_box => {
                let shown = play.env.observation_space().contains(&step.observation);
                if !shown || !step.reward.is_finite() {
                    report.error(
                        Check::OutsideActions,
                        format!("`step` accepted {described}, and returned {step:?}"),
                        "Clip the action, or reject it with \
                         `EnvError::invalid_action(&self.action_space(), action)`; NaN must be \
                         refused.",
                    );
                }
            }
            Ok(_) => report.error(
                Check::OutsideActions,
                format!("`step` accepted {described}"),
                "Reject it with `EnvError::invalid_action(&self.action_space(), action)`: otherwise a \
                 mistaken agent learns as if nothing were wrong.",
            ),
        }
    }
    Ok(Checked::Done)
}

/// Actions outside the space, where their type can express any.
fn outside<S: Space>(space: &S) -> Vec<S::Element> {
    let candidates: Vec<S::Element> = match space.describe() {
        SpaceDescription::Discrete { n, start } => {
            let above = i64::try_from(n).ok().and_then(|n| start.checked_add(n));
            let numbers = [above, start.checked_sub(1)].into_iter().flatten();
            numbers.filter_map(|number| element::<S, i64>(number)).collect()
        }
        SpaceDescription::MultiDiscrete { nvec } => {
            let above: Vec<i64> = nvec.iter().filter_map(|&n| i64::try_from(n).ok()).collect();
            [array::<S, 1>(&above), array::<S, 2>(&above), array::<S, 3>(&above)]
                .into_iter()
                .chain([array::<S, 4>(&above), array::<S, 5>(&above), array::<S, 6>(&above)])
                .flatten()
                .collect()
        }
        SpaceDescription::Box { low, high, .. } => {
            let beyond = |x: &f32| if x.is_finite() { x + 1.0 + x.abs() } else { 0.0 };
            let above: Value = high.iter().map(|x| Value::from(beyond(x))).collect();
            let below: Value = low.iter().map(|x| Value::from(-beyond(&-x))).collect();
            let nan: Value = low.iter().map(|_| Value::from("NaN")).collect();
            let read = |value| space.from_jsonable_unbounded(value).ok();
            [above, below, nan].iter().filter_map(read).collect()
        }
        _ => vec![],
    };
    candidates.into_iter().filter(|action| !space.contains(action)).collect()
}

/// A value as an element of the space, if that is its type.
fn element<S: Space, T: 'static>(value: T) -> Option<S::Element> {
    let value: Box<dyn Any> = Box::new(value);
    value.downcast().ok().map(|element| *element)
}

fn array<S: Space, const N: usize>(numbers: &[i64]) -> Option<S::Element> {
    element::<S, [i64; N]>(numbers.try_into().ok()?)
}

/// `reset` works in mid-episode and after an episode's end.
pub(super) fn reset_any_time<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let mut play = Play::start(make, 0)?.into_mid_episode(3)?;
    let mut check = |play: &mut Play<E>, when: &str| {
        let action = play.draw();
        let fresh = play.reset().and_then(|()| play.take(&action));
        if let Err(trouble) = fresh {
            report.error(
                Check::ResetAnyTime,
                format!("after a `reset` {when}: {}", trouble.problem),
                "Let `reset` set everything anew, whatever happened before it.",
            );
        }
    };
    check(&mut play, "in mid-episode");
    check(&mut play, "right after another");
    if play.finish(ENDLESS)? {
        check(&mut play, "after an episode's end");
    }
    Ok(Checked::Done)
}

/// Steps a second with random actions, over about a twentieth of a second.
pub(super) fn speed<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let mut play = Play::start(make, 0)?;
    // Drawn beforehand, so that the environment alone is timed.
    let actions: Vec<Act<E>> = (0..256).map(|_| play.draw()).collect();
    let (mut steps, mut batch) = (0_u32, 1);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(50) {
        for action in actions.iter().cycle().take(batch) {
            if play.take(action)?.outcome.is_final() {
                play.reset()?;
            }
        }
        steps = steps.saturating_add(batch as u32);
        batch = (batch * 2).min(1024);
    }
    report.steps_per_second = Some(f64::from(steps) / start.elapsed().as_secs_f64());
    Ok(Checked::Done)
}
