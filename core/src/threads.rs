//! The number of threads that libtorch uses.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether threads are to adopt the setting as they first use libtorch for a network.
static AT_FIRST_USE: AtomicBool = AtomicBool::new(false);

thread_local! {
    static ADOPTED: Cell<bool> = const { Cell::new(false) };
}

/// Makes libtorch compute on the calling thread alone, here and in threads that first use it later.
///
/// A small network's operations end before a second thread has woken up, and where seeds or workers
/// run side by side, they are the parallelism. The setting is global to the process, but a thread
/// adopts it only when it first computes: call this at the start of `main` and of each thread that
/// may have used libtorch before.
pub fn single_threaded() {
    ADOPTED.set(true);
    tch::set_num_threads(1);
}

/// Does the same for each thread when libtorch first computes a network there, from now on. Where plain
/// Rust computes them all, libtorch is not even loaded. It overrides a number of threads that was set
/// before that use: set another afterwards.
pub fn single_threaded_at_first_use() {
    AT_FIRST_USE.store(true, Ordering::Relaxed);
}

/// Called before libtorch computes with a network's parameters.
pub(crate) fn adopt() {
    if AT_FIRST_USE.load(Ordering::Relaxed) && !ADOPTED.replace(true) {
        single_threaded();
    }
}
