//! Minimax search with alpha-beta pruning.
//!
//! Source: Knuth and Moore, "An analysis of alpha-beta pruning" (1975), in its negamax form: the
//! value of a position for the player to move is the maximum of the negated values of its
//! successors for the opponent.
//!
//! ```text
//! value(position, depth, α, β):
//!     if the game is over: −WIN, 0 or WIN for the mover, larger the more depth is left
//!     if depth = 0: what the position promises
//!     best ← −∞
//!     for each move:
//!         best ← max(best, −value(position after it, depth − 1, −β, −max(α, best)))
//!         if best ≥ β: return best       (the opponent will not let it come to this)
//!     return best
//! ```

use super::{Game, GameEnding, Set};

/// The least value of a won game: higher than any estimate.
pub const WIN: i32 = 1_000_000;
/// More than anything is worth.
const BOUND: i32 = 2 * WIN;

/// Returns the moves with the highest value for the player to move, several if they are equal; none
/// once the game is over. Looks `depth` moves ahead, at least one, and prefers earlier wins.
#[must_use]
pub fn best_moves<G: Game>(game: &G, depth: u32) -> Set {
    let (mut best, mut value) = (0, -BOUND);
    for (action, after) in successors(game) {
        // One below the best so far, so that a move as good as it is told from a worse one.
        let next = -search(&after, depth.saturating_sub(1), -BOUND, 1 - value);
        if next > value {
            (best, value) = (1 << action, next);
        } else if next == value {
            best |= 1 << action;
        }
    }
    best
}

/// Returns the value of a position for the player to move, found by looking `depth` moves ahead.
#[must_use]
pub fn value<G: Game>(game: &G, depth: u32) -> i32 {
    search(game, depth, -BOUND, BOUND)
}

fn search<G: Game>(game: &G, depth: u32, mut alpha: i32, beta: i32) -> i32 {
    match game.ending() {
        Some(GameEnding::Drawn) => return 0,
        Some(GameEnding::Won(player)) => {
            let won = WIN + depth.min(64) as i32;
            return if player == game.mover() { won } else { -won };
        }
        None if depth == 0 => return game.promise(),
        None => {}
    }
    let mut best = -BOUND;
    for (_, after) in successors(game) {
        best = best.max(-search(&after, depth - 1, -beta, -alpha));
        alpha = alpha.max(best);
        if alpha >= beta {
            break;
        }
    }
    best
}

/// The moves with the positions that they lead to.
fn successors<G: Game>(game: &G) -> impl Iterator<Item = (usize, G)> {
    let moves = game.moves();
    G::ORDER.iter().filter(move |&&action| moves >> action & 1 == 1).map(|&action| {
        let mut after = game.clone();
        after.play(action);
        (action, after)
    })
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// The same as [`value`](super::value) with neither order nor pruning.
    pub(crate) fn brute_force<G: Game>(game: &G, depth: u32) -> i32 {
        if game.ending().is_some() || depth == 0 {
            return value(game, depth);
        }
        let worth = |(_, after): (usize, G)| -brute_force(&after, depth - 1);
        successors(game).map(worth).max().expect("a game that is not over has moves")
    }

    /// Asserts that the search finds all the best moves and no others.
    pub(crate) fn assert_finds_the_best<G: Game>(game: &G, depth: u32) {
        let values: Vec<(usize, i32)> = successors(game)
            .map(|(action, after)| (action, -brute_force(&after, depth - 1)))
            .collect();
        let greatest = values.iter().map(|&(_, value)| value).max();
        let best = values.iter().filter(|&&(_, value)| Some(value) == greatest);
        let best = best.fold(0, |set, &(action, _)| set | 1 << action);
        assert_eq!(best_moves(game, depth), best, "{game:?}: {values:?}");
        assert_eq!(Some(value(game, depth)), greatest, "{game:?}");
    }
}
