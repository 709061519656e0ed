//! Wrappers by name, around environments whose types are erased.
//!
//! [`boxed`] erases the type of one environment, so that every typed wrapper fits around it. `spec`
//! describes a wrapper: its name, its options and how to apply it. `wrapped` applies wrappers to a
//! registered environment. `builtin` lists the library's wrappers.

mod boxed;
mod builtin;
mod one_or_each;
mod spec;
mod wrapped;

pub use boxed::{Boxed, BoxedEnv};
pub(crate) use boxed::{MakeBoxed, boxed};
pub(crate) use builtin::builtin;
pub(crate) use spec::read;
pub use spec::{InEvaluation, Wrapper, WrapperOption, WrapperSpec};
