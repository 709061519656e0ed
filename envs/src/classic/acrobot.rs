//! Acrobot: a two-link arm driven at its elbow.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use rand::RngExt as _;
use serde::{Deserialize, Serialize};

#[cfg(feature = "render")]
use crate::render::{Frame, classic as pictures};
use crate::{BoxSpace, Discrete, Env, EnvError, Rng, Step};

/// The largest noise: beyond, one step overflows.
const MAX_TORQUE_NOISE: f64 = 1e6;
/// Seconds per step.
const DT: f64 = 0.2;
const LENGTH_1: f64 = 1.0;
const MASS_1: f64 = 1.0;
const MASS_2: f64 = 1.0;
/// Where the links' centres of mass lie.
const CENTRE_1: f64 = 0.5;
const CENTRE_2: f64 = 0.5;
const INERTIA: f64 = 1.0;
const GRAVITY: f64 = 9.8;
const MAX_SPEED_1: f64 = 4.0 * PI;
const MAX_SPEED_2: f64 = 9.0 * PI;

/// Acrobot: swing the tip one link's length above the pivot with a torque of −1, 0 or 1 N·m at the
/// elbow (actions 0, 1, 2).
///
/// The observation is the cosine and sine of each link's angle (the first from straight down, the
/// second relative to the first) and their angular velocities. Each step gives −1, the last 0.
///
/// Source: Sutton, "Generalization in reinforcement learning" (1996), as in Gymnasium's
/// `Acrobot-v1`: fourth-order Runge–Kutta over 0.2 s.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acrobot {
    /// The equations of motion: `book` (Sutton and Barto's book) or `nips` (the NIPS paper).
    pub dynamics: AcrobotDynamics,
    /// The largest torque of the uniform noise, in N·m, from 0 (no noise) to 1e6.
    pub torque_noise_max: f64,
    /// Both angles, both angular velocities.
    state: [f64; 4],
}

/// The two published equations of motion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AcrobotDynamics {
    /// The equations of Sutton and Barto's book.
    #[default]
    Book,
    /// The equations of the NIPS paper, which lack a term.
    Nips,
}

impl Acrobot {
    fn observation(&self) -> [f32; 6] {
        let [theta_1, theta_2, speed_1, speed_2] = self.state;
        let ((sin_1, cos_1), (sin_2, cos_2)) = (theta_1.sin_cos(), theta_2.sin_cos());
        [cos_1, sin_1, cos_2, sin_2, speed_1, speed_2].map(|x| x as f32)
    }

    /// The time derivative of the state.
    #[inline]
    fn derivative(&self, state: [f64; 4], torque: f64) -> [f64; 4] {
        let [theta_1, theta_2, speed_1, speed_2] = state;
        let (sin_2, cos_2) = theta_2.sin_cos();
        let inertia_2 = MASS_2 * (CENTRE_2 * CENTRE_2) + INERTIA;
        let d1 = MASS_1 * (CENTRE_1 * CENTRE_1)
            + MASS_2
                * (LENGTH_1 * LENGTH_1 + CENTRE_2 * CENTRE_2 + 2.0 * LENGTH_1 * CENTRE_2 * cos_2)
            + INERTIA
            + INERTIA;
        let d2 = MASS_2 * (CENTRE_2 * CENTRE_2 + LENGTH_1 * CENTRE_2 * cos_2) + INERTIA;
        let phi2 = MASS_2 * CENTRE_2 * GRAVITY * (theta_1 + theta_2 - FRAC_PI_2).cos();
        let phi1 = -MASS_2 * LENGTH_1 * CENTRE_2 * (speed_2 * speed_2) * sin_2
            - 2.0 * MASS_2 * LENGTH_1 * CENTRE_2 * speed_2 * speed_1 * sin_2
            + (MASS_1 * CENTRE_1 + MASS_2 * LENGTH_1) * GRAVITY * (theta_1 - FRAC_PI_2).cos()
            + phi2;
        let force = match self.dynamics {
            AcrobotDynamics::Nips => torque + d2 / d1 * phi1 - phi2,
            AcrobotDynamics::Book => {
                torque + d2 / d1 * phi1
                    - MASS_2 * LENGTH_1 * CENTRE_2 * (speed_1 * speed_1) * sin_2
                    - phi2
            }
        };
        let acceleration_2 = force / (inertia_2 - d2 * d2 / d1);
        let acceleration_1 = -(d2 * acceleration_2 + phi1) / d1;
        [speed_1, speed_2, acceleration_1, acceleration_2]
    }

    /// The state after one step of the fourth-order Runge–Kutta method, unbounded.
    #[inline]
    fn integrate(&self, torque: f64) -> [f64; 4] {
        let start = self.state;
        let along = |k: [f64; 4], dt: f64| std::array::from_fn(|i| start[i] + dt * k[i]);
        let k1 = self.derivative(start, torque);
        let k2 = self.derivative(along(k1, DT / 2.0), torque);
        let k3 = self.derivative(along(k2, DT / 2.0), torque);
        let k4 = self.derivative(along(k3, DT), torque);
        std::array::from_fn(|i| start[i] + DT / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }
}

/// The same angle in `-π..=π`, by whole turns as Gymnasium takes them.
fn wrap(mut theta: f64) -> f64 {
    if theta.abs() > 100.0 * PI {
        // Turn by turn would take long, and forever where a turn is below the number's precision.
        return (theta + PI).rem_euclid(TAU) - PI;
    }
    while theta > PI {
        theta -= TAU;
    }
    while theta < -PI {
        theta += TAU;
    }
    theta
}

impl Env for Acrobot {
    type ObservationSpace = BoxSpace<6>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<6> {
        BoxSpace::symmetric([1.0, 1.0, 1.0, 1.0, MAX_SPEED_1 as f32, MAX_SPEED_2 as f32])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 6], EnvError> {
        // Gymnasium rounds the first state to f32.
        self.state = std::array::from_fn(|_| f64::from(rng.random_range(-0.1..0.1) as f32));
        Ok(self.observation())
    }

    #[inline]
    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<[f32; 6]>, EnvError> {
        if !(0..3).contains(action) {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        }
        let (mut torque, noise) = ((action - 1) as f64, self.torque_noise_max);
        if noise > MAX_TORQUE_NOISE {
            let reason = format!("`torque_noise_max` must be at most 1e6 N·m, got {noise:e}");
            return Err(EnvError::invalid_option("Acrobot-v1", reason));
        }
        if noise > 0.0 {
            torque += rng.random_range(-noise..noise);
        }
        let [theta_1, theta_2, speed_1, speed_2] = self.integrate(torque);
        let (theta_1, theta_2) = (wrap(theta_1), wrap(theta_2));
        self.state = [
            theta_1,
            theta_2,
            speed_1.clamp(-MAX_SPEED_1, MAX_SPEED_1),
            speed_2.clamp(-MAX_SPEED_2, MAX_SPEED_2),
        ];
        let is_up = -theta_1.cos() - (theta_2 + theta_1).cos() > 1.0;
        Ok(Step::new(self.observation(), if is_up { 0.0 } else { -1.0 }, is_up))
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(self.state.to_vec())
    }

    fn observe(&self) -> Option<[f32; 6]> {
        Some(self.observation())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        let names = "[theta1, theta2, dtheta1, dtheta2]";
        let numbers: [f64; 4] = EnvError::expect_state(state, names)?;
        if numbers.iter().any(|x| x.abs() > 1e6) {
            // Beyond, one step overflows f64.
            let expected = format!("{names}, each within ±1e6");
            return Err(EnvError::InvalidState { expected, got: format!("{state:?}") });
        }
        self.state = numbers;
        Ok(())
    }

    fn render_ansi(&self) -> Option<String> {
        let [theta_1, theta_2, speed_1, speed_2] = self.state;
        Some(format!(
            "angles {theta_1:+.3} and {theta_2:+.3} rad, angular velocities {speed_1:+.3} and {speed_2:+.3} rad/s\n"
        ))
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(pictures::acrobot(self.state[0], self.state[1]))
    }

    crate::snapshot!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn step_from(state: [f64; 4], action: i64) -> (Vec<f64>, Step<[f32; 6]>) {
        let mut acrobot = Acrobot::default();
        acrobot.set_state(&state).unwrap();
        let step = acrobot.step(&action, &mut Seed::new(0).rng()).unwrap();
        (acrobot.state().unwrap(), step)
    }

    #[test]
    fn noise_that_overflows_is_an_error() {
        for torque_noise_max in [1.1e6, f64::INFINITY] {
            let mut acrobot = Acrobot { torque_noise_max, ..Acrobot::default() };
            let error = acrobot.step(&0, &mut Seed::new(0).rng()).unwrap_err();
            assert!(error.to_string().contains("torque_noise_max"), "{error}");
        }
    }

    #[test]
    fn hanging_still_without_torque_it_stays() {
        let (state, step) = step_from([0.0; 4], 1);
        assert!(state.iter().all(|x| x.abs() < 1e-15), "{state:?}");
        assert_eq!((step.reward, step.outcome.is_final()), (-1.0, false));
    }

    #[test]
    fn the_derivative_at_rest_is_the_torque_over_the_inertia() {
        // Straight down: d1 = 4.5, d2 = 1.75, so θ̈₂ = 1 / (1.25 − 1.75²/4.5), θ̈₁ = −d2 θ̈₂ / d1.
        let [.., first, second] = Acrobot::default().derivative([0.0; 4], 1.0);
        let expected = 1.0 / (1.25 - 1.75 * 1.75 / 4.5);
        assert!((second - expected).abs() < 1e-12, "{second}");
        assert!((first + 1.75 * expected / 4.5).abs() < 1e-12, "{first}");
    }

    #[test]
    fn the_two_dynamics_differ_by_one_term() {
        let nips = Acrobot { dynamics: AcrobotDynamics::Nips, ..Acrobot::default() };
        let state = [0.3, FRAC_PI_2, 2.0, 0.0];
        let difference =
            nips.derivative(state, 0.0)[3] - Acrobot::default().derivative(state, 0.0)[3];
        // ½ θ̇₁² sin θ₂ = 2, over 1.25 − d2²/d1 with d1 = 3.5, d2 = 1.25.
        assert!((difference - 2.0 / (1.25 - 1.25 * 1.25 / 3.5)).abs() < 1e-12);
    }

    #[test]
    fn upright_ends_the_episode_for_nothing() {
        let (_, step) = step_from([PI, 0.0, 0.0, 0.0], 1);
        assert_eq!((step.reward, step.outcome.terminated()), (0.0, true));
    }

    #[test]
    fn angles_wrap_however_large() {
        assert!((wrap(4.0) - (4.0 - TAU)).abs() < 1e-15 && wrap(-PI) == -PI);
        assert!(wrap(1e300).abs() <= PI);
        let (state, _) = step_from([1e6; 4], 0);
        assert!(state[2].abs() <= MAX_SPEED_1 && state[3].abs() <= MAX_SPEED_2, "{state:?}");
    }
}
