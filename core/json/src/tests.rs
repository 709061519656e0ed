use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::*;

/// Every place where a number may stand.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Everywhere {
    alone: f64,
    narrow: f32,
    perhaps: Option<f64>,
    pair: (f64, u64),
    several: Vec<f32>,
    named: BTreeMap<String, (f64, Option<f64>)>,
    one_of: OneOf,
    wrapped: Wrapped,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    omitted: Option<f64>,
    text: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Wrapped(f64);

#[derive(Clone, Debug, Serialize, Deserialize)]
enum OneOf {
    Nothing,
    Number(f64),
    Two(f64, f32),
    Named { x: f64 },
}

fn numbers() -> impl Strategy<Value = f64> {
    let odd = [
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        0.0,
        -0.0,
        f64::MIN_POSITIVE / 8.0,
        f64::MAX,
        f64::MIN,
    ];
    prop_oneof![prop::sample::select(odd.to_vec()), any::<f64>(), any::<f32>().prop_map(f64::from)]
}

fn everywhere() -> impl Strategy<Value = Everywhere> {
    let one_of = (0..4_u8, numbers(), numbers()).prop_map(|(which, x, y)| match which {
        0 => OneOf::Nothing,
        1 => OneOf::Number(x),
        2 => OneOf::Two(x, y as f32),
        _ => OneOf::Named { x },
    });
    let named =
        prop::collection::btree_map("[a-z]{0,3}", (numbers(), prop::option::of(numbers())), 0..3);
    let several = prop::collection::vec(numbers().prop_map(|x| x as f32), 0..4);
    let texts = prop::sample::select(vec!["NaN", "inf", "-inf", "", "null"]);
    (
        (numbers(), numbers(), prop::option::of(numbers()), any::<u64>()),
        named,
        one_of,
        several,
        texts,
    )
        .prop_map(|((alone, narrow, perhaps, count), named, one_of, several, text)| {
            Everywhere {
                alone,
                narrow: narrow as f32,
                perhaps,
                pair: (narrow, count),
                several,
                named,
                one_of,
                wrapped: Wrapped(alone),
                omitted: perhaps,
                text: text.to_owned(),
            }
        })
}

/// Two values are the same where they are written the same way with every bit of their numbers.
#[track_caller]
fn assert_same<T: std::fmt::Debug>(left: &T, right: &T) {
    // `Debug` tells −0 from 0 and one number from the next; all NaNs are one.
    assert_eq!(format!("{left:?}"), format!("{right:?}"));
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    from_slice(text.as_bytes())
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(value in everywhere()) {
        for text in [to_string(&value).unwrap(), to_string_pretty(&value).unwrap()] {
            assert_same(&value, &read(&text).unwrap());
            // As a value too, and through its text.
            let json: Value = serde_json::from_str(&text).unwrap();
            assert_same(&value, &from_value(&json).unwrap());
        }
        assert_same(&value, &from_value(&to_value(&value).unwrap()).unwrap());
    }

    #[test]
    fn finite_numbers_are_what_serde_json_writes(x in any::<f64>(), y in any::<f32>()) {
        prop_assume!(x.is_finite() && y.is_finite());
        let value = (x, y, Some(x), vec![y], BTreeMap::from([("k", OneOf::Named { x })]));
        assert_eq!(to_string(&value).unwrap(), serde_json::to_string(&value).unwrap());
        assert_eq!(to_value(&value).unwrap(), serde_json::to_value(&value).unwrap());
    }
}

#[test]
fn nothing_is_written_as_null_but_nothing() {
    let value = (f64::NAN, f32::INFINITY, None::<f64>, Some(f64::NEG_INFINITY), ());
    assert_eq!(to_string(&value).unwrap(), r#"["NaN","inf",null,"-inf",null]"#);
}

#[test]
fn what_is_no_number_is_an_error() {
    assert!(read::<f64>("null").is_err());
    assert!(read::<f64>("\"nan\"").is_err());
    assert!(read::<u64>("\"inf\"").is_err());
    assert!(read::<f64>("1 2").is_err());
    assert_eq!(read::<String>("\"inf\"").unwrap(), "inf");
    assert_eq!(read::<f64>("3").unwrap(), 3.0);
}
