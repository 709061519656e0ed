//! Discretizes observations, so that tables can hold them.

use super::{ArraySpace, snapshot::invalid_option};
use crate::{
    Act, BoxSpace, Discrete, Env, EnvError, FeatureSpace as _, MultiDiscrete, Obs, Rng, RowSpace,
    Space, SpaceError, Step, Storage,
};

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
pub type DiscretizeObservation<E, const N: usize> = BinnedObservation<E, MultiDiscrete<N>>;

/// A space that holds the bins of several numbers.
pub trait BinnedSpace: Space {
    /// Creates the space of these numbers of bins.
    ///
    /// # Errors
    /// [`SpaceError::Invalid`] if there are no bins, or too many combinations to number.
    fn of_bins(bins: &[usize]) -> Result<Self, SpaceError>;

    /// Creates the element with the bin `bin(i)`, below `bins(i)`, for the i-th of `n` numbers.
    fn element(
        n: usize,
        bins: impl Fn(usize) -> usize,
        bin: impl Fn(usize) -> usize,
    ) -> Self::Element;
}

impl<const N: usize> BinnedSpace for MultiDiscrete<N> {
    fn of_bins(bins: &[usize]) -> Result<Self, SpaceError> {
        let bins = bins.try_into().map_err(|_| SpaceError::Invalid {
            space: "MultiDiscrete",
            reason: format!("{N} sizes are needed, got {}", bins.len()),
        })?;
        Self::new(bins)
    }

    fn element(
        _: usize,
        _: impl Fn(usize) -> usize,
        bin: impl Fn(usize) -> usize,
    ) -> Self::Element {
        std::array::from_fn(|i| bin(i) as i64)
    }
}

/// The combinations are numbered: the last bin changes fastest.
impl BinnedSpace for Discrete {
    fn of_bins(bins: &[usize]) -> Result<Self, SpaceError> {
        let size = bins.iter().try_fold(1_usize, |size, &bins| size.checked_mul(bins));
        let size = size.ok_or_else(|| SpaceError::Invalid {
            space: "Discrete",
            reason: format!("the combinations of the bins {bins:?} are too many to number"),
        })?;
        Self::with_start(size, 0)
    }

    fn element(n: usize, bins: impl Fn(usize) -> usize, bin: impl Fn(usize) -> usize) -> i64 {
        (0..n).fold(0, |number, i| number * bins(i) + bin(i)) as i64
    }
}

/// One-hot for each number, in order.
impl BinnedSpace for RowSpace {
    fn of_bins(bins: &[usize]) -> Result<Self, SpaceError> {
        if bins.contains(&0) {
            let reason = format!("each number needs at least one bin, got {bins:?}");
            return Err(SpaceError::Invalid { space: "Box", reason });
        }
        let width = bins.iter().try_fold(0_usize, |width, &bins| width.checked_add(bins));
        let width =
            width.filter(|&width| width <= MOST_BINS).ok_or_else(|| SpaceError::Invalid {
                space: "Box",
                reason: format!("expected at most {MOST_BINS} bins in all, got {bins:?}"),
            })?;
        Self::new(vec![0.0; width], vec![1.0; width], vec![width])?.with_storage(Storage::U8)
    }

    fn element(n: usize, bins: impl Fn(usize) -> usize, bin: impl Fn(usize) -> usize) -> Vec<f32> {
        let mut row = vec![0.0; (0..n).map(&bins).sum()];
        let mut first = 0;
        for i in 0..n {
            row[first + bin(i)] = 1.0;
            first += bins(i);
        }
        row
    }
}

/// Bins an observation as an element of `T`: [`DiscretizeObservation`], or with a number of bins
/// known only at run time.
#[derive(Clone, Debug)]
pub struct BinnedObservation<E, T> {
    env: E,
    space: T,
    /// The lower edge of each bin but the first, for each number.
    edges: Vec<Vec<f64>>,
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

    /// Wraps an environment and spreads the bins between custom limits.
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
        Self::of(env, &bins, &low, &high)
    }
}

impl<E: Env<ObservationSpace: ArraySpace>, T: BinnedSpace> BinnedObservation<E, T> {
    /// Wraps an environment and spreads the bins of each number between its limits.
    pub(super) fn of(env: E, bins: &[usize], low: &[f32], high: &[f32]) -> Result<Self, EnvError> {
        const NAME: &str = "DiscretizeObservation";
        let width = env.observation_space().width();
        for (name, got) in [("bins", bins.len()), ("low", low.len()), ("high", high.len())] {
            if got != width {
                let reason = format!("`{name}`: expected {width}, one a number, got {got}");
                return Err(invalid_option(NAME, reason));
            }
        }
        for (i, (low, high)) in low.iter().zip(high).enumerate() {
            if !(low.is_finite() && high.is_finite() && low < high) {
                let reason = format!(
                    "number {i} needs finite limits, low below high, got {low} and {high}: give \
                     them as `low` and `high`, or to `DiscretizeObservation::with_limits`"
                );
                return Err(invalid_option(NAME, reason));
            }
        }
        if let Some(most) = bins.iter().find(|&&bins| bins > MOST_BINS) {
            let reason = format!("bins: expected at most {MOST_BINS} a number, got {most}");
            return Err(invalid_option(NAME, reason));
        }
        let space = T::of_bins(bins)?;
        let edges = |i: usize| {
            let (low, high) = (f64::from(low[i]), f64::from(high[i]));
            let width = (high - low) / bins[i] as f64;
            (1..bins[i]).map(|bin| low + bin as f64 * width).collect()
        };
        Ok(Self { env, space, edges: (0..width).map(edges).collect() })
    }

    fn discretize(&self, observation: &Obs<E>) -> Result<T::Element, EnvError> {
        let numbers = observation.as_ref();
        if numbers.iter().any(|x| !x.is_finite()) {
            let expected = format!("{} finite numbers", numbers.len());
            let got = format!("{observation:?}");
            return Err(SpaceError::NotAnElement { expected, got }.into());
        }
        let bin = |i: usize| {
            let x = f64::from(numbers[i]);
            self.edges[i].partition_point(|&edge| edge <= x)
        };
        Ok(T::element(self.edges.len(), |i| self.edges[i].len() + 1, bin))
    }
}

impl<E, T> BinnedObservation<E, T> {
    crate::wrappers::wrapped!();
}

impl<E: Env<ObservationSpace: ArraySpace>, T: BinnedSpace> Env for BinnedObservation<E, T> {
    type ObservationSpace = T;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> T {
        self.space.clone()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<T::Element, EnvError> {
        let observation = self.env.reset(rng)?;
        self.discretize(&observation)
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<T::Element>, EnvError> {
        let Step { observation, reward, outcome } = self.env.step(action, rng)?;
        Ok(Step { observation: self.discretize(&observation)?, reward, outcome })
    }

    fn observe(&self) -> Option<T::Element> {
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
