//! Plays a policy against every possible opponent.

use super::{BoardGame, GameEnding, Player, Set, Stones, members};

/// The results of games.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The number of games won.
    pub won: u64,
    /// The number of draws.
    pub drawn: u64,
    /// The number of games lost.
    pub lost: u64,
}

/// Plays every possible game between a policy and an opponent that may make any move, with the
/// policy as the first and as the second player. Use it for short games only.
///
/// `choose` returns the actions that the policy may take in a view of the board. A move that is not
/// allowed loses.
pub fn every_game<G: BoardGame>(choose: &mut impl FnMut(Stones) -> Set) -> Tally {
    let mut tally = Tally::default();
    for player in [Player::First, Player::Second] {
        play(&G::default(), player, choose, &mut tally);
    }
    tally
}

fn play<G: BoardGame>(
    game: &G,
    player: Player,
    choose: &mut impl FnMut(Stones) -> Set,
    tally: &mut Tally,
) {
    match game.ending() {
        Some(GameEnding::Won(winner)) if winner == player => tally.won += 1,
        Some(GameEnding::Won(_)) => tally.lost += 1,
        Some(GameEnding::Drawn) => tally.drawn += 1,
        None => {
            let moves = game.moves();
            let chosen = if game.mover() == player { choose(game.stones()) } else { moves };
            tally.lost += u64::from((chosen & !moves).count_ones());
            for action in members(chosen & moves) {
                let mut after = game.clone();
                after.play(action);
                play(&after, player, choose, tally);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::games::{Game as _, TicTacToe};

    #[test]
    fn there_are_as_many_games_as_is_known() {
        let anything = |stones| TicTacToe::from_stones(stones).unwrap().moves();
        // Known: 255 168 games, of which the first player wins 131 184 and the second 77 904.
        let both = 131_184 + 77_904;
        let expected = Tally { won: both, drawn: 2 * 46_080, lost: both };
        assert_eq!(every_game::<TicTacToe>(&mut { anything }), expected);
    }

    #[test]
    fn perfect_play_never_loses_and_what_is_not_allowed_does() {
        let perfect = |stones| TicTacToe::from_stones(stones).unwrap().best_moves(9);
        let tally = every_game::<TicTacToe>(&mut { perfect });
        assert!(tally.lost == 0 && tally.won > 0 && tally.drawn > 0, "{tally:?}");
        // As the first player at 0 and lost at the second try; as the second the opponent may be
        // there first.
        let tally = every_game::<TicTacToe>(&mut |_| 1);
        assert_eq!(tally, Tally { won: 0, drawn: 0, lost: 8 + 1 + 8 * 7 });
    }
}
