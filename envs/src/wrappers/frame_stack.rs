//! The last observations as one.

use serde_json::Value;

use super::{
    StackSpace,
    snapshot::{self, elements_from_json, elements_to_json, invalid_option},
    stack_space::parts_of_stack,
};
use crate::{
    Act, Discrete, Env, EnvError, FeatureSpace as _, FiniteSpace as _, Obs, Rng, RowSpace, Space,
    Step, Storage,
};

/// Stacks the last `K` observations, oldest first (Gymnasium's `FrameStackObservation`).
///
/// At an episode's start the first observation stands in for those before it. After
/// [`set_state`](Env::set_state) too, with the present observation or, where the environment
/// cannot tell it without a step, the next.
///
/// ```
/// use gymnast_envs::{Env, Seed, classic::CartPole, wrappers::FrameStack};
///
/// let mut env = FrameStack::<_, 4>::new(CartPole::default());
/// let mut rng = Seed::new(0).rng();
/// let first = env.reset(&mut rng)?;
/// let second = env.step(&1, &mut rng)?.observation;
/// assert_eq!(second[..3], first[1..]);
/// # Ok::<(), gymnast_envs::EnvError>(())
/// ```
pub type FrameStack<E, const K: usize> =
    StackedObservation<E, StackSpace<<E as Env>::ObservationSpace, K>>;

/// A space whose elements hold several elements of `S` in order.
pub trait StackOf<S: Space>: Space {
    /// Joins elements of `space`, oldest first, in `memory` if given. Rows alternate after every
    /// `run` numbers.
    fn join(
        space: &S,
        frames: &[S::Element],
        run: usize,
        memory: Option<Self::Element>,
    ) -> Self::Element;
}

impl<S: Space, const K: usize> StackOf<S> for StackSpace<S, K> {
    fn join(
        _: &S,
        frames: &[S::Element],
        _: usize,
        memory: Option<[S::Element; K]>,
    ) -> [S::Element; K] {
        let Some(mut stack) = memory else { return std::array::from_fn(|i| frames[i].clone()) };
        stack.clone_from_slice(frames);
        stack
    }
}

impl StackOf<Self> for RowSpace {
    fn join(space: &Self, frames: &[Vec<f32>], run: usize, memory: Option<Vec<f32>>) -> Vec<f32> {
        let mut row = memory.unwrap_or_default();
        row.clear();
        for start in (0..space.width()).step_by(run) {
            for frame in frames {
                row.extend_from_slice(&frame[start..start + run]);
            }
        }
        row
    }
}

/// Numbered like the digits of a number: the last element changes fastest.
impl StackOf<Self> for Discrete {
    fn join(space: &Self, frames: &[i64], _: usize, _: Option<i64>) -> i64 {
        let number = |index, frame| index * space.n() + space.index_of(frame);
        frames.iter().fold(0, number) as i64
    }
}

/// Stacks the last observations as an element of `T`: [`FrameStack`], or with a stack size known
/// only at run time.
#[derive(Clone, Debug)]
pub struct StackedObservation<E: Env, T: Space> {
    env: E,
    inner: E::ObservationSpace,
    space: T,
    /// Empty before the first reset, then `k` observations.
    frames: Vec<Obs<E>>,
    k: usize,
    run: usize,
    /// The memory of the next stack.
    spare: Option<T::Element>,
}

impl<E: Env, const K: usize> FrameStack<E, K> {
    /// Wraps an environment. A `K` of 0 does not compile.
    pub fn new(env: E) -> Self {
        const { assert!(K > 0, "a stack needs at least one frame") };
        let space = StackSpace::new(env.observation_space());
        Self::with_space(env, space, K, 1)
    }
}

impl<E: Env<ObservationSpace = RowSpace>> StackedObservation<E, RowSpace> {
    /// Stacks `k` rows, one after the other, with the action mask of the last. With `channels` the
    /// rows are pictures, and the stack is one picture with the channels of all, oldest first.
    pub(super) fn of_rows(env: E, k: usize, channels: bool) -> Result<Self, EnvError> {
        const MOST: usize = 1 << 30;
        let inner = env.observation_space();
        let (width, shape) = (inner.width(), inner.shape());
        if k == 0 || k.checked_mul(width.max(1)).is_none_or(|numbers| numbers > MOST) {
            let reason = format!("`k` must lie between 1 and {}, got {k}", MOST / width.max(1));
            return Err(invalid_option("FrameStack", reason));
        }
        let (low, high) = (inner.low(), inner.high());
        let element = inner.storage().element;
        if !channels {
            let row = RowSpace::new(low.repeat(k), high.repeat(k), [&[k][..], &shape].concat())?;
            let mut row = row
                .with_parts(parts_of_stack(k, &inner))?
                .with_storage(Storage { element, frames: k })?;
            if let Some(mask) = inner.action_mask() {
                let last = (k - 1) * width;
                row = row.with_action_mask(last + mask.start..last + mask.end)?;
            }
            return Ok(Self::with_space(env, row, k, width.max(1)));
        }
        let (height, across, run) = match (&shape[..], inner.action_mask()) {
            (&[height, across], None) => (height, across, 1),
            (&[height, across, run], None) if run > 0 => (height, across, run),
            _ => {
                let reason = format!(
                    "`channels` is for pictures [height, width] or [height, width, channels] \
                     without an action mask, got {shape:?}"
                );
                return Err(invalid_option("FrameStack", reason));
            }
        };
        let bounds = |bounds: &[f32]| bounds.chunks(run).flat_map(|c| c.repeat(k)).collect();
        let row = RowSpace::new(bounds(low), bounds(high), vec![height, across, k * run])?;
        let row = row.with_storage(Storage { element, frames: 1 })?;
        Ok(Self::with_space(env, row, k, run))
    }
}

impl<E: Env<ObservationSpace = Discrete>> StackedObservation<E, Discrete> {
    /// Stacks `k` states, numbered as one.
    pub(super) fn of_states(env: E, k: usize) -> Result<Self, EnvError> {
        let n = env.observation_space().n();
        let size = u32::try_from(k).ok().filter(|&k| k > 0).and_then(|k| n.checked_pow(k));
        let space = size.and_then(|size| Discrete::with_start(size, 0).ok());
        let space = space.ok_or_else(|| {
            let reason = format!(
                "`k` must be at least 1, and the combinations of states few enough to be numbered, \
                 got {k}"
            );
            invalid_option("FrameStack", reason)
        })?;
        Ok(Self::with_space(env, space, k, 1))
    }
}

impl<E: Env, T: StackOf<E::ObservationSpace>> StackedObservation<E, T> {
    /// Wraps an environment; `space` is the space of `k` observations.
    fn with_space(env: E, space: T, k: usize, run: usize) -> Self {
        let (inner, frames) = (env.observation_space(), Vec::with_capacity(k));
        Self { env, inner, space, frames, k, run, spare: None }
    }

    fn push(&mut self, observation: Obs<E>) {
        if self.frames.is_empty() {
            return self.fill(observation);
        }
        self.frames.rotate_left(1);
        let oldest = std::mem::replace(&mut self.frames[self.k - 1], observation);
        self.env.recycle(oldest);
    }

    fn fill(&mut self, observation: Obs<E>) {
        if self.frames.is_empty() {
            self.frames.resize(self.k, observation.clone());
        }
        self.frames.iter_mut().for_each(|frame| frame.clone_from(&observation));
        self.env.recycle(observation);
    }

    /// Returns the stack, in `memory` if given.
    fn stack(&self, memory: Option<T::Element>) -> T::Element {
        T::join(&self.inner, &self.frames, self.run, memory)
    }

    fn show(&mut self) -> T::Element {
        let memory = self.spare.take();
        self.stack(memory)
    }
}

impl<E: Env, T: Space> StackedObservation<E, T> {
    crate::wrappers::wrapped!();
}

impl<E: Env, T: StackOf<E::ObservationSpace>> Env for StackedObservation<E, T> {
    type ObservationSpace = T;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> T {
        self.space.clone()
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<T::Element, EnvError> {
        let observation = self.env.reset(rng)?;
        self.fill(observation);
        Ok(self.show())
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<T::Element>, EnvError> {
        let Step { observation, reward, outcome } = self.env.step(action, rng)?;
        self.push(observation);
        Ok(Step { observation: self.show(), reward, outcome })
    }

    fn recycle(&mut self, stack: T::Element) {
        self.spare = Some(stack);
    }

    fn save(&self) -> Option<Value> {
        snapshot::save(&self.env, elements_to_json(&self.inner, &self.frames))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let values: Vec<Value> = snapshot::own(snapshot)?;
        let frames = elements_from_json(&self.inner, &values)?;
        if !frames.is_empty() && frames.len() != self.k {
            let reason = format!("{} frames are needed, or none", self.k);
            return Err(snapshot::invalid(snapshot, reason));
        }
        self.env.restore(&snapshot["env"])?;
        self.frames = frames;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.frames.clear();
        if let Some(present) = self.env.observe() {
            self.fill(present);
        }
        Ok(())
    }

    fn observe(&self) -> Option<T::Element> {
        (!self.frames.is_empty()).then(|| self.stack(None))
    }

    crate::wrappers::forward! { env: action_space, state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        toy_text::{CliffWalking, CliffWalkingConfig},
    };

    #[test]
    fn oldest_first_and_padded_by_the_first() {
        let mut rng = Seed::new(0).rng();
        let cliff = CliffWalking::new(CliffWalkingConfig { is_slippery: false });
        let mut env = FrameStack::<_, 3>::new(cliff);
        assert_eq!(env.reset(&mut rng).unwrap(), [36, 36, 36]);
        // Up, right, right.
        assert_eq!(env.step(&0, &mut rng).unwrap().observation, [36, 36, 24]);
        assert_eq!(env.step(&1, &mut rng).unwrap().observation, [36, 24, 25]);
        let last = env.step(&1, &mut rng).unwrap().observation;
        assert_eq!(last, [24, 25, 26]);
        assert!(env.observation_space().contains(&last));
        assert_eq!(env.observe(), Some(last));
        assert_eq!(env.reset(&mut rng).unwrap(), [36, 36, 36]);
        env.set_state(&[25.0]).unwrap();
        assert_eq!(env.step(&0, &mut rng).unwrap().observation, [25, 25, 13]);
    }
}
