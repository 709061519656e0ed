//! Compares an environment with recorded transitions.
//!
//! A trace is a text file with one JSON object in each line:
//!
//! ```json
//! {"state": [0.01, 0.0, 0.02, 0.0], "action": 1, "next_state": [0.01, 0.195, 0.02, -0.28], "reward": 1.0, "terminated": false}
//! ```
//!
//! The states are those of [`Env::state`](crate::Env::state). A single number may stand without a
//! list, `true` and `false` for 1 and 0, and further keys are ignored. The environment is set to
//! `state` and stepped. A step with several possible outcomes agrees if the recorded outcome is one
//! of the [model](crate::Env::transitions)'s.

mod line;

use std::io::BufRead;

use serde_json::Value;
use thiserror::Error;

pub use crate::json_lines::LineError;
use crate::{
    DynEnv, EnvError, EnvOptions, EnvSpec, SpaceError, Transition,
    json_lines::{Lines, shown},
};
use line::{Line, numbers, shaped};

/// Recorded numbers closer to 0 than this are compared as if they were this large.
///
/// What is left where larger numbers cancel holds their rounding, which another machine's sine may
/// change. The traces of this repository agree here without it. It lies well below what states
/// hold, so that no wrong dynamics hides behind it: at a tolerance of 1e-6 a difference of 1e-9
/// agrees.
const SMALL: f64 = 1e-3;

/// The result of comparing an environment with a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceReport {
    /// The number of transitions in the trace.
    pub lines: usize,
    /// The number of transitions that the environment reproduces.
    pub agreeing: usize,
    /// The first transition that it does not reproduce.
    pub first_disagreement: Option<Disagreement>,
}

/// A difference between an environment and a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// The line's number, from 1.
    pub line: usize,
    /// `next_state`, `reward` or `terminated`; `outcome` if several outcomes are possible.
    pub field: &'static str,
    /// The value in the trace.
    pub expected: String,
    /// The value of the environment.
    pub got: String,
}

/// Why a trace could not be compared with an environment.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// A line cannot be replayed.
    #[error("line {line}: {problem}{}", so_far(*.agreeing, *.compared))]
    Line {
        /// The line's number, from 1.
        line: usize,
        /// The problem.
        problem: LineError,
        /// The number of transitions before it.
        compared: usize,
        /// The number of these that the environment reproduces.
        agreeing: usize,
    },
    /// There are no transitions to compare.
    #[error("the trace is empty: expected at least one line")]
    Empty,
    /// The environment cannot be created.
    #[error(transparent)]
    Make(#[from] EnvError),
}

fn so_far(agreeing: usize, compared: usize) -> String {
    match compared {
        0 => String::new(),
        _ => format!(" ({agreeing} of {compared} lines before it agree)"),
    }
}

/// Compares an environment with a trace. Numbers agree if they differ by at most `tolerance` times
/// the recorded number, or times 0.001 if that is larger; [`EnvSpec::tolerance`] is a suitable
/// value.
///
/// # Errors
/// [`TraceError`] with the number of the line.
///
/// ```
/// use gymnast_envs::{EnvOptions, Registry, trace};
///
/// let registry = Registry::builtin();
/// let line = r#"{"state": 36, "action": 0, "next_state": 24, "reward": -1, "terminated": false}"#;
/// let cliff = registry.spec("CliffWalking-v1")?;
/// let report = trace::replay(cliff, &EnvOptions::none(), line.as_bytes(), cliff.tolerance())?;
/// assert_eq!((report.lines, report.agreeing), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn replay(
    spec: &EnvSpec,
    options: &EnvOptions,
    trace: impl BufRead,
    tolerance: f64,
) -> Result<TraceReport, TraceError> {
    let mut env = spec.make(0, options)?;
    let mut report = TraceReport { lines: 0, agreeing: 0, first_disagreement: None };
    let mut lines = Lines::new(trace);
    loop {
        let difference = match lines.next_line() {
            Ok(None) => break,
            Ok(Some(bytes)) => {
                Line::parse(bytes).and_then(|line| compare(&mut *env, &line, tolerance))
            }
            Err(error) => Err(error),
        };
        let number = lines.number();
        let difference = difference.map_err(|problem| {
            let (compared, agreeing) = (report.lines, report.agreeing);
            TraceError::Line { line: number, problem, compared, agreeing }
        })?;
        report.lines += 1;
        match difference {
            None => report.agreeing += 1,
            Some((field, expected, got)) => {
                let first = Disagreement { line: number, field, expected, got };
                report.first_disagreement.get_or_insert(first);
            }
        }
    }
    if report.lines == 0 {
        return Err(TraceError::Empty);
    }
    Ok(report)
}

type Difference = (&'static str, String, String);

/// The first field in which the environment's step differs from the recorded one.
fn compare(
    env: &mut dyn DynEnv,
    line: &Line,
    tolerance: f64,
) -> Result<Option<Difference>, LineError> {
    env.set_state(&line.state).map_err(wrong_state)?;
    let action = shaped(&line.action, &env.action_space());
    let model = env.transitions(&action);
    let is_outside = model.is_err();
    let model = model.unwrap_or_default().unwrap_or_default();
    if model.iter().filter(|t| t.probability > 0.0).count() > 1 {
        let agrees = |t: &Transition<Value>| {
            let successor = numbers(&t.next_state).unwrap_or_default();
            t.probability > 0.0
                && all_near(&line.next_state, &successor, tolerance)
                && near(line.reward, t.reward, tolerance)
                && t.terminated == line.terminated
        };
        let outcome = |state: &[f64], reward: f64, terminated: bool| {
            format!("{state:?} for {reward}{}", if terminated { ", terminated" } else { "" })
        };
        let recorded = outcome(&line.next_state, line.reward, line.terminated);
        let successors = model.iter().map(|t| numbers(&t.next_state).unwrap_or_default());
        expect_length(line, successors.clone().map(|successor| successor.len()))?;
        let known = model
            .iter()
            .zip(successors)
            .map(|(t, successor)| outcome(&successor, t.reward, t.terminated));
        let known = || format!("one of: {}", known.collect::<Vec<_>>().join("; "));
        return Ok((!model.iter().any(agrees)).then(|| ("outcome", recorded, known())));
    }
    let step = env.step(&action).map_err(|error| wrong_step(error, line, is_outside, env))?;
    let next_state = env.state().ok_or(EnvError::Unsupported {
        env: "the environment",
        what: "reading its state",
        method: "state",
    })?;
    expect_length(line, std::iter::once(next_state.len()))?;
    let terminated = step.outcome.terminated();
    Ok(if !all_near(&line.next_state, &next_state, tolerance) {
        Some(("next_state", format!("{:?}", line.next_state), format!("{next_state:?}")))
    } else if !near(line.reward, step.reward, tolerance) {
        Some(("reward", format!("{:?}", line.reward), format!("{:?}", step.reward)))
    } else if line.terminated != terminated {
        Some(("terminated", line.terminated.to_string(), terminated.to_string()))
    } else {
        None
    })
}

/// What is wrong with a line whose state the environment refuses.
fn wrong_state(error: EnvError) -> LineError {
    match error {
        EnvError::InvalidState { expected, got } => {
            LineError::Malformed { key: "state", expected, got }
        }
        other => other.into(),
    }
}

/// What is wrong with a line whose step fails. An environment may take actions outside of its space, and
/// cut them off: where it does not, and they carry it away, they are to blame.
fn wrong_step(error: EnvError, line: &Line, is_outside: bool, env: &dyn DynEnv) -> LineError {
    let action = |space: String| LineError::Malformed {
        key: "action",
        expected: format!("an element of {space}"),
        got: shown(&line.action),
    };
    match error {
        EnvError::Space(SpaceError::NotAnElement { expected, .. })
        | EnvError::InvalidAction { expected, .. } => action(expected),
        EnvError::InvalidStep { .. } if is_outside => action(env.action_space().to_string()),
        EnvError::InvalidStep { what, expected, got, .. } => {
            LineError::Step { what, expected, got }
        }
        other => other.into(),
    }
}

/// Refuses a next state of another length than the state has, where every successor has that.
fn expect_length(
    line: &Line,
    successors: impl IntoIterator<Item = usize>,
) -> Result<(), LineError> {
    let length = line.state.len();
    if line.next_state.len() == length || successors.into_iter().any(|other| other != length) {
        return Ok(());
    }
    let expected = format!("as many numbers as `state` holds ({length})");
    let got = shown(&line.next_state.as_slice().into());
    Err(LineError::Malformed { key: "next_state", expected, got })
}

fn near(expected: f64, got: f64, tolerance: f64) -> bool {
    (expected - got).abs() <= tolerance * expected.abs().max(SMALL)
}

fn all_near(expected: &[f64], got: &[f64], tolerance: f64) -> bool {
    expected.len() == got.len() && expected.iter().zip(got).all(|(&e, &g)| near(e, g, tolerance))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Registry;

    fn replay_text(id: &str, text: &str) -> Result<TraceReport, TraceError> {
        let registry = Registry::builtin();
        let spec = registry.spec(id).unwrap();
        replay(spec, &EnvOptions::none(), text.as_bytes(), spec.tolerance())
    }

    const GOOD: &str = r#"{"state":36,"action":[0],"next_state":[24],"reward":-1,"terminated":0}"#;

    #[test]
    fn the_first_disagreement_is_named() {
        let bad = GOOD.replace("-1", "-2");
        let report = replay_text("CliffWalking-v1", &format!("{GOOD}\n\n{bad}\n{GOOD}")).unwrap();
        assert_eq!((report.lines, report.agreeing), (3, 2));
        let first = report.first_disagreement.unwrap();
        assert_eq!((first.line, first.field), (3, "reward"));
        assert_eq!((&*first.expected, &*first.got), ("-2.0", "-1.0"));
    }

    #[test]
    fn a_stochastic_step_agrees_with_any_outcome_that_can_be() {
        let line = |next: i64| {
            format!(
                r#"{{"state":[0],"action":2.0,"next_state":{next},"reward":0,"terminated":false}}"#
            )
        };
        for (next, agrees) in [(0, 1), (1, 1), (4, 1), (5, 0), (2, 0)] {
            assert_eq!(replay_text("FrozenLake-v1", &line(next)).unwrap().agreeing, agrees);
        }
        let stick = r#"{"state":[21,5,true],"action":0,"next_state":[21,5,1],"reward":0,"terminated":true}"#;
        assert_eq!(replay_text("Blackjack-v1", stick).unwrap().agreeing, 1);
        let never = stick.replace(r#""reward":0"#, r#""reward":-1"#);
        let first = replay_text("Blackjack-v1", &never).unwrap().first_disagreement.unwrap();
        assert_eq!(first.field, "outcome");
    }

    #[test]
    fn a_clipped_action_is_replayed() {
        // From upright at rest: 3 · 2 N·m · 0.05 s = 0.3, then 0.015.
        let line = r#"{"state":[0,0],"action":5,"next_state":[0.015,0.3],"reward":-0.004,"terminated":false}"#;
        assert_eq!(replay_text("Pendulum-v1", line).unwrap().agreeing, 1);
    }

    #[test]
    fn a_small_number_is_compared_by_its_own_size() {
        let line = |velocity: f64| {
            format!(
                r#"{{"state":[-0.4726076625357092,0.0],"action":[0.2739233672618866],
                "next_state":[-0.4725777208805084,{velocity:e}],"reward":-0.007503401113209041,
                "terminated":false}}"#
            )
            .replace('\n', " ")
        };
        let recorded = 2.9941496904939413e-05;
        for (factor, agrees) in [(1.0, 1), (1.0 + 1e-6, 1), (1.001, 0), (1.03, 0), (-1.0, 0)] {
            let report = replay_text("MountainCarContinuous-v0", &line(recorded * factor)).unwrap();
            assert_eq!(report.agreeing, agrees, "{factor}");
        }
        // What cancels to 0 is allowed its rounding.
        assert!(near(0.0, 1e-15, 1e-12) && !near(0.0, 1e-14, 1e-12));
    }

    #[test]
    fn wrong_lines_are_errors_that_name_the_line() {
        for (bad, says) in [
            ("no json", "line 2: not JSON: expected ident at column 2 (1 of 1"),
            ("[1]", "line 2: expected a JSON object, got [1] (1 of 1 lines before it agree)"),
            (r#"{"state":0}"#, "line 2: `next_state` is missing (1 of 1 lines"),
            (&GOOD.replace("36", "\"x\""), "line 2: `state`: expected a number or a list"),
            (
                &GOOD.replace("36", "99"),
                "line 2: `state`: expected one integer below 48, got [99.0]",
            ),
            (
                &GOOD.replace("[0]", "7"),
                "line 2: `action`: expected an element of Discrete(4), got 7",
            ),
            (&GOOD.replace("[24]", "[24, 0]"), "line 2: `next_state`: expected as many"),
            (&GOOD.replace(":0}", ":2}"), "`terminated`"),
            (&" ".repeat(2 << 20), "longer than 1 MiB"),
        ] {
            let error = replay_text("CliffWalking-v1", &format!("{GOOD}\n{bad}")).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        let first = replay_text("CliffWalking-v1", "{}").unwrap_err().to_string();
        assert_eq!(first, "line 1: `state` is missing");
        let bad = GOOD.replace("-1", "-2");
        let error = replay_text("CliffWalking-v1", &format!("{GOOD}\n{bad}\n?")).unwrap_err();
        assert!(error.to_string().ends_with("(1 of 2 lines before it agree)"), "{error}");
        assert!(matches!(replay_text("CliffWalking-v1", "\n\n"), Err(TraceError::Empty)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Line::parse(&bytes);
        }

        #[test]
        fn no_damage_to_a_line_makes_it_panic(at in 0..GOOD.len(), byte in any::<u8>()) {
            let mut bytes = GOOD.as_bytes().to_vec();
            bytes[at] = byte;
            for id in ["Acrobot-v1", "Blackjack-v1", "CliffWalking-v1", "Pendulum-v1"] {
                let registry = Registry::builtin();
                let spec = registry.spec(id).unwrap();
                let _ = replay(spec, &EnvOptions::none(), &bytes[..], 1e-12);
            }
        }
    }
}
