//! The agents of `examples/custom_agent`, held to what every agent is held to.

use std::{ffi::OsString, fs, process::ExitCode};

use gymnast::{
    AgentEntry, Builders, command,
    core::{
        init::Init,
        nn::{LayerConfig, LayerShape, Layers, Module, NetworkError, ParametersBuilder},
    },
    deep::{Io, OffPolicyAgent, SoftActor, SoftActorSettings, Wanted},
    envs::{classic::Pendulum, kind, toy_text::CliffWalking, wrappers::TimeLimit},
    harness::testing::{
        Quadratic, TwoArmedBandit, assert_learns, assert_resumes_exactly, assert_survives_damage,
        setup, training,
    },
    prelude::*,
    tabular::TabularAgent,
};

#[path = "../examples/custom_agent/hysteretic.rs"]
mod hysteretic;
#[path = "../examples/custom_agent/tqc.rs"]
mod tqc;

use hysteretic::{HystereticConfig, HystereticRule};
use tqc::{Tqc, TqcConfig, TqcLearner};

fn small() -> TqcConfig {
    TqcConfig {
        hidden: vec![32, 32],
        learning_rate: 3e-3.into(),
        tau: 0.05,
        quantiles: 5,
        dropped: 1,
        buffer_size: 1_000,
        batch_size: 64,
        learning_starts: 100,
        ..TqcConfig::default()
    }
}

#[test]
fn tqc_learns_resumes_exactly_and_takes_no_harm() {
    let make = |plan: &Plan| setup(plan, Quadratic::default, |o, a| Tqc::new(o, a, small(), plan));
    assert_learns(make, &training(1_200, 1), -0.05);
    let pendulum = || TimeLimit::new(Pendulum::default(), 50);
    let make = |plan: &Plan| setup(plan, pendulum, |o, a| Tqc::new(o, a, small(), plan));
    assert_resumes_exactly(make, &training(400, 2));
    let tiny = TqcConfig { hidden: vec![6], learning_starts: 16, batch_size: 8, ..small() };
    let make = |plan: &Plan| setup(plan, pendulum, |o, a| Tqc::new(o, a, tiny.clone(), plan));
    assert_survives_damage(make, &training(1_000, 1), 100);
}

#[test]
fn settings_out_of_range_are_named_before_anything_is_learned() {
    let plan = Plan { seed: Seed::new(1), num_envs: 1, env_steps: 100 };
    let unit = BoxSpace::symmetric([1.0]);
    for (key, config) in [
        ("tau", TqcConfig { tau: 5.0, ..small() }),
        ("learning_rate", TqcConfig { learning_rate: (-1.0).into(), ..small() }),
        ("alpha", TqcConfig { alpha: 0.0, ..small() }),
        ("critics", TqcConfig { critics: 0, ..small() }),
        ("dropped", TqcConfig { dropped: 5, ..small() }),
        ("batch_size", TqcConfig { batch_size: 0, ..small() }),
        ("hidden", TqcConfig { hidden: vec![0], ..small() }),
    ] {
        let agent = OffPolicyAgent::<_, _, TqcLearner>::new(unit, unit, config, &plan);
        let error = agent.err().expect(key).to_string();
        assert!(error.starts_with(&format!("{key} = ")), "{error}");
    }
    let io = Io::new(vec![vec![1]], 1, &linear);
    let settings = |average| SoftActorSettings { alpha: 1.0, target_entropy: None, average };
    assert!(SoftActor::new(&settings(0.5), &io, plan.seed).is_ok());
    assert!(SoftActor::new(&settings(1.0), &io, plan.seed).is_err());
}

/// One layer, whatever is wanted.
fn linear(
    wanted: &Wanted<'_>,
    builder: &mut ParametersBuilder,
) -> Result<Box<dyn Module>, NetworkError> {
    let (weight, bias) = (Init::LinearDefault, Init::Zeros);
    let layer = LayerConfig::Linear { outputs: wanted.outputs, weight, bias };
    let width = wanted.parts.iter().flatten().sum();
    let layers = Layers::new(&[layer], "only", LayerShape::Row(width), 0, builder)?;
    Ok(Box::new(layers))
}

#[test]
fn the_rule_learns_resumes_exactly_and_takes_no_harm() {
    type Hysteretic<O, A> = TabularAgent<O, A, HystereticRule>;
    let config = HystereticConfig::default;
    let make = |plan: &Plan| {
        setup(plan, TwoArmedBandit::default, |o, a| Hysteretic::new(o, a, config(), plan))
    };
    assert_learns(make, &training(2_000, 1), 0.75); // the better arm pays 0.8
    let walk = || TimeLimit::new(CliffWalking::default(), 100);
    let make = |plan: &Plan| setup(plan, walk, |o, a| Hysteretic::new(o, a, config(), plan));
    assert_resumes_exactly(make, &training(900, 3));
    assert_survives_damage(make, &training(1_000, 1), 100);
}

#[test]
fn an_agent_of_ones_own_is_tuned_within_its_own_ranges() {
    let builders = |config: HystereticConfig| {
        Builders::default().with(kind::Finite, move |o, a, plan| {
            TabularAgent::<_, _, HystereticRule>::new(o, a, config.clone(), plan)
        })
    };
    let entry = AgentEntry::new("hysteretic-q", "Q-learning that forgives bad luck.", builders);
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("search");
    let args = ["gymnast", "tune", "hysteretic-q", "FrozenLake-v1", "--trials=2", "--steps=200"];
    let args = args.into_iter().chain(["--quiet", "--out"]).map(OsString::from);
    let catalog = Catalog::builtin().with(entry);
    let code = command::run(Registry::builtin(), catalog, args.chain([dir.clone().into()]));
    assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
    let definition: toml::Table =
        fs::read_to_string(dir.join("tune.toml")).unwrap().parse().unwrap();
    let expected = "alpha = \"log(0.01, 1)\"\nbeta = \"log(0.001, 0.1)\"\n";
    assert_eq!(definition["search"], toml::Value::Table(expected.parse().unwrap()));
    let best: toml::Table = fs::read_to_string(dir.join("config.toml")).unwrap().parse().unwrap();
    let beta = best["agent"]["beta"].as_float().unwrap();
    assert!((0.001..=0.1).contains(&beta) && beta != 0.01, "{beta}");
}
