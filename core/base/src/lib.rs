//! The common base of environments, networks and agents; it depends on none of them.
//!
//! | module | holds |
//! |---|---|
//! | root | [`Seed`] and [`Rng`], [`SettingError`], [`documented!`] settings, [`catch_panic`] |
//! | [`atomic_file`], [`files`] | atomic writes; files opened without following links |
//! | [`locks`] | locks between processes |
//! | [`simd`], [`wide!`] | loops with wide instructions |
//! | [`hash`] | hashes equal on every machine |
//! | [`spelling`] | the nearest name; serde's messages in plain words |
//! | [`text`] | numbers and tables as text |
//!
//! The crates above re-export all of it.

mod documented;
mod panics;
mod seeding;
mod setting;

pub mod atomic_file;
pub mod files;
pub mod hash;
pub mod locks;
pub mod simd;
pub mod spelling;
pub mod text;

pub use documented::Documented;
pub use panics::catch_panic;
pub use seeding::{Rng, Seed};
pub use setting::{SettingError, require};
