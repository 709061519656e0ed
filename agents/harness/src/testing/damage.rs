//! Checkpoints whose sums are right and whose contents are not.

use gymnast_envs::{Space, catch_panic};
use serde_json::{Value, json};

use super::drive::drive;
use crate::{AgentError, Number, Plan, Setup, StateDict, TrainError, Training};

/// The env steps that an agent takes after a state that it accepted.
const FURTHER_STEPS: u64 = 50;
/// The most numbers of one value that are changed: of the first, the middle and the last ones a third each.
const MOST_PLACES: usize = 9;

/// Asserts that an agent survives invalid states: each value and each array of the state after
/// `env_steps` env steps is changed in turn (numbers out of range, other lengths, NaN, negative and
/// huge ones). Either loading returns an error, or the agent takes 50 more env steps without a
/// panic.
///
/// # Panics
/// If it panics, naming the entries; if the unchanged state is rejected.
pub fn assert_survives_damage<O: Space, A: Space>(
    make: impl Fn(&Plan) -> Result<Setup<O, A>, TrainError>,
    training: &Training,
    env_steps: u64,
) {
    let plan = training.plan(5);
    let fresh = || {
        let mut setup = make(&plan).expect("the agent can be made");
        setup.envs.reset().expect("the environments can be reset");
        setup
    };
    let rng = || plan.seed.child("policy", 0).rng();
    let go_on = |setup: &mut Setup<O, A>| {
        let until = training.env_steps.min(env_steps + FURTHER_STEPS);
        drive(setup, &mut rng(), env_steps, until)
    };
    let mut setup = fresh();
    drive(&mut setup, &mut rng(), 0, env_steps).expect("the training goes on");
    let mut valid = StateDict::new();
    setup.agent.save(&mut valid).expect("the agent can be saved");
    let mut setup = fresh();
    setup.agent.load(&valid).expect("the state is its own");
    go_on(&mut setup).expect("the training goes on");

    let (mut panics, mut refused) = (Vec::new(), 0);
    for (change, state) in damaged(&valid) {
        let result = catch_panic(|| {
            let mut setup = fresh();
            match setup.agent.load(&state) {
                Err(error) => drop((error.to_string(), refused += 1)),
                Ok(()) => return go_on(&mut setup),
            }
            Ok(())
        });
        match result {
            Err(message) => panics.push(format!("{change}: {message}")),
            Ok(Err(error @ AgentError::Worker { .. })) => panics.push(format!("{change}: {error}")),
            Ok(_) => {}
        }
    }
    assert!(refused > 0, "no damaged state was refused");
    assert!(panics.is_empty(), "{} states panic:\n{}", panics.len(), panics.join("\n"));
}

/// The state with one change each, and what that is.
fn damaged(state: &StateDict) -> Vec<(String, StateDict)> {
    let mut all = Vec::new();
    let names: Vec<String> = state.value_names().map(str::to_owned).collect();
    for name in &names {
        let value: Value = state.get(name).expect("the value is there");
        for changed in damaged_values(&value) {
            let mut copy = state.clone();
            copy.insert(name, &changed).expect("JSON can be written");
            let shown: String = changed.to_string().chars().take(80).collect();
            all.push((format!("{name} = {shown}"), copy));
        }
    }
    let arrays: Vec<String> = state.array_names().map(str::to_owned).collect();
    for name in &arrays {
        damage_floats::<f32>(state, name, &mut all);
        damage_floats::<f64>(state, name, &mut all);
        damage_array(state, name, &[i64::MIN, -1, 0, 1, 1_000, i64::MAX], &mut all);
        damage_array(state, name, &[0_u8, 1, 2, 254, u8::MAX], &mut all);
        damage_array(state, name, &[0_u32, 1, 2, 1_000, u32::MAX - 1, u32::MAX], &mut all);
        damage_array(state, name, &[0_u64, 1, 1_000, 1 << 53, u64::MAX], &mut all);
    }
    for name in names.iter().chain(&arrays) {
        let mut copy = state.clone();
        copy.remove(name);
        all.push((format!("{name} is missing"), copy));
    }
    all
}

fn damage_floats<T: Number + From<f32>>(
    state: &StateDict,
    name: &str,
    all: &mut Vec<(String, StateDict)>,
) {
    let numbers = [f32::NAN, f32::INFINITY, -1.0, 0.0, 0.5, 7.0, 1e30, -1e30];
    damage_array(state, name, &numbers.map(T::from), all);
}

/// An array of that type, with its first and its last number changed, and in other shapes.
fn damage_array<T: Number>(
    state: &StateDict,
    name: &str,
    candidates: &[T],
    all: &mut Vec<(String, StateDict)>,
) {
    let Ok((shape, numbers)) = state.array_of_any_shape::<T>(name) else { return };
    let mut push = |change: String, shape: &[usize], numbers: &[T]| {
        let mut copy = state.clone();
        copy.insert_array(name, shape, numbers);
        all.push((format!("{name} {change}"), copy));
    };
    let last = numbers.len().saturating_sub(1);
    let mut places = vec![0, last];
    places.dedup();
    for place in places.into_iter().filter(|&place| place < numbers.len()) {
        for (i, &candidate) in candidates.iter().enumerate() {
            let mut changed = numbers.clone();
            changed[place] = candidate;
            push(format!("with candidate {i} at place {place}"), &shape, &changed);
        }
    }
    let row: usize = shape.iter().skip(1).product();
    if let Some((&rows, rest)) = shape.split_first() {
        let with = |rows: usize| [&[rows], rest].concat();
        let fill = candidates[0];
        push("with a row more".into(), &with(rows + 1), &[&numbers[..], &vec![fill; row]].concat());
        if rows > 0 {
            push("with a row less".into(), &with(rows - 1), &numbers[..(rows - 1) * row]);
            push("empty".into(), &with(0), &[]);
        }
    }
    push("of two dimensions more".into(), &[&shape[..], &[1, 1]].concat(), &numbers);
}

/// A value with one change each, anywhere in it.
fn damaged_values(value: &Value) -> Vec<Value> {
    let mut all = vec![Value::Null, json!([]), json!({}), json!("x"), json!(-1)];
    let mut places = Vec::new();
    collect_places(value, String::new(), &mut places);
    let third = MOST_PLACES / 3;
    if places.len() > MOST_PLACES {
        let (middle, end) = (places.len() / 2, places.len());
        let kept = [0..third, middle..middle + third, end - third..end];
        places = kept.into_iter().flat_map(|range| places[range].to_vec()).collect();
    }
    for place in places {
        let found = value.pointer(&place).expect("the place is there");
        for replacement in replacements(found) {
            let mut copy = value.clone();
            *copy.pointer_mut(&place).expect("the place is there") = replacement;
            all.push(copy);
        }
    }
    all
}

/// JSON pointers to everything in a value, itself included.
fn collect_places(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                collect_places(item, format!("{place}/{i}"), places);
            }
        }
        Value::Object(entries) => {
            for (key, item) in entries {
                collect_places(item, format!("{place}/{key}"), places);
            }
        }
        _ => {}
    }
    places.push(place);
}

/// What may stand in the place of a value.
fn replacements(value: &Value) -> Vec<Value> {
    match value {
        Value::Number(_) => {
            let numbers = [0, 1, 2, 1_000, u64::from(u32::MAX), (1 << 53) + 1, u64::MAX];
            let mut all: Vec<Value> = numbers.map(Value::from).to_vec();
            all.extend([json!(-1), json!(0.5), json!(1e300), json!(-1e300), Value::Null]);
            all
        }
        Value::Bool(is) => vec![json!(!is)],
        Value::Array(items) => {
            let longer = items.iter().chain(items.last()).cloned().collect();
            let shorter = items[..items.len().saturating_sub(1)].to_vec();
            vec![Value::Array(longer), Value::Array(shorter), json!([0]), json!([u64::MAX])]
        }
        Value::Null => vec![json!(0), json!(1_000), json!([0, 0, 0.0]), json!([1_000, 1_000, 0.0])],
        Value::String(text) => vec![json!(format!("{text}x")), json!("terminated")],
        Value::Object(entries) => {
            let mut fewer = entries.clone();
            let first = fewer.keys().next().cloned();
            first.map(|key| fewer.remove(&key));
            vec![Value::Object(fewer)]
        }
    }
}
