//! What a two-player game is to a search.

use std::fmt::Debug;

use super::minimax;

/// One of the two players.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Player {
    /// The one who begins.
    First,
    /// The other.
    Second,
}

impl Player {
    /// The opponent.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// How a game ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// This player won.
    Won(Player),
    /// Nobody did.
    Drawn,
}

impl Ending {
    /// What the ending is worth to a player: 1, 0 or −1.
    #[must_use]
    pub fn score(self, player: Player) -> f64 {
        match self {
            Self::Won(winner) if winner == player => 1.0,
            Self::Won(_) => -1.0,
            Self::Drawn => 0.0,
        }
    }
}

/// A set of actions (or of a board's cells): bit i is set where the i-th belongs to it.
pub type Set = u64;

/// The members of a set, in order.
pub fn members(set: Set) -> impl Iterator<Item = usize> {
    let mut left = set;
    std::iter::from_fn(move || {
        let first = (left != 0).then(|| left.trailing_zeros() as usize)?;
        left &= left - 1;
        Some(first)
    })
}

/// A position of a two-player, zero-sum game of perfect information, in which chance has no part.
///
/// The default is the position that a game starts from. A game comes to an end whatever is played.
pub trait Game: Clone + Debug + Default + PartialEq + Send + Sync + 'static {
    /// Every action, in the order in which a search does well to try them: the strong ones first.
    /// There are at most 64.
    const ORDER: &'static [usize];

    /// Whose turn it is.
    fn mover(&self) -> Player;

    /// What the mover may do: nothing once the game is over.
    fn moves(&self) -> Set;

    /// Makes a move that is allowed.
    fn play(&mut self, action: usize);

    /// How the game ended, if it has.
    fn ending(&self) -> Option<Ending>;

    /// What a search that may look no further thinks the position is worth to the mover: nearer to 0
    /// than [`minimax::WIN`]. Nothing, unless the game knows better.
    fn promise(&self) -> i32 {
        0
    }

    /// The moves that are best for the mover, as far as `depth` moves show. A game of few positions
    /// may remember them.
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
        let scores = |ending: Ending| [Player::First, Player::Second].map(|p| ending.score(p));
        assert_eq!(scores(Ending::Won(Player::First)), [1.0, -1.0]);
        assert_eq!(scores(Ending::Won(Player::First.other())), [-1.0, 1.0]);
        assert_eq!(scores(Ending::Drawn), [0.0, 0.0]);
    }
}
