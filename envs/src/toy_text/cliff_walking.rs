//! CliffWalking: a path along a cliff.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

#[cfg(feature = "render")]
use crate::render::{Frame, grid};
use crate::tiles::{COMPASS, Grid, certain, numbered_actions, tile_is_state};
use crate::{Discrete, Env, EnvError, Rng, Step, Transition};

const ROWS: usize = 4;
const COLUMNS: usize = 12;
const GRID: Grid = Grid { rows: ROWS, columns: COLUMNS };
const START: usize = 36;
const GOAL: usize = 47;
/// The tile that each direction leads to, from each tile.
static NEIGHBOURS: [[usize; 4]; ROWS * COLUMNS] = {
    let mut neighbours = [[0; 4]; ROWS * COLUMNS];
    let mut i = 0;
    while i < 4 * ROWS * COLUMNS {
        neighbours[i / 4][i % 4] = GRID.go(i / 4, COMPASS[i % 4]);
        i += 1;
    }
    neighbours
};

crate::documented! {
    /// The options of [`CliffWalking`].
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct CliffWalkingConfig {
        /// Whether moves are slippery: the intended direction and both sides have probability ⅓
        /// each.
        pub is_slippery: bool,
    }
}

/// CliffWalking: go from the bottom left to the bottom right by moving up (0), right (1), down (2)
/// or left (3), past a cliff.
///
/// The observation is the tile's number, row by row, 12 in a row. A step gives −1; a step over the
/// cliff gives −100 and leads back to the start. Only the goal is terminal.
///
/// Source: Sutton and Barto, example 6.6, as in Gymnasium's `CliffWalking-v1`.
#[derive(Clone, Debug)]
pub struct CliffWalking {
    config: CliffWalkingConfig,
    tile: usize,
    last_action: Option<usize>,
}

impl CliffWalking {
    /// Creates the environment with these options.
    #[must_use]
    pub fn new(config: CliffWalkingConfig) -> Self {
        Self { config, tile: START, last_action: None }
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &CliffWalkingConfig {
        &self.config
    }

    /// Moves in a direction, or slips to one of its sides.
    #[inline]
    fn walk(&mut self, action: usize, rng: &mut Rng) -> Step<i64> {
        self.last_action = Some(action);
        let turn =
            if self.config.is_slippery { rng.random_range(0..3_u32) as usize + 3 } else { 0 };
        let (next, reward, terminated) = arrive(self.tile, (action + turn) % 4);
        self.tile = next as usize;
        Step::new(next, reward, terminated)
    }
}

impl Default for CliffWalking {
    fn default() -> Self {
        Self::new(CliffWalkingConfig::default())
    }
}

fn is_cliff(tile: usize) -> bool {
    START < tile && tile < GOAL
}

/// Returns the result of going in `direction`: the next tile, the reward, whether it is terminal.
#[inline]
fn arrive(tile: usize, direction: usize) -> (i64, f64, bool) {
    let next = NEIGHBOURS[tile][direction];
    if is_cliff(next) {
        return (START as i64, -100.0, false);
    }
    (next as i64, -1.0, next == GOAL)
}

impl Env for CliffWalking {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(ROWS * COLUMNS)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(4)
    }

    #[inline]
    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        (self.tile, self.last_action) = (START, None);
        Ok(START as i64)
    }

    numbered_actions!(4, walk);

    tile_is_state!(|_: &Self| ROWS * COLUMNS, |_: &Self| 4);

    /// Returns successors as Gymnasium does, also of the goal and the cliff's tiles, where no step
    /// starts.
    fn transitions(&self, tile: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let tile = usize::try_from(*tile).ok().filter(|&tile| tile < ROWS * COLUMNS)?;
        let action = usize::try_from(*action).ok().filter(|&action| action < 4)?;
        if !self.config.is_slippery {
            return Some(certain(arrive(tile, action)));
        }
        let turned = |turn| {
            let (next_state, reward, terminated) = arrive(tile, (action + turn) % 4);
            Transition { probability: 1.0 / 3.0, next_state, reward, terminated }
        };
        Some([3, 0, 1].map(turned).to_vec())
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, START as i64)])
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(grid::cliff_walking(self.tile, self.last_action.map(|action| COMPASS[action])))
    }

    fn render_ansi(&self) -> Option<String> {
        let letter = |tile| match tile {
            tile if tile == self.tile => "x",
            GOAL => "T",
            tile if is_cliff(tile) => "C",
            _ => "o",
        };
        let row = |row| {
            let letters = (row * COLUMNS..(row + 1) * COLUMNS).map(letter);
            letters.collect::<Vec<_>>().join("  ") + "\n"
        };
        Some((0..ROWS).map(row).collect::<String>() + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn the_model_is_complete() {
        for is_slippery in [false, true] {
            let cliff = CliffWalking::new(CliffWalkingConfig { is_slippery });
            crate::tiles::testing::check_model(&cliff);
        }
    }

    #[test]
    fn along_the_edge_takes_13_steps() {
        let (mut cliff, mut rng) = (CliffWalking::default(), Seed::new(0).rng());
        cliff.reset(&mut rng).unwrap();
        let mut total = 0.0;
        for action in [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] {
            let step = cliff.step(&action, &mut rng).unwrap();
            total += step.reward;
            assert!(!step.outcome.is_final());
        }
        let last = cliff.step(&2, &mut rng).unwrap();
        assert_eq!((total + last.reward, last.outcome.terminated()), (-13.0, true));
    }

    #[test]
    fn over_the_cliff_leads_back_to_the_start() {
        let (mut cliff, mut rng) = (CliffWalking::default(), Seed::new(0).rng());
        assert_eq!(cliff.step(&1, &mut rng).unwrap(), Step::new(36, -100.0, false));
        assert_eq!(cliff.step(&3, &mut rng).unwrap(), Step::new(36, -1.0, false));
    }

    #[test]
    fn slippery_steps_are_those_of_the_model() {
        let mut cliff = CliffWalking::new(CliffWalkingConfig { is_slippery: true });
        let mut rng = Seed::new(0).rng();
        let mut counts = [0; 48];
        for _ in 0..30_000 {
            cliff.set_state(&[14.0]).unwrap();
            counts[cliff.step(&0, &mut rng).unwrap().observation as usize] += 1;
        }
        for tile in [2, 13, 15] {
            assert!((f64::from(counts[tile]) / 30_000.0 - 1.0 / 3.0).abs() < 0.02);
        }
    }

    #[test]
    fn text_is_gymnasiums() {
        let text = CliffWalking::default().render_ansi().unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "o  o  o  o  o  o  o  o  o  o  o  o");
        assert_eq!(lines[3], "x  C  C  C  C  C  C  C  C  C  C  T");
        assert!(text.ends_with("\n\n"));
    }
}
