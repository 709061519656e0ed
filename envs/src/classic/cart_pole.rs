//! CartPole: a pole hinged to a cart on a track.

use gymnast_base::wide;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::abreast::{Abreast, After, BLOCK, Before, step_abreast};
#[cfg(feature = "render")]
use crate::render::{Frame, classic as pictures};
use crate::{BoxSpace, Discrete, Env, EnvError, Rng, Step, sine};

const GRAVITY: f64 = 9.8;
const MASS_CART: f64 = 1.0;
const MASS_POLE: f64 = 0.1;
const TOTAL_MASS: f64 = MASS_POLE + MASS_CART;
/// The force of a push, in newtons.
pub(super) const FORCE: f64 = 10.0;
/// Seconds per step.
const TAU: f64 = 0.02;
/// The largest angle before the episode ends: 12 degrees, in radians.
const THETA_THRESHOLD: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;
/// The largest distance from the centre before the episode ends, in metres.
const X_THRESHOLD: f64 = 2.4;

/// CartPole: keep the pole upright by pushing the cart left (0) or right (1).
///
/// The observation is the cart's position (m) and velocity (m/s) and the pole's angle (rad) and
/// angular velocity (rad/s). Each step gives 1, including the one on which the pole falls. The
/// episode terminates when the cart leaves ±2.4 m or the pole ±12°.
///
/// Source: Barto, Sutton and Anderson, "Neuronlike adaptive elements that can solve difficult
/// learning control problems" (1983), as in Gymnasium's `CartPole-v1`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CartPole {
    /// Half the pole's length, in metres.
    pub length: f64,
    /// Whether to use Sutton and Barto's reward: 0 for each step, −1 for the step that fails.
    pub sutton_barto_reward: bool,
    /// Position, velocity, angle, angular velocity.
    state: [f64; 4],
}

impl Default for CartPole {
    fn default() -> Self {
        Self { length: 0.5, sutton_barto_reward: false, state: [0.0; 4] }
    }
}

impl CartPole {
    fn observation(&self) -> [f32; 4] {
        self.state.map(|x| x as f32)
    }
}

/// Returns the reward of a step, with Sutton and Barto's if `is_theirs`.
#[inline(always)]
fn reward(is_theirs: bool, fell: bool) -> f64 {
    match (is_theirs, fell) {
        (false, _) => 1.0,
        (true, false) => 0.0,
        (true, true) => -1.0,
    }
}

wide! {
    /// Those of the cart and of its pole, of half this length, under a force. They are returned in
    /// registers: were it the next state, its parts would wait in memory for the last of them.
    fn accelerations<FMA>(state: [f64; 4], push: [f64; 2]) -> (f64, f64) {
        let theta = state[2];
        let sin_cos =
            if theta.abs() <= sine::NEAR { sine::near::<FMA>(theta) } else { theta.sin_cos() };
        accelerated(state, push, sin_cos)
    }
}

wide! {
    fn advance_all<FMA>(before: &Before<4>, after: &mut After<4, 4>) {
        let ([x, x_dot, theta, theta_dot], [lengths, are_theirs]) =
            (&before.states, &before.options);
        let mut sin_cos = [(0.0, 0.0); BLOCK];
        for i in 0..BLOCK {
            sin_cos[i] = sine::near::<FMA>(theta[i]);
        }
        for i in 0..BLOCK {
            let (state, push) =
                ([x[i], x_dot[i], theta[i], theta_dot[i]], [before.pushes[i], lengths[i]]);
            let state = moved(state, accelerated(state, push, sin_cos[i]));
            for (j, x) in state.into_iter().enumerate() {
                after.states[j][i] = x;
                after.observations[j][i] = x as f32;
            }
            let fell = has_fallen(state);
            after.rewards[i] = reward(are_theirs[i] == 1.0, fell);
            after.terminated[i] = fell;
            after.is_within[i] = theta[i].abs() <= sine::NEAR;
        }
    }
}

impl Abreast<4, 4> for CartPole {
    #[inline]
    fn options(&self) -> [f64; 2] {
        [self.length, f64::from(u8::from(self.sutton_barto_reward))]
    }

    #[inline]
    fn state_mut(&mut self) -> &mut [f64; 4] {
        &mut self.state
    }

    fn advance_all(before: &Before<4>, after: &mut After<4, 4>) {
        advance_all(before, after);
    }

    #[inline(always)] // a step that is returned through memory waits for its parts
    fn advance(&mut self, force: f64) -> Step<[f32; 4]> {
        self.state = moved(self.state, accelerations(self.state, [force, self.length]));
        let fell = has_fallen(self.state);
        Step::new(self.observation(), reward(self.sutton_barto_reward, fell), fell)
    }
}

#[inline(always)]
fn accelerated(state: [f64; 4], [force, length]: [f64; 2], (sin, cos): (f64, f64)) -> (f64, f64) {
    let theta_dot = state[3];
    let mass_length = MASS_POLE * length;
    let push = (force + mass_length * (theta_dot * theta_dot) * sin) / TOTAL_MASS;
    let theta_acc = (GRAVITY * sin - cos * push)
        / (length * (4.0 / 3.0 - MASS_POLE * (cos * cos) / TOTAL_MASS));
    (push - mass_length * theta_acc * cos / TOTAL_MASS, theta_acc)
}

#[inline(always)]
fn moved([x, x_dot, theta, theta_dot]: [f64; 4], (x_acc, theta_acc): (f64, f64)) -> [f64; 4] {
    [x + TAU * x_dot, x_dot + TAU * x_acc, theta + TAU * theta_dot, theta_dot + TAU * theta_acc]
}

#[inline(always)]
fn has_fallen([x, _, theta, _]: [f64; 4]) -> bool {
    (x.abs() > X_THRESHOLD) | (theta.abs() > THETA_THRESHOLD)
}

impl Env for CartPole {
    type ObservationSpace = BoxSpace<4>;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> BoxSpace<4> {
        // Twice the thresholds, so that the observation that fails lies inside too.
        let (x, theta) = ((X_THRESHOLD * 2.0) as f32, (THETA_THRESHOLD * 2.0) as f32);
        BoxSpace::symmetric([x, f32::INFINITY, theta, f32::INFINITY])
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 4], EnvError> {
        self.state = std::array::from_fn(|_| rng.random_range(-0.05..0.05));
        Ok(self.observation())
    }

    #[inline]
    fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<[f32; 4]>, EnvError> {
        let force = match action {
            0 => -FORCE,
            1 => FORCE,
            _ => return Err(EnvError::invalid_action(&self.action_space(), action)),
        };
        Ok(self.advance(force))
    }

    #[inline(always)] // with what `each` does in it
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[i64],
        rngs: &mut [Rng],
        each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 4]>),
    ) -> bool {
        let are_valid = actions.iter().fold(0, |any, action| any | action) & !1 == 0;
        let force = |i: usize| (2 * actions[i] - 1) as f64 * FORCE;
        if are_valid {
            step_abreast(holders, env, force, rngs, each);
        }
        are_valid
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(self.state.to_vec())
    }

    fn observe(&self) -> Option<[f32; 4]> {
        Some(self.observation())
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.state = EnvError::expect_state(state, "[x, x_dot, theta, theta_dot]")?;
        Ok(())
    }

    fn render_ansi(&self) -> Option<String> {
        let [x, speed, angle, spin] = self.state;
        Some(format!(
            "position {x:+.3} m, velocity {speed:+.3} m/s, angle {angle:+.4} rad, angular velocity {spin:+.3} rad/s\n"
        ))
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        Some(pictures::cart_pole(self.state[0], self.state[2], self.length))
    }

    crate::snapshot!();
}
