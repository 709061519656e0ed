//! How many threads libtorch uses.

/// Makes libtorch calculate on the calling thread alone, here and in threads that start to use it
/// later.
///
/// A small network's operations are over before a second thread has woken up; and where seeds or
/// workers run side by side, they are the parallelism. The setting is libtorch's own, for the whole
/// process, but a thread takes it over only when it first calculates: call this at the start of
/// `main`, and of each thread that may have used libtorch before.
pub fn single_threaded() {
    tch::set_num_threads(1);
}
