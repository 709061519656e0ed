use std::fmt::Debug;

use gymnast_envs::{
    Discrete, Env, EnvError, EnvOptions, EnvSpec, Registry, Restored, Rng, Seed, Space, Step,
    SyncVectorEnv, ToIndex, ToRow, VectorEnv, VectorSnapshot, each_kind,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::any_json;

type Vector<O, A> = Box<dyn VectorEnv<O, A>>;

/// Plays with random actions and tells all that happens.
fn play<O: Space, A: Space>(envs: &mut Vector<O, A>, rng: &mut Rng, steps: usize) -> Vec<String> {
    let space = envs.action_space().clone();
    let mut told = vec![];
    for _ in 0..steps {
        let actions: Vec<_> = (0..envs.num_envs()).map(|_| space.sample(rng)).collect();
        let experience = format!("{:?}", envs.step(&actions).unwrap());
        told.push(format!("{experience} {:?} {:?}", envs.observations(), envs.render_ansi(0)));
    }
    told
}

fn through_text(snapshot: &VectorSnapshot) -> VectorSnapshot {
    serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap()
}

/// Snapshots of older versions hold observations as the environment has them, whatever the vector shows.
#[test]
fn an_older_snapshot_is_taken_up_by_a_vector_whose_types_are_erased() {
    let walk = Discrete::with_start(7, -3).unwrap();
    let line = || SyncVectorEnv::new(vec![Line(walk, 0); 2], Seed::new(0)).unwrap();
    let mut typed = line();
    typed.reset().unwrap();
    typed.step(&[0, 1]).unwrap();
    assert_eq!(typed.observations(), [-1, 1]);
    let mut older = serde_json::to_value(typed.save()).unwrap();
    older.as_object_mut().unwrap().remove("is_as_shown").unwrap();
    let older: VectorSnapshot = serde_json::from_value(older).unwrap();
    let (mut rows, mut indices) =
        (line().erased::<ToRow, ToIndex>(), line().erased::<ToIndex, ToIndex>());
    rows.restore(&older).unwrap();
    indices.restore(&older).unwrap();
    assert_eq!(rows.observations()[0], [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    assert_eq!(indices.observations(), [2, 4]);
    // Its own are read as they were shown.
    let mut again = line().erased::<ToIndex, ToIndex>();
    again.restore(&through_text(&indices.save())).unwrap();
    assert_eq!(again.observations(), [2, 4]);
}

/// A walk on a line, to the left or right.
#[derive(Clone)]
struct Line(Discrete, i64);

impl Env for Line {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        self.0
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        self.1 = 0;
        Ok(0)
    }

    fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        self.1 += 2 * action - 1;
        Ok(Step::new(self.1, 0.0, false))
    }

    fn save(&self) -> Option<Value> {
        Some(self.1.into())
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        self.1 = snapshot.as_i64().expect("the tests save it");
        Ok(())
    }
}

/// A vector that stops in mid-episode goes on as one that does not.
fn resumes<O, A>(make: &dyn Fn() -> Option<Result<Vector<O, A>, EnvError>>, steps: usize)
where
    O: Space,
    A: Space,
{
    let Some(made) = make() else { return };
    let mut envs = made.unwrap();
    envs.reset().unwrap();
    let mut rng = Seed::new(1).rng();
    play(&mut envs, &mut rng, steps);
    let snapshot = through_text(&envs.save());
    let mut twin = make().unwrap().unwrap();
    assert_eq!(twin.restore(&snapshot).unwrap(), Restored::Exactly);
    assert_eq!(format!("{:?}", twin.observations()), format!("{:?}", envs.observations()));
    assert_eq!(play(&mut twin, &mut rng.clone(), 60), play(&mut envs, &mut rng, 60));
}

/// A snapshot in which something was changed is refused, or leaves environments that work.
fn survives<O, A>(
    make: &dyn Fn() -> Option<Result<Vector<O, A>, EnvError>>,
    change: &dyn Fn(&mut Value),
) where
    O: Space<Element: Debug>,
    A: Space,
{
    let Some(made) = make() else { return };
    let mut envs = made.unwrap();
    envs.reset().unwrap();
    let mut rng = Seed::new(1).rng();
    play(&mut envs, &mut rng, 5);
    let mut snapshot = serde_json::to_value(envs.save()).unwrap();
    change(&mut snapshot["envs"][0]);
    let Ok(snapshot) = serde_json::from_value(snapshot) else { return };
    if envs.restore(&snapshot).is_ok() {
        let space = envs.action_space().clone();
        for _ in 0..5 {
            let actions: Vec<_> = (0..envs.num_envs()).map(|_| space.sample(&mut rng)).collect();
            let _ = envs.render_ansi(0);
            // An error will do.
            let _ = envs.step(&actions);
        }
        let _ = envs.render_rgb(0);
    }
}

/// Puts `json` in the place of one leaf of `value`, the `index`-th.
fn replace_leaf(value: &mut Value, index: &mut usize, json: &Value) {
    match value {
        Value::Array(parts) => {
            parts.iter_mut().for_each(|part| replace_leaf(part, index, json));
        }
        Value::Object(parts) => {
            parts.values_mut().for_each(|part| replace_leaf(part, index, json));
        }
        leaf => {
            if *index == 0 {
                *leaf = json.clone();
            }
            *index = index.wrapping_sub(1);
        }
    }
}

/// Every registered environment, those that tables serve as numbers and as rows.
fn for_each(check: impl Fn(&EnvSpec)) {
    Registry::builtin().iter().for_each(check);
}

const SEED: fn() -> Seed = || Seed::new(0);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn every_environment_resumes_in_mid_episode(seed in any::<u64>(), steps in 0..120_usize) {
        // A limit so low that the count of steps matters too.
        let (seed, options) = (Seed::new(seed), EnvOptions::none().with("max_episode_steps", 40));
        for_each(|spec| {
            each_kind!(kind => resumes(&|| spec.vector(kind, 2, seed, &options), steps));
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_snapshot_makes_an_environment_panic(json in any_json(), leaf in 0..8_usize) {
        let none = EnvOptions::none();
        let replace = |snapshot: &mut Value| replace_leaf(snapshot, &mut leaf.clone(), &json);
        let whole = |snapshot: &mut Value| *snapshot = json.clone();
        let inner = |snapshot: &mut Value| snapshot["env"] = json.clone();
        for_each(|spec| {
            for change in [&replace as &dyn Fn(&mut Value), &whole, &inner] {
                each_kind!(kind => survives(&|| spec.vector(kind, 1, SEED(), &none), change));
            }
        });
    }
}
