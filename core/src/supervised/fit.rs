//! The training itself, a step of the optimiser at a time.

use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::predictions::check_width;
use super::{Epoch, FitConfig, FitError, History, Objective, Progress, Scores};
use crate::checkpoint::{Checkpoint, CheckpointError, StateDict};
use crate::data::{Batch, Compose, Dataset};
use crate::nn::{Buffers, Network, Parameters};
use crate::optim::{Optimizer, ParamGroups};

/// A training under way: [`fit`](super::fit) a step of the optimiser at a time.
///
/// Its [`Checkpoint`] holds all that changes but the network's own parameters and buffers.
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
    best: Option<Best>,
    progress: FitProgress,
}

/// What the network held after its best epoch.
#[derive(Debug, Clone)]
struct Best {
    weights: Vec<f32>,
    buffers: Buffers,
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
    /// A training that has not begun, of a network with these parameters. It owns the stream.
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
            progress: FitProgress::default(),
        })
    }

    /// Takes one step of the optimiser, down the mean gradient of `accumulate` minibatches. Returns
    /// what the epoch came to where it was its last.
    ///
    /// Always with the same rows; does nothing once the training is over.
    ///
    /// # Errors
    /// [`FitError::Empty`], [`FitError::Width`], [`FitError::Diverged`], [`FitError::NoWeight`];
    /// [`FitError::Data`] where the rows held out are resampled ones, or those to train with have no
    /// classes and the sampler needs them; what objective and optimiser return.
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
        if self.order.len() != train.len() {
            self.check_place(train.len())?;
            check_width("rows to train with", network, train)?;
            check_width("rows held out", network, validation)?;
            validation.check_not_resampled("hold out")?;
            let augmentations = self.config.augmentations.clone();
            self.augmentation = Some(Compose::new(augmentations, train.input_width())?);
            let epoch = self.progress.history.epochs.len() as u64;
            self.order = self.config.sampler.order(train, &self.rng, epoch)?;
        }
        network.set_training(true);
        self.accumulate(network, train, objective)?;
        let rate = self.config.learning_rate(self.progress.steps, train.len())?;
        let clip = self.config.max_grad_norm;
        self.optimizer.descend(network.parameters_mut(), rate, clip)?;
        network.after_step()?;
        self.progress.steps += 1;
        if self.progress.rows < train.len() {
            return Ok(None);
        }
        network.set_training(false);
        let train_loss = weighted_mean(self.progress.loss, self.progress.weight)?;
        let validation_loss = self.mean_loss(network, validation, objective)?;
        let epoch = Epoch { train_loss, validation_loss, learning_rate: rate, ..Epoch::default() };
        self.end_epoch(epoch.clone(), network, objective.ranks_epochs());
        Ok(Some(epoch))
    }

    /// That the epoch under way goes on within so many rows: another data set than that of the
    /// checkpoint may be shorter.
    fn check_place(&self, rows: usize) -> Result<(), FitError> {
        if self.progress.rows < rows {
            return Ok(());
        }
        let expected = format!("fewer than the {rows} rows to train with");
        let got = format!("{} of them learned from", self.progress.rows);
        Err(CheckpointError::mismatch("progress", expected, got).into())
    }

    /// Sums the gradients of the next minibatches, each counted by its share of their weight: the
    /// gradient that all of them would have in one, where rows are not compared with each other.
    fn accumulate<N: Network>(
        &mut self,
        network: &mut N,
        train: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<(), FitError> {
        let FitConfig { batch_size, accumulate, .. } = self.config;
        let start = self.progress.rows;
        let end = train.len().min(start.saturating_add(batch_size.saturating_mul(accumulate)));
        network.parameters_mut().zero_grad();
        // A stream for each step, far from those of the epochs.
        let mut rng = self.rng.clone();
        rng.set_stream(u64::MAX - self.progress.steps);
        let minibatches = self.order[start..end].chunks(batch_size);
        self.batches.resize_with(minibatches.len(), Batch::default);
        for (rows, batch) in minibatches.zip(&mut self.batches) {
            train.gather_views(rows, self.config.views, batch);
            if let Some(augmentation) = &self.augmentation {
                augmentation.apply(batch.input_numbers_mut(), &mut rng)?;
            }
        }
        let total: f64 = self.batches.iter().map(|batch| objective.weight(batch)).sum();
        for i in 0..self.batches.len() {
            let batch = &self.batches[i];
            let (loss, weight) = (objective.loss(network, batch)?, objective.weight(batch)); // []
            let number = self.finite(loss.double_value(&[]))?;
            // Without any weight there is no gradient either.
            (loss * if total > 0.0 { weight / total } else { 0.0 }).backward();
            self.progress.loss += number * weight;
            self.progress.weight += weight;
            self.progress.batches += 1;
        }
        self.progress.rows = end;
        Ok(())
    }

    /// The mean loss of rows that nothing is learned from; `None` where there are none.
    pub(super) fn mean_loss<N: Network>(
        &mut self,
        network: &N,
        data: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<Option<f64>, FitError> {
        let loss = mean_loss(network, data, objective, (&self.config, &self.rng))?;
        loss.map(|loss| self.finite(loss)).transpose()
    }

    fn finite(&self, loss: f64) -> Result<f64, FitError> {
        let (epoch, batch) = (self.progress.history.epochs.len() + 1, self.progress.batches + 1);
        if loss.is_finite() { Ok(loss) } else { Err(FitError::Diverged { epoch, batch, loss }) }
    }

    fn end_epoch<N: Network>(&mut self, epoch: Epoch, network: &N, ranked: bool) {
        let FitConfig { epochs, patience, min_delta, .. } = self.config;
        let FitProgress { history, rows, batches, loss, weight, reference, stale, .. } =
            &mut self.progress;
        (*rows, *batches, *loss, *weight) = (0, 0, 0.0, 0.0);
        if !ranked || history.best().is_none_or(|best| epoch.loss() < best.loss()) {
            history.best_epoch = Some(history.epochs.len());
            let weights = network.parameters().to_vec();
            self.best = Some(Best { weights, buffers: network.buffers() });
        }
        if !ranked || reference.is_none_or(|reference| epoch.loss() < reference - min_delta) {
            (*reference, *stale) = (Some(epoch.loss()), 0);
        } else {
            *stale += 1;
        }
        history.epochs.push(epoch);
        history.stopped_early = patience > 0 && *stale >= patience && history.epochs.len() < epochs;
        self.order.clear();
    }

    /// Whether all epochs are over, or it stopped early.
    pub fn is_over(&self) -> bool {
        let history = &self.progress.history;
        history.stopped_early || history.epochs.len() >= self.config.epochs
    }

    /// Where it stands, with an epoch of so many rows.
    pub fn progress(&self, total_rows: usize) -> Progress {
        let epochs = self.config.epochs;
        let epoch = (self.progress.history.epochs.len() + 1).min(epochs);
        Progress { epoch, epochs, rows: self.progress.rows, total_rows }
    }

    /// What it has come to so far.
    pub fn history(&self) -> &History {
        &self.progress.history
    }

    /// What it has come to, and no more.
    pub fn into_history(self) -> History {
        self.progress.history
    }

    /// Adds a score to the last epoch that is over.
    pub(super) fn add_score(&mut self, name: &str, scores: Scores) {
        if let Some(epoch) = self.progress.history.epochs.last_mut() {
            epoch.scores.insert(name.to_owned(), scores);
        }
    }

    /// The weights of the best epoch so far; `None` before the first is over.
    pub fn best_weights(&self) -> Option<&[f32]> {
        self.best.as_ref().map(|best| best.weights.as_slice())
    }

    /// Gives a network what it held after the best epoch; leaves it as it is before the first.
    ///
    /// # Errors
    /// [`FitError::Network`] where it is another network.
    pub fn restore_best<N: Network>(&self, network: &mut N) -> Result<(), FitError> {
        if let Some(Best { weights, buffers }) = &self.best {
            network.parameters_mut().load(weights)?;
            network.load_buffers(buffers)?;
        }
        Ok(())
    }
}

/// The mean loss of rows that nothing is learned from; `None` where there are none.
pub(super) fn mean_loss<N: Network>(
    network: &N,
    data: &Dataset,
    objective: &(impl Objective<N> + ?Sized),
    (config, rng): (&FitConfig, &ChaCha8Rng),
) -> Result<Option<f64>, FitError> {
    if data.is_empty() {
        return Ok(None);
    }
    let _guard = tch::no_grad_guard();
    let rows: Vec<usize> = (0..data.len()).collect();
    let (mut sum, mut total, batch) = (0.0, 0.0, &mut Batch::default());
    // They are augmented the same way each time, so that losses can be compared.
    let augmentation = (config.views > 1 || objective.augments_held_out())
        .then(|| Compose::new(config.augmentations.clone(), data.input_width()))
        .transpose()?;
    let mut rng = rng.clone();
    rng.set_stream(u64::MAX / 2); // far from those of the steps and of the epochs
    for rows in rows.chunks(config.batch_size) {
        data.gather_views(rows, config.views, batch);
        if let Some(augmentation) = &augmentation {
            augmentation.apply(batch.input_numbers_mut(), &mut rng)?;
        }
        let (loss, weight): (Tensor, f64) =
            (objective.loss(network, batch)?, objective.weight(batch));
        sum += loss.double_value(&[]) * weight;
        total += weight;
    }
    weighted_mean(sum, total).map(Some)
}

fn weighted_mean(sum: f64, weight: f64) -> Result<f64, FitError> {
    if weight > 0.0 { Ok(sum / weight) } else { Err(FitError::NoWeight) }
}

impl Checkpoint for Fit {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("progress", &self.progress)?;
        state.insert_part("optimizer", &*self.optimizer)?;
        state.insert("has_best", &self.best.is_some())?;
        if let Some(Best { weights, buffers }) = &self.best {
            state.insert_array("best", &[weights.len()], weights);
            state.insert("best_buffers", buffers)?;
        }
        Ok(())
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("optimizer", &mut *self.optimizer)?;
        self.best = if state.get("has_best")? {
            let weights = state.finite_array("best", &[self.optimizer.groups().len()])?;
            Some(Best { weights, buffers: state.get("best_buffers")? })
        } else {
            None
        };
        let expected = "counts, and a best epoch among those that are over";
        self.progress = state.get_checked("progress", expected, FitProgress::is_consistent)?;
        self.order.clear();
        Ok(())
    }
}
