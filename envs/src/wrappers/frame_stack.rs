//! The last few observations as one.

use serde_json::{Value, json};

use crate::{Act, Env, EnvError, Obs, Rng, Space as _, StackSpace, Step};

/// Shows the last `K` observations, the oldest first (Gymnasium's `FrameStackObservation`). A
/// reset fills the stack with the first observation.
///
/// ```
/// use gymnast_envs::{Env, FeatureSpace, classic::CartPole, wrappers::FrameStack};
///
/// let env = FrameStack::<_, 4>::new(CartPole::default());
/// assert_eq!(env.observation_space().shape(), [4, 4]);
/// ```
#[derive(Clone, Debug)]
pub struct FrameStack<E: Env, const K: usize> {
    env: E,
    frames: Option<[Obs<E>; K]>,
}

impl<E: Env, const K: usize> FrameStack<E, K> {
    /// Wraps an environment.
    pub fn new(env: E) -> Self {
        Self { env, frames: None }
    }

    crate::wrappers::access!();

    fn fill(&mut self, observation: &Obs<E>) -> [Obs<E>; K] {
        let frames: [Obs<E>; K] = std::array::from_fn(|_| observation.clone());
        self.frames.insert(frames).clone()
    }
}

impl<E: Env, const K: usize> Env for FrameStack<E, K> {
    type ObservationSpace = StackSpace<E::ObservationSpace, K>;
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> StackSpace<E::ObservationSpace, K> {
        StackSpace::new(self.env.observation_space())
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<[Obs<E>; K], EnvError> {
        let observation = self.env.reset(rng)?;
        Ok(self.fill(&observation))
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<[Obs<E>; K]>, EnvError> {
        let step = self.env.step(action, rng)?;
        Ok(step.map(|observation| {
            let Some(frames) = &mut self.frames else { return self.fill(&observation) };
            frames.rotate_left(1);
            frames[K - 1] = observation;
            frames.clone()
        }))
    }

    fn save(&self) -> Option<Value> {
        let space = self.observation_space();
        let frames = self.frames.as_ref().map(|frames| space.to_jsonable(frames));
        Some(json!({ "env": self.env.save()?, "frames": frames }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let frames = match &snapshot["frames"] {
            Value::Null => None,
            frames => Some(self.observation_space().from_jsonable(frames)?),
        };
        self.env.restore(&snapshot["env"])?;
        self.frames = frames;
        Ok(())
    }

    /// Fills the stack with what the state looks like, or empties it where the environment cannot
    /// tell.
    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.frames = self.env.observe().map(|now| std::array::from_fn(|_| now.clone()));
        Ok(())
    }

    fn observe(&self) -> Option<[Obs<E>; K]> {
        self.frames.clone()
    }

    crate::wrappers::forward! { env: action_space, state, render }
}
