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
    assert!((first - 0.9948).abs() < 5e-5 && (second - 0.9249).abs() < 5e-5, "{first} {second}");
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
