//! Stacking: a linear model of the members' predictions.

use std::borrow::Borrow;

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::{EnsembleError, out_of_fold};
use crate::data::{Dataset, Table};
use crate::loss::Loss;
use crate::model_selection::Fold;
use crate::nn::{Activation, Network, NetworkConfig, Sequential};
use crate::supervised::{FitConfig, fit, predict};

/// Trains one kind of member on the given rows.
pub type Member<'a, N> = &'a dyn Fn(&Dataset, ChaCha8Rng) -> Result<N, EnsembleError>;

/// Classifiers, and a logistic regression trained on their out-of-fold probabilities.
///
/// ```text
/// for each member: for each fold: train on the other folds, predict this one
/// fit the logistic regression to these predictions and the true classes
/// train each member again, on all rows
/// ```
///
/// Wolpert, "Stacked generalization" (1992); of probabilities, Ting and Witten, "Issues in stacked
/// generalization" (1999).
#[derive(Debug)]
pub struct Stacking<N> {
    /// The members, trained on all rows.
    pub members: Vec<N>,
    /// The second level: `[B, members · C]` probabilities to `[B, C]` logits.
    pub blender: Sequential,
}

impl<N: Network> Stacking<N> {
    /// Trains members and logistic regression on rows with classes. `settings` are those of the
    /// regression.
    ///
    /// # Errors
    /// [`EnsembleError::NoMembers`], [`EnsembleError::Folds`]; [`EnsembleError::Data`] if the rows
    /// have no classes or are resampled (balance inside a member instead); the errors of the
    /// trainings.
    #[allow(clippy::needless_pass_by_value, reason = "as in `out_of_fold`: `&folds` is one too")]
    pub fn fit(
        train: &Dataset,
        folds: impl IntoIterator<Item: Borrow<Fold>> + Clone,
        members: &[Member<'_, N>],
        settings: &FitConfig,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self, EnsembleError> {
        if members.is_empty() {
            return Err(EnsembleError::NoMembers);
        }
        let (rows, classes) = (train.len(), train.class_counts()?.len());
        let mut of_members = Vec::with_capacity(members.len());
        for member in members {
            of_members.push(out_of_fold(folds.clone(), rows, classes, |fold| {
                let (others, fold) = fold.select(train)?;
                let network = member(&others, ChaCha8Rng::from_rng(rng))?;
                Ok::<_, EnsembleError>(
                    predict(&network, &fold, settings.batch_size)?.probabilities()?,
                )
            })?);
        }
        let second_level = train.with_inputs(side_by_side(&of_members, classes)?)?;
        let linear = NetworkConfig::mlp(&[], Activation::Identity).linear_head(classes);
        let mut blender = Sequential::new(&linear, &[members.len() * classes], rng)?;
        let (nothing, order) = (second_level.select(&[])?, ChaCha8Rng::from_rng(rng));
        fit(&mut blender, &second_level, &nothing, settings, order, &Loss::cross_entropy())?;
        let members = members.iter().map(|member| member(train, ChaCha8Rng::from_rng(rng)));
        Ok(Self { members: members.collect::<Result<_, _>>()?, blender })
    }

    /// Returns the probability of each class, `[N, C]`.
    ///
    /// # Errors
    /// [`EnsembleError::Fit`] if the rows have another width.
    pub fn probabilities(
        &self,
        data: &Dataset,
        batch_size: usize,
    ) -> Result<Vec<f64>, EnsembleError> {
        if data.is_empty() {
            return Ok(Vec::new());
        }
        let of_member = |member| Ok(predict(member, data, batch_size)?.probabilities()?);
        let of_members: Result<Vec<Vec<f64>>, EnsembleError> =
            self.members.iter().map(of_member).collect();
        let inputs = side_by_side(&of_members?, self.blender.outputs())?;
        Ok(predict(&self.blender, &data.with_inputs(inputs)?, batch_size)?.probabilities()?)
    }
}

/// Probabilities `[N, C]` of each member as rows of all members': `[N, members · C]`.
fn side_by_side(of_members: &[Vec<f64>], classes: usize) -> Result<Table, EnsembleError> {
    let rows = of_members.first().map_or(0, |member| member.len() / classes.max(1));
    let row =
        |row: usize| of_members.iter().flat_map(move |member| &member[row * classes..][..classes]);
    let numbers = (0..rows).flat_map(row).map(|&p| p as f32).collect();
    Ok(Table::new(numbers, of_members.len() * classes)?)
}
