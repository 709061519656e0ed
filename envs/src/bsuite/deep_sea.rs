//! DeepSea: a treasure that only many moves in one direction find.

use rand::RngExt as _;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "render")]
use crate::render::{Colour, Frame, cells};
use crate::tiles::{Grid, certain, expect_indices, index_below, snapshot_index};
use crate::{Discrete, Env, EnvError, Rng, Seed, Step, Transition, render};

const MAX_SIZE: usize = 200;

crate::documented! {
    /// The options of [`DeepSea`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct DeepSeaConfig {
        /// The number of rows and columns, from 1 to 200; 10 to 50 in bsuite.
        pub size: usize,
        /// Whether moves and rewards are deterministic. Otherwise a move to the right fails with
        /// probability 1 / `size`, and at the bottom both corners add normal noise to the reward.
        pub deterministic: bool,
        /// The total cost of moving to the right on every step.
        pub unscaled_move_cost: f64,
        /// Whether the action that goes right is random for each place; otherwise it is 1.
        pub randomize_actions: bool,
        /// The seed of these random actions.
        pub mapping_seed: u64,
    }
}

impl Default for DeepSeaConfig {
    fn default() -> Self {
        Self {
            size: 10,
            deterministic: true,
            unscaled_move_cost: 0.01,
            randomize_actions: true,
            mapping_seed: 0,
        }
    }
}

/// DeepSea: dive from the upper left to the lower right, where the treasure is. Each step goes down
/// one row and one column to the left or right; which of the two actions goes which way differs
/// between places, but not between episodes.
///
/// The observation is the place's number, row by row; `size²` is the sea's floor, where each
/// episode ends. (Its one-hot features are bsuite's image, with one more number for the floor.) A
/// move to the right costs `unscaled_move_cost / size`; one from the last column finds the
/// treasure, which gives 1. So the best return is 0.99, the second best 0, and a random policy
/// finds the treasure once in 2ⁿ episodes: the task needs deep exploration.
///
/// Source: Osband et al., "Behaviour suite for reinforcement learning" (2020), bsuite's `deep_sea`
/// and `deep_sea_stochastic`. The mapping of actions is drawn by this library's generator.
#[derive(Clone, Debug)]
pub struct DeepSea {
    config: DeepSeaConfig,
    grid: Grid,
    /// Which action goes to the right at each place.
    right: Vec<bool>,
    row: usize,
    column: usize,
}

impl DeepSea {
    /// Creates a sea with these options.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the size is not in 1..=200 or the cost is not finite.
    pub fn new(config: DeepSeaConfig) -> Result<Self, EnvError> {
        let invalid = |reason| Err(EnvError::invalid_option("DeepSea-v0", reason));
        let DeepSeaConfig { size, unscaled_move_cost: cost, .. } = config;
        if !(1..=MAX_SIZE).contains(&size) {
            return invalid(format!("`size` must lie in 1..={MAX_SIZE}, got {size}"));
        }
        if !cost.is_finite() {
            return invalid(format!("`unscaled_move_cost` must be finite, got {cost}"));
        }
        let grid = Grid { rows: size, columns: size };
        let mut rng = Seed::new(config.mapping_seed).child("mapping", 0).rng();
        let is_one = |_| !config.randomize_actions || rng.random();
        let right = (0..grid.size()).map(is_one).collect();
        Ok(Self { config, grid, right, row: 0, column: 0 })
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &DeepSeaConfig {
        &self.config
    }

    /// Returns the action that goes to the right from a row and column.
    ///
    /// # Panics
    /// If the row or the column is not below the size.
    #[must_use]
    pub fn action_right(&self, row: usize, column: usize) -> i64 {
        assert!(row < self.grid.rows && column < self.grid.columns, "no place in this sea");
        i64::from(self.right[self.grid.tile(row, column)])
    }

    /// The number of a place, or that of the floor.
    fn observation(&self, row: usize, column: usize) -> i64 {
        let place =
            if row == self.grid.rows { self.grid.size() } else { self.grid.tile(row, column) };
        place as i64
    }

    /// The column and the reward, without noise, of going to the right or the left; `fails` says
    /// whether a move to the right stays in its column.
    #[inline]
    fn dive(&self, column: usize, is_right: bool, fails: bool) -> (usize, f64) {
        let last = self.grid.columns - 1;
        if !is_right {
            return (column.saturating_sub(1), 0.0);
        }
        let treasure = f64::from(u8::from(column == last));
        let cost = self.config.unscaled_move_cost / self.config.size as f64;
        (if fails { column } else { (column + 1).min(last) }, treasure - cost)
    }
}

impl Default for DeepSea {
    fn default() -> Self {
        Self::new(DeepSeaConfig::default()).expect("the defaults are valid")
    }
}

impl Env for DeepSea {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(self.grid.size() + 1)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    #[inline]
    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        (self.row, self.column) = (0, 0);
        Ok(0)
    }

    #[inline]
    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        if !(0..2).contains(action) {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        }
        if self.row == self.grid.rows {
            return Ok(Step::new(self.observation(self.row, self.column), 0.0, true));
        }
        let is_right = self.right[self.grid.tile(self.row, self.column)] == (*action == 1);
        let is_windy = !self.config.deterministic;
        let fails = is_windy && is_right && rng.random::<f64>() < 1.0 / self.config.size as f64;
        let (column, mut reward) = self.dive(self.column, is_right, fails);
        let last = self.grid.columns - 1;
        if is_windy && self.row == last && [0, last].contains(&self.column) {
            let noise: f64 = rng.sample(StandardNormal);
            reward += noise;
        }
        (self.row, self.column) = (self.row + 1, column);
        let observation = self.observation(self.row, column);
        Ok(Step::new(observation, reward, self.row == self.grid.rows))
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "row": self.row, "column": self.column }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let row = snapshot_index(snapshot, "row", self.grid.rows + 1)?;
        self.column = snapshot_index(snapshot, "column", self.grid.columns)?;
        self.row = row;
        Ok(())
    }

    /// The row and the column; the floor is the row below the last.
    fn state(&self) -> Option<Vec<f64>> {
        Some(vec![self.row as f64, self.column as f64])
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let Grid { rows, columns } = self.grid;
        [self.row, self.column] = expect_indices(state, [rows + 1, columns])?;
        Ok(())
    }

    fn observe(&self) -> Option<i64> {
        Some(self.observation(self.row, self.column))
    }

    /// Returns `None` unless the sea is deterministic, because noisy rewards are real numbers.
    fn transitions(&self, place: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let place = index_below(self.grid.size() + 1, *place)?;
        let action = index_below(2, *action)?;
        if !self.config.deterministic {
            return None;
        }
        if place == self.grid.size() {
            return Some(certain((place as i64, 0.0, true)));
        }
        let (row, column) = (place / self.grid.columns, place % self.grid.columns);
        let is_right = self.right[place] == (action == 1);
        let (column, reward) = self.dive(column, is_right, false);
        let next = self.observation(row + 1, column);
        Some(certain((next, reward, row + 1 == self.grid.rows)))
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, 0)])
    }

    /// The sea with its floor below, the diver and the treasure's column.
    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let (size, diver) = (self.config.size, (self.row, self.column));
        Some(cells::picture(size + 1, size, |row, column| {
            if (row, column) == diver {
                Colour::VERMILLION
            } else if row == size {
                if column + 1 == size {
                    Colour::YELLOW
                } else {
                    Colour::ORANGE.mix(cells::DARK, 0.6)
                }
            } else {
                let depth = row as f64 / size as f64;
                let water = Colour::SKY_BLUE.mix(Colour::BLUE, depth);
                // No dive comes to the right of the diagonal.
                if column > row { water.mix(cells::DARK, 0.65) } else { water }
            }
        }))
    }

    /// The sea with the diver as `x` and the place above the treasure as `$`.
    fn render_ansi(&self) -> Option<String> {
        let size = self.config.size;
        let diver = self.grid.tile(self.row, self.column);
        let treasure = self.grid.size() - 1;
        Some(render::tiles(size + 1, size, |tile| match tile {
            tile if tile == diver => 'x',
            tile if tile == treasure => '$',
            tile if tile > treasure => '_',
            _ => '.',
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tiles::testing::{check_model, optimum};

    fn sea(config: DeepSeaConfig) -> DeepSea {
        DeepSea::new(config).unwrap()
    }

    #[test]
    fn the_best_return_is_099() {
        for (size, seed) in [(1, 0), (2, 5), (10, 0), (10, 1), (30, 2)] {
            let config = DeepSeaConfig { size, mapping_seed: seed, ..Default::default() };
            let best = optimum(&sea(config), 1.0, size);
            assert!((best - 0.99).abs() < 1e-12, "{size}: {best}");
        }
        // Without the treasure's reach, nothing is better than not to move to the right.
        assert_eq!(optimum(&DeepSea::default(), 1.0, 9), 0.0);
    }

    #[test]
    fn the_model_is_complete() {
        check_model(&DeepSea::default());
    }

    #[test]
    fn the_way_to_the_right_is_the_mapping_s() {
        let (mut sea, mut rng) = (DeepSea::default(), Seed::new(0).rng());
        sea.reset(&mut rng).unwrap();
        let mut total = 0.0;
        for row in 0..10 {
            assert_eq!((sea.row, sea.column), (row, row));
            let action = sea.action_right(row, row);
            let step = sea.step(&action, &mut rng).unwrap();
            total += step.reward;
            assert_eq!(step.outcome.terminated(), row == 9);
        }
        assert!((total - 0.99).abs() < 1e-12);
        assert_eq!(sea.step(&0, &mut rng).unwrap(), Step::new(100, 0.0, true));
        assert!(sea.step(&2, &mut rng).is_err());

        // To the left from there, and then along the edge.
        for (state, next) in [([3.0, 2.0], [4.0, 1.0]), ([3.0, 0.0], [4.0, 0.0])] {
            sea.set_state(&state).unwrap();
            let left = 1 - sea.action_right(state[0] as usize, state[1] as usize);
            assert_eq!(sea.step(&left, &mut rng).unwrap().reward, 0.0);
            assert_eq!(sea.state().unwrap(), next);
        }
    }

    #[test]
    fn the_mapping_depends_on_its_seed_alone() {
        let mapping = |mapping_seed, randomize_actions| {
            sea(DeepSeaConfig { mapping_seed, randomize_actions, ..Default::default() }).right
        };
        assert_eq!(mapping(3, true), mapping(3, true));
        assert_ne!(mapping(3, true), mapping(4, true));
        assert_eq!(mapping(3, false), vec![true; 100]);
        let ones = (0..50).flat_map(|seed| mapping(seed, true)).filter(|&one| one).count();
        assert!((2350..2650).contains(&ones), "{ones} of 5000");
    }

    #[test]
    fn an_uncertain_sea_fails_moves_and_adds_noise() {
        let config = DeepSeaConfig {
            size: 4,
            deterministic: false,
            randomize_actions: false,
            ..Default::default()
        };
        let (mut sea, mut rng) = (sea(config), Seed::new(0).rng());
        assert!(sea.transitions(&0, &1).is_none());
        let (mut failed, mut rewards) = (0, Vec::new());
        for _ in 0..20_000 {
            sea.set_state(&[1.0, 1.0]).unwrap();
            let step = sea.step(&1, &mut rng).unwrap();
            assert_eq!(step.reward, -0.0025);
            failed += u32::from(sea.column == 1);
            sea.set_state(&[3.0, 3.0]).unwrap();
            rewards.push(sea.step(&1, &mut rng).unwrap().reward);
        }
        assert!((f64::from(failed) / 20_000.0 - 0.25).abs() < 0.01, "{failed}");
        let mean = rewards.iter().sum::<f64>() / 20_000.0;
        let variance = rewards.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 20_000.0;
        assert!((mean - 0.9975).abs() < 0.03 && (variance - 1.0).abs() < 0.05);
    }

    #[test]
    fn text_shows_the_diver_and_the_floor() {
        let mut sea = sea(DeepSeaConfig { size: 3, ..Default::default() });
        assert_eq!(sea.render_ansi().unwrap(), "x..\n...\n..$\n___\n");
        sea.set_state(&[3.0, 2.0]).unwrap();
        assert_eq!(sea.render_ansi().unwrap(), "...\n...\n..$\n__x\n");
    }
}
