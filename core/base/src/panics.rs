//! Panics as values.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Runs `work` and returns its result; if it panics, returns the panic's message as an error. Drop
/// the objects that `work` may have left half-changed.
///
/// # Errors
/// The message of the panic.
pub fn catch_panic<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(&*panic))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it left no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_by_its_message() {
        let number = 3;
        let says = |panic: &dyn Fn()| catch_panic(panic).unwrap_err();
        assert_eq!(says(&|| panic!("plain")), "plain");
        assert_eq!(says(&|| panic!("number {number}")), "number 3");
        assert!(says(&|| std::panic::panic_any(7)).contains("no message"));
        assert_eq!(catch_panic(|| 5), Ok(5));
    }
}
