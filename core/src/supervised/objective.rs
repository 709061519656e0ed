//! The objective that a training minimises.

use tch::Tensor;

use super::FitError;
use crate::data::{Batch, class_of};
use crate::loss::{Loss, LossError, formula};
use crate::nn::Network;

/// The objective of a training: a [`Loss`] between outputs and targets, or a closure of network and
/// minibatch. For a closure, a minibatch's weight is its number of rows and a lower loss means
/// better weights; implement the trait for a type to change this.
pub trait Objective<N> {
    /// Returns the mean loss of a minibatch: `[]`, floating-point, differentiable by the network's
    /// parameters. Anything else ends the training with
    /// [`NetworkError::Loss`](crate::nn::NetworkError::Loss).
    ///
    /// # Errors
    /// Invalid outputs or targets.
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError>;

    /// Returns the loss as one of outputs, if it depends on the network through its outputs for the
    /// minibatch's inputs alone. Networks with a [training plan](Network::training_plan) then learn
    /// without libtorch's autograd, which is several times faster for small ones. `None` (the
    /// default): the loss needs the network.
    fn of_outputs(&self) -> Option<&dyn OutputLoss> {
        None
    }

    /// Returns the divisor of the mean: the number of rows or the sum of their weights. It weighs
    /// the minibatch in the loss of an epoch and in an accumulated step. Finite and ≥ 0.
    ///
    /// Return [`Batch::rows_of_data`] if the loss is a plain mean over rows: see
    /// [`mean_over_rows!`](crate::mean_over_rows).
    fn weight(&self, batch: &Batch) -> f64;

    /// Returns whether a lower loss means better weights. If not, the last epoch is kept, and
    /// training never stops early.
    fn ranks_epochs(&self) -> bool;

    /// Returns whether held-out rows are augmented even with a single view, in the same way each
    /// time. `true` for autoencoders that reconstruct corrupted inputs; `false` for every other
    /// objective.
    fn augments_held_out(&self) -> bool;

    /// Returns the smallest number of rows in a minibatch, counting the views of a row once: at
    /// least 2 if rows are compared with each other. A training whose last minibatch would have
    /// fewer returns an error before its first step.
    fn least_rows(&self) -> usize {
        1
    }

    /// Returns a text that identifies the objective and all its settings: a checkpoint belongs to
    /// one objective. `None` if there is no such text, as for closures; the training then cannot
    /// keep a checkpoint. A function (`fn`) is identified by its path.
    fn description(&self) -> Option<String>;
}

/// The loss of an [`Objective`] that depends on the network's outputs alone.
pub trait OutputLoss {
    /// Returns the mean loss of a minibatch whose inputs give these outputs, `[B, outputs]`: `[]`,
    /// differentiable by them.
    ///
    /// # Errors
    /// Invalid outputs or targets.
    fn loss_of_outputs(&self, outputs: &Tensor, batch: &Batch) -> Result<Tensor, FitError>;

    /// Returns the same loss and sets `by_outputs` to its gradient with respect to the outputs, by
    /// formula. Both are given row by row, `[B, outputs]`. `None` (the default): libtorch
    /// differentiates [`loss_of_outputs`](Self::loss_of_outputs).
    ///
    /// # Errors
    /// Invalid targets.
    fn differentiate(
        &self,
        _outputs: &[f32],
        _batch: &Batch,
        _by_outputs: &mut [f32],
    ) -> Result<Option<f64>, FitError> {
        Ok(None)
    }
}

/// Implements the methods of an [`Objective`] whose loss is a plain mean over rows: a minibatch's
/// weight is its number of rows, a lower loss means better weights, and held-out rows are not
/// augmented.
///
/// ```
/// use gymnast_core::{data::Batch, mean_over_rows, nn::Network, supervised::{FitError, Objective}};
/// use tch::{Kind, Tensor};
///
/// /// Keeps what a network returns small.
/// struct Small;
///
/// impl<N: Network> Objective<N> for Small {
///     fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
///         Ok(network.try_forward(&batch.inputs())?.square().mean(Kind::Float))
///     }
///
///     mean_over_rows!();
///
///     fn description(&self) -> Option<String> {
///         Some("small".to_owned())
///     }
/// }
/// ```
#[macro_export]
macro_rules! mean_over_rows {
    () => {
        fn weight(&self, batch: &$crate::data::Batch) -> f64 {
            batch.rows_of_data() as f64
        }

        fn ranks_epochs(&self) -> bool {
            true
        }

        fn augments_held_out(&self) -> bool {
            false
        }
    };
}

impl<N: Network> Objective<N> for Loss {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        let outputs = network.try_forward(&batch.inputs())?; // [B, outputs]
        self.loss_of_outputs(&outputs, batch)
    }

    fn of_outputs(&self) -> Option<&dyn OutputLoss> {
        Some(self)
    }

    fn weight(&self, batch: &Batch) -> f64 {
        let classes = batch.target_numbers();
        match self {
            // Any other mean divides by the count, and so does that of distributions.
            Self::CrossEntropy { class_weight: Some(weights), .. }
                if classes.len() == batch.len() =>
            {
                let weight =
                    |&class: &f32| weights.get(class as usize).map_or(0.0, |&w| f64::from(w));
                classes.iter().map(weight).sum::<f64>() / batch.views() as f64
            }
            _ => batch.rows_of_data() as f64,
        }
    }

    fn ranks_epochs(&self) -> bool {
        true
    }

    fn augments_held_out(&self) -> bool {
        false
    }

    fn description(&self) -> Option<String> {
        Some(format!("{self:?}"))
    }
}

impl OutputLoss for Loss {
    fn loss_of_outputs(&self, outputs: &Tensor, batch: &Batch) -> Result<Tensor, FitError> {
        let targets = batch.targets(); // [B, target_width]
        // A column of classes, not rows of distributions.
        let targets = match self.compares_classes() && targets.size()[1] == 1 {
            true => batch.classes()?, // [B]
            false => targets,
        };
        Ok(self.compute(outputs, &targets)?)
    }

    /// The cross-entropy of classes, without weights or smoothing, has a formula.
    fn differentiate(
        &self,
        outputs: &[f32],
        batch: &Batch,
        by_outputs: &mut [f32],
    ) -> Result<Option<f64>, FitError> {
        let (rows, targets) = (batch.len(), batch.target_numbers());
        let width = outputs.len().checked_div(rows).unwrap_or(0);
        let fits = [targets.len() * width, by_outputs.len()] == [outputs.len(); 2];
        if *self != Self::cross_entropy() || !fits || outputs.is_empty() {
            return Ok(None);
        }
        let class = |(row, &target)| match class_of(row, target)? {
            class if class < width => Ok(class),
            class => Err(LossError::Label { got: class as i64, classes: width as i64 }.into()),
        };
        let classes =
            targets.iter().enumerate().map(class).collect::<Result<Vec<_>, FitError>>()?;
        Ok(Some(formula::cross_entropy(outputs, &classes, by_outputs)))
    }
}

impl<N, F: Fn(&N, &Batch) -> Tensor> Objective<N> for F {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        Ok(self(network, batch))
    }

    crate::mean_over_rows!();

    /// Returns the path of a function. Closures in one function share a name, so they have no
    /// description.
    fn description(&self) -> Option<String> {
        let name = std::any::type_name::<Self>();
        (size_of_val(self) == 0 && !name.contains("{{closure}}")).then(|| name.to_owned())
    }
}
