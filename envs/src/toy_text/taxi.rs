//! Taxi: pick up passengers and take them to their destination.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::colorize;
#[cfg(feature = "render")]
use crate::render::{Frame, grid};
use crate::tiles::{certain, expect_index, numbered_actions, snapshot_action, snapshot_index};
use crate::{Discrete, Env, EnvError, Rng, Step, Transition};

const MAP: [&[u8; 11]; 7] = [
    b"+---------+",
    b"|R: | : :G|",
    b"| : | : : |",
    b"| : : : : |",
    b"| | : | : |",
    b"|Y| : |B: |",
    b"+---------+",
];
/// The four marked places, as (row, column).
const PLACES: [(usize, usize); 4] = [(0, 0), (0, 4), (4, 0), (4, 3)];
const IN_TAXI: usize = 4;
const STATES: usize = 500;
const ACTIONS: usize = 6;

crate::documented! {
    /// The options of [`Taxi`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct TaxiConfig {
        /// Whether a move may go to either side of the intended direction.
        pub is_rainy: bool,
        /// Whether the passenger may change the destination, once, after the first move aboard.
        pub fickle_passenger: bool,
        /// In rain, the probability that a move goes in the intended direction; in [0, 1].
        pub rainy_probability: f64,
        /// The probability that a fickle passenger changes the destination in an episode; in [0,
        /// 1].
        pub fickle_probability: f64,
    }
}

impl Default for TaxiConfig {
    fn default() -> Self {
        Self {
            is_rainy: false,
            fickle_passenger: false,
            rainy_probability: 0.8,
            fickle_probability: 0.3,
        }
    }
}

/// Taxi: pick up the passenger and drive to the destination, by going south (0), north (1), east
/// (2), west (3), picking up (4) and dropping off (5).
///
/// The observation is one number for the taxi's row and column, the passenger's place (4: aboard)
/// and the destination; [`decode`](Taxi::decode) splits it. A step gives −1, an impossible pick-up
/// or drop-off −10, and delivering the passenger gives 20 and ends the episode.
///
/// Source: Dietterich, "Hierarchical reinforcement learning with the MAXQ value function
/// decomposition" (2000), as in Gymnasium's `Taxi-v4`.
#[derive(Clone, Debug)]
pub struct Taxi {
    config: TaxiConfig,
    state: usize,
    changes_mind: bool,
    last_action: Option<usize>,
}

/// A state of [`Taxi`], part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ride {
    row: usize,
    column: usize,
    passenger: usize,
    destination: usize,
}

impl Ride {
    #[inline]
    const fn decode(state: usize) -> Self {
        let (destination, rest) = (state % 4, state / 4);
        Self { row: rest / 25, column: rest / 5 % 5, passenger: rest % 5, destination }
    }

    #[inline]
    const fn encode(self) -> usize {
        ((self.row * 5 + self.column) * 5 + self.passenger) * 4 + self.destination
    }

    const fn opens_east(self) -> bool {
        MAP[1 + self.row][2 * self.column + 2] == b':'
    }

    const fn opens_west(self) -> bool {
        MAP[1 + self.row][2 * self.column] == b':'
    }

    /// The ride after a move south, north, east or west, unless a wall is in the way.
    #[inline]
    const fn moved(self, direction: usize) -> Self {
        match direction {
            0 if self.row < 4 => Self { row: self.row + 1, ..self },
            1 if self.row > 0 => Self { row: self.row - 1, ..self },
            2 if self.opens_east() => Self { column: self.column + 1, ..self },
            3 if self.opens_west() => Self { column: self.column - 1, ..self },
            _ => self,
        }
    }

    /// The number of the marked place where the taxi stands.
    const fn place(self) -> Option<usize> {
        let mut i = 0;
        while i < PLACES.len() {
            if PLACES[i].0 == self.row && PLACES[i].1 == self.column {
                return Some(i);
            }
            i += 1;
        }
        None
    }

    /// What comes of an action that goes as meant: successor, reward, whether it is terminal.
    #[inline]
    const fn advance(self, action: usize) -> (Self, f64, bool) {
        match (action, self.place(), self.passenger) {
            (0..4, ..) => (self.moved(action), -1.0, false),
            (4, Some(place), waits) if waits == place => {
                (Self { passenger: IN_TAXI, ..self }, -1.0, false)
            }
            (5, Some(place), IN_TAXI) => {
                let delivered = place == self.destination;
                let reward = if delivered { 20.0 } else { -1.0 };
                (Self { passenger: place, ..self }, reward, delivered)
            }
            _ => (self, -10.0, false),
        }
    }

    /// In rain, where an action may lead: as meant, or to either side. Where a wall is in the way
    /// of the meant move the taxi stays.
    #[inline]
    fn slipped(self, action: usize) -> [Self; 2] {
        if self.moved(action) == self {
            return [self; 2];
        }
        let sides = [[2, 3], [3, 2], [1, 0], [0, 1]];
        sides[action].map(|side| self.moved(side))
    }
}

/// What comes of each action in each state: as of [`Ride::advance`], the successor by its number.
static ADVANCES: [[(u16, i8, bool); ACTIONS]; STATES] = {
    let mut advances = [[(0, 0, false); ACTIONS]; STATES];
    let mut i = 0;
    while i < STATES * ACTIONS {
        let (state, action) = (i / ACTIONS, i % ACTIONS);
        let (next, reward, terminated) = Ride::decode(state).advance(action);
        advances[state][action] = (next.encode() as u16, reward as i8, terminated);
        i += 1;
    }
    advances
};

impl Taxi {
    /// Creates the taxi with these options.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if a probability lies outside 0..=1.
    pub fn new(config: TaxiConfig) -> Result<Self, EnvError> {
        let probabilities = [
            ("rainy_probability", config.rainy_probability),
            ("fickle_probability", config.fickle_probability),
        ];
        for (name, probability) in probabilities {
            if !(0.0..=1.0).contains(&probability) {
                let reason = format!("`{name}` must lie in 0..=1, got {probability}");
                return Err(EnvError::InvalidOption { id: "Taxi-v4".to_owned(), reason });
            }
        }
        Ok(Self { config, state: 0, changes_mind: false, last_action: None })
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &TaxiConfig {
        &self.config
    }

    /// Splits a state's number into the taxi's row and column, the passenger's place (4: aboard)
    /// and the destination.
    ///
    /// # Panics
    /// If `state` is not below 500.
    #[must_use]
    pub fn decode(state: usize) -> [usize; 4] {
        assert!(state < STATES, "state {state} is not below {STATES}");
        let ride = Ride::decode(state);
        [ride.row, ride.column, ride.passenger, ride.destination]
    }

    /// Returns which actions have an effect in the current state (Gymnasium's
    /// `info["action_mask"]`).
    #[must_use]
    pub fn action_mask(&self) -> [bool; ACTIONS] {
        let ride = Ride::decode(self.state);
        std::array::from_fn(|action| match action {
            0..4 => ride.moved(action) != ride,
            4 => ride.place() == Some(ride.passenger),
            _ => ride.passenger == IN_TAXI && ride.place().is_some(),
        })
    }

    #[inline]
    fn act(&mut self, action: usize, rng: &mut Rng) -> Step<i64> {
        self.last_action = Some(action);
        let (next, reward, terminated) = ADVANCES[self.state][action];
        let next = usize::from(next);
        let is_disturbed = self.config.is_rainy || self.changes_mind;
        self.state = if is_disturbed { self.disturbed(action, next, rng) } else { next };
        Step::new(self.state as i64, f64::from(reward), terminated)
    }

    /// The state after an action that leads to `next` unless rain or the passenger's mind change it.
    fn disturbed(&mut self, action: usize, next: usize, rng: &mut Rng) -> usize {
        let (ride, mut next) = (Ride::decode(self.state), Ride::decode(next));
        if self.config.is_rainy && action < 4 {
            let draw: f64 = rng.random();
            let meant = self.config.rainy_probability;
            if draw >= meant {
                next = ride.slipped(action)[usize::from(draw >= meant + (1.0 - meant) / 2.0)];
            }
        }
        let has_moved = (next.row, next.column) != (ride.row, ride.column);
        if self.changes_mind && ride.passenger == IN_TAXI && has_moved {
            self.changes_mind = false;
            next.destination = (ride.destination + rng.random_range(1..4_usize)) % 4;
        }
        next.encode()
    }
}

impl Default for Taxi {
    fn default() -> Self {
        Self::new(TaxiConfig::default()).expect("the default probabilities are valid")
    }
}

impl Env for Taxi {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(STATES)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(ACTIONS)
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<i64, EnvError> {
        // 25 tiles, 4 places for the passenger, 3 other ones to go to.
        let draw = rng.random_range(0..300_usize);
        let (tile, passenger, other) = (draw / 12, draw / 3 % 4, draw % 3);
        let destination = other + usize::from(other >= passenger);
        self.state = Ride { row: tile / 5, column: tile % 5, passenger, destination }.encode();
        self.last_action = None;
        self.changes_mind =
            self.config.fickle_passenger && rng.random::<f64>() < self.config.fickle_probability;
        Ok(self.state as i64)
    }

    numbered_actions!(ACTIONS, act);

    fn save(&self) -> Option<Value> {
        Some(json!({
            "state": self.state,
            "changes_mind": self.changes_mind,
            "last_action": self.last_action,
        }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let state = snapshot_index(snapshot, "state", STATES)?;
        let changes_mind = snapshot["changes_mind"].as_bool();
        let changes_mind = changes_mind.ok_or_else(|| EnvError::InvalidState {
            expected: "`changes_mind`, true or false".to_owned(),
            got: snapshot["changes_mind"].to_string(),
        })?;
        self.last_action = snapshot_action(snapshot, ACTIONS)?;
        (self.state, self.changes_mind) = (state, changes_mind);
        Ok(())
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(vec![self.state as f64])
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.state = expect_index(state, STATES)?;
        Ok(())
    }

    fn observe(&self) -> Option<i64> {
        Some(self.state as i64)
    }

    /// Returns Gymnasium's table. `None` with a fickle passenger, whose mind the observation does
    /// not show.
    fn transitions(&self, state: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let state = usize::try_from(*state).ok().filter(|&state| state < STATES)?;
        let action = usize::try_from(*action).ok().filter(|&action| action < ACTIONS)?;
        if self.config.fickle_passenger {
            return None;
        }
        let ride = Ride::decode(state);
        let (next, reward, terminated) = ride.advance(action);
        let mut model = certain((next.encode() as i64, reward, terminated));
        if self.config.is_rainy && action < 4 {
            model[0].probability = self.config.rainy_probability;
            let probability = (1.0 - self.config.rainy_probability) / 2.0;
            model.extend(ride.slipped(action).map(|side| {
                let next_state = side.encode() as i64;
                Transition { probability, next_state, reward, terminated }
            }));
        }
        Some(model)
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        let waits = |state: &usize| {
            let ride = Ride::decode(*state);
            ride.passenger != IN_TAXI && ride.passenger != ride.destination
        };
        Some((0..STATES).filter(waits).map(|state| (1.0 / 300.0, state as i64)).collect())
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let ride = Ride::decode(self.state);
        let has_wall = |row, column| !Ride { row, column, ..ride }.opens_east();
        let waits_at = (ride.passenger != IN_TAXI).then_some(ride.passenger);
        Some(grid::taxi(PLACES, has_wall, (ride.row, ride.column), waits_at, ride.destination))
    }

    fn render_ansi(&self) -> Option<String> {
        let ride = Ride::decode(self.state);
        let at = |(row, column): (usize, usize)| (1 + row, 2 * column + 1);
        let letter = |(row, column): (usize, usize)| char::from(MAP[row][column]);
        let mut cells = MAP.map(|row| row.map(|byte| char::from(byte).to_string()));
        let taxi = at((ride.row, ride.column));
        // As in Gymnasium, colours nest where two things stand on one tile; the last is outermost.
        let paint = |cell: &mut String, colour, bold, highlight| {
            let painted = colorize('\0', colour, bold, highlight);
            *cell = painted.replace('\0', cell);
        };
        if ride.passenger == IN_TAXI {
            if letter(taxi) == ' ' {
                cells[taxi.0][taxi.1] = "_".to_owned();
            }
            paint(&mut cells[taxi.0][taxi.1], 32, false, true);
        } else {
            paint(&mut cells[taxi.0][taxi.1], 33, false, true);
            let passenger = at(PLACES[ride.passenger]);
            paint(&mut cells[passenger.0][passenger.1], 34, true, false);
        }
        let destination = at(PLACES[ride.destination]);
        paint(&mut cells[destination.0][destination.1], 35, false, false);
        let rows: String = cells.iter().map(|row| row.concat() + "\n").collect();
        let names = ["South", "North", "East", "West", "Pickup", "Dropoff"];
        Some(match self.last_action {
            Some(action) => format!("{rows}  ({})\n", names[action]),
            None => rows + "\n",
        })
    }
}

#[cfg(test)]
#[path = "taxi_tests.rs"]
mod tests;
