//! What holds for every space, vector and snapshot, whatever the numbers.

mod snapshots;
mod spaces;
mod together;
mod vectors;

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Any JSON, a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3..40_i64).prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof!["inf", "-inf", "NaN", ".{0,6}"].prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("(left|right|env|state|[a-z]{0,3})", inner), 0..5)
                .prop_map(|pairs| Value::Object(Map::from_iter(pairs))),
        ]
    })
}
