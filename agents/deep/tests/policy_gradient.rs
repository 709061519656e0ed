//! The policy-gradient agents learn, and resume bit for bit.

use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Categorical, DiagonalGaussian, MultiCategorical, Ppo,
    PpoConfig, Reinforce, ReinforceConfig,
};
use gymnast_envs::{
    BoxSpace, Discrete, Env, EnvError, MultiDiscrete, Rng, Seed, Step, SyncVectorEnv,
    classic::{CartPole, Pendulum},
    games::{Opponent, TicTacToe, TwoPlayer},
    wrappers::TimeLimit,
};
use gymnast_harness::{
    Mode, Plan, Schedule, Setup, TrainError,
    testing::{TwoArmedBandit, assert_learns, assert_resumes_exactly, setup, training},
};
use serde::{Deserialize, Serialize};

/// A continuous task of one step: the reward is −(a − 0.7)². The bounds are far away, else clipping
/// would make another mean the best one of a wide distribution.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct WideQuadratic {}

impl Env for WideQuadratic {
    type ObservationSpace = BoxSpace<1>;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([5.0])
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<[f32; 1], EnvError> {
        Ok([0.5])
    }

    fn step(&mut self, action: &[f32; 1], _rng: &mut Rng) -> Result<Step<[f32; 1]>, EnvError> {
        Ok(Step::new([0.5], -f64::from(action[0] - 0.7).powi(2), true))
    }

    gymnast_envs::snapshot!();
}

/// A bandit with two rows of arms, of which one each pays a half: the last of three, the first of two.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct TwoHandedBandit {}

impl Env for TwoHandedBandit {
    type ObservationSpace = Discrete;
    type ActionSpace = MultiDiscrete<2>;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> MultiDiscrete<2> {
        MultiDiscrete::new([3, 2]).expect("the sizes fit")
    }

    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        Ok(0)
    }

    fn step(&mut self, &[left, right]: &[i64; 2], _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let paying = usize::from(left == 2) + usize::from(right == 0);
        Ok(Step::new(0, paying as f64 / 2.0, true))
    }

    gymnast_envs::snapshot!();
}

fn cart_pole() -> TimeLimit<CartPole> {
    TimeLimit::new(CartPole::default(), 100)
}

fn pendulum() -> TimeLimit<Pendulum> {
    TimeLimit::new(Pendulum::default(), 50)
}

fn small_ppo() -> PpoConfig {
    let (hidden, learning_rate) = (vec![16, 16], Schedule::Constant(3e-3));
    PpoConfig {
        hidden,
        learning_rate,
        n_steps: 16,
        batch_size: 32,
        epochs: 4,
        ..Default::default()
    }
}

#[test]
fn ppo_learns_a_bandit_and_a_quadratic() {
    for clip_value in [false, true] {
        let make = |plan: &Plan| {
            let config = PpoConfig { clip_value, ..small_ppo() };
            let ppo = |o, a| Ppo::new(o, Categorical::new(a), config, plan);
            setup(plan, TwoArmedBandit::default, ppo)
        };
        assert_learns(make, &training(2_000, 4), 0.75);
    }
    let make = |plan: &Plan| {
        setup(plan, WideQuadratic::default, |o, a| {
            Ppo::new(o, DiagonalGaussian::new(a), small_ppo(), plan)
        })
    };
    assert_learns(make, &training(4_000, 4), -0.05);
}

#[test]
fn ppo_learns_with_both_hands() {
    let make = |plan: &Plan| {
        setup(plan, TwoHandedBandit::default, |o, a| {
            Ppo::new(o, MultiCategorical::new(a), small_ppo(), plan)
        })
    };
    assert_learns(make, &training(2_000, 4), 0.99);
    assert_resumes_exactly(make, &training(600, 3));
}

/// By self-play: what is seen next is the other player's, so that γ is −1. Measured against somebody
/// who moves at random, from whom chance gets 0 and perfect play 0.96.
#[test]
fn ppo_learns_a_game_with_masks() {
    let make = |plan: &Plan| {
        let mut setup = setup(plan, TwoPlayer::<TicTacToe>::default, |o, a| {
            let config = PpoConfig { gamma: -1.0, entropy_coefficient: 0.3, ..small_ppo() };
            Ppo::new(o, Categorical::new(a), config, plan)
        })?;
        setup.eval_envs = std::sync::Arc::new(|n, seed| {
            let games = vec![TwoPlayer::<TicTacToe>::new(Opponent::Random); n];
            Ok(Box::new(SyncVectorEnv::new(games, seed)?))
        });
        Ok(setup)
    };
    assert_learns(make, &training(12_000, 8), 0.5);
    assert_resumes_exactly(make, &training(1_200, 3));
}

#[test]
fn ppo_resumes_exactly() {
    let make = |plan: &Plan| {
        let config = PpoConfig { target_kl: 0.02, average: 0.2, ..small_ppo() };
        setup(plan, cart_pole, |o, a| Ppo::new(o, Categorical::new(a), config, plan))
    };
    assert_resumes_exactly(make, &training(1_200, 3));
    let make = |plan: &Plan| {
        let config = PpoConfig { normalize_observations: true, ..small_ppo() };
        setup(plan, pendulum, |o, a| Ppo::new(o, DiagonalGaussian::new(a), config, plan))
    };
    assert_resumes_exactly(make, &training(1_200, 1));
}

fn small_a2c() -> A2cConfig {
    let (hidden, learning_rate) = (vec![16, 16], Schedule::Constant(3e-3));
    A2cConfig { hidden, learning_rate, ..A2cConfig::default() }
}

#[test]
fn a2c_learns_a_bandit_and_a_quadratic() {
    let make = |plan: &Plan| {
        let a2c = |o, a| A2c::new(o, Categorical::new(a), small_a2c(), plan);
        setup(plan, TwoArmedBandit::default, a2c)
    };
    assert_learns(make, &training(2_000, 4), 0.75);
    let make = |plan: &Plan| {
        let config = A2cConfig { gae_lambda: 0.9, normalize_advantage: true, ..small_a2c() };
        setup(plan, TwoArmedBandit::default, |o, a| A2c::new(o, Categorical::new(a), config, plan))
    };
    assert_learns(make, &training(2_000, 4), 0.75);
    let make = |plan: &Plan| {
        setup(plan, WideQuadratic::default, |o, a| {
            A2c::new(o, DiagonalGaussian::new(a), small_a2c(), plan)
        })
    };
    assert_learns(make, &training(4_000, 4), -0.05);
}

#[test]
fn a2c_resumes_exactly() {
    let make = |plan: &Plan| {
        setup(plan, cart_pole, |o, a| A2c::new(o, Categorical::new(a), small_a2c(), plan))
    };
    assert_resumes_exactly(make, &training(1_200, 3));
    let make = |plan: &Plan| {
        let config =
            A2cConfig { normalize_observations: true, n_steps: 7, average: 0.2, ..small_a2c() };
        setup(plan, pendulum, |o, a| A2c::new(o, DiagonalGaussian::new(a), config, plan))
    };
    assert_resumes_exactly(make, &training(1_200, 1));
}

fn small_a3c() -> A3cConfig {
    let (hidden, learning_rate) = (vec![16, 16], Schedule::Constant(3e-3));
    A3cConfig { hidden, learning_rate, entropy_coefficient: 0.0, ..A3cConfig::default() }
}

#[test]
fn a3c_learns_a_bandit_and_a_quadratic() {
    let make = |plan: &Plan| {
        let a3c = |o, a| A3c::new(o, Categorical::new(a), small_a3c(), plan);
        setup(plan, TwoArmedBandit::default, a3c)
    };
    assert_learns(make, &training(2_000, 4), 0.75);
    let make = |plan: &Plan| {
        setup(plan, WideQuadratic::default, |o, a| {
            A3c::new(o, DiagonalGaussian::new(a), small_a3c(), plan)
        })
    };
    assert_learns(make, &training(4_000, 4), -0.05);
}

#[test]
fn a3c_resumes_exactly() {
    // Steps that come out even with neither the number of workers nor that of their shares.
    for (num_envs, t_max) in [(1, 5), (3, 7)] {
        let make = |plan: &Plan| {
            let config = A3cConfig { t_max, average: 0.2, ..small_a3c() };
            setup(plan, cart_pole, |o, a| A3c::new(o, Categorical::new(a), config, plan))
        };
        assert_resumes_exactly(make, &training(1_206, num_envs));
    }
    let make = |plan: &Plan| {
        setup(plan, pendulum, |o, a| A3c::new(o, DiagonalGaussian::new(a), small_a3c(), plan))
    };
    assert_resumes_exactly(make, &training(1_206, 2));
}

fn small_reinforce() -> ReinforceConfig {
    let (hidden, learning_rate) = (vec![16, 16], Schedule::Constant(1e-2));
    ReinforceConfig { hidden, learning_rate, ..ReinforceConfig::default() }
}

#[test]
fn reinforce_learns_a_bandit_and_a_quadratic() {
    for (baseline, normalize) in [(false, false), (true, false), (true, true)] {
        let make = |plan: &Plan| {
            let config = ReinforceConfig { baseline, normalize, ..small_reinforce() };
            let reinforce = |o, a| Reinforce::new(o, Categorical::new(a), config, plan);
            setup(plan, TwoArmedBandit::default, reinforce)
        };
        assert_learns(make, &training(2_000, 1), 0.75);
    }
    let make = |plan: &Plan| {
        setup(plan, WideQuadratic::default, |o, a| {
            Reinforce::new(o, DiagonalGaussian::new(a), small_reinforce(), plan)
        })
    };
    assert_learns(make, &training(4_000, 4), -0.05);
}

#[test]
fn reinforce_resumes_exactly() {
    for (num_envs, baseline) in [(1, false), (3, true)] {
        let make = |plan: &Plan| {
            let config = ReinforceConfig { baseline, average: 0.2, ..small_reinforce() };
            setup(plan, cart_pole, |o, a| Reinforce::new(o, Categorical::new(a), config, plan))
        };
        assert_resumes_exactly(make, &training(1_200, num_envs));
    }
    let make = |plan: &Plan| {
        let config = ReinforceConfig { normalize_observations: true, ..small_reinforce() };
        setup(plan, pendulum, |o, a| Reinforce::new(o, DiagonalGaussian::new(a), config, plan))
    };
    assert_resumes_exactly(make, &training(1_200, 1));
}

/// What a policy with these settings, after 4000 steps towards 0.7, does at its best and how widely it
/// explores (the deviation of 2000 actions).
fn after_the_quadratic(
    make: impl Fn(&Plan) -> Result<Setup<BoxSpace<1>, BoxSpace<1>>, TrainError>,
) -> (f32, f32) {
    let training = training(4_000, 4);
    let mut setup = make(&training.plan(3)).unwrap();
    setup.trainer(&training, 3).run().unwrap();
    let (mut actions, mut rng) = (Vec::new(), Seed::new(0).rng());
    setup.agent.act(&[[0.5]], Mode::Exploit, &mut rng, &mut actions).unwrap();
    let best = actions[0][0];
    setup.agent.act(&[[0.5]; 2000], Mode::Explore, &mut rng, &mut actions).unwrap();
    let mean = actions.iter().map(|a| a[0]).sum::<f32>() / 2000.0;
    let variance = actions.iter().map(|a| (a[0] - mean).powi(2)).sum::<f32>() / 2000.0;
    (best, variance.sqrt())
}

#[test]
fn every_agent_averages_its_weights_and_bounds_its_deviation_as_it_is_told() {
    type Make<'a> =
        &'a dyn Fn(&Plan, f64, f64) -> Result<Setup<BoxSpace<1>, BoxSpace<1>>, TrainError>;
    macro_rules! agent {
        ($agent:ident, $config:expr) => {
            &|plan: &Plan, average, min_log_std| {
                let config = || {
                    let mut config = $config;
                    config.average = average;
                    config.min_log_std = min_log_std;
                    config
                };
                setup(plan, WideQuadratic::default, |o, a| {
                    $agent::new(o, DiagonalGaussian::new(a), config(), plan)
                })
            }
        };
    }
    let agents: [(&str, Make<'_>); 4] = [
        ("PPO", agent!(Ppo, small_ppo())),
        ("A2C", agent!(A2c, small_a2c())),
        ("A3C", agent!(A3c, small_a3c())),
        ("REINFORCE", agent!(Reinforce, small_reinforce())),
    ];
    for (name, make) in agents {
        let (best, deviation) = after_the_quadratic(|plan| make(plan, 0.0, -20.0));
        let (averaged, same) = after_the_quadratic(|plan| make(plan, 1.0, -20.0));
        // It explores and learns by its newest weights all the same.
        assert_eq!(deviation, same, "{name}");
        assert_ne!(best, averaged, "{name}");
        // It begins at 1, and 0.7 is hit more often with less.
        let (_, bounded) = after_the_quadratic(|plan| make(plan, 0.0, 0.0));
        assert!(deviation < 0.9 && bounded > 0.95, "{name}: {deviation} {bounded}");
    }
}
