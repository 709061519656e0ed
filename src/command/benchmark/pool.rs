//! All seeds of all runs of a suite, on all cores, beside any number of other processes.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc::{Sender, channel},
    },
    thread::{scope, sleep},
    time::Duration,
};

use gymnast_harness::{Ending, Interrupt, Summary, TrainError};

use super::{Benchmark, Cell};
use crate::command::{CommandError, ProgressBars, run_dir};

/// How often it is asked whether another process has ended with a seed: soon, and then less often.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];

/// Trains the seeds that are not trained yet, `jobs` at a time, each run after the other. Those that
/// another process trains come last: it may have ended by then. `on_whole` gets the index of each run
/// whose seeds have all ended. Returns whether all have, without an interrupt.
///
/// # Errors
/// The first error of a seed or of `on_whole`; the seeds that train then are trained to their end.
pub(super) fn train(
    args: &Benchmark,
    jobs: usize,
    cells: &[Cell<'_>],
    mut on_whole: impl FnMut(usize) -> Result<(), CommandError>,
) -> Result<bool, CommandError> {
    let all = cells.iter().enumerate();
    let all = all.flat_map(|(index, cell)| cell.run.seeds.iter().map(move |&seed| (index, seed)));
    let queue = Mutex::new(all.collect::<VecDeque<_>>());
    let queue = || queue.lock().expect("no thread panics while it holds the lock");
    let bars = ProgressBars::unless(args.quiet);
    let (tell, told) = channel();
    let (has_failed, waits) = (AtomicBool::new(false), AtomicBool::new(false));
    let is_over = || has_failed.load(Ordering::Relaxed) || Interrupt::requested();
    let work = |tell: Sender<(usize, u64, Result<Summary, TrainError>)>| {
        let mut pause = PAUSES[0];
        loop {
            let next = queue().pop_front();
            let Some((index, seed)) = next.filter(|_| !is_over()) else { break };
            let Cell { run, dir, .. } = &cells[index];
            let progress = bars.labelled(&run_dir::short_name(dir));
            match run.join_one(dir, seed, Arc::new(progress)).transpose() {
                Some(result) => {
                    pause = PAUSES[0];
                    tell.send((index, seed, result)).expect("it is received until all have told");
                }
                None => {
                    if !waits.swap(true, Ordering::Relaxed) {
                        bars.say("waits for seeds that other processes train");
                    }
                    queue().push_back((index, seed));
                    sleep(pause);
                    pause = (2 * pause).min(PAUSES[1]);
                }
            }
        }
    };
    let mut left: Vec<usize> = cells.iter().map(|cell| cell.run.seeds.len()).collect();
    scope(|scope| {
        for _ in 0..jobs {
            let tell = tell.clone();
            scope.spawn(|| work(tell));
        }
        drop(tell);
        let mut outcome = Ok(true);
        for (index, seed, result) in told {
            let about = |error| {
                let run = run_dir::short_name(&cells[index].dir);
                CommandError::from(error).about(&format!("{run}, seed {seed}"))
            };
            let done = result.map_err(about).and_then(|summary| {
                if summary.ending == Ending::Stopped {
                    return Ok(false);
                }
                left[index] -= 1;
                if left[index] == 0 {
                    on_whole(index)?;
                }
                Ok(true)
            });
            // The first error stays, and nothing new is begun after it.
            outcome = match (outcome, done) {
                (Err(error), _) | (Ok(_), Err(error)) => {
                    has_failed.store(true, Ordering::Relaxed);
                    Err(error)
                }
                (Ok(before), Ok(now)) => Ok(before && now),
            };
        }
        Ok(outcome? && !Interrupt::requested())
    })
}
