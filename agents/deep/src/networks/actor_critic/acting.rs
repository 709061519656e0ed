//! A policy acts.

use gymnast_core::nn::Scratch;
use gymnast_envs::{FeatureSpace, Rng, Space};
use gymnast_harness::{AgentError, Mode};

use super::ActorCritic;
use crate::distributions::policy_head::PolicyHead;

/// What acting writes to, kept from call to call.
#[derive(Default)]
pub(super) struct Acting {
    pub(super) features: Vec<f32>, // [N, width]
    pub(super) outputs: Vec<f32>,  // [N, outputs]
    /// The last actions of [`Mode::Explore`], as they were drawn: what is learned from.
    pub(super) drawn: Vec<f32>, // [N, action_width]
    pub(super) best: Vec<f32>,     // [action_width]
    pub(super) scratch: Scratch,
}

impl<O: FeatureSpace, H: PolicyHead> ActorCritic<O, H> {
    /// Chooses actions, as [`Policy::act`](gymnast_harness::Policy::act).
    ///
    /// # Errors
    /// [`AgentError::NoAction`] where the network puts out what is not finite.
    pub fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<<H::ActionSpace as Space>::Element>,
    ) -> Result<(), AgentError> {
        let acting = &mut *self.acting.borrow_mut();
        self.evaluate(mode, observations, acting);
        let parameters = self.weights(mode);
        let Acting { outputs, drawn, best, .. } = acting;
        let (n, action_width) = (observations.len(), self.action_width());
        let shared = &parameters[self.shared.range()];
        AgentError::check_outputs(&*outputs)?;
        let rows = outputs.chunks_exact(self.head.outputs());
        actions.clear();
        if mode == Mode::Explore {
            drawn.resize(n * action_width, 0.0);
            let rows = rows.zip(drawn.chunks_exact_mut(action_width));
            actions.extend(rows.map(|(outputs, action)| {
                self.head.sample(outputs, shared, rng, action);
                self.head.element(action)
            }));
            // A deviation that is not finite shows in what is drawn alone.
            return AgentError::check_outputs(&*drawn);
        }
        best.resize(action_width, 0.0);
        actions.extend(rows.map(|outputs| {
            self.head.mode(outputs, best);
            self.head.element(best)
        }));
        Ok(())
    }

    /// Writes what the policy that exploits puts out, `[N, outputs]`: of a finite one the logits, masked where the
    /// observations say which actions are allowed.
    pub fn write_outputs(&self, observations: &[O::Element], outputs: &mut Vec<f32>) {
        let acting = &mut *self.acting.borrow_mut();
        self.evaluate(Mode::Exploit, observations, acting);
        outputs.clone_from(&acting.outputs);
    }

    fn weights(&self, mode: Mode) -> &[f32] {
        match mode {
            Mode::Explore => self.parameters.values(),
            Mode::Exploit => self.exploiting(),
        }
    }

    fn evaluate(&self, mode: Mode, observations: &[O::Element], acting: &mut Acting) {
        let Acting { features, outputs, scratch, .. } = acting;
        let (n, width) = (observations.len(), self.width());
        features.resize(n * width, 0.0);
        outputs.resize(n * self.head.outputs(), 0.0);
        for (observation, row) in observations.iter().zip(features.chunks_exact_mut(width)) {
            self.write_features(observation, row);
        }
        let policy = match &self.averaged {
            Some(averaged) if mode == Mode::Exploit => &averaged.policy,
            _ => &self.policy,
        };
        policy
            .run(self.weights(mode), features, n, scratch, outputs)
            .expect("the features have the network's width");
        if let Some(mask) = &self.mask {
            mask.apply(features, outputs);
        }
    }
}
