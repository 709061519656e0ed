//! CartPole with a continuous force.

use serde::{Deserialize, Serialize};

use super::abreast::{Abreast as _, are_finite, step_abreast};
use super::{CartPole, cart_pole::FORCE};
#[cfg(feature = "render")]
use crate::render::Frame;
use crate::{BoxSpace, Env, EnvError, Rng, Step};

/// CartPoleContinuous: keep the pole upright with a force between −1 (10 N to the left) and 1 (10 N
/// to the right).
///
/// Dynamics, observations, rewards and episode ends are those of [`CartPole`]; at −1 and 1 the two
/// are identical. Stronger actions are clipped to ±1.
///
/// Source: as for [`CartPole`], with the action of mbrl-lib's `cartpole_continuous` (Pineda et al.,
/// "MBRL-Lib", 2021), a test of model-based agents.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CartPoleContinuous {
    cart_pole: CartPole,
}

impl From<CartPole> for CartPoleContinuous {
    /// Wraps a CartPole, keeping its state.
    fn from(cart_pole: CartPole) -> Self {
        Self { cart_pole }
    }
}

/// The force of an action, in newtons.
#[inline]
fn force(action: &[f32; 1]) -> f64 {
    FORCE * f64::from(action[0]).clamp(-1.0, 1.0)
}

impl Env for CartPoleContinuous {
    type ObservationSpace = BoxSpace<4>;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> BoxSpace<4> {
        self.cart_pole.observation_space()
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 4], EnvError> {
        self.cart_pole.reset(rng)
    }

    #[inline]
    fn step(&mut self, action: &[f32; 1], _rng: &mut Rng) -> Result<Step<[f32; 4]>, EnvError> {
        if !action[0].is_finite() {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        }
        Ok(self.cart_pole.advance(force(action)))
    }

    #[inline(always)] // with what `each` does in it
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[[f32; 1]],
        rngs: &mut [Rng],
        each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 4]>),
    ) -> bool {
        let are_finite = are_finite(actions);
        if are_finite {
            let push = |i: usize| force(&actions[i]);
            step_abreast(holders, |holder| &mut env(holder).cart_pole, push, rngs, each);
        }
        are_finite
    }

    fn state(&self) -> Option<Vec<f64>> {
        self.cart_pole.state()
    }

    fn observe(&self) -> Option<[f32; 4]> {
        self.cart_pole.observe()
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.cart_pole.set_state(state)
    }

    fn render_ansi(&self) -> Option<String> {
        self.cart_pole.render_ansi()
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        self.cart_pole.render_rgb()
    }

    crate::snapshot!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn step_from(state: [f64; 4], action: f32) -> (Vec<f64>, Step<[f32; 4]>) {
        let mut env = CartPoleContinuous::default();
        env.set_state(&state).unwrap();
        let step = env.step(&[action], &mut Seed::new(0).rng()).unwrap();
        (env.state().unwrap(), step)
    }

    #[test]
    fn at_its_bounds_it_is_cart_pole() {
        let mut rng = Seed::new(0).rng();
        for (action, share) in [(0, -1.0), (1, 1.0), (0, -2.5), (1, 3e38)] {
            for state in [[0.01, 0.2, -0.03, 0.4], [-2.39, -1.0, 0.2, 0.8]] {
                let mut discrete = CartPole::default();
                discrete.set_state(&state).unwrap();
                let step = discrete.step(&action, &mut rng).unwrap();
                assert_eq!(step_from(state, share), (discrete.state().unwrap(), step));
            }
        }
    }

    /// From rest and upright, x″ = F / M + m l θ″ cos θ / M, worked by hand: with M = 1.1 and
    /// ml = 0.05, θ″ = −(F / 1.1) / (0.5 (4/3 − 0.1 / 1.1)) and x″ = F / 1.1 − 0.05 θ″ / 1.1.
    #[test]
    fn half_the_action_is_half_the_force() {
        let (state, step) = step_from([0.0; 4], 0.5);
        let push: f64 = 5.0 / 1.1;
        let theta_acc = -push / (0.5 * (4.0 / 3.0 - 0.1 / 1.1));
        let expected = [0.0, 0.02 * (push - 0.05 * theta_acc / 1.1), 0.0, 0.02 * theta_acc];
        assert!(state.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-15), "{state:?}");
        assert_eq!((step.reward, step.outcome.is_final()), (1.0, false));
        assert_eq!(step_from([0.0; 4], 0.0).0, [0.0; 4]);
    }

    #[test]
    fn an_action_that_is_no_number_is_refused() {
        for bad in [f32::NAN, f32::INFINITY] {
            let mut env = CartPoleContinuous::default();
            assert!(env.step(&[bad], &mut Seed::new(0).rng()).is_err());
        }
    }
}
