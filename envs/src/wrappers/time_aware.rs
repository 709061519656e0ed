//! Observations that tell the time.

use serde_json::{Value, json};

use crate::{Act, BoxSpace, Env, EnvError, Obs, Rng, Step};

/// Adds the share of the episode's time that has passed to each observation (Gymnasium's
/// `TimeAwareObservation`), so that the value of a state under a time limit can be learned.
///
/// It does not end episodes: [`TimeLimit`](super::TimeLimit) does. Where nothing ends them the
/// share stays at 1.
#[derive(Clone, Debug)]
pub struct TimeAwareObservation<E> {
    env: E,
    max_episode_steps: u32,
    elapsed_steps: u32,
}

impl<E> TimeAwareObservation<E> {
    /// Wraps an environment whose episodes take at most so many steps.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if that is 0.
    pub fn new(env: E, max_episode_steps: u32) -> Result<Self, EnvError> {
        if max_episode_steps == 0 {
            let reason = "`max_episode_steps` must be at least 1, got 0".to_owned();
            return Err(super::invalid("TimeAwareObservation", reason));
        }
        Ok(Self { env, max_episode_steps, elapsed_steps: 0 })
    }

    crate::wrappers::access!();

    fn time(&self) -> [f32; 1] {
        let share = f64::from(self.elapsed_steps) / f64::from(self.max_episode_steps);
        [share.min(1.0) as f32]
    }
}

impl<E: Env> Env for TimeAwareObservation<E> {
    type ObservationSpace = (E::ObservationSpace, BoxSpace<1>);
    type ActionSpace = E::ActionSpace;

    fn observation_space(&self) -> Self::ObservationSpace {
        let time = BoxSpace::new([0.0], [1.0]).expect("0 is below 1");
        (self.env.observation_space(), time)
    }

    #[inline]
    fn reset(&mut self, rng: &mut Rng) -> Result<Obs<Self>, EnvError> {
        let observation = self.env.reset(rng)?;
        self.elapsed_steps = 0;
        Ok((observation, self.time()))
    }

    #[inline]
    fn step(&mut self, action: &Act<E>, rng: &mut Rng) -> Result<Step<Obs<Self>>, EnvError> {
        let step = self.env.step(action, rng)?;
        self.elapsed_steps = self.elapsed_steps.saturating_add(1);
        Ok(step.map(|observation| (observation, self.time())))
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "env": self.env.save()?, "elapsed_steps": self.elapsed_steps }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let elapsed_steps = super::part(snapshot, "elapsed_steps")?;
        self.env.restore(&snapshot["env"])?;
        self.elapsed_steps = elapsed_steps;
        Ok(())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.env.set_state(state)?;
        self.elapsed_steps = 0;
        Ok(())
    }

    fn observe(&self) -> Option<Obs<Self>> {
        Some((self.env.observe()?, self.time()))
    }

    crate::wrappers::forward! { env: action_space, state, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Seed, classic::Pendulum, wrappers::TimeLimit};

    #[test]
    fn time_runs_from_0_to_1() {
        let limited = TimeLimit::new(Pendulum::default(), 4);
        let mut env = TimeAwareObservation::new(limited, 4).unwrap();
        let mut rng = Seed::new(0).rng();
        for _ in 0..2 {
            assert_eq!(env.reset(&mut rng).unwrap().1, [0.0]);
            for time in [0.25, 0.5, 0.75, 1.0] {
                let step = env.step(&[0.0], &mut rng).unwrap();
                assert_eq!((step.observation.1, step.outcome.is_final()), ([time], time == 1.0));
            }
        }
        assert!(TimeAwareObservation::new(Pendulum::default(), 0).is_err());
    }
}
