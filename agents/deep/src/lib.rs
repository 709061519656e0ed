//! Deep agents on libtorch. A folder is a family of algorithms, one a file (`value_based`,
//! `on_policy`, `off_policy`, `model_based`, `imitation`), or parts that they share
//! (`memory`, `mathematics`, `distributions`, `networks`).

mod distributions;
mod imitation;
mod mathematics;
mod memory;
mod model_based;
mod moment;
mod networks;
mod novelty;
mod off_policy;
mod on_policy;
mod policy_settings;
mod value_based;

pub use gymnast_core::nn::{Activation, Engine, LayerConfig};
pub use gymnast_harness::settings;

pub use distributions::{
    policy_head::{self, Categorical, ControlSpace, DiagonalGaussian, MultiCategorical},
    tanh_normal,
};
pub use imitation::{
    bc::{Bc, BcConfig},
    distillation,
};
pub use mathematics::{losses, returns, targets};
pub use memory::{OnPolicyMemory, episodes, replay, rollout};
pub use model_based::mbpo::{Mbpo, MbpoConfig};
pub use moment::Moment;
pub use networks::{
    actor_critic,
    deterministic::DeterministicActor,
    io::{Acting, Io, join_rows},
    learned::{Descent, Learned},
    network::{BuildNetwork, NetworkSettings, Networks, Role, Wanted, Widths},
    pretraining::{EncoderNetwork, PretrainConfig, random_play},
    soft_actor::{Ascent, SoftActor, SoftActorSettings},
};
pub use novelty::NoveltyWatch;
pub use off_policy::{
    HIDDEN, Learner, OffPolicyAgent, OffPolicyConfig, OffPolicySettings, check_rates,
    ddpg::{Ddpg, DdpgConfig, DdpgLearner},
    sac::{Sac, SacConfig, SacLearner},
    td3::{Td3, Td3Config, Td3Learner},
};
pub use on_policy::{
    OnPolicyAgent, OnPolicyConfig, OnPolicyLearner, OnPolicySettings,
    a2c::{A2c, A2cConfig, A2cLearner},
    a3c::{A3c, A3cConfig},
    adam,
    ppo::{Ppo, PpoConfig, PpoLearner},
    reinforce::{Reinforce, ReinforceConfig, ReinforceLearner},
};
pub use policy_settings::PolicySettings;
pub use value_based::dqn::{Distribution, Dqn, DqnConfig};
