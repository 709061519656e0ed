//! The progress of a training, and its start.

use std::collections::BTreeMap;

use gymnast_envs::{EnvError, Outcome, Restored, Rng, Seed, Space, VectorSnapshot};
use serde::{Deserialize, Serialize};

use crate::{
    Agent, CheckpointError, Episode, Metrics, StateDict, TrainError, evaluation::check_return,
};

use super::session::Parts;

/// Where a training begins.
pub(crate) struct Start {
    pub(super) progress: Progression,
    /// What became of the environments, where it was taken up from a checkpoint.
    pub(super) restored: Option<Restored>,
}

impl Start {
    /// Where a checkpoint's state was saved, or at the first step. After an error agent and environments are of no
    /// use until another state is loaded.
    pub(super) fn from<O: Space, A: Space, G: Agent<O, A> + ?Sized>(
        state: Option<&StateDict>,
        parts: &mut Parts<'_, O, A, G>,
        seed: Seed,
    ) -> Result<Self, TrainError> {
        let (progress, restored) = if let Some(state) = state {
            let (progress, restored) = Progression::load(state, parts)?;
            (progress, Some(restored))
        } else {
            parts.envs.reset()?;
            // An agent that was trained before may have an episode under way.
            parts.agent.begin_episodes();
            (Progression::new(parts.envs.num_envs(), seed.child("policy", 0).rng()), None)
        };
        Ok(Self { progress, restored })
    }
}

/// What of the loop itself changes.
#[derive(Serialize, Deserialize)]
pub(super) struct Progression {
    pub(super) env_steps: u64,
    pub(super) episodes: u64,
    pub(super) policy_rng: Rng,
    /// The running episodes' rewards so far.
    pub(super) returns: Vec<f64>,
    /// The running episodes' steps so far.
    pub(super) lengths: Vec<u64>,
    /// Sum and number of each metric since it was last written.
    pub(super) window: BTreeMap<String, (f64, u64)>,
    /// The evaluation at these env steps is not done: it was not begun, or abandoned for a signal.
    #[serde(default)]
    pub(super) evaluation_is_due: bool,
}

impl Progression {
    fn new(n: usize, policy_rng: Rng) -> Self {
        Self {
            env_steps: 0,
            episodes: 0,
            policy_rng,
            returns: vec![0.0; n],
            lengths: vec![0; n],
            window: BTreeMap::new(),
            evaluation_is_due: false,
        }
    }

    fn load<O: Space, A: Space, G: Agent<O, A> + ?Sized>(
        state: &StateDict,
        parts: &mut Parts<'_, O, A, G>,
    ) -> Result<(Self, Restored), CheckpointError> {
        state.load_part("agent", &mut *parts.agent)?;
        let restored = parts
            .envs
            .restore(&state.get::<VectorSnapshot>("envs")?)
            .map_err(CheckpointError::part)?;
        let mut progress: Self = state.get("progress")?;
        let n = parts.envs.num_envs();
        let running = (progress.returns.len(), progress.lengths.len());
        if running != (n, n) {
            let expected = format!("{n} running episodes, one an environment");
            return Err(CheckpointError::Mismatch {
                name: "progress".to_owned(),
                expected,
                got: format!("{running:?}"),
            });
        }
        if restored == Restored::AtEpisodeStart {
            // The episodes that were under way are lost: counting on would mix them with new ones.
            progress.returns.fill(0.0);
            progress.lengths.fill(0);
            parts.agent.begin_episodes();
        }
        Ok((progress, restored))
    }

    /// Counts one step to its environment's episode. Returns whether it has [ended](Self::end).
    #[inline(always)] // a result that is returned through memory costs more than the counting
    pub(super) fn count(
        &mut self,
        env: usize,
        reward: f64,
        outcome: Outcome,
    ) -> Result<bool, EnvError> {
        self.returns[env] += reward;
        self.lengths[env] += 1;
        check_return(self.returns[env], env, self.lengths[env])?;
        Ok(outcome.is_final())
    }

    /// Returns the episode that has ended in an environment.
    pub(super) fn end(&mut self, env: usize, wall_time_s: f64) -> Episode {
        self.episodes += 1;
        Episode {
            env_step: self.env_steps,
            episode: self.episodes,
            episode_return: std::mem::take(&mut self.returns[env]),
            length: std::mem::take(&mut self.lengths[env]),
            wall_time_s,
        }
    }

    pub(super) fn gather(&mut self, metrics: &Metrics) {
        for (name, value) in metrics.iter() {
            if !self.window.contains_key(name) {
                self.window.insert(name.to_owned(), (0.0, 0));
            }
            let (sum, count) = self.window.get_mut(name).expect("just inserted");
            *sum += value;
            *count += 1;
        }
    }
}
