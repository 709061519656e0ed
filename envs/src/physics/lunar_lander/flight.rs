//! One episode: how it starts, what happened since, and what is seen and earned.

use rand::RngExt as _;
use serde::{Deserialize, Serialize, Serializer};

use super::air::{Block, LANES, move_several};
use super::craft::Craft;
use super::engines::Burn;
use super::terrain::{GROUND_LEVEL, Terrain, WORLD};
use super::{FPS, LunarLanderConfig};
use crate::{EnvError, Rng, Step};

/// The greatest of the random force's parts, in newtons: it pushes the lander in the first step.
const START_FORCE: f64 = 1000.0;
/// The wind and the turbulence start anywhere in their courses up to this place.
const WIND_COURSE: i64 = 9999;

/// What an episode starts with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    pub(super) terrain: Terrain,
    pub(super) force: [f64; 2],
    /// Where the wind and the turbulence are in their courses.
    pub(super) wind: [i64; 2],
}

impl Start {
    /// Level ground, and nothing that pushes.
    pub(super) fn still() -> Self {
        Self { terrain: Terrain::level(), force: [0.0; 2], wind: [0; 2] }
    }

    fn random(config: &LunarLanderConfig, rng: &mut Rng) -> Self {
        let terrain = Terrain::random(rng);
        let force = std::array::from_fn(|_| rng.random_range(-START_FORCE..START_FORCE));
        let mut course = |_| rng.random_range(-WIND_COURSE..WIND_COURSE);
        let wind = if config.enable_wind { std::array::from_fn(&mut course) } else { [0; 2] };
        Self { terrain, force, wind }
    }

    fn is_valid(&self) -> bool {
        let force = self.force.iter().all(|force| force.abs() <= START_FORCE);
        let wind = self.wind.iter().all(|&place| (-WIND_COURSE..=WIND_COURSE).contains(&place));
        self.terrain.is_valid() && force && wind
    }
}

/// All that an episode depends on.
///
/// The physics engine keeps more than positions and velocities (what touched what, and how hard),
/// but from the same start the same burns lead to the same bits. So this is what a snapshot holds,
/// and [`Flight::replay`] flies it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Log {
    config: LunarLanderConfig,
    start: Start,
    /// Of each step since the start; nothing where no engine fired.
    burns: Vec<Option<Burn>>,
}

/// An episode under way.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Log")]
pub(super) struct Flight {
    log: Log,
    craft: Craft,
    /// Where the wind and the turbulence are in their courses.
    wind: [i64; 2],
    /// Whether the right and the left leg touch the ground, and whether the hull does.
    contacts: [bool; 2],
    is_down: bool,
    /// How good the present state is: rewards are its differences.
    shaping: f64,
}

impl Flight {
    /// An episode on level ground that nothing pushed.
    pub(super) fn new(config: LunarLanderConfig) -> Result<Self, EnvError> {
        config.check()?;
        Ok(Self::from_start(Log { config, start: Start::still(), burns: Vec::new() }))
    }

    /// Starts a random episode.
    pub(super) fn restart(&mut self, rng: &mut Rng) {
        self.start_from(Start::random(&self.log.config, rng));
        // Gymnasium's first step draws the strayings of engines that do not fire.
        Burn::random(0.0, 0.0, rng);
    }

    /// Starts an episode in this way.
    pub(super) fn start_from(&mut self, start: Start) {
        let mut burns = std::mem::take(&mut self.log.burns);
        burns.clear();
        *self = Self::from_start(Log { config: self.log.config, start, burns });
    }

    /// The episode of a log before its first burn: after the one step that a reset takes.
    fn from_start(log: Log) -> Self {
        let craft = Craft::new(&log.start.terrain, log.config.gravity);
        Self::with_craft(log, craft)
    }

    fn with_craft(log: Log, craft: Craft) -> Self {
        let wind = log.start.wind;
        let mut flight =
            Self { log, craft, wind, contacts: [false; 2], is_down: false, shaping: 0.0 };
        flight.craft.force(flight.log.start.force, 0.0);
        flight.advance(None);
        flight
    }

    /// Flies the burns of a log.
    fn replay(log: Log) -> Self {
        let craft = Craft::new(&log.start.terrain, log.config.gravity);
        Self::replay_with(log, craft)
    }

    fn replay_with(mut log: Log, craft: Craft) -> Self {
        let burns = std::mem::take(&mut log.burns);
        let mut flight = Self::with_craft(log, craft);
        for burn in &burns {
            flight.advance(burn.as_ref());
        }
        flight.log.burns = burns;
        flight
    }

    /// The same flight, with the engine moving the craft from the start.
    #[cfg(test)]
    pub(super) fn in_the_engine(&self) -> Self {
        let craft = Craft::in_the_engine(&self.log.start.terrain, self.log.config.gravity);
        Self::replay_with(self.log.clone(), craft)
    }

    pub(super) fn config(&self) -> &LunarLanderConfig {
        &self.log.config
    }

    pub(super) fn terrain(&self) -> &Terrain {
        &self.log.start.terrain
    }

    pub(super) fn craft(&self) -> &Craft {
        &self.craft
    }

    /// The engines of the last step, if one fired.
    pub(super) fn last_burn(&self) -> Option<&Burn> {
        self.log.burns.last()?.as_ref()
    }

    /// Takes a step under these engines.
    pub(super) fn step(&mut self, burn: Burn) -> Step<[f32; 8]> {
        self.begin(burn);
        self.craft.step(&self.log.start.terrain);
        self.end()
    }

    /// Takes a step in each of several flights, those in the air side by side.
    pub(super) fn step_together<H>(
        holders: &mut [H],
        flight: impl Fn(&mut H) -> &mut Self,
        burn: impl Fn(usize, &mut Rng) -> Burn,
        rngs: &mut [Rng],
        mut each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 8]>),
    ) {
        let mut block = Block::new();
        let blocks = holders.chunks_mut(LANES).zip(rngs.chunks_mut(LANES));
        for (n, (holders, rngs)) in blocks.enumerate() {
            let together = holders.len() > 1;
            for (i, (holder, rng)) in holders.iter_mut().zip(&mut *rngs).enumerate() {
                let flight = flight(holder);
                flight.begin(burn(n * LANES + i, rng));
                if together {
                    flight.craft.enter(&mut block, i);
                }
            }
            if together {
                move_several(&mut block);
            }
            for (i, (holder, rng)) in holders.iter_mut().zip(rngs).enumerate() {
                let Self { log, craft, .. } = flight(holder);
                if together {
                    craft.settle(block.get(i).as_ref(), &log.start.terrain);
                } else {
                    craft.step(&log.start.terrain);
                }
                let step = flight(holder).end();
                each(n * LANES + i, holder, rng, step);
            }
        }
    }

    /// Notes these engines, and lets them and the wind act.
    fn begin(&mut self, burn: Burn) {
        let burn = Some(burn).filter(Burn::is_any);
        self.log.burns.push(burn);
        self.push(burn.as_ref());
    }

    /// What the step that began led to.
    fn end(&mut self) -> Step<[f32; 8]> {
        let (state, reward) = self.look(self.last_burn().copied().as_ref());
        let step = |reward, terminated| Step::new(state.map(|x| x as f32), reward, terminated);
        if self.craft.is_asleep() {
            step(100.0, true)
        } else if self.is_down || state[0].abs() >= 1.0 {
            step(-100.0, true)
        } else {
            step(reward, false)
        }
    }

    /// Lets the wind, the engines and a step of time act.
    fn advance(&mut self, burn: Option<&Burn>) {
        self.push(burn);
        self.craft.step(&self.log.start.terrain);
        self.look(burn);
    }

    fn push(&mut self, burn: Option<&Burn>) {
        self.blow();
        if let Some(burn) = burn {
            burn.push(&mut self.craft);
        }
    }

    /// Looks where a step has led: the new state, and the reward of a step that ends nothing.
    fn look(&mut self, burn: Option<&Burn>) -> ([f64; 8], f64) {
        (self.is_down, self.contacts) = (false, [false; 2]);
        if !self.craft.is_in_the_air() {
            let (hull, legs) = self.craft.outlines();
            self.is_down = self.terrain().touches(&hull);
            self.contacts = legs.map(|leg| self.terrain().touches(&leg));
        }
        let (state, before) = (self.state(), self.shaping);
        self.shaping = shaping(&state);
        (state, self.shaping - before - burn.map_or(0.0, Burn::fuel))
    }

    /// The wind and the turbulence, which stop while a leg is on the ground.
    fn blow(&mut self) {
        let &LunarLanderConfig { enable_wind, wind_power, turbulence_power, .. } = self.config();
        if !enable_wind || self.contacts.contains(&true) {
            return;
        }
        // Never periodic.
        let course = |place: i64| {
            let x = 0.01 * place as f64;
            ((2.0 * x).sin() + (std::f64::consts::PI * x).sin()).tanh()
        };
        let [force, torque] = self.wind.map(course);
        self.craft.force([wind_power * force, 0.0], turbulence_power * torque);
        self.wind = self.wind.map(|place| place + 1);
    }

    fn state(&self) -> [f64; 8] {
        let hull = self.craft.hull();
        let ([vx, vy], spin) = self.craft.velocity();
        let half = WORLD.map(|side| side / 2.0);
        let [first, second] = self.contacts.map(|touches| f64::from(u8::from(touches)));
        [
            (hull.origin[0] - half[0]) / half[0],
            (hull.origin[1] - GROUND_LEVEL) / half[1],
            vx * half[0] / FPS,
            vy * half[1] / FPS,
            hull.angle,
            20.0 * spin / FPS,
            first,
            second,
        ]
    }

    pub(super) fn observation(&self) -> [f32; 8] {
        self.state().map(|x| x as f32)
    }
}

/// How good a state is: near the pad, slow, upright, on its legs.
pub(super) fn shaping(&[x, y, vx, vy, angle, _, first, second]: &[f64; 8]) -> f64 {
    let (distance, speed) = ((x * x + y * y).sqrt(), (vx * vx + vy * vy).sqrt());
    -100.0 * distance - 100.0 * speed - 100.0 * angle.abs() + 10.0 * first + 10.0 * second
}

impl Serialize for Flight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.log.serialize(serializer)
    }
}

impl TryFrom<Log> for Flight {
    type Error = String;

    /// Only what an episode can bring is flown, so that no snapshot throws the physics off.
    fn try_from(log: Log) -> Result<Self, String> {
        log.config.check().map_err(|error| error.to_string())?;
        let are_valid = |burns: &[Option<Burn>]| burns.iter().flatten().all(Burn::is_valid);
        if !log.start.is_valid() || !are_valid(&log.burns) {
            return Err("a start or a burn that no episode has".to_owned());
        }
        Ok(Self::replay(log))
    }
}
