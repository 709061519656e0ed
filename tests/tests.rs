//! What must stay true of the whole: the real command, driven from outside, and the architecture.

mod arguments;
mod benchmark;
mod command;
#[cfg(feature = "deep")]
mod custom_agents;
mod damage;
#[cfg(feature = "deep")]
mod digests;
mod directories;
#[cfg(feature = "deep")]
mod docs;
#[cfg(target_os = "linux")]
mod faults;
mod foreign;
#[cfg(unix)]
mod fuzz;
mod join;
mod layers;
mod messages;
mod page;
mod plot;
mod reproduce;
mod sandbox;
mod shown;
mod signals;
mod start;
mod status;
mod train;
mod trainer;
mod tune;
mod wrappers;
