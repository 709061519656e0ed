//! The checker on every registered environment.

use gymnast_envs::{Check, EnvOptions, Registry};

#[test]
fn every_registered_environment_passes() {
    for spec in Registry::builtin().iter() {
        let report = spec.check(&EnvOptions::none());
        assert!(report.is_ok(), "{}: {report}", spec.id());
        assert!(report.steps_per_second.is_some_and(|speed| speed > 0.0), "{}", spec.id());
        println!("{}: {report}", spec.id());
        let offers = |check| report.checks_run.contains(&check);
        assert!(offers(Check::SaveRestore) && offers(Check::OutsideActions), "{report}");
        // What a physics engine remembers of contacts is no list of numbers that could be set.
        let is_engine = spec.id().starts_with("LunarLander");
        assert!(offers(Check::StateRoundTrip) != is_engine, "{report}");
    }
}

#[test]
fn an_option_that_is_refused_is_a_finding() {
    let spec = Registry::builtin().spec("CartPole-v1").unwrap().clone();
    for (key, value) in [("length", -1), ("max_episode_steps", 0)] {
        let report = spec.check(&EnvOptions::none().with(key, value));
        assert_eq!(report.checks_run, [Check::Construction]);
        assert!(!report.is_ok() && report.to_string().contains(key), "{report}");
    }
}

#[test]
fn the_registered_step_limit_holds() {
    let spec = Registry::builtin().spec("Pendulum-v1").unwrap().clone();
    let endless = |report: &gymnast_envs::CheckReport| {
        report.warnings().any(|finding| finding.check == Check::EpisodeEnd)
    };
    assert!(!endless(&spec.check(&EnvOptions::none())));
    let far = EnvOptions::none().with("max_episode_steps", 20_000);
    assert!(endless(&spec.check(&far)));
}
