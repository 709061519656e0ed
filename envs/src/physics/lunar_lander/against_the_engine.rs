//! Landers that fly by themselves until the ground is near, against landers that the engine moves
//! from the start: they must agree to the bit, whatever rapier's version.

use rand::RngExt as _;
use rapier2d::prelude::Rotation;

use super::engines::Burn;
use super::flight::{Flight, Start};
use super::tests::heuristic_continuous;
use super::{LunarLanderConfig, LunarLanderContinuous, air, joints};
use crate::{Env as _, Rng, Seed, Step};

/// A lander and its twin in the engine.
struct Twins([LunarLanderContinuous; 2]);

impl Twins {
    fn reset(config: LunarLanderConfig, rng: &mut Rng) -> Self {
        let mut own = LunarLanderContinuous::new(config).unwrap();
        own.reset(rng).unwrap();
        let engine = LunarLanderContinuous { flight: own.flight.in_the_engine() };
        Self([own, engine])
    }

    /// Takes a step with the second, and expects that the first took the same one.
    fn expect(&mut self, step: &Step<[f32; 8]>, action: &[f32; 2], rng: &mut Rng, at: &str) {
        let Self([own, engine]) = self;
        let expected = engine.step(action, rng).unwrap();
        assert_eq!(
            step.observation.map(f32::to_bits),
            expected.observation.map(f32::to_bits),
            "{at}"
        );
        assert_eq!((step.reward, step.outcome), (expected.reward, expected.outcome), "{at}");
        let [own, engine] = [own, engine].map(|env| env.flight.craft().motion());
        let bits = |bodies: [[f32; 7]; 3]| bodies.map(|body| body.map(f32::to_bits));
        assert_eq!(bits(own.bodies), bits(engine.bodies), "{at}");
        // An impulse of −0 changes no velocity.
        assert_eq!(own.impulses, engine.impulses, "{at}");
    }

    fn is_in_the_air(&self) -> bool {
        self.0[0].flight.craft().is_in_the_air()
    }
}

type Pilot = fn(&[f32; 8], &mut Rng) -> [f32; 2];

const PILOTS: [(&str, Pilot); 4] = [
    ("falls", |_, _| [0.0; 2]),
    ("at random", |_, rng| std::array::from_fn(|_| rng.random_range(-1.0..1.0))),
    ("lands", |observation, _| heuristic_continuous(observation)),
    ("turns", |_, rng| [rng.random_range(-3.0..0.5), 1.0]),
];

fn worlds() -> [LunarLanderConfig; 2] {
    let still = LunarLanderConfig::default();
    [still, LunarLanderConfig { enable_wind: true, gravity: -3.0, ..still }]
}

/// Also what is thrown up again, what lies on the ground, and what was saved on the way.
#[test]
fn in_the_air_and_on_the_ground_it_moves_as_in_the_engine() {
    let seeds = if cfg!(debug_assertions) { 6 } else { 50 };
    for ((name, act), config) in
        PILOTS.into_iter().flat_map(|pilot| worlds().map(|config| (pilot, config)))
    {
        let (mut in_the_air, mut steps) = (0, 0);
        for seed in 0..seeds {
            let mut rng = Seed::new(seed).rng();
            let mut twins = Twins::reset(config, &mut rng);
            let mut observation = twins.0[0].observe().unwrap();
            for i in 0..500 {
                let action = act(&observation, &mut rng);
                let mut stream = rng.clone();
                let step = twins.0[0].step(&action, &mut rng).unwrap();
                twins.expect(
                    &step,
                    &action,
                    &mut stream,
                    &format!("{name}, seed {seed}, step {i}"),
                );
                in_the_air += usize::from(twins.is_in_the_air());
                steps += 1;
                if i == 40 || i == 160 {
                    let saved = twins.0[0].save().unwrap();
                    twins.0[0].restore(&saved).unwrap();
                }
                observation = step.observation;
                if step.outcome.is_final() && seed % 4 > 0 {
                    break;
                }
            }
        }
        println!("{name}: {in_the_air} of {steps} steps in the air");
        assert!(in_the_air > 30 * seeds as usize && in_the_air < steps, "{name}");
    }
}

/// Whole blocks and a part of one, of which some are in the air and some are not.
#[test]
fn side_by_side_they_move_as_in_the_engine() {
    let act = PILOTS[1].1;
    let n = 2 * air::LANES + 5;
    let mut rngs: Vec<Rng> = (0..n).map(|i| Seed::new(i as u64).rng()).collect();
    let mut twins: Vec<Twins> =
        rngs.iter_mut().enumerate().map(|(i, rng)| Twins::reset(worlds()[i % 2], rng)).collect();
    let mut mixed = 0;
    for round in 0..if cfg!(debug_assertions) { 150 } else { 600 } {
        let actions: Vec<_> = rngs.iter_mut().map(|rng| act(&[0.0; 8], rng)).collect();
        let mut streams = rngs.clone();
        let mut steps = Vec::new();
        let note = |_, _: &mut Twins, _: &mut Rng, step| steps.push(step);
        assert!(LunarLanderContinuous::step_together(
            &mut twins,
            |twins| &mut twins.0[0],
            &actions,
            &mut rngs,
            note
        ));
        for (i, twins) in twins.iter_mut().enumerate() {
            let at = format!("round {round}, lander {i}");
            twins.expect(&steps[i], &actions[i], &mut streams[i], &at);
            if steps[i].outcome.is_final() {
                *twins = Twins::reset(worlds()[i % 2], &mut rngs[i]);
            }
        }
        let in_the_air = twins.iter().filter(|twins| twins.is_in_the_air()).count();
        mixed += usize::from(in_the_air > 0 && in_the_air < n);
    }
    assert!(mixed > 50);
}

/// So slowly that the engine does not look for contacts in each step: which one it finds them in
/// depends on where it looked last.
#[test]
fn it_comes_down_gently_as_in_the_engine() {
    for i in 0..60 {
        let mut own = Flight::new(LunarLanderConfig::default()).unwrap();
        let (speed, force) = (0.05 + 0.01 * f64::from(i), f64::from(i % 3));
        own.start_from(Start { force: [force, 0.0], ..Start::still() });
        let mut engine = own.in_the_engine();
        let mut touched = 0;
        for step in 0..1500 {
            let [_, y, _, vy, ..] = own.observation().map(f64::from);
            let fast = if y < 0.2 { speed } else { 2.0 };
            let main = if 7.5 * vy < -fast { 0.6 } else { 0.0 };
            let steps =
                [&mut own, &mut engine].map(|flight| flight.step(Burn::straight(main, 0.0)));
            assert_eq!(steps[0], steps[1], "{speed} m/s, step {step}");
            touched += usize::from(steps[0].observation[6] > 0.0);
            if touched > 20 {
                break;
            }
        }
        assert!(touched > 0, "{speed}");
    }
}

#[test]
fn arc_tangents_side_by_side_are_the_engines() {
    let mut rng = Seed::new(0).rng();
    for round in 0..20_000 {
        let reach = [1e-6, 0.4, 0.5, 4.0][round % 4];
        let mut xs: [f32; 4] = std::array::from_fn(|_| rng.random_range(0.8..1.2));
        let ys: [f32; 4] = std::array::from_fn(|_| rng.random_range(-reach..reach));
        (xs[0], xs[1]) = (1.0, if round % 5 == 0 { -xs[1] } else { xs[1] });
        let expected = [0, 1, 2, 3].map(|i| Rotation::from_cos_sin_unchecked(xs[i], ys[i]).angle());
        assert_eq!(
            joints::atan2(&ys, &xs).map(f32::to_bits),
            expected.map(f32::to_bits),
            "{ys:?} {xs:?}"
        );
    }
}
