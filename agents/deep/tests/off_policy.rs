//! The off-policy agents with real-valued actions learn, and resume bit for bit.

use gymnast_deep::{Ddpg, DdpgConfig, Mbpo, MbpoConfig, Sac, SacConfig, Td3, Td3Config};
use gymnast_envs::{
    classic::{CartPoleContinuous, Pendulum},
    wrappers::TimeLimit,
};
use gymnast_harness::{
    Plan, Schedule,
    testing::{Quadratic, assert_learns, assert_resumes_exactly, setup, training},
};

fn small_sac() -> SacConfig {
    SacConfig {
        hidden: vec![32, 32],
        learning_rate: 3e-3.into(),
        tau: 0.05,
        buffer_size: 1_000,
        batch_size: 64,
        learning_starts: 100,
        ..SacConfig::default()
    }
}

#[test]
fn sac_learns_a_quadratic() {
    let make =
        |plan: &Plan| setup(plan, Quadratic::default, |o, a| Sac::new(o, a, small_sac(), plan));
    assert_learns(make, &training(1_200, 1), -0.05);
}

#[test]
fn sac_resumes_exactly() {
    for (num_envs, repeat_random) in [(1, 0.0), (3, 0.8)] {
        let make = |plan: &Plan| {
            let pendulum = || TimeLimit::new(Pendulum::default(), 50);
            let config = SacConfig { repeat_random, learning_starts: 200, ..small_sac() };
            setup(plan, pendulum, |o, a| Sac::new(o, a, config, plan))
        };
        assert_resumes_exactly(make, &training(900, num_envs));
    }
}

fn small_td3() -> Td3Config {
    Td3Config {
        hidden: vec![32, 32],
        learning_rate: 3e-3.into(),
        tau: 0.05,
        buffer_size: 1_000,
        batch_size: 64,
        learning_starts: 100,
        ..Td3Config::default()
    }
}

#[test]
fn td3_learns_a_quadratic() {
    let make =
        |plan: &Plan| setup(plan, Quadratic::default, |o, a| Td3::new(o, a, small_td3(), plan));
    assert_learns(make, &training(1_200, 1), -0.05);
}

#[test]
fn td3_resumes_exactly() {
    for (num_envs, repeat_random) in [(1, 0.0), (3, 0.8)] {
        let make = |plan: &Plan| {
            let pendulum = || TimeLimit::new(Pendulum::default(), 50);
            let config = Td3Config { repeat_random, learning_starts: 200, ..small_td3() };
            setup(plan, pendulum, |o, a| Td3::new(o, a, config, plan))
        };
        assert_resumes_exactly(make, &training(900, num_envs));
    }
}

fn small_ddpg() -> DdpgConfig {
    DdpgConfig {
        hidden: vec![32, 32],
        learning_rate: 3e-3.into(),
        tau: 0.05,
        buffer_size: 1_000,
        batch_size: 64,
        learning_starts: 100,
        ..DdpgConfig::default()
    }
}

#[test]
fn ddpg_learns_a_quadratic() {
    let make =
        |plan: &Plan| setup(plan, Quadratic::default, |o, a| Ddpg::new(o, a, small_ddpg(), plan));
    assert_learns(make, &training(1_200, 1), -0.05);
}

#[test]
fn ddpg_resumes_exactly() {
    for (num_envs, repeat_random) in [(1, 0.0), (3, 0.8)] {
        let make = |plan: &Plan| {
            let pendulum = || TimeLimit::new(Pendulum::default(), 50);
            let config = DdpgConfig { repeat_random, learning_starts: 200, ..small_ddpg() };
            setup(plan, pendulum, |o, a| Ddpg::new(o, a, config, plan))
        };
        assert_resumes_exactly(make, &training(900, num_envs));
    }
}

fn small_mbpo() -> MbpoConfig {
    MbpoConfig {
        ensemble: 3,
        elites: 2,
        model_hidden: vec![32, 32],
        model_learning_rate: 3e-3,
        model_batch_size: 64,
        max_epochs: 40,
        model_train_every: 50,
        rollouts: 50,
        model_retain: 50,
        sac: SacConfig { learning_starts: 50, gradient_steps: 5, ..small_sac() },
        ..MbpoConfig::default()
    }
}

/// From a quarter of the env steps that SAC gets, and with no update from what really happened.
#[test]
fn mbpo_learns_a_quadratic() {
    let make = |plan: &Plan| {
        let config = MbpoConfig { real_ratio: 0.0, ..small_mbpo() };
        setup(plan, Quadratic::default, |o, a| Mbpo::new(o, a, config, plan))
    };
    assert_learns(make, &training(300, 1), -0.05);
}

#[test]
fn mbpo_resumes_exactly() {
    for num_envs in [1, 3] {
        let make = |plan: &Plan| {
            // Its episodes end and are cut, and rollouts grow while it learns.
            let cart_pole = || TimeLimit::new(CartPoleContinuous::default(), 30);
            let config = MbpoConfig {
                max_epochs: 5,
                rollouts: 8,
                rollout_length: Schedule::linear(1.0, 4.0, 1.0),
                sac: SacConfig { learning_starts: 60, gradient_steps: 1, ..small_sac() },
                ..small_mbpo()
            };
            setup(plan, cart_pole, |o, a| Mbpo::new(o, a, config, plan))
        };
        assert_resumes_exactly(make, &training(300, num_envs));
    }
}
