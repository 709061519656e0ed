//! What a training descends.

use tch::Tensor;

use super::FitError;
use crate::data::Batch;
use crate::loss::Loss;
use crate::nn::Network;

/// What a training descends: a [`Loss`] between outputs and targets, or a closure of network and
/// minibatch for anything else. What a closure cannot say beside its loss, a type of one's own can: of
/// a closure a minibatch counts by its rows, and a lower loss means better weights.
pub trait Objective<N> {
    /// The mean loss of a minibatch: `[]`, floating-point, differentiable by the network's parameters.
    /// Anything else ends the training with [`NetworkError::Loss`](crate::nn::NetworkError::Loss).
    ///
    /// # Errors
    /// What is wrong with outputs or targets.
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError>;

    /// What the mean of a minibatch divides by: its rows, or the sum of their weights. It is how much the
    /// minibatch counts beside others, in the loss of an epoch and in a step that several make. Finite
    /// and ≥ 0.
    ///
    /// [`Batch::rows_of_data`] where the loss is a plain mean over rows: see [`mean_over_rows!`](crate::mean_over_rows).
    fn weight(&self, batch: &Batch) -> f64;

    /// Whether a lower loss means better weights. Where it does not, the last epoch is kept, and no
    /// training stops early.
    fn ranks_epochs(&self) -> bool;

    /// Whether rows held out are augmented even where there is but one view of each, in the same way
    /// each time: an autoencoder finds nothing to do in rows as they are. `false` for every other objective.
    fn augments_held_out(&self) -> bool;

    /// The fewest rows that a minibatch may have, views of one counted once: at least 2 where rows are
    /// compared with each other. A training whose last minibatch would have fewer is refused before its
    /// first step.
    fn least_rows(&self) -> usize {
        1
    }

    /// What tells it from other objectives, with all its settings: a checkpoint is that of one. `None`
    /// where that cannot be said, and a training by it keeps no checkpoint: of a closure nothing is known but
    /// the function that it stands in. A function (`fn`) is told by its path.
    fn description(&self) -> Option<String>;
}

/// The methods of an [`Objective`] whose loss is a plain mean over rows: a minibatch counts by its rows, a
/// lower loss means better weights, and rows held out are left as they are.
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
        let targets = batch.targets(); // [B, target_width]
        // A column of classes, not rows of distributions.
        let targets = match self.compares_classes() && targets.size()[1] == 1 {
            true => batch.classes()?, // [B]
            false => targets,
        };
        Ok(self.compute(&outputs, &targets)?)
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

impl<N, F: Fn(&N, &Batch) -> Tensor> Objective<N> for F {
    fn loss(&self, network: &N, batch: &Batch) -> Result<Tensor, FitError> {
        Ok(self(network, batch))
    }

    crate::mean_over_rows!();

    /// The path of a function. Closures of one function share a name, so of them nothing is known.
    fn description(&self) -> Option<String> {
        let name = std::any::type_name::<Self>();
        (size_of_val(self) == 0 && !name.contains("{{closure}}")).then(|| name.to_owned())
    }
}
