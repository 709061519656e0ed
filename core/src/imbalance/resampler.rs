//! Resamples training rows to balance classes.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{ImbalanceError, random, smote, tomek};
use crate::data::Dataset;
use crate::require;

/// How to resample training rows, with imbalanced-learn's names, meanings and defaults.
///
/// `ratio`, in (0, 1], is the size of a class relative to the largest class (oversampling), or of
/// the smallest class relative to it (undersampling) after resampling; 1 makes all classes equally
/// large. Fractions round towards balance: one row more (imbalanced-learn: one less). A class that
/// is already closer stays unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Resampler {
    /// Repeats rows of the smaller classes, drawn with replacement.
    RandomOver {
        /// The least size of a class afterwards, relative to the largest class; in (0, 1].
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// Removes rows of the larger classes, drawn without replacement.
    RandomUnder {
        /// The size of the smallest class relative to the largest allowed size of the others; in
        /// (0, 1].
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// Synthesises rows between a row of a smaller class and one of its nearest neighbours in the
    /// class: Chawla et al., "SMOTE: synthetic minority over-sampling technique" (2002),
    /// <https://doi.org/10.1613/jair.953>. Distances are Euclidean, so scale the inputs first.
    Smote {
        /// The number of neighbours from which the second row is drawn; ≥ 1.
        #[serde(default = "five")]
        k_neighbors: usize,
        /// The least size of a class afterwards, relative to the largest class; in (0, 1].
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// SMOTE that starts only from rows at the border: at least half, but not all, of their
    /// `m_neighbors` nearest rows are of other classes (if all are, the row counts as noise). Han,
    /// Wang and Mao, "Borderline-SMOTE" (2005), <https://doi.org/10.1007/11538059_91>,
    /// borderline-1.
    BorderlineSmote {
        /// The number of neighbours in the class from which the second row is drawn; ≥ 1.
        #[serde(default = "five")]
        k_neighbors: usize,
        /// The number of nearest rows that decide whether a row lies at the border; ≥ 1.
        #[serde(default = "ten")]
        m_neighbors: usize,
        /// The least size of a class afterwards, relative to the largest class; in (0, 1].
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// Removes the rows of [`tomek_links`](super::tomek_links) that are not of the smallest class.
    TomekLinks,
    /// Draws the size of the smallest class from each class, with replacement: the training rows of
    /// a member of balanced bagging. Chen, Liaw and Breiman, "Using random forest to learn
    /// imbalanced data" (2004).
    BalancedBootstrap,
}

/// The origin of a resampled row. Row numbers refer to the rows before resampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin {
    /// A copy of this row.
    Row(usize),
    /// A point between two rows of its class: `row + share · (neighbor − row)`.
    Between {
        /// The first row.
        row: usize,
        /// The second row.
        neighbor: usize,
        /// The position between them, in [0, 1).
        share: f32,
    },
}

/// Resampled rows, for training only: splits refuse them.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// The rows; [`Dataset::is_resampled`].
    pub data: Dataset,
    /// The origin of each row.
    pub origins: Vec<Origin>,
}

impl Resampler {
    /// Returns SMOTE with five neighbours that makes all classes equally large.
    #[must_use]
    pub fn smote() -> Self {
        Self::Smote { k_neighbors: five(), ratio: whole() }
    }

    /// Returns borderline SMOTE with `k_neighbors` 5 and `m_neighbors` 10 that makes all classes
    /// equally large.
    #[must_use]
    pub fn borderline_smote() -> Self {
        Self::BorderlineSmote { k_neighbors: five(), m_neighbors: ten(), ratio: whole() }
    }

    /// Returns random oversampling that makes all classes equally large.
    #[must_use]
    pub fn random_over() -> Self {
        Self::RandomOver { ratio: whole() }
    }

    /// Returns random undersampling that makes all classes equally large.
    #[must_use]
    pub fn random_under() -> Self {
        Self::RandomUnder { ratio: whole() }
    }

    /// Resamples the training part of a fold or split. Split first: splits refuse the result.
    ///
    /// Kept rows come first, in order (except for the balanced bootstrap), then the new ones, class
    /// by class. Named classes without rows are skipped.
    ///
    /// # Errors
    /// [`ImbalanceError::Setting`], [`ImbalanceError::Classes`], [`ImbalanceError::Data`] if the
    /// rows have no classes; for SMOTE [`ImbalanceError::Neighbors`], for borderline SMOTE also
    /// [`ImbalanceError::NoBorder`].
    pub fn fit_resample<R: Rng + ?Sized>(
        &self,
        train: &Dataset,
        rng: &mut R,
    ) -> Result<Resampled, ImbalanceError> {
        self.check()?;
        let rows_of = train.rows_of_classes()?;
        let got = rows_of.iter().filter(|rows| !rows.is_empty()).count();
        if got < 2 {
            return Err(ImbalanceError::Classes { got });
        }
        let kept = || (0..train.len()).map(Origin::Row).collect::<Vec<_>>();
        let origins = match *self {
            Self::RandomOver { ratio } => [kept(), random::over(&rows_of, ratio, rng)].concat(),
            Self::RandomUnder { ratio } => random::under(&rows_of, ratio, rng),
            Self::Smote { k_neighbors, ratio } => {
                [kept(), smote::smote(train, &rows_of, k_neighbors, None, ratio, rng)?].concat()
            }
            Self::BorderlineSmote { k_neighbors, m_neighbors, ratio } => {
                let border = Some(m_neighbors);
                [kept(), smote::smote(train, &rows_of, k_neighbors, border, ratio, rng)?].concat()
            }
            Self::TomekLinks => tomek::without_links(train, &rows_of)?,
            Self::BalancedBootstrap => random::balanced_bootstrap(&rows_of, rng),
        };
        Ok(Resampled { data: assemble(train, &origins)?, origins })
    }

    fn check(&self) -> Result<(), ImbalanceError> {
        if let Self::RandomOver { ratio }
        | Self::RandomUnder { ratio }
        | Self::Smote { ratio, .. }
        | Self::BorderlineSmote { ratio, .. } = *self
        {
            require(ratio > 0.0 && ratio <= 1.0, "ratio", ratio, "in (0, 1]")?;
        }
        if let Self::Smote { k_neighbors, .. } | Self::BorderlineSmote { k_neighbors, .. } = *self {
            require(k_neighbors > 0, "k_neighbors", k_neighbors as f64, "at least 1")?;
        }
        if let Self::BorderlineSmote { m_neighbors, .. } = *self {
            require(m_neighbors > 0, "m_neighbors", m_neighbors as f64, "at least 1")?;
        }
        Ok(())
    }
}

/// The rows of these origins. Targets are the first parent's.
fn assemble(train: &Dataset, origins: &[Origin]) -> Result<Dataset, ImbalanceError> {
    let rows: Vec<usize> = origins
        .iter()
        .map(|origin| match *origin {
            Origin::Row(row) | Origin::Between { row, .. } => row,
        })
        .collect();
    let data = train.select(&rows)?.into_resampled();
    let mut table = data.input_table().clone();
    for (new, origin) in origins.iter().enumerate() {
        if let Origin::Between { row, neighbor, share } = *origin {
            let (from, to) = (train.input_table().row(row)?, train.input_table().row(neighbor)?);
            let numbers = from.iter().zip(to).map(|(from, to)| from + share * (to - from));
            table.row_mut(new)?.iter_mut().zip(numbers).for_each(|(x, number)| *x = number);
        }
    }
    Ok(data.with_inputs(table)?)
}

fn whole() -> f64 {
    1.0
}

fn five() -> usize {
    5
}

fn ten() -> usize {
    10
}
