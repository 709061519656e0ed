//! The fast way through a file whose fields are plain: most files.

use super::{Columns, CsvConfig, TargetKind, Values, finite, is_label};

/// The powers of ten that a double holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// What a column is for.
#[derive(Clone, Copy)]
enum Role {
    Input,
    /// The number of the target.
    Target(usize),
    Label,
}

/// Reads rows without quotes. Returns `None` where a row has any, or where anything is wrong: the
/// careful way finds out what.
pub(super) fn read(text: &[u8], columns: &Columns, config: &CsvConfig) -> Option<Values> {
    let delimiter = u8::try_from(config.delimiter).ok()?;
    if delimiter.is_ascii_alphanumeric() || b"+-.\"".contains(&delimiter) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let role = |column: usize| match columns.targets.iter().position(|&target| target == column) {
        None => Role::Input,
        Some(place) if config.target_kind == TargetKind::Numbers => Role::Target(place),
        Some(_) => Role::Label,
    };
    let roles: Vec<Role> = (0..columns.names.len()).map(role).collect();
    let mut values = Values::default();
    let mut targets = vec![0.0; columns.targets.len()];
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if is_end(bytes[at]) {
            at += 1; // an empty line, or the second half of a line's end
            continue;
        }
        values.rows += 1;
        if values.rows > config.max_rows {
            return None;
        }
        for (column, role) in roles.iter().enumerate() {
            let start = at;
            let ends_field = |byte: &u8| *byte == delimiter || is_end(*byte);
            // Most fields are a number and nothing else.
            let number = number(&bytes[start..])
                .filter(|(_, length)| bytes.get(start + length).is_none_or(ends_field));
            at = match number {
                Some((_, length)) => start + length,
                None => bytes[start..]
                    .iter()
                    .position(ends_field)
                    .map_or(bytes.len(), |length| start + length),
            };
            let mut number = number.map(|(number, _)| number);
            if number.is_none() || !config.missing.is_empty() || matches!(role, Role::Label) {
                let field = text[start..at].trim();
                let is_missing = config.missing.iter().any(|missing| missing == field);
                if field.contains('"') || is_missing && !matches!(role, Role::Input) {
                    return None;
                }
                match role {
                    Role::Label if is_label(field) => values.labels.push(field.to_owned()),
                    Role::Label => return None,
                    _ if is_missing => number = Some(f32::NAN),
                    _ if number.is_none() => number = Some(finite(field)?),
                    _ => {}
                }
            }
            match role {
                Role::Input => values.inputs.push(number?),
                Role::Target(place) => targets[*place] = number?,
                Role::Label => {}
            }
            let is_last = column + 1 == roles.len();
            if is_last != bytes.get(at).is_none_or(|&byte| is_end(byte)) {
                return None; // a row that is shorter or longer
            }
            at += 1;
        }
        if config.target_kind == TargetKind::Numbers {
            values.targets.extend_from_slice(&targets);
        }
    }
    (values.rows > 0).then_some(values)
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// Reads the decimal number at the start of a text; returns it, as `str::parse` rounds it, with its
/// length. Returns `None` where there is none or where rounding takes more care.
fn number(text: &[u8]) -> Option<(f32, usize)> {
    let digits = |at: &mut usize, number: &mut u64| {
        let start = *at;
        while let Some(digit) = text.get(*at).map(|byte| byte.wrapping_sub(b'0'))
            && digit < 10
        {
            *number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
        *at - start
    };
    let is_negative = text.first() == Some(&b'-');
    let (mut at, mut mantissa) = (usize::from(is_negative), 0);
    let mut length = digits(&mut at, &mut mantissa);
    let mut exponent = 0;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let places = digits(&mut at, &mut mantissa);
        (length, exponent) = (length + places, -i64::try_from(places).ok()?);
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        let is_small = text.get(at) == Some(&b'-');
        at += usize::from(is_small || text.get(at) == Some(&b'+'));
        let mut shift = 0;
        if !(1..=3).contains(&digits(&mut at, &mut shift)) {
            return None;
        }
        exponent += if is_small { -(shift as i64) } else { shift as i64 };
    }
    if !(1..=19).contains(&length) {
        return None; // more than `u64` holds
    }
    // Rounded twice: less than 3 units in the last place from the exact number.
    let power = POWERS.get(usize::try_from(exponent.unsigned_abs()).ok()?)?;
    let number = if exponent < 0 { mantissa as f64 / power } else { mantissa as f64 * power };
    let is_normal = number >= f64::from(f32::MIN_POSITIVE) && number <= f64::from(f32::MAX);
    // The bits of a double that an `f32` lacks; at their half it rounds the other way.
    const HALF: u64 = 1 << 28;
    let rest = number.to_bits() & (2 * HALF - 1);
    if mantissa != 0 && (!is_normal || rest.abs_diff(HALF) < 4) {
        return None;
    }
    let number = number as f32;
    Some((if is_negative { -number } else { number }, at))
}

#[cfg(test)]
mod tests {
    use rand::{RngExt as _, SeedableRng as _};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Both ways through a file.
    fn both_ways(text: &[u8], config: &CsvConfig) -> Option<(Option<Values>, Option<Values>)> {
        let mut reader = super::super::reader(text, config);
        let names = reader.headers().ok()?.iter().map(String::from).collect();
        let columns = Columns::new(names, config).ok()?;
        let start = if config.has_header { reader.position().byte() as usize } else { 0 };
        let plain = read(&text[start..], &columns, config);
        Some((plain, columns.read_carefully(&mut reader, config).ok()))
    }

    #[test]
    fn plain_rows_are_those_that_care_finds() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let pieces = [
            "1", "-2.5", "7e2", "nan", "", " ", "\t", "3 ", " 4", "NA", "-1", "a", "é", "\u{a0}5",
            "\"6\"", "\"", "1e99", ".", "+8", "\u{b}",
        ];
        let ends = ["\n", "\r\n", "\r", "\n\n", "\n \n", ""];
        let (mut equal, mut refused) = (0, 0);
        for round in 0..100_000 {
            let target_kind = [TargetKind::Numbers, TargetKind::Classes][round % 2];
            let delimiter = [',', ';', ' ', '\t', '.', '1', '-'][rng.random_range(0..7)];
            let missing = [vec![], vec!["NA".to_owned(), "-1".to_owned(), String::new()]];
            let config = CsvConfig {
                delimiter,
                target_kind,
                has_header: rng.random(),
                missing: missing[rng.random_range(0..2)].clone(),
                max_rows: rng.random_range(1..6),
                ..CsvConfig::default()
            };
            // Mostly good numbers, so that many files are right.
            let good = if rng.random() { 3 } else { pieces.len() };
            let mut text = String::new();
            for _ in 0..rng.random_range(1..5) {
                let width = if rng.random_range(0..10) == 0 { 3 } else { 2 };
                for column in 0..width {
                    if column > 0 {
                        text.push(delimiter);
                    }
                    text.push_str(pieces[rng.random_range(0..good)]);
                }
                let end = if rng.random() { 0 } else { rng.random_range(0..ends.len()) };
                text.push_str(ends[end]);
            }
            match both_ways(text.as_bytes(), &config) {
                Some((Some(plain), careful)) => {
                    let careful = careful.unwrap_or_else(|| panic!("{text:?} {config:?}"));
                    let bits =
                        |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert_eq!(bits(&plain.inputs), bits(&careful.inputs), "{text:?} {config:?}");
                    assert_eq!(bits(&plain.targets), bits(&careful.targets), "{text:?}");
                    assert_eq!((plain.labels, plain.rows), (careful.labels, careful.rows));
                    equal += 1;
                }
                Some((None, Some(_))) => refused += 1,
                _ => {}
            }
        }
        assert!(equal > refused && equal > 10_000, "{equal} {refused}");
    }

    #[track_caller]
    fn same_as_parse(text: &str) -> bool {
        let Some((number, length)) = number(text.as_bytes()) else { return false };
        assert_eq!(length, text.len(), "{text}");
        let parsed: f32 = text.parse().unwrap();
        assert_eq!(number.to_bits(), parsed.to_bits(), "{text}: {number} {parsed}");
        true
    }

    #[test]
    fn numbers_are_those_of_parse() {
        for text in ["0", "-0", "-0.0", "1.", ".5", "12e3", "1E-5", "1.5e+9", "0e-22", "0.000"] {
            assert!(same_as_parse(text), "{text}");
        }
        // Of others the careful way knows what they are.
        for text in ["", "-", ".", "e5", "1e", "1e-", "+1", "nan", "1e99", "1e-40", "3.5e38"] {
            assert!(number(text.as_bytes()).is_none(), "{text}");
        }
        assert_eq!(number(b"1.25,3"), Some((1.25, 4)));
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut fast = 0;
        for _ in 0..200_000 {
            let x = (rng.random::<f64>() - 0.5) * 10_f64.powi(rng.random_range(-12..12));
            fast += usize::from(same_as_parse(&format!("{x}")));
            same_as_parse(&format!("{x:e}"));
            same_as_parse(&format!("{x:.3}"));
            same_as_parse(&format!("{x:.18e}"));
            // Between two neighbours, and next to it.
            let below = x as f32;
            let half = (f64::from(below) + f64::from(below.next_up())) / 2.0;
            for x in [half, half.next_up(), half.next_down(), half.next_up().next_up()] {
                same_as_parse(&format!("{x}"));
                same_as_parse(&format!("{x:.16e}"));
            }
            same_as_parse(&format!("{}", rng.random::<u64>() >> rng.random_range(0..64)));
        }
        assert!(fast > 100_000, "{fast}");
    }
}
