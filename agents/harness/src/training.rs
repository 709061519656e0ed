//! The settings of a training: its length and how often to evaluate and save.

use std::borrow::Cow;

use gymnast_base::{Seed, SettingError};
use serde::{Deserialize, Serialize};

use crate::{Evaluation, Plan, TrainError};

gymnast_base::documented! {
    /// The settings of a training: its length and how often to evaluate and save.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct Training {
        /// Env steps to train for; a positive multiple of `num_envs`.
        pub env_steps: u64,
        /// Environments that step in parallel, from 1 to 65,536.
        pub num_envs: usize,
        /// Threads that step the environments, from 1 to 256. The results are the same; several
        /// threads are faster if a step of all environments takes more than about 200 µs.
        pub env_threads: usize,
        /// Env steps between two evaluations; there is always one at the end. 0: only at the end.
        pub eval_every: u64,
        /// Episodes of an evaluation, ≥ 1.
        pub eval_episodes: usize,
        /// Steps after which an episode of an evaluation is cut off, ≥ 1, for environments without
        /// a time limit.
        pub max_eval_steps: u64,
        /// Env steps between two rows of metrics; 0: no metrics.
        pub log_every: u64,
        /// Env steps between two checkpoints; there is always one at the end. 0: only at the end.
        pub checkpoint_every: u64,
        /// Also keep the agent of the best evaluation so far, for `Trained::load`.
        pub keep_best: bool,
        /// Stop when an evaluation's mean return reaches this value; unset: never.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub stop_at: Option<f64>,
    }
}

/// More environments at once are a slip of the pen, and would exhaust memory.
const MAX_ENVS: u64 = 65_536;

impl Default for Training {
    fn default() -> Self {
        Self {
            env_steps: 50_000,
            num_envs: 1,
            env_threads: 1,
            eval_every: 1_000,
            eval_episodes: 20,
            max_eval_steps: 10_000,
            log_every: 1_000,
            checkpoint_every: 10_000,
            keep_best: false,
            stop_at: None,
        }
    }
}

impl Training {
    /// Returns a training without an end of its own, which a callback or a look ends.
    #[must_use]
    pub fn until_stopped() -> Self {
        Self { env_steps: u64::MAX, ..Self::default() }
    }

    /// Returns the plan that an agent with this seed is made for.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        Plan { seed: Seed::new(seed), num_envs: self.num_envs, env_steps: self.env_steps }
    }

    /// Checks the settings against each other.
    ///
    /// # Errors
    /// [`TrainError::InvalidSetting`].
    pub fn check(&self) -> Result<(), TrainError> {
        let n = self.num_envs as u64;
        require((1..=MAX_ENVS).contains(&n), "training.num_envs", n, format!("1 to {MAX_ENVS}"))?;
        let threads = self.env_threads as u64;
        require((1..=256).contains(&threads), "training.env_threads", threads, "1 to 256")?;
        let expected = || {
            let above = (self.env_steps / n).saturating_add(1).saturating_mul(n);
            format!("a positive multiple of training.num_envs ({n}), for example {above}")
        };
        let fits = self.env_steps > 0 && self.env_steps.is_multiple_of(n);
        require(fits, "training.env_steps", self.env_steps, expected())?;
        let episodes = self.eval_episodes as u64;
        let expected = format!("1 to {MAX_ENVS}");
        require((1..=MAX_ENVS).contains(&episodes), "training.eval_episodes", episodes, expected)?;
        require(self.max_eval_steps > 0, "training.max_eval_steps", 0, "at least 1")?;
        match self.stop_at.filter(|threshold| !threshold.is_finite()) {
            None => Ok(()),
            Some(threshold) => {
                let value = threshold.to_string();
                let allowed = "a finite return".into();
                Err(SettingError { key: "training.stop_at", value, allowed }.into())
            }
        }
    }

    /// Whether an evaluation is good enough to end the training.
    pub(crate) fn is_reached(&self, evaluation: &Evaluation) -> bool {
        self.stop_at.is_some_and(|threshold| evaluation.mean_return >= threshold)
    }
}

/// Checks one setting.
pub(crate) fn require(
    holds: bool,
    key: &'static str,
    value: u64,
    allowed: impl Into<Cow<'static, str>>,
) -> Result<(), TrainError> {
    if holds {
        return Ok(());
    }
    Err(SettingError { key, value: value.to_string(), allowed: allowed.into() }.into())
}
