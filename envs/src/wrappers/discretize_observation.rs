//! Real numbers sorted into bins.

use crate::{Act, BoxSpace, Env, EnvError, MultiDiscrete, Obs, Rng, Step};

/// Shows the bin of each number of an observation, so that a table can hold it (Gymnasium's
/// `DiscretizeObservation`).
///
/// The bins of a number are of equal width between two limits; what lies beyond a limit falls into
/// the outermost bin.
///
/// ```
/// use gymnast_envs::{Env, FiniteSpace, classic::MountainCar, wrappers::DiscretizeObservation};
///
/// let env = DiscretizeObservation::new(MountainCar::default(), [18, 14])?;
/// assert_eq!(env.observation_space().size(), 252);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
#[derive(Clone, Debug)]
pub struct DiscretizeObservation<E, const N: usize> {
    env: E,
    space: MultiDiscrete<N>,
    low: [f32; N],
    high: [f32; N],
}

impl<const N: usize, E: Env<ObservationSpace = BoxSpace<N>>> DiscretizeObservation<E, N> {
    /// Wraps an environment; the limits are the bounds of its observation space.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if a bound is infinite; as [`MultiDiscrete::new`] for the bins.
    pub fn new(env: E, bins: [usize; N]) -> Result<Self, EnvError> {
        let space = env.observation_space();
        Self::with_limits(env, bins, *space.low(), *space.high())
    }

    /// Wraps an environment whose observations are told apart between these limits.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if a limit is not finite or a lower one is not below its upper
    /// one; as [`MultiDiscrete::new`] for the bins.
    pub fn with_limits(
        env: E,
        bins: [usize; N],
        low: [f32; N],
        high: [f32; N],
    ) -> Result<Self, EnvError> {
        let is_open = |i: &usize| !(low[*i] < high[*i] && (high[*i] - low[*i]).is_finite());
        if let Some(i) = (0..N).find(is_open) {
            let reason = format!(
                "number {i} needs finite limits, the lower below the upper, got {} and {}: give \
                 them with `with_limits`",
                low[i], high[i]
            );
            return Err(super::invalid("DiscretizeObservation", reason));
        }
        Ok(Self { env, space: MultiDiscrete::new(bins)?, low, high })
    }

    crate::wrappers::access!();

    #[inline]
    fn bins(&self, observation: &[f32; N]) -> Result<[i64; N], EnvError> {
        if let Some(i) = observation.iter().position(|x| x.is_nan()) {
            return Err(EnvError::Failed(format!("observation {i} is NaN, which is in no bin")));
        }
        Ok(std::array::from_fn(|i| {
            let bins = self.space.nvec()[i] as i64;
            let share = (observation[i] - self.low[i]) / (self.high[i] - self.low[i]);
            // The cast ends at the limits of i64, so infinities are beyond the outermost bins too.
            ((share * bins as f32).floor() as i64).clamp(0, bins - 1)
        }))
    }
}

impl<const N: usize, E: Env<ObservationSpace = BoxSpace<N>>> Env for DiscretizeObservation<E, N> {
    type ObservationSpace = MultiDiscrete<N>;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> MultiDiscrete<N> {
        self.space
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.bins(&observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError> {
        let Step { observation, reward, outcome } = self.env.step(action, rng)?;
        Ok(Step { observation: self.bins(&observation)?, reward, outcome })
    }

    fn observe(&self) -> Option<Obs<Self>> {
        self.bins(&self.env.observe()?).ok()
    }

    crate::wrappers::forward! { env: action_space, snapshot, state, set_state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classic::CartPole;

    #[test]
    fn bins_are_of_equal_width_and_the_outermost_open() {
        let limits = [2.0, 2.0, 0.2, 2.0];
        let bins = [4, 4, 1, 3];
        let env = DiscretizeObservation::with_limits(
            CartPole::default(),
            bins,
            limits.map(|x| -x),
            limits,
        );
        let mut env = env.unwrap();
        let mut seen = |x: f64, x_dot: f64| {
            env.set_state(&[x, x_dot, 0.1, 0.0]).unwrap();
            env.observe().unwrap()
        };
        assert_eq!(seen(-2.0, -0.1), [0, 1, 0, 1]);
        assert_eq!(seen(-1.0, 0.0), [1, 2, 0, 1]);
        assert_eq!(seen(2.0, 1.0), [3, 3, 0, 1]);
        assert_eq!(seen(-99.0, 1e300), [0, 3, 0, 1]);
    }

    #[test]
    fn missing_limits_and_bins_are_refused() {
        let error = DiscretizeObservation::new(CartPole::default(), [4; 4]).unwrap_err();
        assert!(error.to_string().contains("number 1 needs finite limits"), "{error}");
        let (low, high) = ([-1.0; 4], [1.0; 4]);
        let none = DiscretizeObservation::with_limits(CartPole::default(), [0; 4], low, high);
        assert!(none.is_err());
        assert!(
            DiscretizeObservation::with_limits(CartPole::default(), [4; 4], high, low).is_err()
        );
    }
}
