use super::*;
use crate::Seed;

fn game() -> Breakout {
    let mut game = Breakout::new(0.0).unwrap();
    game.state = State::start(false, 0);
    game
}

/// A game with the ball, its direction, the paddle and the bricks as told.
fn at(ball: [usize; 2], direction: usize, paddle: usize, bricks: &[[usize; 2]]) -> Breakout {
    let mut game = game();
    game.state.ball = ball;
    game.state.direction = Direction::from_number(direction);
    game.state.paddle = paddle;
    game.state.bricks = [false; BRICKS];
    for [row, column] in bricks {
        game.state.bricks[(row - 1) * GRID.columns + column] = true;
    }
    game
}

fn step(game: &mut Breakout, action: i64) -> (f64, bool, [usize; 2], usize) {
    let step = game.step(&action, &mut Seed::new(0).rng()).unwrap();
    let direction = game.state.direction.number();
    (step.reward, step.outcome.terminated(), game.state.ball, direction)
}

#[test]
fn the_ball_falls_and_is_lost_without_the_paddle() {
    let mut game = game();
    for row in 4..9 {
        assert_eq!(step(&mut game, 1), (0.0, false, [row, row - 3], 2));
    }
    assert_eq!(game.state.paddle, 0);
    assert_eq!(step(&mut game, 1), (0.0, true, [9, 6], 2));
    assert_eq!(step(&mut game, 1), (0.0, true, [9, 6], 2));
    assert!(game.step(&3, &mut Seed::new(0).rng()).is_err());
}

#[test]
fn the_paddle_returns_the_ball() {
    // Under the ball, its way turns up; ahead of it, it turns back.
    assert_eq!(step(&mut at([8, 4], 2, 4, &[[1, 0]]), 0), (0.0, false, [8, 5], 1));
    assert_eq!(step(&mut at([8, 4], 2, 5, &[[1, 0]]), 0), (0.0, false, [8, 5], 0));
    assert_eq!(step(&mut at([8, 4], 3, 3, &[[1, 0]]), 0), (0.0, false, [8, 3], 1));
    assert_eq!(step(&mut at([8, 4], 2, 3, &[[1, 0]]), 2), (0.0, false, [8, 5], 1));
    // In the corner.
    assert_eq!(step(&mut at([8, 9], 2, 9, &[[1, 0]]), 0), (0.0, false, [8, 9], 0));
}

#[test]
fn walls_and_the_top_turn_the_ball() {
    assert_eq!(step(&mut at([5, 9], 1, 0, &[[1, 0]]), 0), (0.0, false, [4, 9], 0));
    assert_eq!(step(&mut at([5, 0], 3, 0, &[[1, 5]]), 0), (0.0, false, [6, 0], 2));
    assert_eq!(step(&mut at([0, 4], 0, 0, &[[1, 8]]), 0), (0.0, false, [0, 3], 3));
}

#[test]
fn a_brick_is_worth_1_and_a_second_in_a_row_nothing() {
    let mut game = at([4, 4], 1, 0, &[[3, 5], [3, 6]]);
    assert_eq!(step(&mut game, 0), (1.0, false, [4, 5], 2));
    assert_eq!((game.state.brick_at([3, 5]), game.state.strike), (None, true));
    // Had it turned up again at once, it would have passed through the next brick.
    game.state.direction = Direction::from_number(1);
    assert_eq!(step(&mut game, 0), (0.0, false, [3, 6], 1));
    assert!(game.state.brick_at([3, 6]).is_some() && game.state.strike);
    assert_eq!(step(&mut game, 0), (0.0, false, [2, 7], 1));
    assert!(!game.state.strike);
}

#[test]
fn a_new_wall_comes_when_the_ball_reaches_the_last_row() {
    let mut game = at([7, 3], 2, 4, &[]);
    step(&mut game, 0);
    assert_eq!(game.state.bricks, [false; BRICKS]);
    assert_eq!(step(&mut game, 0), (0.0, false, [8, 5], 1));
    assert_eq!(game.state.bricks, [true; BRICKS]);
}

/// The paddle follows the ball: it loses none, and breaks whole walls.
#[test]
fn who_follows_the_ball_does_not_lose_it() {
    let (mut game, mut rng) = (Breakout::new(0.0).unwrap(), Seed::new(0).rng());
    for _ in 0..2 {
        game.reset(&mut rng).unwrap();
        let mut total = 0.0;
        for _ in 0..1000 {
            let (ball, paddle) = (game.state.ball[1], game.state.paddle);
            let action = if ball < paddle {
                1
            } else if ball > paddle {
                2
            } else {
                0
            };
            let step = game.step(&action, &mut rng).unwrap();
            assert!(!step.outcome.is_final());
            total += step.reward;
        }
        assert!(total > 30.0, "{total}");
    }
}

/// MinAtar's own game, played at random over its three actions, brings 0.385 ± 0.005 in
/// 9.92 ± 0.05 steps: means of 15 000 episodes with standard errors.
#[test]
fn random_play_earns_and_lasts_what_it_does_in_minatar() {
    use crate::Space as _;
    let (mut game, mut rng) = (Breakout::default(), Seed::new(0).rng());
    let (actions, mut total, mut steps) = (game.action_space(), 0.0, 0.0);
    for _ in 0..15_000 {
        game.reset(&mut rng).unwrap();
        loop {
            let step = game.step(&actions.sample(&mut rng), &mut rng).unwrap();
            (total, steps) = (total + step.reward, steps + 1.0);
            if step.outcome.is_final() {
                break;
            }
        }
    }
    let (total, steps) = (total / 15_000.0, steps / 15_000.0);
    assert!((total - 0.385_f64).abs() < 0.025, "{total}");
    assert!((steps - 9.92_f64).abs() < 0.25, "{steps}");
}

#[test]
fn actions_stick_as_often_as_told() {
    let (mut game, mut rng) = (Breakout::new(0.25).unwrap(), Seed::new(0).rng());
    let mut stuck = 0;
    for _ in 0..20_000 {
        game.state = State::start(false, 1);
        game.step(&2, &mut rng).unwrap();
        stuck += u32::from(game.state.paddle == 3);
    }
    assert!((f64::from(stuck) / 20_000.0 - 0.25).abs() < 0.01, "{stuck}");
    for bad in [-0.1, 1.1, f64::NAN] {
        assert!(Breakout::new(bad).is_err());
    }
}

#[test]
fn the_picture_has_the_four_channels() {
    let mut game = at([5, 5], 2, 7, &[[1, 0], [3, 9]]);
    step(&mut game, 0);
    let picture = game.observe().unwrap();
    let lit: Vec<usize> = (0..400).filter(|&i| picture[i] == 1.0).collect();
    let pixel = |row: usize, column: usize, channel: usize| (row * 10 + column) * 4 + channel;
    let expected = [pixel(1, 0, 3), pixel(3, 9, 3), pixel(5, 5, 2), pixel(6, 6, 1), pixel(9, 7, 0)];
    assert_eq!(lit, expected);
    let text = game.render_ansi().unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((lines[1], lines[5]), ("#.........", ".....'...."));
    assert_eq!((lines[6], lines[9]), ("......o...", ".......=.."));
}

#[test]
fn snapshots_that_do_not_fit_are_refused() {
    let mut game = game();
    let mut snapshot = game.save().unwrap();
    snapshot["state"]["paddle"] = 10.into();
    assert!(game.restore(&snapshot).is_err());
    assert!(game.set_state(&[0.0; 37]).is_err());
}
