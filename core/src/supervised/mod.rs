//! Supervised training: rows of inputs, rows of targets and a loss between what a network makes of
//! the one and the other.
//!
//! ```text
//! for each epoch:
//!     shuffle the rows
//!     for each minibatch: one step of Adam down the gradient of its loss
//!     the validation loss: that of the rows held out, nothing learned from them
//!     stop where it has not fallen by more than min_delta for `patience` epochs
//! keep the weights of the epoch whose validation loss was the least
//! ```
//!
//! [`fit`] is the whole of it; [`Fit`] is the same a minibatch at a time, for callers who do something
//! in between, save for instance. What a row is shuffled by depends on the stream and the epoch alone,
//! so a training goes on from its [`FitProgress`], its weights and its optimiser's state to the last
//! bit.
//!
//! ```
//! use gymnast_core::loss::class_cross_entropy;
//! use gymnast_core::nn::{Mlp, MlpConfig, Network};
//! use gymnast_core::supervised::{Dataset, FitConfig, fit};
//! use rand::SeedableRng;
//! use rand_chacha::ChaCha8Rng;
//!
//! // Which of two numbers is the greater?
//! let inputs: Vec<f32> = (0..400).map(|i| ((i * 37) % 101) as f32 / 101.0).collect();
//! let classes: Vec<f32> = inputs.chunks(2).map(|x| f32::from(u8::from(x[1] > x[0]))).collect();
//! let mut rng = ChaCha8Rng::seed_from_u64(0);
//! let (train, validation) = Dataset::new(inputs, 2, classes, 1)?.split(0.2, &mut rng)?;
//! let mut network = Mlp::new(&MlpConfig::default(), 2, 2, &mut rng)?;
//! let config = FitConfig { epochs: 40, batch_size: 16, learning_rate: 1e-2, ..FitConfig::default() };
//! let history = fit(&mut network, &train, &validation, &config, rng, |network, batch| {
//!     class_cross_entropy(&network.forward(&batch.inputs()), &batch.classes(), None)
//! })?;
//! let best = history.best().expect("at least one epoch");
//! assert!(best.validation_loss.expect("rows were held out") < 0.1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(test)]
mod tests;

pub use crate::data::{Batch, Dataset};

use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;
use thiserror::Error;

use crate::data::DataError;
use crate::nn::{Network, NetworkError, Parameters};
use crate::optim::{Adam, AdamConfig, OptimError, Optimizer as _};

/// How to train.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FitConfig {
    /// The passes over the training rows, at most; ≥ 1.
    pub epochs: usize,
    /// The rows of a minibatch; the last of an epoch may have fewer; ≥ 1.
    pub batch_size: usize,
    /// Adam's step size; > 0.
    pub learning_rate: f64,
    /// How strongly weights are pulled to zero, apart from the gradient (AdamW); ≥ 0.
    pub weight_decay: f64,
    /// The epochs in a row without improvement after which it stops; 0: it never stops early.
    pub patience: usize,
    /// By how much the loss has to fall to count as improved; ≥ 0.
    pub min_delta: f64,
}

impl Default for FitConfig {
    fn default() -> Self {
        Self {
            epochs: 200,
            batch_size: 64,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            patience: 10,
            min_delta: 0.0,
        }
    }
}

/// Why a network cannot be fitted.
#[derive(Debug, Error)]
pub enum FitError {
    /// A setting is out of its range.
    #[error("{key} must be {allowed}, got {value}")]
    Setting {
        /// The setting's name.
        key: &'static str,
        /// What it was set to.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// There is nothing to learn from.
    #[error("there are no rows to train with")]
    Empty,
    /// The rows are at fault.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The loss is no longer finite.
    #[error(
        "the loss became {loss} in epoch {epoch}, minibatch {batch}: try a lower learning rate"
    )]
    Diverged {
        /// Which epoch, from 1.
        epoch: usize,
        /// Which of its minibatches, from 1.
        batch: usize,
        /// The loss.
        loss: f64,
    },
    /// The optimiser refused.
    #[error(transparent)]
    Optim(#[from] OptimError),
    /// The network refused.
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// What one epoch came to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The mean loss of the training rows, each as its minibatch came.
    pub train_loss: f64,
    /// The mean loss of the rows held out, after the epoch; `None` where there are none.
    pub validation_loss: Option<f64>,
}

impl Epoch {
    /// What epochs are compared by: the validation loss, or the training loss where there is none.
    pub fn loss(&self) -> f64 {
        self.validation_loss.unwrap_or(self.train_loss)
    }
}

/// What a training came to.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// Each epoch, in order.
    pub epochs: Vec<Epoch>,
    /// Which epoch had the least loss, from 0: the network has its weights.
    pub best_epoch: Option<usize>,
    /// Whether it stopped for want of improvement.
    pub stopped_early: bool,
}

impl History {
    /// The epoch with the least loss.
    pub fn best(&self) -> Option<&Epoch> {
        self.best_epoch.map(|epoch| &self.epochs[epoch])
    }
}

/// Trains a network and leaves it with the weights of the epoch whose loss was the least, whether it
/// stopped early or not.
///
/// `loss` gives the mean loss of a minibatch, `[]`, differentiable. Without `validation` rows epochs
/// are compared by their training loss.
///
/// # Errors
/// [`FitError`].
pub fn fit<N: Network>(
    network: &mut N,
    train: &Dataset,
    validation: &Dataset,
    config: &FitConfig,
    rng: ChaCha8Rng,
    loss: impl Fn(&N, &Batch) -> Tensor,
) -> Result<History, FitError> {
    let mut fit = Fit::new(config, network.parameters(), rng)?;
    while !fit.is_over() {
        fit.step(network, train, validation, &loss)?;
    }
    if let Some(weights) = fit.best_weights() {
        network.parameters_mut().load(weights)?;
    }
    Ok(fit.progress.history)
}

/// A training under way: [`fit`] a minibatch at a time.
#[derive(Debug)]
pub struct Fit {
    config: FitConfig,
    optimizer: Adam,
    rng: ChaCha8Rng,
    /// The rows of the epoch under way, shuffled.
    order: Vec<usize>,
    batch: Batch,
    best_weights: Option<Vec<f32>>,
    progress: FitProgress,
}

/// How far a training has come: all that changes but the network's weights, the best ones and what the
/// optimiser remembers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct FitProgress {
    history: History,
    /// The rows of the epoch under way that were learned from.
    rows: usize,
    /// The minibatches that these made.
    batches: usize,
    /// The sum of their losses.
    loss: f64,
    /// The loss that the next ones have to fall below, and the epochs since it was set.
    reference: Option<f64>,
    stale: usize,
}

impl Fit {
    /// A training that has not begun, of a network with these parameters. It owns the stream.
    ///
    /// # Errors
    /// [`FitError::Setting`].
    pub fn new(
        config: &FitConfig,
        parameters: &Parameters,
        rng: ChaCha8Rng,
    ) -> Result<Self, FitError> {
        let FitConfig { epochs, batch_size, learning_rate, weight_decay, min_delta, .. } = *config;
        let check = |holds, key, value, allowed| match holds {
            true => Ok(()),
            false => Err(FitError::Setting { key, value, allowed }),
        };
        check(epochs > 0, "epochs", epochs as f64, "at least 1")?;
        check(batch_size > 0, "batch_size", batch_size as f64, "at least 1")?;
        let fits = learning_rate > 0.0 && learning_rate.is_finite();
        check(fits, "learning_rate", learning_rate, "positive")?;
        check(min_delta >= 0.0 && min_delta.is_finite(), "min_delta", min_delta, "at least 0")?;
        let adam = AdamConfig { weight_decay, decoupled: true, ..AdamConfig::default() };
        Ok(Self {
            config: *config,
            optimizer: Adam::new(adam, parameters)?,
            rng,
            order: Vec::new(),
            batch: Batch::default(),
            best_weights: None,
            progress: FitProgress::default(),
        })
    }

    /// Learns from one minibatch. Returns what the epoch came to where it was its last.
    ///
    /// Always with the same rows; does nothing once the training is over.
    ///
    /// # Errors
    /// [`FitError::Empty`], [`FitError::Diverged`]; what the optimiser returns.
    pub fn step<N: Network>(
        &mut self,
        network: &mut N,
        train: &Dataset,
        validation: &Dataset,
        loss: impl Fn(&N, &Batch) -> Tensor,
    ) -> Result<Option<Epoch>, FitError> {
        if train.is_empty() {
            return Err(FitError::Empty);
        }
        if self.is_over() {
            return Ok(None);
        }
        if self.order.len() != train.len() {
            self.shuffle(train.len());
        }
        let rows = self.progress.rows..self.order.len();
        let rows = rows.start..rows.end.min(rows.start + self.config.batch_size);
        train.gather(&self.order[rows.clone()], &mut self.batch);
        let value = loss(network, &self.batch); // []
        let number = self.finite(value.double_value(&[]))?;
        let rate = self.config.learning_rate;
        self.optimizer.minimize(&value, network.parameters_mut(), rate, None)?;
        self.progress.loss += number * rows.len() as f64;
        self.progress.batches += 1;
        self.progress.rows = rows.end;
        if rows.end < train.len() {
            return Ok(None);
        }
        let train_loss = self.progress.loss / train.len() as f64;
        let validation_loss = self.mean_loss(network, validation, loss)?;
        let epoch = Epoch { train_loss, validation_loss };
        self.end_epoch(epoch, network.parameters());
        Ok(Some(epoch))
    }

    /// The mean loss of rows that nothing is learned from; `None` where there are none.
    fn mean_loss<N: Network>(
        &mut self,
        network: &N,
        data: &Dataset,
        loss: impl Fn(&N, &Batch) -> Tensor,
    ) -> Result<Option<f64>, FitError> {
        let _guard = tch::no_grad_guard();
        let rows: Vec<usize> = (0..data.len()).collect();
        let mut sum = 0.0;
        for rows in rows.chunks(self.config.batch_size) {
            data.gather(rows, &mut self.batch);
            let value = loss(network, &self.batch).double_value(&[]);
            sum += self.finite(value)? * rows.len() as f64;
        }
        Ok((!data.is_empty()).then(|| sum / data.len() as f64))
    }

    fn finite(&self, loss: f64) -> Result<f64, FitError> {
        let (epoch, batch) = (self.progress.history.epochs.len() + 1, self.progress.batches + 1);
        if loss.is_finite() { Ok(loss) } else { Err(FitError::Diverged { epoch, batch, loss }) }
    }

    fn end_epoch(&mut self, epoch: Epoch, parameters: &Parameters) {
        let FitConfig { epochs, patience, min_delta, .. } = self.config;
        let FitProgress { history, rows, batches, loss, reference, stale } = &mut self.progress;
        (*rows, *batches, *loss) = (0, 0, 0.0);
        if history.best().is_none_or(|best| epoch.loss() < best.loss()) {
            history.best_epoch = Some(history.epochs.len());
            self.best_weights = Some(parameters.to_vec());
        }
        history.epochs.push(epoch);
        if reference.is_none_or(|reference| epoch.loss() < reference - min_delta) {
            (*reference, *stale) = (Some(epoch.loss()), 0);
        } else {
            *stale += 1;
        }
        history.stopped_early = patience > 0 && *stale >= patience && history.epochs.len() < epochs;
        self.order.clear();
    }

    /// The order of the epoch under way: a function of the stream and the epoch.
    fn shuffle(&mut self, rows: usize) {
        let mut rng = self.rng.clone();
        rng.set_stream(self.progress.history.epochs.len() as u64);
        self.order = (0..rows).collect();
        self.order.shuffle(&mut rng);
    }

    /// Whether all epochs are over, or it stopped early.
    pub fn is_over(&self) -> bool {
        let history = &self.progress.history;
        history.stopped_early || history.epochs.len() >= self.config.epochs
    }

    /// What it has come to so far.
    pub fn history(&self) -> &History {
        &self.progress.history
    }

    /// The weights of the best epoch so far; `None` before the first is over.
    pub fn best_weights(&self) -> Option<&[f32]> {
        self.best_weights.as_deref()
    }

    /// How far it has come, to be saved.
    pub fn progress(&self) -> &FitProgress {
        &self.progress
    }

    /// The optimiser, whose state is to be saved too.
    pub fn optimizer(&self) -> &Adam {
        &self.optimizer
    }

    /// The optimiser, to be restored.
    pub fn optimizer_mut(&mut self) -> &mut Adam {
        &mut self.optimizer
    }

    /// Goes on from what was saved of a training with the same settings and rows; the network and the
    /// optimiser are the caller's to restore.
    pub fn resume(&mut self, progress: FitProgress, best_weights: Option<Vec<f32>>) {
        (self.progress, self.best_weights) = (progress, best_weights);
        self.order.clear();
    }
}
