//! Suggestions for misspelt names and values, and serde's messages in plain words.

/// Returns the candidate most similar to `name`, if any is similar. Ignores case.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let name = name.to_lowercase();
    let scored = candidates.map(|c| (strsim::jaro_winkler(&name, &c.to_lowercase()), c));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.7).then(|| best.1.to_owned())
}

/// Returns `, did you mean …?` if there is a suggestion, else an empty text.
#[must_use]
pub fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(", did you mean `{name}`?")).unwrap_or_default()
}

/// Returns what to write instead of a boolean in another language's spelling, such as `False`.
/// `None` for other text.
#[must_use]
pub fn misspelt_boolean(text: &str) -> Option<&'static str> {
    match () {
        () if text.eq_ignore_ascii_case("true") => Some(", write true (lower case, no quotes)"),
        () if text.eq_ignore_ascii_case("false") => Some(", write false (lower case, no quotes)"),
        () => None,
    }
}

/// Whole numbers below this are exact as floats. From here on one float stands for several numbers.
const EXACT_BELOW: f64 = 9_007_199_254_740_992.0; // 2⁵³

/// Converts a whole number that is exact as a float to an integer: 1e4 is a count.
///
/// Returns `None` for 2⁵³ and above, because 9007199254740993.0 is read as 2⁵³.
#[must_use]
pub fn whole_number(number: f64) -> Option<i64> {
    let is_exact = number.fract() == 0.0 && number.abs() < EXACT_BELOW;
    is_exact.then_some(number as i64)
}

/// Rewrites a message of serde in plain words: `invalid type: string "x", expected u32` becomes
/// `expected a whole number from 0 to 4294967295, got the text "x"`. Other messages stay unchanged.
///
/// ```
/// use gymnast_base::spelling::in_plain_words;
///
/// assert_eq!(in_plain_words("missing field `env_steps`"), "`env_steps` is missing");
/// ```
#[must_use]
pub fn in_plain_words(message: &str) -> String {
    wrong_value(message).or_else(|| wrong_name(message)).unwrap_or_else(|| message.to_owned())
}

/// Rewrites messages about a wrong type, range or length.
fn wrong_value(message: &str) -> Option<String> {
    if let Some(rest) = message.strip_prefix("invalid length ") {
        let (length, expected) = rest.split_once(", expected ")?;
        return Some(format!("expected {}, got length {length}", wanted(expected)));
    }
    let kinds = ["invalid type: ", "invalid value: "];
    let rest = kinds.iter().find_map(|kind| message.strip_prefix(kind))?;
    // The last one: a text that came may hold the same words.
    let (got, expected) = rest.rsplit_once(", expected ")?;
    let expected = wanted(expected);
    let is_count = expected.starts_with("a whole number");
    let hint = if is_count && is_large_float(got) { INEXACT } else { "" };
    let got = received(got).map(|got| format!(", got {got}")).unwrap_or_default();
    Some(format!("expected {expected}{got}{hint}"))
}

/// The advice for a count written as an inexact float.
const INEXACT: &str =
    ": write all its digits, because a number with a point or an exponent is exact only below 2^53";

/// Rewrites messages about missing or unknown keys and choices.
fn wrong_name(message: &str) -> Option<String> {
    if let Some(key) = message.strip_prefix("missing field ") {
        return Some(format!("{key} is missing"));
    }
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let (key, known) = rest.rsplit_once(", expected ")?;
        return Some(format!("there is no {key}: expected {known}"));
    }
    let (choice, known) = message.strip_prefix("unknown variant ")?.rsplit_once(", expected ")?;
    Some(format!("expected {known}, got {choice}"))
}

/// Translates what serde expects from the names of Rust types.
fn wanted(expected: &str) -> String {
    let between = |least: i64, most: i64| format!("a whole number from {least} to {most}");
    match expected {
        "u8" => between(0, u8::MAX.into()),
        "u16" => between(0, u16::MAX.into()),
        "u32" => between(0, u32::MAX.into()),
        "u64" | "u128" | "usize" => "a whole number from 0 on".to_owned(),
        "i8" => between(i8::MIN.into(), i8::MAX.into()),
        "i16" => between(i16::MIN.into(), i16::MAX.into()),
        "i32" => between(i32::MIN.into(), i32::MAX.into()),
        "i64" | "i128" | "isize" => "a whole number".to_owned(),
        "f32" | "f64" => "a number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a map" => "a table".to_owned(),
        // TOML's words for a choice that is no text.
        "string only" => "the name of a choice".to_owned(),
        other => {
            let lists = ["an array of length ", "a tuple of size "];
            match lists.iter().find_map(|list| other.strip_prefix(list)) {
                Some(length) => format!("a list of length {length}"),
                None if other.starts_with("struct ") => "a table".to_owned(),
                None if other.starts_with("enum ") => "the name of a choice".to_owned(),
                None => other.to_owned(),
            }
        }
    }
}

/// Translates what serde received. `None` if its name means nothing to users.
fn received(got: &str) -> Option<String> {
    if let Some(number) = float(got) {
        let is_long = number.abs() >= 1e15;
        return Some(if is_long { format!("{number:e}") } else { number.to_string() });
    }
    let kinds = ["boolean ", "integer ", "character "];
    if let Some(value) = kinds.iter().find_map(|kind| in_backticks(got.strip_prefix(kind)?)) {
        return Some(value.to_owned());
    }
    if let Some(text) = got.strip_prefix("string ") {
        return Some(format!("the text {text}"));
    }
    match got {
        "sequence" => Some("a list".to_owned()),
        "map" => Some("a table".to_owned()),
        "null" | "unit value" => Some("nothing".to_owned()),
        // "unit variant", "newtype struct" and the like.
        _ if got.ends_with(" variant") || got.ends_with(" struct") || got == "enum" => None,
        other => Some(other.to_owned()),
    }
}

fn in_backticks(text: &str) -> Option<&str> {
    text.strip_prefix('`')?.split('`').next()
}

fn float(got: &str) -> Option<f64> {
    in_backticks(got.strip_prefix("floating point ")?)?.parse().ok()
}

/// Returns whether the received value is a float too large to be exact.
fn is_large_float(got: &str) -> bool {
    float(got).is_some_and(|number| number.is_finite() && number.abs() >= EXACT_BELOW)
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, de::DeserializeOwned};
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Settings {
        #[allow(dead_code)] // read, never looked at
        steps: u64,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        One,
        Two,
    }

    /// What serde says of a value, in plain words.
    fn translated<T: DeserializeOwned + std::fmt::Debug>(value: Value) -> String {
        in_plain_words(&serde_json::from_value::<T>(value).unwrap_err().to_string())
    }

    #[test]
    fn a_whole_number_is_exact_or_none() {
        assert_eq!((whole_number(1e4), whole_number(-0.0)), (Some(10_000), Some(0)));
        let most: i64 = (1 << 53) - 1;
        assert_eq!(whole_number(most as f64), Some(most));
        // Read from 9007199254740992.0 and from 9007199254740993.0 alike.
        assert_eq!(whole_number((most + 1) as f64), None);
        assert!([1.5, f64::NAN, f64::INFINITY].iter().all(|&x| whole_number(x).is_none()));
    }

    #[test]
    fn types_have_plain_names() {
        let whole = "expected a whole number from 0";
        assert_eq!(
            translated::<u32>(json!("a, expected b")),
            format!("{whole} to 4294967295, got the text \"a, expected b\"")
        );
        assert_eq!(translated::<u8>(json!(-1)), format!("{whole} to 255, got -1"));
        assert_eq!(translated::<usize>(json!(1.5)), format!("{whole} on, got 1.5"));
        assert_eq!(translated::<i64>(json!([1])), "expected a whole number, got a list");
        assert_eq!(translated::<f64>(json!({})), "expected a number, got a table");
        assert_eq!(translated::<bool>(json!(1)), "expected true or false, got 1");
        assert_eq!(translated::<String>(Value::Null), "expected a text, got nothing");
        assert_eq!(translated::<Vec<f64>>(json!(true)), "expected a list, got true");
        assert_eq!(
            translated::<[f64; 3]>(json!([1.0])),
            "expected a list of length 3, got length 1"
        );
        assert_eq!(translated::<Settings>(json!(5)), "expected a table, got 5");
        let large = translated::<u64>(json!(1e17));
        assert!(
            large.starts_with(&format!("{whole} on, got 1e17: write all its digits")),
            "{large}"
        );
    }

    #[test]
    fn keys_and_choices_have_plain_names() {
        assert_eq!(translated::<Settings>(json!({})), "`steps` is missing");
        let unknown = translated::<Settings>(json!({ "step": 1 }));
        assert_eq!(unknown, "there is no `step`: expected `steps`");
        assert_eq!(translated::<Choice>(json!("three")), "expected `one` or `two`, got `three`");
        let (one, two) = (json!("one"), json!("two"));
        let read = |value| serde_json::from_value::<Choice>(value).unwrap();
        assert!(matches!((read(one), read(two)), (Choice::One, Choice::Two)));
        assert_eq!(in_plain_words("duplicate key"), "duplicate key");
    }
}
