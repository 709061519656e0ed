//! A policy learned by a small network from another policy's preferences.
//!
//! Source: Rusu et al., "Policy distillation" (2016), and, for the states that are learned from, Ross,
//! Gordon and Bagnell, "A reduction of imitation learning and structured prediction to no-regret online
//! learning" (DAgger, 2011):
//!
//! ```text
//! for each round:
//!     act, by the exploring teacher in the first round, by the student from then on
//!     keep each state with the teacher's preferences there
//!     descend T² KL(softmax(teacher / T) ‖ softmax(student / T)) over all states kept
//! ```
//!
//! Rewards are not used. Departure from Rusu et al.: the student's
//! outputs are divided by the temperature too (Hinton et al., 2015), so that they are preferences as the
//! teacher's are.

mod network_policy;
#[cfg(test)]
mod tests;

use gymnast_core::{
    compression::distillation_loss,
    nn::{Activation, Engine, LayerConfig, Net, Network as _},
    supervised::{Batch, Dataset, FitConfig, FitError, Objective, fit},
    threads,
};
use gymnast_envs::{FeatureSpace, FiniteSpace, Seed, VectorEnv};
use gymnast_harness::{AgentError, Mode, POSITIVE, Policy, within};
use tch::Tensor;

pub use network_policy::NetworkPolicy;

use crate::{
    distributions::policy_head::Categorical,
    imitation::bc::Bc,
    networks::{
        learned::backend,
        network::{BuildNetwork, NetworkSettings, Role, network, torch_default},
    },
    on_policy::{OnPolicyAgent, OnPolicyLearner, a3c::A3c},
    settings,
    value_based::dqn::Dqn,
};

/// A policy over finite actions with a preference for each: logits, values of actions, or other numbers
/// that a softmax turns into probabilities (Sutton and Barto, section 13.1).
pub trait ActionPreferences<O: FeatureSpace, A: FiniteSpace>: Policy<O, A> {
    /// Writes `[N, A]` preferences for N observations, replacing the contents of `preferences`.
    fn write_preferences(&self, observations: &[O::Element], preferences: &mut Vec<f32>);
}

/// The mean of each action's return, in scaled rewards, by the weights that exploit.
impl<O: FeatureSpace, A: FiniteSpace> ActionPreferences<O, A> for Dqn<O, A> {
    fn write_preferences(&self, observations: &[O::Element], preferences: &mut Vec<f32>) {
        self.write_values(observations, preferences);
    }
}

/// The policy's logits.
impl<O, A, L> ActionPreferences<O, A> for OnPolicyAgent<O, Categorical<A>, L>
where
    O: FeatureSpace,
    A: FiniteSpace,
    L: OnPolicyLearner,
{
    fn write_preferences(&self, observations: &[O::Element], preferences: &mut Vec<f32>) {
        self.networks().write_outputs(observations, preferences);
    }
}

/// The logits of the policy that all workers share.
impl<O: FeatureSpace, A: FiniteSpace> ActionPreferences<O, A> for A3c<O, Categorical<A>> {
    fn write_preferences(&self, observations: &[O::Element], preferences: &mut Vec<f32>) {
        self.networks().write_outputs(observations, preferences);
    }
}

/// The clone's logits, by the best weights so far.
impl<O: FeatureSpace, A: FiniteSpace> ActionPreferences<O, A> for Bc<O, Categorical<A>> {
    fn write_preferences(&self, observations: &[O::Element], preferences: &mut Vec<f32>) {
        self.write_outputs(observations, preferences);
    }
}

settings! {
    /// How a policy is distilled. The defaults: one layer of 16, three rounds of 4000 steps, 30 epochs each.
    pub struct DistilConfig {
        /// The widths of the student's hidden layers.
        pub hidden: Vec<usize> = vec![16],
        /// What follows each of them.
        pub activation: Activation = Activation::Tanh,
        /// Layers that read pictures; see [`NetworkSettings`].
        pub encoder: Vec<LayerConfig> = vec![],
        /// Layers in the place of `hidden`; see [`NetworkSettings`].
        pub head: Vec<LayerConfig> = vec![],
        /// The rounds of gathering states and learning from them; ≥ 1.
        pub rounds: usize = 3,
        /// The env steps of a round; ≥ 1, rounded up to steps of all environments.
        pub env_steps: usize = 4_000,
        /// By how much preferences are softened; > 0. The smaller they are, the smaller it should be:
        /// values of actions often differ by less than 1.
        pub temperature: f64 = 1.0,
        /// The share of the states that is held out, to keep the best epoch by; in [0, 1).
        pub validation_share: f64 = 0.1,
        /// How a round learns.
        pub fit: FitConfig = FitConfig { epochs: 30, ..FitConfig::adam(3e-3) },
    }
}

impl DistilConfig {
    fn check(&self) -> Result<(), AgentError> {
        within("rounds", self.rounds, 1..=1 << 24, "1 to 16777216")?;
        within("env_steps", self.env_steps, 1..=1 << 24, "1 to 16777216")?;
        within("temperature", self.temperature, POSITIVE, "a positive number")?;
        within("validation_share", self.validation_share, 0.0..1.0, "a share in [0, 1)")
    }
}

/// What a student descends: the targets are the teacher's preferences.
struct Lesson {
    temperature: f64,
}

impl Objective<Net> for Lesson {
    fn loss(&self, network: &Net, batch: &Batch) -> Result<Tensor, FitError> {
        let (student, teacher) = (network.forward(&batch.inputs()), batch.targets()); // [B, A]
        Ok(distillation_loss(&student, &teacher, self.temperature)?)
    }

    gymnast_core::mean_over_rows!();

    fn description(&self) -> Option<String> {
        Some(format!("preferences, temperature {}", self.temperature))
    }
}

/// Distils a policy into a small network, to act by as [`NetworkPolicy`]. The environments are reset and
/// played in for `rounds` times `env_steps`.
///
/// # Errors
/// [`AgentError::InvalidConfig`], also where observations say which actions are allowed: students know
/// no masks; [`AgentError::Env`] where an environment fails; [`AgentError::Backend`] where preferences
/// are not finite, or the student has layers that only libtorch evaluates; [`AgentError::NoAction`] where
/// the student's preferences are not finite.
pub fn distil_policy<O: FeatureSpace, A: FiniteSpace>(
    teacher: &dyn ActionPreferences<O, A>,
    envs: &mut dyn VectorEnv<O, A>,
    config: &DistilConfig,
    seed: Seed,
) -> Result<Net, AgentError> {
    let settings = NetworkSettings {
        encoder: config.encoder.clone(),
        head: config.head.clone(),
        hidden: config.hidden.clone(),
        activation: config.activation,
        engine: Engine::Auto,
    };
    let build = settings.builder(&DistilConfig::default().hidden, torch_default)?;
    distil_with_network(teacher, envs, config, seed, &build)
}

/// Distils a policy into a student that `build` builds; the settings of its layers are not used.
///
/// # Errors
/// As [`distil_policy`]; [`AgentError::Mismatch`] where another network was built.
pub fn distil_with_network<O: FeatureSpace, A: FiniteSpace>(
    teacher: &dyn ActionPreferences<O, A>,
    envs: &mut dyn VectorEnv<O, A>,
    config: &DistilConfig,
    seed: Seed,
    build: &BuildNetwork<'_>,
) -> Result<Net, AgentError> {
    config.check()?;
    threads::single_threaded_at_first_use();
    let (space, actions) = (envs.observation_space().clone(), envs.action_space().clone());
    require_no_mask(&space)?;
    let (width, n_actions) = (space.width(), actions.size());
    let mut init = seed.child("init", 0).rng();
    let mut student = network(build, Role::Policy, &space.parts(), n_actions, &mut init)?;
    let mut acting = seed.child("acting", 0).rng();
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    let (mut preferences, mut chosen) = (Vec::new(), Vec::new());
    envs.reset()?;
    for round in 0..config.rounds {
        let policy = NetworkPolicy::new(space.clone(), actions.clone(), &student)?;
        for _ in 0..config.env_steps.div_ceil(envs.num_envs()) {
            let observations = envs.observations();
            for observation in observations {
                inputs.resize(inputs.len() + width, 0.0);
                let row = inputs.len() - width;
                space.flatten(observation, &mut inputs[row..]);
            }
            teacher.write_preferences(observations, &mut preferences);
            targets.extend_from_slice(&preferences);
            if round == 0 {
                teacher.act(observations, Mode::Explore, &mut acting, &mut chosen)?;
            } else {
                policy.act(observations, Mode::Exploit, &mut acting, &mut chosen)?;
            }
            envs.step(&chosen)?;
        }
        let data = Dataset::new(inputs.clone(), width, targets.clone(), n_actions);
        let data = data.map_err(backend)?;
        let mut order = seed.child("minibatches", round as u64).rng();
        let (train, held_out) = data.split(config.validation_share, &mut order).map_err(backend)?;
        let lesson = Lesson { temperature: config.temperature };
        fit(&mut student, &train, &held_out, &config.fit, order, &lesson).map_err(backend)?;
    }
    Ok(student)
}

fn require_no_mask(space: &impl FeatureSpace) -> Result<(), AgentError> {
    let mask = space.action_mask();
    AgentError::require(mask.is_none(), "action_mask", &mask, "observations without one")
}
