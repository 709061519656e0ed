//! Every environment that has an original against transitions recorded from it: from Gymnasium's
//! (`tests/traces/record.py`), and from bsuite's and MinAtar's (`record_originals.py`).

use std::{fs::File, io::BufReader, path::Path};

use gymnast_envs::{EnvOptions, Registry, trace};

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
