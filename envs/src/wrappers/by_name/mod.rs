//! Wrappers by name, around environments whose types are erased.
//!
//! [`boxed`] erases one environment, so that every typed wrapper fits around it; `spec` says how a
//! wrapper is called, set and applied; `wrapped` applies them to a registered environment; `builtin`
//! lists those of the library.

mod boxed;
mod builtin;
mod settings;
mod spec;
mod wrapped;

pub use boxed::{Boxed, BoxedEnv};
pub(crate) use boxed::{MakeBoxed, boxed};
pub(crate) use builtin::builtin;
pub(crate) use spec::read;
pub use spec::{InEvaluation, Wrapper, WrapperOption, WrapperSpec};
