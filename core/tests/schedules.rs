//! The learning-rate schedules do what PyTorch's do, held against what `reference/schedules.py`
//! recorded.

use gymnast_core::lr_schedule::{Anneal, CyclicMode, LrSchedule};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    total_steps: u64,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    schedule: LrSchedule,
    rates: Vec<f64>,
}

#[test]
fn follow_pytorch() {
    let Reference { total_steps, cases } =
        serde_json::from_str(include_str!("reference/schedules.json")).expect("a good script");
    for Case { schedule, rates } in cases {
        assert_eq!(rates.len() as u64, total_steps);
        for (step, expected) in (0..).zip(rates) {
            let rate = schedule.at(step, total_steps).expect("good settings");
            assert!(
                (rate - expected).abs() < 1e-6,
                "{schedule:?}, step {step}: {rate}, {expected}"
            );
        }
        let text = serde_json::to_string(&schedule).expect("plain data");
        assert_eq!(serde_json::from_str::<LrSchedule>(&text).expect("our own"), schedule);
    }
}

#[test]
fn stay_level_past_their_end() {
    let cosine = LrSchedule::Cosine { t_max: Some(10), min_factor: 0.25 };
    let linear = LrSchedule::Linear { start_factor: 1.0, end_factor: 0.5, total_iters: None };
    let one_cycle: LrSchedule = serde_json::from_str(r#"{"one_cycle": {}}"#).unwrap();
    for (schedule, last) in [(cosine, 0.25), (linear, 0.5), (one_cycle, 1.0 / 25.0 / 1e4)] {
        for step in [10, 11, 1000, u64::MAX] {
            assert!((schedule.at(step, 10).unwrap() - last).abs() < 1e-12, "{schedule:?}");
        }
    }
    assert_eq!(LrSchedule::Constant.at(u64::MAX, 0), Ok(1.0));
}

#[test]
fn warm_up_goes_up_to_where_the_other_starts() {
    let then = LrSchedule::Linear { start_factor: 0.5, end_factor: 0.0, total_iters: None };
    let schedule = LrSchedule::WarmUp { steps: 4, start_factor: 0.0, then: Box::new(then) };
    let rates: Vec<f64> = (0..=8).map(|step| schedule.at(step, 8).unwrap()).collect();
    assert_eq!(rates, [0.0, 0.125, 0.25, 0.375, 0.5, 0.375, 0.25, 0.125, 0.0]);
    assert_eq!(schedule.at(2, 3), Ok(0.25)); // stops before it is warm
}

#[test]
fn the_shortest_cycles_are_finite() {
    let cyclic = LrSchedule::Cyclic {
        base_factor: 0.0,
        step_size_up: 1,
        step_size_down: None,
        mode: CyclicMode::Triangular,
    };
    assert_eq!([0, 1, 2, 3].map(|step| cyclic.at(step, 0).unwrap()), [0.0, 1.0, 0.0, 1.0]);
    for (pct_start, total_steps) in [(0.0, 5), (1.0, 5), (0.2, 5), (0.3, 1), (0.5, 2)] {
        for three_phase in [false, true] {
            let schedule = LrSchedule::OneCycle {
                pct_start: if three_phase { pct_start / 2.0 } else { pct_start },
                anneal_strategy: Anneal::Linear,
                div_factor: 25.0,
                final_div_factor: 1e4,
                three_phase,
            };
            for step in 0..=total_steps {
                let factor = schedule.at(step, total_steps).unwrap();
                assert!((0.0..=1.0).contains(&factor), "{schedule:?} {step}: {factor}");
            }
        }
    }
}

#[test]
fn the_longest_cycles_are_finite() {
    let at = |step_size_up, down, step| {
        let (step_size_down, mode) = (Some(down), CyclicMode::Triangular);
        let cyclic = LrSchedule::Cyclic { base_factor: 0.0, step_size_up, step_size_down, mode };
        cyclic.at(step, 0).unwrap()
    };
    assert_eq!(at(u64::MAX, u64::MAX, u64::MAX), 1.0);
    assert_eq!(at(u64::MAX, u64::MAX, 1 << 63), 0.5);
    assert_eq!([0, 1].map(|step| at(1, u64::MAX, step)), [0.0, 1.0]);
    assert_eq!(at(1, u64::MAX, 1 << 63), 0.5);
    assert!(at(1, u64::MAX, u64::MAX) < 1e-15);
}

#[test]
fn bad_settings_are_errors() {
    let bad = [
        (r#"{"step": {"step_size": 0}}"#, "step_size must be at least 1, got 0"),
        (r#"{"exponential": {"gamma": 0}}"#, "gamma must be finite and > 0, got 0"),
        (r#"{"cosine": {"min_factor": -1}}"#, "min_factor must be finite and ≥ 0, got -1"),
        (r#"{"cosine": {"t_max": 0}}"#, "t_max must be at least 1, got 0"),
        (r#"{"linear": {"total_iters": 0}}"#, "total_iters must be at least 1, got 0"),
        (r#"{"cyclic": {"base_factor": 1.5}}"#, "base_factor must be in [0, 1], got 1.5"),
        (
            r#"{"cyclic": {"base_factor": 0, "step_size_down": 0}}"#,
            "step_size_down must be at least 1, got 0",
        ),
        (r#"{"one_cycle": {"pct_start": 2}}"#, "pct_start must be in [0, 1], got 2"),
        (
            r#"{"one_cycle": {"pct_start": 0.6, "three_phase": true}}"#,
            "pct_start must be in [0, ½], got 0.6",
        ),
        (
            r#"{"warm_up": {"steps": 1, "then": {"step": {"step_size": 0}}}}"#,
            "step_size must be at least 1, got 0",
        ),
    ];
    for (text, message) in bad {
        let schedule: LrSchedule = serde_json::from_str(text).unwrap();
        assert_eq!(schedule.at(1, 10).unwrap_err().to_string(), message);
    }
    let growing = LrSchedule::Exponential { gamma: 2.0 };
    assert_eq!(growing.at(10, 10), Ok(1024.0));
    let error = growing.at(2000, 10).unwrap_err();
    assert_eq!(error.to_string(), "the factor of the rate must be finite, got inf");
    let cosine = LrSchedule::Cosine { t_max: None, min_factor: 0.0 };
    let error = cosine.at(0, 0).unwrap_err();
    assert_eq!(error.to_string(), "total_steps must be at least 1, got 0");
    assert!(serde_json::from_str::<LrSchedule>(r#"{"cosine": {"eta_min": 1}}"#).is_err());
}
