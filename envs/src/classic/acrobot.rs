//! Acrobot: a two-link arm driven at its elbow.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use gymnast_base::wide;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::abreast::{Abreast, After, BLOCK, Before, FEW, step_abreast};
#[cfg(feature = "render")]
use crate::render::{Frame, classic as pictures};
use crate::{BoxSpace, Discrete, Env, EnvError, Rng, Step, sine};

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
}

/// The angles of a state whose sines and cosines its [`derivative`] needs: of the sine and cosine,
/// then of the cosines.
#[inline(always)]
fn angles([theta_1, theta_2, ..]: [f64; 4]) -> [f64; 3] {
    [theta_2, theta_1 + theta_2 - FRAC_PI_2, theta_1 - FRAC_PI_2]
}

/// The time derivative of a state, of whose [`angles`] these are the sine of the first and the cosines.
#[inline(always)]
fn derivative(
    [_, _, speed_1, speed_2]: [f64; 4],
    torque: f64,
    dynamics: f64,
    sin_2: f64,
    [cos_2, cos_both, cos_1]: [f64; 3],
) -> [f64; 4] {
    let inertia_2 = MASS_2 * (CENTRE_2 * CENTRE_2) + INERTIA;
    let d1 = MASS_1 * (CENTRE_1 * CENTRE_1)
        + MASS_2 * (LENGTH_1 * LENGTH_1 + CENTRE_2 * CENTRE_2 + 2.0 * LENGTH_1 * CENTRE_2 * cos_2)
        + INERTIA
        + INERTIA;
    let d2 = MASS_2 * (CENTRE_2 * CENTRE_2 + LENGTH_1 * CENTRE_2 * cos_2) + INERTIA;
    let phi2 = MASS_2 * CENTRE_2 * GRAVITY * cos_both;
    let phi1 = -MASS_2 * LENGTH_1 * CENTRE_2 * (speed_2 * speed_2) * sin_2
        - 2.0 * MASS_2 * LENGTH_1 * CENTRE_2 * speed_2 * speed_1 * sin_2
        + (MASS_1 * CENTRE_1 + MASS_2 * LENGTH_1) * GRAVITY * cos_1
        + phi2;
    let term = MASS_2 * LENGTH_1 * CENTRE_2 * (speed_1 * speed_1) * sin_2;
    let term = if dynamics == BOOK { term } else { 0.0 };
    let force = torque + d2 / d1 * phi1 - term - phi2;
    let acceleration_2 = force / (inertia_2 - d2 * d2 / d1);
    let acceleration_1 = -(d2 * acceleration_2 + phi1) / d1;
    [speed_1, speed_2, acceleration_1, acceleration_2]
}

/// [`AcrobotDynamics::Book`] as a number.
const BOOK: f64 = 1.0;
/// How far along the slope before each slope of a step lies, in seconds.
const ALONG: [f64; 4] = [0.0, DT / 2.0, DT / 2.0, DT];

/// Returns a number after a step along four slopes: the fourth-order Runge–Kutta method.
#[inline(always)]
fn along(start: f64, [k1, k2, k3, k4]: [f64; 4]) -> f64 {
    start + DT / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
}

wide! {
    fn advance_all<FMA>(before: &Before<4>, after: &mut After<4, 6>) {
        let (start, mut at) = (&before.states, before.states);
        let mut slopes = [[[0.0; BLOCK]; 4]; 4]; // [number, slope, environment]
        for k in 0..4 {
            for j in (0..4).filter(|_| k > 0) {
                for i in 0..BLOCK {
                    at[j][i] = start[j][i] + ALONG[k] * slopes[j][k - 1][i];
                }
            }
            let mut turned = [[0.0; BLOCK]; 3];
            for i in 0..BLOCK {
                let angles = angles([at[0][i], at[1][i], at[2][i], at[3][i]]);
                (turned[0][i], turned[1][i], turned[2][i]) = (angles[0], angles[1], angles[2]);
            }
            let [sin_2, cos_2] = sine::sin_cos::<FMA, BLOCK>(&turned[0]);
            let [_, cos_both] = sine::sin_cos::<FMA, BLOCK>(&turned[1]);
            let [_, cos_1] = sine::sin_cos::<FMA, BLOCK>(&turned[2]);
            for i in 0..BLOCK {
                let state = [at[0][i], at[1][i], at[2][i], at[3][i]];
                let (torque, dynamics) = (before.pushes[i], before.options[0][i]);
                let cosines = [cos_2[i], cos_both[i], cos_1[i]];
                let slope = derivative(state, torque, dynamics, sin_2[i], cosines);
                for j in 0..4 {
                    slopes[j][k][i] = slope[j];
                }
            }
        }
        for (j, after) in after.states.iter_mut().enumerate() {
            let [k1, k2, k3, k4] = &slopes[j];
            for i in 0..BLOCK {
                let x = along(start[j][i], [k1[i], k2[i], k3[i], k4[i]]);
                after[i] = match j {
                    0 | 1 => wrap_few(x),
                    2 => x.clamp(-MAX_SPEED_1, MAX_SPEED_1),
                    _ => x.clamp(-MAX_SPEED_2, MAX_SPEED_2),
                };
            }
        }
        let [theta_1, theta_2, speed_1, speed_2] = &after.states;
        let mut both = [0.0; BLOCK];
        for i in 0..BLOCK {
            both[i] = theta_2[i] + theta_1[i];
        }
        let [sin_1, cos_1] = sine::sin_cos::<FMA, BLOCK>(theta_1);
        let [sin_2, cos_2] = sine::sin_cos::<FMA, BLOCK>(theta_2);
        let [_, cos_both] = sine::sin_cos::<FMA, BLOCK>(&both);
        let seen = [&cos_1, &sin_1, &cos_2, &sin_2, speed_1, speed_2];
        for (row, numbers) in after.observations.iter_mut().zip(seen) {
            for i in 0..BLOCK {
                row[i] = numbers[i] as f32;
            }
        }
        for i in 0..BLOCK {
            let is_up = is_up(cos_1[i], cos_both[i]);
            (after.rewards[i], after.terminated[i]) = (reward(is_up), is_up);
            // From a start within these no angle of the four slopes exceeds 2,000.
            let is_slow = (start[2][i].abs() <= MAX_SPEED_1) & (start[3][i].abs() <= MAX_SPEED_2);
            let is_near = (start[0][i].abs() <= 1e3) & (start[1][i].abs() <= 1e3);
            let is_wrapped = (theta_1[i].abs() <= PI) & (theta_2[i].abs() <= PI);
            after.is_within[i] = is_slow & is_near & is_wrapped;
        }
    }
}

/// Whether the tip is one link's length above the pivot.
#[inline(always)]
fn is_up(cos_1: f64, cos_both: f64) -> bool {
    -cos_1 - cos_both > 1.0
}

#[inline(always)]
fn reward(is_up: bool) -> f64 {
    if is_up { 0.0 } else { -1.0 }
}

impl Abreast<4, 6> for Acrobot {
    #[inline]
    fn options(&self) -> [f64; 2] {
        [if self.dynamics == AcrobotDynamics::Book { BOOK } else { 0.0 }, 0.0]
    }

    #[inline]
    fn state_mut(&mut self) -> &mut [f64; 4] {
        &mut self.state
    }

    fn advance_all(before: &Before<4>, after: &mut After<4, 6>) {
        advance_all(before, after);
    }

    fn advance(&mut self, torque: f64) -> Step<[f32; 6]> {
        let (start, [dynamics, _]) = (self.state, self.options());
        let mut slopes = [[0.0; 4]; 4]; // [number, slope]
        for k in 0..4 {
            let before = |j: usize| start[j] + ALONG[k] * slopes[j][k.saturating_sub(1)];
            let at = if k == 0 { start } else { std::array::from_fn(before) };
            let angles = angles(at);
            let slope = derivative(at, torque, dynamics, angles[0].sin(), angles.map(f64::cos));
            for j in 0..4 {
                slopes[j][k] = slope[j];
            }
        }
        let [theta_1, theta_2, speed_1, speed_2] =
            std::array::from_fn(|j| along(start[j], slopes[j]));
        let (theta_1, theta_2) = (wrap(theta_1), wrap(theta_2));
        self.state = [
            theta_1,
            theta_2,
            speed_1.clamp(-MAX_SPEED_1, MAX_SPEED_1),
            speed_2.clamp(-MAX_SPEED_2, MAX_SPEED_2),
        ];
        let is_up = is_up(theta_1.cos(), (theta_2 + theta_1).cos());
        Step::new(self.observation(), reward(is_up), is_up)
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

/// The same for an angle less than three turns beyond; it stays beyond otherwise.
#[inline(always)]
fn wrap_few(mut theta: f64) -> f64 {
    for _ in 0..3 {
        theta = if theta > PI { theta - TAU } else { theta };
    }
    for _ in 0..3 {
        theta = if theta < -PI { theta + TAU } else { theta };
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
        Ok(self.advance(torque))
    }

    #[inline(always)] // with what `each` does in it
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[i64],
        rngs: &mut [Rng],
        each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 6]>),
    ) -> bool {
        let are_valid = actions.iter().fold(true, |all, action| all & (0..3).contains(action));
        let is_steady = |holder: &mut H| env(holder).torque_noise_max <= 0.0;
        let are_together = are_valid && actions.len() >= FEW && holders.iter_mut().all(is_steady);
        if are_together {
            step_abreast(holders, env, |i| (actions[i] - 1) as f64, rngs, each);
        }
        are_together
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
        let [.., first, second] = derivative([0.0; 4], 1.0, BOOK, 0.0, [1.0, 0.0, 0.0]);
        let expected = 1.0 / (1.25 - 1.75 * 1.75 / 4.5);
        assert!((second - expected).abs() < 1e-12, "{second}");
        assert!((first + 1.75 * expected / 4.5).abs() < 1e-12, "{first}");
    }

    #[test]
    fn the_two_dynamics_differ_by_one_term() {
        let nips = Acrobot { dynamics: AcrobotDynamics::Nips, ..Acrobot::default() };
        let state = [0.3, FRAC_PI_2, 2.0, 0.0];
        let angles = angles(state);
        let (sin, cosines) = (angles[0].sin(), angles.map(f64::cos));
        let slope = |dynamics| derivative(state, 0.0, dynamics, sin, cosines);
        let acceleration = |arm: &Acrobot| slope(arm.options()[0])[3];
        let difference = acceleration(&nips) - acceleration(&Acrobot::default());
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
