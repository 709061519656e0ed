//! Hyperparameter search: settings that are tried, judged, and chosen by what was learned of those
//! before.
//!
//! A [`Study`] calls a function with one [`Trial`] after the other. The function asks the trial for its
//! settings, trains with them, and returns a value to be minimised or maximised:
//!
//! ```
//! use gymnast_core::tune::{Direction, Sampler, Scale, Study, StudyConfig, Tpe};
//!
//! let config = StudyConfig {
//!     direction: Direction::Minimize,
//!     sampler: Sampler::Tpe(Tpe::default()),
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
//! What a trial does not ask for is no part of it, so a setting that only one optimiser has is asked for
//! where that optimiser was chosen. A [`SearchSpace`] is the same declared beforehand.
//!
//! **Samplers** ([`Sampler`]): a grid, random search, [`Tpe`] and [`CmaEs`]. **Pruners** ([`Pruner`]) end
//! trials that lag behind at what they [report](Trial::report) on the way. **Files**: a study begun by
//! [`Study::create`] writes each trial down as it ends, and [`Study::resume`] goes on with it.
//!
//! **Determinism.** What a trial draws is a function of the study's seed, the trial's number and the
//! finished trials before it, nothing else: no sampler has a state of its own. So a study that was
//! killed comes to the same trials as one that was not, and the same seed to the same study, bit for
//! bit. Trials that run at once ([`Study::optimize_parallel`]) are drawn and pruned in batches by what
//! was known before their batch, so that their outcome depends on how many run at once, yet not on
//! which of them ends first.

mod distribution;
mod error;
pub mod functions;
mod importance;
mod pictures;
mod pruner;
mod record;
mod sampler;
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
pub use record::{Outcome, Param, TrialRecord};
pub use sampler::{CmaEs, Grid, Sampler, Tpe};
pub use space::SearchSpace;
pub use study::{Direction, Ending, Study, StudyConfig};
pub use trial::{Stop, Trial};
