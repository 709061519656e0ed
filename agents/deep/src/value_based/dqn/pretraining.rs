//! An encoder that learns from random play, before there is any reward.

use gymnast_core::{
    data::{Batch, Dataset},
    loss::nt_xent,
    nn::{Net, Network as _},
    optim::ParamGroup,
    supervised::{FitConfig, FitError, History, Objective, fit},
};
use gymnast_envs::{Env, EnvError, FeatureSpace, FiniteSpace, Obs, Rng, Space as _};
use gymnast_harness::AgentError;
use tch::Tensor;

use super::{Dqn, contrast::random_shift};
use crate::networks::learned::{backend, write_features};

/// What is seen in so many env steps of random actions: what each action was chosen for.
///
/// # Errors
/// What the environment returns.
pub fn random_play<E: Env>(
    env: &mut E,
    env_steps: usize,
    rng: &mut Rng,
) -> Result<Vec<Obs<E>>, EnvError> {
    let actions = env.action_space();
    let mut seen = Vec::new();
    let mut observation = env.reset(rng)?;
    for _ in 0..env_steps {
        let step = env.step(&actions.sample(rng), rng)?;
        let next = if step.outcome.is_final() { env.reset(rng)? } else { step.observation };
        seen.push(std::mem::replace(&mut observation, next));
    }
    Ok(seen)
}

/// NT-Xent of the encoder's features of two views.
struct KnowAgain {
    temperature: f64,
}

impl Objective<Net> for KnowAgain {
    fn loss(&self, network: &Net, batch: &Batch) -> Result<Tensor, FitError> {
        let features = network.encode(&batch.inputs()).expect("it has an encoder").chunk(2, 0);
        Ok(nt_xent(&features[0], &features[1], self.temperature)?)
    }

    gymnast_core::mean_over_rows!();

    fn least_rows(&self) -> usize {
        2
    }

    fn description(&self) -> Option<String> {
        Some(format!("NT-Xent of convolutions, temperature {}", self.temperature))
    }
}

impl<O: FeatureSpace, A: FiniteSpace> Dqn<O, A> {
    /// Lets the encoder learn to know pictures again after a random shift
    /// ([`nt_xent`]), as the settings `contrastive_temperature` and `contrastive_shift` say; the target
    /// network starts from the same. Nothing else of the agent changes. `config` says for how long and at
    /// which rate; its views are two, its augmentations the random shift unless there are others, and it has
    /// no parameter groups: what is trained is settled.
    ///
    /// Before the first step of a training: afterwards it would pull the features away from the values.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] without an encoder, [`AgentError::Backend`] for other settings
    /// that cannot be, or nothing to learn from.
    pub fn pretrain(
        &mut self,
        observations: &[O::Element],
        config: &FitConfig,
    ) -> Result<History, AgentError> {
        let (shape, width) = (self.observation_space.shape(), self.observation_space.width());
        let (encoder, range) = (&self.config.encoder, self.online.encoder_range());
        let expected = "layers that pretraining trains, here or in `conv`";
        AgentError::require(!range.is_empty(), "encoder", encoder, expected)?;
        let groups = &config.param_groups;
        AgentError::require(groups.is_empty(), "param_groups", groups, "none in pretraining")?;
        let mut config = FitConfig { views: 2, ..config.clone() };
        if config.augmentations.is_empty() {
            config.augmentations.push(random_shift(&self.config, &shape)?);
        }
        let rest = [0..range.start, range.end..self.online.parameters().len()];
        let ranges = rest.into_iter().filter(|range| !range.is_empty()).collect();
        config.param_groups = vec![ParamGroup { ranges, frozen: true, ..ParamGroup::default() }];

        let mut pictures = Vec::new();
        write_features(&self.observation_space, observations, &mut pictures);
        // What becomes of a picture is no matter here.
        let rows = Dataset::new(pictures, width, vec![0.0; observations.len()], 1);
        let rows = rows.map_err(backend)?;
        let nothing = rows.select(&[]).map_err(backend)?;
        let objective = KnowAgain { temperature: self.config.contrastive_temperature };
        let rng = self.plan.seed.child("pretraining", 0).rng();
        let history = fit(&mut self.online, &rows, &nothing, &config, rng, &objective);
        self.online.set_training(true);
        let history = history.map_err(backend)?;
        for other in std::iter::once(&mut self.target).chain(&mut self.averaged) {
            other.parameters_mut().copy_from(self.online.parameters()).map_err(backend)?;
        }
        Ok(history)
    }
}
