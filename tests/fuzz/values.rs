//! Values of JSON and TOML, made up and changed.

use serde_json::{Map, Value};

use super::source::Source;

/// Numbers at the edges of what types hold, and one beyond.
const WHOLE: [i64; 12] =
    [-1, 0, 1, 2, 3, 64, 1_000, 65_536, u32::MAX as i64, 1 << 53, i64::MAX, i64::MIN];
const NAMES: [&str; 12] = [
    "",
    "NaN",
    "inf",
    "-inf",
    "True",
    "8x8",
    "random",
    "nips",
    "minimax",
    "1e4",
    "Terminated",
    "a.b",
];

/// Any value of JSON, not deep.
pub(super) fn any_json(source: &mut Source, depth: usize) -> Value {
    let parts = if depth == 0 { 6 } else { 9 };
    match source.up_to(parts) {
        0 => Value::Null,
        1 => source.one_in(2).into(),
        2 | 3 => source.pick(&WHOLE).into(),
        4 => source.number().into(),
        5 => source.u64().into(),
        6 if source.one_in(2) => source.pick(&NAMES).into(),
        6 => source.text().into(),
        7 => (0..source.length().min(12)).map(|_| any_json(source, depth - 1)).collect(),
        8 => vec![any_json(source, 0); source.up_to(5)].into(),
        _ => {
            let keys = ["from", "to", "until", "decay_to", "state", "env", "left", "n"];
            let entry = |_| (source.pick(&keys).to_owned(), any_json(source, depth - 1));
            Value::Object((0..3).map(entry).collect::<Map<_, _>>())
        }
    }
}

/// Changes a few parts of a value, anywhere in it.
pub(super) fn change_json(source: &mut Source, value: &mut Value) {
    for _ in 0..1 + source.up_to(2) {
        change_one(source, value);
    }
}

fn change_one(source: &mut Source, value: &mut Value) {
    match value {
        Value::Array(parts) if !parts.is_empty() && !source.one_in(8) => {
            let at = source.up_to(parts.len() - 1);
            match source.up_to(9) {
                0 => drop(parts.remove(at)),
                1 => parts.push(parts[at].clone()),
                _ => change_one(source, &mut parts[at]),
            }
        }
        Value::Object(parts) if !parts.is_empty() && !source.one_in(8) => {
            let keys: Vec<String> = parts.keys().cloned().collect();
            let key = source.pick(&keys);
            match source.up_to(9) {
                0 => drop(parts.remove(&key)),
                1 => drop(parts.insert(source.text(), any_json(source, 1))),
                _ => change_one(source, &mut parts[&key]),
            }
        }
        value if source.one_in(3) => *value = any_json(source, 2),
        // What has the type may be accepted, and is then worked with.
        Value::Number(number) if number.is_f64() => *value = near(source, number.as_f64()).into(),
        Value::Number(number) => {
            let number = number.as_i64().unwrap_or_default();
            *value = near_whole(source, number).into();
        }
        Value::Bool(is) => *is = !*is,
        value => *value = source.pick(&NAMES).into(),
    }
}

fn near(source: &mut Source, number: Option<f64>) -> f64 {
    let number = number.unwrap_or_default();
    let share = source.share();
    source.pick(&[number - 1.0, number + 1e-9, number * 0.5, -number, share, share])
}

fn near_whole(source: &mut Source, number: i64) -> i64 {
    let few = source.up_to(9) as i64;
    let whole = source.pick(&WHOLE);
    source.pick(&[number.saturating_sub(1), number.saturating_add(1), number / 2, few, few, whole])
}

/// Changes a few parts of a table of TOML. Some numbers become what JSON lacks.
pub(super) fn change_toml(source: &mut Source, table: &mut toml::Table) {
    for _ in 0..1 + source.up_to(2) {
        change_one_toml(source, table);
    }
}

fn change_one_toml(source: &mut Source, table: &mut toml::Table) {
    let keys: Vec<String> = table.keys().cloned().collect();
    if keys.is_empty() || source.one_in(12) {
        table.insert(source.text(), any_toml(source));
        return;
    }
    let key = source.pick(&keys);
    match &mut table[&key] {
        toml::Value::Table(inner) if !source.one_in(20) => change_one_toml(source, inner),
        _ if source.one_in(10) => drop(table.remove(&key)),
        value if source.one_in(3) => *value = any_toml(source),
        toml::Value::Float(number) => *number = near(source, Some(*number)),
        toml::Value::Integer(number) => *number = near_whole(source, *number),
        toml::Value::Boolean(is) => *is = !*is,
        toml::Value::Array(parts) if !parts.is_empty() => {
            let at = source.up_to(parts.len() - 1);
            parts[at] = any_toml(source);
        }
        value => *value = source.pick(&NAMES).into(),
    }
}

fn any_toml(source: &mut Source) -> toml::Value {
    if source.one_in(4) {
        return source.number().into();
    }
    // TOML has no null: what holds one becomes a date.
    let value = toml::Value::try_from(any_json(source, 2)).ok();
    let date = || toml::Value::Datetime("1979-05-27T07:32:00Z".parse().expect("a date"));
    value.unwrap_or_else(date)
}
