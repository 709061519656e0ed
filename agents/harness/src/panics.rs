//! Converts a panic in an environment or an agent into an error of its seed.

use crate::TrainError;

/// Runs one seed's training; a panic becomes [`TrainError::Panicked`], so that other seeds
/// continue.
///
/// # Errors
/// The errors of `run`; [`TrainError::Panicked`].
pub fn catch_seed_panic<T>(
    seed: u64,
    run: impl FnOnce() -> Result<T, TrainError>,
) -> Result<T, TrainError> {
    // Whatever the panic left half-done belongs to the seed alone and is dropped with it.
    gymnast_base::catch_panic(run)
        .unwrap_or_else(|message| Err(TrainError::Panicked { seed, message }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_that_names_seed_and_message() {
        let error = catch_seed_panic::<()>(41, || panic!("plain")).unwrap_err().to_string();
        assert!(error.contains("seed 41") && error.contains("plain"), "{error}");
        assert_eq!(catch_seed_panic(0, || Ok(5)).unwrap(), 5);
    }
}
