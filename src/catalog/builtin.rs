//! The library's agents. To add an agent, add an entry here.

#[cfg(feature = "deep")]
use gymnast_deep::{
    A2cConfig, A3cConfig, BcConfig, Ddpg, DdpgConfig, Dqn, DqnConfig, Mbpo, MbpoConfig, PpoConfig,
    ReinforceConfig, Sac, SacConfig, Td3, Td3Config,
};
use gymnast_envs::kind;
use gymnast_harness::Presets;
use gymnast_tabular::{
    DoubleQRule, DynaQPlusRule, DynaQRule, ExpectedSarsaRule, MonteCarloRule, NStepSarsaRule,
    PrioritizedSweepingRule, QLearningRule, SarsaLambdaRule, SarsaRule, TabularAgent, UpdateRule,
};

use super::{AgentEntry, Builders, Settings};

pub(super) fn entries() -> Vec<AgentEntry> {
    let entries = tables();
    #[cfg(feature = "deep")]
    let entries = [entries, networks()].concat();
    entries
}

fn tables() -> Vec<AgentEntry> {
    vec![
        tabular::<QLearningRule>(
            "q-learning",
            "Q-learning: a table of action values, learned off-policy step by step.",
        ),
        tabular::<DoubleQRule>(
            "double-q",
            "Double Q-learning: two tables that reduce the overestimation of values.",
        ),
        tabular::<SarsaRule>(
            "sarsa",
            "SARSA: a table of action values, learned on-policy step by step.",
        ),
        tabular::<ExpectedSarsaRule>(
            "expected-sarsa",
            "Expected SARSA: SARSA with the expected value of the next state.",
        ),
        tabular::<NStepSarsaRule>(
            "n-step-sarsa",
            "n-step SARSA: SARSA that bootstraps after n rewards.",
        ),
        tabular::<SarsaLambdaRule>("sarsa-lambda", "SARSA(λ): SARSA with eligibility traces."),
        tabular::<MonteCarloRule>(
            "monte-carlo",
            "First-visit Monte Carlo control: learns from the returns of whole episodes.",
        ),
        tabular::<DynaQRule>(
            "dyna-q",
            "Dyna-Q: Q-learning from real steps and from those of a learned model.",
        ),
        tabular::<DynaQPlusRule>(
            "dyna-q-plus",
            "Dyna-Q+: Dyna-Q with a bonus for actions not tried for a long time.",
        ),
        tabular::<PrioritizedSweepingRule>(
            "prioritized-sweeping",
            "Prioritized sweeping: plans backwards from the largest changes of values.",
        ),
    ]
}

/// Creates the entry of a tabular agent with this update rule.
fn tabular<R>(name: &'static str, summary: &'static str) -> AgentEntry
where
    R: UpdateRule<Config: Settings + Default + Presets> + 'static,
{
    AgentEntry::new(name, summary, |config: R::Config| {
        Builders::default().with(kind::Finite, move |o, a, plan| {
            TabularAgent::<_, _, R>::new(o, a, config.clone(), plan)
        })
    })
}

#[cfg(feature = "deep")]
fn networks() -> Vec<AgentEntry> {
    let dqn = |config: DqnConfig| {
        Builders::default()
            .with(kind::Discrete, move |o, a, plan| Dqn::new(o, a, config.clone(), plan))
    };
    let ranges = DqnConfig::rainbow_search_ranges();
    let rainbow = (DqnConfig::rainbow(), DqnConfig::rainbow_presets(), ranges);
    vec![
        AgentEntry::new(
            "dqn",
            "DQN: Q-learning with a network, experience replay and a target network.",
            dqn,
        ),
        AgentEntry::with_defaults(
            "rainbow",
            "Rainbow: DQN with all extensions, from prioritized replay to noisy weights.",
            rainbow,
            dqn,
        ),
        AgentEntry::policy::<PpoConfig>(
            "ppo",
            "PPO: policy gradient with several epochs per rollout and a clipped objective.",
        ),
        AgentEntry::policy::<A2cConfig>(
            "a2c",
            "A2C: synchronous advantage actor-critic over several environments.",
        ),
        AgentEntry::policy::<A3cConfig>(
            "a3c",
            "A3C: asynchronous actor-critic workers on threads, reproducible.",
        ),
        AgentEntry::policy::<ReinforceConfig>(
            "reinforce",
            "REINFORCE: policy gradient with the returns of whole episodes.",
        ),
        AgentEntry::new(
            "sac",
            "SAC: soft actor-critic with a learned temperature, for real-valued actions.",
            |config: SacConfig| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Sac::new(o, a, config.clone(), plan))
            },
        ),
        AgentEntry::new(
            "td3",
            "TD3: a deterministic policy with twin critics and delayed policy updates.",
            |config: Td3Config| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Td3::new(o, a, config.clone(), plan))
            },
        ),
        AgentEntry::new(
            "ddpg",
            "DDPG: a deterministic policy with one critic.",
            |config: DdpgConfig| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Ddpg::new(o, a, config.clone(), plan))
            },
        ),
        AgentEntry::policy::<BcConfig>(
            "bc",
            "Behaviour cloning: imitates recorded episodes (see `gymnast record`).",
        ),
        AgentEntry::new(
            "mbpo",
            "MBPO: SAC on short rollouts of a learned ensemble of models.",
            |config: MbpoConfig| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Mbpo::new(o, a, config.clone(), plan))
            },
        ),
    ]
}
