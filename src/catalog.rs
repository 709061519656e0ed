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

/// The settings of an agent in the catalog: plain data with documentation and defaults.
pub trait Settings:
    Clone + Serialize + DeserializeOwned + Documented + Send + Sync + 'static
{
}

impl<C> Settings for C where
    C: Clone + Serialize + DeserializeOwned + Documented + Send + Sync + 'static
{
}

/// A function that creates an agent for its spaces and plan, with settings fixed.
pub type BuildAgent<O, A> =
    Arc<dyn Fn(O, A, &Plan) -> Result<Box<dyn Agent<O, A>>, AgentError> + Send + Sync>;

/// How to create an agent for environments of a kind.
struct BuildFor;

impl PerKind for BuildFor {
    type Of<K: Kind> = BuildAgent<K::Observation, K::Action>;
}

/// How to create an agent for each [kind] of environment that it supports.
#[derive(Default)]
pub struct Builders(ByKind<BuildFor>);

impl Builders {
    /// Adds a kind, with a function that creates the agent from the spaces of observations and
    /// actions.
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

    /// Returns how to create the agent for a kind. `None` if it does not support the kind.
    #[must_use]
    pub fn get<K: Kind>(&self, kind: K) -> Option<&BuildAgent<K::Observation, K::Action>> {
        self.0.get(kind)
    }
}

/// An agent with its settings.
pub struct Configured {
    /// All settings, including defaults.
    pub settings: Table,
    /// How to create it.
    pub builders: Builders,
}

/// One agent of the catalog.
#[derive(Clone)]
pub struct AgentEntry {
    /// The name on the command line.
    pub name: &'static str,
    /// A one-line description.
    pub summary: &'static str,
    /// The names and documentation of the settings.
    pub fields: &'static [(&'static str, &'static str)],
    /// The defaults of the settings.
    pub defaults: Table,
    /// Settings known to work, by environment.
    pub presets: Vec<Preset<Table>>,
    /// The ranges that a search uses if it is given none.
    pub search_ranges: Vec<SearchRange>,
    /// The builders with default settings, which define the supported kinds.
    default: Arc<Builders>,
    configure: Arc<Configure>,
}

type Configure = dyn Fn(&Table) -> Result<Configured, SettingsError> + Send + Sync;

impl AgentEntry {
    /// Creates the entry of an agent with settings `C` and a function that builds it.
    #[must_use]
    pub fn new<C: Settings + Default + Presets>(
        name: &'static str,
        summary: &'static str,
        builders: impl Fn(C) -> Builders + Send + Sync + 'static,
    ) -> Self {
        let (defaults, presets) = (C::default(), C::presets());
        Self::with_defaults(name, summary, (defaults, presets, C::search_ranges()), builders)
    }

    /// Creates the entry of an agent with settings `C` whose defaults, presets and search ranges
    /// differ from those of `C`: another name for the same agent with other switches.
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

    /// Creates the entry of an agent with a stochastic policy, for finite, multi-discrete and
    /// real-valued actions.
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

    /// Returns the preset for an environment, if any.
    #[must_use]
    pub fn preset(&self, env: &str) -> Option<&Preset<Table>> {
        self.presets.iter().find(|preset| preset.env == env)
    }

    /// Configures the agent with these settings; omitted settings take their defaults.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn configure(&self, settings: &Table) -> Result<Configured, SettingsError> {
        (self.configure)(settings)
    }

    /// Returns whether the agent supports the environment.
    #[must_use]
    pub fn serves(&self, env: &EnvSpec) -> bool {
        let mut serves = false;
        each_kind!(kind => serves |= self.default.get(kind).is_some() && env.serves(kind));
        serves
    }

    /// Returns what the agent needs of an environment, in words.
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

/// No agent with this name is in the catalog.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("unknown agent `{name}`{}: the agents are {known}", did_you_mean(suggestion.as_deref()))]
pub struct UnknownAgent {
    /// The name asked for.
    pub name: String,
    /// The nearest name, if one is similar.
    pub suggestion: Option<String>,
    /// All names.
    pub known: String,
}

impl Catalog {
    /// Creates a catalog of the library's agents.
    #[must_use]
    pub fn builtin() -> Self {
        Self { entries: builtin::entries() }
    }

    /// Adds an agent; replaces one with the same name.
    #[must_use]
    pub fn with(mut self, entry: AgentEntry) -> Self {
        self.entries.retain(|other| other.name != entry.name);
        self.entries.push(entry);
        self
    }

    /// Returns all agents.
    pub fn iter(&self) -> impl Iterator<Item = &AgentEntry> {
        self.entries.iter()
    }

    /// Returns the agent with this name.
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

    /// Returns the names of the agents that support an environment.
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
