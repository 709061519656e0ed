//! A grid with an upward wind.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

#[cfg(feature = "render")]
use crate::render::{Frame, grid};
use crate::tiles::{Grid, Heading, certain, index_below, tile_is_state};
use crate::{Discrete, Env, EnvError, Rng, Step, Transition, render};

const GRID: Grid = Grid { rows: 7, columns: 10 };
/// The rows by which each column's wind carries upwards.
const WIND: [i8; 10] = [0, 0, 0, 1, 1, 1, 2, 2, 1, 0];
const START: usize = GRID.tile(3, 0);
const GOAL: usize = GRID.tile(3, 7);
/// Up, right, down and left; then the diagonals, from the upper right on.
const MOVES: [Heading; 8] = [[0, -1], [1, 0], [0, 1], [-1, 0], [1, -1], [1, 1], [-1, 1], [-1, -1]];

crate::documented! {
    /// The options of [`WindyGridWorld`].
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct WindyGridWorldConfig {
        /// Whether diagonal moves are allowed too: exercise 6.9.
        pub kings_moves: bool,
        /// Whether standing still is allowed too, which only the wind moves: exercise 6.9.
        pub standing_still: bool,
        /// Whether the wind varies: one row weaker, unchanged or one row stronger, with probability
        /// ⅓ each: exercise 6.10.
        pub stochastic_wind: bool,
    }
}

/// WindyGridWorld: reach the goal by moving up (0), right (1), down (2) or left (3), while a wind
/// carries upwards with the strength of the column that the move starts from.
///
/// With king's moves, 4 to 7 are the diagonals from the upper right clockwise. Standing still is
/// the last action. The observation is the tile's number, row by row, 10 in a row. A step gives −1;
/// only the goal is terminal. Moves stop at the edge.
///
/// The best return is −15, with king's moves −7. With stochastic wind value iteration gives −20.628
/// and −10.965.
///
/// Source: Sutton and Barto, "Reinforcement Learning: An Introduction" (2nd edition, 2018),
/// example 6.5.
#[derive(Clone, Debug)]
pub struct WindyGridWorld {
    config: WindyGridWorldConfig,
    tile: usize,
    last_action: Option<usize>,
}

impl WindyGridWorld {
    /// Creates the grid with these options.
    #[must_use]
    pub fn new(config: WindyGridWorldConfig) -> Self {
        Self { config, tile: START, last_action: None }
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &WindyGridWorldConfig {
        &self.config
    }

    fn moves(&self) -> usize {
        if self.config.kings_moves { 8 } else { 4 }
    }

    fn actions(&self) -> usize {
        self.moves() + usize::from(self.config.standing_still)
    }

    /// The move that an action means: none where it is to stand still.
    fn heading(&self, action: usize) -> Heading {
        if action < self.moves() { MOVES[action] } else { [0, 0] }
    }

    #[inline]
    fn arrive(&self, tile: usize, action: usize, gust: i8) -> (i64, f64, bool) {
        if tile == GOAL {
            return (GOAL as i64, 0.0, true);
        }
        let [right, down] = self.heading(action);
        let next = GRID.go(tile, [right, down - WIND[tile % GRID.columns] - gust]);
        (next as i64, -1.0, next == GOAL)
    }

    fn is_gusty(&self, tile: usize) -> bool {
        self.config.stochastic_wind && WIND[tile % GRID.columns] > 0
    }
}

impl Default for WindyGridWorld {
    fn default() -> Self {
        Self::new(WindyGridWorldConfig::default())
    }
}

impl Env for WindyGridWorld {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(GRID.size())
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(self.actions())
    }

    #[inline]
    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        (self.tile, self.last_action) = (START, None);
        Ok(START as i64)
    }

    #[inline]
    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let Some(action) = index_below(self.actions(), *action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        let gust = if self.is_gusty(self.tile) { rng.random_range(-1..=1) } else { 0 };
        let (next, reward, terminated) = self.arrive(self.tile, action, gust);
        (self.tile, self.last_action) = (next as usize, Some(action));
        Ok(Step::new(next, reward, terminated))
    }

    tile_is_state!(|_: &Self| GRID.size(), Self::actions);

    fn transitions(&self, tile: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let tile = index_below(GRID.size(), *tile)?;
        let action = index_below(self.actions(), *action)?;
        if tile == GOAL || !self.is_gusty(tile) {
            return Some(certain(self.arrive(tile, action, 0)));
        }
        let carried = |gust| {
            let (next_state, reward, terminated) = self.arrive(tile, action, gust);
            Transition { probability: 1.0 / 3.0, next_state, reward, terminated }
        };
        Some([-1, 0, 1].map(carried).to_vec())
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, START as i64)])
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let heading = self.last_action.map(|action| self.heading(action));
        Some(grid::windy(GRID.rows, &WIND, [START, GOAL], self.tile, heading))
    }

    /// Renders the player (`x`), the start, the goal, and below each column the strength of its
    /// wind.
    fn render_ansi(&self) -> Option<String> {
        let tiles = render::tiles(GRID.rows, GRID.columns, |tile| match tile {
            tile if tile == self.tile => 'x',
            START => 'S',
            GOAL => 'G',
            _ => '.',
        });
        Some(tiles + &WIND.map(|wind| wind.to_string()).concat() + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        tiles::testing::{check_model, optimum},
    };

    fn world(kings_moves: bool, standing_still: bool, stochastic_wind: bool) -> WindyGridWorld {
        let config = WindyGridWorldConfig { kings_moves, standing_still, stochastic_wind };
        WindyGridWorld::new(config)
    }

    #[test]
    fn the_model_is_complete() {
        for i in 0..8 {
            check_model(&world(i & 1 > 0, i & 2 > 0, i & 4 > 0));
        }
    }

    #[test]
    fn the_books_way_takes_15_steps() {
        assert_eq!(optimum(&WindyGridWorld::default(), 1.0, 100), -15.0);
        let (mut world, mut rng) = (WindyGridWorld::default(), Seed::new(0).rng());
        world.reset(&mut rng).unwrap();
        // Right along the upper edge, down the last column, and left into the wind.
        let way = [1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3];
        for action in way {
            assert!(!world.step(&action, &mut rng).unwrap().outcome.is_final());
        }
        assert_eq!(world.step(&3, &mut rng).unwrap(), Step::new(37, -1.0, true));
        assert_eq!(world.step(&3, &mut rng).unwrap(), Step::new(37, 0.0, true));
    }

    /// The same figures come from a second implementation, in Python.
    #[test]
    fn value_iteration_finds_the_other_optima() {
        assert_eq!(optimum(&world(true, false, false), 1.0, 100), -7.0);
        assert_eq!(optimum(&world(true, true, false), 1.0, 100), -7.0);
        let gusty = optimum(&world(false, false, true), 1.0, 1000);
        assert!((gusty + 20.628_257_887_517_15).abs() < 1e-9, "{gusty}");
        let gusty = optimum(&world(true, false, true), 1.0, 1000);
        assert!((gusty + 10.964_609_053_497_94).abs() < 1e-9, "{gusty}");
    }

    #[test]
    fn the_wind_of_the_column_moved_from_carries() {
        let (mut windy, mut rng) = (world(true, true, false), Seed::new(0).rng());
        // From row 3, column 6 (wind 2): right, down, left, the lower left, and standing still.
        for (action, row, column) in [(1, 1, 7), (2, 2, 6), (3, 1, 5), (6, 2, 5), (8, 1, 6)] {
            windy.set_state(&[GRID.tile(3, 6) as f64]).unwrap();
            let next = windy.step(&action, &mut rng).unwrap().observation;
            assert_eq!(next, GRID.tile(row, column) as i64, "{action}");
        }
        // No further than the edge; and from a calm column no wind, whatever blows at the other.
        windy.set_state(&[GRID.tile(1, 6) as f64]).unwrap();
        assert_eq!(windy.step(&4, &mut rng).unwrap().observation, 7);
        windy.set_state(&[GRID.tile(3, 2) as f64]).unwrap();
        assert_eq!(windy.step(&1, &mut rng).unwrap().observation, GRID.tile(3, 3) as i64);
        assert!(WindyGridWorld::default().step(&4, &mut rng).is_err());
    }

    #[test]
    fn gusts_occur_as_often_as_the_model_says() {
        let (mut windy, mut rng) = (world(false, false, true), Seed::new(1).rng());
        let mut counts = [0; GRID.size()];
        for _ in 0..30_000 {
            windy.set_state(&[GRID.tile(5, 3) as f64]).unwrap();
            counts[windy.step(&1, &mut rng).unwrap().observation as usize] += 1;
        }
        for row in [3, 4, 5] {
            let share = f64::from(counts[GRID.tile(row, 4)]) / 30_000.0;
            assert!((share - 1.0 / 3.0).abs() < 0.015, "{row}: {share}");
        }
        // Where there is no wind there are no gusts.
        assert_eq!(windy.transitions(&(START as i64), &1).unwrap().len(), 1);
    }

    #[test]
    fn text_shows_the_wind() {
        let text = WindyGridWorld::default().render_ansi().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines[3], lines[7]), ("x......G..", "0001112210"));
    }
}
