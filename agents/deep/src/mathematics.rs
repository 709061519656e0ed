//! Returns, targets and losses, as pure functions.

pub mod losses;
pub mod returns;
pub mod targets;
