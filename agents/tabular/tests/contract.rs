//! Every tabular agent learns, and resumes bit for bit.

use gymnast_envs::{toy_text::FrozenLake, wrappers::TimeLimit};
use gymnast_harness::{
    Plan, Training,
    testing::{TwoArmedBandit, assert_learns, assert_resumes_exactly, setup},
};
use gymnast_tabular::{QLearning, QLearningConfig};

fn training(env_steps: u64, num_envs: usize) -> Training {
    let (eval_every, log_every, checkpoint_every) = (env_steps / 4, env_steps / 3, env_steps / 2);
    Training { env_steps, num_envs, eval_every, log_every, checkpoint_every, ..Training::default() }
}

#[test]
fn q_learning_learns_a_bandit() {
    let make = |plan: &Plan| {
        let config = QLearningConfig::default();
        setup(plan, TwoArmedBandit::default, |o, a| QLearning::new(o, a, config, plan))
    };
    assert_learns(make, &training(2_000, 1), 0.75);
}

#[test]
fn q_learning_resumes_exactly() {
    for num_envs in [1, 3] {
        let make = |plan: &Plan| {
            let lake = || TimeLimit::new(FrozenLake::default(), 100);
            setup(plan, lake, |o, a| QLearning::new(o, a, QLearningConfig::default(), plan))
        };
        assert_resumes_exactly(make, &training(6_000, num_envs));
    }
}
