//! Environments broken on purpose, one for each thing that the checker finds.

mod spaces;
mod walk;

use gymnast_envs::{Check, CheckReport, EnvError, Severity, check_env};
use walk::{Fault as F, Walk};

/// What stands in the findings of one check, in one severity.
fn found(report: &CheckReport, severity: Severity, check: Check) -> String {
    let of = |f: &&gymnast_envs::Finding| f.severity == severity && f.check == check;
    let texts: Vec<_> = report.findings.iter().filter(of).map(ToString::to_string).collect();
    texts.join("\n")
}

#[test]
fn an_environment_without_fault_has_no_findings() {
    let report = check_env(|| Ok(Walk::new(F::None)));
    assert_eq!(report.findings, [], "{report}");
    assert_eq!(report.checks_run.len(), 19);
    assert!(report.to_string().starts_with("19 checks, 0 errors, 0 warnings; "), "{report}");
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["checks_run"][4], "step-observations");
}

#[test]
fn every_error_is_found_and_named() {
    let faults = [
        (F::Reset(3.5), Check::ResetObservations, "component 0 is 3.5, not between -3 and 3"),
        (F::Reset(f32::NAN), Check::ResetObservations, "component 0 is NaN"),
        (F::Step(-9.0), Check::StepObservations, "component 0 is -9, not between -3 and 3"),
        (F::Step(f32::INFINITY), Check::StepObservations, "component 0 is inf"),
        (F::Reward, Check::Rewards, "the reward NaN"),
        (F::Refuses, Check::SampledActions, "`step` failed on 1, drawn from the action space"),
        (F::Accepts, Check::OutsideActions, "`step` accepted 2, which is not in Discrete(2)"),
        (F::PanicsOutside, Check::OutsideActions, "panicked: index out of bounds"),
        (F::Panics, Check::StepObservations, "panicked: attempt to divide by zero"),
        (F::OwnRandomness, Check::SameSeed, "two episodes differ: the"),
        (F::Grows, Check::ConstantSpaces, "the observation space was"),
        (F::FailsInMidEpisode, Check::ResetAnyTime, "the last episode is not over"),
        (F::ForgetsToSave, Check::SaveRestore, "goes on otherwise: the reward of step 1"),
        (F::RefusesItsSnapshot, Check::SaveRestore, "`restore` refused what `save` gave"),
        (F::OtherState, Check::StateRoundTrip, "`state` gives"),
        (F::RefusesItsState, Check::StateRoundTrip, "`set_state` refused [0.0]"),
        (F::Probabilities, Check::TransitionModel, "has the probabilities [0.25, 0.25]"),
        (F::OtherModel, Check::TransitionModel, "holds no such outcome"),
        (F::StrayModel, Check::TransitionModel, "leads to [4.0]"),
        (F::OtherStart, Check::TransitionModel, "not in `initial_states`"),
        (F::FrameSize, Check::Rendering, "the first picture's size was Some((2, 1))"),
        (F::FrameBytes, Check::Rendering, "2 by 1 pixels has 8 bytes"),
        (F::TextEnds, Check::Rendering, "`render_ansi` is missing"),
    ];
    for (fault, check, words) in faults {
        let report = check_env(|| Ok(Walk::new(fault)));
        assert!(!report.is_ok(), "{fault:?}");
        let text = found(&report, Severity::Error, check);
        assert!(text.contains(words), "{fault:?}: `{words}` is not in:\n{report}");
    }
}

#[test]
fn every_warning_is_given_and_is_no_error() {
    let faults = [
        (F::OtherError, Check::OutsideActions, "but with another error"),
        (F::Endless, Check::EpisodeEnd, "did not end within 10000 random steps"),
        (F::TruncatesAtOnce, Check::EpisodeEnd, "truncated by its first step"),
        (F::OwnCounter, Check::DifferentSeeds, "from 20 seeds the first episode starts alike"),
        (F::KeepsState, Check::CleanReset, "does not repeat the episode of a new one"),
        (F::NoSnapshot, Check::SaveRestore, "snapshot!()"),
        (F::AcceptsAnything, Check::SaveRestore, "accepted a text that is not a snapshot"),
        (F::NoSetState, Check::StateRoundTrip, "not `set_state`"),
        (F::HiddenState, Check::StateRoundTrip, "where that state was set"),
        (F::AcceptsAnyState, Check::StateRoundTrip, "97 numbers that are none"),
    ];
    for (fault, check, words) in faults {
        let report = check_env(|| Ok(Walk::new(fault)));
        let text = found(&report, Severity::Warning, check);
        assert!(text.contains(words), "{fault:?}: `{words}` is not in:\n{report}");
        let model_differs = matches!(fault, F::OwnCounter | F::KeepsState | F::TruncatesAtOnce);
        assert!(report.is_ok() || model_differs, "{fault:?}: {report}");
    }
}

#[test]
fn an_environment_that_cannot_be_made_is_the_only_finding() {
    let broken = || Err::<Walk, _>(EnvError::Failed("no connection".to_owned()));
    for report in [check_env(broken), check_env::<Walk>(|| panic!("no connection"))] {
        assert_eq!((report.findings.len(), report.steps_per_second), (1, None));
        assert!(report.to_string().contains("no connection"), "{report}");
        assert_eq!(report.checks_run, [Check::Construction]);
    }
}
