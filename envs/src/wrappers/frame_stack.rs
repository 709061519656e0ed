//! The last observations as one.

use serde_json::Value;

use super::{
    StackSpace,
    snapshot::{self, elements_from_json, elements_to_json},
};
use crate::{Act, Env, EnvError, Obs, Rng, Step};

/// Shows the last `K` observations, oldest first (Gymnasium's `FrameStackObservation`).
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
#[derive(Clone, Debug)]
pub struct FrameStack<E: Env, const K: usize> {
    env: E,
    frames: Option<[Obs<E>; K]>,
    /// The memory of the next stack that is shown.
    spare: Option<[Obs<E>; K]>,
}

impl<E: Env, const K: usize> FrameStack<E, K> {
    /// Wraps an environment. A `K` of 0 does not compile.
    pub fn new(env: E) -> Self {
        const { assert!(K > 0, "a stack needs at least one frame") };
        Self { env, frames: None, spare: None }
    }

    crate::wrappers::wrapped!();

    fn push(&mut self, observation: Obs<E>) -> [Obs<E>; K] {
        let Some(frames) = &mut self.frames else {
            return self.fill(observation);
        };
        frames.rotate_left(1);
        let oldest = std::mem::replace(&mut frames[K - 1], observation);
        self.env.recycle(oldest);
        copied(frames, self.spare.take())
    }

    fn fill(&mut self, observation: Obs<E>) -> [Obs<E>; K] {
        let frames =
            self.frames.get_or_insert_with(|| std::array::from_fn(|_| observation.clone()));
        frames.iter_mut().for_each(|frame| frame.clone_from(&observation));
        self.env.recycle(observation);
        copied(frames, self.spare.take())
    }
}

/// A copy, in the memory of another where there is one.
fn copied<T: Clone, const K: usize>(frames: &[T; K], memory: Option<[T; K]>) -> [T; K] {
    let Some(mut copy) = memory else { return frames.clone() };
    copy.clone_from(frames);
    copy
}

impl<E: Env, const K: usize> Env for FrameStack<E, K> {
    type ObservationSpace = StackSpace<E::ObservationSpace, K>;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> Self::ObservationSpace {
        StackSpace::new(self.env.observation_space())
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[Obs<E>; K], EnvError> {
        let observation = self.env.reset(rng)?;
        Ok(self.fill(observation))
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<[Obs<E>; K]>, EnvError> {
        Ok(self.env.step(action, rng)?.map(|observation| self.push(observation)))
    }

    fn recycle(&mut self, frames: [Obs<E>; K]) {
        self.spare = Some(frames);
    }

    fn save(&self) -> Option<Value> {
        let space = self.env.observation_space();
        let frames = self.frames.as_ref().map_or(&[][..], |frames| frames);
        let frames = elements_to_json(&space, frames);
        snapshot::save(&self.env, frames)
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let values: Vec<Value> = snapshot::own(snapshot)?;
        let frames = elements_from_json(&self.env.observation_space(), &values)?;
        let frames = match frames.len() {
            0 => None,
            _ => Some(frames.try_into().map_err(|_| {
                snapshot::invalid(snapshot, format!("{K} frames are needed, or none"))
            })?),
        };
        self.env.restore(&snapshot["env"])?;
        self.frames = frames;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.frames = self.env.observe().map(|present| std::array::from_fn(|_| present.clone()));
        Ok(())
    }

    fn observe(&self) -> Option<[Obs<E>; K]> {
        self.frames.clone()
    }

    crate::wrappers::forward! { env: action_space, state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed, Space as _,
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
