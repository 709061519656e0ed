//! Two-player games as environments.

use rand::RngExt as _;
use serde_json::{Value, json};

use super::{BoardGame, BoardSpace, Ending, Player, Set, Stones, members};
use crate::{
    Discrete, Env, EnvError, Rng, Step, Transition,
    render::{Frame, board_games, grid},
    tiles::{certain, expect_indices, index_below},
};

/// Who makes the moves that the agent does not make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opponent {
    /// Nobody: the agent moves for both sides.
    SelfPlay,
    /// Somebody who makes each allowed move with the same probability.
    Random,
    /// Somebody who looks `depth` moves ahead, and makes each of the moves that are best as far as
    /// that shows with the same probability.
    Minimax {
        /// The moves that are looked ahead, at least 1.
        depth: u32,
    },
}

/// A game of two players in turn, as an environment.
///
/// What is observed are the [`Stones`] through the eyes of whoever has to move. A move that wins is
/// worth 1, one after which the game is lost (against an opponent) −1, all others 0. A move that is
/// not allowed loses the game at once and is worth −1: agents that heed the
/// [action mask](crate::FeatureSpace::action_mask) never make one, and others learn not to.
///
/// **Self-play** ([`Opponent::SelfPlay`]): the agent moves for both sides. Each observation is what
/// the player to move sees, and each reward is the reward of the player who moved. So the state after
/// a move is worth to its mover what it is *not* worth to the player who sees it: any agent learns to
/// play, without being told of games, by a discount of γ = −1. A target r + γ max Q(s', ·) is then
/// r − max Q(s', ·), and advantages and returns over several steps alternate in sign as they should.
///
/// Against an **opponent** the environment answers each of the agent's moves. Who begins is drawn on
/// reset, and what is observed are the stones as the agent sees them.
///
/// The [`transitions`](Env::transitions) are known, so that value iteration with γ = −1 solves a game
/// by itself, and with γ = 1 finds what can be had from an opponent.
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
    /// A game against this opponent.
    #[must_use]
    pub fn new(opponent: Opponent) -> Self {
        Self { opponent, game: G::default(), viewer: Player::First, is_forfeited: false }
    }

    /// The position.
    #[must_use]
    pub fn game(&self) -> &G {
        &self.game
    }

    /// The player through whose eyes the board is seen: the one to move, while the game lasts.
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

    /// Lets the opponent move, where there is one and the game is not over.
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
fn reward(ending: Option<Ending>, player: Player) -> f64 {
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

    /// The cells, row by row (0 empty, 1 a stone of the first player's, 2 one of the second's), then
    /// through whose eyes the board is seen (0 the first player's, 1 the second's) and whether the
    /// last move was one that is not allowed.
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

    /// A board that is not one of a running game counts as one on which the game is over.
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

    fn render_rgb(&self) -> Option<Frame> {
        let (stones, row) = (self.by_player(), self.game.winning_row());
        Some(board_games::picture(
            G::LOOK,
            [G::ROWS, G::COLUMNS],
            |cell| stones.at(cell),
            |cell| row >> cell & 1 == 1,
        ))
    }

    /// The board with the first player's stones as `X` and the second's as `O`, and how the game
    /// stands.
    fn render_ansi(&self) -> Option<String> {
        let name = |player: Player| if player == Player::First { 'X' } else { 'O' };
        let mover = name(self.game.mover());
        let standing = match self.game.ending() {
            Some(Ending::Won(player)) => format!("{} has won", name(player)),
            Some(Ending::Drawn) => "drawn".to_owned(),
            None if self.is_forfeited => format!("{mover} made a move that is not allowed"),
            None => format!("{mover} to move"),
        };
        let stones = self.by_player();
        let letter = |cell: usize| ['.', 'X', 'O'][stones.at(cell)];
        Some(grid::text(G::ROWS, G::COLUMNS, letter) + &standing + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FeatureSpace as _, Seed,
        games::{ConnectFour, Game as _, TicTacToe},
        tiles::testing::{check_model, optimum},
    };

    type Env3 = TwoPlayer<TicTacToe>;

    #[test]
    fn in_self_play_each_sees_their_own_and_is_rewarded_for_it() {
        let (mut env, mut rng) = (Env3::default(), Seed::new(0).rng());
        assert_eq!(env.reset(&mut rng).unwrap(), Stones::default());
        let seen: Vec<_> = [0, 3, 1, 4].map(|a| env.step(&a, &mut rng).unwrap()).to_vec();
        assert!(seen.iter().all(|step| step.reward == 0.0 && !step.outcome.is_final()));
        assert_eq!(seen[0].observation, Stones { own: 0, other: 1 });
        assert_eq!(seen[1].observation, Stones { own: 1, other: 1 << 3 });
        let mut twin = env.clone();
        let won = env.step(&2, &mut rng).unwrap();
        assert_eq!((won.reward, won.outcome.terminated()), (1.0, true));
        // The loser would be next, and sees the opponent's row.
        assert_eq!(won.observation, Stones { own: 0b1_1000, other: 0b111 });
        assert_eq!(env.step(&8, &mut rng).unwrap(), Step { reward: 0.0, ..won });
        // The second player wins as well.
        twin.step(&8, &mut rng).unwrap();
        let won = twin.step(&5, &mut rng).unwrap();
        assert_eq!((won.reward, won.outcome.terminated()), (1.0, true));
    }

    #[test]
    fn a_move_that_is_not_allowed_loses() {
        let mut rng = Seed::new(0).rng();
        for opponent in [Opponent::SelfPlay, Opponent::Random] {
            let mut env = Env3::new(opponent);
            env.set_state(&[1., 2., 0., 0., 0., 0., 0., 0., 0., 0., 0.]).unwrap();
            let lost = env.step(&1, &mut rng).unwrap();
            assert_eq!((lost.reward, lost.outcome.terminated()), (-1.0, true));
            let own = if opponent == Opponent::SelfPlay { 0b10 } else { 0b01 };
            assert_eq!(lost.observation, Stones { own, other: 0b11 - own });
            assert_eq!(env.step(&5, &mut rng).unwrap(), Step { reward: 0.0, ..lost });
            assert!(env.render_ansi().unwrap().ends_with("X made a move that is not allowed\n"));
            assert!(env.step(&9, &mut rng).is_err() && env.step(&-1, &mut rng).is_err());
        }
    }

    #[test]
    fn an_opponent_answers_and_may_begin() {
        let (mut env, mut rng) = (Env3::new(TicTacToe::PERFECT), Seed::new(1).rng());
        let mut began = [0; 2];
        for _ in 0..200 {
            let stones = env.reset(&mut rng).unwrap();
            began[stones.other.count_ones() as usize] += 1;
            assert_eq!(stones.own, 0);
        }
        assert!(began.iter().all(|&times| (70..130).contains(&times)), "{began:?}");
        // Two of the opponent's in a row: who does not prevent the third loses by the answer.
        env.set_state(&[1., 1., 0., 2., 0., 0., 0., 0., 0., 1., 0.]).unwrap();
        let lost = env.step(&8, &mut rng).unwrap();
        assert_eq!((lost.reward, lost.outcome.terminated()), (-1.0, true));
        assert_eq!(lost.observation, Stones { own: 1 << 3 | 1 << 8, other: 0b111 });
        env.set_state(&[1., 1., 0., 2., 0., 0., 0., 0., 0., 1., 0.]).unwrap();
        let step = env.step(&2, &mut rng).unwrap();
        assert_eq!((step.reward, step.outcome.is_final()), (0.0, false));
        assert_eq!(step.observation.other.count_ones(), 3);
    }

    /// What can be had from somebody who moves at random, by recursion over all games.
    fn against_random(game: TicTacToe, agent: Player) -> f64 {
        if let Some(ending) = game.ending() {
            return ending.score(agent);
        }
        let values = members(game.moves()).map(|action| {
            let mut after = game;
            after.play(action);
            against_random(after, agent)
        });
        if game.mover() == agent {
            values.fold(-1.0, f64::max)
        } else {
            values.sum::<f64>() / f64::from(game.moves().count_ones())
        }
    }

    #[test]
    fn the_model_is_sound_and_solves_the_game() {
        let self_play = Env3::default();
        check_model(&self_play);
        // Both sides at their best: a draw.
        assert_eq!(optimum(&self_play, -1.0, 9), 0.0);
        let perfect = Env3::new(TicTacToe::PERFECT);
        check_model(&perfect);
        assert_eq!(optimum(&perfect, 1.0, 9), 0.0);
        let random = Env3::new(Opponent::Random);
        check_model(&random);
        let sides = [Player::First, Player::Second];
        let [first, second] = sides.map(|agent| against_random(TicTacToe::default(), agent));
        assert!(
            (first - 0.9948).abs() < 5e-5 && (second - 0.9249).abs() < 5e-5,
            "{first} {second}"
        );
        let best = optimum(&random, 1.0, 9);
        assert!((best - (first + second) / 2.0).abs() < 1e-12, "{best}");
    }

    #[test]
    fn the_mask_allows_what_does_not_lose_at_once() {
        let mut rng = Seed::new(2).rng();
        let mut env = TwoPlayer::<ConnectFour>::new(Opponent::Random);
        let space = env.observation_space();
        assert_eq!((space.width(), space.action_mask()), (91, Some(84..91)));
        let mut features = vec![f32::NAN; 91];
        for _ in 0..30 {
            let mut seen = env.reset(&mut rng).unwrap();
            loop {
                space.flatten(&seen, &mut features);
                let allowed: Vec<_> = (0..7).filter(|&a| features[84 + a] == 1.0).collect();
                for action in 0..7 {
                    let lost = env.transitions(&seen, &(action as i64)).unwrap();
                    let is_illegal = lost.len() == 1 && lost[0].next_state == seen;
                    assert_eq!(allowed.contains(&action), !is_illegal);
                }
                let action = allowed[rng.random_range(0..allowed.len())];
                let step = env.step(&(action as i64), &mut rng).unwrap();
                seen = step.observation;
                if step.outcome.is_final() {
                    break;
                }
            }
            // Nothing matters any more, and no mask is empty.
            space.flatten(&seen, &mut features);
            assert_eq!(features[84..], [1.0; 7]);
        }
    }

    #[test]
    fn states_that_no_game_leads_to_are_refused() {
        let mut env = Env3::new(Opponent::Random);
        let state = |cells: [u8; 9], viewer: u8, is_forfeited: u8| {
            let numbers = cells.into_iter().chain([viewer, is_forfeited]);
            numbers.map(f64::from).collect::<Vec<_>>()
        };
        for bad in [
            state([2, 0, 0, 0, 0, 0, 0, 0, 0], 0, 0), // the second player did not begin
            state([1, 1, 0, 0, 0, 0, 0, 0, 0], 1, 0),
            state([1, 1, 1, 2, 2, 2, 0, 0, 0], 0, 0), // both have won
            state([1, 0, 0, 0, 0, 0, 0, 0, 0], 0, 0), // the viewer is not to move
            state([3, 0, 0, 0, 0, 0, 0, 0, 0], 1, 0),
            state([1, 0, 0, 0, 0, 0, 0, 0, 0], 2, 0),
            vec![0.0; 10],
        ] {
            assert!(env.set_state(&bad).is_err(), "{bad:?}");
        }
        for good in [
            state([1, 0, 0, 0, 0, 0, 0, 0, 0], 1, 0),
            state([1, 0, 0, 0, 0, 0, 0, 0, 0], 0, 1), // it was the first who forfeited later
            state([1, 1, 1, 2, 2, 0, 0, 0, 0], 0, 0),
        ] {
            env.set_state(&good).unwrap();
            assert_eq!(env.state().unwrap(), good);
        }
    }

    #[test]
    fn text_shows_the_board_and_how_it_stands() {
        let mut env = Env3::default();
        env.set_state(&[1., 0., 2., 0., 1., 0., 0., 0., 0., 1., 0.]).unwrap();
        assert_eq!(env.render_ansi().unwrap(), "X.O\n.X.\n...\nO to move\n");
        env.step(&8, &mut Seed::new(0).rng()).unwrap();
        env.step(&3, &mut Seed::new(0).rng()).unwrap();
        assert_eq!(env.render_ansi().unwrap(), "X.O\nXX.\n..O\nO to move\n");
        env.step(&6, &mut Seed::new(0).rng()).unwrap();
        env.step(&5, &mut Seed::new(0).rng()).unwrap();
        assert_eq!(env.render_ansi().unwrap(), "X.O\nXXX\nO.O\nX has won\n");
    }
}
