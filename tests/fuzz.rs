//! Whatever stands in a file or an argument, it is read or refused with an error: without a panic, in
//! time, in bounded memory. The parsers of `core` have a test of their own, whose machinery this one uses.
//!
//! `cargo test --no-default-features --features command,physics --test tests fuzz` runs a fixed number of cases of each target, the
//! same ones each time. Longer, other ones, and one of them again, as a report names it:
//!
//! ```text
//! GYMNAST_FUZZ_SECONDS=3600 GYMNAST_FUZZ_SEED=7 cargo test --no-default-features --features command,physics --test tests fuzz
//! GYMNAST_FUZZ_ONLY=traces:17 cargo test --no-default-features --features command,physics --test tests fuzz
//! ```

mod commands;
mod configurations;
mod environments;
mod json;
mod records;
#[path = "../core/tests/fuzz/runner.rs"]
mod runner;
mod scratch;
#[path = "../core/tests/fuzz/source.rs"]
mod source;
mod values;

use runner::{Target, target};

const ALL: &[Target] = &[
    target("json", 2000, json::read),
    target("spaces", 2000, json::spaces),
    target("env_options", 250, environments::options),
    target("lake_maps", 60, environments::lake_maps),
    target("steps", 300, environments::steps),
    target("vector_steps", 300, environments::vector_steps),
    target("snapshots", 500, environments::snapshots),
    target("traces", 1500, environments::traces),
    target("records", 500, records::tables),
    target("demonstrations", 500, records::demonstrations),
    target("manifests", 200, records::manifests),
    target("seed_directories", 60, records::seed_directories),
    target("reports", 100, records::reports),
    target("assignments", 2000, configurations::assignments),
    target("configuration_files", 300, configurations::files),
    target("configurations", 1000, configurations::settings),
    target("arguments", 500, commands::arguments),
    target("suites", 200, commands::suites),
    target("searches", 200, commands::searches),
    target("tune_definitions", 100, commands::tune_definitions),
    target("damaged_runs", 30, commands::damaged_runs),
];

#[test]
fn no_file_or_argument_panics_hangs_or_exhausts_memory() {
    runner::check(ALL, "fuzz::the_cases");
}

/// What the process runs that the test above starts; nothing otherwise.
#[test]
fn the_cases() {
    runner::run(ALL);
}
