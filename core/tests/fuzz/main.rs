//! Whatever is given to it, the library answers: with a value or an error, in time, in bounded memory.
//!
//! `cargo test -p gymnast-core --test fuzz` runs a fixed number of cases of each target, the same ones each
//! time. Longer, other ones, and one of them again, as a report names it:
//!
//! ```text
//! GYMNAST_FUZZ_SECONDS=3600 GYMNAST_FUZZ_SEED=7 cargo test -p gymnast-core --test fuzz
//! GYMNAST_FUZZ_ONLY=losses:17 cargo test -p gymnast-core --test fuzz
//! ```
//!
//! The cases run in a process of their own, whose memory is limited. A case that panics is reported, and
//! the next one follows; one that aborts, hangs or runs out of memory ends the process, and another one
//! goes on behind that target.
#![cfg(all(unix, feature = "torch"))]

mod complete;
mod runner;
mod source;
mod targets;
mod tensors;

#[test]
fn no_input_panics_hangs_or_exhausts_memory() {
    runner::check(targets::ALL, "the_cases");
}

/// What the process runs that the test above starts; nothing otherwise.
#[test]
fn the_cases() {
    gymnast_core::threads::single_threaded();
    runner::run(targets::ALL);
}
