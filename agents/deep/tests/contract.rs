//! Every deep agent learns, and resumes bit for bit.

use gymnast_deep::{Dqn, DqnConfig};
use gymnast_envs::{classic::CartPole, wrappers::TimeLimit};
use gymnast_harness::{
    Plan, Training,
    testing::{TwoArmedBandit, assert_learns, assert_resumes_exactly, setup},
};

fn training(env_steps: u64, num_envs: usize) -> Training {
    let (eval_every, log_every, checkpoint_every) = (env_steps / 4, env_steps / 3, env_steps / 2);
    let eval_episodes = 5;
    Training {
        env_steps,
        num_envs,
        eval_every,
        eval_episodes,
        log_every,
        checkpoint_every,
        ..Training::default()
    }
}

fn small() -> DqnConfig {
    let (hidden, buffer_size, learning_starts) = (vec![16, 16], 500, 100);
    DqnConfig { hidden, buffer_size, learning_starts, ..DqnConfig::default() }
}

#[test]
fn dqn_learns_a_bandit() {
    for (double, dueling) in [(false, false), (true, false), (true, true)] {
        let make = |plan: &Plan| {
            let config = DqnConfig { double, dueling, ..small() };
            setup(plan, TwoArmedBandit::default, |o, a| Dqn::new(o, a, config, plan))
        };
        assert_learns(make, &training(1_000, 1), 0.75);
    }
}

#[test]
fn dqn_resumes_exactly() {
    for (num_envs, dueling) in [(1, false), (3, true)] {
        let make = |plan: &Plan| {
            let cart_pole = || TimeLimit::new(CartPole::default(), 500);
            let config = DqnConfig { dueling, n_step: 3, ..small() };
            setup(plan, cart_pole, |o, a| Dqn::new(o, a, config, plan))
        };
        assert_resumes_exactly(make, &training(1_200, num_envs));
    }
}
