//! What DQN has learned: saved, and taken over.

use gymnast_core::nn::{Network as _, Parameters};
use gymnast_envs::{FeatureSpace, FiniteSpace};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, StateDict};

use super::Dqn;
use crate::networks::{
    network::{Networks, all_plain, copy_networks},
    pretraining::EncoderNetwork,
};

impl<O, A> Networks for Dqn<O, A> {
    fn evaluated_by(&self) -> &'static str {
        all_plain([&self.online])
    }

    fn encoders_mut(&mut self) -> Vec<&mut dyn EncoderNetwork> {
        let networks = [&mut self.online, &mut self.target].into_iter().chain(&mut self.averaged);
        networks.map(|network| network as &mut dyn EncoderNetwork).collect()
    }

    fn named_parameters(&self) -> Vec<(String, &Parameters)> {
        let networks = [("online", &self.online), ("target", &self.target)].into_iter();
        let networks = networks.chain(self.averaged.iter().map(|network| ("averaged", network)));
        networks.map(|(name, network)| (name.to_owned(), network.parameters())).collect()
    }

    fn begin_from(&mut self, other: &Self) -> Result<(), AgentError> {
        let here = [&mut self.online, &mut self.target].into_iter().chain(&mut self.averaged);
        let there = [&other.online, &other.target].into_iter().chain(&other.averaged);
        copy_networks(here.collect(), there)
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Checkpoint for Dqn<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert("values", &format!("{:?}", self.values))?;
        state.insert_part("online", &self.online)?;
        state.insert_part("target", &self.target)?;
        if let Some(averaged) = &self.averaged {
            state.insert_part("averaged", averaged)?;
        }
        state.insert_part("optimizer", &self.optimizer)?;
        state.insert_part("replay", &self.replay)?;
        state.insert("replay_rng", &self.replay_rng)?;
        state.insert("noise_rng", &self.noise_rng)?;
        if let Some(contrast) = &self.contrast {
            state.insert("view_rng", contrast.rng())?;
        }
        state.insert("env_steps", &self.env_steps)?;
        state.insert("updates", &self.updates)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        // Categories and quantiles come from networks that look the same.
        state.expect("values", &format!("{:?}", self.values))?;
        state.load_part("online", &mut self.online)?;
        state.load_part("target", &mut self.target)?;
        if let Some(averaged) = &mut self.averaged {
            state.load_part("averaged", averaged)?;
        }
        state.load_part("optimizer", &mut self.optimizer)?;
        state.load_part("replay", &mut self.replay)?;
        let actions = 0..self.action_space.size() as i64;
        let expected = format!("actions below {}", actions.end);
        self.replay.check_actions(&expected, |action| actions.contains(action))?;
        self.replay_rng = state.get("replay_rng")?;
        self.noise_rng = state.get("noise_rng")?;
        if let Some(contrast) = &mut self.contrast {
            contrast.set_rng(state.get("view_rng")?);
        }
        self.env_steps = state.counter("env_steps")?;
        self.updates = state.counter("updates")?;
        Ok(())
    }
}
