//! The agents that serve actions of any kind, by their settings.

use gymnast_envs::FeatureSpace;
use gymnast_harness::{Agent, AgentError, Plan};

use crate::{
    distributions::policy_head::ControlSpace,
    imitation::bc::{Bc, BcConfig},
    on_policy::{
        a2c::{A2c, A2cConfig},
        a3c::{A3c, A3cConfig},
        ppo::{Ppo, PpoConfig},
        reinforce::{Reinforce, ReinforceConfig},
    },
};

/// The settings of an agent that learns a distribution over actions of any kind.
///
/// ```
/// use gymnast_deep::{PolicySettings as _, PpoConfig};
/// use gymnast_envs::{BoxSpace, MultiDiscrete, Seed};
/// use gymnast_harness::Plan;
///
/// let plan = Plan { seed: Seed::new(0), num_envs: 1, env_steps: 10_000 };
/// let observations = BoxSpace::symmetric([1.0; 4]);
/// PpoConfig::default().agent(observations, MultiDiscrete::new([3, 3])?, &plan)?; // two choices of three
/// PpoConfig::default().agent(observations, BoxSpace::symmetric([1.0]), &plan)?; // a real number
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait PolicySettings {
    /// The agent.
    type Agent<O: FeatureSpace, A: ControlSpace>: Agent<O, A> + 'static;

    /// Makes an untrained agent for these spaces.
    ///
    /// # Errors
    /// What the agent's constructor returns: [`AgentError::InvalidConfig`] for settings out of range.
    fn agent<O: FeatureSpace, A: ControlSpace>(
        &self,
        observation_space: O,
        action_space: A,
        plan: &Plan,
    ) -> Result<Self::Agent<O, A>, AgentError>;
}

macro_rules! policy_settings {
    ($($config:ident => $agent:ident, |$self:ident, $o:ident, $a:ident, $plan:ident| $make:expr;)+) => {
        $(impl PolicySettings for $config {
            type Agent<O: FeatureSpace, A: ControlSpace> = $agent<O, A::Head>;

            fn agent<O: FeatureSpace, A: ControlSpace>(
                &$self,
                $o: O,
                $a: A,
                $plan: &Plan,
            ) -> Result<Self::Agent<O, A>, AgentError> {
                $make
            }
        })+
    };
}

policy_settings! {
    A2cConfig => A2c, |self, o, a, plan| A2c::new(o, a.head(), self.clone(), plan);
    A3cConfig => A3c, |self, o, a, plan| A3c::new(o, a.head(), self.clone(), plan);
    PpoConfig => Ppo, |self, o, a, plan| Ppo::new(o, a.head(), self.clone(), plan);
    ReinforceConfig => Reinforce, |self, o, a, plan| Reinforce::new(o, a.head(), self.clone(), plan);
    BcConfig => Bc, |self, o, a, plan| {
        let episodes = self.read_demonstrations(o, a.clone())?;
        Bc::new(&episodes, a.head(), self, plan)
    };
}
