//! Training as a trial of a hyperparameter search.

use std::ops::ControlFlow;

use super::{Epoch, FitCallback, History};
use crate::tune::Trial;

/// Reports each epoch to a trial and ends the training if the trial should be pruned. The search's
/// function then returns [`Stop::Pruned`](crate::tune::Stop::Pruned) if [`Trial::should_prune`] is
/// true.
///
/// ```
/// use gymnast_core::data::load_breast_cancer;
/// use gymnast_core::loss::Loss;
/// use gymnast_core::nn::MlpConfig;
/// use gymnast_core::supervised::{Epoch, FitConfig, Pruning, Trainer};
/// use gymnast_core::tune::{Median, Pruner, Scale, Stop, Study, StudyConfig};
///
/// let pruner = Pruner::Median(Median::default());
/// let mut study = Study::new(StudyConfig { pruner, ..StudyConfig::default() })?;
/// let data = load_breast_cancer();
/// study.optimize(3, |trial| {
///     let mut rng = trial.rng();
///     let rate = trial.suggest_float("learning_rate", 1e-4, 1e-1, Scale::Log)?;
///     let (train, validation) = data.split(0.2, &mut rng)?;
///     let mut network = MlpConfig::default().build(data.input_width(), 2, &mut rng)?;
///     let config = FitConfig { epochs: 2, ..FitConfig::adam(rate) };
///     let mut trainer =
///         Trainer::new(config, rng)?.callback(Pruning::new(trial, Epoch::loss));
///     let history = trainer.fit(&mut network, &train, &validation, &Loss::cross_entropy())?;
///     drop(trainer);
///     if trial.should_prune() {
///         return Err(Stop::Pruned);
///     }
///     Ok(history.best().expect("there is an epoch").loss())
/// })?;
/// assert_eq!(study.trials()[0].reports.len(), 2);
/// # Ok::<(), gymnast_core::tune::TuneError>(())
/// ```
pub struct Pruning<'a, 'b, F> {
    trial: &'a mut Trial<'b>,
    value: F,
}

impl<'a, 'b, F: Fn(&Epoch) -> f64> Pruning<'a, 'b, F> {
    /// Creates a callback that reports `value` of each epoch.
    pub fn new(trial: &'a mut Trial<'b>, value: F) -> Self {
        Self { trial, value }
    }
}

impl<F: Fn(&Epoch) -> f64> FitCallback for Pruning<'_, '_, F> {
    fn on_epoch(&mut self, history: &History) -> ControlFlow<()> {
        let Some(epoch) = history.epochs.last() else { return ControlFlow::Continue(()) };
        self.trial.report(history.epochs.len() as u64, (self.value)(epoch));
        match self.trial.should_prune() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}
