//! More processes of this program, which share its work.

use std::{
    ffi::OsString,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use clap::ValueEnum;
use gymnast_harness::Interrupt;

use super::{CommandError, say};

/// How often it is asked whether the processes have ended.
const PAUSE: Duration = Duration::from_millis(20);

/// What trains the seeds that train in parallel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum JobsAs {
    /// A thread for each seed
    #[default]
    Threads,
    /// A process for each seed, for environments of which a process can run one at a time
    Processes,
}

/// Processes of this program that share its work. They are asked to end when this ends early.
pub(crate) struct Processes(Vec<Child>);

impl Processes {
    /// Starts this many processes of this program with these arguments, which show nothing but errors.
    pub(crate) fn start(count: usize, args: &[OsString]) -> Result<Self, CommandError> {
        let mut started = Self(Vec::new());
        let program = std::env::current_exe()?;
        for _ in 0..count {
            let mut command = Command::new(&program);
            command.args(args).stdin(Stdio::null()).stdout(Stdio::null());
            // Ctrl-C reaches this process alone, which then asks the others to end.
            #[cfg(unix)]
            std::os::unix::process::CommandExt::process_group(&mut command, 0);
            started.0.push(command.spawn()?);
        }
        Ok(started)
    }

    /// Waits until all have ended. If this process was asked to end, so are they.
    ///
    /// # Errors
    /// If one of them failed; it has said why.
    pub(crate) fn finish(mut self) -> Result<(), CommandError> {
        let (mut failed, mut is_asked) = (0, false);
        while !self.0.is_empty() {
            if Interrupt::requested() && !is_asked {
                is_asked = true;
                self.ask_to_end();
            }
            let mut left = Vec::new();
            for mut child in self.0.drain(..) {
                match child.try_wait()? {
                    Some(status) => failed += usize::from(!status.success()),
                    None => left.push(child),
                }
            }
            self.0 = left;
            sleep(PAUSE);
        }
        match failed {
            0 => Ok(()),
            _ if is_asked => Ok(()),
            _ => Err(CommandError::failed(format!(
                "{failed} of the processes that shared the work failed: see above"
            ))),
        }
    }

    fn ask_to_end(&self) {
        for child in &self.0 {
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
}

impl Drop for Processes {
    fn drop(&mut self) {
        self.ask_to_end();
        for child in &mut self.0 {
            // Nothing is left to be done about one that cannot be waited for.
            let _ = child.wait();
        }
    }
}
