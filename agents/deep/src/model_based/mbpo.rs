//! MBPO: model-based policy optimization. A model of the environment is learned, and SAC learns
//! mostly from what the model makes of states that were really seen.

mod bootstrap;
mod config;
mod ensemble;
mod fit;
mod model;
mod normalizer;

use gymnast_core::rounding;
use gymnast_envs::{BoundedSpace, Experience, FeatureSpace, Rng};
use gymnast_harness::{
    Agent, AgentError, Checkpoint, CheckpointError, Grace, Metrics, Mode, Plan, Policy, StateDict,
};

pub use config::MbpoConfig;

use self::{
    bootstrap::Bootstrap,
    model::{Imagined, Model},
};
use crate::{
    memory::replay::{Batch, Replay},
    networks::network::{BuildNetwork, Widths, networks_in, torch_default},
    off_policy::{HIDDEN, OffPolicySettings as _, sac::Sac},
};

/// The MBPO agent, for observations that a network can read and actions in a bounded box.
///
/// Source: Janner, Fu, Zhang and Levine, "When to trust your model: model-based policy optimization"
/// (2019), <https://arxiv.org/abs/1906.08253>, algorithm 2, with the model of Chua et al., "Deep
/// reinforcement learning in a handful of trials using probabilistic dynamics models" (2018),
/// <https://arxiv.org/abs/1805.12114>:
///
/// ```text
/// for each env step:
///     a drawn from π(a | s); take a, observe r, s'; add (s, a, r, s') to D_env
///     every so many env steps, train the model p(s', r | s, a) on D_env by maximum likelihood:
///         each of E networks gives μ and log σ² of (s' − s, r), and the chance of an end
///         each descends the gradient of (y − μ)² / σ² + log σ² on its own bootstrap sample of D_env
///         each takes back its parameters of the epoch that was best on the part held out
///         the best of them are the elites
///     for M model rollouts:
///         s drawn from D_env
///         k times: a drawn from π; s', r drawn from an elite drawn for this step; add it to D_model
///                  where s' is an end, the rollout is over
///     for G gradient updates: SAC's update on transitions from D_model, and a few from D_env
/// ```
///
/// Departures from the authors' code: it is given each task's termination function; here the
/// networks learn the chance of an end, with a Bernoulli likelihood beside the normal one, and while
/// no end was ever seen none is predicted. Targets are normalised as inputs are, so that the bounds
/// of σ² and the losses mean the same in every task. Each network has bounds of its own, and all
/// layers the same weight decay. Rollouts begin at every env step, as in algorithm 2, not all of
/// them after each training of the model. What is held out, and each network's bootstrap sample, are
/// decided when a transition comes and stay so. A training that makes a network no better leaves it
/// as it was. Adam's β₂ is 0.99, as new regions give gradients many times the usual ones.
///
/// A time limit is not an end: such a transition is one like any other, to the model as to SAC. A
/// rollout that is cut after k steps has not ended either.
///
/// Metrics: `model_loss` (of the last epoch; see above, targets normalised), `holdout_loss` (the
/// elites' mean squared error, in units of the targets' variance), `disagreement` (the standard
/// deviation of the networks' means, in units of the targets' own), `model_epochs`,
/// `rollout_length`, `model_buffer` (the transitions in D_model); and SAC's.
///
/// Settings: [`MbpoConfig`].
pub struct Mbpo<O, A> {
    config: MbpoConfig,
    /// Its memory is D_env.
    sac: Sac<O, A>,
    bootstrap: Bootstrap,
    model: Model,
    /// The env steps at which the model was trained last.
    trained_at: Option<u64>,
    /// D_model.
    imagined: Replay<f32>,
    /// The steps of a model rollout now.
    length: usize,
    rollout_rng: Rng,
    imagined_rng: Rng,
    batch: Batch<f32>,
    rollout: Rollout,
}

/// What rollouts write to, kept from one to the next.
#[derive(Default)]
struct Rollout {
    starts: Batch<f32>,
    observations: Vec<f32>, // [N, width]
    actions: Vec<f32>,      // [N, A]
    step: Imagined,
}

impl<O: FeatureSpace, A: BoundedSpace> Mbpo<O, A> {
    /// An agent that has learned nothing.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`], also where a bound of the actions is infinite.
    pub fn new(
        observation_space: O,
        action_space: A,
        config: MbpoConfig,
        plan: &Plan,
    ) -> Result<Self, AgentError> {
        let build = config.sac.network().builder(&HIDDEN, torch_default)?;
        Self::with_network(observation_space, action_space, config, plan, &build)
    }

    /// The same with an actor and critics that `build` builds, whatever SAC's settings say of their layers.
    /// The model reads observations as rows.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`AgentError::Mismatch`] where another network was built.
    pub fn with_network(
        observation_space: O,
        action_space: A,
        config: MbpoConfig,
        plan: &Plan,
        build: &BuildNetwork<'_>,
    ) -> Result<Self, AgentError> {
        config.check()?;
        let sac_config = config.sac.clone();
        let sac = Sac::with_network(observation_space, action_space, sac_config, plan, build)?;
        let Widths { observation, action } = sac.widths();
        let widths = (observation, action);
        let MbpoConfig { ensemble, model_hidden, model_weight_decay, holdout, .. } = &config;
        let stream = |name| plan.seed.child(name, 0).rng();
        let seed = plan.seed.child("model", 0);
        let length = config.length_at(0.0);
        Ok(Self {
            bootstrap: Bootstrap::new(
                *ensemble,
                config.sac.buffer_size,
                *holdout,
                stream("bootstrap"),
            ),
            model: Model::new(*ensemble, model_hidden, widths, *model_weight_decay, seed)?,
            trained_at: None,
            imagined: Replay::new(config.kept(length).max(2), widths, 1, 1)?,
            length,
            rollout_rng: stream("rollouts"),
            imagined_rng: stream("imagined"),
            batch: Batch::default(),
            rollout: Rollout::default(),
            sac,
            config,
        })
    }

    /// Trains the model on all that really happened, where that is due.
    fn train_model(&mut self) -> Result<Option<Metrics>, AgentError> {
        let env_steps = self.sac.env_steps();
        let every = self.config.model_train_every;
        let is_due = match self.trained_at {
            Some(trained_at) => env_steps - trained_at >= every,
            None => env_steps >= self.config.sac.learning_starts,
        };
        if !is_due {
            return Ok(None);
        }
        let transitions = self.sac.replay().transitions();
        let fitted =
            self.model.fit(&transitions, &self.bootstrap, &self.config.fit(), env_steps)?;
        let Some(fitted) = fitted else { return Ok(None) };
        self.trained_at = Some(env_steps);
        Ok(Some(
            Metrics::new()
                .with("model_loss", fitted.model_loss)
                .with("holdout_loss", fitted.holdout_loss)
                .with("disagreement", fitted.disagreement)
                .with("model_epochs", fitted.epochs as f64)
                .with("rollout_length", self.length as f64)
                .with("model_buffer", self.imagined.len() as f64),
        ))
    }

    /// Rollouts have the length that is scheduled for now, and D_model room for as many env steps of
    /// them as are kept.
    fn set_length(&mut self) -> Result<(), AgentError> {
        let length = self.config.length_at(self.sac.progress());
        if length != self.length {
            self.imagined = self.imagined.with_capacity(self.config.kept(length).max(2))?;
            self.length = length;
        }
        Ok(())
    }

    /// Lets the policy act in the model, from `n` states that were really seen.
    fn roll_out(&mut self, n: usize) -> Result<(), AgentError> {
        let width = self.sac.widths().observation;
        let gamma = self.config.sac.gamma as f32;
        let Rollout { starts, observations, actions, step } = &mut self.rollout;
        self.sac.replay().sample(n, &mut self.rollout_rng, starts)?;
        observations.clone_from(&starts.observation);
        for _ in 0..self.length {
            let n = observations.len() / width;
            self.sac.learner.draw_actions(observations, n, &mut self.rollout_rng, actions)?;
            self.model.step(observations, actions, &mut self.rollout_rng, step)?;
            let rows =
                observations.chunks_exact(width).zip(actions.chunks_exact(actions.len() / n));
            let next_rows = step.next_observations.chunks_exact(width);
            for (i, (row, next)) in rows.zip(next_rows).enumerate() {
                let discount = if step.ends[i] { 0.0 } else { gamma };
                self.imagined.push_row(row, step.rewards[i], next, discount)?;
            }
            observations.clear();
            let next_rows = step.next_observations.chunks_exact(width).zip(&step.ends);
            let going_on = next_rows.filter(|(_, ended)| !**ended);
            going_on.for_each(|(row, _)| observations.extend_from_slice(row));
            if observations.is_empty() {
                break;
            }
        }
        Ok(())
    }

    /// Draws the transitions of an update: a few that really happened, the others from D_model.
    fn sample(&mut self) -> Result<(), AgentError> {
        let size = self.config.sac.batch_size;
        let real = rounding::floor(self.config.real_ratio * size as f64);
        let rng = &mut self.imagined_rng;
        self.sac.replay().sample(real, rng, &mut self.batch)?;
        self.imagined.sample_more(size - real, rng, &mut self.batch)
    }
}

impl<O: FeatureSpace, A: BoundedSpace> Policy<O, A> for Mbpo<O, A> {
    fn act(
        &self,
        observations: &[O::Element],
        mode: Mode,
        rng: &mut Rng,
        actions: &mut Vec<A::Element>,
    ) -> Result<(), AgentError> {
        self.sac.act(observations, mode, rng, actions)
    }
}

impl<O: FeatureSpace, A: BoundedSpace> Agent<O, A> for Mbpo<O, A> {
    fn first_update(&self) -> u64 {
        self.sac.first_update()
    }

    fn has_learned(&self) -> bool {
        self.sac.has_learned()
    }

    fn learn(&mut self, experience: &Experience<O, A>) -> Result<Option<Metrics>, AgentError> {
        let updates = self.sac.take_in(experience)?;
        let happened = experience.is_reset.iter().filter(|is_reset| !**is_reset).count();
        self.bootstrap.push(happened);
        self.set_length()?;
        let mut metrics = self.train_model()?;
        if self.trained_at.is_none() {
            return Ok(None);
        }
        self.roll_out(self.config.rollouts * experience.len())?;
        let mut sac_metrics = None;
        let mut grace = Grace::default();
        for _ in 0..updates {
            grace.check()?;
            self.sample()?;
            sac_metrics = self.sac.update(&self.batch)?.or(sac_metrics);
        }
        for (name, value) in sac_metrics.iter().flat_map(Metrics::iter) {
            metrics = Some(metrics.unwrap_or_default().with(name, value));
        }
        Ok(metrics)
    }

    /// D_env joins steps, and nothing else does: what is imagined, is a step at a time.
    fn begin_episodes(&mut self) {
        self.sac.begin_episodes();
    }
}

// To begin from another agent takes nothing of its model.
networks_in!([O, A] Mbpo<O, A>, sac);

impl<O: FeatureSpace, A: BoundedSpace> Checkpoint for Mbpo<O, A> {
    fn save(&self, state: &mut StateDict) -> Result<(), CheckpointError> {
        state.insert_part("sac", &self.sac)?;
        state.insert_part("bootstrap", &self.bootstrap)?;
        state.insert_part("model", &self.model)?;
        state.insert("trained_at", &self.trained_at)?;
        state.insert_part("imagined", &self.imagined)?;
        state.insert("rollout_rng", &self.rollout_rng)?;
        state.insert("imagined_rng", &self.imagined_rng)
    }

    fn load(&mut self, state: &StateDict) -> Result<(), CheckpointError> {
        state.load_part("sac", &mut self.sac)?;
        state.load_part("bootstrap", &mut self.bootstrap)?;
        state.load_part("model", &mut self.model)?;
        let (real, lots) = (self.sac.replay(), self.bootstrap.len());
        if lots != real.len() {
            let expected = format!("lots of the {} transitions in memory", real.len());
            return Err(CheckpointError::mismatch("bootstrap/lots", expected, lots.to_string()));
        }
        let env_steps = self.sac.env_steps();
        let is_trained = !self.model.elites.is_empty();
        let expected = if is_trained { "the env steps of the training" } else { "none" };
        self.trained_at = state.get_checked("trained_at", expected, |at: &Option<u64>| {
            at.is_some() == is_trained && at.is_none_or(|at| at <= env_steps)
        })?;
        self.set_length().map_err(|error| {
            CheckpointError::mismatch("imagined", "room for it", error.to_string())
        })?;
        state.load_part("imagined", &mut self.imagined)?;
        self.imagined.check_actions("finite numbers", |x| x.is_finite())?;
        self.rollout_rng = state.get("rollout_rng")?;
        self.imagined_rng = state.get("imagined_rng")?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
