//! FrozenLake: a lake with holes.

use std::sync::Arc;

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::lake_map::{MAPS, invalid};
use super::{colorize, generate_random_map};
#[cfg(feature = "render")]
use crate::render::{Frame, grid};
use crate::tiles::{Grid, Heading, certain, numbered_actions, tile_is_state};
use crate::{Discrete, Env, EnvError, Rng, Seed, Step, Transition};

/// Left, down, right and up.
const HEADINGS: [Heading; 4] = [[-1, 0], [0, 1], [1, 0], [0, -1]];

crate::documented! {
    /// The options of [`FrozenLake`].
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct FrozenLakeConfig {
        /// The map: `4x4`, `8x8`, or `random` for one drawn with `map_size`, `frozen_probability`
        /// and `map_seed`.
        pub map_name: String,
        /// A custom map that replaces `map_name`: rows of `S`tart, `F`rozen, `H`ole and `G`oal.
        pub desc: Option<Vec<String>>,
        /// The number of rows and columns of a random map; from 2 to 256.
        pub map_size: usize,
        /// The probability that a tile of a random map is frozen; in [0, 1].
        pub frozen_probability: f64,
        /// The seed of a random map.
        pub map_seed: u64,
        /// Whether the ice is slippery: a move may go to either side of the intended direction.
        pub is_slippery: bool,
        /// On slippery ice, the probability that a move goes in the intended direction; in [0, 1].
        pub success_rate: f64,
        /// The rewards for arriving at the goal, in a hole and on any other tile.
        pub reward_schedule: [f64; 3],
    }
}

impl Default for FrozenLakeConfig {
    fn default() -> Self {
        Self {
            map_name: "4x4".to_owned(),
            desc: None,
            map_size: 8,
            frozen_probability: 0.8,
            map_seed: 0,
            is_slippery: true,
            success_rate: 1.0 / 3.0,
            reward_schedule: [1.0, 0.0, 0.0],
        }
    }
}

/// FrozenLake: cross the ice to the goal without falling into a hole, by going left (0), down (1),
/// right (2) or up (3).
///
/// The observation is the tile's number, row by row. Holes and the goal are terminal. On slippery
/// ice a move may go to either side of the intended direction, with equal probability.
///
/// Source: Gymnasium's `FrozenLake-v1`.
#[derive(Clone, Debug)]
pub struct FrozenLake {
    /// Shared by all copies, so that many fit the processor's cache.
    map: Arc<Map>,
    tile: usize,
    last_action: Option<usize>,
}

/// What no step changes.
#[derive(Debug)]
struct Map {
    config: FrozenLakeConfig,
    columns: usize,
    tiles: Vec<u8>,
    /// What comes of going in each direction, from each tile: the next tile, whether it is terminal,
    /// the reward.
    arrivals: Vec<[(u32, bool, f64); 4]>,
    /// On slippery ice, the probability of the first side of the intended direction, and that of
    /// either that side or the intended direction.
    slips: Option<[f64; 2]>,
    starts: Vec<usize>,
}

impl FrozenLake {
    /// Creates the lake of these options.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the map name is unknown, rows differ in length, the map has
    /// other letters or no start, or a probability lies outside 0..=1.
    pub fn new(config: FrozenLakeConfig) -> Result<Self, EnvError> {
        let rate = config.success_rate;
        if !(0.0..=1.0).contains(&rate) {
            return Err(invalid(format!("`success_rate` must lie in 0..=1, got {rate}")));
        }
        let rows = map(&config)?;
        let columns = rows.first().map_or(0, String::len);
        if columns == 0 || rows.iter().any(|row| row.len() != columns) {
            return Err(invalid(format!(
                "`desc` must be rows of equal length, at least one letter each, got {rows:?}"
            )));
        }
        let tiles: Vec<u8> = rows.concat().into_bytes();
        if tiles.iter().any(|tile| !b"SFHG".contains(tile)) || !tiles.contains(&b'S') {
            return Err(invalid(format!(
                "`desc` must hold the letters S, F, H and G, and at least one S, got {rows:?}"
            )));
        }
        let grid = Grid { rows: rows.len(), columns };
        let [goal, hole, frozen] = config.reward_schedule;
        let arrive = |tile: usize| {
            let (reward, terminated) = match tiles[tile] {
                b'G' => (goal, true),
                b'H' => (hole, true),
                _ => (frozen, false),
            };
            (tile as u32, terminated, reward)
        };
        let arrivals = (0..tiles.len()).map(|from| HEADINGS.map(|to| arrive(grid.go(from, to))));
        let arrivals = arrivals.collect();
        let starts: Vec<usize> = (0..tiles.len()).filter(|&i| tiles[i] == b'S').collect();
        let (tile, fail) = (starts[0], (1.0 - rate) / 2.0);
        let slips = config.is_slippery.then_some([fail, fail + rate]);
        let map = Arc::new(Map { config, columns, tiles, arrivals, slips, starts });
        Ok(Self { map, tile, last_action: None })
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &FrozenLakeConfig {
        &self.map.config
    }

    /// Returns the map, row by row.
    #[must_use]
    pub fn desc(&self) -> Vec<String> {
        let row = |row: &[u8]| String::from_utf8_lossy(row).into_owned();
        self.map.tiles.chunks(self.map.columns).map(row).collect()
    }

    fn is_terminal(&self, tile: usize) -> bool {
        matches!(self.map.tiles[tile], b'G' | b'H')
    }

    /// Returns the result of going in `direction`: the next tile, the reward, whether it is
    /// terminal.
    #[inline]
    fn arrive(&self, tile: usize, direction: usize) -> (i64, f64, bool) {
        let (next, terminated, reward) = self.map.arrivals[tile][direction];
        (i64::from(next), reward, terminated)
    }

    /// Moves in a direction, or slips to one of its sides.
    #[inline(always)] // a step that is returned through memory costs more than this
    fn slide(&mut self, action: usize, rng: &mut Rng) -> Step<i64> {
        self.last_action = Some(action);
        if self.is_terminal(self.tile) {
            return Step::new(self.tile as i64, 0.0, true);
        }
        let mut direction = action;
        if let Some([fail, kept]) = self.map.slips {
            let draw: f64 = rng.random();
            direction = (action + 3 + usize::from(draw >= fail) + usize::from(draw >= kept)) % 4;
        }
        let (next, reward, terminated) = self.arrive(self.tile, direction);
        self.tile = next as usize;
        Step::new(next, reward, terminated)
    }
}

impl Default for FrozenLake {
    fn default() -> Self {
        Self::new(FrozenLakeConfig::default()).expect("the map 4x4 is valid")
    }
}

fn map(config: &FrozenLakeConfig) -> Result<Vec<String>, EnvError> {
    if let Some(desc) = &config.desc {
        return Ok(desc.clone());
    }
    if config.map_name == "random" {
        let mut rng = Seed::new(config.map_seed).child("map", 0).rng();
        return generate_random_map(config.map_size, config.frozen_probability, &mut rng);
    }
    let named = MAPS.iter().find(|map| map.0 == config.map_name);
    let (_, rows) = named.ok_or_else(|| {
        let name = &config.map_name;
        invalid(format!("`map_name` must be `4x4`, `8x8` or `random`, got `{name}`"))
    })?;
    Ok(rows.iter().map(|&row| row.to_owned()).collect())
}

impl Env for FrozenLake {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(self.map.tiles.len())
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(4)
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<i64, EnvError> {
        self.tile = match self.map.starts[..] {
            [only] => only,
            ref starts => starts[rng.random_range(0..starts.len())],
        };
        self.last_action = None;
        Ok(self.tile as i64)
    }

    numbered_actions!(4, slide);

    tile_is_state!(|lake: &Self| lake.map.tiles.len(), |_: &Self| 4);

    fn transitions(&self, tile: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let tile = usize::try_from(*tile).ok().filter(|&tile| tile < self.map.tiles.len())?;
        let action = usize::try_from(*action).ok().filter(|&action| action < 4)?;
        if self.is_terminal(tile) {
            return Some(certain((tile as i64, 0.0, true)));
        }
        let Some([fail, _]) = self.map.slips else {
            return Some(certain(self.arrive(tile, action)));
        };
        let success = self.map.config.success_rate;
        let turned = |(turn, probability)| {
            let (next_state, reward, terminated) = self.arrive(tile, (action + turn) % 4);
            Transition { probability, next_state, reward, terminated }
        };
        Some([(3, fail), (0, success), (1, fail)].map(turned).to_vec())
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        let probability = 1.0 / self.map.starts.len() as f64;
        Some(self.map.starts.iter().map(|&tile| (probability, tile as i64)).collect())
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let heading = self.last_action.map(|action| HEADINGS[action]);
        Some(grid::frozen_lake(&self.desc(), self.tile, heading))
    }

    fn render_ansi(&self) -> Option<String> {
        let names = ["Left", "Down", "Right", "Up"];
        let mut text = match self.last_action {
            Some(action) => format!("  ({})\n", names[action]),
            None => "\n".to_owned(),
        };
        for (i, &tile) in self.map.tiles.iter().enumerate() {
            let tile = char::from(tile);
            if i == self.tile {
                text.push_str(&colorize(tile, 31, false, true));
            } else {
                text.push(tile);
            }
            if (i + 1) % self.map.columns == 0 {
                text.push('\n');
            }
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dry() -> FrozenLake {
        FrozenLake::new(FrozenLakeConfig { is_slippery: false, ..Default::default() }).unwrap()
    }

    #[test]
    fn the_model_is_complete() {
        crate::tiles::testing::check_model(&FrozenLake::default());
        crate::tiles::testing::check_model(&dry());
    }

    #[test]
    fn on_dry_ice_a_move_goes_where_it_is_meant_to() {
        let (mut lake, mut rng) = (dry(), Seed::new(0).rng());
        lake.reset(&mut rng).unwrap();
        for (action, tile) in [(0, 0), (3, 0), (2, 1), (2, 2), (1, 6), (1, 10), (1, 14)] {
            assert_eq!(lake.step(&action, &mut rng).unwrap(), Step::new(tile, 0.0, false));
        }
        assert_eq!(lake.step(&2, &mut rng).unwrap(), Step::new(15, 1.0, true));
        assert_eq!(lake.step(&2, &mut rng).unwrap(), Step::new(15, 0.0, true));
    }

    #[test]
    fn slippery_moves_occur_as_often_as_the_model_says() {
        let config = FrozenLakeConfig { success_rate: 0.5, ..Default::default() };
        let (mut lake, mut rng) = (FrozenLake::new(config).unwrap(), Seed::new(1).rng());
        let mut counts = [0; 16];
        for _ in 0..40_000 {
            lake.set_state(&[9.0]).unwrap();
            counts[lake.step(&2, &mut rng).unwrap().observation as usize] += 1;
        }
        // From 9, right is meant (10); down (13) and up (5, a hole) are slips.
        for (tile, probability) in [(10, 0.5), (13, 0.25), (5, 0.25)] {
            let share = f64::from(counts[tile]) / 40_000.0;
            assert!((share - probability).abs() < 0.01, "{tile}: {share}");
        }
    }

    #[test]
    fn text_shows_the_tile_and_the_last_action() {
        let (mut lake, mut rng) = (dry(), Seed::new(0).rng());
        assert!(lake.render_ansi().unwrap().starts_with("\n\x1b[41mS\x1b[0mFFF\nFHFH\n"));
        lake.step(&2, &mut rng).unwrap();
        assert!(lake.render_ansi().unwrap().starts_with("  (Right)\nS\x1b[41mF\x1b[0mFF\n"));
    }

    #[test]
    fn a_state_that_is_no_tile_is_an_error() {
        let mut lake = dry();
        for bad in [&[16.0][..], &[-1.0], &[0.5], &[f64::NAN], &[], &[0.0, 0.0]] {
            assert!(lake.set_state(bad).is_err(), "{bad:?}");
        }
        assert!(lake.restore(&json!({ "tile": 16, "last_action": null })).is_err());
        assert!(lake.restore(&json!({ "tile": 3, "last_action": 4 })).is_err());
    }
}
