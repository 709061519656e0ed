//! Environments whose spaces are the fault.

use gymnast_envs::{
    Act, BoxSpace, Check, Discrete, Env, EnvError, MultiDiscrete, Obs, Rng, RowSpace, Severity,
    Space, SpaceDescription, SpaceError, Step, check_env,
};
use serde_json::{Value, json};

use crate::found;

/// A box that does not check its bounds, nor what it samples.
#[derive(Clone, Debug)]
struct Loose([f32; 2]);

impl Space for Loose {
    type Element = f32;

    fn contains(&self, x: &f32) -> bool {
        self.0[0] <= *x && *x <= self.0[1]
    }

    fn admits(&self, x: &f32) -> bool {
        x.is_finite()
    }

    fn sample(&self, _rng: &mut Rng) -> f32 {
        0.5
    }

    fn describe(&self) -> SpaceDescription {
        let [low, high] = self.0;
        SpaceDescription::Box { low: vec![low], high: vec![high], shape: vec![1] }
    }

    fn to_jsonable(&self, x: &f32) -> Value {
        json!([x])
    }

    fn from_jsonable(&self, value: &Value) -> Result<f32, SpaceError> {
        let x = value[0].as_f64().filter(|x| self.contains(&(*x as f32)));
        let reason = || SpaceError::Invalid { space: "Loose", reason: value.to_string() };
        x.map(|x| x as f32).ok_or_else(reason)
    }
}

/// Shows what the space samples, whatever is done.
struct Still<O: Space, A: Space>(O, A);

impl<O: Space, A: Space> Env for Still<O, A> {
    type ObservationSpace = O;
    type ActionSpace = A;

    fn observation_space(&self) -> O {
        self.0.clone()
    }

    fn action_space(&self) -> A {
        self.1.clone()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError> {
        Ok(self.0.sample(rng))
    }

    fn step(&mut self, _: &Act<Self>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError> {
        Ok(Step::new(self.0.sample(rng), 0.0, true))
    }
}

#[test]
fn bounds_that_make_no_sense_are_named() {
    let look = |low: f32, high: f32| {
        let report = check_env(|| Ok(Still(Loose([low, high]), Discrete::new(2))));
        let of = |severity| found(&report, severity, Check::SpaceBounds);
        (of(Severity::Error), of(Severity::Warning))
    };
    assert!(
        look(1.0, -1.0).0.contains("component 0 of the observation space lies between 1 and -1")
    );
    assert!(look(f32::NAN, 1.0).0.contains("nothing lies in the space"));
    assert!(look(0.5, 0.5).1.contains("always the same"));
    assert!(look(f32::MIN, f32::MAX).1.contains("f32::INFINITY"));
    assert_eq!(look(-4.8, f32::INFINITY), (String::new(), String::new()));
}

#[test]
fn a_space_that_does_not_contain_its_samples_is_an_error() {
    let report = check_env(|| Ok(Still(Loose([1.0, 2.0]), Discrete::new(2))));
    assert!(found(&report, Severity::Error, Check::SpaceSamples).contains("sampled 0.5"));
}

#[test]
fn actions_are_best_between_minus_one_and_one() {
    let look = |low: f32, high: f32| {
        let actions = (Discrete::new(2), BoxSpace::new([low], [high]).unwrap());
        let report = check_env(|| Ok(Still(Discrete::new(3), actions)));
        found(&report, Severity::Warning, Check::SpaceBounds)
    };
    assert!(look(-2.0, 2.0).contains("component 0 of part 1 of the action space"));
    assert!(look(-0.5, 1.0).contains("RescaleAction"));
    assert!(look(0.0, f32::INFINITY).contains("how large an action may be"));
    assert!(look(-1.0, 1.0).is_empty() && look(0.0, 1.0).is_empty());
}

#[test]
fn actions_outside_other_spaces_are_tried_where_their_type_can_hold_them() {
    let several = MultiDiscrete::new([2, 3]).unwrap();
    let report = check_env(|| Ok(Still(Discrete::new(3), several)));
    let text = found(&report, Severity::Error, Check::OutsideActions);
    assert!(text.contains("`step` accepted [2, 3]"), "{report}");
    let pair = (Discrete::new(2), Discrete::new(2));
    let report = check_env(|| Ok(Still(Discrete::new(3), pair)));
    assert!(!report.checks_run.contains(&Check::OutsideActions), "{report}");
}

/// Shows the action itself: fine where it is clipped, not where it is NaN.
struct Echo;

impl Env for Echo {
    type ObservationSpace = RowSpace;
    type ActionSpace = RowSpace;

    fn observation_space(&self) -> RowSpace {
        RowSpace::new(vec![-1.0; 2], vec![1.0; 2], vec![2]).unwrap()
    }

    fn action_space(&self) -> RowSpace {
        self.observation_space()
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        Ok(vec![0.0; 2])
    }

    fn step(&mut self, action: &Vec<f32>, _rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        let clipped = action.iter().map(|x| x.clamp(-1.0, 1.0)).collect();
        Ok(Step::new(clipped, 0.0, true))
    }
}

#[test]
fn boxes_may_clip_but_not_let_nan_through() {
    let report = check_env(|| Ok(Echo));
    let text = found(&report, Severity::Error, Check::OutsideActions);
    assert!(text.contains("accepted [NaN, NaN]"), "{report}");
}
