//! What every part of Gymnast shares: statistics of runs, plots of them, files that appear whole.
//!
//! ```
//! use gymnast_core::statistics::{Curve, steps_to_threshold};
//!
//! let evaluations = Curve::new(vec![1000.0, 2000.0, 3000.0], vec![22.0, 480.0, 500.0])?;
//! let reached = steps_to_threshold(&evaluations, 475.0).expect("the second evaluation is above it");
//! assert_eq!((reached.step, reached.held_to_end), (2000.0, true));
//! # Ok::<(), gymnast_core::statistics::StatisticsError>(())
//! ```

pub mod atomic_file;
pub mod plot;
pub mod statistics;
