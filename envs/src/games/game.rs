//! Two-player games for the search.

use std::fmt::Debug;

use super::minimax;

/// One of the two players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Player {
    /// The player who moves first.
    First,
    /// The player who moves second.
    Second,
}

impl Player {
    /// Returns the opponent.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// The ending of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GameEnding {
    /// This player won.
    Won(Player),
    /// The game is a draw.
    Drawn,
}

impl GameEnding {
    /// Returns the value of the ending for a player: 1, 0 or −1.
    #[must_use]
    pub fn score(self, player: Player) -> f64 {
        match self {
            Self::Won(winner) if winner == player => 1.0,
            Self::Won(_) => -1.0,
            Self::Drawn => 0.0,
        }
    }
}

/// A set of actions (or of a board's cells): bit i is set if it contains i.
pub type Set = u64;

/// Returns the members of a set, in ascending order.
pub fn members(set: Set) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        let first = (left != 0).then(|| left.trailing_zeros() as usize)?;
        left &= left - 1;
        Some(first)
    })
}

/// A position of a two-player, zero-sum game with perfect information and without chance.
///
/// The default is the initial position. Every game must end, whatever is played.
pub trait Game: Clone + Debug + Default + PartialEq + Send + Sync + 'static {
    /// All actions, at most 64, in the order in which a search should try them: the strongest
    /// first.
    const ORDER: &'static [usize];

    /// Returns the player to move.
    fn mover(&self) -> Player;

    /// Returns the allowed moves: empty once the game is over.
    fn moves(&self) -> Set;

    /// Makes a move that is allowed.
    fn play(&mut self, action: usize);

    /// Returns the ending, if the game is over.
    fn ending(&self) -> Option<GameEnding>;

    /// Estimates the value of the position for the player to move, where the search stops: closer
    /// to 0 than [`minimax::WIN`]. The default is 0.
    fn promise(&self) -> i32 {
        0
    }

    /// Returns the best moves for the player to move, found by looking `depth` moves ahead. A game
    /// with few positions may cache them.
    fn best_moves(&self, depth: u32) -> Set {
        minimax::best_moves(self, depth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_its_members() {
        assert_eq!(members(0b10_0101 | 1 << 63).collect::<Vec<_>>(), [0, 2, 5, 63]);
        assert_eq!(members(0).count(), 0);
    }

    #[test]
    fn what_one_wins_the_other_loses() {
        let scores = |ending: GameEnding| [Player::First, Player::Second].map(|p| ending.score(p));
        assert_eq!(scores(GameEnding::Won(Player::First)), [1.0, -1.0]);
        assert_eq!(scores(GameEnding::Won(Player::First.other())), [-1.0, 1.0]);
        assert_eq!(scores(GameEnding::Drawn), [0.0, 0.0]);
    }
}
