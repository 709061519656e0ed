//! What a policy and a value function have learned: saved, copied, taken over.

use gymnast_core::nn::{Buffers, Engine, Module, NetworkError, Parameters};
use gymnast_envs::{FeatureSpace, wrappers::RunningMeanStd};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use super::ActorCritic;
use crate::{
    distributions::policy_head::PolicyHead,
    networks::{
        learned::backend,
        network::{Networks, check_alike, evaluated_by},
        pretraining::EncoderNetwork,
    },
};

impl<O: FeatureSpace, H: PolicyHead> ActorCritic<O, H> {
    /// The architecture, for a checkpoint.
    fn description(&self) -> String {
        let (policy, value) =
            (self.policy.module().description(), self.value.module().description());
        let (head, normalized) = (self.head.description(), self.statistics.is_some());
        format!("policy {policy}, {head}; value {value}; observations normalized: {normalized}")
    }

    /// Checks that a checkpoint's rows of numbers stand for actions.
    pub(crate) fn check_actions(&self, name: &str, actions: &[f32]) -> Result<(), CheckpointError> {
        let mut rows = actions.chunks_exact(self.action_width().max(1));
        match rows.find(|row| !self.head.is_action(row)) {
            None => Ok(()),
            Some(row) => {
                Err(CheckpointError::mismatch(name, self.head.description(), format!("{row:?}")))
            }
        }
    }

    /// Lets the policy that exploits without a plan act by the newest average.
    pub(super) fn follow_average(&mut self) {
        if let (Some(averaged), Some(average)) = (&mut self.averaged, &self.average) {
            averaged.follow(average.weights());
        }
    }
}

/// The policy reads observations, and so does the value function, whose encoder lies among the same
/// parameters.
impl<O: FeatureSpace, H: PolicyHead> EncoderNetwork for ActorCritic<O, H> {
    fn module(&self) -> &dyn Module {
        self.policy.module()
    }

    fn encoder_name(&self) -> &'static str {
        "policy.encoder."
    }

    fn all_parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn all_parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn set_engine(&mut self, engine: Engine) -> Result<(), NetworkError> {
        self.policy.set_engine(engine)?;
        self.value.set_engine(engine)
    }

    /// The average begins anew.
    fn follow(&mut self) -> Result<(), NetworkError> {
        if let Some(average) = &mut self.average {
            average.restart(self.parameters.values());
        }
        self.follow_average();
        Ok(())
    }
}

impl<O: FeatureSpace, H: PolicyHead> Networks for ActorCritic<O, H> {
    fn evaluated_by(&self) -> &'static str {
        evaluated_by(self.trains_by_plan())
    }

    fn encoders_mut(&mut self) -> Vec<&mut dyn EncoderNetwork> {
        vec![self]
    }

    fn named_parameters(&self) -> Vec<(String, &Parameters)> {
        vec![("actor_critic".to_owned(), &self.parameters)]
    }

    fn begin_from(&mut self, other: &Self) -> Result<(), AgentError> {
        let (here, there) = (self.statistics.is_some(), other.statistics.is_some());
        AgentError::require(here == there, "normalize_observations", &there, "the same for both")?;
        check_alike(self.description(), other.description())?;
        self.parameters.copy_from(&other.parameters).map_err(backend)?;
        self.statistics.clone_from(&other.statistics);
        self.follow().map_err(backend)
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for ActorCritic<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("network", &self.description())?;
        state.insert_part("parameters", &self.parameters)?;
        if !self.trains_by_plan() {
            let buffers = [self.policy.module().buffers(), self.value.module().buffers()];
            state.insert("buffers", &buffers)?;
        }
        if let Some(average) = &self.average {
            state.insert_part("average", average)?;
        }
        match &self.statistics {
            Some(statistics) => state.insert("statistics", statistics),
            None => Ok(()),
        }
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.expect("network", &self.description())?;
        state.load_part("parameters", &mut self.parameters)?;
        if !self.trains_by_plan() {
            let [policy, value]: [Buffers; 2] = state.get("buffers")?;
            for (network, buffers) in [(&mut self.policy, policy), (&mut self.value, value)] {
                network.module_mut().load_buffers(&buffers).map_err(CheckpointError::part)?;
            }
        }
        if let Some(average) = &mut self.average {
            state.load_part("average", average)?;
        }
        self.follow_average();
        if self.statistics.is_some() {
            let statistics: RunningMeanStd = state.get("statistics")?;
            if statistics.mean().len() != self.width() {
                return Err(CheckpointError::Mismatch {
                    name: "statistics".to_owned(),
                    expected: format!("{} numbers", self.width()),
                    got: statistics.mean().len().to_string(),
                });
            }
            self.statistics = Some(statistics);
        }
        Ok(())
    }
}
