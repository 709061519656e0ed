//! What a clone has learned: saved, and taken over.

use gymnast_core::nn::{Network as _, Parameters};
use gymnast_envs::FeatureSpace;
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use super::Bc;
use crate::{
    distributions::policy_head::PolicyHead,
    networks::{
        network::{Networks, all_plain, copy_networks},
        pretraining::EncoderNetwork,
    },
};

impl<O, H: PolicyHead> Networks for Bc<O, H> {
    fn evaluated_by(&self) -> &'static str {
        all_plain([&self.network])
    }

    fn encoders_mut(&mut self) -> Vec<&mut dyn EncoderNetwork> {
        vec![&mut self.network]
    }

    fn named_parameters(&self) -> Vec<(String, &Parameters)> {
        vec![("policy".to_owned(), self.network.parameters())]
    }

    /// With the weights of its newest epoch, not of its best.
    fn begin_from(&mut self, other: &Self) -> Result<(), AgentError> {
        copy_networks(vec![&mut self.network], [&other.network])
    }
}

impl<O: FeatureSpace, H: PolicyHead> Checkpoint for Bc<O, H> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("network", &self.network)?;
        state.insert_part("fit", &self.fit)?;
        state.insert("demonstrations", &self.fingerprint())?;
        state.insert("env_steps", &self.env_steps)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        let began_with: (usize, [u64; 2]) = state.get("demonstrations")?;
        if began_with != self.fingerprint() {
            return Err(CheckpointError::Mismatch {
                name: "demonstrations".to_owned(),
                expected: format!("the {} steps that the training began with", began_with.0),
                got: format!("{} steps, other ones", self.fingerprint().0),
            });
        }
        state.load_part("network", &mut self.network)?;
        state.load_part("fit", &mut self.fit)?;
        self.follow_best().map_err(CheckpointError::part)?;
        self.env_steps = state.counter("env_steps")?;
        Ok(())
    }
}
