//! Evaluates a policy on whole episodes in separate environments.

use gymnast_envs::{EnvError, Rng, Seed, Space, VectorEnv};

use crate::{AgentError, Flow, Mode, Policy};

/// The returns and lengths of whole episodes.
#[derive(Clone, Debug, PartialEq)]
pub struct Episodes {
    /// The sum of rewards of each episode.
    pub returns: Vec<f64>,
    /// The number of steps of each episode.
    pub lengths: Vec<u64>,
}

/// Plays one episode in each environment of a vector, from a reset.
///
/// It plays exactly one episode in each environment, because the first ones to finish would be
/// biased towards short episodes. An episode that has not ended after `max_steps` counts with its
/// rewards so far, so that a policy that runs in circles can be evaluated too.
///
/// # Errors
/// As [`Policy::act`]; [`AgentError::Env`] if an environment fails, or the sum of an episode's
/// rewards is not finite.
pub fn play_episodes<O: Space, A: Space, P: Policy<O, A> + ?Sized>(
    policy: &P,
    envs: &mut dyn VectorEnv<O, A>,
    mode: Mode,
    rng: &mut Rng,
    max_steps: u64,
) -> Result<Episodes, AgentError> {
    let played = play_while(policy, envs, mode, rng, max_steps, &mut || Flow::Continue)?;
    Ok(played.expect("nothing stops it"))
}

/// The same as long as `look`, asked before each vector step, does not stop it; else `None`.
fn play_while<O: Space, A: Space, P: Policy<O, A> + ?Sized>(
    policy: &P,
    envs: &mut dyn VectorEnv<O, A>,
    mode: Mode,
    rng: &mut Rng,
    max_steps: u64,
    look: &mut dyn FnMut() -> Flow,
) -> Result<Option<Episodes>, AgentError> {
    let n = envs.num_envs();
    let mut episodes = Episodes { returns: vec![0.0; n], lengths: vec![0; n] };
    let mut running = vec![true; n];
    let mut actions = Vec::with_capacity(n);
    envs.reset()?;
    for _ in 0..max_steps {
        if look() == Flow::Stop {
            return Ok(None);
        }
        policy.act(envs.observations(), mode, rng, &mut actions)?;
        let experience = envs.step(&actions)?;
        for i in (0..n).filter(|&i| running[i]) {
            episodes.returns[i] += experience.rewards[i];
            episodes.lengths[i] += 1;
        }
        for (running, outcome) in running.iter_mut().zip(&experience.outcomes) {
            *running &= !outcome.is_final();
        }
        if !running.contains(&true) {
            break;
        }
    }
    for (i, (&sum, &length)) in episodes.returns.iter().zip(&episodes.lengths).enumerate() {
        check_return(sum, i, length)?;
    }
    Ok(Some(episodes))
}

/// Each reward is finite, but so many or such large ones may add up to what is not.
#[inline]
pub(crate) fn check_return(sum: f64, index: usize, length: u64) -> Result<(), EnvError> {
    if sum.is_finite() { Ok(()) } else { Err(endless(sum, index, length)) }
}

#[cold]
fn endless(sum: f64, index: usize, length: u64) -> EnvError {
    EnvError::Failed(format!(
        "expected rewards whose sum over an episode is finite, got {sum} after {length} steps of \
         environment {index}"
    ))
}

/// The most episodes that an evaluation plays side by side.
const MOST_AT_ONCE: usize = 1024;

/// Creates `n` environments for an evaluation, seeded below the given seed.
pub type MakeEnvs<O, A> =
    dyn Fn(usize, Seed) -> Result<Box<dyn VectorEnv<O, A>>, EnvError> + Send + Sync;

/// Evaluates a policy without exploration over `episodes` episodes in fresh environments.
///
/// The environments' and the policy's streams lie below `seed`: the same seed gives the same
/// episodes.
///
/// # Errors
/// As [`play_episodes`].
pub fn evaluate_policy<O: Space, A: Space, P: Policy<O, A> + ?Sized>(
    policy: &P,
    make_envs: &MakeEnvs<O, A>,
    episodes: usize,
    max_steps: u64,
    seed: Seed,
) -> Result<Episodes, AgentError> {
    let mut go_on = || Flow::Continue;
    let played = evaluate_policy_while(policy, make_envs, episodes, max_steps, seed, &mut go_on)?;
    Ok(played.expect("nothing stops it"))
}

/// Evaluates a policy like [`evaluate_policy`]; returns `None` if `look`, called before each vector
/// step, stops it.
///
/// # Errors
/// As [`play_episodes`].
pub fn evaluate_policy_while<O: Space, A: Space, P: Policy<O, A> + ?Sized>(
    policy: &P,
    make_envs: &MakeEnvs<O, A>,
    episodes: usize,
    max_steps: u64,
    seed: Seed,
    look: &mut dyn FnMut() -> Flow,
) -> Result<Option<Episodes>, AgentError> {
    let mut rng = seed.child("policy", 0).rng();
    let mut all = Episodes { returns: Vec::new(), lengths: Vec::new() };
    // Not all at once: each takes an environment of its own, which takes memory.
    for part in 0..episodes.div_ceil(MOST_AT_ONCE).max(1) {
        if look() == Flow::Stop {
            return Ok(None);
        }
        let seed = if part == 0 { seed } else { seed.child("part", part as u64) };
        let mut envs = make_envs((episodes - part * MOST_AT_ONCE).min(MOST_AT_ONCE), seed)?;
        let played = play_while(policy, &mut *envs, Mode::Exploit, &mut rng, max_steps, look)?;
        let Some(played) = played else { return Ok(None) };
        all.returns.extend(played.returns);
        all.lengths.extend(played.lengths);
    }
    Ok(Some(all))
}

impl Episodes {
    /// Summarises the episodes as a record.
    ///
    /// # Panics
    /// If there are no episodes.
    #[must_use]
    pub fn summarize(&self, env_step: u64, wall_time_s: f64) -> crate::Evaluation {
        assert!(!self.returns.is_empty(), "an evaluation has at least one episode");
        let [mean_return, std_return] = mean_and_std(&self.returns);
        crate::Evaluation {
            env_step,
            wall_time_s,
            mean_return,
            std_return,
            min_return: self.returns.iter().copied().reduce(f64_min).expect("there is one"),
            max_return: self.returns.iter().copied().reduce(f64_max).expect("there is one"),
            episodes: self.returns.len(),
        }
    }
}

/// The mean and the population's standard deviation.
fn mean_and_std(values: &[f64]) -> [f64; 2] {
    let n = values.len() as f64;
    let moments = |scale: f64| {
        let mean = values.iter().map(|x| x / scale).sum::<f64>() / n;
        let variance = values.iter().map(|x| (x / scale - mean).powi(2)).sum::<f64>() / n;
        [mean * scale, variance.sqrt() * scale]
    };
    let largest = values.iter().fold(0.0, |largest, x| f64_max(largest, x.abs()));
    // Where their squares would vanish or overflow, those of their ratios to the largest do not.
    let is_extreme = largest > 0.0 && !(1e-100..=1e100).contains(&largest);
    moments(if is_extreme { largest } else { 1.0 })
}

/// The smaller of two numbers; NaN where one is, which [`f64::min`] would skip.
fn f64_min(a: f64, b: f64) -> f64 {
    if a.is_nan() || a < b { a } else { b }
}

/// The larger of two numbers; NaN where one is.
fn f64_max(a: f64, b: f64) -> f64 {
    if a.is_nan() || a > b { a } else { b }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{Discrete, SyncVectorEnv};
    use rand::RngExt as _;

    use super::*;
    use crate::testing::TwoArmedBandit;

    fn summary(returns: &[f64]) -> crate::Evaluation {
        let lengths = vec![1; returns.len()];
        Episodes { returns: returns.to_vec(), lengths }.summarize(0, 0.0)
    }

    /// Acts by chance, whatever the mode.
    struct Coin;

    impl Policy<Discrete, Discrete> for Coin {
        fn act(
            &self,
            seen: &[i64],
            _mode: Mode,
            rng: &mut Rng,
            actions: &mut Vec<i64>,
        ) -> Result<(), AgentError> {
            actions.clear();
            actions.extend(seen.iter().map(|_| rng.random_range(0..2)));
            Ok(())
        }
    }

    #[test]
    fn many_episodes_are_played_in_parts() {
        let most = std::sync::atomic::AtomicUsize::new(0);
        let most: &'static _ = Box::leak(Box::new(most));
        let make = move |n: usize, seed: Seed| {
            most.fetch_max(n, std::sync::atomic::Ordering::Relaxed);
            let bandits = (0..n).map(|_| TwoArmedBandit::default()).collect();
            let envs: Box<dyn VectorEnv<Discrete, Discrete>> =
                Box::new(SyncVectorEnv::new(bandits, seed)?);
            Ok(envs)
        };
        let played =
            |episodes| evaluate_policy(&Coin, &make, episodes, 10, Seed::new(3)).unwrap().returns;
        let (few, many) = (played(MOST_AT_ONCE), played(2 * MOST_AT_ONCE + 1));
        assert_eq!((few.len(), many.len()), (MOST_AT_ONCE, 2 * MOST_AT_ONCE + 1));
        assert_eq!(most.load(std::sync::atomic::Ordering::Relaxed), MOST_AT_ONCE);
        // The first ones are the same however many follow, the next ones others.
        assert_eq!(many[..MOST_AT_ONCE], few);
        assert_ne!(many[MOST_AT_ONCE..2 * MOST_AT_ONCE], few);
    }

    #[test]
    fn the_spread_of_tiny_returns_is_not_lost() {
        let of = summary(&[1e-170, 3e-170]);
        assert!((of.std_return / 1e-170 - 1.0).abs() < 1e-12, "{of:?}");
    }

    #[test]
    fn a_summary_neither_skips_what_is_no_number_nor_overflows() {
        let of = summary(&[1.0, -2.0, 4.0]);
        assert_eq!((of.mean_return, of.min_return, of.max_return), (1.0, -2.0, 4.0));
        assert!((of.std_return - 6.0_f64.sqrt()).abs() < 1e-15);
        for returns in [[f64::NAN, 1.0], [1.0, f64::NAN]] {
            let of = summary(&returns);
            let numbers = [of.mean_return, of.std_return, of.min_return, of.max_return];
            assert!(numbers.iter().all(|x| x.is_nan()), "{of:?}");
        }
        let of = summary(&[f64::MAX, f64::MAX / 2.0]);
        assert!((of.mean_return / f64::MAX - 0.75).abs() < 1e-15, "{of:?}");
        assert!((of.std_return / f64::MAX - 0.25).abs() < 1e-15, "{of:?}");
        assert_eq!((of.min_return, of.max_return), (f64::MAX / 2.0, f64::MAX));
    }
}
