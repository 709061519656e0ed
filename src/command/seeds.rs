//! Seeds as arguments: a count, or a list with ranges.

use std::{
    fmt::{self, Display, Formatter},
    ops::RangeInclusive,
};

use super::{CommandError, MOST, numbers::whole};
pub(super) use crate::run::seeds_to_toml as to_toml;

/// The maximum number of seeds of a run.
pub(super) const MOST_SEEDS: u64 = 10_000;

/// The value of `--seeds`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seeds {
    /// This many, from the first on.
    Count(usize),
    /// These, in ascending order.
    These(Vec<u64>),
}

impl Display for Seeds {
    /// Writes what [`seeds`] reads.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let seeds = match self {
            Self::Count(count) => return write!(f, "{count}"),
            Self::These(seeds) => seeds,
        };
        // As ranges: one number alone would be read as a count, and many would be long.
        let mut ranges = Vec::<(u64, u64)>::new();
        for &seed in seeds {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == seed => *last = seed,
                _ => ranges.push((seed, seed)),
            }
        }
        let ranges: Vec<_> = ranges.iter().map(|(a, b)| format!("{a}..{b}")).collect();
        f.write_str(&ranges.join(","))
    }
}

/// Reads `10`, `3,7`, `100..119` or `100-119,7`; ranges include both ends.
pub(super) fn seeds(text: &str) -> Result<Seeds, String> {
    if !text.contains(',') && ends(text).is_none() {
        return Ok(Seeds::Count(whole(1..=MOST_SEEDS)(text)?));
    }
    let mut seeds = Vec::new();
    for part in text.split(',') {
        let range = range(part.trim())?;
        let count =
            (range.end() - range.start()).saturating_add(1).saturating_add(seeds.len() as u64);
        if count > MOST_SEEDS {
            return Err(format!("expected at most {MOST_SEEDS} seeds"));
        }
        seeds.extend(range);
    }
    seeds.sort_unstable();
    match seeds.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(format!("seed {} is named twice: expected each seed once", pair[0])),
        None => Ok(Seeds::These(seeds)),
    }
}

/// Splits a range into its two ends, as written.
fn ends(text: &str) -> Option<(&str, &str)> {
    if let Some((first, last)) = text.split_once("..") {
        return Some((first, last.strip_prefix('=').unwrap_or(last)));
    }
    // The sign of a number or of an exponent does not make a range.
    text.split_once('-').filter(|(first, _)| first.ends_with(|c: char| c.is_ascii_digit()))
}

fn range(part: &str) -> Result<RangeInclusive<u64>, String> {
    let seed = |text: &str| {
        whole::<u64>(0..=MOST)(text.trim()).map_err(|error| match text {
            "" => "a seed is missing: expected a list such as 3,7,100..119".to_owned(),
            text => format!("`{text}`: {error}"),
        })
    };
    let (first, last) = match ends(part) {
        Some((first, last)) => (seed(first)?, seed(last)?),
        None => (seed(part)?, seed(part)?),
    };
    if first > last {
        return Err(format!("`{part}` is empty: expected {last}..{first}"));
    }
    Ok(first..=last)
}

/// Returns the seeds selected by `--seeds` and `--first-seed`. Without either they are `default`; a
/// count alone starts at `base`.
pub(super) fn resolve(
    seeds: Option<&Seeds>,
    first: Option<u64>,
    base: u64,
    default: &[u64],
) -> Result<Vec<u64>, CommandError> {
    let count = match (seeds, first) {
        (Some(Seeds::These(_)), Some(_)) => {
            return Err(CommandError::usage(
                "--first-seed needs a number of seeds: --seeds already lists each seed",
            ));
        }
        (Some(Seeds::These(seeds)), None) => return Ok(seeds.clone()),
        (Some(Seeds::Count(count)), _) => *count,
        (None, _) => default.len(),
    };
    if seeds.is_none() && first.is_none() {
        return Ok(default.to_vec());
    }
    let first = first.unwrap_or(base);
    from(first, count).ok_or_else(|| {
        CommandError::usage(format!("--first-seed {first}: expected seeds of at most {MOST}"))
    })
}

/// Returns `count` seeds from the first on. `None` if they are too large for a configuration.
pub(super) fn from(first: u64, count: usize) -> Option<Vec<u64>> {
    let last = first.checked_add((count as u64).saturating_sub(1)).filter(|last| *last <= MOST)?;
    Some((first..=last).take(count).collect())
}

/// Writes seeds as for `--seeds`, with ranges: `7,100..119`.
pub(super) fn to_text(seeds: &[u64]) -> String {
    let chunks = seeds.chunk_by(|a, b| a.checked_add(1) == Some(*b));
    let text = chunks.map(|chunk| match chunk {
        [seed] => seed.to_string(),
        [first, .., last] => format!("{first}..{last}"),
        [] => String::new(),
    });
    text.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn these(text: &str) -> Vec<u64> {
        match seeds(text).unwrap() {
            Seeds::These(seeds) => seeds,
            Seeds::Count(count) => panic!("{text}: {count} seeds"),
        }
    }

    #[test]
    fn a_list_names_each_seed() {
        assert_eq!(seeds("10"), Ok(Seeds::Count(10)));
        assert_eq!(seeds("1e2"), Ok(Seeds::Count(100)));
        assert_eq!(seeds("1000e-1"), Ok(Seeds::Count(100)));
        assert_eq!(these("100..102"), [100, 101, 102]);
        assert_eq!(these("100..=102"), [100, 101, 102]);
        assert_eq!(these("100-102, 7"), [7, 100, 101, 102]);
        assert_eq!(these("3,1,2"), [1, 2, 3]);
        assert_eq!(these("5..5"), [5]);
        for text in ["7,100..102,9223372036854775807", "0..3", "4"] {
            let list = if text == "4" { vec![4] } else { these(text) };
            assert_eq!(to_text(&list), text);
        }
    }

    #[test]
    fn what_names_no_seeds_says_why() {
        for (text, part) in [
            ("0", "expected 1 to 10000"),
            ("-1", "expected 1 to 10000"),
            ("10001", "expected 1 to 10000"),
            ("five", "a whole number"),
            ("1,2,2", "seed 2 is named twice"),
            ("1..5,3-7", "seed 3 is named twice"),
            ("5..1", "expected 1..5"),
            ("1,,2", "a seed is missing"),
            ("1..", "a seed is missing"),
            ("1,x", "`x`: expected a whole number"),
            ("1,-2", "`-2`: expected 0 to"),
            ("1..99999999999999999999", "expected 0 to"),
            ("0..9223372036854775807", "at most 10000 seeds"),
            ("0..9999,20000", "at most 10000 seeds"),
        ] {
            let error = seeds(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn flags_win_over_the_default() {
        let chosen = |text: Option<&str>, first| {
            let seeds = text.map(|text| seeds(text).unwrap());
            resolve(seeds.as_ref(), first, 40, &[40, 41, 42]).map_err(|error| format!("{error:?}"))
        };
        assert_eq!(chosen(None, None), Ok(vec![40, 41, 42]));
        assert_eq!(chosen(Some("2"), None), Ok(vec![40, 41]));
        assert_eq!(chosen(None, Some(100)), Ok(vec![100, 101, 102]));
        assert_eq!(chosen(Some("2"), Some(100)), Ok(vec![100, 101]));
        assert_eq!(chosen(Some("7,9"), None), Ok(vec![7, 9]));
        assert!(chosen(Some("7,9"), Some(100)).unwrap_err().contains("--first-seed"));
        assert!(chosen(Some("3"), Some(MOST - 1)).unwrap_err().contains("at most"));
    }
}
