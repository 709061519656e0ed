//! Ctrl-C ends a training cleanly.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{Callback, Flow, Progress};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends a training at the first Ctrl-C (or termination signal), with everything saved; a second
/// one ends the process at once.
#[derive(Clone, Copy, Debug)]
pub struct StopOnInterrupt(());

impl StopOnInterrupt {
    /// Takes over the process's handling of Ctrl-C. Where another part of the program has done so
    /// already, that part keeps it and this callback never stops anything.
    #[must_use]
    pub fn install() -> Self {
        // An error means that a handler is there already.
        let _ = ctrlc::try_set_handler(|| {
            if INTERRUPTED.swap(true, Ordering::Relaxed) {
                std::process::exit(130);
            }
        });
        Self(())
    }

    /// Whether the process was asked to end.
    #[must_use]
    pub fn requested(self) -> bool {
        INTERRUPTED.load(Ordering::Relaxed)
    }
}

impl Callback for StopOnInterrupt {
    fn on_step(&mut self, _progress: &Progress) -> Flow {
        if self.requested() { Flow::Stop } else { Flow::Continue }
    }
}
