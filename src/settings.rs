//! Settings by name, read from TOML. Errors name the key and the valid values.

use gymnast_core::text::escape_name;
use gymnast_envs::{
    nearest,
    spelling::{did_you_mean, in_plain_words, misspelt_boolean, whole_number},
};
use gymnast_harness::Documented;
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use toml::{Table, Value};

/// Why settings could not be read.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum SettingsError {
    /// No setting has this name.
    #[error("{owner} has no setting `{key}`{}: the settings are {known}", did_you_mean(suggestion.as_deref()))]
    Unknown {
        /// The owner of the settings.
        owner: String,
        /// The name given.
        key: String,
        /// The nearest name, if one is similar.
        suggestion: Option<String>,
        /// All names.
        known: String,
    },
    /// A value is invalid.
    #[error("{key} = {value}: {reason}. {doc}")]
    Invalid {
        /// The setting.
        key: String,
        /// The value given.
        value: String,
        /// The expected value.
        reason: String,
        /// The setting's documentation.
        doc: String,
    },
}

/// Reads settings from a table; omitted settings take their defaults.
///
/// Messages put `prefix` before the keys, for example `training.`.
///
/// # Errors
/// [`SettingsError`].
pub fn parse<C: DeserializeOwned + Documented>(
    owner: &str,
    prefix: &str,
    table: &Table,
) -> Result<C, SettingsError> {
    let mut table = table.clone();
    for (key, value) in &mut table {
        let Some(doc) = C::field(key) else {
            let names = || C::FIELDS.iter().map(|(name, _)| *name);
            return Err(SettingsError::Unknown {
                owner: owner.to_owned(),
                key: format!("{prefix}{key}"),
                suggestion: nearest(key, names()).map(|name| format!("{prefix}{name}")),
                known: names().collect::<Vec<_>>().join(", "),
            });
        };
        // One by one, because an error of the whole table does not always name the key.
        let read = |value: &Value| Table::from_iter([(key.clone(), value.clone())]).try_into::<C>();
        if read(value).is_ok() {
            continue;
        }
        let whole = whole_numbers(value.clone());
        let Err(error) = read(&whole) else {
            *value = whole;
            continue;
        };
        let spelling = value.as_str().and_then(misspelt_boolean).unwrap_or_default();
        let value = escape_name(&value.to_string()).into_owned();
        let reason = format!("{}{spelling}", in_plain_words(error.message()));
        let (key, doc) = (format!("{prefix}{key}"), doc.to_owned());
        return Err(SettingsError::Invalid { key, value, reason, doc });
    }
    table.clone().try_into().map_err(|error: toml::de::Error| SettingsError::Invalid {
        key: owner.to_owned(),
        value: table.to_string(),
        reason: in_plain_words(error.message()),
        doc: String::new(),
    })
}

/// Converts whole floats to integers: 1e4 is accepted as a count.
pub(crate) fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Float(number) => whole_number(number).map_or(Value::Float(number), Value::Integer),
        Value::Array(values) => values.into_iter().map(whole_numbers).collect::<Vec<_>>().into(),
        Value::Table(table) => {
            Value::Table(table.into_iter().map(|(key, x)| (key, whole_numbers(x))).collect())
        }
        other => other,
    }
}

/// Converts settings to a table.
///
/// # Panics
/// If the settings are not plain data: a bug of their author.
#[must_use]
pub fn to_table<C: Serialize>(settings: &C) -> Table {
    Table::try_from(settings).expect("settings are plain data that TOML can hold")
}

/// Reads `key=value`, with the value in TOML or written as `.5`. Other values are read as text.
///
/// # Errors
/// A message if there is no `=` or no key.
pub fn parse_assignment(text: &str) -> Result<(String, Value), String> {
    let (key, value) = text.split_once('=').ok_or_else(|| {
        format!("`{text}` sets nothing: expected key=value, for example `alpha=0.1`")
    })?;
    let key = key.trim();
    if key.is_empty() || key.split('.').any(str::is_empty) {
        return Err(format!("`{text}` has no key: expected key=value, for example `alpha=0.1`"));
    }
    // Anything else is text: one part, a path for example.
    if value.trim_start().starts_with(['{', '[']) {
        check_depth(value)
            .map_err(|reason| format!("the value of {key} {reason}: set its keys one by one"))?;
    }
    let read = read_toml(value).or_else(|| read_toml(&with_leading_zeros(value)));
    Ok((key.to_owned(), read.unwrap_or_else(|| Value::String(value.trim().to_owned()))))
}

/// The maximum depth: settings are never deeper, and functions on nested tables recurse.
const MAX_DEPTH: usize = 16;
/// The maximum length of a key in a message.
const MAX_SHOWN: usize = 60;

fn read_toml(value: &str) -> Option<Value> {
    let table = toml::from_str::<Table>(&format!("v = {value}")).ok();
    table.filter(|table| table.len() == 1).and_then(|mut table| table.remove("v"))
}

/// Writes `.5` as `0.5`, which TOML requires.
fn with_leading_zeros(text: &str) -> String {
    let mut complete = String::with_capacity(text.len() + 1);
    let mut before = ' ';
    for character in text.chars() {
        if character == '.' && matches!(before, ' ' | '+' | '-' | '[' | ',' | '=' | '{') {
            complete.push('0');
        }
        complete.push(character);
        before = character;
    }
    complete
}

/// Checks that no table of a TOML text is deeper than [`MAX_DEPTH`], including braces and dotted
/// keys: the parser allows eighty tables with keys of eighty parts, and dropping them recurses.
///
/// # Errors
/// The excess, as the end of a sentence.
pub(crate) fn check_depth(text: &str) -> Result<(), String> {
    let (mut open, mut parts) = (0_usize, 1_usize);
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => string_length(rest, character),
            _ => character.len_utf8(),
        };
        match character {
            '{' | '[' => (open, parts) = (open + 1, 1),
            '}' | ']' => (open, parts) = (open.saturating_sub(1), 1),
            '.' => parts += 1,
            '=' | ',' | '\n' => parts = 1,
            _ => {}
        }
        if open > MAX_DEPTH {
            return Err(format!("has more than {MAX_DEPTH} tables or lists inside each other"));
        }
        if parts > MAX_DEPTH {
            return Err(format!("has a key of more than {MAX_DEPTH} parts"));
        }
        rest = &rest[length..];
    }
    Ok(())
}

/// Returns the length in bytes of the TOML string that a text begins with, including its quotes:
/// `"…"`, `\'…\'`, or three of them, which may span several lines.
fn string_length(text: &str, quote: char) -> usize {
    let three = quote.to_string().repeat(3);
    let (delimiter, is_multi_line) = match text.starts_with(&three) {
        true => (three.as_str(), true),
        false => (&three[..1], false),
    };
    let mut at = delimiter.len();
    while let Some(character) = text[at..].chars().next() {
        if text[at..].starts_with(delimiter) {
            return at + delimiter.len();
        }
        if character == '\n' && !is_multi_line {
            return at;
        }
        at += character.len_utf8();
        if character == '\\' && quote == '"' {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    at
}

/// Sets `path` (at most 16 names joined by dots) in a table and creates tables on the way.
///
/// # Errors
/// A message if a value is in the way or the path is longer.
pub fn set(table: &mut Table, path: &str, value: Value) -> Result<(), String> {
    let depth = path.split('.').count();
    if depth > MAX_DEPTH {
        let start: String = path.chars().take(MAX_SHOWN).collect();
        return Err(format!("`{start}…` has {depth} parts: expected at most {MAX_DEPTH}"));
    }
    set_below(table, path, value)
}

fn set_below(table: &mut Table, path: &str, value: Value) -> Result<(), String> {
    let Some((first, rest)) = path.split_once('.') else {
        table.insert(path.to_owned(), value);
        return Ok(());
    };
    let inner = table.entry(first.to_owned()).or_insert_with(|| Table::new().into());
    match inner {
        Value::Table(inner) => set_below(inner, rest, value),
        other => Err(format!("`{first}` is {other} and has no `{rest}`: set {first} as a whole")),
    }
}

#[cfg(test)]
mod tests {
    use gymnast_tabular::QLearningConfig;

    use super::*;

    fn read(text: &str) -> Result<QLearningConfig, SettingsError> {
        parse("q-learning", "", &toml::from_str(text).unwrap())
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = read("alpa = 0.1").unwrap_err().to_string();
        assert!(error.contains("`alpa`") && error.contains("`alpha`"), "{error}");
    }

    #[test]
    fn a_value_of_another_type_names_key_value_and_range() {
        let error = read("gamma = \"high\"").unwrap_err().to_string();
        for part in ["gamma", "\"high\"", "[-1, 1]"] {
            assert!(error.contains(part), "{error}");
        }
        let error = read("alpha = { to = 1 }").unwrap_err().to_string();
        assert!(error.contains("until"), "{error}");
        assert_eq!(read("alpha = 1").unwrap().alpha, 1.0.into());
    }

    #[test]
    fn a_whole_float_is_a_count_where_one_is_expected() {
        let training = |text: &str| {
            parse::<gymnast_harness::Training>("training", "", &toml::from_str(text).unwrap())
        };
        let read = training("env_steps = 1e4\nnum_envs = 2.0\nstop_at = 5.0").unwrap();
        assert_eq!((read.env_steps, read.num_envs, read.stop_at), (10_000, 2, Some(5.0)));
        for text in
            ["env_steps = 1.5e0", "env_steps = -1e4", "env_steps = 1e300", "env_steps = nan"]
        {
            let error = training(text).unwrap_err().to_string();
            assert!(error.contains("env_steps = "), "{error}");
            assert!(error.contains("expected a whole number from 0 on, got"), "{error}");
        }
        // Not to be told from 9007199254740992: refused, not rounded.
        let error = training("env_steps = 9007199254740993.0").unwrap_err().to_string();
        assert!(error.contains("write all its digits"), "{error}");
        let exact = training("env_steps = 9007199254740993").unwrap();
        assert_eq!(exact.env_steps, 9_007_199_254_740_993);
        assert_eq!(read_alpha("alpha = 1.0"), 1.0.into());
    }

    #[test]
    fn a_misspelt_boolean_is_told_the_spelling() {
        let table = toml::from_str("prioritized = \"False\"").unwrap();
        let error = parse::<Switch>("agent", "", &table).unwrap_err().to_string();
        let part = "expected true or false, got the text \"False\", write false";
        assert!(error.contains(part), "{error}");
    }

    gymnast_envs::documented! {
        /// Settings of a test.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Switch {
            /// Whether.
            pub prioritized: bool,
        }
    }

    fn read_alpha(text: &str) -> gymnast_harness::Schedule {
        read(text).unwrap().alpha
    }

    #[test]
    fn assignments_are_toml_or_text() {
        let value = |text: &str| parse_assignment(text).unwrap().1;
        assert_eq!(value("a=0.5"), Value::Float(0.5));
        assert_eq!((value("a=.5"), value("a=-.5e1")), (Value::Float(0.5), Value::Float(-5.0)));
        assert_eq!(value("a={to=.5}")["to"], Value::Float(0.5));
        assert_eq!(value("a=[.5, 1]")[0], Value::Float(0.5));
        assert_eq!(value("a=.5x"), Value::String(".5x".into()));
        assert_eq!(value("a=\" .5\""), Value::String(" .5".into()));
        assert_eq!(value("a = 8x8"), Value::String("8x8".into()));
        assert_eq!(value("a=1\nb=2"), Value::String("1\nb=2".into()));
        assert!(value("a={from=1.0,to=0.1}").is_table());
        assert!(parse_assignment("alpha").is_err() && parse_assignment("=1").is_err());
    }

    #[test]
    fn a_path_goes_into_tables() {
        let mut table: Table = toml::from_str("epsilon = { from = 1.0, to = 0.1 }\nb = 1").unwrap();
        set(&mut table, "epsilon.to", Value::Float(0.5)).unwrap();
        assert_eq!(table["epsilon"]["to"], Value::Float(0.5));
        assert!(set(&mut table, "b.c", Value::Float(0.5)).is_err());
    }

    #[test]
    fn tables_within_tables_are_read_or_refused() {
        let nested = |tables, parts| {
            let open = format!("{{{}=", vec!["a"; parts].join("."));
            format!("a={}1{}", open.repeat(tables), "}".repeat(tables))
        };
        assert!(parse_assignment(&nested(16, 16)).is_ok());
        for (tables, parts) in [(17, 1), (1, 17), (78, 79)] {
            let message = parse_assignment(&nested(tables, parts)).unwrap_err();
            assert!(message.contains("more than 16"), "{message}");
        }
        let dots = ".".repeat(99);
        assert_eq!(
            check_depth(&format!("# {dots}\na = '{dots}' # {{{{\nb = \"\\\"{dots}\"")),
            Ok(())
        );
        for quotes in ["\"\"\"", "\'\'\'"] {
            assert_eq!(check_depth(&format!("a = {quotes}\n{dots}\n{quotes}")), Ok(()));
        }
        let path = "../".repeat(40);
        assert_eq!(
            parse_assignment(&format!("a={path}x")).unwrap().1.as_str().unwrap(),
            format!("{path}x")
        );
        assert!(check_depth(&format!("a = '{dots}'\n{}b = 1", "b.".repeat(16))).is_err());
    }

    #[test]
    fn a_path_of_any_length_is_set_or_refused() {
        for (parts, is_set) in [(16, true), (17, false), (60_000, false), (1_000_000, false)] {
            let result = set(&mut Table::new(), &vec!["a"; parts].join("."), Value::Float(0.5));
            assert_eq!(result.is_ok(), is_set, "{parts}");
            assert!(result.err().is_none_or(|message| message.len() < 200), "{parts}");
        }
    }
}
