//! What an environment may offer beyond `reset` and `step`.

use serde_json::Value;

use super::{
    Check, CheckReport, Checked, Make,
    play::{Play, Trouble, difference, made},
};
use crate::{Env, EnvError, Obs, Space, Step, Transition};

/// A snapshot, written down and read again, continues exactly in another environment.
pub(super) fn save_restore<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    const CHECK: Check = Check::SaveRestore;
    for steps in [0, 1, 7, 50] {
        let mut play = Play::start(make, 3)?.into_mid_episode(steps)?;
        let Some(snapshot) = play.env.save() else {
            report.warn(
                CHECK,
                "`save` returns nothing, so a resumed run starts at an episode's start and not \
                 where it stopped"
                    .to_owned(),
                "Derive serde's `Serialize` and `Deserialize` for the environment and put \
                 `gymnast_envs::snapshot!();` inside `impl Env`.",
            );
            return Ok(Checked::Done);
        };
        let text = snapshot.to_string();
        let read = serde_json::from_str(&text).unwrap_or(Value::Null);
        let mut twin = made(make)?;
        if let Err(error) = twin.restore(&read) {
            report.error(
                CHECK,
                format!("`restore` refused what `save` gave after {steps} steps: {error}"),
                "Make `restore` read the output of `save`, also after it went through a file (JSON \
                 has neither NaN nor infinity).",
            );
            return Ok(Checked::Done);
        }
        let mut twin = Play {
            env: twin,
            rng: play.rng.clone(),
            actions: play.actions.clone(),
            action_space: play.action_space.clone(),
            observation: play.observation.clone(),
        };
        if let Some(differs) = difference::<E>(&play.record(200)?, &twin.record(200)?) {
            report.error(
                CHECK,
                format!("restored after {steps} steps, the episode goes on otherwise: {differs}"),
                "Save every field that changes: `gymnast_envs::snapshot!()` saves them all, \
                 unless serde is told to skip one.",
            );
        }
    }
    if made(make)?.restore(&Value::from("no snapshot")).is_ok() {
        report.warn(
            CHECK,
            "`restore` accepted a text that is not a snapshot".to_owned(),
            "Return `EnvError::InvalidState` for anything that `save` did not write: otherwise a damaged \
             checkpoint goes unnoticed.",
        );
    }
    Ok(Checked::Done)
}

/// A state that is set is the one that is got, and the dynamics go on from it.
pub(super) fn state<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    const CHECK: Check = Check::StateRoundTrip;
    for steps in 0..20 {
        let mut play = Play::start(make, 4)?.into_mid_episode(steps)?;
        let Some(state) = play.env.state() else { return Ok(Checked::NotOffered) };
        let mut twin = Play::start(make, 5)?;
        match twin.env.set_state(&state) {
            Ok(()) => {}
            Err(EnvError::Unsupported { .. }) => {
                report.warn(
                    CHECK,
                    "`state` is offered, but not `set_state`".to_owned(),
                    "Implement `set_state`, so that the dynamics can be compared with a recorded \
                     trace.",
                );
                return Ok(Checked::Done);
            }
            Err(error) => {
                report.error(
                    CHECK,
                    format!("`set_state` refused {state:?}, which `state` gave: {error}"),
                    "Accept every state that an episode can reach.",
                );
                continue;
            }
        }
        let again = twin.env.state();
        if again.as_ref() != Some(&state) {
            report.error(
                CHECK,
                format!("after `set_state({state:?})`, `state` gives {again:?}"),
                "Make `state` and `set_state` agree in order, units and number.",
            );
            continue;
        }
        twin.rng = play.rng.clone();
        let action = play.draw();
        let (expected, got) = (play.take(&action)?, twin.take(&action)?);
        // Not the outcome: a state that is set starts a new count of steps.
        let facts =
            |step: &Step<Obs<E>>| format!("{:?}, reward {:?}", step.observation, step.reward);
        if facts(&expected) != facts(&got) {
            report.warn(
                CHECK,
                format!(
                    "from the state {state:?}, action {action:?} led to {} and, where that state \
                     was set, to {}",
                    facts(&expected),
                    facts(&got)
                ),
                "Put everything that decides the next step into `state`.",
            );
        }
    }
    if made(make)?.set_state(&[f64::NAN; 97]).is_ok() {
        report.warn(
            CHECK,
            "`set_state` accepted 97 numbers that are none".to_owned(),
            "Read the state with `EnvError::expect_state`, which rejects a wrong length and NaN.",
        );
    }
    Ok(Checked::Done)
}

/// The model's probabilities sum to 1, and what happens is possible in it.
pub(super) fn model<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let mut play = Play::start(make, 6)?;
    let starts = play.env.initial_states();
    if let Some(starts) = &starts {
        check_starts(&play, starts, report);
    }
    let mut offered = starts.is_some();
    for _ in 0..1000 {
        let (before, action) = (play.observation.clone(), play.draw());
        let model = play.env.transitions(&before, &action);
        let step = play.take(&action)?;
        if let Some(model) = &model {
            offered = true;
            let from = format!("transitions({before:?}, {action:?})");
            check_model(&play.env.observation_space(), model, &step, &from, report);
        }
        if step.outcome.is_final() {
            play.reset()?;
            if let Some(starts) = &starts {
                check_starts(&play, starts, report);
            }
        }
    }
    Ok(if offered { Checked::Done } else { Checked::NotOffered })
}

const PROBABILITIES: &str = "Give every outcome once, with a probability from 0 to 1; together \
                             they must sum to 1.";

fn are_probabilities(all: &[f64]) -> bool {
    let total: f64 = all.iter().sum();
    all.iter().all(|p| (0.0..=1.0 + 1e-9).contains(p)) && (total - 1.0).abs() < 1e-9
}

fn check_model<S: Space>(
    space: &S,
    model: &[Transition<S::Element>],
    step: &Step<S::Element>,
    from: &str,
    report: &mut CheckReport,
) {
    let check = Check::TransitionModel;
    let probabilities: Vec<f64> = model.iter().map(|t| t.probability).collect();
    if !are_probabilities(&probabilities) {
        let problem = format!("`{from}` has the probabilities {probabilities:?}");
        report.error(check, problem, PROBABILITIES);
    }
    if let Some(stray) = model.iter().find(|t| !space.contains(&t.next_state)) {
        report.error(
            check,
            format!("`{from}` leads to {:?}, not in {}", stray.next_state, space.describe()),
            "Name successors as they are observed.",
        );
    }
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    let possible = |t: &&Transition<S::Element>| {
        t.probability > 0.0
            && t.next_state == step.observation
            && t.terminated == step.outcome.terminated()
    };
    let rewards: Vec<f64> = model.iter().filter(possible).map(|t| t.reward).collect();
    if !rewards.iter().any(|&reward| near(reward, step.reward)) {
        // A reward may be an expectation where what decides it is not observed.
        let fault = if rewards.is_empty() { "holds no such outcome" } else { "has other rewards" };
        report.error(
            check,
            format!("a step was {step:?}, but `{from}` {fault}: {model:?}"),
            "Make the model and `step` agree; compute both from the same function.",
        );
    }
}

fn check_starts<E: Env>(play: &Play<E>, starts: &[(f64, Obs<E>)], report: &mut CheckReport) {
    let probabilities: Vec<f64> = starts.iter().map(|start| start.0).collect();
    if !are_probabilities(&probabilities) {
        let problem = format!("`initial_states` has the probabilities {probabilities:?}");
        report.error(Check::TransitionModel, problem, PROBABILITIES);
    }
    if !starts.iter().any(|(p, start)| *p > 0.0 && *start == play.observation) {
        report.error(
            Check::TransitionModel,
            format!("an episode started at {:?}, not in `initial_states`", play.observation),
            "Make `initial_states` and `reset` agree.",
        );
    }
}

/// What is offered is offered at any time, and pictures keep their size.
pub(super) fn rendering<E: Env>(
    make: Make<'_, E>,
    report: &mut CheckReport,
) -> Result<Checked, Trouble> {
    let mut play = Play::start(make, 9)?;
    let size = play.env.render_rgb().map(|frame| (frame.width, frame.height));
    let has_text = play.env.render_ansi().is_some();
    if size.is_none() && !has_text {
        return Ok(Checked::NotOffered);
    }
    for step in 0..20 {
        let frame = play.env.render_rgb();
        if let Some(frame) = &frame {
            check_frame(frame, report);
        }
        let now = frame.map(|frame| (frame.width, frame.height));
        if now != size {
            report.error(
                Check::Rendering,
                format!("the first picture's size was {size:?}, after {step} steps it is {now:?}"),
                "Draw pictures of one size all through: an animation has only one.",
            );
        }
        let text = play.env.render_ansi();
        if text.is_some() != has_text || text.is_some_and(|text| text.trim().is_empty()) {
            report.error(
                Check::Rendering,
                format!("after {step} steps `render_ansi` is missing or empty, unlike at first"),
                "Offer text in every state or in none.",
            );
        }
        play.advance()?;
    }
    Ok(Checked::Done)
}

fn check_frame(frame: &crate::render::Frame, report: &mut CheckReport) {
    let (width, height, bytes) = (frame.width, frame.height, frame.rgb.len());
    if width == 0 || height == 0 || bytes != 3 * width * height {
        report.error(
            Check::Rendering,
            format!("a picture of {width} by {height} pixels has {bytes} bytes"),
            "Give 3 bytes a pixel, and at least one pixel.",
        );
    }
}
