//! Stable-Baselines3's `monitor.csv`: every training episode.
//!
//! The first line is `#` and JSON (`t_start`, when the training began, and `env_id`), the second names
//! the columns: `r` (return), `l` (length), `t` (seconds since `t_start`), and more that are not needed. A
//! vector of environments writes one file each, `N.monitor.csv`: their episodes are ordered by time. The
//! env steps of an episode are the lengths so far, summed over all environments, as Stable-Baselines3
//! itself counts them; steps of unfinished episodes are not in them.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{ForeignError, MAX_RETURNS, MAX_STEP, Program, bytes_of, seed::Series};
use crate::report::{ReturnAt, TrainingReturns};

/// The first line, behind its `#`.
#[derive(Deserialize)]
struct Header {
    t_start: f64,
    #[serde(default)]
    env_id: Option<String>,
}

struct Episode {
    /// Seconds since 1970.
    ended: f64,
    length: u64,
    value: f64,
}

/// Reads the files of one training.
pub(super) fn read(paths: &[PathBuf]) -> Result<Series, ForeignError> {
    let (mut episodes, mut env, mut started) = (Vec::new(), None, f64::INFINITY);
    for path in paths {
        let (header, own) = read_one(path)?;
        env = env.or(header.env_id.filter(|env| !env.is_empty() && env != "None"));
        started = started.min(header.t_start);
        episodes.extend(own);
        if episodes.len() > MAX_RETURNS {
            let reason = format!("expected at most {MAX_RETURNS} episodes, got more");
            return Err(ForeignError::invalid(path, reason));
        }
    }
    // A stable order: episodes that end at the same moment stay as their files are ordered.
    episodes.sort_by(|a: &Episode, b| a.ended.total_cmp(&b.ended));
    let mut env_step = 0_u64;
    let point = |episode: &Episode| {
        env_step = env_step.saturating_add(episode.length);
        let wall_time_s = episode.ended - started;
        ReturnAt { env_step, wall_time_s, value: episode.value }
    };
    let training = TrainingReturns::Episodes(episodes.iter().map(point).collect());
    if env_step > MAX_STEP {
        let first = paths.first().map_or(Path::new(""), PathBuf::as_path);
        return Err(ForeignError::invalid(first, "its lengths add up to more than 2^53 env steps"));
    }
    let program = Some(Program::StableBaselines3);
    Ok(Series { training, env, program, ..Series::default() })
}

fn read_one(path: &Path) -> Result<(Header, Vec<Episode>), ForeignError> {
    let mut bytes = bytes_of(path)?;
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    let invalid = |reason: String| ForeignError::invalid(path, reason);
    // An incomplete last line, as a running training may leave it, is ignored.
    bytes.truncate(bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1));
    let first = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (header, rows) = bytes.split_at(first);
    let header = header.strip_prefix(b"#").and_then(|json| serde_json::from_slice(json).ok());
    let expected = r##"line 1: expected `#{"t_start": SECONDS, "env_id": …}`"##;
    let header: Header = header.ok_or_else(|| invalid(expected.to_owned()))?;
    let mut reader = csv::Reader::from_reader(rows.trim_ascii_start());
    let names = reader.headers().map_err(|error| invalid(format!("line 2: {error}")))?;
    let column = |name: &str| {
        let found = names.iter().position(|known| known.trim() == name);
        found.ok_or_else(|| {
            invalid(format!("line 2: expected the columns r, l and t, found no {name}"))
        })
    };
    let columns = [column("r")?, column("l")?, column("t")?];
    let (mut episodes, mut before, mut last) = (Vec::new(), 0.0, 0.0);
    for (row, line) in reader.records().zip(3..) {
        let row = row.map_err(|error| invalid(format!("line {line}: {error}")))?;
        let [value, length, t] = columns.map(|column| number(row.get(column).unwrap_or_default()));
        let (Some(value), Some(length), Some(t)) = (value, length, t.filter(|t| t.is_finite()))
        else {
            let reason = format!("line {line}: expected numbers for r, l and t");
            return Err(invalid(reason));
        };
        if !(1.0..=MAX_STEP as f64).contains(&length) || length.fract() != 0.0 {
            return Err(invalid(format!("line {line}: l = {length}: expected a length from 1 on")));
        }
        if t < last {
            // The training was resumed, and its clock began anew.
            before += last;
        }
        last = t;
        let ended = header.t_start + before + t;
        episodes.push(Episode { ended, length: length as u64, value });
        if episodes.len() > MAX_RETURNS {
            return Err(invalid(format!("expected at most {MAX_RETURNS} episodes, got more")));
        }
    }
    Ok((header, episodes))
}

/// Reads a number as Python writes it.
fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(files: &[&str]) -> Result<Series, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = |(i, text): (usize, &&str)| {
            let path = folder.path().join(format!("{i}.monitor.csv"));
            std::fs::write(&path, text).unwrap();
            path
        };
        let paths: Vec<_> = files.iter().enumerate().map(path).collect();
        read(&paths).map_err(|error| error.to_string())
    }

    fn points(series: &Series) -> Vec<(u64, f64, f64)> {
        let TrainingReturns::Episodes(points) = &series.training else { panic!("{series:?}") };
        points.iter().map(|point| (point.env_step, point.wall_time_s, point.value)).collect()
    }

    const HEADER: &str = "#{\"t_start\": 1000.0, \"env_id\": \"CartPole-v1\"}\nr,l,t\n";

    #[test]
    fn episodes_of_several_files_are_ordered_by_time() {
        let first = format!("{HEADER}1.0,10,0.5\n2.0,20,2.5\n");
        let second = "#{\"t_start\": 1001.0, \"env_id\": \"CartPole-v1\"}\nr,l,t,x\n3.5,5,0.25,9\n";
        let series = read_back(&[&first, second]).unwrap();
        assert_eq!(points(&series), [(10, 0.5, 1.0), (15, 1.25, 3.5), (35, 2.5, 2.0)]);
        assert_eq!(series.env.as_deref(), Some("CartPole-v1"));
        assert!(series.evaluations.is_empty());
    }

    #[test]
    fn a_resumed_file_keeps_its_order_and_a_cut_line_is_ignored() {
        let text = format!("{HEADER}1.0,10,4.0\n2.0,10,1.0\n3.0,1");
        assert_eq!(points(&read_back(&[&text]).unwrap()), [(10, 4.0, 1.0), (20, 5.0, 2.0)]);
        // A file of which only the header is there has no episodes.
        assert!(points(&read_back(&[HEADER]).unwrap()).is_empty());
    }

    #[test]
    fn a_return_may_be_nan_but_no_length_or_time() {
        let with = |row: &str| read_back(&[&format!("{HEADER}{row}\n")]);
        assert!(points(&with("nan,10,1.0").unwrap())[0].2.is_nan());
        for (row, part) in [
            ("1.0,-5,1.0", "line 3: l = -5"),
            ("1.0,0,1.0", "line 3: l = 0"),
            ("1.0,1.5,1.0", "line 3: l = 1.5"),
            ("1.0,1e300,1.0", "line 3: l = "),
            ("1.0,10,inf", "line 3: expected numbers"),
            ("x,10,1.0", "line 3: expected numbers"),
            ("1.0,10", "line 3"),
        ] {
            let error = with(row).unwrap_err();
            assert!(error.contains(part), "`{part}`: {error}");
        }
        for (text, part) in [
            ("", "line 1: expected"),
            ("#{\"t_start\": \"x\"}\nr,l,t\n", "line 1: expected"),
            ("#{\"t_start\": 1.0}\nr,t\n", "line 2: expected the columns r, l and t, found no l"),
        ] {
            let error = read_back(&[text]).unwrap_err();
            assert!(error.contains(part), "`{part}`: {error}");
        }
    }
}
