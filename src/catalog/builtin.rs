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
            "Double Q-learning: two tables, so that no value is chosen for being overestimated.",
        ),
        tabular::<SarsaRule>(
            "sarsa",
            "SARSA: a table of action values, learned on-policy step by step.",
        ),
        tabular::<ExpectedSarsaRule>(
            "expected-sarsa",
            "Expected SARSA: SARSA by what the policy expects of the next state.",
        ),
        tabular::<NStepSarsaRule>(
            "n-step-sarsa",
            "n-step SARSA: looks n rewards ahead before it bootstraps.",
        ),
        tabular::<SarsaLambdaRule>("sarsa-lambda", "SARSA(λ): SARSA with eligibility traces."),
        tabular::<MonteCarloRule>(
            "monte-carlo",
            "First-visit Monte Carlo control: learns from whole returns.",
        ),
        tabular::<DynaQRule>(
            "dyna-q",
            "Dyna-Q: Q-learning from what happens, and again from what is remembered of it.",
        ),
        tabular::<DynaQPlusRule>(
            "dyna-q-plus",
            "Dyna-Q+: Dyna-Q that is curious about what it has not tried for long.",
        ),
        tabular::<PrioritizedSweepingRule>(
            "prioritized-sweeping",
            "Prioritized sweeping: plans backwards from where values change most.",
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
            "Rainbow: DQN with every improvement on, from prioritized replay to noisy weights.",
            rainbow,
            dqn,
        ),
        AgentEntry::policy::<PpoConfig>(
            "ppo",
            "PPO: a policy improved by several passes over its steps, within a trust region.",
        ),
        AgentEntry::policy::<A2cConfig>(
            "a2c",
            "A2C: advantage actor-critic, several environments stepping at once.",
        ),
        AgentEntry::policy::<A3cConfig>(
            "a3c",
            "A3C: actor-critic workers on threads, asynchronous and yet reproducible.",
        ),
        AgentEntry::policy::<ReinforceConfig>(
            "reinforce",
            "REINFORCE: a policy that follows the returns of whole episodes.",
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
            "TD3: a deterministic policy learned from twin critics, late.",
            |config: Td3Config| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Td3::new(o, a, config.clone(), plan))
            },
        ),
        AgentEntry::new(
            "ddpg",
            "DDPG: a deterministic policy learned from one critic.",
            |config: DdpgConfig| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Ddpg::new(o, a, config.clone(), plan))
            },
        ),
        AgentEntry::policy::<BcConfig>(
            "bc",
            "Behaviour cloning: does as recorded episodes do (see `gymnast record`).",
        ),
        AgentEntry::new(
            "mbpo",
            "MBPO: SAC on short rollouts of a learned ensemble model, for few env steps.",
            |config: MbpoConfig| {
                Builders::default()
                    .with(kind::Continuous, move |o, a, plan| Mbpo::new(o, a, config.clone(), plan))
            },
        ),
    ]
}
