//! Observations in bins, so that a table can hold them.

use super::snapshot::invalid_option;
use crate::{Act, BoxSpace, Env, EnvError, MultiDiscrete, Obs, Rng, SpaceError, Step};

/// Each edge is kept: 512 MiB of them.
const MOST_BINS: usize = 1 << 26;

/// Sorts each number of an observation into bins of equal width (Gymnasium's
/// `DiscretizeObservation` with `multidiscrete=True`).
///
/// A number on the edge between two bins belongs to the upper one; a number outside the limits
/// belongs to the outermost bin. NaN and infinite numbers are an error.
///
/// ```
/// use gymnast_envs::{Env, FiniteSpace, classic::MountainCar, wrappers::DiscretizeObservation};
///
/// let env = DiscretizeObservation::new(MountainCar::default(), [20, 14])?;
/// assert_eq!(env.observation_space().size(), 280);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DiscretizeObservation<E, const N: usize> {
    env: E,
    space: MultiDiscrete<N>,
    /// Where each bin but the first begins, for each number.
    edges: [Vec<f64>; N],
}

impl<E, const N: usize> DiscretizeObservation<E, N>
where
    E: Env<ObservationSpace = BoxSpace<N>>,
{
    /// Wraps an environment with bounded observations.
    ///
    /// # Errors
    /// As [`with_limits`](Self::with_limits): an unbounded number has no bins of equal width.
    pub fn new(env: E, bins: [usize; N]) -> Result<Self, EnvError> {
        let space = env.observation_space();
        Self::with_limits(env, bins, *space.low(), *space.high())
    }

    /// Wraps an environment and spreads the bins between limits of one's own.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if a limit is not finite or a lower one is not below its upper
    /// one; [`SpaceError::Invalid`] if there are no bins or too many combinations to number.
    pub fn with_limits(
        env: E,
        bins: [usize; N],
        low: [f32; N],
        high: [f32; N],
    ) -> Result<Self, EnvError> {
        for (i, (low, high)) in low.iter().zip(&high).enumerate() {
            if !(low.is_finite() && high.is_finite() && low < high) {
                let reason = format!(
                    "number {i} needs finite limits, low below high, got {low} and {high}: give \
                     them to `DiscretizeObservation::with_limits`"
                );
                return Err(invalid_option("DiscretizeObservation", reason));
            }
        }
        if let Some(most) = bins.into_iter().find(|&bins| bins > MOST_BINS) {
            let reason = format!("bins: expected at most {MOST_BINS} a number, got {most}");
            return Err(invalid_option("DiscretizeObservation", reason));
        }
        let space = MultiDiscrete::new(bins)?;
        let edges = std::array::from_fn(|i| {
            let (low, high) = (f64::from(low[i]), f64::from(high[i]));
            let width = (high - low) / bins[i] as f64;
            (1..bins[i]).map(|bin| low + bin as f64 * width).collect()
        });
        Ok(Self { env, space, edges })
    }

    crate::wrappers::wrapped!();

    fn discretize(&self, observation: &Obs<E>) -> Result<[i64; N], EnvError> {
        if observation.iter().any(|x| !x.is_finite()) {
            let expected = format!("{N} finite numbers");
            let got = format!("{observation:?}");
            return Err(SpaceError::NotAnElement { expected, got }.into());
        }
        Ok(std::array::from_fn(|i| {
            let x = f64::from(observation[i]);
            self.edges[i].partition_point(|&edge| edge <= x) as i64
        }))
    }
}

impl<E, const N: usize> Env for DiscretizeObservation<E, N>
where
    E: Env<ObservationSpace = BoxSpace<N>>,
{
    type ObservationSpace = MultiDiscrete<N>;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> MultiDiscrete<N> {
        self.space
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[i64; N], EnvError> {
        let observation = self.env.reset(rng)?;
        self.discretize(&observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<[i64; N]>, EnvError> {
        let Step { observation, reward, outcome } = self.env.step(action, rng)?;
        Ok(Step { observation: self.discretize(&observation)?, reward, outcome })
    }

    fn observe(&self) -> Option<[i64; N]> {
        self.discretize(&self.env.observe()?).ok()
    }

    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::{CartPole, MountainCar};

    #[test]
    fn bins_by_hand() {
        let (low, high) = ([-1.0, -3.0, -0.25, -3.0], [1.0, 3.0, 0.25, 3.0]);
        let cart = CartPole::default();
        let mut env = DiscretizeObservation::with_limits(cart, [4, 3, 2, 1], low, high).unwrap();
        // Edges: −0.5, 0, 0.5; −1, 1; 0; none.
        let cases = [
            ([-0.75, -2.0, -0.1, 0.0], [0, 0, 0, 0]),
            ([-0.5, -1.0, 0.0, 0.0], [1, 1, 1, 0]),
            ([0.25, 0.999, 0.1, 9.0], [2, 1, 1, 0]),
            ([1.0, 3.0, 0.25, -9.0], [3, 2, 1, 0]),
            ([-2.0, 99.0, 7.0, 0.0], [0, 2, 1, 0]),
        ];
        for (state, bins) in cases {
            env.set_state(&state).unwrap();
            assert_eq!(env.observe(), Some(bins), "{state:?}");
        }
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert!(env.discretize(&[0.0, x, 0.0, 0.0]).is_err(), "{x}");
        }
    }

    #[test]
    fn limits_and_bins_are_checked() {
        assert!(DiscretizeObservation::new(CartPole::default(), [4; 4]).is_err());
        assert!(DiscretizeObservation::new(MountainCar::default(), [4, 0]).is_err());
        assert!(DiscretizeObservation::new(MountainCar::default(), [1, 1 << 40]).is_err());
        let limits = [([1.0, 0.0], [1.0, 1.0]), ([f32::NAN, 0.0], [1.0, 1.0])];
        for (low, high) in limits {
            let env = MountainCar::default();
            assert!(DiscretizeObservation::with_limits(env, [2, 2], low, high).is_err());
        }
    }
}
