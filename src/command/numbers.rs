//! Numbers as arguments.

use std::ops::RangeInclusive;

/// Reads a whole number in a range.
///
/// Accepts `100000`, `100_000`, `1e5` and `2.5e6`, because the zeros of large counts are hard to
/// count.
pub(super) fn whole<T: TryFrom<u64>>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let (least, most) = (*range.start(), *range.end());
        let (is_negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let size = read(digits).ok_or("expected a whole number, for example 100000 or 1e5")?;
        let number = u64::try_from(size).ok().filter(|n| !is_negative || *n == 0);
        let allowed = number.filter(|n| range.contains(n)).and_then(|n| T::try_from(n).ok());
        allowed.ok_or_else(|| match most {
            u64::MAX if is_negative || size < least.into() => format!("expected at least {least}"),
            most => format!("expected {least} to {most}"),
        })
    }
}

/// Reads a number without a sign; saturates at the maximum. `None` if it is not a whole number.
fn read(text: &str) -> Option<u128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i16>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
    // `.5e1` is 5; a lone dot is nothing.
    let whole = if whole.is_empty() && mantissa.starts_with('.') { "0" } else { whole };
    let is_number = |part: &str| {
        let mut groups = part.split('_');
        groups.all(|group| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit()))
    };
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let fraction = fraction.replace('_', "");
    let fraction = fraction.trim_end_matches('0');
    let digits = whole.replace('_', "") + fraction;
    let digits = digits.trim_start_matches('0');
    let zeros = i64::from(exponent) - i64::try_from(fraction.len()).ok()?;
    let count = usize::try_from(zeros.unsigned_abs()).ok()?;
    match digits {
        "" => Some(0),
        _ if zeros < 0 && count > digits.len() => None,
        // 1500e-2 is whole, 15e-1 is not.
        _ if zeros < 0 => {
            let digits = digits.strip_suffix(&*"0".repeat(count))?;
            Some(digits.parse().unwrap_or(u128::MAX))
        }
        _ => Some(format!("{digits}{}", "0".repeat(count)).parse().unwrap_or(u128::MAX)),
    }
}

/// Reads a number that is neither infinite nor NaN.
pub(super) fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|x: &f64| x.is_finite());
    number.ok_or_else(|| "expected a finite number".to_owned())
}

/// Reads a finite number that is at least 0.
pub(super) fn not_negative(text: &str) -> Result<f64, String> {
    let number = finite(text).ok().filter(|x| *x >= 0.0);
    number.ok_or_else(|| "expected a finite number, 0 or more".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_written_in_many_ways() {
        let steps = whole::<u64>(0..=i64::MAX as u64);
        for text in
            ["100000", "100_000", "1e5", ".1e6", "1E5", "+1e+5", "1.0e5", "0.1e6", "1000000e-1"]
        {
            assert_eq!(steps(text), Ok(100_000), "{text}");
        }
        assert_eq!((steps("2.5e6"), steps("-0"), steps("0e9")), (Ok(2_500_000), Ok(0), Ok(0)));
        for text in [
            "", "1.5", "1e-1", "e5", "1e", "1__0", "_1", "1_", ".5", ".", "5.", "nan", "--1",
            "1e99999",
        ] {
            assert!(steps(text).unwrap_err().contains("whole number"), "{text}");
        }
    }

    #[test]
    fn what_lies_outside_is_told_the_range() {
        let told = |range, text| whole::<u64>(range)(text).unwrap_err();
        assert_eq!(told(1..=u64::MAX, "0"), "expected at least 1");
        assert_eq!(told(0..=u64::MAX, "-2"), "expected at least 0");
        assert_eq!(told(0..=u64::MAX, "1e30"), "expected 0 to 18446744073709551615");
        assert_eq!(told(1..=10, "-1"), "expected 1 to 10");
        assert_eq!(told(1..=10, "1e400"), "expected 1 to 10");
        assert_eq!(whole::<u32>(1..=1000)("1e3"), Ok(1000));
    }

    #[test]
    fn a_number_is_finite() {
        assert_eq!((finite("-1e3"), not_negative("0")), (Ok(-1000.0), Ok(0.0)));
        assert!(finite("nan").is_err() && finite("inf").is_err() && not_negative("-1").is_err());
    }

    #[test]
    fn no_text_makes_it_panic() {
        let mut texts = vec![String::new()];
        for _ in 0..5 {
            let longer = |text: &String| "-0.9_eé".chars().map(|c| format!("{text}{c}")).collect();
            texts = texts.iter().flat_map::<Vec<_>, _>(longer).collect();
            for text in &texts {
                if let Ok(n) = whole::<u64>(0..=u64::MAX)(text) {
                    let plain = text.parse::<f64>().ok().filter(|_| n < 1 << 50);
                    assert!(plain.is_none_or(|x| (x - n as f64).abs() < 0.5), "{text}: {n}");
                }
            }
        }
        for n in [0, 1, 10, 1_000_001, u64::MAX] {
            assert_eq!(whole::<u64>(0..=u64::MAX)(&n.to_string()), Ok(n));
        }
    }
}
