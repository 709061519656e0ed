//! The agents that come with the library: an agent is one entry here.

#[cfg(feature = "deep")]
use gymnast_deep::{
    A2c, A2cConfig, A3c, A3cConfig, Bc, BcConfig, Categorical, Ddpg, DdpgConfig, DiagonalGaussian,
    Dqn, DqnConfig, Mbpo, MbpoConfig, Ppo, PpoConfig, Reinforce, ReinforceConfig, Sac, SacConfig,
    Td3, Td3Config,
};
use gymnast_harness::{Documented, Presets};
use gymnast_tabular::{
    DoubleQRule, DynaQPlusRule, DynaQRule, ExpectedSarsaRule, MonteCarloRule, NStepSarsaRule,
    PrioritizedSweepingRule, QLearningRule, SarsaLambdaRule, SarsaRule, TabularAgent, UpdateRule,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{AgentEntry, Builders};

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

/// A tabular agent with its update rule.
fn tabular<R>(name: &'static str, summary: &'static str) -> AgentEntry
where
    R: UpdateRule + 'static,
    R::Config: Clone + Default + Serialize + DeserializeOwned + Documented + Presets,
    R::Config: Send + Sync + 'static,
{
    let builders = Builders::<R::Config> {
        finite: Some(|o, a, config, plan| {
            Ok(Box::new(TabularAgent::<_, _, R>::new(o, a, config, plan)?))
        }),
        ..Builders::default()
    };
    AgentEntry::new(name, summary, builders)
}

#[cfg(feature = "deep")]
fn networks() -> Vec<AgentEntry> {
    vec![
        AgentEntry::new(
            "dqn",
            "DQN: Q-learning with a network, experience replay and a target network.",
            Builders::<DqnConfig> {
                discrete: Some(|o, a, config, plan| Ok(Box::new(Dqn::new(o, a, config, plan)?))),
                ..Builders::default()
            },
        ),
        AgentEntry::with_defaults(
            "rainbow",
            "Rainbow: DQN with every improvement on, from prioritized replay to noisy weights.",
            (&DqnConfig::rainbow(), DqnConfig::rainbow_presets()),
            Builders {
                discrete: Some(|o, a, config, plan| Ok(Box::new(Dqn::new(o, a, config, plan)?))),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "ppo",
            "PPO: a policy improved by several passes over its steps, within a trust region.",
            Builders::<PpoConfig> {
                discrete: Some(|o, a, config, plan| {
                    Ok(Box::new(Ppo::new(o, Categorical::new(a), config, plan)?))
                }),
                continuous: Some(|o, a, config, plan| {
                    Ok(Box::new(Ppo::new(o, DiagonalGaussian::new(a), config, plan)?))
                }),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "a2c",
            "A2C: advantage actor-critic, several environments stepping at once.",
            Builders::<A2cConfig> {
                discrete: Some(|o, a, config, plan| {
                    Ok(Box::new(A2c::new(o, Categorical::new(a), config, plan)?))
                }),
                continuous: Some(|o, a, config, plan| {
                    Ok(Box::new(A2c::new(o, DiagonalGaussian::new(a), config, plan)?))
                }),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "a3c",
            "A3C: actor-critic workers on threads, asynchronous and yet reproducible.",
            Builders::<A3cConfig> {
                discrete: Some(|o, a, config, plan| {
                    Ok(Box::new(A3c::new(o, Categorical::new(a), config, plan)?))
                }),
                continuous: Some(|o, a, config, plan| {
                    Ok(Box::new(A3c::new(o, DiagonalGaussian::new(a), config, plan)?))
                }),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "reinforce",
            "REINFORCE: a policy that follows the returns of whole episodes.",
            Builders::<ReinforceConfig> {
                discrete: Some(|o, a, config, plan| {
                    Ok(Box::new(Reinforce::new(o, Categorical::new(a), config, plan)?))
                }),
                continuous: Some(|o, a, config, plan| {
                    Ok(Box::new(Reinforce::new(o, DiagonalGaussian::new(a), config, plan)?))
                }),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "sac",
            "SAC: soft actor-critic with a learned temperature, for real-valued actions.",
            Builders::<SacConfig> {
                continuous: Some(|o, a, config, plan| Ok(Box::new(Sac::new(o, a, config, plan)?))),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "td3",
            "TD3: a deterministic policy learned from twin critics, late.",
            Builders::<Td3Config> {
                continuous: Some(|o, a, config, plan| Ok(Box::new(Td3::new(o, a, config, plan)?))),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "ddpg",
            "DDPG: a deterministic policy learned from one critic.",
            Builders::<DdpgConfig> {
                continuous: Some(|o, a, config, plan| Ok(Box::new(Ddpg::new(o, a, config, plan)?))),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "bc",
            "Behaviour cloning: does as recorded episodes do (see `gymnast record`).",
            Builders::<BcConfig> {
                discrete: Some(|o, a, config, plan| {
                    let episodes = config.read_demonstrations(o, a)?;
                    Ok(Box::new(Bc::new(&episodes, Categorical::new(a), &config, plan)?))
                }),
                continuous: Some(|o, a, config, plan| {
                    let episodes = config.read_demonstrations(o, a.clone())?;
                    Ok(Box::new(Bc::new(&episodes, DiagonalGaussian::new(a), &config, plan)?))
                }),
                ..Builders::default()
            },
        ),
        AgentEntry::new(
            "mbpo",
            "MBPO: SAC on short rollouts of a learned ensemble model, for few env steps.",
            Builders::<MbpoConfig> {
                continuous: Some(|o, a, config, plan| Ok(Box::new(Mbpo::new(o, a, config, plan)?))),
                ..Builders::default()
            },
        ),
    ]
}
