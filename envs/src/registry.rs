//! Environments by name.

use crate::{DynEnv, EnvError, EnvOptions, EnvSpec, spelling::nearest};

/// The environments that can be made by name.
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
}

impl Registry {
    /// The environments that come with the library.
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
        Self { specs }
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

    /// Every environment, in the order of registration.
    pub fn iter(&self) -> impl Iterator<Item = &EnvSpec> {
        self.specs.iter()
    }

    /// The environment of that name.
    ///
    /// # Errors
    /// [`EnvError::UnknownId`] with the nearest name.
    pub fn spec(&self, id: &str) -> Result<&EnvSpec, EnvError> {
        self.specs.iter().find(|spec| spec.id() == id).ok_or_else(|| EnvError::UnknownId {
            id: id.to_owned(),
            suggestion: nearest(id, self.specs.iter().map(EnvSpec::id)),
        })
    }

    /// One environment of that name with its own stream.
    ///
    /// # Errors
    /// [`EnvError::UnknownId`]; what the constructor returns.
    pub fn make(&self, id: &str, seed: u64) -> Result<Box<dyn DynEnv>, EnvError> {
        self.spec(id)?.make(seed, &EnvOptions::none())
    }
}
