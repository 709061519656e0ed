//! Holds an environment against recorded transitions.
//!
//! A trace is a text file with one JSON object a line:
//!
//! ```json
//! {"state": [0.01, 0.0, 0.02, 0.0], "action": 1, "next_state": [0.01, 0.195, 0.02, -0.28], "reward": 1.0, "terminated": false}
//! ```
//!
//! where the states are what [`Env::state`](crate::Env::state) gives. A single number may stand
//! without its list, a truth value for 0 or 1, and further keys are ignored. The environment is set
//! to `state` and stepped. A step that can turn out in several ways agrees if the recorded outcome
//! is one that the [model](crate::Env::transitions) knows.

use std::io::{BufRead, Read as _};

use serde_json::Value;
use thiserror::Error;

use crate::{DynEnv, EnvError, EnvOptions, EnvSpec, SpaceDescription, Transition};

/// The longest line that is read, in bytes.
const MAX_LINE: u64 = 1 << 20;

/// How far an environment agrees with a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The transitions in the trace.
    pub lines: usize,
    /// Those that the environment reproduces.
    pub agreeing: usize,
    /// The first that it does not.
    pub first_disagreement: Option<Disagreement>,
}

/// Where an environment departs from a trace.
#[derive(Clone, Debug, PartialEq)]
pub struct Disagreement {
    /// The line's number, from 1.
    pub line: usize,
    /// `next_state`, `reward` or `terminated`; `outcome` where several could be.
    pub field: &'static str,
    /// What the trace says.
    pub expected: String,
    /// What the environment did.
    pub got: String,
}

/// Why a trace could not be held against an environment.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The trace could not be read.
    #[error("line {line}: {source}")]
    Io {
        /// The line's number, from 1.
        line: usize,
        /// What went wrong.
        source: std::io::Error,
    },
    /// A line is no transition.
    #[error("line {line}: expected {expected}, got {got}")]
    Malformed {
        /// The line's number, from 1.
        line: usize,
        /// What should stand there.
        expected: &'static str,
        /// What stands there.
        got: String,
    },
    /// A line does not fit the environment: no such state or action.
    #[error("line {line}: {source}")]
    Env {
        /// The line's number, from 1.
        line: usize,
        /// What the environment says.
        source: EnvError,
    },
    /// There are no transitions to compare.
    #[error("the trace is empty: expected at least one line")]
    Empty,
    /// The environment cannot be made.
    #[error(transparent)]
    Make(#[from] EnvError),
}

/// One recorded transition.
#[derive(Clone, Debug, PartialEq)]
struct Line {
    state: Vec<f64>,
    action: Value,
    next_state: Vec<f64>,
    reward: f64,
    terminated: bool,
}

/// Holds an environment against a trace. Numbers agree if they differ by at most `tolerance` times
/// the recorded one, or times 1 where that is less; [`EnvSpec::tolerance`] is a good one.
///
/// # Errors
/// [`TraceError`], naming the line.
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
    mut trace: impl BufRead,
    tolerance: f64,
) -> Result<Report, TraceError> {
    let mut env = spec.make(0, options)?;
    let mut report = Report { lines: 0, agreeing: 0, first_disagreement: None };
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let mut line = trace.by_ref().take(MAX_LINE + 1);
        let read = line.read_until(b'\n', &mut bytes);
        if read.map_err(|source| TraceError::Io { line: number, source })? == 0 {
            break;
        }
        if bytes.len() as u64 > MAX_LINE {
            let got = "a longer one".to_owned();
            return Err(TraceError::Malformed { line: number, expected: "at most 1 MiB", got });
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line = parse(&bytes, number)?;
        report.lines += 1;
        let difference = compare(&mut *env, &line, tolerance);
        match difference.map_err(|source| TraceError::Env { line: number, source })? {
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

fn parse(bytes: &[u8], line: usize) -> Result<Line, TraceError> {
    let wrong = |expected, got: &dyn ToString| {
        let got = got.to_string();
        // A whole trace without line breaks should not fill the screen.
        let got = if got.len() > 200 {
            format!("{}…", got.chars().take(200).collect::<String>())
        } else {
            got
        };
        TraceError::Malformed { line, expected, got }
    };
    let json: Value =
        serde_json::from_slice(bytes).map_err(|error| wrong("a JSON object", &error))?;
    if !json.is_object() {
        return Err(wrong("a JSON object", &json));
    }
    let states = [
        ("state", "`state`, a number or a list of numbers"),
        ("next_state", "`next_state`, a number or a list of numbers"),
    ];
    let [state, next_state] =
        states.map(|(key, form)| numbers(&json[key]).ok_or_else(|| wrong(form, &json[key])));
    let action = &json["action"];
    numbers(action).ok_or_else(|| wrong("`action`, a number or a list of numbers", action))?;
    let reward = number(&json["reward"]);
    let terminated = match &json["terminated"] {
        Value::Bool(terminated) => Some(*terminated),
        other => other.as_f64().filter(|&x| x == 0.0 || x == 1.0).map(|x| x == 1.0),
    };
    Ok(Line {
        state: state?,
        action: action.clone(),
        next_state: next_state?,
        reward: reward.ok_or_else(|| wrong("`reward`, a number", &json["reward"]))?,
        terminated: terminated
            .ok_or_else(|| wrong("`terminated`, true or false", &json["terminated"]))?,
    })
}

/// A number, or a truth value as one.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|b| f64::from(u8::from(b))))
}

/// The numbers of a list, or of one number standing alone.
fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Array(values) => values.iter().map(number).collect(),
        one => number(one).map(|x| vec![x]),
    }
}

/// The action in the form that its space reads: a list for a box, an integer for a discrete one.
fn shaped(action: &Value, space: &SpaceDescription) -> Value {
    let all = numbers(action).unwrap_or_default();
    match (space, &all[..]) {
        (SpaceDescription::Box { .. }, _) => all.into(),
        (SpaceDescription::Discrete { .. }, &[x]) if x.fract() == 0.0 && x.abs() < 1e15 => {
            (x as i64).into()
        }
        _ => action.clone(),
    }
}

type Difference = (&'static str, String, String);

/// The first field in which the environment's step differs from the recorded one.
fn compare(
    env: &mut dyn DynEnv,
    line: &Line,
    tolerance: f64,
) -> Result<Option<Difference>, EnvError> {
    env.set_state(&line.state)?;
    let action = shaped(&line.action, &env.action_space());
    let model = env.transitions(&action).unwrap_or_default().unwrap_or_default();
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
        let known = model
            .iter()
            .map(|t| outcome(&numbers(&t.next_state).unwrap_or_default(), t.reward, t.terminated));
        let known = || format!("one of: {}", known.collect::<Vec<_>>().join("; "));
        return Ok((!model.iter().any(agrees)).then(|| ("outcome", recorded, known())));
    }
    let step = env.step(&action)?;
    let next_state = env.state().ok_or(EnvError::Unsupported {
        env: "the environment",
        what: "reading its state",
        method: "state",
    })?;
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

fn near(expected: f64, got: f64, tolerance: f64) -> bool {
    (expected - got).abs() <= tolerance * expected.abs().max(1.0)
}

fn all_near(expected: &[f64], got: &[f64], tolerance: f64) -> bool {
    expected.len() == got.len() && expected.iter().zip(got).all(|(&e, &g)| near(e, g, tolerance))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Registry;

    fn replay_text(id: &str, text: &str) -> Result<Report, TraceError> {
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
    fn wrong_lines_are_errors_that_name_the_line() {
        for (bad, says) in [
            ("no json", "line 2: expected a JSON object"),
            ("[1]", "line 2: expected a JSON object"),
            (r#"{"state":0}"#, "`action`"),
            (&GOOD.replace("36", "\"x\""), "`state`"),
            (&GOOD.replace("36", "99"), "line 2: invalid state"),
            (&GOOD.replace("[0]", "7"), "line 2: expected an element of Discrete(4)"),
            (&GOOD.replace(":0}", ":2}"), "`terminated`"),
            (&" ".repeat(2 << 20), "at most 1 MiB"),
        ] {
            let error = replay_text("CliffWalking-v1", &format!("{GOOD}\n{bad}")).unwrap_err();
            assert!(error.to_string().contains(says), "{error}");
        }
        assert!(matches!(replay_text("CliffWalking-v1", "\n\n"), Err(TraceError::Empty)));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, 1);
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
