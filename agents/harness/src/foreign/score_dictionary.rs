//! Scores as rliable takes them: for each agent an array `[runs, games]`, or `[runs, games, frames]`.
//!
//! They are read from an `.npz` of arrays or a JSON object of lists, and count as normalised: 0 for random
//! actions, 1 for the reference. Each game is an environment, which has no name. An array `frames` or
//! `steps` `[frames]` in an `.npz` holds the env steps of the last dimension.

use std::path::Path;

use serde_json::Value;

use super::{
    ForeignError, ForeignSeed, MAX_BYTES, MAX_RETURNS, Program,
    npy::Array,
    npz::Npz,
    seed::{SeedNames, Series},
    series::Steps,
};
use crate::report::{ReturnAt, mean_alone};

/// The names of the array of env steps.
const FRAMES: [&str; 2] = ["frames", "steps"];
/// No dictionary may hold more runs of games.
const MAX_SEEDS: usize = 200_000;

/// Reads an archive of arrays.
pub(super) fn read_npz(path: &Path, arrays: &Npz<'_>) -> Result<Vec<ForeignSeed>, ForeignError> {
    let (mut left, mut scores, mut frames) = (MAX_BYTES, Vec::new(), None);
    let mut count = 0;
    for name in arrays.names() {
        let array = arrays.read(name, &mut left)?;
        count += array.values.len();
        if count > MAX_RETURNS {
            let reason = format!("expected at most {MAX_RETURNS} scores in all, got more");
            return Err(ForeignError::invalid(path, reason));
        }
        match array.shape.len() {
            1 if FRAMES.contains(&name) && array.is_whole => {
                let mut order = Steps::new(path, name);
                let steps = array.values.iter().map(|&step| order.next(step));
                frames = Some(steps.collect::<Result<Vec<_>, _>>()?);
            }
            _ => scores.push((name.to_owned(), array)),
        }
    }
    seeds(path, scores, frames.as_deref())
}

/// Reads a JSON object of nested lists.
pub(super) fn read_json(path: &Path, bytes: &[u8]) -> Result<Vec<ForeignSeed>, ForeignError> {
    let invalid = |reason: String| ForeignError::invalid(path, reason);
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let not_json = |error| invalid(format!("it is no JSON object: {error}"));
    let object: serde_json::Map<String, Value> = serde_json::from_slice(text).map_err(not_json)?;
    let array = |(name, value): (String, Value)| {
        let mut array = Array { shape: Vec::new(), values: Vec::new(), is_whole: false };
        flatten(&value, 0, &mut array).map_err(|reason| invalid(format!("`{name}`: {reason}")))?;
        Ok((name, array))
    };
    seeds(path, object.into_iter().map(array).collect::<Result<_, ForeignError>>()?, None)
}

/// Adds nested lists of one shape to an array.
fn flatten(value: &Value, depth: usize, array: &mut Array) -> Result<(), String> {
    let expected = "expected numbers as [runs][games] or [runs][games][frames]";
    match value {
        Value::Array(values) if depth < 3 => {
            match array.shape.get(depth) {
                // The first list of this depth, which no number came before.
                None if array.values.is_empty() => array.shape.push(values.len()),
                Some(&length) if length == values.len() => {}
                _ => return Err(format!("lists of different lengths: {expected}")),
            }
            values.iter().try_for_each(|value| flatten(value, depth + 1, array))
        }
        Value::Number(number) if depth == array.shape.len() => {
            array.values.push(number.as_f64().ok_or(expected)?);
            Ok(())
        }
        _ => Err(expected.to_owned()),
    }
}

/// Makes a seed of each run of each game.
fn seeds(
    path: &Path,
    scores: Vec<(String, Array)>,
    frames: Option<&[u64]>,
) -> Result<Vec<ForeignSeed>, ForeignError> {
    let mut seeds = Vec::new();
    for (agent, array) in scores {
        let invalid = |reason: String| ForeignError::invalid(path, format!("`{agent}`: {reason}"));
        let (runs, games, points) = match array.shape[..] {
            [runs, games] => (runs, games, 1),
            [runs, games, points] => (runs, games, points),
            _ => {
                let shape = &array.shape;
                return Err(invalid(format!(
                    "a shape of {shape:?}: expected [runs, games] or [runs, games, frames]"
                )));
            }
        };
        let is_series = array.shape.len() == 3;
        if array.values.is_empty() || array.values.len() > MAX_RETURNS {
            return Err(invalid(format!("expected 1 to {MAX_RETURNS} scores")));
        }
        if runs.saturating_mul(games).saturating_add(seeds.len()) > MAX_SEEDS {
            return Err(invalid(format!("expected at most {MAX_SEEDS} runs of games")));
        }
        if let Some(frames) = frames.filter(|frames| is_series && frames.len() != points) {
            let count = frames.len();
            return Err(invalid(format!("{points} frames, but env steps of {count}")));
        }
        for (index, values) in array.values.chunks_exact(points).enumerate() {
            let (run, game) = (index / games, index % games);
            let step = |point: usize| match frames.filter(|_| is_series) {
                Some(frames) => frames[point],
                None if is_series => point as u64 + 1,
                None => 0,
            };
            let point = |(point, &value): (usize, &f64)| {
                mean_alone(&ReturnAt { env_step: step(point), wall_time_s: f64::NAN, value })
            };
            let mut series = Series {
                evaluations: values.iter().enumerate().map(point).collect(),
                ..Series::default()
            };
            if frames.is_none() || !is_series {
                series.remarks.push(unknown_steps(is_series).to_owned());
            }
            let names = SeedNames {
                agent: Some(agent.clone()),
                env: Some(format!("game {}", game + 1)),
                seed: Some(run as u64),
                program: Some(Program::Rliable),
            };
            seeds.push(ForeignSeed { is_normalized: true, ..names.with(path, series) });
        }
    }
    if seeds.is_empty() {
        return Err(ForeignError::invalid(
            path,
            "it holds no scores: expected an array for each agent",
        ));
    }
    Ok(seeds)
}

/// What a reader should know of the env steps.
fn unknown_steps(is_series: bool) -> &'static str {
    if is_series {
        "it does not say its env steps, so evaluations are numbered from 1: add an array `frames` of env steps"
    } else {
        "it does not say its env steps, so the table shows 0"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::foreign::npz::tests::{archive, floats};

    fn of_json(text: &str) -> Result<Vec<ForeignSeed>, String> {
        read_json(Path::new("s.json"), text.as_bytes()).map_err(|error| error.to_string())
    }

    fn of_npz(files: &[(&str, Vec<u8>)]) -> Result<Vec<ForeignSeed>, String> {
        let (path, bytes) = (Path::new("s.npz"), archive(files, true));
        let arrays = Npz::open(path, &bytes).map_err(|error| error.to_string())?;
        read_npz(path, &arrays).map_err(|error| error.to_string())
    }

    type Seen = (String, String, u64, Vec<(u64, f64)>);

    fn seen(seeds: &[ForeignSeed]) -> Vec<Seen> {
        let of = |seed: &ForeignSeed| {
            let points = seed.evaluations.iter().map(|e| (e.env_step, e.mean_return)).collect();
            (seed.agent.clone().unwrap(), seed.env.clone().unwrap(), seed.seed.unwrap(), points)
        };
        seeds.iter().map(of).collect()
    }

    fn one(game: &str, run: u64, points: &[(u64, f64)]) -> Seen {
        ("dqn".to_owned(), game.to_owned(), run, points.to_vec())
    }

    #[test]
    fn each_run_of_each_game_is_a_seed() {
        let expected = [
            one("game 1", 0, &[(0, 1.0)]),
            one("game 2", 0, &[(0, 2.0)]),
            one("game 1", 1, &[(0, 3.0)]),
            one("game 2", 1, &[(0, 4.0)]),
        ];
        let json = of_json(r#"{"dqn": [[1, 2], [3, 4.0]]}"#).unwrap();
        assert_eq!(seen(&json), expected);
        assert!(json.iter().all(|seed| seed.is_normalized && seed.remarks.len() == 1));
        let array = floats("(2, 2)", &[1.0, 2.0, 3.0, 4.0]);
        assert_eq!(seen(&of_npz(&[("dqn.npy", array)]).unwrap()), expected);
    }

    #[test]
    fn frames_are_env_steps() {
        let array = floats("(1, 1, 2)", &[1.0, 2.0]);
        let header = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }";
        let steps: Vec<u8> = [100_i64, 200].iter().flat_map(|step| step.to_le_bytes()).collect();
        let frames = crate::foreign::npy::tests::npy(header, &steps);
        let seeds = of_npz(&[("dqn.npy", array.clone()), ("frames.npy", frames.clone())]).unwrap();
        assert_eq!(seen(&seeds), [one("game 1", 0, &[(100, 1.0), (200, 2.0)])]);
        assert!(seeds[0].remarks.is_empty());
        let seeds = of_npz(&[("dqn.npy", array)]).unwrap();
        assert_eq!(seen(&seeds), [one("game 1", 0, &[(1, 1.0), (2, 2.0)])]);
        let three = floats("(1, 1, 3)", &[1.0, 2.0, 3.0]);
        let error = of_npz(&[("dqn.npy", three), ("frames.npy", frames)]).unwrap_err();
        assert!(error.contains("3 frames, but env steps of 2"), "{error}");
    }

    #[test]
    fn what_is_no_dictionary_of_scores_is_refused() {
        for (text, part) in [
            ("{", "no JSON object"),
            ("{}", "no scores"),
            ("[1]", "no JSON object"),
            (r#"{"a": 5}"#, "a shape of []"),
            (r#"{"a": [1, 2]}"#, "a shape of [2]"),
            (r#"{"a": [[1, 2], [3]]}"#, "different lengths"),
            (r#"{"a": [[1, [2]]]}"#, "`a`: "),
            (r#"{"a": [[[1], 2]]}"#, "expected numbers"),
            (r#"{"a": [[[[1]]]]}"#, "expected numbers"),
            (r#"{"a": [["x"]]}"#, "expected numbers"),
            (r#"{"a": [[null]]}"#, "expected numbers"),
            (r#"{"a": [[NaN]]}"#, "no JSON object"),
            (r#"{"a": [[], []]}"#, "expected 1 to"),
        ] {
            let error = of_json(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(of_json(&deep).is_err());
        let empty = floats("(0, 5)", &[]);
        assert!(of_npz(&[("a.npy", empty)]).unwrap_err().contains("expected 1 to"));
        assert!(of_npz(&[("readme.txt", vec![])]).unwrap_err().contains("no scores"));
    }
}
