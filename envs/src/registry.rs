//! Environments by name.

use serde_json::Value;

use crate::reference_returns::with_reference;
use crate::{
    DynEnv, EnvError, EnvOptions, EnvSpec,
    spelling::nearest,
    wrappers::{
        WrapperSpec,
        by_name::{builtin, read},
    },
};

/// Environments and wrappers by name. An empty registry (`Registry::default()`) has neither.
///
/// ```
/// use gymnast_envs::Registry;
///
/// let mut env = Registry::builtin().make("CartPole-v1", 0)?;
/// let observation = env.reset(None)?;
/// assert_eq!(observation.as_array().map(Vec::len), Some(4));
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Clone, Default)]
pub struct Registry {
    specs: Vec<EnvSpec>,
    wrappers: Vec<WrapperSpec>,
}

impl Registry {
    /// Creates a registry of the library's environments and wrappers.
    #[must_use]
    pub fn builtin() -> Self {
        let mut specs = crate::classic::specs();
        specs.extend(crate::toy_text::specs());
        specs.extend(crate::sutton_barto::specs());
        specs.extend(crate::bsuite::specs());
        specs.extend(crate::minatar::specs());
        specs.extend(crate::games::specs());
        #[cfg(feature = "physics")]
        specs.extend(crate::physics::specs());
        let specs = specs.into_iter().map(with_reference).collect();
        Self { specs, wrappers: builtin() }
    }

    /// Adds an environment.
    ///
    /// # Errors
    /// [`EnvError::DuplicateId`] if the name is taken.
    pub fn register(&mut self, spec: EnvSpec) -> Result<(), EnvError> {
        if self.specs.iter().any(|other| other.id() == spec.id()) {
            return Err(EnvError::DuplicateId { id: spec.id().to_owned() });
        }
        self.specs.push(spec);
        Ok(())
    }

    /// Returns all environments, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &EnvSpec> {
        self.specs.iter()
    }

    /// Returns the environment with this name.
    ///
    /// # Errors
    /// [`EnvError::UnknownId`], with the nearest name.
    pub fn spec(&self, id: &str) -> Result<&EnvSpec, EnvError> {
        self.specs.iter().find(|spec| spec.id() == id).ok_or_else(|| EnvError::UnknownId {
            id: id.to_owned(),
            suggestion: nearest(id, self.specs.iter().map(EnvSpec::id)),
        })
    }

    /// Adds a wrapper.
    ///
    /// # Errors
    /// [`EnvError::DuplicateWrapper`] if the name is taken.
    pub fn register_wrapper(&mut self, spec: WrapperSpec) -> Result<(), EnvError> {
        if self.wrappers.iter().any(|other| other.name() == spec.name()) {
            return Err(EnvError::DuplicateWrapper { name: spec.name().to_owned() });
        }
        self.wrappers.push(spec);
        Ok(())
    }

    /// Returns all wrappers, in the order of registration.
    pub fn wrappers(&self) -> impl Iterator<Item = &WrapperSpec> {
        self.wrappers.iter()
    }

    /// Returns the wrapper with this name.
    ///
    /// # Errors
    /// [`EnvError::UnknownWrapper`], with the nearest name.
    pub fn wrapper(&self, name: &str) -> Result<&WrapperSpec, EnvError> {
        let names = || self.wrappers.iter().map(WrapperSpec::name);
        self.wrappers.iter().find(|spec| spec.name() == name).ok_or_else(|| {
            EnvError::UnknownWrapper {
                name: name.to_owned(),
                suggestion: nearest(name, names()),
                known: names().collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// Wraps an environment. `wrappers` is a list, from the innermost outward, of names or of
    /// tables with a `name` and options. The registered step limit is inside all of them.
    ///
    /// Wrappers see observations as agents of the kind do: rows of numbers (one-hot for discrete
    /// observations) or, for tables, the indices of states.
    ///
    /// ```
    /// use gymnast_envs::{EnvOptions, Registry, Seed, kind, serde_json::json};
    ///
    /// let registry = Registry::builtin();
    /// let wrappers = json!([{ "name": "TimeLimit", "max_episode_steps": 200 },
    ///     { "name": "FrameStack", "k": 4 }]);
    /// let stacked = registry.wrapped(registry.spec("CartPole-v1")?, &wrappers)?;
    /// let envs = stacked.vector(kind::Discrete, 2, Seed::new(0), &EnvOptions::none());
    /// let shape = envs.expect("CartPole has finite actions")?.observation_space().describe();
    /// assert!(shape.to_string().ends_with("[4, 4])"));
    /// # use gymnast_envs::Space as _;
    /// # Ok::<(), gymnast_envs::EnvError>(())
    /// ```
    ///
    /// # Errors
    /// [`EnvError::UnknownWrapper`]; [`EnvError::WrapperMisfit`] if a wrapper supports no kind of
    /// the environment; [`EnvError::InvalidOption`] for a wrong name or value of an option.
    pub fn wrapped(&self, env: &EnvSpec, wrappers: &Value) -> Result<EnvSpec, EnvError> {
        env.wrapped(&read(wrappers, self)?, &self.wrappers)
    }

    /// Creates one environment with this name and its own random stream.
    ///
    /// # Errors
    /// [`EnvError::UnknownId`]; the errors of the constructor.
    pub fn make(&self, id: &str, seed: u64) -> Result<Box<dyn DynEnv>, EnvError> {
        self.spec(id)?.make(seed, &EnvOptions::none())
    }
}
