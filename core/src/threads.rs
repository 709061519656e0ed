//! The number of threads that libtorch uses.

/// Makes libtorch compute on the calling thread alone, here and in threads that first use it later.
///
/// A small network's operations end before a second thread has woken up, and where seeds or workers
/// run side by side, they are the parallelism. The setting is global to the process, but a thread
/// adopts it only when it first computes: call this at the start of `main` and of each thread that
/// may have used libtorch before.
pub fn single_threaded() {
    tch::set_num_threads(1);
}
