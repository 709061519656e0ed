//! Agents by name.

mod builtin;

use std::sync::Arc;

use gymnast_envs::{Discrete, EnvSpec, RowSpace, Space, nearest};
use gymnast_harness::{Agent, AgentError, Documented, Plan, Preset, Presets};
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;
use toml::Table;

use crate::settings::{self, SettingsError, did_you_mean};

/// Makes an agent of settings `C` for these spaces.
pub type Build<O, A, C> = fn(O, A, C, &Plan) -> Result<Box<dyn Agent<O, A>>, AgentError>;

/// How an agent is made for each kind of environment that it serves.
pub struct Builders<C> {
    /// Where observations and actions are finite: tables.
    pub finite: Option<Build<Discrete, Discrete, C>>,
    /// Where actions are finite and observations are rows of numbers: networks.
    pub discrete: Option<Build<RowSpace, Discrete, C>>,
    /// Where actions are real numbers.
    pub continuous: Option<Build<RowSpace, RowSpace, C>>,
}

// Not derived: functions are copied whatever the settings are.
impl<C> Copy for Builders<C> {}

impl<C> Clone for Builders<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Default for Builders<C> {
    /// Serves nothing.
    fn default() -> Self {
        Self { finite: None, discrete: None, continuous: None }
    }
}

/// Makes an agent whose settings are known.
pub type BuildAgent<O, A> =
    Arc<dyn Fn(O, A, &Plan) -> Result<Box<dyn Agent<O, A>>, AgentError> + Send + Sync>;

/// An agent with its settings.
pub struct Configured {
    /// Every setting, defaults included.
    pub settings: Table,
    pub(crate) finite: Option<BuildAgent<Discrete, Discrete>>,
    pub(crate) discrete: Option<BuildAgent<RowSpace, Discrete>>,
    pub(crate) continuous: Option<BuildAgent<RowSpace, RowSpace>>,
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
    serves: [bool; 3],
    configure: Arc<Configure>,
}

type Configure = dyn Fn(&Table) -> Result<Configured, SettingsError> + Send + Sync;

impl AgentEntry {
    /// An agent of settings `C`.
    #[must_use]
    pub fn new<C>(name: &'static str, summary: &'static str, builders: Builders<C>) -> Self
    where
        C: Clone + Default + Serialize + DeserializeOwned + Documented + Presets,
        C: Send + Sync + 'static,
    {
        Self::with_defaults(name, summary, (&C::default(), C::presets()), builders)
    }

    /// An agent of settings `C` with other defaults and presets than those of its type: another
    /// name for what some of its switches make of it.
    #[must_use]
    pub fn with_defaults<C>(
        name: &'static str,
        summary: &'static str,
        (defaults, presets): (&C, Vec<Preset<C>>),
        builders: Builders<C>,
    ) -> Self
    where
        C: Clone + Serialize + DeserializeOwned + Documented + Send + Sync + 'static,
    {
        let preset = |preset: Preset<C>| Preset {
            env: preset.env,
            settings: settings::to_table(&preset.settings),
            training: preset.training,
            source: preset.source,
        };
        let Builders { finite, discrete, continuous } = builders;
        let defaults = settings::to_table(defaults);
        let complete = defaults.clone();
        Self {
            name,
            summary,
            fields: C::FIELDS,
            defaults,
            presets: presets.into_iter().map(preset).collect(),
            serves: [finite.is_some(), discrete.is_some(), continuous.is_some()],
            configure: Arc::new(move |table| {
                let mut complete = complete.clone();
                complete.extend(table.clone());
                let config: C = settings::parse(name, "", &complete)?;
                Ok(Configured {
                    settings: settings::to_table(&config),
                    finite: with_settings(finite, &config),
                    discrete: with_settings(discrete, &config),
                    continuous: with_settings(continuous, &config),
                })
            }),
        }
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
        let [finite, discrete, continuous] = self.serves;
        finite && env.is_finite()
            || discrete && env.is_discrete()
            || continuous && env.is_continuous()
    }

    /// What the agent needs of an environment, in words.
    #[must_use]
    pub fn needs(&self) -> String {
        let kinds = ["finite observations and actions", "finite actions", "real-valued actions"];
        let served = kinds.iter().zip(self.serves).filter(|(_, serves)| *serves);
        served.map(|(kind, _)| *kind).collect::<Vec<_>>().join(", or ")
    }
}

fn with_settings<O: Space, A: Space, C: Clone + Send + Sync + 'static>(
    build: Option<Build<O, A, C>>,
    config: &C,
) -> Option<BuildAgent<O, A>> {
    let (build, config) = (build?, config.clone());
    Some(Arc::new(move |observations, actions, plan: &Plan| {
        build(observations, actions, config.clone(), plan)
    }))
}

/// The agents that can be chosen by name.
#[derive(Clone, Default)]
pub struct Catalog {
    entries: Vec<AgentEntry>,
}

/// No agent of that name is in the catalog.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("unknown agent `{name}`{}: the agents are {known}", did_you_mean(suggestion.as_ref()))]
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
