//! Breakout, simplified.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

#[cfg(feature = "render")]
use crate::render::{Colour, Frame, cells};
use crate::tiles::{Grid, expect_indices, index_below};
use crate::{Discrete, Env, EnvError, Rng, RowSpace, Step, Storage, render};

const GRID: Grid = Grid { rows: 10, columns: 10 };
const LAST: usize = 9;
const CHANNELS: usize = 4;
/// The rows of the wall, from the second of the board on.
const WALL: usize = 3;
const BRICKS: usize = WALL * GRID.columns;
/// What `state` tells beside the bricks.
const NUMBERS: usize = 8;

/// Where the ball goes: to the right or to the left, down or up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Direction {
    right: bool,
    down: bool,
}

impl Direction {
    fn turned_sideways(self) -> Self {
        Self { right: !self.right, ..self }
    }

    fn turned_upside_down(self) -> Self {
        Self { down: !self.down, ..self }
    }

    /// MinAtar's number: from the upper left clockwise.
    fn number(self) -> usize {
        match (self.right, self.down) {
            (false, false) => 0,
            (true, false) => 1,
            (true, true) => 2,
            (false, true) => 3,
        }
    }

    fn from_number(number: usize) -> Self {
        Self { right: matches!(number, 1 | 2), down: matches!(number, 2 | 3) }
    }
}

/// Breakout: keep a ball in play with a paddle that stays (0) or moves left (1) or right (2), and
/// break the bricks of a wall with it.
///
/// The observation is an image of 10 by 10 pixels and 4 binary channels: the paddle, the ball, the
/// ball's previous place, and the bricks. Each broken brick gives 1; when the wall of 3 rows is
/// gone, a new one appears. The ball moves along diagonals, from a random side. The episode
/// terminates when it passes the paddle. With probability `sticky_action_probability` the previous
/// action is repeated instead of the chosen one; it survives a reset, as in MinAtar.
///
/// Without sticky actions, a paddle that follows the ball never loses it, so the return is
/// unbounded without a step limit. The registered environment truncates episodes after 1000 steps,
/// and counts as solved from a third of a wall on.
///
/// Source: Young and Tian, "MinAtar: An Atari-inspired testbed for thorough and reproducible
/// reinforcement learning experiments" (2019), version 1.0.15 with its minimal set of actions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Breakout {
    /// The probability that the previous action is repeated instead of the chosen one; in [0, 1].
    pub sticky_action_probability: f64,
    state: State,
    /// The memory of the next picture.
    #[serde(skip)]
    spare: Vec<f32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    ball: [usize; 2],
    last_ball: [usize; 2],
    direction: Direction,
    paddle: usize,
    /// Whether the step before broke a brick, or passed one since; it breaks no other then.
    strike: bool,
    last_action: usize,
    is_lost: bool,
    bricks: [bool; BRICKS],
}

impl Default for Breakout {
    fn default() -> Self {
        Self::new(0.1).expect("0.1 is a probability")
    }
}

impl Breakout {
    /// Creates a game with this probability of sticky actions.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the probability lies outside 0..=1.
    pub fn new(sticky_action_probability: f64) -> Result<Self, EnvError> {
        let state = State::start(false, 0);
        Self { sticky_action_probability, state, spare: Vec::new() }.checked()
    }

    /// Itself, if its option is valid.
    pub(super) fn checked(self) -> Result<Self, EnvError> {
        let p = self.sticky_action_probability;
        if (0.0..=1.0).contains(&p) {
            return Ok(self);
        }
        let reason = format!("`sticky_action_probability` must lie in 0..=1, got {p}");
        Err(EnvError::invalid_option(super::BREAKOUT, reason))
    }

    fn observation(&mut self) -> Vec<f32> {
        let spare = std::mem::take(&mut self.spare);
        self.picture(spare)
    }

    /// The observation, written into the memory of `picture`.
    fn picture(&self, mut picture: Vec<f32>) -> Vec<f32> {
        picture.clear();
        picture.resize(GRID.size() * CHANNELS, 0.0);
        let mut light = |[row, column]: [usize; 2], channel: usize| {
            picture[GRID.tile(row, column) * CHANNELS + channel] = 1.0;
        };
        light([LAST, self.state.paddle], 0);
        light(self.state.ball, 1);
        light(self.state.last_ball, 2);
        for brick in (0..BRICKS).filter(|&brick| self.state.bricks[brick]) {
            light([1 + brick / GRID.columns, brick % GRID.columns], 3);
        }
        picture
    }
}

impl State {
    fn start(from_the_right: bool, last_action: usize) -> Self {
        let ball = [3, if from_the_right { LAST } else { 0 }];
        Self {
            ball,
            last_ball: ball,
            direction: Direction { right: !from_the_right, down: true },
            paddle: 4,
            strike: false,
            last_action,
            is_lost: false,
            bricks: [true; BRICKS],
        }
    }

    /// The number of the brick at a place.
    fn brick_at(&self, [row, column]: [usize; 2]) -> Option<usize> {
        let brick = (row.checked_sub(1)? < WALL).then(|| (row - 1) * GRID.columns + column);
        brick.filter(|&brick| self.bricks[brick])
    }

    /// Moves the paddle and the ball by a step, and returns the reward.
    fn advance(&mut self, action: usize) -> f64 {
        match action {
            1 => self.paddle = self.paddle.saturating_sub(1),
            2 => self.paddle = (self.paddle + 1).min(LAST),
            _ => {}
        }
        let [row, column] = self.ball;
        self.last_ball = self.ball;
        let mut reward = 0.0;
        // Off the board, the ball stays in its row or column and turns.
        let is_at_a_side = column == if self.direction.right { LAST } else { 0 };
        let next_column = match self.direction.right {
            _ if is_at_a_side => column,
            true => column + 1,
            false => column - 1,
        };
        let is_at_the_top = !self.direction.down && row == 0;
        let mut next_row = match self.direction.down {
            _ if is_at_the_top => 0,
            true => row + 1,
            false => row - 1,
        };
        if is_at_a_side {
            self.direction = self.direction.turned_sideways();
        }
        let mut touches_a_brick = false;
        if is_at_the_top {
            self.direction = self.direction.turned_upside_down();
        } else if let Some(brick) = self.brick_at([next_row, next_column]) {
            touches_a_brick = true;
            if !self.strike {
                (reward, self.strike, self.bricks[brick]) = (1.0, true, false);
                next_row = row;
                self.direction = self.direction.turned_upside_down();
            }
        } else if next_row == LAST {
            if !self.bricks.contains(&true) {
                self.bricks = [true; BRICKS];
            }
            if column == self.paddle {
                self.direction = self.direction.turned_upside_down();
                next_row = row;
            } else if next_column == self.paddle {
                self.direction = self.direction.turned_upside_down().turned_sideways();
                next_row = row;
            } else {
                self.is_lost = true;
            }
        }
        self.strike &= touches_a_brick;
        self.ball = [next_row, next_column];
        reward
    }
}

impl Env for Breakout {
    type ObservationSpace = RowSpace;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> RowSpace {
        let width = GRID.size() * CHANNELS;
        let shape = vec![GRID.rows, GRID.columns, CHANNELS];
        RowSpace::new(vec![0.0; width], vec![1.0; width], shape)
            .and_then(|board| board.with_storage(Storage::U8))
            .expect("the bounds fit the shape")
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Vec<f32>, EnvError> {
        self.state = State::start(rng.random(), self.state.last_action);
        Ok(self.observation())
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<Vec<f32>>, EnvError> {
        let Some(action) = index_below(3, *action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        let is_sticky = rng.random::<f64>() < self.sticky_action_probability;
        let action = if is_sticky { self.state.last_action } else { action };
        self.state.last_action = action;
        if self.state.is_lost {
            return Ok(Step::new(self.observation(), 0.0, true));
        }
        let reward = self.state.advance(action);
        Ok(Step::new(self.observation(), reward, self.state.is_lost))
    }

    fn recycle(&mut self, picture: Vec<f32>) {
        self.spare = picture;
    }

    fn save(&self) -> Option<serde_json::Value> {
        gymnast_json::to_value(self).ok()
    }

    fn restore(&mut self, snapshot: &serde_json::Value) -> Result<(), EnvError> {
        let game = gymnast_json::from_value::<Self>(snapshot).map_err(|error| error.to_string());
        let game = game.and_then(|game| {
            let State { ball, last_ball, paddle, last_action, is_lost, .. } = game.state;
            let places = [ball[0], ball[1], last_ball[0], last_ball[1], paddle];
            let on_the_board = places.iter().all(|&place| place <= LAST);
            if on_the_board && last_action < 3 && is_lost == (ball[0] == LAST) {
                game.checked().map_err(|error| error.to_string())
            } else {
                Err(snapshot.to_string())
            }
        });
        *self = game.map_err(|got| EnvError::InvalidState {
            expected: "a snapshot of Breakout: places in 0..=9, an action in 0..=2".to_owned(),
            got,
        })?;
        Ok(())
    }

    /// The ball's row, column and direction (0 to the upper left, then clockwise), the paddle's
    /// column, the row and column where the ball was before, whether it broke a brick just now, the
    /// action taken before; then the 30 bricks, row by row.
    fn state(&self) -> Option<Vec<f64>> {
        let State { ball, last_ball, direction, paddle, strike, last_action, .. } = self.state;
        let numbers: [usize; NUMBERS] = [
            ball[0],
            ball[1],
            direction.number(),
            paddle,
            last_ball[0],
            last_ball[1],
            strike.into(),
            last_action,
        ];
        let bricks = self.state.bricks.map(usize::from);
        Some(numbers.iter().chain(&bricks).map(|&x| x as f64).collect())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let mut sizes = [2; NUMBERS + BRICKS];
        sizes[..NUMBERS].copy_from_slice(&[10, 10, 4, 10, 10, 10, 2, 3]);
        let numbers: [usize; NUMBERS + BRICKS] = expect_indices(state, sizes)?;
        self.state = State {
            ball: [numbers[0], numbers[1]],
            last_ball: [numbers[4], numbers[5]],
            direction: Direction::from_number(numbers[2]),
            paddle: numbers[3],
            strike: numbers[6] == 1,
            last_action: numbers[7],
            // The ball is in the last row only when it has passed the paddle.
            is_lost: numbers[0] == LAST,
            bricks: std::array::from_fn(|brick| numbers[NUMBERS + brick] == 1),
        };
        Ok(())
    }

    fn observe(&self) -> Option<Vec<f32>> {
        Some(self.picture(Vec::new()))
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let State { ball, last_ball, paddle, .. } = self.state;
        Some(cells::picture(GRID.rows, GRID.columns, |row, column| {
            let place = [row, column];
            if place == ball {
                Colour::ORANGE
            } else if place == [LAST, paddle] {
                Colour::BLUE
            } else if place == last_ball {
                Colour::ORANGE.mix(cells::DARK, 0.65)
            } else if self.state.brick_at(place).is_some() {
                Colour::VERMILLION.mix(Colour::PURPLE, (row - 1) as f64 / 2.0)
            } else {
                cells::DARK
            }
        }))
    }

    /// The board with the ball as `o`, its trail as `'`, the paddle as `=` and the bricks as `#`.
    fn render_ansi(&self) -> Option<String> {
        Some(render::tiles(GRID.rows, GRID.columns, |tile| {
            let place = [tile / GRID.columns, tile % GRID.columns];
            match place {
                place if place == self.state.ball => 'o',
                place if place == [LAST, self.state.paddle] => '=',
                place if place == self.state.last_ball => '\'',
                place if self.state.brick_at(place).is_some() => '#',
                _ => '.',
            }
        }))
    }
}

#[cfg(test)]
#[path = "breakout_tests.rs"]
mod tests;
