//! The trainer: training with scores, callbacks and a checkpoint file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;

use super::fit::NetworkState;
use super::mean_loss::mean_loss;
use super::{
    EpochScores, Fit, FitCallback, FitConfig, FitError, History, Objective, Predictions, predict,
};
use crate::checkpoint::{self, CheckpointError, StateDict};
use crate::data::Dataset;
use crate::nn::Network;

type Score<'a> = Box<dyn Fn(&Predictions) -> Option<f64> + 'a>;

/// Trains networks with one set of settings.
///
/// See the [module](super) for an example.
pub struct Trainer<'a> {
    config: FitConfig,
    rng: ChaCha8Rng,
    scores: Vec<(String, Score<'a>)>,
    callbacks: Vec<Box<dyn FitCallback + 'a>>,
    checkpoint: Option<PathBuf>,
    history: History,
}

/// The result of [`Trainer::evaluate`].
#[derive(Debug, Clone, PartialEq)]
pub struct FitEvaluation {
    /// The mean loss.
    pub loss: f64,
    /// The scores, by name; `None` if undefined.
    pub scores: BTreeMap<String, Option<f64>>,
}

impl<'a> Trainer<'a> {
    /// Creates a trainer that shuffles by this random stream.
    ///
    /// # Errors
    /// [`FitError::Setting`].
    pub fn new(config: FitConfig, rng: ChaCha8Rng) -> Result<Self, FitError> {
        config.check()?;
        let (scores, callbacks) = (Vec::new(), Vec::new());
        Ok(Self { config, rng, scores, callbacks, checkpoint: None, history: History::default() })
    }

    /// Adds a score, computed over all training rows and all held-out rows after every epoch, in
    /// evaluation mode. `None` and numbers that are not finite are undefined scores.
    #[must_use]
    pub fn score(
        mut self,
        name: impl Into<String>,
        score: impl Fn(&Predictions) -> Option<f64> + 'a,
    ) -> Self {
        self.scores.push((name.into(), Box::new(score)));
        self
    }

    /// Adds a callback, called after every optimiser step and epoch.
    #[must_use]
    pub fn callback(mut self, callback: impl FitCallback + 'a) -> Self {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Saves the training to a file after every epoch, and resumes from the file if it exists.
    #[must_use]
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// Trains a network and leaves it with the weights of the epoch with the lowest loss, in
    /// evaluation mode. It may stop early, or a callback may end it.
    ///
    /// Without `validation` rows epochs are compared by their training loss. An interrupted
    /// training that resumes from its [`checkpoint`](Self::checkpoint) ends with the same weights,
    /// bit for bit.
    ///
    /// After an error the network has the weights of the best epoch so far or, before the end of
    /// the first, its initial ones; [`history`](Self::history) returns the epochs.
    ///
    /// # Errors
    /// [`FitError`]; [`FitError::Undescribed`] if there is a checkpoint file and the objective has
    /// no [description](Objective::description); [`FitError::Checkpoint`] also if the file belongs
    /// to another training.
    pub fn fit<N: Network>(
        &mut self,
        network: &mut N,
        train: &Dataset,
        validation: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<History, FitError> {
        let mut fit = Fit::new(&self.config, network.parameters(), self.rng.clone())?;
        // Without a checkpoint file the data need not be fingerprinted.
        let file = match self.checkpoint.clone() {
            Some(path) => {
                let objective = objective.description().ok_or(FitError::Undescribed)?;
                let parts = [network.description(), objective];
                Some((path, self.identity(train, validation, &parts)))
            }
            None => None,
        };
        let before = NetworkState::of(network);
        let result = self.run(network, &mut fit, file.as_ref(), (train, validation), objective);
        network.set_training(false);
        let restored = match (&result, fit.best_weights()) {
            (Err(_), None) => before.restore(network).map_err(FitError::from),
            _ => fit.restore_best(network),
        };
        self.history.clone_from(fit.history());
        result?;
        restored?;
        Ok(fit.into_history())
    }

    /// Returns the epochs of the last training, also of one that failed.
    pub fn history(&self) -> &History {
        &self.history
    }

    fn run<N: Network>(
        &mut self,
        network: &mut N,
        fit: &mut Fit,
        file: Option<&(PathBuf, String)>,
        (train, validation): (&Dataset, &Dataset),
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<(), FitError> {
        if let Some((path, identity)) = file {
            // One that cannot be looked at may be good: it is not begun anew over it.
            let unreadable = |source| CheckpointError::Read { path: path.clone(), source };
            if path.try_exists().map_err(unreadable)? {
                resume(path, identity, network, fit)?;
            }
        }
        while !fit.is_over() {
            let epoch = fit.step(network, train, validation, objective)?;
            let progress = fit.progress(train.len());
            let mut stop = false;
            for callback in &mut self.callbacks {
                stop |= callback.on_step(&progress).is_break();
            }
            if epoch.is_some() {
                self.add_scores(network, fit, train, validation)?;
                if let Some((path, identity)) = file {
                    save(path, identity, network, fit)?;
                }
                for callback in &mut self.callbacks {
                    stop |= callback.on_epoch(fit.history()).is_break();
                }
            }
            if stop {
                break;
            }
        }
        Ok(())
    }

    /// Computes the mean loss and the scores of rows, without training.
    ///
    /// # Errors
    /// [`FitError::Empty`], [`FitError::Width`], [`FitError::NoWeight`]; [`FitError::Data`] if the
    /// rows are resampled; the errors of the objective.
    pub fn evaluate<N: Network>(
        &self,
        network: &N,
        data: &Dataset,
        objective: &(impl Objective<N> + ?Sized),
    ) -> Result<FitEvaluation, FitError> {
        data.check_not_resampled("evaluate")?;
        let predictions = predict(network, data, self.config.batch_size)?;
        let loss = mean_loss(network, data, objective, (&self.config, &self.rng))?;
        let score =
            |(name, score): &(String, Score<'_>)| (name.clone(), defined(score(&predictions)));
        let scores = self.scores.iter().map(score);
        Ok(FitEvaluation { loss: loss.ok_or(FitError::Empty)?, scores: scores.collect() })
    }

    fn add_scores<N: Network>(
        &self,
        network: &N,
        fit: &mut Fit,
        train: &Dataset,
        validation: &Dataset,
    ) -> Result<(), FitError> {
        if self.scores.is_empty() {
            return Ok(());
        }
        let train = predict(network, train, self.config.batch_size)?;
        let held_out = match validation.is_empty() {
            false => Some(predict(network, validation, self.config.batch_size)?),
            true => None,
        };
        for (name, score) in &self.scores {
            let train = defined(score(&train));
            let validation = defined(held_out.as_ref().and_then(score));
            fit.add_score(name, EpochScores { train, validation });
        }
        Ok(())
    }

    /// Returns a text that identifies the training: its settings, stream, rows, network and
    /// objective.
    fn identity(&self, train: &Dataset, validation: &Dataset, parts: &[String; 2]) -> String {
        let rng = (self.rng.get_seed(), self.rng.get_stream(), self.rng.get_word_pos());
        let rows = [train, validation].map(Dataset::fingerprint);
        format!("{:?} {rng:?} {rows:?} {}", self.config, parts.join(" "))
    }
}

/// Returns `None` for a score that is not finite; JSON cannot hold it.
fn defined(score: Option<f64>) -> Option<f64> {
    score.filter(|score| score.is_finite())
}

fn save<N: Network>(path: &Path, identity: &str, network: &N, fit: &Fit) -> Result<(), FitError> {
    let mut state = StateDict::new();
    state.insert_part("parameters", network.parameters())?;
    state.insert("buffers", &network.buffers())?;
    state.insert("training", &identity)?;
    state.insert_part("fit", fit)?;
    Ok(checkpoint::save(path, &state)?)
}

fn resume<N: Network>(
    path: &Path,
    identity: &str,
    network: &mut N,
    fit: &mut Fit,
) -> Result<(), FitError> {
    let state = checkpoint::load(path)?;
    let saved: String = state.get("training")?;
    if saved != identity {
        return Err(FitError::Checkpoint(CheckpointError::Mismatch {
            name: "training".to_owned(),
            expected: format!("that of these settings, rows, network and objective, {identity}"),
            got: saved,
        }));
    }
    state.load_part("parameters", network.parameters_mut())?;
    network.load_buffers(&state.get("buffers")?)?;
    state.load_part("fit", fit)?;
    let (expected, got) = (network.parameters().len(), fit.best_weights().map_or(0, <[f32]>::len));
    if fit.best_weights().is_some() && expected != got {
        return Err(FitError::Checkpoint(CheckpointError::Mismatch {
            name: "fit.best".to_owned(),
            expected: format!("the {expected} weights of the network"),
            got: format!("{got} weights"),
        }));
    }
    Ok(())
}
