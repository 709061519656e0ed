//! Numbers as text: what `format!` writes, faster where it can be. A fast environment ends millions of
//! episodes a minute.

use std::io::Write as _;

/// Appends a whole number.
#[inline]
pub(crate) fn push_whole(text: &mut Vec<u8>, number: impl itoa::Integer) {
    text.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a number as `{}` writes it.
pub(crate) fn push_number(text: &mut Vec<u8>, number: f64) {
    let whole = number as i64;
    // Compared by its bits, because −0 keeps its sign.
    if whole.unsigned_abs() < 1 << 53 && (whole as f64).to_bits() == number.to_bits() {
        push_whole(text, whole);
    } else {
        write!(text, "{number}").expect("a vector takes what is written");
    }
}

/// Appends seconds as `{:.3}` writes them.
pub(crate) fn push_seconds(text: &mut Vec<u8>, seconds: f64) {
    let exact = seconds * 1000.0;
    let ms = (exact + 0.5) as u64;
    // Near the middle between two numbers the digits behind decide.
    if seconds.is_sign_positive() && seconds < 1e9 && (exact - ms as f64).abs() < 0.49 {
        push_whole(text, ms / 1000);
        let digit = |place: u64| b'0' + (ms / place % 10) as u8;
        text.extend([b'.', digit(100), digit(10), digit(1)]);
    } else {
        write!(text, "{seconds:.3}").expect("a vector takes what is written");
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Seed;
    use rand::RngExt as _;

    use super::*;

    #[test]
    fn numbers_look_as_formatted() {
        let mut rng = Seed::new(0).rng();
        let mut numbers = vec![0.0, -0.0, 0.5, -1.5, 1e15, 1e16, 1e17, 1e300, 5e-324];
        numbers.extend([f64::NAN, f64::INFINITY, -f64::INFINITY, 9_007_199_254_740_993.0]);
        numbers.extend([0.0005, 0.0015, 0.9995, 0.9994999, 59.9995, 1e9, 1e9 - 0.001, -0.0001]);
        for i in 0..100_000_u64 {
            numbers.push(f64::from_bits(rng.random()));
            numbers.push(i as f64 / 2000.0); // halves of a thousandth, and near them
            numbers.push((i as f64 / 2000.0).next_up());
            numbers.push(rng.random_range(-1e6..1e6_f64));
            numbers.push(rng.random_range(-1e6..1e6_f64).round());
        }
        for number in numbers {
            let mut text = Vec::new();
            push_number(&mut text, number);
            text.push(b' ');
            push_seconds(&mut text, number);
            assert_eq!(String::from_utf8(text).unwrap(), format!("{number} {number:.3}"));
        }
    }
}
