use serde_json::json;

use super::*;
use crate::{FiniteSpace as _, Seed, Space as _};

fn value(table: &[f64], env: &Blackjack, state: (i64, i64, i64), action: i64) -> f64 {
    let space = env.observation_space();
    let model = env.transitions(&state, &action).unwrap();
    let next =
        |t: &Transition<_>| if t.terminated { 0.0 } else { table[space.index_of(&t.next_state)] };
    model.iter().map(|t| t.probability * (t.reward + next(t))).sum()
}

/// The optimal values by value iteration over the model alone.
fn solve(env: &Blackjack) -> Vec<f64> {
    let space = env.observation_space();
    let mut table = vec![0.0; space.size()];
    for _ in 0..12 {
        let best = |i| {
            let state = space.element(i);
            value(&table, env, state, 0).max(value(&table, env, state, 1))
        };
        table = (0..space.size()).map(best).collect();
    }
    table
}

fn optimum(config: BlackjackConfig) -> f64 {
    let env = Blackjack::new(config);
    let (table, space) = (solve(&env), env.observation_space());
    env.initial_states().unwrap().iter().map(|(p, s)| p * table[space.index_of(s)]).sum()
}

#[test]
fn an_ace_counts_11_while_it_can() {
    assert_eq!(Hand::of(1).with(1), Hand { sum: 12, soft: true });
    assert_eq!(Hand::of(1).with(10), Hand { sum: 21, soft: true });
    assert_eq!(Hand::of(1).with(6).with(10), Hand { sum: 17, soft: false });
    assert_eq!(Hand::of(10).with(10).with(1), Hand { sum: 21, soft: false });
}

#[test]
fn the_model_is_complete() {
    for config in [(false, false), (true, false), (false, true)] {
        let (natural, sab) = config;
        crate::tiles::testing::check_model(&Blackjack::new(BlackjackConfig { natural, sab }));
    }
}

#[test]
fn the_dealer_goes_bust_as_known_for_an_endless_deck() {
    // Published for an endless deck where the dealer stands on a soft 17: 6 busts 42.32 %.
    let env = Blackjack::new(BlackjackConfig { natural: false, sab: false });
    // Against a player of 4, who never beats a dealer that stands, a win is a bust.
    let model = env.transitions(&(4, 6, 0), &0).unwrap();
    let bust = model.iter().find(|t| t.reward == 1.0).unwrap().probability;
    assert!((bust - 0.4232).abs() < 1e-4, "{bust}");
}

#[test]
fn value_iteration_finds_the_optimum() {
    // Solved exactly elsewhere, over states that say whether a hand is a natural.
    let config = |natural, sab| BlackjackConfig { natural, sab };
    assert!((optimum(config(false, false)) + 0.046_555_977_066_697_5).abs() < 1e-12);
    assert!((optimum(config(false, true)) + 0.043_130_811_533_209_2).abs() < 1e-12);
    assert!((optimum(config(true, false)) + 0.025_736_299_950_881_9).abs() < 1e-12);
}

#[test]
fn the_optimal_policy_is_that_of_the_book() {
    // Sutton and Barto, figure 5.2: against a 10, hit a hard 16 and a soft 18, stick on 17 and 19.
    let env = Blackjack::default();
    let table = solve(&env);
    let hits = |state| value(&table, &env, state, 1) > value(&table, &env, state, 0);
    assert!(hits((16, 10, 0)) && !hits((17, 10, 0)));
    assert!(hits((18, 10, 1)) && !hits((19, 10, 1)));
    assert!(!hits((13, 2, 0)) && hits((12, 2, 0)) && !hits((12, 4, 0)));
}

#[test]
fn play_is_distributed_as_the_model_says() {
    let (mut env, mut rng) = (Blackjack::default(), Seed::new(5).rng());
    let mut rewards = [0; 4];
    for _ in 0..40_000 {
        env.set_state(&[18.0, 9.0, 0.0]).unwrap();
        let step = env.step(&0, &mut rng).unwrap();
        assert!(step.outcome.terminated() && step.observation == (18, 9, 0));
        rewards[REWARDS.iter().position(|&r| r == step.reward).unwrap()] += 1;
    }
    for t in env.transitions(&(18, 9, 0), &0).unwrap() {
        let i = REWARDS.iter().position(|&r| r == t.reward).unwrap();
        assert!((f64::from(rewards[i]) / 40_000.0 - t.probability).abs() < 0.01, "{t:?}");
    }
}

#[test]
fn a_natural_earns_what_the_rules_say() {
    let mut rng = Seed::new(0).rng();
    for (natural, sab, expected) in [(true, false, 1.5), (false, false, 1.0), (true, true, 1.0)] {
        let mut env = Blackjack::new(BlackjackConfig { natural, sab });
        let mut best = f64::MIN;
        for _ in 0..200 {
            env.set_state(&[21.0, 5.0, 1.0]).unwrap();
            best = best.max(env.step(&0, &mut rng).unwrap().reward);
        }
        assert_eq!(best, expected);
    }
}

#[test]
fn hands_stay_in_their_space_even_after_the_end() {
    let (mut env, mut rng) = (Blackjack::default(), Seed::new(0).rng());
    env.reset(&mut rng).unwrap();
    for _ in 0..50 {
        let step = env.step(&1, &mut rng).unwrap();
        assert!(env.observation_space().contains(&step.observation));
    }
}

#[test]
fn a_hand_that_cannot_be_is_an_error() {
    let mut env = Blackjack::default();
    for bad in
        [[22.0, 5.0, 0.0], [11.0, 5.0, 1.0], [20.0, 11.0, 0.0], [20.0, 5.0, 2.0], [20.5, 5.0, 0.0]]
    {
        assert!(env.set_state(&bad).is_err(), "{bad:?}");
    }
    assert!(env.set_state(&[20.0, 5.0]).is_err());
}

#[test]
fn a_snapshot_that_no_play_leads_to_is_an_error() {
    let mut table = Blackjack::default();
    let good = table.save().unwrap();
    let changes = [
        ("/dealer_card", json!(-1)),
        ("/dealer_card", json!(i64::MIN)),
        ("/dealer_card", json!(11)),
        ("/player/sum", json!(32)),
        ("/player/sum", json!(3)),
        ("/player/soft", json!("ace")),
    ];
    for (place, value) in changes {
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        assert!(table.restore(&bad).is_err(), "{bad}");
    }
    for sum in [4, 21, 22, 31] {
        let mut bust = good.clone();
        bust["player"]["sum"] = json!(sum);
        table.restore(&bust).unwrap();
        assert_eq!(table.save().unwrap(), bust);
    }
}
