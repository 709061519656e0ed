//! Who may change what the workers share, and when.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    thread::Builder,
    time::{Duration, Instant},
};

use gymnast_envs::{FeatureSpace, Lane, catch_panic};
use gymnast_harness::{AgentError, Turn};

use super::{shared::Shared, worker::Worker};
use crate::distributions::policy_head::PolicyHead;

/// Threads come to rest after so long at the latest (and one share of steps), so that the loop can
/// report and be interrupted: seldom enough that it does not matter what starting them costs.
const PATIENCE: Duration = Duration::from_millis(100);

/// Workers play and take turns, the first on this thread, each other one on its own, until `until` env steps count; they end
/// with their shares played. Returns the turns taken, in order.
pub(super) fn take<O: FeatureSpace, H: PolicyHead>(
    shared: &mut Shared<O, H>,
    workers: &mut [Worker<O, H>],
    lanes: Vec<Box<dyn Lane<O, H::ActionSpace> + '_>>,
    until: u64,
) -> Result<Vec<Turn>, AgentError> {
    let turns = Turns::new(shared, workers.len(), until);
    let mut results: Vec<Result<(), AgentError>> = std::thread::scope(|scope| {
        let mut threads = Vec::with_capacity(workers.len());
        let mut works = workers.iter_mut().zip(lanes).enumerate().map(|(k, (worker, mut lane))| {
            let turns = &turns;
            move || turns.guard(k, || turns.work(k, worker, &mut *lane))
        });
        // The first works here: a thread that is started while this one waits is often put on its core.
        let first = works.next();
        for (k, work) in works.enumerate() {
            let thread = Builder::new().name(format!("a3c worker {}", k + 1));
            // Without it the others would wait for its turn forever.
            threads.push(thread.spawn_scoped(scope, work).inspect_err(|_| turns.end()));
        }
        let first = first.map(|mut work| work());
        let others = threads.into_iter().enumerate().map(|(k, thread)| match thread {
            Ok(thread) => thread.join().expect("panics were caught"),
            Err(error) => Err(AgentError::Worker { worker: k + 1, message: error.to_string() }),
        });
        first.into_iter().chain(others).collect()
    });
    let Round { shared, taken, .. } = turns.into_round();
    // Of several errors the one whose turn would have come first, whatever the scheduler did: while a
    // worker plays for its turn, all turns before that are over or being played for too.
    results.rotate_left(shared.in_line(0));
    results.into_iter().collect::<Result<(), _>>()?;
    Ok(taken)
}

/// Turns, one after the other, until it is over.
struct Turns<'a, O, H> {
    round: Mutex<Round<'a, O, H>>,
    /// One a worker: its turn has come, or it is over.
    signals: Vec<Condvar>,
    until: u64,
    started: Instant,
}

struct Round<'a, O, H> {
    shared: &'a mut Shared<O, H>,
    /// In order.
    taken: Vec<Turn>,
    is_over: bool,
}

impl<'a, O: FeatureSpace, H: PolicyHead> Turns<'a, O, H> {
    /// Turns of `n` workers until `until` env steps count.
    fn new(shared: &'a mut Shared<O, H>, n: usize, until: u64) -> Self {
        let is_over = shared.env_steps() >= until;
        Self {
            round: Mutex::new(Round { shared, taken: Vec::new(), is_over }),
            signals: (0..n).map(|_| Condvar::new()).collect(),
            until,
            started: Instant::now(),
        }
    }

    /// What worker `k`'s thread does: play, take its turn, play on.
    fn work(
        &self,
        k: usize,
        worker: &mut Worker<O, H>,
        lane: &mut dyn Lane<O, H::ActionSpace>,
    ) -> Result<(), AgentError> {
        if !worker.has_played() {
            worker.play(lane)?;
        }
        while self.take_next(k, worker)? {
            worker.play(lane)?;
        }
        Ok(())
    }

    /// Waits for worker `k`'s turn and takes it; `false` where it is over before.
    fn take_next(&self, k: usize, worker: &mut Worker<O, H>) -> Result<bool, AgentError> {
        let mut round = self.lock();
        while round.shared.in_line(0) != k && !round.is_over {
            round = self.signals[k].wait(round).unwrap_or_else(PoisonError::into_inner);
        }
        if round.is_over {
            return Ok(false);
        }
        let turn = round.shared.take_turn(worker)?;
        round.taken.push(turn);
        let is_enough = round.shared.env_steps() >= self.until;
        if is_enough || self.started.elapsed() >= PATIENCE {
            round.is_over = true;
            self.signals.iter().for_each(Condvar::notify_one);
        } else {
            self.signals[round.shared.in_line(0)].notify_one();
        }
        Ok(true)
    }

    /// Ends it: no further turn is taken.
    fn end(&self) {
        self.lock().is_over = true;
        self.signals.iter().for_each(Condvar::notify_one);
    }

    /// Does worker `k`'s work, and ends it all where that fails or panics.
    fn guard(
        &self,
        k: usize,
        work: impl FnOnce() -> Result<(), AgentError>,
    ) -> Result<(), AgentError> {
        // What a panic leaves half-done is not used any more: the training ends.
        let result = catch_panic(work).unwrap_or_else(|message| {
            Err(AgentError::Worker { worker: k, message: format!("panicked: {message}") })
        });
        result.inspect_err(|_| self.end())
    }

    fn into_round(self) -> Round<'a, O, H> {
        self.round.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// A worker that panics in its turn ends it all, so that what is locked is not used any more.
    fn lock(&self) -> MutexGuard<'_, Round<'a, O, H>> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
