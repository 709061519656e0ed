//! Training rows resampled so that rare classes are learned too.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::{ImbalanceError, random, setting, smote, tomek};
use crate::data::Dataset;

/// How training rows are resampled, with imbalanced-learn's names, meanings and defaults.
///
/// `ratio` is what remains between the class concerned and the largest (oversampling) or smallest one
/// (undersampling), 1 where all shall have as many rows; in (0, 1]. No class ends up further away than
/// that: where it makes no whole rows, there is one row more (imbalanced-learn: one less). A class that
/// is nearer already stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Resampler {
    /// Copies rows of the smaller classes, drawn with replacement.
    RandomOver {
        /// The rows that each class has then at least, as a share of those of the largest.
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// Leaves out rows of the larger classes, drawn without replacement.
    RandomUnder {
        /// The rows of the smallest class, as a share of those that each has then at most.
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// Makes up rows between a row of a smaller class and one of its nearest of the same class:
    /// Chawla et al., "SMOTE: synthetic minority over-sampling technique" (2002),
    /// <https://doi.org/10.1613/jair.953>. Distances are Euclidean, so scale the inputs first.
    Smote {
        /// The nearest rows among which the second one is drawn; ≥ 1.
        #[serde(default = "five")]
        k_neighbors: usize,
        /// The rows that each class has then at least, as a share of those of the largest.
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// SMOTE that starts only from rows at the border: those of whose `m_neighbors` nearest, of any
    /// class, at least half but not all are of other classes (all: it is taken for noise). Han, Wang
    /// and Mao, "Borderline-SMOTE" (2005), <https://doi.org/10.1007/11538059_91>, borderline-1.
    BorderlineSmote {
        /// The nearest rows of the class among which the second one is drawn; ≥ 1.
        #[serde(default = "five")]
        k_neighbors: usize,
        /// The nearest rows that tell whether one lies at the border; ≥ 1.
        #[serde(default = "ten")]
        m_neighbors: usize,
        /// The rows that each class has then at least, as a share of those of the largest.
        #[serde(default = "whole")]
        ratio: f64,
    },
    /// Leaves out the rows of [`tomek_links`](super::tomek_links) that are not of the smallest class.
    TomekLinks,
    /// From each class as many rows as the smallest has, drawn with replacement: what each member of a
    /// balanced bagging learns from. Chen, Liaw and Breiman, "Using random forest to learn imbalanced
    /// data" (2004).
    BalancedBootstrap,
}

/// Where a resampled row comes from. Rows are numbered as in what was resampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin {
    /// It is this row.
    Row(usize),
    /// It lies between two rows of its class: `row + share · (neighbor − row)`.
    Between {
        /// Whence.
        row: usize,
        /// Whither.
        neighbor: usize,
        /// How far, in [0, 1).
        share: f32,
    },
}

/// Rows to train with, and with nothing else: no split takes them.
#[derive(Debug, Clone, PartialEq)]
pub struct Resampled {
    /// The rows; [`Dataset::is_resampled`].
    pub data: Dataset,
    /// Where each comes from.
    pub origins: Vec<Origin>,
}

impl Resampler {
    /// SMOTE with five neighbours, until all classes have as many rows.
    #[must_use]
    pub fn smote() -> Self {
        Self::Smote { k_neighbors: five(), ratio: whole() }
    }

    /// Borderline SMOTE with five neighbours and ten around, until all classes have as many rows.
    #[must_use]
    pub fn borderline_smote() -> Self {
        Self::BorderlineSmote { k_neighbors: five(), m_neighbors: ten(), ratio: whole() }
    }

    /// Random oversampling until all classes have as many rows.
    #[must_use]
    pub fn random_over() -> Self {
        Self::RandomOver { ratio: whole() }
    }

    /// Random undersampling until all classes have as many rows.
    #[must_use]
    pub fn random_under() -> Self {
        Self::RandomUnder { ratio: whole() }
    }

    /// Resamples the training part of a fold or split, never what is split afterwards: splits refuse
    /// what it returns.
    ///
    /// Rows that are kept come first, in their order (but for the balanced bootstrap), then the new
    /// ones, class by class. A class that is named but has no rows is passed over.
    ///
    /// # Errors
    /// [`ImbalanceError::Setting`], [`ImbalanceError::Classes`], [`ImbalanceError::Data`] where rows
    /// have no classes; of SMOTE [`ImbalanceError::Neighbors`], of borderline SMOTE
    /// [`ImbalanceError::NoBorder`] too.
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
            setting(ratio > 0.0 && ratio <= 1.0, "ratio", ratio, "in (0, 1]")?;
        }
        if let Self::Smote { k_neighbors, .. } | Self::BorderlineSmote { k_neighbors, .. } = *self {
            setting(k_neighbors > 0, "k_neighbors", k_neighbors as f64, "at least 1")?;
        }
        if let Self::BorderlineSmote { m_neighbors, .. } = *self {
            setting(m_neighbors > 0, "m_neighbors", m_neighbors as f64, "at least 1")?;
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
