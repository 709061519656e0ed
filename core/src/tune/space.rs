//! Search spaces: parameters declared in advance.

use serde::{Deserialize, Serialize};

use super::{Distribution, Trial, TuneError};

/// The parameters of a search, declared in advance, in order.
///
/// ```
/// use gymnast_core::tune::{Distribution, Scale, SearchSpace};
///
/// let space = SearchSpace::new([
///     ("learning_rate", Distribution::Float { low: 1e-5, high: 1e-2, scale: Scale::Log }),
///     ("layers", Distribution::Int { low: 1, high: 4, scale: Scale::Linear }),
/// ])?;
/// assert_eq!(space.iter().count(), 2);
/// # Ok::<(), gymnast_core::tune::TuneError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchSpace(Vec<(String, Distribution)>);

impl SearchSpace {
    /// Creates a space of these parameters.
    ///
    /// # Errors
    /// [`TuneError::EmptySpace`], [`TuneError::Twice`], [`TuneError::Range`],
    /// [`TuneError::Choices`].
    pub fn new<S: Into<String>>(
        parameters: impl IntoIterator<Item = (S, Distribution)>,
    ) -> Result<Self, TuneError> {
        let named = |(name, distribution): (S, Distribution)| (name.into(), distribution);
        let space = Self(parameters.into_iter().map(named).collect());
        space.check()?;
        Ok(space)
    }

    /// Checks a space read from a file.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn check(&self) -> Result<(), TuneError> {
        if self.0.is_empty() {
            return Err(TuneError::EmptySpace);
        }
        for (i, (name, distribution)) in self.0.iter().enumerate() {
            if self.0[..i].iter().any(|(other, _)| other == name) {
                return Err(TuneError::Twice(name.clone()));
            }
            distribution.check(name)?;
        }
        Ok(())
    }

    /// Returns the parameters, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Distribution)> {
        self.0.iter().map(|(name, distribution)| (name.as_str(), distribution))
    }

    /// Returns the distribution of a parameter; `None` if the space has no such parameter.
    pub fn get(&self, name: &str) -> Option<&Distribution> {
        self.iter().find(|(other, _)| *other == name).map(|(_, distribution)| distribution)
    }

    /// Asks a trial for all parameters, in order.
    ///
    /// # Errors
    /// As [`Trial::suggest`].
    pub fn suggest(
        &self,
        trial: &mut Trial<'_>,
    ) -> Result<Vec<(String, serde_json::Value)>, TuneError> {
        let suggest = |(name, distribution): (&str, &Distribution)| {
            Ok((name.to_owned(), trial.suggest(name, distribution)?))
        };
        self.iter().map(suggest).collect()
    }
}
