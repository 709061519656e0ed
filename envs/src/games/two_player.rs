//! Two-player games as environments.

use rand::RngExt as _;
use serde_json::{Value, json};

use super::{BoardGame, BoardSpace, GameEnding, Player, Set, Stones, members};
#[cfg(feature = "render")]
use crate::render::{Frame, board_games};
use crate::{
    Discrete, Env, EnvError, Rng, Step, Transition, render,
    tiles::{certain, expect_indices, index_below},
};

/// The opponent of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opponent {
    /// No opponent: the agent moves for both sides.
    SelfPlay,
    /// Plays each allowed move with the same probability.
    Random,
    /// Looks `depth` moves ahead, and plays each of the best moves found with the same probability.
    Minimax {
        /// The number of moves to look ahead, ≥ 1.
        depth: u32,
    },
}

/// An environment for a game of two players who take turns.
///
/// The observation is the [`Stones`] from the view of the player to move. A winning move gives 1, a
/// move after which the opponent wins −1, all others 0. A move that is not allowed loses the game
/// at once and gives −1: agents that use the [action mask](crate::FeatureSpace::action_mask) never
/// make one, others learn not to.
///
/// **Self-play** ([`Opponent::SelfPlay`]): the agent moves for both sides. Each observation is the
/// view of the player to move, and each reward is that of the player who moved. The value of the
/// next state for the mover is therefore the negative of its value for the player who sees it: with
/// a discount of γ = −1 any agent can learn the game. The target r + γ max Q(s', ·) becomes r − max
/// Q(s', ·), and advantages and multi-step returns alternate in sign as they should.
///
/// Against an **opponent** the environment answers each of the agent's moves. The first player is
/// random, and the observation is the agent's view.
///
/// The [`transitions`](Env::transitions) are known: value iteration solves self-play with γ = −1,
/// and with γ = 1 finds the best policy against an opponent.
#[derive(Clone, Debug)]
pub struct TwoPlayer<G> {
    opponent: Opponent,
    game: G,
    /// Through whose eyes the board is seen.
    viewer: Player,
    /// Whether the last move was one that is not allowed.
    is_forfeited: bool,
}

impl<G: BoardGame> TwoPlayer<G> {
    /// Creates a game against this opponent.
    #[must_use]
    pub fn new(opponent: Opponent) -> Self {
        Self { opponent, game: G::default(), viewer: Player::First, is_forfeited: false }
    }

    /// Returns the position.
    #[must_use]
    pub fn game(&self) -> &G {
        &self.game
    }

    /// Returns the player whose view is observed: the one to move, while the game lasts.
    #[must_use]
    pub fn viewer(&self) -> Player {
        self.viewer
    }

    /// The board as the first player sees it.
    fn by_player(&self) -> Stones {
        let stones = self.game.stones();
        if self.game.mover() == Player::First { stones } else { stones.swapped() }
    }

    fn seen(&self) -> Stones {
        let stones = self.game.stones();
        if self.viewer == self.game.mover() { stones } else { stones.swapped() }
    }

    fn is_over(&self) -> bool {
        self.is_forfeited || self.game.ending().is_some()
    }

    /// The moves that the opponent may make in a position, each as likely as the others; none where
    /// the game is over or nobody answers.
    fn replies(&self, game: &G) -> Set {
        match self.opponent {
            Opponent::SelfPlay => 0,
            Opponent::Random => game.moves(),
            Opponent::Minimax { depth } if game.ending().is_none() => game.best_moves(depth),
            Opponent::Minimax { .. } => 0,
        }
    }

    /// Lets the opponent move, if there is one and the game is not over.
    fn reply(&mut self, rng: &mut Rng) {
        let replies = self.replies(&self.game);
        if replies != 0 {
            let chosen = rng.random_range(0..replies.count_ones()) as usize;
            let reply = members(replies).nth(chosen).expect("one of the moves");
            self.game.play(reply);
        }
    }
}

impl<G: BoardGame> Default for TwoPlayer<G> {
    fn default() -> Self {
        Self::new(Opponent::SelfPlay)
    }
}

/// What a position is worth at once to a player.
fn reward(ending: Option<GameEnding>, player: Player) -> f64 {
    ending.map_or(0.0, |ending| ending.score(player))
}

impl<G: BoardGame> Env for TwoPlayer<G> {
    type ObservationSpace = BoardSpace<G>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoardSpace<G> {
        BoardSpace::new()
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(G::ORDER.len())
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<Stones, EnvError> {
        *self = Self::new(self.opponent);
        if self.opponent != Opponent::SelfPlay && rng.random() {
            self.viewer = Player::Second;
            self.reply(rng);
        }
        Ok(self.seen())
    }

    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<Stones>, EnvError> {
        let Some(action) = index_below(G::ORDER.len(), *action) else {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        };
        if self.is_over() {
            return Ok(Step::new(self.seen(), 0.0, true));
        }
        let mover = self.game.mover();
        if self.opponent == Opponent::SelfPlay {
            self.viewer = mover.other();
        }
        if self.game.moves() >> action & 1 == 0 {
            self.is_forfeited = true;
            return Ok(Step::new(self.seen(), -1.0, true));
        }
        self.game.play(action);
        self.reply(rng);
        let ending = self.game.ending();
        Ok(Step::new(self.seen(), reward(ending, mover), ending.is_some()))
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "state": self.state() }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let numbers = snapshot["state"].as_array();
        let numbers: Option<Vec<f64>> =
            numbers.and_then(|numbers| numbers.iter().map(Value::as_f64).collect());
        let numbers = numbers.ok_or_else(|| EnvError::InvalidState {
            expected: "`state`, an array of numbers".to_owned(),
            got: snapshot["state"].to_string(),
        })?;
        self.set_state(&numbers)
    }

    /// Returns the cells, row by row (0 empty, 1 a stone of the first player, 2 one of the second),
    /// then the player whose view is observed (0 the first, 1 the second) and whether the last move
    /// was not allowed.
    fn state(&self) -> Option<Vec<f64>> {
        let stones = self.by_player();
        let rest = [usize::from(self.viewer == Player::Second), self.is_forfeited.into()];
        Some((0..G::CELLS).map(|cell| stones.at(cell)).chain(rest).map(|x| x as f64).collect())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let wrong = || EnvError::InvalidState {
            expected: format!(
                "{} cells that players in turn can have filled, the viewer, who has to move while \
                 the game lasts, and whether the game was forfeited",
                G::CELLS
            ),
            got: format!("{state:?}"),
        };
        let (cells, rest) = state.split_at_checked(G::CELLS).ok_or_else(wrong)?;
        let [is_second, is_forfeited] = expect_indices(rest, [2, 2])?;
        let digit = |x: &f64| [0.0, 1.0, 2.0].iter().position(|digit| digit == x);
        let first = BoardSpace::<G>::read(cells.iter().map(digit)).ok_or_else(wrong)?;
        let is_first = first.mover() == Some(Player::First);
        let stones = if is_first { first } else { first.swapped() };
        let game = G::from_stones(stones).ok_or_else(wrong)?;
        let viewer = if is_second == 1 { Player::Second } else { Player::First };
        let is_over = is_forfeited == 1 || game.ending().is_some();
        if !is_over && viewer != game.mover() {
            return Err(wrong());
        }
        *self = Self { opponent: self.opponent, game, viewer, is_forfeited: is_forfeited == 1 };
        Ok(())
    }

    fn observe(&self) -> Option<Stones> {
        Some(self.seen())
    }

    /// Treats a board that is not part of a running game as finished.
    fn transitions(&self, seen: &Stones, action: &i64) -> Option<Vec<Transition<Stones>>> {
        let action = index_below(G::ORDER.len(), *action)?;
        let Some(game) = G::from_stones(*seen).filter(|game| game.ending().is_none()) else {
            return Some(certain((*seen, 0.0, true)));
        };
        let (mover, is_self_play) = (game.mover(), self.opponent == Opponent::SelfPlay);
        if game.moves() >> action & 1 == 0 {
            return Some(certain((if is_self_play { seen.swapped() } else { *seen }, -1.0, true)));
        }
        let mut after = game;
        after.play(action);
        let outcome = |game: &G, probability: f64| {
            let mine = is_self_play || game.mover() == mover;
            let stones = if mine { game.stones() } else { game.stones().swapped() };
            let ending = game.ending();
            let reward = reward(ending, mover);
            Transition { probability, next_state: stones, reward, terminated: ending.is_some() }
        };
        let replies = self.replies(&after);
        if replies == 0 {
            return Some(vec![outcome(&after, 1.0)]);
        }
        let probability = 1.0 / f64::from(replies.count_ones());
        let replied = members(replies).map(|reply| {
            let mut after = after.clone();
            after.play(reply);
            outcome(&after, probability)
        });
        Some(replied.collect())
    }

    fn initial_states(&self) -> Option<Vec<(f64, Stones)>> {
        let start = G::default();
        let replies = self.replies(&start);
        if replies == 0 {
            return Some(vec![(1.0, start.stones())]);
        }
        let probability = 0.5 / f64::from(replies.count_ones());
        let second = members(replies).map(|reply| {
            let mut game = start.clone();
            game.play(reply);
            (probability, game.stones())
        });
        Some(std::iter::once((0.5, start.stones())).chain(second).collect())
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let (stones, row) = (self.by_player(), self.game.winning_row());
        Some(board_games::picture(
            G::LOOK,
            [G::ROWS, G::COLUMNS],
            |cell| stones.at(cell),
            |cell| row >> cell & 1 == 1,
        ))
    }

    /// Renders the board with the first player's stones as `X` and the second's as `O`, and the
    /// state of the game.
    fn render_ansi(&self) -> Option<String> {
        let name = |player: Player| if player == Player::First { 'X' } else { 'O' };
        let mover = name(self.game.mover());
        let standing = match self.game.ending() {
            Some(GameEnding::Won(player)) => format!("{} has won", name(player)),
            Some(GameEnding::Drawn) => "drawn".to_owned(),
            None if self.is_forfeited => format!("{mover} made a move that is not allowed"),
            None => format!("{mover} to move"),
        };
        let stones = self.by_player();
        let letter = |cell: usize| ['.', 'X', 'O'][stones.at(cell)];
        Some(render::tiles(G::ROWS, G::COLUMNS, letter) + &standing + "\n")
    }
}

#[cfg(test)]
mod tests;
