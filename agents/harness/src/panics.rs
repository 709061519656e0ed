//! A panic in an environment or an agent, as an error of the seed that it happened in.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::TrainError;

/// Runs one seed's training; a panic in it becomes [`TrainError::Panicked`], so that other seeds go on.
///
/// # Errors
/// What `run` returns; [`TrainError::Panicked`].
pub fn catch_panic<T>(
    seed: u64,
    run: impl FnOnce() -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    // Whatever the panic left half-done belongs to the seed alone and is dropped with it.
    catch_unwind(AssertUnwindSafe(run))
        .unwrap_or_else(|panic| Err(TrainError::Panicked { seed, message: message(&*panic) }))
}

/// What a panic said.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it left no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_seed_and_message() {
        let number = 3;
        let fails = |panic: &dyn Fn()| {
            catch_panic::<()>(41, || {
                panic();
                Ok(())
            })
            .unwrap_err()
            .to_string()
        };
        for (error, says) in [
            (fails(&|| panic!("plain")), "plain"),
            (fails(&|| panic!("number {number}")), "number 3"),
            (fails(&|| std::panic::panic_any(7)), "no message"),
        ] {
            assert!(error.contains("seed 41") && error.contains(says), "{error}");
        }
        assert_eq!(catch_panic(0, || Ok(5)).unwrap(), 5);
    }
}
