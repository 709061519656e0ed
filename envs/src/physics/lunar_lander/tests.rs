//! The dynamics, held against Gymnasium's and against arithmetic.

use serde_json::json;

use super::flight::{Start, shaping};
use super::*;
use crate::tiles::testing::check_refused;
use crate::{Outcome, Seed, Space};

const STILL: fn() -> Flight = || Flight::new(LunarLanderConfig::default()).unwrap();

/// Gymnasium's controller: how far the angle and the height are from where they should be.
fn todo(observation: &[f32; 8]) -> [f64; 2] {
    let [x, y, vx, vy, angle, spin, first, second] = observation.map(f64::from);
    if first > 0.0 || second > 0.0 {
        return [0.0, -0.5 * vy];
    }
    let target = (0.5 * x + vx).clamp(-0.4, 0.4);
    [0.5 * (target - angle) - spin, 0.5 * (0.55 * x.abs() - y) - 0.5 * vy]
}

fn heuristic(observation: &[f32; 8]) -> i64 {
    match todo(observation) {
        [angle, hover] if hover > angle.abs() && hover > 0.05 => 2,
        [angle, _] if angle < -0.05 => 3,
        [angle, _] if angle > 0.05 => 1,
        _ => 0,
    }
}

pub(super) fn heuristic_continuous(observation: &[f32; 8]) -> [f32; 2] {
    let [angle, hover] = todo(observation);
    [20.0 * hover - 1.0, -20.0 * angle].map(|x| x.clamp(-1.0, 1.0) as f32)
}

/// The mean return of a controller, within the registered limit of steps.
fn mean_return<E>(mut env: E, act: impl Fn(&[f32; 8]) -> crate::Act<E>, episodes: u64) -> f64
where
    E: Env<ObservationSpace = BoxSpace<8>>,
{
    let mut total = 0.0;
    for seed in 0..episodes {
        let mut rng = Seed::new(seed).rng();
        let mut observation = env.reset(&mut rng).unwrap();
        for _ in 0..1000 {
            let step = env.step(&act(&observation), &mut rng).unwrap();
            observation = step.observation;
            total += step.reward;
            if step.outcome.is_final() {
                break;
            }
        }
    }
    total / episodes as f64
}

/// In 300 episodes of Gymnasium's the same controllers earn 242 (standard error 6) and 284 (2).
#[test]
fn gymnasiums_controllers_land() {
    let discrete = mean_return(LunarLander::default(), heuristic, 50);
    assert!(discrete > 200.0, "{discrete}");
    let continuous = mean_return(LunarLanderContinuous::default(), heuristic_continuous, 50);
    assert!(continuous > 240.0, "{continuous}");
}

/// 300 episodes of Gymnasium's: -184 (standard error 5) at random, -135 (3) falling.
#[test]
fn who_does_not_steer_crashes() {
    let falling = mean_return(LunarLander::default(), |_| 0, 50);
    assert!((-160.0..-100.0).contains(&falling), "{falling}");
}

/// The changes of a step's velocities (m/s) and of its angular velocity (rad/s).
fn change(burn: Burn) -> [f64; 3] {
    let mut flight = STILL();
    let before = flight.craft().velocity();
    flight.step(burn);
    let after = flight.craft().velocity();
    [after.0[0] - before.0[0], after.0[1] - before.0[1], after.1 - before.1]
}

fn near(got: [f64; 3], expected: [f64; 3], tolerance: f64) {
    let is_near = got.iter().zip(expected).all(|(x, y)| (x - y).abs() < tolerance);
    assert!(is_near, "{got:?}, expected {expected:?}");
}

#[test]
fn it_falls_by_the_law() {
    // −10 m/s² in 0.02 s; the hull, drawn by its legs, by the means of Gymnasium's −0.193.
    near(change(Burn::straight(0.0, 0.0)), [0.0, -0.2, 0.0], 0.005);
    let mut flight = STILL();
    let (start, speed) = (flight.craft().hull().origin[1], flight.craft().velocity().0[1]);
    for _ in 0..50 {
        flight.step(Burn::straight(0.0, 0.0));
    }
    let fallen = start - flight.craft().hull().origin[1];
    // One second: v + g/2, and a little for the steps' length.
    assert!((fallen - (5.0 - speed)).abs() < 0.15, "{fallen}");
}

#[test]
fn engines_push_as_their_arms_say() {
    // 13 · 4/30 N·s on 4.959 kg is 0.350 m/s; 0.6 · 12/30 is 0.048 m/s, and turns it.
    near(change(Burn::straight(1.0, 0.0)), [0.0, -0.2 + 0.350, 0.0], 0.006);
    near(change(Burn::straight(0.5, 0.0)), [0.0, -0.2 + 0.175, 0.0], 0.006);
    // Gymnasium, the means of 2000 seeds: ∓0.0493 m/s and ±0.099 rad/s.
    near(change(Burn::straight(0.0, -1.0)), [-0.0493, -0.2, 0.099], 0.01);
    near(change(Burn::straight(0.0, 1.0)), [0.0493, -0.2, -0.099], 0.01);
}

#[test]
fn rewards_are_differences_of_shaping_less_the_fuel() {
    assert_eq!(shaping(&[0.6, 0.8, 0.3, -0.4, -0.2, 9.0, 1.0, 0.0]), -100.0 - 50.0 - 20.0 + 10.0);
    for (burn, fuel) in [(Burn::straight(0.0, 0.0), 0.0), (Burn::straight(0.5, -0.8), 0.174)] {
        let mut flight = STILL();
        let before = flight.observation().map(f64::from);
        let step = flight.step(burn);
        let after = step.observation.map(f64::from);
        let expected = shaping(&after) - shaping(&before) - fuel;
        assert!((step.reward - expected).abs() < 1e-4, "{} and {expected}", step.reward);
    }
}

#[test]
fn a_lander_at_rest_is_home_and_a_crashed_one_lost() {
    let play = |act: &dyn Fn(&[f32; 8]) -> i64, seed: u64| {
        let (mut env, mut rng) = (LunarLander::default(), Seed::new(seed).rng());
        let mut observation = env.reset(&mut rng).unwrap();
        loop {
            let step = env.step(&act(&observation), &mut rng).unwrap();
            observation = step.observation;
            if step.outcome.is_final() {
                return step;
            }
        }
    };
    let landed = play(&heuristic, 2);
    assert_eq!((landed.reward, landed.outcome), (100.0, Outcome::Terminated));
    let [_, y, vx, vy, angle, spin, first, second] = landed.observation;
    assert_eq!((first, second), (1.0, 1.0));
    assert!(y.abs() < 0.05 && [vx, vy, angle, spin].iter().all(|x| x.abs() < 0.03), "{landed:?}");
    for act in [0, 1] {
        let crashed = play(&|_| act, 3);
        assert_eq!((crashed.reward, crashed.outcome), (-100.0, Outcome::Terminated));
    }
}

#[test]
fn leaving_the_view_ends_the_episode() {
    let mut flight = STILL();
    flight.start_from(Start { force: [1000.0, 1000.0], ..Start::still() });
    let last = loop {
        // Up again and again, so that it does not land first.
        let step = flight.step(Burn::straight(1.0, 0.0));
        if step.outcome.is_final() {
            break step;
        }
    };
    assert!(last.observation[0] >= 1.0 && last.reward == -100.0, "{last:?}");
}

#[test]
fn throttles_have_their_dead_zones() {
    let fuel = |action: [f32; 2]| {
        let mut env = LunarLanderContinuous::default();
        env.step(&action, &mut Seed::new(0).rng()).unwrap();
        env.flight.last_burn().map_or([0.0; 2], |burn| [burn.main, burn.side])
    };
    assert_eq!(fuel([0.0, 0.5]), [0.0, 0.0]);
    assert_eq!(fuel([-1.0, -0.5]), [0.0, 0.0]);
    assert_eq!(fuel([0.5, -0.75]), [0.75, -0.75]);
    assert_eq!(fuel([7.0, 7.0]), [1.0, 1.0]);
    let refused = LunarLanderContinuous::default().step(&[0.0, f32::NAN], &mut Seed::new(0).rng());
    assert!(matches!(refused, Err(EnvError::InvalidAction { .. })));
}

#[test]
fn wind_blows_until_a_leg_is_down() {
    let config = LunarLanderConfig { enable_wind: true, ..LunarLanderConfig::default() };
    let mut flight = Flight::new(config).unwrap();
    // tanh(sin 0.2 + sin 0.1π) = 0.4698 of 15 N, on 4.959 kg for 0.02 s.
    flight.start_from(Start { wind: [9, 0], ..Start::still() });
    let before = flight.craft().velocity().0[0];
    flight.step(Burn::straight(0.0, 0.0));
    let got = flight.craft().velocity().0[0] - before;
    assert!((got - 0.4698 * 15.0 / 4.959 * 0.02).abs() < 0.002, "{got}");
}

/// Bodies, contacts and impulses go on to the bit: in the air, on touching down and at rest.
#[test]
fn copies_and_replays_go_on_to_the_bit() {
    let config = LunarLanderConfig { enable_wind: true, ..LunarLanderConfig::default() };
    for seed in 0..3 {
        let mut rng = Seed::new(seed).rng();
        let mut env = LunarLander::new(config).unwrap();
        let mut observation = env.reset(&mut rng).unwrap();
        for step in 0..600 {
            if step % 37 == 0 {
                let text = env.save().unwrap().to_string();
                let mut restored = LunarLander::default();
                restored.restore(&serde_json::from_str(&text).unwrap()).unwrap();
                for mut twin in [env.clone(), restored] {
                    let (mut ahead, mut seen) = (env.clone(), observation);
                    let mut streams = [rng.clone(), rng.clone()];
                    for _ in 0..40 {
                        let action = heuristic(&seen);
                        let step = ahead.step(&action, &mut streams[0]).unwrap();
                        assert_eq!(step, twin.step(&action, &mut streams[1]).unwrap());
                        assert_eq!(format!("{ahead:?}"), format!("{twin:?}"));
                        seen = step.observation;
                    }
                }
            }
            observation = env.step(&heuristic(&observation), &mut rng).unwrap().observation;
        }
    }
}

#[test]
fn a_snapshot_that_no_episode_gives_is_refused() {
    let mut env = LunarLander::default();
    let mut rng = Seed::new(0).rng();
    env.reset(&mut rng).unwrap();
    env.step(&2, &mut rng).unwrap();
    let good = env.save().unwrap();
    for (pointer, bad) in [
        ("/start/terrain/3", json!(50.0)),
        ("/start/force/0", json!(1e6)),
        ("/burns/0/main", json!(0.3)),
        ("/burns/0/dispersion/1", json!(0.5)),
        ("/config/gravity", json!(-100)),
    ] {
        let mut snapshot = good.clone();
        *snapshot.pointer_mut(pointer).unwrap() = bad;
        assert!(matches!(env.restore(&snapshot), Err(EnvError::InvalidState { .. })), "{pointer}");
    }
    assert_eq!(env.save().unwrap(), good);
}

#[test]
fn an_invalid_option_is_named() {
    for id in ["LunarLander-v0", "LunarLanderContinuous-v0"] {
        check_refused(&[
            (id, "gravity", json!(0.0)),
            (id, "gravity", json!(-12.0)),
            (id, "wind_power", json!(21)),
            (id, "turbulence_power", json!(-1)),
            (id, "enable_wind", json!("often")),
            (id, "burns", json!([])),
        ]);
    }
}

#[cfg(feature = "render")]
#[test]
fn flames_and_legs_are_drawn() {
    let picture = |burn| {
        let mut flight = STILL();
        for _ in 0..30 {
            // Into the view.
            flight.step(Burn::straight(0.0, 0.0));
        }
        flight.step(burn);
        picture(&flight)
    };
    let idle = picture(Burn::straight(0.0, 0.0));
    assert_eq!((idle.width, idle.height), (600, 400));
    let count = |frame: &Frame, colour: crate::render::Colour| {
        frame.rgb.chunks_exact(3).filter(|rgb| *rgb == colour.0).count()
    };
    let red = crate::render::Colour::VERMILLION;
    assert_eq!(count(&idle, red), 0);
    assert!(count(&picture(Burn::straight(1.0, 0.0)), red) > 50);
    assert!(count(&picture(Burn::straight(0.0, 1.0)), red) > 0);
    assert!(count(&idle, crate::render::Colour::SKY_BLUE) > 50, "the legs");
}

#[test]
fn observations_lie_in_the_space_however_fast_it_spins() {
    let mut env = LunarLander::default();
    let mut rng = Seed::new(0).rng();
    env.reset(&mut rng).unwrap();
    for step in 0..500 {
        let action = if step % 3 == 0 { 2 } else { 1 };
        let step = env.step(&action, &mut rng).unwrap();
        assert!(env.observation_space().contains(&step.observation), "{step:?}");
    }
}
