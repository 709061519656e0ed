//! More processes of this program, which share its work.

use std::{
    ffi::OsString,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, sleep, spawn},
    time::Duration,
};

use clap::ValueEnum;
use gymnast_harness::Interrupt;

use super::{CommandError, say};

/// How often it is asked whether the processes have ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What the seeds that train in parallel are trained by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobsAs {
    /// A thread for each seed
    #[default]
    Threads,
    /// A process for each seed, for environments of which a process can run one at a time
    Processes,
}

/// Processes of this program that share its work. They are asked to end as soon as this one is, and
/// when it ends early.
pub(crate) struct Processes {
    running: Arc<Mutex<Vec<Child>>>,
    is_over: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Processes {
    /// Starts this many processes of this program with these arguments. They write no results; their
    /// warnings and errors are seen beside this process's.
    pub(crate) fn start(count: usize, args: &[OsString]) -> Result<Self, CommandError> {
        let running = Arc::new(Mutex::new(Vec::new()));
        let is_over = Arc::new(AtomicBool::new(false));
        let watcher = (count > 0).then(|| {
            let (running, is_over) = (running.clone(), is_over.clone());
            spawn(move || watch(&running, &is_over))
        });
        let started = Self { running, is_over, watcher };
        let program = std::env::current_exe()?;
        for _ in 0..count {
            let mut command = Command::new(&program);
            command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
            // Ctrl-C reaches this process alone, which then asks the others to end.
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            let child = command.spawn()?;
            lock(&started.running).push(child);
        }
        Ok(started)
    }

    /// Waits until all have ended.
    ///
    /// # Errors
    /// If one of them failed although this process was not asked to end; it has said why.
    pub(crate) fn finish(self) -> Result<(), CommandError> {
        let mut failed = 0;
        loop {
            lock(&self.running).retain_mut(|child| match child.try_wait() {
                Ok(None) => true,
                Ok(Some(status)) => {
                    failed += usize::from(!status.success());
                    false
                }
                Err(_) => {
                    failed += 1;
                    false
                }
            });
            if lock(&self.running).is_empty() {
                break;
            }
            sleep(PAUSE);
        }
        if failed == 0 || Interrupt::requested() {
            return Ok(());
        }
        Err(CommandError::failed(format!(
            "{failed} of the processes that shared the work failed: see above"
        )))
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(watcher) = self.watcher.take() {
            // It panics only where the lock is poisoned, and then nothing is left to be done.
            let _ = watcher.join();
        }
        let mut running = lock(&self.running);
        ask_to_end(&running);
        for child in running.iter_mut() {
            // Nothing is left to be done about one that cannot be waited for.
            let _ = child.wait();
        }
    }
}

/// Asks the processes to end once this one is asked to. At once, so that a system that asks them too
/// does so within the second in which it counts as once.
fn watch(running: &Mutex<Vec<Child>>, is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        if Interrupt::requested() {
            ask_to_end(&lock(running));
            return;
        }
        sleep(PAUSE);
    }
}

fn lock(running: &Mutex<Vec<Child>>) -> MutexGuard<'_, Vec<Child>> {
    running.lock().expect("no thread panics while it holds the lock")
}

fn ask_to_end(running: &[Child]) {
    for child in running {
        #[cfg(unix)]
        let asked = rustix::process::kill_process(
            rustix::process::Pid::from_child(child),
            rustix::process::Signal::TERM,
        );
        // Its last checkpoint stays.
        #[cfg(not(unix))]
        let asked: std::io::Result<()> = {
            let _ = child;
            Ok(())
        };
        if let Err(error) = asked {
            say(&format!("process {}: cannot ask it to end: {error}", child.id()));
        }
    }
}
