//! The policy that is paid for chance: a = tanh(u), u normal, with the temperature that prices its entropy.

mod temperature;

use gymnast_core::nn::{Activation, Net, Network as _, Scratch};
use gymnast_envs::{Rng, Seed};
use gymnast_harness::{AgentError, Checkpoint, CheckpointError, Mode, StateDict};
use rand::RngExt as _;
use rand_distr::StandardNormal;

use temperature::Temperature;

use crate::{
    distributions::tanh_normal::{self, LOG_STD_BOUNDS},
    mathematics::losses::mean,
    networks::{
        io::{Acting, Io},
        learned::{Descent, Learned, evaluate, follow_mean},
    },
};

/// A squashed normal policy with a learned temperature: the actor of SAC and of what was made of it.
///
/// Source: Haarnoja et al., "Soft actor-critic algorithms and applications" (2018),
/// <https://arxiv.org/abs/1812.05905>, sections 4 and 5, appendix C.
pub struct SoftActor {
    /// Its rows are the means, then log σ.
    online: Learned,
    averaged: Option<Net>,
    temperature: Temperature,
    /// The entropy aimed at; none leaves the temperature as it is.
    aim: Option<f64>,
    average: f64,
    actions: usize,
    head: Vec<f32>,  // [B, 2 A]
    noise: Vec<f32>, // [B, A]
    drawn: Drawn,
    scratch: Scratch,
}

/// What a step writes to, kept from step to step.
#[derive(Default)]
struct Drawn {
    action: Vec<f32>,      // [B, A]
    log_prob: Vec<f32>,    // [B]
    by_action: Vec<f32>,   // [B, A]
    by_log_prob: Vec<f32>, // [B]
    by_head: Vec<f32>,     // [B, 2 A]
}

/// The settings of a [`SoftActor`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftActorSettings {
    /// The temperature α: what entropy is worth, at the start where it is learned.
    pub alpha: f64,
    /// The entropy aimed at, for each number of an action; none leaves the temperature as it is.
    pub target_entropy: Option<f64>,
    /// Exploitation uses the mean of the weights over this share of the updates; 0: the present ones.
    pub average: f64,
}

/// What came of a step of a [`SoftActor`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ascent {
    /// The policy's entropy, −E log π(a | s).
    pub entropy: f64,
    /// The mean value of the actor's own actions, before the step.
    pub q: f64,
}

impl SoftActor {
    /// An actor, its weights drawn from a stream below `seed`.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] where a setting is out of its range.
    pub fn new(config: &SoftActorSettings, io: &Io<'_>, seed: Seed) -> Result<Self, AgentError> {
        let SoftActorSettings { alpha, target_entropy, average } = *config;
        let require = AgentError::require;
        require(alpha > 0.0 && alpha.is_finite(), "alpha", &alpha, "a positive number")?;
        require((0.0..1.0).contains(&average), "average", &average, "a share in [0, 1)")?;
        let entropy = target_entropy.unwrap_or(0.0);
        require(entropy.is_finite(), "target_entropy", &entropy, "a finite number")?;
        let mut rng = seed.child("actor", 0).rng();
        // Both begin with the same weights.
        let twin = &mut rng.clone();
        let actions = io.widths().action;
        Ok(Self {
            averaged: if average > 0.0 { Some(io.actor(2 * actions, twin)?) } else { None },
            online: Learned::new(io.actor(2 * actions, &mut rng)?)?,
            temperature: Temperature::new(alpha, &mut rng)?,
            aim: target_entropy.map(|entropy| entropy * actions as f64),
            average,
            actions,
            head: Vec::new(),
            noise: Vec::new(),
            drawn: Drawn::default(),
            scratch: Scratch::default(),
        })
    }

    /// The temperature α.
    #[must_use]
    pub fn alpha(&self) -> f32 {
        self.temperature.alpha()
    }

    /// The network: observations to the means and the log σ of what is squashed, `[n, width]` to `[n, 2 A]`.
    #[must_use]
    pub fn network(&self) -> &Net {
        &self.online.network
    }

    /// The network and the mean of its weights, where one is kept, by name.
    pub fn networks(&self) -> impl Iterator<Item = (String, &Net)> {
        let averaged = self.averaged.iter().map(|network| ("averaged_actor".to_owned(), network));
        std::iter::once(("actor".to_owned(), self.network())).chain(averaged)
    }

    /// The same, to change.
    pub fn networks_mut(&mut self) -> impl Iterator<Item = &mut Net> {
        std::iter::once(&mut self.online.network).chain(&mut self.averaged)
    }

    #[cfg(test)]
    pub(crate) fn averaged(&self) -> Option<&Net> {
        self.averaged.as_ref()
    }

    /// Chooses actions; see [`Learner::act`](crate::Learner::act). Without exploration tanh μ.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where the observations do not have the network's width.
    pub fn act(
        &self,
        observations: &[f32],
        n: usize,
        acting: Acting<'_>,
        actions: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let Acting { mode, rng, head, scratch, .. } = acting;
        let network = match &self.averaged {
            Some(averaged) if mode == Mode::Exploit => averaged,
            _ => &self.online.network,
        };
        evaluate(network, observations, n, scratch, head)?;
        actions.clear();
        for head in head.chunks_exact(2 * self.actions) {
            let (mean, log_std) = head.split_at(self.actions);
            actions.extend(mean.iter().zip(log_std).map(|(mean, log_std)| match mode {
                Mode::Explore => {
                    let log_std = log_std.clamp(LOG_STD_BOUNDS.0, LOG_STD_BOUNDS.1);
                    mean + log_std.exp() * rng.sample::<f32, _>(StandardNormal)
                }
                Mode::Exploit => *mean,
            }));
        }
        Activation::Tanh.apply(actions);
        Ok(())
    }

    /// Draws an action for each of `n` observations `[n, width]`: `actions` becomes `[n, A]`, `log_prob` their
    /// log π(a | s), `[n]`.
    ///
    /// # Errors
    /// [`AgentError::Backend`] where the observations do not have the network's width.
    pub fn draw(
        &mut self,
        observations: &[f32],
        n: usize,
        rng: &mut Rng,
        actions: &mut Vec<f32>,
        log_prob: &mut Vec<f32>,
    ) -> Result<(), AgentError> {
        let Self { online, actions: width, head, noise, scratch, .. } = self;
        online.evaluate(observations, n, scratch, head)?;
        fill_normal(noise, n * *width, rng);
        tanh_normal::sample(head, noise, *width, actions, log_prob)
    }

    /// One step down the gradient of mean (α log π(a | s) − Q(s, a)), a drawn anew, for the B observations
    /// `[B, width]`, and one of the temperature. `climb` is given the actions `[B, A]`, writes ∇ₐ Q(s, a)
    /// for each, `[B, A]`, and returns the mean of Q.
    ///
    /// Source: Haarnoja et al. (2018), equations 9 and 10.
    ///
    /// # Errors
    /// [`AgentError::Diverged`] where the gradient is not finite.
    pub fn ascend(
        &mut self,
        observations: &[f32],
        batch: usize,
        climb: impl FnOnce(&[f32], &mut Vec<f32>) -> Result<f64, AgentError>,
        rng: &mut Rng,
        descent: Descent,
    ) -> Result<Ascent, AgentError> {
        let alpha = self.alpha();
        let Self { online, noise, drawn, actions: width, .. } = self;
        let Drawn { action, log_prob, by_action, by_log_prob, by_head } = drawn;
        fill_normal(noise, batch * *width, rng);
        let head = online.forward(observations, batch)?; // [B, 2 A]
        tanh_normal::sample(head, noise, *width, action, log_prob)?;
        let q = climb(action, by_action)?;

        let each = 1.0 / batch as f32;
        by_action.iter_mut().for_each(|slope| *slope *= -each);
        by_log_prob.clear();
        by_log_prob.resize(batch, alpha * each);
        let by = (by_action.as_slice(), by_log_prob.as_slice());
        tanh_normal::sample_backward(online.outputs(), noise, action, by, by_head)?;
        online.descend(by_head, descent)?;
        let entropy = -mean(log_prob.iter().copied());
        if let Some(aim) = self.aim {
            self.temperature.update(entropy, aim, descent)?;
        }
        Ok(Ascent { entropy, q })
    }

    /// The mean of weights, where there is one, moves on to the newest ones.
    ///
    /// # Errors
    /// [`AgentError::Backend`].
    pub fn follow_mean(&mut self, updates: u64) -> Result<(), AgentError> {
        let Some(averaged) = &mut self.averaged else { return Ok(()) };
        let newest = self.online.network.parameters();
        follow_mean(averaged.parameters_mut(), newest, self.average, updates)
    }
}

/// `count` numbers from the standard normal distribution.
fn fill_normal(numbers: &mut Vec<f32>, count: usize, rng: &mut Rng) {
    numbers.clear();
    numbers.extend((0..count).map(|_| rng.sample::<f32, _>(StandardNormal)));
}

impl Checkpoint for SoftActor {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("online", &self.online)?;
        if let Some(averaged) = &self.averaged {
            state.insert_part("averaged", averaged)?;
        }
        state.insert_part("temperature", &self.temperature)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("online", &mut self.online)?;
        if let Some(averaged) = &mut self.averaged {
            state.load_part("averaged", averaged)?;
        }
        state.load_part("temperature", &mut self.temperature)
    }
}

#[cfg(test)]
mod tests;
