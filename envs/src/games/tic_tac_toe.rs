//! Tic-tac-toe: three in a row.

use std::sync::atomic::{AtomicU16, Ordering};

use serde::{Deserialize, Serialize};

use super::{
    BoardGame, BoardSpace, Game, GameEnding, Opponent, Player, Set, Stones,
    board::{Way, cells_in_rows, starts_of_rows, ways},
    minimax,
};
use crate::{FiniteSpace, Space as _, render::Look};

const SIDE: usize = 3;
const CELLS: usize = SIDE * SIDE;
const BOARD: Set = (1 << CELLS) - 1;
const WAYS: [Way; 4] = ways(SIDE, SIDE, 3);
/// The number of boards, including those that no game leads to.
const BOARDS: usize = 3_usize.pow(CELLS as u32);

/// A position of tic-tac-toe. The players take turns to put a stone on an empty cell of a board of
/// 3 by 3 (cells 0 to 8, row by row). The first to have three in a row, horizontally, vertically or
/// diagonally, wins. A full board without such a row is a draw.
///
/// With perfect play from both sides it is a draw. Perfect play against a random opponent has an
/// expected return of 0.9948 as the first player and 0.9249 as the second.
///
/// The environment is [`TwoPlayer<TicTacToe>`](super::TwoPlayer). Its observations are both finite
/// (one of 3⁹ boards) and features with an action mask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TicTacToe(Stones);

impl TicTacToe {
    /// The opponent that looks ahead to the end of the game and plays one of the best moves, each
    /// with the same probability.
    pub const PERFECT: Opponent = Opponent::Minimax { depth: CELLS as u32 };
}

impl Game for TicTacToe {
    // The middle lies in four lines, the corners in three, the sides in two.
    const ORDER: &'static [usize] = &[4, 0, 2, 6, 8, 1, 3, 5, 7];

    fn mover(&self) -> Player {
        self.0.mover().unwrap_or(Player::First)
    }

    fn moves(&self) -> Set {
        if has_won(self.0.other) { 0 } else { BOARD & !self.0.occupied() }
    }

    fn play(&mut self, action: usize) {
        self.0 = self.0.after(action);
    }

    fn ending(&self) -> Option<GameEnding> {
        if has_won(self.0.other) {
            return Some(GameEnding::Won(self.mover().other()));
        }
        (self.0.occupied() == BOARD).then_some(GameEnding::Drawn)
    }

    fn best_moves(&self, depth: u32) -> Set {
        /// What was found before by looking to the end, by the board's number; 0: nothing yet. The
        /// same for whoever looks, so that it does not matter who writes it.
        static KNOWN: [AtomicU16; BOARDS] = [const { AtomicU16::new(0) }; BOARDS];
        if depth < CELLS as u32 {
            return minimax::best_moves(self, depth);
        }
        let known = &KNOWN[BoardSpace::<Self>::new().index_of(&self.0)];
        let mut moves = Set::from(known.load(Ordering::Relaxed));
        if moves == 0 {
            moves = minimax::best_moves(self, CELLS as u32);
            known.store(moves as u16, Ordering::Relaxed);
        }
        moves
    }
}

impl BoardGame for TicTacToe {
    const ROWS: usize = SIDE;
    const COLUMNS: usize = SIDE;
    const LOOK: Look = Look::Paper;

    fn stones(&self) -> Stones {
        self.0
    }

    fn from_stones(stones: Stones) -> Option<Self> {
        // Who is to move cannot have won already.
        let fits = BoardSpace::<Self>::new().contains(&stones) && !has_won(stones.own);
        stones.mover().filter(|_| fits).map(|_| Self(stones))
    }

    fn winning_row(&self) -> Set {
        cells_in_rows(self.0.other, &WAYS, 3)
    }
}

#[inline]
fn has_won(stones: Set) -> bool {
    WAYS.iter().any(|&way| starts_of_rows(stones, way, 3) != 0)
}

/// A board's number has its cells as digits to the base 3, the first the most significant.
impl FiniteSpace for BoardSpace<TicTacToe> {
    fn size(&self) -> usize {
        BOARDS
    }

    #[inline]
    fn index_of(&self, stones: &Stones) -> usize {
        TERNARY[stones.own as usize] + 2 * TERNARY[stones.other as usize]
    }

    fn element(&self, index: usize) -> Stones {
        assert!(index < BOARDS, "index {index} is not below the size {BOARDS}");
        let digit = |cell: u32| Some(index / 3_usize.pow(CELLS as u32 - 1 - cell) % 3);
        Self::read((0..CELLS as u32).map(digit)).expect("digits to the base 3 are 0, 1 or 2")
    }
}

/// The numbers whose digits to the base 3 are the bits of a set of cells.
const TERNARY: [usize; 1 << CELLS] = {
    let mut numbers = [0; 1 << CELLS];
    let mut set = 0;
    while set < numbers.len() {
        let mut cell = 0;
        while cell < CELLS {
            numbers[set] = 3 * numbers[set] + (set >> cell & 1);
            cell += 1;
        }
        set += 1;
    }
    numbers
};

/// The agent's opponent in tic-tac-toe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TicTacToeOpponent {
    /// The agent itself, which moves for both sides.
    #[default]
    #[serde(rename = "self")]
    SelfPlay,
    /// An opponent that moves at random.
    Random,
    /// An opponent that plays perfectly.
    Perfect,
}

crate::documented! {
    /// The options of tic-tac-toe as an environment.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct TicTacToeConfig {
        /// The agent's opponent: the agent itself ("self"), random moves ("random") or perfect play
        /// ("perfect").
        pub opponent: TicTacToeOpponent,
    }
}

impl From<TicTacToeConfig> for Opponent {
    fn from(config: TicTacToeConfig) -> Self {
        match config.opponent {
            TicTacToeOpponent::SelfPlay => Self::SelfPlay,
            TicTacToeOpponent::Random => Self::Random,
            TicTacToeOpponent::Perfect => TicTacToe::PERFECT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::games::{
        members,
        minimax::testing::{assert_finds_the_best, brute_force},
    };

    fn played(moves: &[usize]) -> TicTacToe {
        moves.iter().fold(TicTacToe::default(), |mut game, &action| {
            assert!(game.moves() >> action & 1 == 1 && game.ending().is_none());
            game.play(action);
            game
        })
    }

    /// Every position that a game leads to, once.
    fn positions() -> Vec<TicTacToe> {
        let (space, mut seen) = (BoardSpace::<TicTacToe>::new(), vec![false; BOARDS]);
        let (mut found, mut open) = (vec![], vec![TicTacToe::default()]);
        while let Some(game) = open.pop() {
            if std::mem::replace(&mut seen[space.index_of(&game.0)], true) {
                continue;
            }
            found.push(game);
            open.extend(members(game.moves()).map(|action| {
                let mut after = game;
                after.play(action);
                after
            }));
        }
        found
    }

    #[test]
    fn all_eight_lines_win() {
        let lines = [
            [0, 1, 2],
            [3, 4, 5],
            [6, 7, 8],
            [0, 3, 6],
            [1, 4, 7],
            [2, 5, 8],
            [0, 4, 8],
            [2, 4, 6],
        ];
        for set in 0..1 << CELLS {
            let has_line = lines.iter().any(|line| line.iter().all(|cell| set >> cell & 1 == 1));
            assert_eq!(has_won(set), has_line, "{set:b}");
        }
    }

    #[test]
    fn games_end_as_they_should() {
        let won = played(&[0, 3, 1, 4, 2]);
        assert_eq!((won.ending(), won.moves()), (Some(GameEnding::Won(Player::First)), 0));
        let lost = played(&[0, 3, 1, 4, 8, 5]);
        assert_eq!(lost.ending(), Some(GameEnding::Won(Player::Second)));
        let drawn = played(&[4, 0, 2, 6, 3, 5, 1, 7, 8]);
        assert_eq!((drawn.ending(), drawn.moves()), (Some(GameEnding::Drawn), 0));
        // The last stone of a full board may win too.
        let last = played(&[0, 1, 2, 4, 3, 5, 7, 6, 8]);
        assert_eq!(last.ending(), Some(GameEnding::Drawn));
        let last = played(&[0, 1, 4, 2, 5, 3, 7, 6, 8]);
        assert_eq!(last.ending(), Some(GameEnding::Won(Player::First)));
    }

    #[test]
    fn there_are_as_many_positions_as_is_known() {
        let positions = positions();
        // Known: 5478 positions, of which 958 are final: 626 won by the first, 316 by the second
        // player, 16 drawn.
        assert_eq!(positions.len(), 5478);
        let count = |ending| positions.iter().filter(|game| game.ending() == ending).count();
        assert_eq!(count(None), 5478 - 958);
        assert_eq!(count(Some(GameEnding::Won(Player::First))), 626);
        assert_eq!(count(Some(GameEnding::Won(Player::Second))), 316);
        assert_eq!(count(Some(GameEnding::Drawn)), 16);
        for game in positions {
            assert_eq!(TicTacToe::from_stones(game.0), Some(game));
        }
    }

    #[test]
    fn the_search_agrees_with_brute_force_in_every_position() {
        for game in positions().iter().filter(|game| game.ending().is_none()) {
            let left = 9 - game.0.occupied().count_ones();
            if left < 8 {
                assert_finds_the_best(game, left);
                // Also where the answer is remembered.
                assert_eq!(game.best_moves(9), minimax::best_moves(game, 9));
                assert_eq!(game.best_moves(9), game.best_moves(9));
            }
        }
        // Neither player can force a win, whatever the first move.
        assert_eq!(brute_force(&TicTacToe::default(), 9), 0);
        assert_eq!(TicTacToe::default().best_moves(9), BOARD);
        // Against the middle only a corner holds the draw.
        assert_eq!(played(&[4]).best_moves(9), 0b1_0100_0101);
    }

    #[test]
    fn a_win_is_taken_at_once() {
        let game = played(&[0, 3, 1, 4]);
        assert_eq!(game.best_moves(9), 1 << 2);
        assert_eq!(played(&[0, 3, 1, 4, 2]).winning_row(), 0b111);
        assert_eq!(game.winning_row(), 0);
    }

    #[test]
    fn a_boards_number_is_read_from_its_cells() {
        let space = BoardSpace::<TicTacToe>::new();
        let stones = Stones { own: 1, other: 1 << 8 };
        assert_eq!(space.index_of(&stones), 3_usize.pow(8) + 2);
        for index in 0..BOARDS {
            let stones = space.element(index);
            assert!(space.contains(&stones));
            assert_eq!(space.index_of(&stones), index);
        }
        assert!(!space.contains(&Stones { own: 1, other: 1 }));
        assert!(!space.contains(&Stones { own: 1 << 9, other: 0 }));
    }
}
