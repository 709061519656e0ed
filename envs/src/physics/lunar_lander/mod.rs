//! LunarLander.

#[cfg(test)]
mod against_the_engine;
mod air;
mod approach;
mod craft;
mod engines;
mod flight;
mod joints;
mod terrain;
#[cfg(test)]
mod tests;
mod world;

use serde::{Deserialize, Serialize};

#[cfg(feature = "render")]
use crate::render::{Frame, lander as pictures};
use crate::{BoxSpace, Discrete, Env, EnvError, Rng, Step};
use engines::Burn;
use flight::Flight;
use world::LEG_DOWN;

/// Steps to a second.
const FPS: f64 = 50.0;
/// Pixels to a metre.
const SCALE: f64 = 30.0;
/// The physics engine divides a step by this number.
const SUBSTEPS: usize = 4;
/// How often a substep lets impulses settle: with and without the correction of overlaps.
const ITERATIONS: usize = 4;
/// The width and the height of what is seen, in pixels.
const VIEWPORT: [f64; 2] = [600.0, 400.0];

crate::documented! {
    /// The options of [`LunarLander`] and [`LunarLanderContinuous`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct LunarLanderConfig {
        /// The acceleration of gravity in m/s², from −12 to 0.
        pub gravity: f64,
        /// Whether wind and turbulence push the lander while it does not touch the ground.
        pub enable_wind: bool,
        /// The largest force of the wind in newtons, from 0 to 20.
        pub wind_power: f64,
        /// The largest torque of the turbulence in N·m, from 0 to 2.
        pub turbulence_power: f64,
    }
}

impl Default for LunarLanderConfig {
    fn default() -> Self {
        Self { gravity: -10.0, enable_wind: false, wind_power: 15.0, turbulence_power: 1.5 }
    }
}

impl LunarLanderConfig {
    fn check(&self) -> Result<(), EnvError> {
        let Self { gravity, wind_power, turbulence_power, .. } = self;
        let invalid = |reason| Err(EnvError::invalid_option("LunarLander-v0", reason));
        if !(-12.0 < *gravity && *gravity < 0.0) {
            return invalid(format!("`gravity` must lie between -12 and 0, got {gravity}"));
        }
        if !(0.0..=20.0).contains(wind_power) {
            return invalid(format!("`wind_power` must lie in 0..=20, got {wind_power}"));
        }
        if !(0.0..=2.0).contains(turbulence_power) {
            return invalid(format!(
                "`turbulence_power` must lie in 0..=2, got {turbulence_power}"
            ));
        }
        Ok(())
    }
}

/// LunarLander: land between two flags by doing nothing (0), or by firing, at full power, the side
/// engine that pushes to the left (1), the main engine (2) or the side engine that pushes to the
/// right (3).
///
/// The observation is the lander's position to the right of and above the pad, relative to standing
/// on it (1 is half the view); its velocity in these directions (1 is 5 m/s to the right and 7.5
/// m/s upwards); its angle (rad, counter-clockwise); its angular velocity (1 is 2.5 rad/s); and for
/// each leg, the right one first, whether it touches the ground (1) or not (0).
///
/// The reward is the improvement of the state. A state is better if the lander is closer to the
/// pad, slower and more upright (100 for each unit of distance, speed and angle), and by 10 for
/// each leg on the ground. A step of the main engine costs 0.3, one of a side engine 0.03. The
/// episode terminates with a reward of −100 if the hull touches the ground or the lander leaves the
/// view to the left or right, and with 100 when it comes to rest.
///
/// On reset the ground and the lander's initial push are random. The engines' jets vary at random.
///
/// Source: Gymnasium's `LunarLander-v3`, by Oleg Klimov. World, engines, rewards, ends,
/// observations and actions are the same. The physics engine is rapier2d instead of Box2D 2.3,
/// hence another version in the name. Trajectories differ in their digits; further differences are:
/// - Bodies move in four substeps a step, and overlaps are pushed apart a little more softly.
/// - Some of the hull's mass and inertia is in the legs, at their hinge. With its legs drawn in the
///   lander has the mass, the centre and the inertia that it has in Gymnasium, so in the air nothing
///   changes, but the legs take up more of a hard landing.
/// - The legs start where Gymnasium's first step puts them; there that step pulls at the lander.
/// - The flags of the legs and a crash are read off from where the bodies are after the step.
///   Gymnasium's flags also fall when a leg that lies on two pieces of the ground leaves one.
/// - A lander is at rest below twice the speeds that Box2D allows, for the same half a second.
/// - Observations are not bounded. Gymnasium declares bounds that a lander can leave: it may turn
///   more than once, or rise.
/// - Wind stronger than Gymnasium recommends is an error.
///
/// Gymnasium's own controller earns 258 on average here (standard error 5, 300 episodes) and 242 (6)
/// there; random actions earn −186 (6) here and −184 (5) there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LunarLander {
    flight: Flight,
}

/// [`LunarLander`] with engines that can be throttled.
///
/// The first number of an action is the main engine's: off up to 0, above it from half power to
/// full power at 1. The second is the side engines': below −0.5 they push to the left, above 0.5 to
/// the right, with that power. Numbers beyond ±1 are clipped. Fuel costs are proportional to the
/// power.
///
/// Source: Gymnasium's `LunarLanderContinuous-v3`; the differences are those of [`LunarLander`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LunarLanderContinuous {
    flight: Flight,
}

/// Constructors of both landers.
macro_rules! landers {
    ($($lander:ident)+) => {$(
        impl $lander {
            /// Creates a lander with these options, above level ground until the first reset.
            ///
            /// # Errors
            /// [`EnvError::InvalidOption`] if a number lies outside its range.
            pub fn new(config: LunarLanderConfig) -> Result<Self, EnvError> {
                Ok(Self { flight: Flight::new(config)? })
            }

            /// Returns the options.
            #[must_use]
            pub fn config(&self) -> &LunarLanderConfig {
                self.flight.config()
            }
        }

        impl Default for $lander {
            fn default() -> Self {
                Self::new(LunarLanderConfig::default()).expect("the defaults are valid")
            }
        }
    )+};
}

landers!(LunarLander LunarLanderContinuous);

impl LunarLander {
    /// The powers of the main and of the side engines under an action, if it is one.
    fn powers(action: &i64) -> Option<(f64, f64)> {
        match action {
            0 => Some((0.0, 0.0)),
            1 => Some((0.0, -1.0)),
            2 => Some((1.0, 0.0)),
            3 => Some((0.0, 1.0)),
            _ => None,
        }
    }
}

impl LunarLanderContinuous {
    /// The same.
    fn powers(action: &[f32; 2]) -> Option<(f64, f64)> {
        if action.iter().any(|x| !x.is_finite()) {
            return None;
        }
        let [throttle, side] = action.map(|x| f64::from(x).clamp(-1.0, 1.0));
        let main = if throttle > 0.0 { 0.5 * (throttle + 1.0) } else { 0.0 };
        Some((main, if side.abs() > 0.5 { side } else { 0.0 }))
    }
}

/// The methods of [`Env`] that both landers share, whatever their actions.
macro_rules! flight {
    () => {
        /// Every number but the legs' flags can grow as long as an episode lasts.
        fn observation_space(&self) -> BoxSpace<8> {
            let (mut low, mut high) = ([f32::NEG_INFINITY; 8], [f32::INFINITY; 8]);
            low[6..].fill(0.0);
            high[6..].fill(1.0);
            BoxSpace::new(low, high).expect("bounds in order")
        }

        fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 8], EnvError> {
            self.flight.restart(rng);
            Ok(self.flight.observation())
        }

        fn step_together<H>(
            holders: &mut [H],
            env: impl Fn(&mut H) -> &mut Self,
            actions: &[crate::Act<Self>],
            rngs: &mut [Rng],
            each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 8]>),
        ) -> bool {
            if !actions.iter().all(|action| Self::powers(action).is_some()) {
                return false;
            }
            let burn = |i: usize, rng: &mut Rng| {
                let (main, side) = Self::powers(&actions[i]).expect("all have them");
                Burn::random(main, side, rng)
            };
            Flight::step_together(holders, |holder| &mut env(holder).flight, burn, rngs, each);
            true
        }

        fn observe(&self) -> Option<[f32; 8]> {
            Some(self.flight.observation())
        }

        fn render_ansi(&self) -> Option<String> {
            Some(text(&self.flight))
        }

        #[cfg(feature = "render")]
        fn render_rgb(&self) -> Option<Frame> {
            Some(picture(&self.flight))
        }

        crate::snapshot!();
    };
}

impl Env for LunarLander {
    type ObservationSpace = BoxSpace<8>;
    type ActionSpace = Discrete;

    fn action_space(&self) -> Discrete {
        Discrete::new(4)
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<[f32; 8]>, EnvError> {
        let Some((main, side)) = Self::powers(action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        Ok(self.flight.step(Burn::random(main, side, rng)))
    }

    flight!();
}

impl Env for LunarLanderContinuous {
    type ObservationSpace = BoxSpace<8>;
    type ActionSpace = BoxSpace<2>;

    fn action_space(&self) -> BoxSpace<2> {
        BoxSpace::symmetric([1.0; 2])
    }

    fn step(&mut self, action: &[f32; 2], rng: &mut Rng) -> Result<Step<[f32; 8]>, EnvError> {
        let Some((main, side)) = Self::powers(action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        Ok(self.flight.step(Burn::random(main, side, rng)))
    }

    flight!();
}

fn text(flight: &Flight) -> String {
    let [x, y, vx, vy, angle, spin, right, left] = flight.observation();
    let on = |flag: f32| if flag > 0.0 { "down" } else { "up" };
    format!(
        "position {x:+.3} {y:+.3}, velocity {vx:+.3} {vy:+.3}, angle {angle:+.3} rad, angular velocity {spin:+.3}, left leg {}, right leg {}\n",
        on(left),
        on(right)
    )
}

#[cfg(feature = "render")]
fn picture(flight: &Flight) -> Frame {
    let terrain = flight.terrain();
    let ground: Vec<[f64; 2]> = (0..terrain.0.len()).map(|i| terrain.corner(i)).collect();
    let flags = terrain::PAD_CORNERS.map(|i| [terrain.corner(i)[0], terrain::PAD]);
    let burn = flight.last_burn().map_or([0.0; 2], |burn| [burn.main, burn.side]);
    let (hull, legs) = flight.craft().outlines();
    pictures::lunar_lander(&pictures::Moon {
        ground: &ground,
        flags,
        hull: &hull,
        legs: &legs,
        burn,
    })
}
