//! The flag that ends all trainings of the process.
//!
//! The harness watches no signals. A program that does sets the flag with [`Interrupt::request`], as the command does.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use crate::{AgentError, Callback, Flow, Progress};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Ends a training, with everything saved, once the process was asked to end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Interrupt;

impl Interrupt {
    /// Asks every training of this process to end after its current step; this cannot be undone.
    /// Returns whether the process was asked before.
    pub fn request() -> bool {
        REQUESTED.swap(true, Ordering::Relaxed)
    }

    /// Returns whether the process was asked to end.
    #[must_use]
    #[inline]
    pub fn requested() -> bool {
        REQUESTED.load(Ordering::Relaxed)
    }
}

impl Callback for Interrupt {
    fn on_step(&mut self, _progress: &Progress) -> Flow {
        Flow::stop_if(Self::requested())
    }

    fn on_evaluation_step(&mut self) -> Flow {
        Flow::stop_if(Self::requested())
    }
}

/// Lets a long update react to an interrupt: call [`check`](Self::check) between its parts.
///
/// An update that ends within half a second of the request is finished, and the training then stops
/// with everything saved. A longer one is abandoned: the training returns to its last checkpoint.
#[derive(Debug, Default)]
pub struct Grace(Option<Instant>);

/// How long an update may still take after a request.
const GRACE: Duration = Duration::from_millis(500);

impl Grace {
    /// Returns `Ok` while the update may continue. Costs almost nothing.
    ///
    /// # Errors
    /// [`AgentError::Interrupted`]; return it from [`Agent::learn`](crate::Agent::learn).
    #[inline]
    pub fn check(&mut self) -> Result<(), AgentError> {
        if Interrupt::requested() { self.wait() } else { Ok(()) }
    }

    #[cold]
    fn wait(&mut self) -> Result<(), AgentError> {
        let since = self.0.get_or_insert_with(Instant::now);
        if since.elapsed() < GRACE { Ok(()) } else { Err(AgentError::Interrupted) }
    }
}
