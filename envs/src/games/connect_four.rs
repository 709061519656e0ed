//! Connect Four: four in a row, with falling stones.

use serde::{Deserialize, Serialize};

use super::{
    BoardGame, BoardSpace, Game, GameEnding, Opponent, Player, Set, Stones,
    board::{Way, cells_in_rows, row, starts_of_rows, ways},
    members,
};
use crate::{EnvError, Space as _, render::Look};

const ROWS: usize = 6;
const COLUMNS: usize = 7;
const BOARD: Set = (1 << (ROWS * COLUMNS)) - 1;
const TOP_ROW: Set = (1 << COLUMNS) - 1;
const WAYS: [Way; 4] = ways(ROWS, COLUMNS, 4);
/// What a row of four that the opponent does not block is worth by the stones that lie in it.
const WORTH: [i32; 5] = [0, 1, 4, 16, 64];
/// The least and the greatest depth of the search.
const DEPTHS: std::ops::RangeInclusive<u32> = 1..=12;

/// A position of Connect Four. The players take turns to drop a stone into a column (0 to 6) of a
/// board of 6 rows and 7 columns. The first to have four in a row, horizontally, vertically or
/// diagonally, wins. A full board without such a row is a draw.
///
/// With perfect play the first player wins, starting in the middle column: Allis, "A
/// knowledge-based approach of Connect-Four" (1988), and James D. Allen, independently. The search
/// of this library looks ahead `depth` moves, and then counts the rows of four that are still open
/// to either player.
///
/// The environment is [`TwoPlayer<ConnectFour>`](super::TwoPlayer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectFour(Stones);

impl Game for ConnectFour {
    // More rows of four pass through the columns in the middle.
    const ORDER: &'static [usize] = &[3, 2, 4, 1, 5, 0, 6];

    fn mover(&self) -> Player {
        self.0.mover().unwrap_or(Player::First)
    }

    fn moves(&self) -> Set {
        if has_won(self.0.other) { 0 } else { TOP_ROW & !self.0.occupied() }
    }

    fn play(&mut self, action: usize) {
        let occupied = self.0.occupied();
        let cells = (0..ROWS).rev().map(|row| row * COLUMNS + action);
        let lowest = cells.into_iter().find(|cell| occupied >> cell & 1 == 0);
        self.0 = self.0.after(lowest.expect("a column is only played while it has room"));
    }

    fn ending(&self) -> Option<GameEnding> {
        if has_won(self.0.other) {
            return Some(GameEnding::Won(self.mover().other()));
        }
        (self.0.occupied() == BOARD).then_some(GameEnding::Drawn)
    }

    /// The rows of four that hold stones of one player alone, the more stones the better.
    fn promise(&self) -> i32 {
        let Stones { own, other } = self.0;
        let worth = |cells: Set| {
            let stones = [own, other].map(|stones| (stones & cells).count_ones());
            match stones.map(|n| WORTH[n as usize]) {
                [mine, 0] => mine,
                [0, theirs] => -theirs,
                _ => 0,
            }
        };
        let rows = WAYS.iter().flat_map(|&(step, starts)| {
            let first = row(0, step, 4);
            members(starts).map(move |start| first << start)
        });
        rows.map(worth).sum()
    }
}

impl BoardGame for ConnectFour {
    const ROWS: usize = ROWS;
    const COLUMNS: usize = COLUMNS;
    const LOOK: Look = Look::Rack;

    fn stones(&self) -> Stones {
        self.0
    }

    fn from_stones(stones: Stones) -> Option<Self> {
        let occupied = stones.occupied();
        // No stone floats: below each there is another or the ground.
        let floating = occupied << COLUMNS & BOARD & !occupied;
        // Who is to move cannot have won already.
        let fits = BoardSpace::<Self>::new().contains(&stones) && !has_won(stones.own);
        stones.mover().filter(|_| fits && floating == 0).map(|_| Self(stones))
    }

    fn winning_row(&self) -> Set {
        cells_in_rows(self.0.other, &WAYS, 4)
    }
}

#[inline]
fn has_won(stones: Set) -> bool {
    WAYS.iter().any(|&way| starts_of_rows(stones, way, 4) != 0)
}

/// The agent's opponent in Connect Four.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectFourOpponent {
    /// The agent itself, which moves for both sides.
    #[default]
    #[serde(rename = "self")]
    SelfPlay,
    /// An opponent that moves at random.
    Random,
    /// An opponent that looks ahead.
    Minimax,
}

crate::documented! {
    /// The options of Connect Four as an environment.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct ConnectFourConfig {
        /// The agent's opponent: the agent itself ("self"), random moves ("random") or a search
        /// that looks ahead ("minimax").
        pub opponent: ConnectFourOpponent,
        /// The number of moves that the opponent "minimax" looks ahead, from 1 to 12; each takes
        /// about three times as long.
        pub depth: u32,
    }
}

impl Default for ConnectFourConfig {
    fn default() -> Self {
        Self { opponent: ConnectFourOpponent::SelfPlay, depth: 4 }
    }
}

impl ConnectFourConfig {
    /// Creates the opponent of these options.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the depth is out of range.
    pub fn opponent(self) -> Result<Opponent, EnvError> {
        let depth = self.depth;
        if !DEPTHS.contains(&depth) {
            let reason = format!("`depth` must lie in {DEPTHS:?}, got {depth}");
            return Err(EnvError::invalid_option("ConnectFour-v0", reason));
        }
        Ok(match self.opponent {
            ConnectFourOpponent::SelfPlay => Opponent::SelfPlay,
            ConnectFourOpponent::Random => Opponent::Random,
            ConnectFourOpponent::Minimax => Opponent::Minimax { depth },
        })
    }
}

#[cfg(test)]
mod tests {
    use rand::RngExt as _;

    use super::*;
    use crate::{
        Seed,
        games::minimax::{WIN, testing::assert_finds_the_best, value},
    };

    fn played(columns: &[usize]) -> ConnectFour {
        columns.iter().fold(ConnectFour::default(), |mut game, &action| {
            assert!(game.moves() >> action & 1 == 1 && game.ending().is_none());
            game.play(action);
            game
        })
    }

    /// Whether four stones lie in a row, cell by cell.
    fn has_four(stones: Set) -> bool {
        let at = |row: isize, column: isize| {
            let fits = (0..6).contains(&row) && (0..7).contains(&column);
            fits && stones >> (row * 7 + column) & 1 == 1
        };
        let cells = (0..6).flat_map(|row| (0..7).map(move |column| (row, column)));
        cells.into_iter().any(|(row, column)| {
            let ways = [(0, 1), (1, 0), (1, 1), (1, -1)];
            ways.iter().any(|(down, right)| (0..4).all(|i| at(row + i * down, column + i * right)))
        })
    }

    #[test]
    fn all_sixty_nine_lines_win_and_nothing_else() {
        let starts: u32 = WAYS.iter().map(|(_, starts)| starts.count_ones()).sum();
        assert_eq!(starts, 69);
        for (step, starts) in WAYS {
            for start in members(starts) {
                let line = row(start, step, 4);
                assert!(has_four(line) && has_won(line), "{line:b}");
            }
        }
        let mut rng = Seed::new(0).rng();
        for _ in 0..20_000 {
            let stones = rng.random::<u64>() & rng.random::<u64>() & BOARD;
            assert_eq!(has_won(stones), has_four(stones), "{stones:b}");
        }
        // Round the board's edge there is no line.
        assert!(!has_won(0b1111 << 5) && !has_won(1 << 6 | 1 << 12 | 1 << 18 | 1 << 23));
    }

    #[test]
    fn stones_fall_on_each_other_until_the_column_is_full() {
        let game = played(&[2, 2, 2, 2, 2, 2]);
        assert_eq!(
            game.0,
            Stones { own: 0b100 << 35 | 0b100 << 21 | 0b100 << 7, other: game.0.other }
        );
        assert_eq!(game.moves(), 0b111_1011);
        assert_eq!((game.mover(), game.ending()), (Player::First, None));
    }

    #[test]
    fn games_end_as_they_should() {
        let won = played(&[0, 1, 0, 1, 0, 1, 0]);
        assert_eq!((won.ending(), won.moves()), (Some(GameEnding::Won(Player::First)), 0));
        let won = played(&[0, 6, 1, 6, 2, 6, 5, 6]);
        assert_eq!(won.ending(), Some(GameEnding::Won(Player::Second)));
        // Columns filled two by two, so that no four come to lie in a row.
        let filled = [0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1];
        let pairs = [0, 2, 4].into_iter().flat_map(|shift| filled.map(|column| column + shift));
        let drawn: Vec<usize> = pairs.chain([6; 6]).collect();
        assert_eq!(played(&drawn).ending(), Some(GameEnding::Drawn));
    }

    #[test]
    fn only_positions_of_games_are_positions() {
        let mut rng = Seed::new(1).rng();
        for _ in 0..50 {
            let mut game = ConnectFour::default();
            while game.moves() != 0 {
                assert_eq!(ConnectFour::from_stones(game.stones()), Some(game));
                let moves: Vec<_> = members(game.moves()).collect();
                game.play(moves[rng.random_range(0..moves.len())]);
            }
            assert_eq!(ConnectFour::from_stones(game.stones()), Some(game));
        }
        let floats = Stones { own: 0, other: 1 };
        let twice = Stones { own: 0, other: 0b11 << 35 };
        let has_won_already = Stones { own: 0b1111 << 35, other: 0b1111 << 28 };
        for stones in [floats, twice, has_won_already] {
            assert_eq!(ConnectFour::from_stones(stones), None);
        }
    }

    #[test]
    fn the_search_agrees_with_brute_force() {
        let mut rng = Seed::new(2).rng();
        for plies in 0..36 {
            let mut game = ConnectFour::default();
            for _ in 0..plies {
                let moves: Vec<_> = members(game.moves()).collect();
                if moves.is_empty() {
                    break;
                }
                game.play(moves[rng.random_range(0..moves.len())]);
            }
            if game.ending().is_none() {
                (1..=4).for_each(|depth| assert_finds_the_best(&game, depth));
            }
        }
    }

    #[test]
    fn the_search_sees_what_its_depth_shows() {
        // Three on the ground, open at one end: one more wins, and must be prevented.
        let threat = played(&[0, 0, 1, 1, 2]);
        assert_eq!(threat.best_moves(2), 1 << 3);
        let mut missed = threat;
        missed.play(6);
        assert_eq!((missed.best_moves(1), value(&missed, 1)), (1 << 3, WIN));
        // Two on the ground, open at both ends: a third makes two threats at once.
        let fork = played(&[3, 3, 2, 2]);
        assert!(value(&fork, 3) >= WIN && value(&fork, 2) < WIN);
        assert_eq!(fork.best_moves(3), 1 << 1 | 1 << 4);
    }

    #[test]
    fn a_promise_counts_open_rows_by_hand() {
        // A stone in a lower corner lies in three rows of four; to who moves next they are the
        // opponent's.
        assert_eq!(played(&[0]).promise(), -3);
        // In the middle of the ground: four across, one up, one each diagonal.
        assert_eq!(played(&[3]).promise(), -7);
        // On top of it one of the opponent's: it blocks the way up, and lies in 4 rows across, 1 up,
        // and 2 along each diagonal.
        assert_eq!(played(&[3, 3]).promise(), 6 - 9);
        // The mover's stone in the corner has its way up and a diagonal. The opponent's two side by
        // side share 3 rows across, and have 2 ways up and 3 diagonals.
        assert_eq!(played(&[3, 6, 2]).promise(), 2 - (3 * 4 + 2 + 3));
    }
}
