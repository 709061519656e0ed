//! Ends the work cleanly on Ctrl-C and similar signals.

use std::{
    io::{self, Write as _},
    sync::Once,
    thread,
    time::{Duration, Instant},
};

use gymnast_harness::{Callback, Flow, Interrupt, Progress};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
    low_level,
};

/// The signals that ask a process to end: Ctrl-C, a request from a batch or operating system, a
/// closed terminal.
const SIGNALS: &[(&str, i32)] = &[
    ("SIGINT", SIGINT),
    ("SIGTERM", SIGTERM),
    #[cfg(unix)]
    ("SIGHUP", signal_hook::consts::SIGHUP),
];

/// Ends a training at the first SIGINT (Ctrl-C), SIGTERM or SIGHUP, with everything saved. A second
/// signal ends the process at once, as if it had been killed; a SIGTERM or SIGHUP within a second
/// of the first counts as its echo.
#[derive(Clone, Copy, Debug)]
pub struct StopOnInterrupt(());

impl StopOnInterrupt {
    /// Starts watching the signals, once for the whole process, however often it is called.
    ///
    /// A signal that the process was started to ignore stays ignored: SIGHUP under `nohup`, SIGINT
    /// in a script's background job. Handlers set by other parts of the program are still called.
    /// If a signal cannot be watched, a warning is printed to standard error.
    #[must_use]
    pub fn install() -> Self {
        static WATCHED: Once = Once::new();
        WATCHED.call_once(|| {
            if let Err(error) = start() {
                warn("a signal", &error);
            }
        });
        Self(())
    }

    /// Returns whether the process was asked to end.
    #[must_use]
    pub fn requested(self) -> bool {
        Interrupt::requested()
    }
}

/// Watches each signal that the process does not ignore.
fn start() -> io::Result<()> {
    let signals = Signals::new([0_i32; 0])?;
    let handle = signals.handle();
    for &(name, signal) in SIGNALS.iter().filter(|(_, signal)| !is_ignored(*signal)) {
        if let Err(error) = handle.add_signal(signal) {
            warn(name, &error);
        }
    }
    thread::Builder::new().name("signals".to_owned()).spawn(move || watch(signals))?;
    Ok(())
}

fn warn(what: &str, error: &io::Error) {
    // Standard error may be closed; then the warning cannot be shown.
    let _ = writeln!(io::stderr(), "warning: {what} will end this process unsaved: {error}");
}

/// How long after the first signal a second SIGTERM or SIGHUP counts as its echo: a shell repeats
/// the SIGHUP of a closed terminal, and `timeout` signals a whole group.
const ECHO: Duration = Duration::from_secs(1);

/// Waits for signals on its own thread. The first sets the flag. A later one ends the process
/// without running destructors, which would unload libtorch while threads still use it.
fn watch(mut signals: Signals) {
    let mut first = None;
    for signal in signals.forever() {
        let since = first.get_or_insert_with(Instant::now).elapsed();
        let is_echo = signal != SIGINT && since < ECHO;
        if Interrupt::request() && !is_echo {
            low_level::exit(128 + signal);
        }
    }
}

/// Returns whether the process ignores a signal.
#[cfg(unix)]
#[allow(unsafe_code)] // no safe interface tells what becomes of a signal without changing it
fn is_ignored(signal: i32) -> bool {
    // SAFETY: `sigaction` without a new action only writes the present one to `action`, a plain C
    // structure for which all bits zero are valid.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let result = libc::sigaction(signal, std::ptr::null(), &raw mut action);
        result == 0 && action.sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn is_ignored(_signal: i32) -> bool {
    false
}

impl Callback for StopOnInterrupt {
    fn on_step(&mut self, progress: &Progress) -> Flow {
        Interrupt.on_step(progress)
    }

    fn on_evaluation_step(&mut self) -> Flow {
        Interrupt.on_evaluation_step()
    }
}
