//! The contrastive loss of pictures beside that of values.

use gymnast_core::{
    data::Compose,
    loss::{Direction, info_nce},
    nn::Net,
};
use gymnast_envs::Rng;
use gymnast_harness::AgentError;
use tch::Tensor;

use super::DqnConfig;
use crate::networks::{learned::backend, pretraining::random_shift};

/// What makes views of pictures and compares them.
pub(super) struct Contrast {
    views: Compose,
    temperature: f64,
    rng: Rng,
    view: Vec<f32>, // [B, width]
}

impl Contrast {
    /// `None` where the settings ask for none.
    pub(super) fn new(
        config: &DqnConfig,
        shape: &[usize],
        rng: Rng,
    ) -> Result<Option<Self>, AgentError> {
        if config.contrastive == 0.0 {
            return Ok(None);
        }
        let views = random_shift("contrastive_shift", config.contrastive_shift, shape)?;
        let views = Compose::new(vec![views], shape.iter().product()).map_err(backend)?;
        let temperature = config.contrastive_temperature;
        Ok(Some(Self { views, temperature, rng, view: Vec::new() }))
    }

    /// InfoNCE: the online network's features of one view `[B, F]` have to find the target network's of
    /// another. `observations` is `[B, width]`; the gradient stops at the target.
    pub(super) fn loss(
        &mut self,
        online: &Net,
        target: &Net,
        observations: &[f32],
    ) -> Result<Tensor, AgentError> {
        let none = || AgentError::Backend("the network has no encoder".to_owned());
        let query = online.encode(&self.view_of(observations)?).ok_or_else(none)?;
        let view = self.view_of(observations)?;
        let key = {
            // A guard, so that gradients come back even after a panic.
            let _guard = tch::no_grad_guard();
            target.encode(&view).ok_or_else(none)?
        };
        info_nce(&query, &key, self.temperature, Direction::QueryToKey).map_err(backend)
    }

    fn view_of(&mut self, observations: &[f32]) -> Result<Tensor, AgentError> {
        self.view.clear();
        self.view.extend_from_slice(observations);
        self.views.apply(&mut self.view, &mut self.rng).map_err(backend)?;
        Ok(Tensor::from_slice(&self.view).view([-1, self.views.width() as i64]))
    }

    pub(super) fn rng(&self) -> &Rng {
        &self.rng
    }

    pub(super) fn set_rng(&mut self, rng: Rng) {
        self.rng = rng;
    }
}
