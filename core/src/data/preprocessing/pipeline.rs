//! One transformer after the other.

use serde::{Deserialize, Serialize};

use super::{
    Bounds, MinMaxScaler, OutlierClipper, RobustScaler, SimpleImputer, StandardScaler, Strategy,
    Transformer,
};
use crate::data::{DataError, Table};

/// What a step of a pipeline is to be fitted as.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// [`SimpleImputer`].
    SimpleImputer(Strategy),
    /// [`OutlierClipper`].
    OutlierClipper(Bounds),
    /// [`StandardScaler`].
    StandardScaler,
    /// [`MinMaxScaler`].
    MinMaxScaler {
        /// What the least and the greatest number become.
        range: (f32, f32),
    },
    /// [`RobustScaler`].
    RobustScaler {
        /// The percentiles between which the column becomes 1 wide.
        quantile_range: (f64, f64),
    },
}

/// Transformers, each fitted to what those before it made of the rows; scikit-learn's `Pipeline`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Pipeline {
    width: usize,
    steps: Vec<Fitted>,
}

/// A pipeline that came from a file.
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
    fn fit(table: &Table, step: Step) -> Result<Self, DataError> {
        Ok(match step {
            Step::SimpleImputer(strategy) => {
                Self::SimpleImputer(SimpleImputer::fit(table, strategy)?)
            }
            Step::OutlierClipper(bounds) => {
                Self::OutlierClipper(OutlierClipper::fit(table, bounds)?)
            }
            Step::StandardScaler => Self::StandardScaler(StandardScaler::fit(table)?),
            Step::MinMaxScaler { range } => Self::MinMaxScaler(MinMaxScaler::fit(table, range)?),
            Step::RobustScaler { quantile_range } => {
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
    /// Fits the steps in order. Without steps it changes nothing.
    ///
    /// # Errors
    /// Those of the steps.
    pub fn fit(table: &Table, steps: &[Step]) -> Result<Self, DataError> {
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
