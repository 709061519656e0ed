//! A pipeline of transformers.

use serde::{Deserialize, Serialize};

use super::{
    Bounds, MinMaxScaler, OutlierClipper, RobustScaler, SimpleImputer, StandardScaler, Strategy,
    Transformer,
};
use crate::data::{DataError, Table};

/// A transformer to fit as a step of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PipelineStep {
    /// [`SimpleImputer`].
    SimpleImputer(Strategy),
    /// [`OutlierClipper`].
    OutlierClipper(Bounds),
    /// [`StandardScaler`].
    StandardScaler,
    /// [`MinMaxScaler`].
    MinMaxScaler {
        /// The values that the column's smallest and largest numbers become.
        range: (f32, f32),
    },
    /// [`RobustScaler`].
    RobustScaler {
        /// The percentiles whose distance is scaled to 1.
        quantile_range: (f64, f64),
    },
}

/// Applies transformers in order, each fitted to the output of those before it; scikit-learn's
/// `Pipeline`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Pipeline {
    width: usize,
    steps: Vec<Fitted>,
}

/// A pipeline read from a file, not yet checked.
#[derive(Deserialize)]
struct Unchecked {
    width: usize,
    steps: Vec<Fitted>,
}

impl TryFrom<Unchecked> for Pipeline {
    type Error = DataError;

    fn try_from(Unchecked { width, steps }: Unchecked) -> Result<Self, DataError> {
        match steps.iter().map(|step| step.transformer().width()).find(|own| *own != width) {
            None => Ok(Self { width, steps }),
            Some(got) => Err(DataError::Count { what: "columns", expected: width, got }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fitted {
    SimpleImputer(SimpleImputer),
    OutlierClipper(OutlierClipper),
    StandardScaler(StandardScaler),
    MinMaxScaler(MinMaxScaler),
    RobustScaler(RobustScaler),
}

impl Fitted {
    fn fit(table: &Table, step: PipelineStep) -> Result<Self, DataError> {
        Ok(match step {
            PipelineStep::SimpleImputer(strategy) => {
                Self::SimpleImputer(SimpleImputer::fit(table, strategy)?)
            }
            PipelineStep::OutlierClipper(bounds) => {
                Self::OutlierClipper(OutlierClipper::fit(table, bounds)?)
            }
            PipelineStep::StandardScaler => Self::StandardScaler(StandardScaler::fit(table)?),
            PipelineStep::MinMaxScaler { range } => {
                Self::MinMaxScaler(MinMaxScaler::fit(table, range)?)
            }
            PipelineStep::RobustScaler { quantile_range } => {
                Self::RobustScaler(RobustScaler::fit(table, quantile_range)?)
            }
        })
    }

    fn transformer(&self) -> &dyn Transformer {
        match self {
            Self::SimpleImputer(transformer) => transformer,
            Self::OutlierClipper(transformer) => transformer,
            Self::StandardScaler(transformer) => transformer,
            Self::MinMaxScaler(transformer) => transformer,
            Self::RobustScaler(transformer) => transformer,
        }
    }
}

impl Pipeline {
    /// Fits the steps in order. An empty pipeline changes nothing.
    ///
    /// # Errors
    /// The errors of the steps.
    pub fn fit(table: &Table, steps: &[PipelineStep]) -> Result<Self, DataError> {
        let mut pipeline = Self { width: table.width(), steps: Vec::with_capacity(steps.len()) };
        let mut table = table.clone();
        for &step in steps {
            let fitted = Fitted::fit(&table, step)?;
            table = fitted.transformer().transform(&table)?;
            pipeline.steps.push(fitted);
        }
        Ok(pipeline)
    }
}

impl Transformer for Pipeline {
    fn width(&self) -> usize {
        self.width
    }

    fn transform_row(&self, row: &mut [f32]) {
        self.steps.iter().for_each(|step| step.transformer().transform_row(row));
    }

    fn inverse_transform_row(&self, row: &mut [f32]) {
        self.steps.iter().rev().for_each(|step| step.transformer().inverse_transform_row(row));
    }
}
