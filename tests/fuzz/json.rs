//! JSON: texts, and elements of spaces in it.

use std::collections::BTreeMap;

use gymnast::envs::SpaceDescription;
use gymnast::{BoxSpace, Discrete, FeatureSpace, MultiBinary, MultiDiscrete, Seed, envs::RowSpace};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{
    source::Source,
    values::{any_json, change_json},
};

const TEXTS: [&[u8]; 6] = [
    include_bytes!("corpus/json/everything.json"),
    include_bytes!("corpus/json/numbers.json"),
    include_bytes!("corpus/json/deep.json"),
    include_bytes!("corpus/json/surrogates.json"),
    include_bytes!("corpus/json/doubled.json"),
    include_bytes!("corpus/json/empty.json"),
];

#[derive(Debug, Serialize, Deserialize)]
struct Everything {
    alone: f64,
    narrow: Option<f32>,
    pair: (f64, u64),
    several: Vec<f32>,
    named: BTreeMap<String, f64>,
    one_of: OneOf,
    rest: Value,
}

#[derive(Debug, Serialize, Deserialize)]
enum OneOf {
    Nothing,
    Number(f64),
    Named { x: f64 },
}

/// What is read can be written, and reads the same again.
fn again<T: DeserializeOwned + Serialize + std::fmt::Debug>(text: &[u8]) {
    let Ok(value) = gymnast_json::from_slice::<T>(text) else { return };
    let written = gymnast_json::to_string(&value).expect("what was read can be written");
    let read: T = gymnast_json::from_slice(written.as_bytes()).expect("and read again");
    assert_eq!(format!("{value:?}"), format!("{read:?}"));
}

pub(super) fn read(source: &mut Source) {
    let text = source.pick(&TEXTS);
    let text = source.mutated(text);
    again::<Everything>(&text);
    again::<Value>(&text);
    again::<Vec<f64>>(&text);
    again::<BTreeMap<String, Option<f32>>>(&text);
    let value = any_json(source, 3);
    let _ = gymnast_json::from_value::<Everything>(&value);
    let _ = gymnast_json::from_value::<Vec<(f64, u64)>>(&value);
    let _ = serde_json::from_value::<SpaceDescription>(value);
}

/// An element or nonsense is read as an element of the space, or refused.
fn reads<S: FeatureSpace>(space: &S, source: &mut Source) {
    let mut rng = Seed::new(source.u64()).rng();
    let element = space.sample(&mut rng);
    let mut json = space.to_jsonable(&element);
    assert!(space.from_jsonable(&json).is_ok(), "{space:?}: {json} is none of its elements");
    if !source.one_in(8) {
        change_json(source, &mut json);
    }
    if let Ok(element) = space.from_jsonable(&json) {
        assert!(space.contains(&element), "{space:?} does not contain {element:?}");
    }
    if let Ok(element) = space.from_jsonable_unbounded(&json) {
        let mut row = vec![0.0; space.width()];
        space.flatten(&element, &mut row);
        let _ = space.unflatten(&row);
    }
    let numbers = source.about(space.width());
    let _ = space.unflatten(&source.f32s(numbers));
    let _ = (space.describe().to_string(), space.shape(), space.bounds(), space.action_mask());
}

pub(super) fn spaces(source: &mut Source) {
    match source.up_to(4) {
        0 => {
            let n = 1 + source.up_to(9);
            let start = source.pick(&[0, 1, -3, i64::MAX - 20, i64::MIN, i64::MAX]);
            if let Ok(space) = Discrete::with_start(n, start) {
                reads(&space, source);
            }
            let _ = Discrete::with_start(source.count(), start);
        }
        1 => {
            let bounds = [source.f32(), source.f32(), source.f32(), source.f32()];
            let [a, b, c, d] = bounds;
            if let Ok(space) = BoxSpace::new([a, b], [c, d]) {
                reads(&space, source);
            }
        }
        2 => {
            let length = 1 + source.up_to(4);
            let (low, high) = (source.f32s(length), {
                let other = source.about(length);
                source.f32s(other)
            });
            let shape = if source.one_in(3) { source.shape() } else { vec![length] };
            if let Ok(space) = RowSpace::new(low, high, shape) {
                reads(&space, source);
                let (from, to) = (source.count(), source.count());
                if let Ok(space) = space.with_action_mask(from..to) {
                    let _ = space.action_mask();
                }
            }
        }
        3 => {
            let nvec = [1 + source.up_to(4), source.count(), 1 + source.up_to(2)];
            if let Ok(space) = MultiDiscrete::new(nvec)
                && nvec[1] < 1000
            {
                reads(&space, source);
            }
        }
        _ => reads(&MultiBinary::<3>, source),
    }
}
