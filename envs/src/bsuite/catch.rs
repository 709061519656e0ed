//! Catch: a falling ball, and a paddle to catch it.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "render")]
use crate::render::{Colour, Frame, cells};
use crate::tiles::{Grid, certain, expect_indices, index_below, snapshot_index};
use crate::{Discrete, Env, EnvError, Rng, RowSpace, Step, Storage, Transition, render};

const MAX_SIDE: usize = 100;

crate::documented! {
    /// The options of [`Catch`].
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct CatchConfig {
        /// The rows of the board, from 2 to 100; the paddle moves in the last.
        pub rows: usize,
        /// The columns of the board, from 1 to 100.
        pub columns: usize,
    }
}

impl Default for CatchConfig {
    fn default() -> Self {
        Self { rows: 10, columns: 5 }
    }
}

/// Catch: be under the ball when it comes down, by moving a paddle left (0), not at all (1) or
/// right (2).
///
/// The observation is the board as an image of `rows` by `columns` pixels: 1 for the ball and the
/// paddle, 0 elsewhere. The ball falls one row per step, from a random column; the paddle starts in
/// the middle. The step on which the ball reaches the last row is terminal and gives 1 if the
/// paddle is there and −1 if not; all others give 0. The best return is 1.
///
/// Source: Osband et al., "Behaviour suite for reinforcement learning" (2020), bsuite's `catch`.
#[derive(Clone, Debug)]
pub struct Catch {
    grid: Grid,
    position: Position,
    /// The memory of the next board.
    spare: Vec<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Position {
    ball_row: usize,
    ball_column: usize,
    paddle: usize,
}

impl Catch {
    /// Creates a board of this size.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] unless it has 2 to 100 rows and 1 to 100 columns.
    pub fn new(config: CatchConfig) -> Result<Self, EnvError> {
        let sides = [("rows", config.rows, 2), ("columns", config.columns, 1)];
        for (name, side, least) in sides {
            if !(least..=MAX_SIDE).contains(&side) {
                let reason = format!("`{name}` must lie in {least}..={MAX_SIDE}, got {side}");
                return Err(EnvError::invalid_option("Catch-v0", reason));
            }
        }
        let grid = Grid { rows: config.rows, columns: config.columns };
        Ok(Self { grid, position: start(grid, 0), spare: Vec::new() })
    }

    /// The board that a position shows.
    fn board(&self, position: Position) -> Vec<f32> {
        self.board_in(Vec::new(), position)
    }

    /// The board that is seen now.
    fn observation(&mut self) -> Vec<f32> {
        let spare = std::mem::take(&mut self.spare);
        self.board_in(spare, self.position)
    }

    /// The board that a position shows, written into the memory of `board`.
    fn board_in(&self, mut board: Vec<f32>, position: Position) -> Vec<f32> {
        board.clear();
        board.resize(self.grid.size(), 0.0);
        board[self.grid.tile(position.ball_row, position.ball_column)] = 1.0;
        board[self.grid.tile(self.grid.rows - 1, position.paddle)] = 1.0;
        board
    }

    /// The position that a board shows; `None` if it shows none, or one at an episode's end.
    fn read(&self, board: &[f32]) -> Option<Position> {
        let is_binary = board.iter().all(|&pixel| pixel == 0.0 || pixel == 1.0);
        let lit: Vec<usize> = (0..board.len()).filter(|&i| board[i] == 1.0).collect();
        let &[ball, paddle] = &lit[..] else { return None };
        let Grid { rows, columns } = self.grid;
        let fits = is_binary && board.len() == self.grid.size();
        let (ball_row, ball_column) = (ball / columns, ball % columns);
        (fits && ball_row < rows - 1 && paddle / columns == rows - 1).then_some(Position {
            ball_row,
            ball_column,
            paddle: paddle % columns,
        })
    }

    /// What comes of an action: the next position, the reward, whether it is terminal.
    #[inline]
    fn arrive(&self, position: Position, action: usize) -> (Position, f64, bool) {
        let last = self.grid.rows - 1;
        if position.ball_row == last {
            return (position, 0.0, true);
        }
        // The action is a step to the right, plus 1.
        let paddle = (position.paddle + action).saturating_sub(1).min(self.grid.columns - 1);
        let next = Position { ball_row: position.ball_row + 1, paddle, ..position };
        let is_down = next.ball_row == last;
        let reward = match (is_down, paddle == next.ball_column) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => -1.0,
        };
        (next, reward, is_down)
    }
}

/// A ball at the top of a column.
fn start(grid: Grid, ball_column: usize) -> Position {
    Position { ball_row: 0, ball_column, paddle: grid.columns / 2 }
}

impl Default for Catch {
    fn default() -> Self {
        Self::new(CatchConfig::default()).expect("the defaults are valid")
    }
}

impl Env for Catch {
    type ObservationSpace = RowSpace;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> RowSpace {
        let (width, shape) = (self.grid.size(), vec![self.grid.rows, self.grid.columns]);
        RowSpace::new(vec![0.0; width], vec![1.0; width], shape)
            .and_then(|board| board.with_storage(Storage::U8))
            .expect("the bounds fit the shape")
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        self.position = start(self.grid, rng.random_range(0..self.grid.columns as u64) as usize);
        Ok(self.observation())
    }

    #[inline]
    fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        let Some(action) = index_below(3, *action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        let (next, reward, terminated) = self.arrive(self.position, action);
        self.position = next;
        Ok(Step::new(self.observation(), reward, terminated))
    }

    #[inline]
    fn recycle(&mut self, board: Vec<f32>) {
        self.spare = board;
    }

    fn save(&self) -> Option<Value> {
        let Position { ball_row, ball_column, paddle } = self.position;
        Some(json!({ "ball_row": ball_row, "ball_column": ball_column, "paddle": paddle }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        self.position = Position {
            ball_row: snapshot_index(snapshot, "ball_row", self.grid.rows)?,
            ball_column: snapshot_index(snapshot, "ball_column", self.grid.columns)?,
            paddle: snapshot_index(snapshot, "paddle", self.grid.columns)?,
        };
        Ok(())
    }

    /// The ball's row and column and the paddle's column.
    fn state(&self) -> Option<Vec<f64>> {
        let Position { ball_row, ball_column, paddle } = self.position;
        Some([ball_row, ball_column, paddle].map(|x| x as f64).to_vec())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let Grid { rows, columns } = self.grid;
        let [ball_row, ball_column, paddle] = expect_indices(state, [rows, columns, columns])?;
        self.position = Position { ball_row, ball_column, paddle };
        Ok(())
    }

    fn observe(&self) -> Option<Vec<f32>> {
        Some(self.board(self.position))
    }

    /// For boards on which the ball still falls.
    fn transitions(&self, board: &Vec<f32>, action: &i64) -> Option<Vec<Transition<Vec<f32>>>> {
        let action = index_below(3, *action)?;
        let (next, reward, terminated) = self.arrive(self.read(board)?, action);
        Some(certain((self.board(next), reward, terminated)))
    }

    fn initial_states(&self) -> Option<Vec<(f64, Vec<f32>)>> {
        let probability = 1.0 / self.grid.columns as f64;
        let start = |column| (probability, self.board(start(self.grid, column)));
        Some((0..self.grid.columns).map(start).collect())
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let Position { ball_row, ball_column, paddle } = self.position;
        Some(cells::picture(self.grid.rows, self.grid.columns, |row, column| {
            if (row, column) == (ball_row, ball_column) {
                Colour::ORANGE
            } else if (row, column) == (self.grid.rows - 1, paddle) {
                Colour::BLUE
            } else {
                cells::DARK
            }
        }))
    }

    /// The board with the ball as `o` and the paddle as `=`.
    fn render_ansi(&self) -> Option<String> {
        let ball = self.grid.tile(self.position.ball_row, self.position.ball_column);
        let paddle = self.grid.tile(self.grid.rows - 1, self.position.paddle);
        Some(render::tiles(self.grid.rows, self.grid.columns, |tile| match tile {
            tile if tile == ball => 'o',
            tile if tile == paddle => '=',
            _ => '.',
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    /// The best return from a position, by recursion over the model.
    fn best(catch: &Catch, board: &Vec<f32>) -> f64 {
        let value = |action| {
            let model = catch.transitions(board, &action).unwrap();
            let t = &model[0];
            t.reward + if t.terminated { 0.0 } else { best(catch, &t.next_state) }
        };
        (0..3).map(value).fold(f64::MIN, f64::max)
    }

    #[test]
    fn every_ball_can_be_caught() {
        let catch = Catch::new(CatchConfig { rows: 7, columns: 5 }).unwrap();
        for (probability, board) in catch.initial_states().unwrap() {
            assert_eq!((probability, best(&catch, &board)), (0.2, 1.0));
        }
        // In two steps the paddle does not come as far as the corners of 7 columns.
        let wide = Catch::new(CatchConfig { rows: 3, columns: 7 }).unwrap();
        let values = wide.initial_states().unwrap();
        let values: Vec<f64> = values.iter().map(|(_, board)| best(&wide, board)).collect();
        assert_eq!(values, [-1.0, 1.0, 1.0, 1.0, 1.0, 1.0, -1.0]);
    }

    #[test]
    fn an_episode_by_hand() {
        let (mut catch, mut rng) = (Catch::default(), Seed::new(0).rng());
        catch.set_state(&[0.0, 4.0, 2.0]).unwrap();
        for (action, paddle) in [(2, 3), (2, 4), (2, 4), (0, 3), (0, 2), (0, 1), (0, 0), (0, 0)] {
            let step = catch.step(&action, &mut rng).unwrap();
            assert_eq!((step.reward, step.outcome.is_final()), (0.0, false));
            assert_eq!(catch.position.paddle, paddle);
        }
        let mut twin = catch.clone();
        let missed = catch.step(&1, &mut rng).unwrap();
        assert_eq!((missed.reward, missed.outcome.terminated()), (-1.0, true));
        assert_eq!(missed.observation.iter().sum::<f32>(), 2.0);
        assert_eq!(catch.step(&1, &mut rng).unwrap().reward, 0.0);

        twin.set_state(&[8.0, 4.0, 3.0]).unwrap();
        let caught = twin.step(&2, &mut rng).unwrap();
        assert_eq!((caught.reward, caught.outcome.terminated()), (1.0, true));
        assert_eq!(caught.observation.iter().position(|&pixel| pixel == 1.0), Some(49));
        assert!(twin.step(&3, &mut rng).is_err() && twin.step(&-1, &mut rng).is_err());
    }

    #[test]
    fn only_boards_in_play_have_a_model() {
        let catch = Catch::default();
        let (mut none, mut three) = (vec![0.0; 50], vec![0.0; 50]);
        none[49] = 1.0;
        three[..2].fill(1.0);
        three[49] = 1.0;
        for board in [vec![], none, three, vec![0.5; 50]] {
            assert!(catch.transitions(&board, &0).is_none());
        }
    }

    #[test]
    fn text_shows_ball_and_paddle() {
        let mut catch = Catch::new(CatchConfig { rows: 3, columns: 4 }).unwrap();
        catch.set_state(&[1.0, 0.0, 2.0]).unwrap();
        assert_eq!(catch.render_ansi().unwrap(), "....\no...\n..=.\n");
    }
}
