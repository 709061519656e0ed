//! Every environment that has an original against transitions recorded from it: from Gymnasium's
//! (`tests/traces/record.py`), and from bsuite's and MinAtar's (`record_originals.py`).

use std::{fs::File, io::BufReader, path::Path};

use gymnast_envs::{
    BoxSpace, Env, EnvError, EnvOptions, EnvSpec, Registry, Rng, Step, snapshot, trace,
};
use serde::{Deserialize, Serialize};

fn agrees(id: &str, options: &EnvOptions, name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/traces");
    let file = File::open(folder.join(format!("{name}.jsonl"))).expect("the trace is committed");
    let registry = Registry::builtin();
    let spec = registry.spec(id).unwrap();
    let report = trace::replay(spec, options, BufReader::new(file), spec.tolerance()).unwrap();
    assert!(report.first_disagreement.is_none(), "{id}: {report:#?}");
    assert!(report.lines > 100 && report.agreeing == report.lines, "{id}: {report:?}");
}

macro_rules! traces {
    ($($test:ident: $id:literal $options:expr, $name:literal;)*) => {
        $(#[test] fn $test() { agrees($id, &$options, $name); })*
    };
}

traces! {
    cart_pole_v0: "CartPole-v0" EnvOptions::none(), "CartPole-v1";
    cart_pole: "CartPole-v1" EnvOptions::none(), "CartPole-v1";
    mountain_car: "MountainCar-v0" EnvOptions::none(), "MountainCar-v0";
    mountain_car_continuous: "MountainCarContinuous-v0" EnvOptions::none(), "MountainCarContinuous-v0";
    pendulum: "Pendulum-v1" EnvOptions::none(), "Pendulum-v1";
    acrobot: "Acrobot-v1" EnvOptions::none(), "Acrobot-v1";
    frozen_lake: "FrozenLake-v1" EnvOptions::none(), "FrozenLake-v1";
    frozen_lake_8x8: "FrozenLake8x8-v1" EnvOptions::none(), "FrozenLake8x8-v1";
    frozen_lake_dry: "FrozenLake-v1" EnvOptions::none().with("is_slippery", false), "FrozenLake-v1-dry";
    cliff_walking: "CliffWalking-v1" EnvOptions::none(), "CliffWalking-v1";
    cliff_walking_slippery: "CliffWalkingSlippery-v1" EnvOptions::none(), "CliffWalkingSlippery-v1";
    taxi_v3: "Taxi-v3" EnvOptions::none(), "Taxi-v4";
    taxi: "Taxi-v4" EnvOptions::none(), "Taxi-v4";
    taxi_rainy: "Taxi-v4" EnvOptions::none().with("is_rainy", true), "Taxi-v4-rainy";
    blackjack: "Blackjack-v1" EnvOptions::none(), "Blackjack-v1";
    catch: "Catch-v0" EnvOptions::none(), "Catch-v0";
    deep_sea: "DeepSea-v0" EnvOptions::none().with("randomize_actions", false), "DeepSea-v0-plain";
    breakout: "MinAtarBreakout-v1" EnvOptions::none().with("sticky_action_probability", 0.0), "MinAtarBreakout-v1-certain";
}

/// Where Gymnasium computes partly in f32 the tolerance is 1e-6, yet the rounding is the same.
#[test]
fn single_precision_is_rounded_as_numpy_does() {
    let registry = Registry::builtin();
    for id in ["MountainCarContinuous-v0", "Pendulum-v1"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/traces");
        let file = File::open(folder.join(format!("{id}.jsonl"))).unwrap();
        let spec = registry.spec(id).unwrap();
        let report = trace::replay(spec, &EnvOptions::none(), BufReader::new(file), 1e-12).unwrap();
        assert!(report.first_disagreement.is_none(), "{id}: {report:#?}");
    }
}

/// Goes as far as it is told, and cuts nothing off.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Walk {
    at: f64,
}

impl Env for Walk {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([10.0])
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn reset(&mut self, _: &mut Rng) -> Result<[f32; 1], EnvError> {
        self.at = 0.0;
        Ok([0.0])
    }

    fn step(&mut self, action: &[f32; 1], _: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        self.at += 1e6 * f64::from(action[0]);
        Ok(Step::new([self.at as f32], 1.0, false))
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(vec![self.at])
    }

    fn observe(&self) -> Option<[f32; 1]> {
        Some([self.at as f32])
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        [self.at] = EnvError::expect_state(state, "[at]")?;
        Ok(())
    }

    snapshot!();
}

fn registry() -> Registry {
    let mut registry = Registry::builtin();
    registry.register(EnvSpec::continuous("Walk-v0", |_| Ok(Walk::default()))).unwrap();
    registry
}

/// What is wrong with a trace of one line.
fn fault(id: &str, line: &str) -> String {
    let registry = registry();
    let spec = registry.spec(id).unwrap();
    trace::replay(spec, &EnvOptions::none(), line.as_bytes(), 1e-6).unwrap_err().to_string()
}

#[test]
fn a_line_that_cannot_be_replayed_is_at_fault_not_the_environment() {
    let cart = |state: &str, action: &str| {
        format!(
            r#"{{"state":{state},"action":{action},"next_state":[0,0,0,0],"reward":1,"terminated":0}}"#
        )
    };
    let walk = |state: &str, action: &str| cart(state, action).replace("[0,0,0,0]", "0");
    for (id, line, says) in [
        // Finite, but not as the f32 that is seen.
        (
            "CartPole-v1",
            cart("[1e39,0,0,0]", "1"),
            "line 1: `state`: expected one seen as an element",
        ),
        (
            "CartPole-v1",
            cart("[0,0,0.5,1e35]", "1"),
            "line 1: `state` and `action` lead to an obser",
        ),
        (
            "CartPole-v1",
            cart("[0,0,0]", "1"),
            "line 1: `state`: expected [x, x_dot, theta, theta_dot]",
        ),
        (
            "CartPole-v1",
            cart("[0,0,0,0]", "2"),
            "`action`: expected an element of Discrete(2), got 2",
        ),
        (
            "CartPole-v1",
            walk("[0,0,0.1,0]", "1"),
            "`next_state`: expected as many numbers as `state` h",
        ),
        (
            "FrozenLake-v1",
            cart("0", "1"),
            "`next_state`: expected as many numbers as `state` holds (1)",
        ),
        ("CartPole-v1", cart("[NaN,0,0,0]", "1"), "NaN and Infinity are not JSON"),
        (
            "CartPoleContinuous-v1",
            cart("[0,0,0,0]", "1e39"),
            "`action`: expected an element of Box(",
        ),
        (
            "Walk-v0",
            walk("0", "3e38"),
            "line 1: `action`: expected an element of Box(-1, 1, [1]), got",
        ),
        ("Walk-v0", walk("1e39", "0"), "line 1: `state`: expected one seen as an element of Box("),
    ] {
        let fault = fault(id, &line);
        assert!(fault.contains(says), "{line}: {fault}");
        assert!(!fault.contains("are at fault"), "{line}: {fault}");
    }
}

#[test]
fn a_state_that_was_refused_is_not_stepped_from() {
    let mut env = registry().make("Walk-v0", 0).unwrap();
    env.set_state(&[1e39]).unwrap_err();
    assert!(matches!(env.step(&0.into()), Err(EnvError::NeedsReset { .. })));
    env.set_state(&[1.0]).unwrap();
    env.step(&vec![0.0].into()).unwrap();
}
