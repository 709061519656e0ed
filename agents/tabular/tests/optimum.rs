//! The presets reach the exact optimum: what the greedy policy is worth is computed from the
//! environment's dynamics, not sampled. On seeds that they were not tuned on, those of docs/scores.md.

use gymnast_envs::{
    Env, FiniteSpace, Seed, SyncVectorEnv, VectorEnv,
    games::{Opponent, TicTacToe, TwoPlayer, every_game},
    toy_text::{CliffWalking, FrozenLake, Taxi},
    wrappers::TimeLimit,
};
use gymnast_harness::{Agent, Mode, Plan, Policy, Preset, Presets};
use gymnast_tabular::{
    DoubleQRule, DynaQPlusRule, DynaQRule, ExpectedSarsaRule, Model, MonteCarloRule,
    NStepSarsaRule, PrioritizedSweepingRule, QLearningRule, SarsaLambdaRule, SarsaRule,
    TabularAgent, UpdateRule, policy_iteration, policy_value, value_iteration,
};

/// The seeds: the presets were tuned on others.
const SEEDS: std::ops::Range<u64> = 100..110;

/// The greedy policies' exact expected returns within `limit` steps, for each seed fifty times from the
/// training's start to its end.
fn values<E, R>(id: &str, env: &E, limit: u32) -> Vec<Vec<f64>>
where
    E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace> + Clone,
    R: UpdateRule<Config: Presets + Clone>,
{
    let model = Model::of(env).unwrap();
    let values = |seed| {
        let policies = greedy_policies::<E, R>(id, env, limit, seed);
        policies.iter().map(|policy| policy_value(&model, policy, limit)).collect()
    };
    SEEDS.map(values).collect()
}

/// What the preset makes an agent do at its best in each state, after each fiftieth of the training.
fn greedy_policies<E, R>(id: &str, env: &E, limit: u32, seed: u64) -> Vec<Vec<usize>>
where
    E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace> + Clone,
    R: UpdateRule<Config: Presets + Clone>,
{
    let Preset { settings, training, .. } = R::Config::preset(id).unwrap();
    let plan = Plan { seed: Seed::new(seed), num_envs: 1, env_steps: training.env_steps };
    let limited = TimeLimit::new(env.clone(), (id != "CliffWalking-v1").then_some(limit));
    let mut envs = SyncVectorEnv::new(vec![limited], plan.seed.child("envs", 0)).unwrap();
    envs.reset().unwrap();
    let spaces = (envs.observation_space().clone(), envs.action_space().clone());
    let mut agent = TabularAgent::<_, _, R>::new(spaces.0, spaces.1, settings, &plan).unwrap();
    let (mut rng, mut actions) = (plan.seed.child("policy", 0).rng(), Vec::new());
    let mut policies = Vec::new();
    for step in 1..=training.env_steps {
        agent.act(envs.observations(), Mode::Explore, &mut rng, &mut actions).unwrap();
        agent.learn(envs.step(&actions).unwrap()).unwrap();
        if step.is_multiple_of(training.env_steps / 50) {
            let (table, states) = (agent.table(), envs.observation_space().size());
            // Looking must not change what is learned.
            let mut rng = rng.clone();
            policies.push((0..states).map(|s| table.greedy(s, &mut rng)).collect());
        }
    }
    policies
}

fn mean_at_the_end(values: &[Vec<f64>]) -> f64 {
    values.iter().filter_map(|values| values.last()).sum::<f64>() / values.len() as f64
}

fn mean<E, R>(id: &str, env: &E, limit: u32) -> f64
where
    E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace> + Clone,
    R: UpdateRule<Config: Presets + Clone>,
{
    mean_at_the_end(&values::<E, R>(id, env, limit))
}

/// What an agent's presets must reach.
struct Least {
    frozen_lake: f64,
    /// At every look in the second half of a training, whatever the seed.
    frozen_lake_late: f64,
    cliff_walking: f64,
    taxi: f64,
}

/// 98 % of the optimum, which the first test computes.
const NEAR: Least = Least {
    frozen_lake: 0.98 * 0.7442,
    frozen_lake_late: 0.9 * 0.7442,
    cliff_walking: -13.26,
    taxi: 0.98 * 7.93,
};

fn assert_reaches<R: UpdateRule<Config: Presets + Clone>>(least: &Least) {
    let lake = values::<_, R>("FrozenLake-v1", &FrozenLake::default(), 100);
    let value = mean_at_the_end(&lake);
    assert!(value >= least.frozen_lake, "FrozenLake-v1: {value}");
    for (seed, values) in SEEDS.zip(&lake) {
        let worst = values[25..].iter().copied().fold(f64::INFINITY, f64::min);
        assert!(worst >= least.frozen_lake_late, "FrozenLake-v1, seed {seed}: {worst} {values:?}");
    }
    let value = mean::<_, R>("CliffWalking-v1", &CliffWalking::default(), 500);
    assert!(value >= least.cliff_walking, "CliffWalking-v1: {value}");
    let value = mean::<_, R>("Taxi-v4", &Taxi::default(), 200);
    assert!(value >= least.taxi, "Taxi-v4: {value}");
}

macro_rules! reaches {
    ($($name:ident: $rule:ty, $least:expr;)*) => {
        $(#[test]
        fn $name() {
            assert_reaches::<$rule>(&$least);
        })*
    };
}

reaches! {
    double_q: DoubleQRule, NEAR;
    dyna_q: DynaQRule, NEAR;
    dyna_q_plus: DynaQPlusRule, NEAR;
    expected_sarsa: ExpectedSarsaRule, NEAR;
    // Long sums of rewards remember the falls off the cliff that exploring led to: these two keep away
    // from the edge, and on the ice a late fall can still cost one look.
    monte_carlo: MonteCarloRule, Least {
        frozen_lake: 0.7,
        frozen_lake_late: 0.2,
        cliff_walking: -17.0,
        taxi: 7.4,
    };
    n_step_sarsa: NStepSarsaRule, Least { cliff_walking: -15.0, ..NEAR };
    prioritized_sweeping: PrioritizedSweepingRule, NEAR;
    q_learning: QLearningRule, NEAR;
    sarsa: SarsaRule, NEAR;
    sarsa_lambda: SarsaLambdaRule, NEAR;
}

#[test]
fn the_optima_are_those_known() {
    let within = |env: Result<Model, _>, steps| env.unwrap().optimal_within(steps);
    let lake = within(Model::of(&FrozenLake::default()), 100);
    assert!((lake - 0.7442).abs() < 1e-4, "{lake}");
    let cliff = within(Model::of(&CliffWalking::default()), 100);
    assert!((cliff + 13.0).abs() < 1e-9, "{cliff}");
    let taxi = within(Model::of(&Taxi::default()), 200);
    assert!((taxi - 7.93).abs() < 0.005, "{taxi}");
}

#[test]
fn policy_iteration_and_value_iteration_agree() {
    let models = [
        Model::of(&FrozenLake::default()).unwrap(),
        Model::of(&CliffWalking::default()).unwrap(),
        Model::of(&Taxi::default()).unwrap(),
    ];
    for model in &models {
        for gamma in [0.9, 1.0] {
            let by_value = value_iteration(model, gamma, 1e-12, 100_000);
            let by_policy = policy_iteration(model, gamma, 1e-12, 100_000);
            for (a, b) in by_value.values.iter().zip(&by_policy.values) {
                assert!((a - b).abs() < 1e-6, "{a} {b}");
            }
            if gamma == 1.0 {
                // What the policy is said to be worth it is worth, played for long.
                let played = policy_value(model, &by_policy.policy, 5_000);
                assert!((played - by_policy.expected_return).abs() < 1e-4, "{played}");
            }
        }
    }
    // The known optimum without a step limit.
    let lake = policy_iteration(&models[0], 1.0, 1e-12, 100_000).expected_return;
    assert!((lake - 0.8235).abs() < 1e-4, "{lake}");
}

#[test]
fn a_game_is_solved_by_value_iteration() {
    // Self-play: what the next player gets is lost. Nobody wins by force.
    let game = Model::of(&TwoPlayer::<TicTacToe>::default()).unwrap();
    assert_eq!(value_iteration(&game, -1.0, 0.0, 20).expected_return, 0.0);
    let perfect = Model::of(&TwoPlayer::<TicTacToe>::new(TicTacToe::PERFECT)).unwrap();
    assert_eq!(value_iteration(&perfect, 1.0, 0.0, 20).expected_return, 0.0);
    let random = Model::of(&TwoPlayer::<TicTacToe>::new(Opponent::Random)).unwrap();
    let best = value_iteration(&random, 1.0, 0.0, 20).expected_return;
    assert!((best - (0.9948 + 0.9249) / 2.0).abs() < 1e-4, "{best}");
}

#[test]
fn by_self_play_q_learning_never_loses_whatever_the_opponent_does() {
    let (env, space) =
        (TwoPlayer::<TicTacToe>::default(), gymnast_envs::games::BoardSpace::<TicTacToe>::new());
    for seed in SEEDS {
        let policies = greedy_policies::<_, QLearningRule>("TicTacToe-v0", &env, 9, seed);
        let policy = policies.last().unwrap();
        let tally = every_game::<TicTacToe>(&mut |stones| 1 << policy[space.index_of(&stones)]);
        assert!(tally.lost == 0 && tally.won > tally.drawn, "seed {seed}: {tally:?}");
    }
}
