//! Deep agents on libtorch: one algorithm a file.

mod a2c;
mod a3c;
mod action_mask;
mod action_range;
mod bc;
mod critics;
mod ddpg;
mod deterministic;
mod dqn;
mod learned;
mod mbpo;
mod moment;
mod network;
mod novelty;
mod off_policy;
mod on_policy;
mod ppo;
mod reinforce;
mod sac;
mod soft_actor;
mod td3;

pub mod actor_critic;
pub mod distillation;
pub mod episodes;
pub mod losses;
pub mod policy_head;
pub mod replay;
pub mod returns;
pub mod rollout;
pub mod tanh_normal;
pub mod targets;

pub use gymnast_core::nn::{Activation, LayerConfig};
pub use gymnast_harness::documented;

pub use a2c::{A2c, A2cConfig, A2cLearner};
pub use a3c::{A3c, A3cConfig};
pub use bc::{Bc, BcConfig};
pub use ddpg::{Ddpg, DdpgConfig, DdpgLearner};
pub use deterministic::DeterministicActor;
pub use dqn::{Distribution, Dqn, DqnConfig, random_play};
pub use learned::{Descent, Learned};
pub use mbpo::{Mbpo, MbpoConfig};
pub use moment::Moment;
pub use network::{BuildNetwork, NetworkSettings, Networks, Role, Wanted, Widths};
pub use novelty::NoveltyWatch;
pub use off_policy::{
    Acting, HIDDEN, Io, Learner, OffPolicyAgent, OffPolicyConfig, OffPolicySettings, check_rates,
};
pub use on_policy::{
    OnPolicyAgent, OnPolicyConfig, OnPolicyLearner, OnPolicyMemory, OnPolicySettings, adam,
};
pub use policy_head::{
    Categorical, ControlSpace, DiagonalGaussian, MultiCategorical, PolicySettings,
};
pub use ppo::{Ppo, PpoConfig, PpoLearner};
pub use reinforce::{Reinforce, ReinforceConfig, ReinforceLearner};
pub use sac::{Sac, SacConfig, SacLearner};
pub use soft_actor::{Ascent, SoftActor, SoftActorSettings};
pub use td3::{Td3, Td3Config, Td3Learner};
