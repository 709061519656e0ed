use gymnast_envs::{Discrete, Outcome, RowSpace, Seed};
use gymnast_harness::{Checkpoint as _, StateDict};

use super::*;

mod size;
mod two_columns;

fn space() -> RowSpace {
    RowSpace::new(vec![-100.0; 2], vec![100.0; 2], vec![2]).unwrap()
}

fn index(action: &i64, row: &mut [i64]) {
    row[0] = *action;
}

fn filled(capacity: usize, transitions: usize, n_step: usize) -> Replay<i64> {
    let mut replay = Replay::new(capacity, (2, 1), 1, n_step).unwrap();
    (0..transitions).for_each(|i| push(&mut replay, i));
    replay
}

/// The i-th transition, which goes on, terminates or is cut short in turn.
fn push(replay: &mut Replay<i64>, i: usize) {
    let x = i as f32;
    let outcomes = [Outcome::Continues, Outcome::Terminated, Outcome::Truncated];
    let experience = Experience {
        observations: vec![vec![x, -x]],
        actions: vec![(i % 2) as i64],
        rewards: vec![f64::from(x) / 2.0],
        next_observations: vec![vec![x + 1.0, -x - 1.0]],
        outcomes: vec![outcomes[i % 3]],
        is_reset: vec![false],
    };
    replay.push::<_, Discrete>(&space(), &experience, 0.9, 1.0, index).unwrap();
}

fn sampled(replay: &mut Replay<i64>, size: usize, seed: u64) -> Batch<i64> {
    let mut batch = Batch::default();
    replay.sample(size, &mut Seed::new(seed).rng(), &mut batch).unwrap();
    batch
}

#[test]
fn the_oldest_gives_way_and_rows_stay_together() {
    let mut replay = filled(4, 6, 1);
    assert_eq!(replay.len(), 4);
    let batch = sampled(&mut replay, 200, 0);
    let mut seen = [false; 6];
    for row in 0..200 {
        let x = batch.observation[2 * row];
        assert_eq!(batch.observation[2 * row + 1], -x);
        assert_eq!(batch.next_observation[2 * row], x + 1.0);
        assert_eq!(batch.action[row], x as i64 % 2);
        assert_eq!(batch.reward[row], x / 2.0);
        assert_eq!(batch.discount[row], [0.9, 0.0, 0.9][x as usize % 3]);
        seen[x as usize] = true;
    }
    assert_eq!(seen, [false, false, true, true, true, true]);
}

#[test]
fn in_self_play_rewards_and_discounts_alternate_in_sign() {
    let mut replay = Replay::<i64>::new(8, (2, 1), 1, 3).unwrap();
    for (i, outcome) in [Outcome::Continues; 3].into_iter().enumerate() {
        let x = i as f32;
        let experience = Experience {
            observations: vec![vec![x, 0.0]],
            actions: vec![0],
            rewards: vec![f64::from(4_u8.pow(i as u32))],
            next_observations: vec![vec![x + 1.0, 0.0]],
            outcomes: vec![outcome],
            is_reset: vec![false],
        };
        replay.push::<_, Discrete>(&space(), &experience, -1.0, 1.0, index).unwrap();
    }
    let batch = sampled(&mut replay, 100, 0);
    for row in 0..100 {
        // Rewards 1, 4, 16: one's own count, the opponent's count against.
        let expected = [(1.0 - 4.0 + 16.0, -1.0), (4.0 - 16.0, 1.0), (16.0, -1.0)];
        let first = batch.observation[2 * row] as usize;
        assert_eq!((batch.reward[row], batch.discount[row]), expected[first]);
    }
}

#[test]
fn a_return_over_several_steps_ends_with_the_episode() {
    // Outcomes go on, terminated, truncated, go on, terminated, truncated: episodes of the
    // rows 0 1, 2, 3 4, 5. Rewards are half the row's number, γ is 0.9.
    let mut replay = filled(8, 6, 3);
    let batch = sampled(&mut replay, 200, 0);
    let expected = [
        (0.45, 0.0, 2.0),
        (0.5, 0.0, 2.0),
        (1.0, 0.9, 3.0),
        (3.3, 0.0, 5.0),
        (2.0, 0.0, 5.0),
        (2.5, 0.9, 6.0),
    ];
    for row in 0..200 {
        let first = batch.observation[2 * row] as usize;
        let (reward, discount, next): (f32, f32, f32) = expected[first];
        assert!((batch.reward[row] - reward).abs() < 1e-6, "{first}");
        assert!((batch.discount[row] - discount).abs() < 1e-6, "{first}");
        assert_eq!(batch.next_observation[2 * row], next);
    }
}

#[test]
fn the_other_players_gain_is_ones_own_loss() {
    let mut replay = Replay::new(8, (2, 1), 1, 3).unwrap();
    for x in [1.0, 2.0, 4.0] {
        let experience = Experience {
            observations: vec![vec![x, 0.0]],
            actions: vec![0],
            rewards: vec![f64::from(x)],
            next_observations: vec![vec![x, 0.0]],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![false],
        };
        replay.push::<_, Discrete>(&space(), &experience, -0.5, 1.0, index).unwrap();
    }
    let batch = sampled(&mut replay, 50, 0);
    let first = batch.row.iter().position(|&row| row == 0).unwrap();
    // 1 − 2 / 2 + 4 / 4, and the state after three turns is the other player's.
    assert_eq!((batch.reward[first], batch.discount[first]), (1.0, -0.125));
}

#[test]
fn a_reward_beyond_32_bits_is_named() {
    for (reward, scale) in [(1e39, 1.0), (1.0, 1e39), (-1e300, 1e300)] {
        let mut replay = filled(4, 0, 1);
        let experience = Experience {
            observations: vec![vec![0.0, 0.0]],
            actions: vec![0],
            rewards: vec![reward],
            next_observations: vec![vec![0.0, 0.0]],
            outcomes: vec![Outcome::Continues],
            is_reset: vec![false],
        };
        let pushed = replay.push::<_, Discrete>(&space(), &experience, 0.9, scale, index);
        let error = pushed.unwrap_err().to_string();
        assert!(error.contains("reward_scale") && error.contains(&format!("{scale:e}")), "{error}");
        assert_eq!(replay.len(), 0);
    }
}

#[test]
fn more_than_there_is_memory_for_is_an_error() {
    let error = Replay::<i64>::new(2_000_000_000, (1_000_000, 1), 1, 1)
        .err()
        .expect("no machine has that much");
    assert!(error.to_string().starts_with("buffer_size = 2000000000:"), "{error}");
}

#[test]
fn what_begins_anew_does_not_follow_from_what_came_before() {
    for (begins, next) in [(false, 2.0), (true, 1.0)] {
        let mut replay = filled(8, 1, 3);
        if begins {
            replay.begin_episodes();
        }
        push(&mut replay, 1);
        let batch = sampled(&mut replay, 50, 0);
        let first = (0..50).find(|row| batch.observation[2 * row] == 0.0).unwrap();
        assert_eq!(batch.next_observation[2 * first], next);
    }
}

#[test]
fn a_reset_is_no_transition() {
    let mut replay = Replay::new(4, (2, 1), 1, 1).unwrap();
    let experience = Experience {
        observations: vec![vec![0.0; 2]],
        actions: vec![0],
        rewards: vec![0.0],
        next_observations: vec![vec![0.0; 2]],
        outcomes: vec![Outcome::Continues],
        is_reset: vec![true],
    };
    replay.push::<_, Discrete>(&space(), &experience, 0.9, 1.0, index).unwrap();
    assert!(replay.is_empty());
}

#[test]
fn it_goes_on_from_a_checkpoint_as_if_nothing_had_happened() {
    for transitions in [3, 6] {
        let mut replay = filled(4, transitions, 2);
        let mut state = StateDict::new();
        replay.save(&mut state).unwrap();
        let mut other = Replay::new(4, (2, 1), 1, 2).unwrap();
        other.load(&state).unwrap();
        assert_eq!(sampled(&mut replay, 50, 1), sampled(&mut other, 50, 1));
        assert_eq!(replay.observations.next, other.observations.next);
        assert_eq!(replay.latest, other.latest);
        assert!(Replay::<i64>::new(2, (2, 1), 1, 2).unwrap().load(&state).is_err());
        assert!(Replay::<i64>::new(4, (3, 1), 1, 2).unwrap().load(&state).is_err());
        assert!(Replay::<i64>::new(4, (2, 1), 2, 2).unwrap().load(&state).is_err());
    }
}

/// A memory of 4 that holds the transitions 2 to 5 in the rows 2, 3, 0, 1.
fn prioritized(errors: [f32; 4]) -> Replay<i64> {
    let mut replay = Replay::new(4, (2, 1), 1, 1).unwrap().prioritized(0.5, 0.25).unwrap();
    (0..6).for_each(|i| push(&mut replay, i));
    replay.reprioritize(&[2, 3, 0, 1], &errors).unwrap();
    replay
}

fn sampled_by_priority(replay: &Replay<i64>, size: usize, beta: f64, seed: u64) -> Batch<i64> {
    let mut batch = Batch::default();
    replay.sample_by_priority(size, beta, &mut Seed::new(seed).rng(), &mut batch).unwrap();
    batch
}

#[test]
fn what_surprised_is_drawn_more_often() {
    // p = √(|δ| + ¼) = 1, 2, ½, 1.5 of the transitions 2, 3, 4, 5: shares of 5.
    let replay = prioritized([0.75, -3.75, 0.0, 2.0]);
    // Stratified: of 1000 draws each transition gets its share, but for those on its borders.
    let batch = sampled_by_priority(&replay, 1000, 0.5, 0);
    let expected = [200, 400, 100, 300];
    for (i, expected) in expected.into_iter().enumerate() {
        let x = i as f32 + 2.0;
        let drawn = (0..1000).filter(|row| batch.observation[2 * row] == x).count();
        assert!(drawn.abs_diff(expected) <= 2, "{x}: {drawn}");
    }
    // Weights (N P)^−½, where N P = 0.8, 1.6, 0.4, 1.2, by that of the rarest.
    for row in 0..1000 {
        let share = [0.8, 1.6, 0.4, 1.2][batch.observation[2 * row] as usize - 2];
        let expected = (0.4_f32 / share).sqrt();
        assert!((batch.weight[row] - expected).abs() < 1e-6, "{row}");
    }
    let batch = sampled_by_priority(&replay, 50, 0.0, 0);
    assert_eq!(batch.weight, [1.0; 50]);
}

#[test]
fn what_is_new_has_the_greatest_priority_so_far() {
    // The greatest is 4, of row 3; it stays the greatest when row 3 calms down.
    let mut replay = prioritized([0.75, 15.75, 0.75, 0.75]);
    replay.reprioritize(&[3], &[0.75]).unwrap();
    // The seventh transition, 6, comes into row 2: 4 against 1, 1 and 1.
    push(&mut replay, 6);
    let batch = sampled_by_priority(&replay, 700, 1.0, 0);
    let drawn = (0..700).filter(|row| batch.observation[2 * row] == 6.0).count();
    assert!(drawn.abs_diff(400) <= 2, "{drawn}");
    let newest = batch.row.iter().position(|&row| row == 2).unwrap();
    let others = batch.row.iter().position(|&row| row != 2).unwrap();
    assert_eq!((batch.weight[newest], batch.weight[others]), (0.25, 1.0));
}

#[test]
fn priorities_go_on_from_a_checkpoint() {
    let replay = prioritized([0.75, 15.75, 3.0, 2.0]);
    let mut calmer = replay;
    calmer.reprioritize(&[3], &[0.5]).unwrap();
    let mut state = StateDict::new();
    calmer.save(&mut state).unwrap();
    let empty = || Replay::<i64>::new(4, (2, 1), 1, 1).unwrap();
    let mut other = empty().prioritized(0.5, 0.25).unwrap();
    other.load(&state).unwrap();
    for replay in [&mut calmer, &mut other] {
        push(replay, 6);
    }
    let sampled = [&calmer, &other].map(|replay| sampled_by_priority(replay, 50, 0.7, 1));
    assert_eq!(sampled[0], sampled[1]);
    // A memory without priorities cannot say how urgent its transitions are.
    let mut state = StateDict::new();
    filled(4, 3, 1).save(&mut state).unwrap();
    assert!(empty().prioritized(0.5, 0.25).unwrap().load(&state).is_err());
}

#[test]
fn an_error_that_is_not_finite_changes_no_priority() {
    let mut replay = prioritized([0.75, -3.75, 0.0, 2.0]);
    let before = sampled_by_priority(&replay, 50, 0.5, 0);
    for (rows, errors) in [
        (vec![0, 1], vec![1.0, f32::NAN]),
        (vec![0, 1], vec![1.0, f32::INFINITY]),
        (vec![0, 1], vec![1.0]),
        (vec![0, 4], vec![1.0, 1.0]),
        (vec![0, usize::MAX], vec![1.0, 1.0]),
    ] {
        let error = replay.reprioritize(&rows, &errors);
        assert!(matches!(error, Err(AgentError::Mismatch { .. })), "{rows:?} {errors:?}");
        assert_eq!(sampled_by_priority(&replay, 50, 0.5, 0), before, "{rows:?} {errors:?}");
    }
    assert!(filled(4, 3, 1).reprioritize(&[0], &[1.0]).is_err());
    let empty = || Replay::<i64>::new(4, (2, 1), 1, 1).unwrap();
    for (exponent, offset) in [(f64::NAN, 0.1), (2.0, 0.1), (0.5, 0.0), (0.5, f64::NAN)] {
        assert!(empty().prioritized(exponent, offset).is_err(), "{exponent} {offset}");
    }
}

#[test]
fn what_cannot_be_is_an_error() {
    for (capacity, n_step) in [(1, 1), (usize::MAX, 1), (i32::MAX as usize, 1), (4, 0)] {
        assert!(Replay::<i64>::new(capacity, (2, 1), 1, n_step).is_err(), "{capacity} {n_step}");
    }
    let mut empty = Replay::<i64>::new(4, (2, 1), 1, 1).unwrap().prioritized(0.5, 0.1).unwrap();
    let (mut rng, mut batch) = (Seed::new(0).rng(), Batch::default());
    assert!(empty.sample(2, &mut rng, &mut batch).is_err());
    assert!(empty.sample_by_priority(2, 1.0, &mut rng, &mut batch).is_err());
    assert!(empty.push_row((&[1.0], &[0]), 0.0, &[1.0, 2.0], 0.5).is_err());
    assert!(empty.push_row((&[1.0, 2.0], &[]), 0.0, &[1.0, 2.0], 0.5).is_err());
    let two = Experience {
        observations: vec![vec![0.0; 2]; 2],
        actions: vec![0; 2],
        rewards: vec![0.0; 2],
        next_observations: vec![vec![0.0; 2]; 2],
        outcomes: vec![Outcome::Continues; 2],
        is_reset: vec![false; 2],
    };
    assert!(empty.push::<_, Discrete>(&space(), &two, 0.9, 1.0, index).is_err());
    assert!(empty.is_empty());
}

proptest::proptest! {
    /// Whatever the capacity, the number of environments and the length of the episodes: what
    /// is sampled is what the last transitions, followed from any of them, come to.
    #[test]
    fn samples_are_what_the_episodes_come_to(
        room in 1_usize..20,
        num_envs in 1_usize..4,
        n_step in 1_usize..5,
        lengths in proptest::collection::vec(1_usize..6, 1..4),
        vector_steps in 1_usize..30,
    ) {
        let capacity = num_envs + room;
        let mut replay = Replay::new(capacity, (2, 1), num_envs, n_step).unwrap();
        // Environment e repeats episodes of one length; its t-th step pays t.
        let length = |e: usize| lengths[e % lengths.len()];
        let is_last = |e: usize, t: usize| (t + 1).is_multiple_of(length(e));
        for t in 0..vector_steps {
            let experience = Experience {
                observations: (0..num_envs).map(|e| vec![t as f32, e as f32]).collect(),
                actions: vec![0; num_envs],
                rewards: vec![t as f64; num_envs],
                next_observations: (0..num_envs).map(|e| vec![t as f32 + 1.0, e as f32]).collect(),
                outcomes: (0..num_envs)
                    .map(|e| if is_last(e, t) { Outcome::Terminated } else { Outcome::Continues })
                    .collect(),
                is_reset: vec![false; num_envs],
            };
            replay.push::<_, Discrete>(&space(), &experience, 0.5, 1.0, index).unwrap();
        }
        let stored = capacity.min(num_envs * vector_steps);
        proptest::prop_assert_eq!(replay.len(), stored);
        let batch = sampled(&mut replay, 20, 0);
        for row in 0..20 {
            let [t, e] = [0, 1].map(|i| batch.observation[2 * row + i] as usize);
            proptest::prop_assert!((num_envs * (vector_steps - t) - e) <= stored, "{} {}", t, e);
            let (mut reward, mut discount, mut last) = (t as f32, 0.5, t);
            while !is_last(e, last) && last + 1 < vector_steps && last + 1 < t + n_step {
                last += 1;
                reward += discount * last as f32;
                discount *= 0.5;
            }
            if is_last(e, last) {
                discount = 0.0;
            }
            proptest::prop_assert_eq!(batch.reward[row], reward);
            proptest::prop_assert_eq!(batch.discount[row], discount);
            proptest::prop_assert_eq!(batch.next_observation[2 * row], last as f32 + 1.0);
        }
    }
}

#[test]
fn all_transitions_come_row_by_row() {
    let replay = filled(4, 6, 3);
    let all = replay.transitions();
    // The fifth and the sixth took the rows of the first and the second.
    assert_eq!(all.reward, [2.0, 2.5, 1.0, 1.5]);
    assert_eq!(all.observation, [4.0, -4.0, 5.0, -5.0, 2.0, -2.0, 3.0, -3.0]);
    assert_eq!(all.next_observation, [5.0, -5.0, 6.0, -6.0, 3.0, -3.0, 4.0, -4.0]);
    assert_eq!((all.action, all.discount), (vec![0, 1, 0, 1], vec![0.0, 0.9, 0.9, 0.9]));
}

#[test]
fn rows_are_stored_by_themselves() {
    let mut replay = Replay::new(2, (2, 1), 1, 2).unwrap();
    for i in 0..3_u8 {
        let x = f32::from(i);
        replay.push_row((&[x, -x], &[i64::from(i)]), x, &[x + 1.0, 0.0], x / 4.0).unwrap();
    }
    let all = replay.transitions();
    assert_eq!((all.reward, all.discount), (vec![2.0, 1.0], vec![0.5, 0.25]));
    assert_eq!((all.action, all.next_observation), (vec![2, 1], vec![3.0, 0.0, 2.0, 0.0]));
    // None has a successor, though two steps are asked for.
    let batch = sampled(&mut replay, 20, 0);
    assert!(batch.reward.iter().all(|reward| *reward == 1.0 || *reward == 2.0));
    let mut more = batch.clone();
    replay.sample_more(3, &mut Seed::new(1).rng(), &mut more).unwrap();
    assert_eq!((more.reward.len(), &more.reward[..20]), (23, &batch.reward[..]));
}

#[test]
fn another_capacity_keeps_the_newest() {
    let replay = filled(4, 6, 1);
    for (capacity, rewards) in
        [(2, vec![2.0, 2.5]), (4, vec![1.0, 1.5, 2.0, 2.5]), (9, vec![1.0, 1.5, 2.0, 2.5])]
    {
        let mut other = replay.with_capacity(capacity).unwrap();
        assert_eq!(other.transitions().reward, rewards);
        push(&mut other, 6);
        assert_eq!(other.len(), capacity.min(5));
        assert!(other.transitions().reward.contains(&3.0));
    }
}
