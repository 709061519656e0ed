//! Actions of any size.

use crate::{Act, Env, EnvError, Obs, Rng, Space as _, Step, wrappers::ArraySpace};

/// Takes actions of any size to the nearest one of the environment (Gymnasium's `ClipAction`).
///
/// NaN is nearest to nothing and remains an error.
#[derive(Clone, Debug)]
pub struct ClipAction<E: Env> {
    env: E,
    allowed: E::ActionSpace,
    unbounded: E::ActionSpace,
}

impl<E: Env<ActionSpace: ArraySpace>> ClipAction<E> {
    /// Wraps an environment.
    pub fn new(env: E) -> Self {
        let allowed = env.action_space();
        Self { unbounded: allowed.unbounded(), allowed, env }
    }

    crate::wrappers::wrapped!();

    fn clip(&self, action: &Act<E>) -> Result<Act<E>, EnvError> {
        use crate::BoundedSpace as _;
        if !self.unbounded.contains(action) {
            return Err(EnvError::invalid_action(&self.unbounded, action));
        }
        Ok(self.allowed.clip(action.as_ref()))
    }
}

impl<E: Env<ActionSpace: ArraySpace>> Env for ClipAction<E> {
    type ObservationSpace = E::ObservationSpace;
    type ActionSpace = E::ActionSpace;

    fn action_space(&self) -> E::ActionSpace {
        self.unbounded.clone()
    }

    crate::wrappers::change_actions!(clip);
    crate::wrappers::forward! { env: observation_space, snapshot, state, set_state, start, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BoxSpace, Seed, classic::Pendulum};

    #[test]
    fn actions_beyond_the_bounds_act_like_the_bounds() {
        let step = |action: f32| {
            let mut rng = Seed::new(0).rng();
            let mut env = ClipAction::new(Pendulum::default());
            env.reset(&mut rng).unwrap();
            env.step(&[action], &mut rng)
        };
        assert_eq!(step(7.0).unwrap(), step(2.0).unwrap());
        assert_eq!(step(f32::NEG_INFINITY).unwrap(), step(-2.0).unwrap());
        assert_ne!(step(1.0).unwrap(), step(2.0).unwrap());
        assert!(matches!(step(f32::NAN), Err(EnvError::InvalidAction { .. })));
        let space = ClipAction::new(Pendulum::default()).action_space();
        assert_eq!(space, BoxSpace::unbounded());
    }
}
