//! Monte Carlo control on Blackjack: the policy of figure 5.2 of Sutton and Barto (2018), printed
//! beside the exact optimum.
//!
//! The book starts each episode with a random hand and action; here the policy explores instead.
//!
//! ```text
//! cargo run --release --example monte_carlo_blackjack
//! ```

use std::error::Error;

use gymnast::{
    Env as _, FiniteSpace as _, Schedule, SyncVectorEnv, Trainer, Training,
    envs::toy_text::Blackjack,
    tabular::{
        Common, Model, MonteCarloConfig, MonteCarloRule, TabularAgent, policy_value,
        value_iteration,
    },
};

const ENV_STEPS: u64 = 20_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let game = Blackjack::default();
    let model = Model::of(&game)?;
    let best = value_iteration(&model, 1.0, 1e-12, 1_000);

    // Exploration and the step size fade, so that what early, clumsy hands earned is forgotten.
    let (alpha, epsilon) =
        (Schedule::exponential(0.02, 1e-4, 1.0), Schedule::linear(0.5, 0.05, 1.0));
    let common = Common { alpha, epsilon, gamma: 1.0, initial_value: 0.0 };
    let config = MonteCarloConfig { sample_average: false, ..common.into() };
    let (hands, actions) = (game.observation_space(), game.action_space());
    let training = Training { env_steps: ENV_STEPS, ..Training::default() };
    let plan = training.plan(0);
    let mut agent = TabularAgent::<_, _, MonteCarloRule>::new(hands, actions, config, &plan)?;
    let mut envs = SyncVectorEnv::new(vec![game], plan.seed.child("envs", 0))?;
    Trainer::new(&training, 0, &mut agent, &mut envs).run()?;

    let mut rng = plan.seed.child("ties", 0).rng();
    let table = agent.table();
    let policy: Vec<usize> = (0..model.states()).map(|s| table.greedy(s, &mut rng)).collect();
    let mut differences = 0;
    for (title, soft) in [("with a usable ace", 1), ("without", 0)] {
        println!("{title}: H hit, S stick; in small letters where the optimum is the other");
        for sum in (11 + soft..=21).rev() {
            let letter = |dealer| {
                let state = hands.index_of(&(sum, dealer, soft));
                let is_best = policy[state] == best.policy[state];
                differences += usize::from(!is_best);
                match (policy[state], is_best) {
                    (0, true) => " S",
                    (0, false) => " s",
                    (_, true) => " H",
                    (_, false) => " h",
                }
            };
            println!("{sum:4} {}", (1..=10).map(letter).collect::<String>());
        }
        println!("dealer A 2 3 4 5 6 7 8 9 10\n");
    }
    println!("{differences} of 210 states differ from the optimum");
    let (learned, optimum) = (policy_value(&model, &policy, 30), best.expected_return);
    println!("expected return {learned:.4}, the optimum's {optimum:.4}");
    Ok(())
}
