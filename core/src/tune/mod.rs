//! Hyperparameter search: tries settings and chooses the next ones by the results so far.
//!
//! A [`Study`] calls a function with one [`Trial`] after the other. The function asks the trial for
//! settings, trains with them, and returns a value to minimise or maximise:
//!
//! ```
//! use gymnast_core::tune::{StudyDirection, TrialSampler, Scale, Study, StudyConfig, Tpe};
//!
//! let config = StudyConfig {
//!     direction: StudyDirection::Minimize,
//!     sampler: TrialSampler::Tpe(Tpe::default()),
//!     ..StudyConfig::default()
//! };
//! let mut study = Study::new(config)?;
//! study.optimize(60, |trial| {
//!     let rate = trial.suggest_float("rate", 1e-5, 1.0, Scale::Log)?;
//!     let kind = trial.suggest_categorical("kind", &["plain", "fancy"])?;
//!     Ok((rate.log10() + 2.0).powi(2) + if *kind == "plain" { 1.0 } else { 0.0 })
//! })?;
//! let best = study.best().expect("no trial failed");
//! assert_eq!(best.get("kind"), Some(&"fancy".into()));
//! assert!(best.value().expect("it is complete") < 0.2);
//! # Ok::<(), gymnast_core::tune::TuneError>(())
//! ```
//!
//! A trial has only the parameters it asks for, so ask for a setting of one optimiser only after
//! that optimiser was chosen. A [`SearchSpace`] declares parameters in advance.
//!
//! **Samplers** ([`TrialSampler`]): a grid, random search, [`Tpe`] and [`CmaEs`]. **Pruners**
//! ([`Pruner`]) end trials early, judging by the values they [report](Trial::report). **Files**: a
//! study created with [`Study::create`] saves each trial when it ends, and [`Study::resume`]
//! continues it.
//!
//! **Determinism.** A trial's draws depend only on the study's seed, the trial's number and the
//! trials that finished before; samplers have no state. So a study that was killed and resumed runs
//! the same trials as an uninterrupted one, bit for bit. Of `jobs` parallel trials
//! ([`Study::optimize_parallel`]) each is drawn and pruned by the results of all but the `jobs - 1`
//! before it, whether they have ended or not. The results depend on the number of parallel trials, but
//! not on which of them ends first. Any number of processes may run them ([`SharedStudy`]).

mod distribution;
mod error;
pub mod functions;
mod importance;
mod parallel;
mod pictures;
mod pruner;
mod record;
mod sampler;
mod shared;
mod space;
mod storage;
mod study;
#[cfg(test)]
mod tests;
mod trial;

pub use distribution::{Distribution, Scale};
pub use error::TuneError;
pub use importance::{Importance, ImportanceConfig, importance};
pub use pruner::{Median, Pruner, SuccessiveHalving};
pub use record::{Param, TrialOutcome, TrialRecord};
pub use sampler::{CmaEs, Grid, Tpe, TrialSampler};
pub use shared::SharedStudy;
pub use space::SearchSpace;
pub use study::{Study, StudyConfig, StudyDirection, StudyEnding};
pub use trial::{Stop, Trial};
