//! Reinforcement learning environments with Gymnasium's names and exact dynamics.
//!
//! An [`Env`] is a decision problem. Its [`Space`]s define its observations and actions and their
//! types. All randomness comes from an explicit [`Rng`], derived from one [`Seed`].
//!
//! This crate depends on neither networks nor agents. Two default features can be switched off:
//! `physics` (LunarLander, on rapier2d) and `render` (pictures as PNG and GIF; text is always
//! available).

mod checker;
mod env;
mod erased;
mod error;
mod model;
mod options;
mod reference_returns;
mod registry;
mod sine;
mod spec;
mod tiles;
mod vector;

pub mod bsuite;
pub mod classic;
pub mod games;
pub mod json_lines;
pub mod kind;
pub mod minatar;
#[cfg(feature = "physics")]
pub mod physics;
pub mod render;
pub mod space;
pub mod sutton_barto;
pub mod toy_text;
pub mod trace;
pub mod wrappers;

pub use checker::{Check, CheckReport, Finding, Severity, check_env};
pub use env::{Act, Env, Obs, Outcome, Step};
pub use erased::{AsIs, Codec, DynEnv, ToChoices, ToIndex, ToRow};
pub use error::{EnvError, SpaceError, WrapperMisfit};
pub use gymnast_base::{
    Documented, Rng, Seed, SettingError, catch_panic, documented,
    spelling::{self, nearest},
};
pub use model::Transition;
pub use options::{EnvOption, EnvOptions};
pub use registry::Registry;
pub use space::{
    BoundedSpace, BoxSpace, ChoiceSpace, Discrete, ElementType, FactoredSpace, FeatureSpace,
    FiniteSpace, MultiBinary, MultiDiscrete, RowSpace, Space, SpaceDescription, Storage,
};
pub use spec::{EnvSpec, ReferenceReturns};
pub use vector::{
    AutoresetMode, Experience, Lane, Restored, SyncVectorEnv, VectorEnv, VectorSnapshot,
};
pub use wrappers::{InEvaluation, Wrapper, WrapperSpec};

#[doc(hidden)]
pub use gymnast_json as json;
#[doc(hidden)]
pub use serde_json;
