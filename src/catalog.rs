//! Agents by name.

mod builtin;

use std::sync::Arc;

#[cfg(feature = "deep")]
use gymnast_deep::{ControlSpace, PolicySettings};
use gymnast_envs::{
    EnvSpec, each_kind,
    kind::{ByKind, Kind, PerKind},
    nearest,
    spelling::did_you_mean,
};
#[cfg(feature = "deep")]
use gymnast_envs::{RowSpace, kind};
use gymnast_harness::{Agent, AgentError, Documented, Plan, Preset, Presets, SearchRange};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use toml::Table;

use crate::settings::{self, SettingsError};

/// The settings of an agent as the catalog needs them: plain data with documentation and defaults.
pub trait Settings:
    Clone + Serialize + DeserializeOwned + Documented + Send + Sync + 'static
{
}

impl<C> Settings for C where
    C: Clone + Serialize + DeserializeOwned + Documented + Send + Sync + 'static
{
}

/// Makes an agent whose settings are known.
pub type BuildAgent<O, A> =
    Arc<dyn Fn(O, A, &Plan) -> Result<Box<dyn Agent<O, A>>, AgentError> + Send + Sync>;

/// How an agent is made for environments of a kind.
struct BuildFor;

impl PerKind for BuildFor {
    type Of<K: Kind> = BuildAgent<K::Observation, K::Action>;
}

/// How an agent is made for each [kind](gymnast_envs::kind) of environment that it serves.
#[derive(Default)]
pub struct Builders(ByKind<BuildFor>);

impl Builders {
    /// The same with one more kind, and how an agent is made of the spaces of its observations and actions.
    #[must_use]
    pub fn with<K: Kind, G: Agent<K::Observation, K::Action> + 'static>(
        self,
        kind: K,
        build: impl Fn(K::Observation, K::Action, &Plan) -> Result<G, AgentError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        let build: BuildAgent<_, _> =
            Arc::new(move |o, a, plan: &Plan| Ok(Box::new(build(o, a, plan)?)));
        Self(self.0.with(kind, build))
    }

    /// How an agent of a kind is made. `None` where it serves none of that kind.
    #[must_use]
    pub fn get<K: Kind>(&self, kind: K) -> Option<&BuildAgent<K::Observation, K::Action>> {
        self.0.get(kind)
    }
}

/// An agent with its settings.
pub struct Configured {
    /// Every setting, defaults included.
    pub settings: Table,
    /// How it is made.
    pub builders: Builders,
}

/// One agent of the catalog.
#[derive(Clone)]
pub struct AgentEntry {
    /// Its name on the command line.
    pub name: &'static str,
    /// One line on what it is.
    pub summary: &'static str,
    /// The settings' names and documentation.
    pub fields: &'static [(&'static str, &'static str)],
    /// The settings' defaults.
    pub defaults: Table,
    /// Settings that are known to work, by environment.
    pub presets: Vec<Preset<Table>>,
    /// What a search tunes where it is given no ranges.
    pub search_ranges: Vec<SearchRange>,
    /// With the defaults: which kinds it serves.
    default: Arc<Builders>,
    configure: Arc<Configure>,
}

type Configure = dyn Fn(&Table) -> Result<Configured, SettingsError> + Send + Sync;

impl AgentEntry {
    /// An agent of settings `C`, and how it is made with some.
    #[must_use]
    pub fn new<C: Settings + Default + Presets>(
        name: &'static str,
        summary: &'static str,
        builders: impl Fn(C) -> Builders + Send + Sync + 'static,
    ) -> Self {
        let (defaults, presets) = (C::default(), C::presets());
        Self::with_defaults(name, summary, (defaults, presets, C::search_ranges()), builders)
    }

    /// An agent of settings `C` with other defaults, presets and ranges to search than those of its type:
    /// another name for what some of its switches make of it.
    #[must_use]
    pub fn with_defaults<C: Settings>(
        name: &'static str,
        summary: &'static str,
        (defaults, presets, search_ranges): (C, Vec<Preset<C>>, Vec<SearchRange>),
        builders: impl Fn(C) -> Builders + Send + Sync + 'static,
    ) -> Self {
        let preset = |preset: Preset<C>| Preset {
            env: preset.env,
            settings: settings::to_table(&preset.settings),
            training: preset.training,
            source: preset.source,
        };
        let complete = settings::to_table(&defaults);
        Self {
            name,
            summary,
            fields: C::FIELDS,
            defaults: complete.clone(),
            presets: presets.into_iter().map(preset).collect(),
            search_ranges,
            default: Arc::new(builders(defaults)),
            configure: Arc::new(move |table| {
                let mut complete = complete.clone();
                complete.extend(table.clone());
                let config: C = settings::parse(name, "", &complete)?;
                let settings = settings::to_table(&config);
                Ok(Configured { settings, builders: builders(config) })
            }),
        }
    }

    /// An agent that learns a distribution over actions, be they finite, several finite choices at a time or
    /// real-valued.
    #[cfg(feature = "deep")]
    #[must_use]
    pub fn policy<C: Settings + Default + Presets + PolicySettings>(
        name: &'static str,
        summary: &'static str,
    ) -> Self {
        fn build<C: Settings + PolicySettings, A: ControlSpace>(
            config: &C,
        ) -> impl Fn(RowSpace, A, &Plan) -> Result<C::Agent<RowSpace, A>, AgentError> + use<C, A>
        {
            let config = config.clone();
            move |observations, actions, plan| config.agent(observations, actions, plan)
        }
        Self::new(name, summary, |config: C| {
            Builders::default()
                .with(kind::Discrete, build(&config))
                .with(kind::MultiDiscrete, build(&config))
                .with(kind::Continuous, build(&config))
        })
    }

    /// The preset for an environment, where there is one.
    #[must_use]
    pub fn preset(&self, env: &str) -> Option<&Preset<Table>> {
        self.presets.iter().find(|preset| preset.env == env)
    }

    /// The agent with these settings; what the table omits takes its default.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn configure(&self, settings: &Table) -> Result<Configured, SettingsError> {
        (self.configure)(settings)
    }

    /// Whether the agent can learn in the environment.
    #[must_use]
    pub fn serves(&self, env: &EnvSpec) -> bool {
        let mut serves = false;
        each_kind!(kind => serves |= self.default.get(kind).is_some() && env.serves(kind));
        serves
    }

    /// What the agent needs of an environment, in words.
    #[must_use]
    pub fn needs(&self) -> String {
        self.default.0.needs().join(", or ")
    }
}

/// The agents that can be chosen by name.
#[derive(Clone, Default)]
pub struct Catalog {
    entries: Vec<AgentEntry>,
}

/// No agent of that name is in the catalog.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("unknown agent `{name}`{}: the agents are {known}", did_you_mean(suggestion.as_deref()))]
pub struct UnknownAgent {
    /// The name asked for.
    pub name: String,
    /// The nearest name, where one is near.
    pub suggestion: Option<String>,
    /// Every name.
    pub known: String,
}

impl Catalog {
    /// The agents that come with the library.
    #[must_use]
    pub fn builtin() -> Self {
        Self { entries: builtin::entries() }
    }

    /// The same with one more agent; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, entry: AgentEntry) -> Self {
        self.entries.retain(|other| other.name != entry.name);
        self.entries.push(entry);
        self
    }

    /// Every agent.
    pub fn iter(&self) -> impl Iterator<Item = &AgentEntry> {
        self.entries.iter()
    }

    /// The agent of that name.
    ///
    /// # Errors
    /// [`UnknownAgent`] with the nearest name.
    pub fn agent(&self, name: &str) -> Result<&AgentEntry, UnknownAgent> {
        let names = || self.entries.iter().map(|entry| entry.name);
        self.entries.iter().find(|entry| entry.name == name).ok_or_else(|| UnknownAgent {
            name: name.to_owned(),
            suggestion: nearest(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        })
    }

    /// The names of the agents that can learn in an environment.
    #[must_use]
    pub fn serving(&self, env: &EnvSpec) -> Vec<&'static str> {
        let serving = self.entries.iter().filter(|entry| entry.serves(env));
        serving.map(|entry| entry.name).collect()
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::Registry;

    use super::*;

    #[test]
    fn every_preset_is_for_an_environment_that_the_agent_serves() {
        let (catalog, registry) = (Catalog::builtin(), Registry::builtin());
        for agent in catalog.iter() {
            assert!(!agent.needs().is_empty());
            for preset in &agent.presets {
                assert!(agent.serves(registry.spec(preset.env).unwrap()), "{}", preset.env);
                preset.training.check().unwrap();
                agent.configure(&preset.settings).unwrap();
            }
        }
    }

    #[cfg(feature = "deep")]
    #[test]
    fn a_policy_serves_actions_of_any_kind_and_a_table_none_but_finite_ones() {
        let catalog = Catalog::builtin();
        let builders = |name: &str| {
            let agent = catalog.agent(name).unwrap();
            agent.configure(&Table::new()).unwrap().builders
        };
        for name in ["ppo", "a2c", "a3c", "reinforce", "bc"] {
            let builders = builders(name);
            assert!(builders.get(kind::Finite).is_none(), "{name}");
            assert!(builders.get(kind::Discrete).is_some(), "{name}");
            assert!(builders.get(kind::MultiDiscrete).is_some(), "{name}");
            assert!(builders.get(kind::Continuous).is_some(), "{name}");
        }
        assert!(builders("sarsa").get(kind::Finite).is_some());
        assert!(builders("sarsa").get(kind::Discrete).is_none());
        assert_eq!(
            catalog.agent("ppo").unwrap().needs(),
            "finite actions, or several finite choices at a time, or real-valued actions"
        );
    }

    #[test]
    fn every_setting_is_documented() {
        for agent in Catalog::builtin().iter() {
            for key in agent.defaults.keys() {
                let doc = agent.fields.iter().find(|(name, _)| name == key).map(|(_, doc)| *doc);
                assert!(doc.is_some_and(|doc| !doc.trim().is_empty()), "{} {key}", agent.name);
            }
        }
    }
}
