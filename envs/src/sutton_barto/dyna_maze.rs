//! Mazes whose walls may move.

use serde_json::{Value, json};

#[cfg(feature = "render")]
use crate::render::{Frame, grid};
use crate::tiles::{
    COMPASS, Grid, certain, expect_index, expect_indices, index_below, snapshot_action,
    snapshot_index,
};
use crate::{Discrete, Env, EnvError, Rng, Step, Transition, render};

type Plan = [&'static str; 6];

const GRID: Grid = Grid { rows: 6, columns: 9 };
const GOAL: usize = 8;

/// Example 8.1.
const DYNA: Plan = [
    ".......#G", //
    "..#....#.",
    "S.#....#.",
    "..#......",
    ".....#...",
    ".........",
];
/// A wall with its opening at the right.
const OPEN_AT_THE_RIGHT: Plan = [
    "........G", //
    ".........",
    ".........",
    "########.",
    ".........",
    "...S.....",
];
/// The same wall with its opening at the left.
const OPEN_AT_THE_LEFT: Plan = [
    "........G", //
    ".........",
    ".........",
    ".########",
    ".........",
    "...S.....",
];
/// The same wall with both.
const OPEN_AT_BOTH_ENDS: Plan = [
    "........G", //
    ".........",
    ".........",
    ".#######.",
    ".........",
    "...S.....",
];

/// DynaMaze: find the way from the start to the goal by moving up (0), right (1), down (2) or left
/// (3).
///
/// The observation is the tile's number, row by row, 9 in a row. A move into a wall or over the
/// edge has no effect. Arriving at the goal gives 1 and is terminal, every other step 0: use a
/// discount below 1 (0.95 in the book), or short and long ways are worth the same.
///
/// | maze | the shortest way | after the walls have moved |
/// |---|---|---|
/// | [`dyna`](Self::dyna) | 14 steps | |
/// | [`blocking`](Self::blocking) | 10 steps | 16 steps |
/// | [`shortcut`](Self::shortcut) | 16 steps | 10 steps |
///
/// Walls move once, after a number of steps counted over all episodes: the count survives
/// [`reset`](Env::reset), is part of a snapshot and the second number of the [`state`](Env::state).
/// Each environment counts its own steps, so in a fresh one, as in an evaluation, the walls are in
/// their first place. [`transitions`](Env::transitions) describe the next step.
///
/// Source: Sutton and Barto, "Reinforcement Learning: An Introduction" (2nd edition, 2018),
/// examples 8.1 to 8.3.
#[derive(Clone, Debug)]
pub struct DynaMaze {
    plan: &'static Plan,
    moved: Option<Moved>,
    tile: usize,
    steps: u64,
    last_action: Option<usize>,
}

/// How walls move.
#[derive(Clone, Copy, Debug)]
struct Moved {
    plan: &'static Plan,
    after: u64,
}

impl DynaMaze {
    /// Creates the maze of example 8.1.
    #[must_use]
    pub fn dyna() -> Self {
        Self::new(&DYNA, None)
    }

    /// Creates the maze of example 8.2: after `walls_move_after` steps (1000 in the book) its short
    /// way is blocked and a longer one opened.
    #[must_use]
    pub fn blocking(walls_move_after: u64) -> Self {
        let moved = Moved { plan: &OPEN_AT_THE_LEFT, after: walls_move_after };
        Self::new(&OPEN_AT_THE_RIGHT, Some(moved))
    }

    /// Creates the maze of example 8.3: after `walls_move_after` steps (3000 in the book) a second,
    /// shorter way opens.
    #[must_use]
    pub fn shortcut(walls_move_after: u64) -> Self {
        let moved = Moved { plan: &OPEN_AT_BOTH_ENDS, after: walls_move_after };
        Self::new(&OPEN_AT_THE_LEFT, Some(moved))
    }

    fn new(plan: &'static Plan, moved: Option<Moved>) -> Self {
        Self { plan, moved, tile: start_of(plan), steps: 0, last_action: None }
    }

    /// Returns the maze at the next step: rows of walls (`#`), the start (`S`), the goal (`G`) and
    /// free tiles (`.`).
    #[must_use]
    pub fn desc(&self) -> &'static [&'static str; 6] {
        match self.moved {
            Some(moved) if self.steps >= moved.after => moved.plan,
            _ => self.plan,
        }
    }

    /// Returns the number of steps so far, over all episodes.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    #[inline]
    fn arrive(&self, tile: usize, action: usize) -> (i64, f64, bool) {
        if tile == GOAL {
            return (GOAL as i64, 0.0, true);
        }
        let next = GRID.go(tile, COMPASS[action]);
        let next = if letter(self.desc(), next) == b'#' { tile } else { next };
        let is_goal = next == GOAL;
        (next as i64, f64::from(u8::from(is_goal)), is_goal)
    }
}

impl Default for DynaMaze {
    fn default() -> Self {
        Self::dyna()
    }
}

fn letter(plan: &Plan, tile: usize) -> u8 {
    plan[tile / GRID.columns].as_bytes()[tile % GRID.columns]
}

fn start_of(plan: &Plan) -> usize {
    (0..GRID.size()).find(|&tile| letter(plan, tile) == b'S').expect("each plan has a start")
}

impl Env for DynaMaze {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(GRID.size())
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(COMPASS.len())
    }

    #[inline]
    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        (self.tile, self.last_action) = (start_of(self.plan), None);
        Ok(self.tile as i64)
    }

    #[inline]
    fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let Some(action) = index_below(COMPASS.len(), *action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        let (next, reward, terminated) = self.arrive(self.tile, action);
        (self.tile, self.last_action) = (next as usize, Some(action));
        self.steps = self.steps.saturating_add(1);
        Ok(Step::new(next, reward, terminated))
    }

    fn save(&self) -> Option<Value> {
        let last_action = self.last_action;
        Some(json!({ "tile": self.tile, "steps": self.steps, "last_action": last_action }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let tile = snapshot_index(snapshot, "tile", GRID.size())?;
        let last_action = snapshot_action(snapshot, COMPASS.len())?;
        let steps = snapshot["steps"].as_u64().ok_or_else(|| EnvError::InvalidState {
            expected: "`steps`, an integer of at least 0".to_owned(),
            got: snapshot["steps"].to_string(),
        })?;
        (self.tile, self.steps, self.last_action) = (tile, steps, last_action);
        Ok(())
    }

    /// Returns the tile and, if walls move, the number of steps.
    fn state(&self) -> Option<Vec<f64>> {
        let tile = self.tile as f64;
        Some(if self.moved.is_some() { vec![tile, self.steps as f64] } else { vec![tile] })
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        if self.moved.is_none() {
            self.tile = expect_index(state, GRID.size())?;
            return Ok(());
        }
        // f64 holds every count below 2⁵³.
        let [tile, steps] = expect_indices(state, [GRID.size(), 1 << 53])?;
        (self.tile, self.steps) = (tile, steps as u64);
        Ok(())
    }

    fn observe(&self) -> Option<i64> {
        Some(self.tile as i64)
    }

    fn transitions(&self, tile: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let tile = index_below(GRID.size(), *tile)?;
        let action = index_below(COMPASS.len(), *action)?;
        Some(certain(self.arrive(tile, action)))
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, start_of(self.plan) as i64)])
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(grid::maze(self.desc(), self.tile, self.last_action.map(|action| COMPASS[action])))
    }

    /// Renders the rows of [`desc`](Self::desc) with an `x` for the player.
    fn render_ansi(&self) -> Option<String> {
        Some(render::tiles(GRID.rows, GRID.columns, |tile| match tile {
            tile if tile == self.tile => 'x',
            tile => letter(self.desc(), tile).into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        tiles::testing::{check_model, optimum},
    };

    /// The steps of the shortest way, from the value 0.95ⁿ⁻¹ of being n steps away.
    fn shortest(maze: &DynaMaze) -> f64 {
        1.0 + optimum(maze, 0.95, 60).ln() / 0.95_f64.ln()
    }

    #[test]
    fn the_models_are_complete() {
        let blocked = DynaMaze::blocking(0);
        for maze in [DynaMaze::dyna(), DynaMaze::blocking(1), blocked, DynaMaze::shortcut(0)] {
            check_model(&maze);
        }
    }

    #[test]
    fn value_iteration_finds_the_books_shortest_ways() {
        let ways = [
            (DynaMaze::dyna(), 14.0),
            (DynaMaze::blocking(1000), 10.0),
            (DynaMaze::blocking(0), 16.0),
            (DynaMaze::shortcut(3000), 16.0),
            (DynaMaze::shortcut(0), 10.0),
        ];
        for (maze, steps) in ways {
            assert!((shortest(&maze) - steps).abs() < 1e-9, "{maze:?}");
        }
    }

    #[test]
    fn walls_and_edges_stop_and_the_goal_is_worth_1() {
        let (mut maze, mut rng) = (DynaMaze::dyna(), Seed::new(0).rng());
        assert_eq!(maze.reset(&mut rng).unwrap(), 18);
        // The edge on the left, one to the right, the wall, and up along it.
        for (action, tile) in [(3, 18), (1, 19), (1, 19), (0, 10), (1, 10)] {
            assert_eq!(maze.step(&action, &mut rng).unwrap(), Step::new(tile, 0.0, false));
        }
        maze.set_state(&[17.0]).unwrap();
        assert_eq!(maze.step(&0, &mut rng).unwrap(), Step::new(8, 1.0, true));
        assert_eq!(maze.step(&2, &mut rng).unwrap(), Step::new(8, 0.0, true));
        assert!(maze.step(&4, &mut rng).is_err() && maze.step(&-1, &mut rng).is_err());
    }

    #[test]
    fn the_walls_move_after_the_given_step_and_stay_moved() {
        let (mut maze, mut rng) = (DynaMaze::blocking(3), Seed::new(0).rng());
        // Below the opening at the right, the way up is free at first.
        let below = GRID.tile(4, 8) as f64;
        for (steps, tile) in [(2.0, GRID.tile(3, 8)), (3.0, GRID.tile(4, 8))] {
            maze.set_state(&[below, steps]).unwrap();
            let model = maze.transitions(&(below as i64), &0).unwrap();
            let step = maze.step(&0, &mut rng).unwrap();
            assert_eq!((step.observation, model[0].next_state), (tile as i64, tile as i64));
        }
        maze.reset(&mut rng).unwrap();
        assert_eq!((maze.steps(), maze.desc()), (4, &OPEN_AT_THE_LEFT));

        // Who stands where the wall comes down walks off.
        maze.set_state(&[GRID.tile(3, 8) as f64, 3.0]).unwrap();
        assert_eq!(maze.step(&0, &mut rng).unwrap().observation, GRID.tile(2, 8) as i64);
    }

    #[test]
    fn the_count_of_steps_is_saved() {
        let (mut maze, mut rng) = (DynaMaze::shortcut(5), Seed::new(0).rng());
        maze.reset(&mut rng).unwrap();
        for _ in 0..4 {
            maze.step(&1, &mut rng).unwrap();
        }
        let mut twin = DynaMaze::shortcut(5);
        twin.restore(&maze.save().unwrap()).unwrap();
        assert_eq!((twin.steps(), twin.desc()), (4, &OPEN_AT_THE_LEFT));
        twin.step(&1, &mut rng).unwrap();
        assert_eq!(twin.desc(), &OPEN_AT_BOTH_ENDS);
        for bad in [json!({ "tile": 54, "steps": 0, "last_action": null }), json!({ "tile": 3 })] {
            assert!(twin.restore(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_shows_the_walls_and_the_player() {
        let text = DynaMaze::dyna().render_ansi().unwrap();
        assert!(text.starts_with(".......#G\n..#....#.\nx.#....#.\n"), "{text}");
    }
}
