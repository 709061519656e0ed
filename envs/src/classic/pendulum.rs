//! Pendulum: driven by a torque at its pivot.

use std::f64::consts::{PI, TAU};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

#[cfg(feature = "render")]
use crate::render::{Frame, classic as pictures};
use crate::{BoxSpace, Env, EnvError, Rng, Step};

const MAX_SPEED: f64 = 8.0;
const MAX_TORQUE: f32 = 2.0;
/// Seconds per step.
const DT: f64 = 0.05;

/// Pendulum: swing up and stay up with a torque between −2 and 2 N·m; stronger torques are clipped.
///
/// The observation is the cosine and sine of the angle from upright and the angular velocity
/// (rad/s). The reward is minus the sum of the squared angle, a tenth of the squared velocity and a
/// thousandth of the squared torque, all before the step. No state is terminal.
///
/// Source: Gymnasium's `Pendulum-v1`. Numpy computes the torque's own terms in f32; so does this.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pendulum {
    /// The acceleration of gravity, in m/s².
    pub g: f64,
    /// Angle from upright (not wrapped), angular velocity.
    state: [f64; 2],
}

impl Default for Pendulum {
    fn default() -> Self {
        Self { g: 10.0, state: [PI, 0.0] }
    }
}

impl Pendulum {
    #[inline]
    fn observation(&self) -> [f32; 3] {
        let [theta, speed] = self.state;
        [theta.cos() as f32, theta.sin() as f32, speed as f32]
    }
}

/// The same angle in `-π..π`.
#[inline]
fn normalize_angle(theta: f64) -> f64 {
    (theta + PI).rem_euclid(TAU) - PI
}

impl Env for Pendulum {
    type ObservationSpace = BoxSpace<3>;
    type ActionSpace = BoxSpace<1>;

    fn observation_space(&self) -> BoxSpace<3> {
        BoxSpace::symmetric([1.0, 1.0, MAX_SPEED as f32])
    }

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([MAX_TORQUE])
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 3], EnvError> {
        self.state = [rng.random_range(-PI..PI), rng.random_range(-1.0..1.0)];
        Ok(self.observation())
    }

    #[inline]
    fn step(&mut self, action: &[f32; 1], _rng: &mut Rng) -> Result<Step<[f32; 3]>, EnvError> {
        if !action[0].is_finite() {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        }
        let torque = action[0].clamp(-MAX_TORQUE, MAX_TORQUE);
        let [theta, speed] = self.state;
        let angle = normalize_angle(theta);
        let cost = angle * angle + 0.1 * (speed * speed) + f64::from(0.001 * (torque * torque));
        let acceleration = 3.0 * self.g / 2.0 * theta.sin() + f64::from(3.0 * torque);
        let speed = (speed + acceleration * DT).clamp(-MAX_SPEED, MAX_SPEED);
        self.state = [theta + speed * DT, speed];
        Ok(Step::new(self.observation(), -cost, false))
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(self.state.to_vec())
    }

    fn observe(&self) -> Option<[f32; 3]> {
        Some(self.observation())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.state = EnvError::expect_state(state, "[theta, theta_dot]")?;
        Ok(())
    }

    fn render_ansi(&self) -> Option<String> {
        let [theta, speed] = self.state;
        let angle = normalize_angle(theta);
        Some(format!("angle {angle:+.4} rad from upright, angular velocity {speed:+.3} rad/s\n"))
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(pictures::pendulum(self.state[0]))
    }

    crate::snapshot!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn step_from(state: [f64; 2], torque: f32) -> (Vec<f64>, f64) {
        let mut pendulum = Pendulum::default();
        pendulum.set_state(&state).unwrap();
        let step = pendulum.step(&[torque], &mut Seed::new(0).rng()).unwrap();
        assert!(!step.outcome.is_final());
        (pendulum.state().unwrap(), step.reward)
    }

    #[test]
    fn a_level_pendulum_falls() {
        // Horizontal: sin = 1, so the acceleration is 3g/2 = 15, and 0.75 after 0.05 s.
        let (state, reward) = step_from([PI / 2.0, 0.0], 0.0);
        assert!((state[1] - 0.75).abs() < 1e-12 && (state[0] - PI / 2.0 - 0.0375).abs() < 1e-12);
        assert!((reward + PI * PI / 4.0).abs() < 1e-12);
    }

    #[test]
    fn the_reward_is_that_of_the_old_state_and_the_clipped_torque() {
        let (state, reward) = step_from([0.0, 1.0], 50.0);
        assert!((reward + 0.104).abs() < 1e-9);
        assert_eq!(state, step_from([0.0, 1.0], 2.0).0);
        assert_eq!(step_from([0.1, 8.0], 2.0).0[1], 8.0);
    }

    #[test]
    fn angles_wrap_into_a_half_open_turn() {
        assert_eq!(normalize_angle(PI), -PI);
        assert!((normalize_angle(-3.0 * PI / 2.0) - PI / 2.0).abs() < 1e-15);
    }

    #[test]
    fn nan_is_an_error() {
        let error = Pendulum::default().step(&[f32::NAN], &mut Seed::new(0).rng()).unwrap_err();
        assert!(matches!(error, EnvError::InvalidAction { .. }));
    }
}
