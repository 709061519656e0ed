//! Training, one optimiser step at a time.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::{Tensor, kind::FLOAT_CPU};

use super::gradient::add_gradient;
use super::mean_loss::{mean_loss, weight, weighted_mean};
use super::predictions::check_width;
use super::{Epoch, EpochProgress, EpochScores, FitConfig, FitError, History, Objective};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};
use crate::data::{Batch, Compose, DataError, Dataset};
use crate::nn::{Buffers, Network, NetworkError, Parameters, Tape};
use crate::optim::{OptimError, Optimizer, ParamGroups};

/// A training in progress: [`fit`](super::fit), one optimiser step at a time.
///
/// Its [`Checkpoint`] holds the whole state except the network's own parameters and buffers.
pub struct Fit {
    config: FitConfig,
    optimizer: Box<dyn Optimizer>,
    rng: ChaCha8Rng,
    /// The rows of the epoch under way, shuffled.
    order: Vec<usize>,
    /// The minibatches of a step.
    batches: Vec<Batch>,
    /// Once the width of the rows is known.
    augmentation: Option<Compose>,
    best: Option<NetworkState>,
    tape: Tape,
    progress: FitProgress,
}

/// All that training changes in a network, at one moment.
#[derive(Debug, Clone)]
pub(super) struct NetworkState {
    weights: Vec<f32>,
    buffers: Buffers,
}

impl NetworkState {
    pub(super) fn of(network: &impl Network) -> Self {
        Self { weights: network.parameters().to_vec(), buffers: network.buffers() }
    }

    pub(super) fn restore(&self, network: &mut impl Network) -> Result<(), NetworkError> {
        network.parameters_mut().load(&self.weights)?;
        network.load_buffers(&self.buffers)
    }

    fn is_finite(&self) -> bool {
        self.weights.iter().chain(&self.buffers.numbers).all(|number| number.is_finite())
    }
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct FitProgress {
    history: History,
    /// The steps of the optimiser so far.
    steps: u64,
    /// The rows of the epoch under way that were learned from.
    rows: usize,
    /// The minibatches that these made.
    batches: usize,
    /// The sum of their losses, each times its weight, and the sum of the weights.
    loss: f64,
    weight: f64,
    /// The loss that the next ones have to fall below, and the epochs since it was set.
    reference: Option<f64>,
    stale: usize,
}

impl FitProgress {
    /// Whether it is one that a training can have.
    fn is_consistent(&self) -> bool {
        let Self { history, loss, weight, steps, batches, .. } = self;
        let best = history.best_epoch.is_none_or(|best| best < history.epochs.len());
        let counts = *steps < 1 << 53 && *batches < 1 << 53;
        best && counts && loss.is_finite() && weight.is_finite() && *weight >= 0.0
    }
}

impl Fit {
    /// Creates a training of a network with these parameters, before its first step. It owns the
    /// random stream.
    ///
    /// # Errors
    /// [`FitError::Setting`], [`FitError::Optim`].
    pub fn new(
        config: &FitConfig,
        parameters: &Parameters,
        rng: ChaCha8Rng,
    ) -> Result<Self, FitError> {
        config.check()?;
        let mut optimizer = config.optimizer.build(parameters)?;
        optimizer.set_groups(ParamGroups::new(parameters, &config.param_groups)?)?;
        Ok(Self {
            optimizer,
            config: config.clone(),
            rng,
            order: Vec::new(),
            batches: Vec::new(),
            augmentation: None,
            best: None,
            tape: Tape::default(),
            progress: FitProgress::default(),
        })
    }

    /// Takes one optimiser step with the mean gradient of `accumulate` minibatches. Returns the
    /// epoch's result after its last step.
    ///
    /// Pass the same rows on every call. Does nothing after the training has ended. On an error the
    /// network stays in evaluation mode with its current weights;
    /// [`restore_best`](Self::restore_best) restores the best ones.
    ///
    /// # Errors
    /// [`FitError::Empty`], [`FitError::Width`], [`FitError::Diverged`], [`FitError::NoWeight`];
    /// [`FitError::Data`] if held-out rows are resampled, or the sampler needs classes and the rows
    /// have none; before the first step [`FitError::Network`] if the last minibatch of an epoch is
    /// too small for the network, [`FitError::Rows`] if it is too small for the objective; the
    /// errors of objective and optimiser.
    pub fn step<N: Network>(
        &mut self,
        network: &mut N,
        train: &Dataset,
        validation: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<Option<Epoch>, FitError> {
        if train.is_empty() {
            return Err(FitError::Empty);
        }
        if self.is_over() {
            return Ok(None);
        }
        network.set_training(true);
        let result = self.step_in_training(network, train, validation, objective);
        if result.is_err() {
            network.set_training(false);
        }
        result
    }

    fn step_in_training<N: Network>(
        &mut self,
        network: &mut N,
        train: &Dataset,
        validation: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<Option<Epoch>, FitError> {
        if self.order.len() != train.len() {
            self.begin_epoch(network, train, validation, objective.least_rows())?;
        }
        self.accumulate(network, train, objective)?;
        let rate = self.config.learning_rate(self.progress.steps, train.len())?;
        let clip = self.config.max_grad_norm;
        let stepped = self.optimizer.descend(network.parameters_mut(), rate, clip);
        stepped.map_err(|error| self.refused(error))?;
        network.after_step()?;
        self.progress.steps += 1;
        if self.progress.rows < self.config.rows_per_epoch(train.len()) {
            return Ok(None);
        }
        network.set_training(false);
        let train_loss = weighted_mean(self.progress.loss, self.progress.weight)?;
        let validation_loss = self.mean_loss(network, validation, objective)?;
        let epoch = Epoch { train_loss, validation_loss, learning_rate: rate, ..Epoch::default() };
        self.end_epoch(epoch.clone(), network, objective.ranks_epochs())?;
        Ok(Some(epoch))
    }

    /// Shuffles the rows of the epoch, after checking that all its minibatches are large enough.
    fn begin_epoch<N: Network>(
        &mut self,
        network: &N,
        train: &Dataset,
        validation: &Dataset,
        least_rows: usize,
    ) -> Result<(), FitError> {
        let FitConfig { batch_size, views, .. } = self.config;
        check_width("rows to train with", network, train)?;
        check_width("rows held out", network, validation)?;
        validation.check_not_resampled("hold out")?;
        let (rows, done) = (self.config.rows_per_epoch(train.len()), self.progress.rows);
        if rows == 0 {
            return Err(DataError::TooFewRows { needed: batch_size, rows: train.len() }.into());
        }
        if done >= rows {
            return Err(FitError::OtherRows { done, rows });
        }
        train.check_views(rows.min(batch_size), views)?;
        let smallest = self.config.smallest_batch(train.len());
        check_rows("rows to train with", least_rows, smallest)?;
        if !validation.is_empty() {
            let smallest = self.config.smallest_of_all(validation.len());
            check_rows("rows held out", least_rows, smallest)?;
        }
        // Looked at for its shape alone: it takes no memory.
        let smallest = [smallest * views, train.input_width()];
        let smallest = smallest.map(|n| n as i64);
        network.check_input(&Tensor::zeros([1, 1], FLOAT_CPU).expand(smallest, false))?;
        self.augmentation =
            Some(Compose::new(self.config.augmentations.clone(), train.input_width())?);
        let epoch = self.progress.history.epochs.len() as u64;
        self.order = self.config.sampler.order(train, &self.rng, epoch)?;
        Ok(())
    }

    /// Sums the gradients of the next minibatches, weighted by each one's weight: the gradient of
    /// one large minibatch, unless rows are compared with each other.
    fn accumulate<N: Network>(
        &mut self,
        network: &mut N,
        train: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<(), FitError> {
        let FitConfig { batch_size, accumulate, views, .. } = self.config;
        let (start, rows) = (self.progress.rows, self.config.rows_per_epoch(train.len()));
        let end = rows.min(start.saturating_add(batch_size.saturating_mul(accumulate)));
        train.check_views(end - start, views)?;
        network.parameters_mut().zero_grad();
        // A stream for each step, far from those of the epochs.
        let mut rng = self.rng.clone();
        rng.set_stream(u64::MAX - self.progress.steps);
        let minibatches = self.order[start..end].chunks(batch_size);
        self.batches.resize_with(minibatches.len(), Batch::default);
        for (rows, batch) in minibatches.zip(&mut self.batches) {
            train.gather_views(rows, views, batch)?;
            if let Some(augmentation) = &self.augmentation {
                augmentation.apply(batch.input_numbers_mut(), &mut rng)?;
            }
        }
        let weights = self.batches.iter().map(|batch| weight(objective, batch));
        let weights = weights.collect::<Result<Vec<f64>, _>>()?;
        let total: f64 = weights.iter().sum();
        let FitProgress { loss: mut sum, weight: mut of, batches: mut done, .. } = self.progress;
        for (batch, weight) in self.batches.iter().zip(weights) {
            // Without any weight there is no gradient either.
            let share = if total > 0.0 { weight / total } else { 0.0 };
            let number = add_gradient(network, batch, objective, share, &mut self.tape)?;
            let number = self.finite(number, done)?;
            (sum, of, done) = (sum + number * weight, of + weight, done + 1);
        }
        let progress = &mut self.progress;
        (progress.loss, progress.weight, progress.batches, progress.rows) = (sum, of, done, end);
        Ok(())
    }

    /// Returns the mean loss of held-out rows; `None` without rows.
    pub(super) fn mean_loss<N: Network>(
        &mut self,
        network: &N,
        data: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<Option<f64>, FitError> {
        let loss = mean_loss(network, data, objective, (&self.config, &self.rng))?;
        loss.map(|loss| self.finite(loss, self.progress.batches)).transpose()
    }

    /// Returns the loss if it is finite; `batches` minibatches of the epoch came before.
    fn finite(&self, loss: f64, batches: usize) -> Result<f64, FitError> {
        if loss.is_finite() {
            return Ok(loss);
        }
        Err(self.diverged(loss, batches + 1))
    }

    fn diverged(&self, loss: f64, batch: usize) -> FitError {
        let history = Box::new(self.progress.history.clone());
        FitError::Diverged { epoch: history.epochs.len() + 1, batch, loss, history }
    }

    /// Explains why the optimiser rejected the gradients of finite losses.
    fn refused(&self, error: OptimError) -> FitError {
        match error {
            OptimError::NotFinite { .. } => self.diverged(f64::NAN, self.progress.batches),
            other => other.into(),
        }
    }

    fn end_epoch<N: Network>(
        &mut self,
        epoch: Epoch,
        network: &N,
        ranked: bool,
    ) -> Result<(), FitError> {
        // The last step may have been one too many, which no loss of the epoch tells.
        let state = NetworkState::of(network);
        if !state.is_finite() {
            self.finite(f64::NAN, self.progress.batches)?;
        }
        self.finite(epoch.train_loss, self.progress.batches)?;
        let FitConfig { epochs, patience, min_delta, .. } = self.config;
        let FitProgress { history, rows, batches, loss, weight, reference, stale, .. } =
            &mut self.progress;
        (*rows, *batches, *loss, *weight) = (0, 0, 0.0, 0.0);
        if !ranked || history.best().is_none_or(|best| epoch.loss() < best.loss()) {
            history.best_epoch = Some(history.epochs.len());
            self.best = Some(state);
        }
        if !ranked || reference.is_none_or(|reference| epoch.loss() < reference - min_delta) {
            (*reference, *stale) = (Some(epoch.loss()), 0);
        } else {
            *stale += 1;
        }
        history.epochs.push(epoch);
        history.stopped_early = patience > 0 && *stale >= patience && history.epochs.len() < epochs;
        self.order.clear();
        Ok(())
    }

    /// Returns whether all epochs are done, or the training stopped early.
    pub fn is_over(&self) -> bool {
        let history = &self.progress.history;
        history.stopped_early || history.epochs.len() >= self.config.epochs
    }

    /// Returns the progress, given the number of training rows.
    pub fn progress(&self, total_rows: usize) -> EpochProgress {
        let epochs = self.config.epochs;
        let epoch = (self.progress.history.epochs.len() + 1).min(epochs);
        let total_rows = self.config.rows_per_epoch(total_rows);
        EpochProgress { epoch, epochs, rows: self.progress.rows, total_rows }
    }

    /// Returns the results so far.
    pub fn history(&self) -> &History {
        &self.progress.history
    }

    /// Returns the results and drops the rest.
    pub fn into_history(self) -> History {
        self.progress.history
    }

    /// Adds a score to the last completed epoch.
    pub(super) fn add_score(&mut self, name: &str, scores: EpochScores) {
        if let Some(epoch) = self.progress.history.epochs.last_mut() {
            epoch.scores.insert(name.to_owned(), scores);
        }
    }

    /// Returns the weights of the best epoch so far; `None` before the end of the first.
    pub fn best_weights(&self) -> Option<&[f32]> {
        self.best.as_ref().map(|best| best.weights.as_slice())
    }

    /// Restores the network's state after the best epoch; before the end of the first epoch it does
    /// nothing.
    ///
    /// # Errors
    /// [`FitError::Network`] if it is another network.
    pub fn restore_best<N: Network>(&self, network: &mut N) -> Result<(), FitError> {
        Ok(self.best.as_ref().map_or(Ok(()), |best| best.restore(network))?)
    }
}

/// Checks that the smallest minibatch has the rows that the objective compares.
fn check_rows(what: &'static str, least: usize, got: usize) -> Result<(), FitError> {
    if got >= least { Ok(()) } else { Err(FitError::Rows { what, least, got }) }
}

impl Checkpoint for Fit {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("progress", &self.progress)?;
        state.insert_part("optimizer", &*self.optimizer)?;
        state.insert("has_best", &self.best.is_some())?;
        if let Some(NetworkState { weights, buffers }) = &self.best {
            state.insert_array("best", &[weights.len()], weights);
            state.insert("best_buffers", buffers)?;
        }
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("optimizer", &mut *self.optimizer)?;
        self.best = if state.get("has_best")? {
            let weights = state.finite_array("best", &[self.optimizer.groups().len()])?;
            Some(NetworkState { weights, buffers: state.get("best_buffers")? })
        } else {
            None
        };
        let expected = "counts, and a best epoch among those that are over";
        self.progress = state.get_checked("progress", expected, FitProgress::is_consistent)?;
        self.order.clear();
        Ok(())
    }
}
