//! Rewards put through a function.

use std::{fmt, sync::Arc};

use super::snapshot::invalid_option;
use crate::{Act, Env, EnvError, Obs, Rng, Step, Transition};

/// Puts every reward through a function (Gymnasium's `TransformReward`).
#[derive(Clone)]
pub struct TransformReward<E> {
    env: E,
    function: Arc<dyn Fn(f64) -> f64 + Send + Sync>,
}

impl<E> TransformReward<E> {
    /// Wraps an environment.
    pub fn new(env: E, function: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        Self { env, function: Arc::new(function) }
    }

    crate::wrappers::wrapped!();
}

impl<E: fmt::Debug> fmt::Debug for TransformReward<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransformReward").field("env", &self.env).finish_non_exhaustive()
    }
}

/// Clips every reward to bounds (Gymnasium's `ClipReward`).
///
/// A reward that is not finite stays as it is, so that it is found and not hidden behind a bound.
#[derive(Clone, Copy, Debug)]
pub struct ClipReward<E> {
    env: E,
    min_reward: f64,
    max_reward: f64,
}

impl<E> ClipReward<E> {
    /// Wraps an environment; an infinite bound does not clip.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if a bound is NaN or `min_reward` exceeds `max_reward`.
    pub fn new(env: E, min_reward: f64, max_reward: f64) -> Result<Self, EnvError> {
        if min_reward.is_nan() || max_reward.is_nan() || min_reward > max_reward {
            let reason = format!(
                "`min_reward` must not exceed `max_reward`, got {min_reward} and {max_reward}"
            );
            return Err(invalid_option("ClipReward", reason));
        }
        Ok(Self { env, min_reward, max_reward })
    }

    crate::wrappers::wrapped!();
}

/// The methods that both have in common: `$change` takes the wrapper and a reward.
macro_rules! change_reward {
    ($wrapper:ident, $change:expr) => {
        impl<E: Env> Env for $wrapper<E> {
            type ObservationSpace = E::ObservationSpace;
            type ActionSpace = E::ActionSpace;

            #[inline]
            fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<E>>, EnvError> {
                let mut step = self.env.step(action, rng)?;
                step.reward = $change(self, step.reward);
                Ok(step)
            }

            fn transitions(
                &self,
                observation: &Obs<E>,
                action: &Act<E>,
            ) -> Option<Vec<Transition<Obs<E>>>> {
                let mut transitions = self.env.transitions(observation, action)?;
                for transition in &mut transitions {
                    transition.reward = $change(self, transition.reward);
                }
                Some(transitions)
            }

            crate::wrappers::forward! {
                env: reset, spaces, snapshot, state, set_state, start, render
            }
        }
    };
}

change_reward!(TransformReward, |wrapper: &Self, reward| (wrapper.function)(reward));
change_reward!(ClipReward, |wrapper: &Self, reward: f64| {
    if reward.is_finite() { reward.clamp(wrapper.min_reward, wrapper.max_reward) } else { reward }
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        toy_text::{CliffWalking, CliffWalkingConfig},
    };

    #[test]
    fn a_fall_from_the_cliff_is_changed_in_step_and_model() {
        let mut rng = Seed::new(0).rng();
        let cliff = || CliffWalking::new(CliffWalkingConfig { is_slippery: false });
        let mut halved = TransformReward::new(cliff(), |reward| reward / 2.0);
        let start = halved.reset(&mut rng).unwrap();
        // To the right of the start lies the cliff: −100.
        assert_eq!(halved.step(&1, &mut rng).unwrap().reward, -50.0);
        assert_eq!(halved.transitions(&start, &1).unwrap()[0].reward, -50.0);
        let mut clipped = ClipReward::new(cliff(), -10.0, f64::INFINITY).unwrap();
        clipped.reset(&mut rng).unwrap();
        assert_eq!(clipped.step(&1, &mut rng).unwrap().reward, -10.0);
        assert_eq!(clipped.step(&0, &mut rng).unwrap().reward, -1.0);
        assert_eq!(clipped.transitions(&start, &1).unwrap()[0].reward, -10.0);
        let endless = TransformReward::new(cliff(), |_| f64::INFINITY);
        let mut clipped = ClipReward::new(endless, -1.0, 1.0).unwrap();
        clipped.reset(&mut rng).unwrap();
        assert_eq!(clipped.step(&1, &mut rng).unwrap().reward, f64::INFINITY);
    }

    #[test]
    fn bounds_are_checked() {
        assert!(ClipReward::new((), 1.0, 0.0).is_err());
        assert!(ClipReward::new((), f64::NAN, 0.0).is_err());
    }
}
