//! An on-policy algorithm from outside the crate: vanilla policy gradient with generalised advantage
//! estimates (Schulman et al., "High-dimensional continuous control using generalized advantage estimation",
//! 2016). It learns, and resumes bit for bit.

use gymnast_core::{
    nn::Parameters,
    optim::{Adam, Optimizer},
};
use gymnast_deep::{
    Categorical, Moment, OnPolicyAgent, OnPolicyLearner, Widths,
    actor_critic::{ActorCritic, Pass},
    adam, losses, on_policy_settings,
    policy_head::PolicyHead,
    returns,
    rollout::{Rollout, gather},
};
use gymnast_envs::{FeatureSpace, Seed, classic::CartPole, wrappers::TimeLimit};
use gymnast_harness::{
    AgentError, Checkpoint, CheckpointError, Metrics, Plan, StateDict,
    testing::{TwoArmedBandit, assert_learns, assert_resumes_exactly, setup, training},
};

on_policy_settings! {
    /// The settings of VPG.
    pub struct VpgConfig {
        /// The steps of each environment between updates.
        pub n_steps: usize = 16,
        /// Adam's step size.
        pub learning_rate: f64 = 0.01,
        /// The λ of generalised advantage estimation, in [0, 1].
        pub gae_lambda: f64 = 0.95,
    }
}

type Vpg<O, H> = OnPolicyAgent<O, H, VpgLearner>;

struct VpgLearner {
    config: VpgConfig,
    optimizer: Adam,
    pass: Pass,
}

impl OnPolicyLearner for VpgLearner {
    type Config = VpgConfig;
    type Memory = Rollout;

    fn new(config: &VpgConfig, parameters: &Parameters, _seed: Seed) -> Result<Self, AgentError> {
        let optimizer = adam(parameters)?;
        Ok(Self { config: config.clone(), optimizer, pass: Pass::default() })
    }

    fn memory(config: &VpgConfig, num_envs: usize, widths: Widths) -> Result<Rollout, AgentError> {
        Rollout::new(config.n_steps, num_envs, widths.observation, widths.action)
    }

    fn optimizer_mut(&mut self) -> &mut dyn Optimizer {
        &mut self.optimizer
    }

    fn update<O: FeatureSpace, H: PolicyHead>(
        &mut self,
        networks: &mut ActorCritic<O, H>,
        rollout: &Rollout,
        moment: Moment,
    ) -> Result<Option<Metrics>, AgentError> {
        let Self { config, optimizer, pass } = self;
        let (mut value, mut next_value, mut of_rows) = (Vec::new(), Vec::new(), Vec::new());
        networks.values(rollout.observations(), &mut value);
        networks.values(rollout.next_observations(), &mut next_value);
        let lambda = config.gae_lambda;
        returns::gae(&rollout.steps(), &value, &next_value, lambda, &mut of_rows)?;

        let (mut observation, mut action) = (Vec::new(), Vec::new());
        let (mut advantage, mut target) = (Vec::new(), Vec::new());
        gather(rollout.transitions(), rollout.observations(), networks.width(), &mut observation);
        gather(rollout.transitions(), rollout.actions(), networks.action_width(), &mut action);
        gather(rollout.transitions(), &of_rows, 1, &mut advantage);
        gather(rollout.transitions(), &value, 1, &mut target);
        target.iter_mut().zip(&advantage).for_each(|(target, advantage)| *target += advantage);

        networks.evaluate_policy(&observation, &action, pass);
        networks.evaluate_values(&observation, pass);
        let loss = losses::policy_gradient(&pass.log_prob, &advantage, &mut pass.by_log_prob)?;
        losses::squared_error(&pass.value, &target, &mut pass.by_value)?;
        networks.backward(&action, pass, config.value_coefficient, config.entropy_coefficient);
        let descent = moment.descent(config.learning_rate);
        networks.descend(optimizer, descent, config.max_grad_norm)?;
        Ok(Some(Metrics::new().with("policy_loss", loss)))
    }
}

impl Checkpoint for VpgLearner {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("optimizer", &self.optimizer)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("optimizer", &mut self.optimizer)
    }
}

#[test]
fn a_custom_algorithm_is_a_learner() {
    let make = |plan: &Plan| {
        let vpg = |o, a| Vpg::new(o, Categorical::new(a), VpgConfig::default(), plan);
        setup(plan, TwoArmedBandit::default, vpg)
    };
    assert_learns(make, &training(4_000, 4), 0.75);
    let make = |plan: &Plan| {
        let config = VpgConfig { normalize_observations: true, average: 0.1, ..Default::default() };
        let cart_pole = || TimeLimit::new(CartPole::default(), 30);
        setup(plan, cart_pole, |o, a| Vpg::new(o, Categorical::new(a), config, plan))
    };
    assert_resumes_exactly(make, &training(600, 2));
}
