//! The contrastive loss of pictures beside that of values.

use gymnast_core::{
    data::{Augmentation, Compose, Shape},
    loss::{Direction, info_nce},
    nn::Net,
};
use gymnast_envs::Rng;
use gymnast_harness::{AgentError, SettingError};
use tch::Tensor;

use super::DqnConfig;
use crate::networks::learned::backend;

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
        let views = random_shift(config, shape)?;
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

/// The shift of pictures `[H, W]` or `[H, W, C]` that the settings ask for.
pub(super) fn random_shift(
    config: &DqnConfig,
    shape: &[usize],
) -> Result<Augmentation, AgentError> {
    let (height, width, channels) = match *shape {
        [height, width] => (height, width, 1),
        [height, width, channels] => (height, width, channels),
        _ => {
            let allowed = "none where observations are no pictures of shape [H, W] or [H, W, C]";
            let value = format!("{} over {shape:?}", config.contrastive);
            return Err(SettingError { key: "contrastive", value, allowed: allowed.into() }.into());
        }
    };
    let shift = config.contrastive_shift;
    let expected = "less than the height and the width of a picture";
    AgentError::require(shift < height.min(width), "contrastive_shift", &shift, expected)?;
    Ok(Augmentation::RandomCrop { shape: Shape { height, width, channels }, padding: shift })
}
