//! Pendulum: driven by a torque at its pivot.

use std::f64::consts::{PI, TAU};

use gymnast_base::wide;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};

use super::abreast::{Abreast, After, BLOCK, Before, FEW, are_finite, step_abreast};
#[cfg(feature = "render")]
use crate::render::{Frame, classic as pictures};
use crate::{BoxSpace, Env, EnvError, Rng, Step, sine};

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
#[inline(always)]
fn normalize_angle<const FMA: bool>(theta: f64) -> f64 {
    let turned = theta + PI;
    if !FMA {
        return turned.rem_euclid(TAU) - PI;
    }
    // The remainder is a number that is held exactly, so that rounding changes nothing but the
    // number of turns.
    let remainder = |turns: f64| (-turns).mul_add(TAU, turned.abs());
    let turns = (turned.abs() / TAU).trunc();
    let turns = if remainder(turns) < 0.0 { turns - 1.0 } else { turns };
    let rest = remainder(turns).copysign(turned);
    (if rest < 0.0 { rest + TAU } else { rest }) - PI
}

/// Returns the state after a step, of whose angle before the sine is `sin`, and the reward.
#[inline(always)]
fn swing<const FMA: bool>(
    [theta, speed]: [f64; 2],
    torque: f64,
    g: f64,
    sin: f64,
) -> ([f64; 2], f64) {
    let torque = torque as f32;
    let angle = normalize_angle::<FMA>(theta);
    let cost = angle * angle + 0.1 * (speed * speed) + f64::from(0.001 * (torque * torque));
    let acceleration = 3.0 * g / 2.0 * sin + f64::from(3.0 * torque);
    let speed = (speed + acceleration * DT).clamp(-MAX_SPEED, MAX_SPEED);
    ([theta + speed * DT, speed], -cost)
}

wide! {
    fn advance_all<FMA>(before: &Before<2>, after: &mut After<2, 3>) {
        let ([theta, speed], [g, _]) = (&before.states, &before.options);
        let [sin, _] = sine::sin_cos::<FMA, BLOCK>(theta);
        for i in 0..BLOCK {
            let state = [theta[i], speed[i]];
            let (state, reward) = swing::<FMA>(state, before.pushes[i], g[i], sin[i]);
            (after.states[0][i], after.states[1][i]) = (state[0], state[1]);
            after.rewards[i] = reward;
        }
        let [next, speed] = &after.states;
        let [sin, cos] = sine::sin_cos::<FMA, BLOCK>(next);
        for i in 0..BLOCK {
            after.observations[0][i] = cos[i] as f32;
            after.observations[1][i] = sin[i] as f32;
            after.observations[2][i] = speed[i] as f32;
            after.is_within[i] = (theta[i].abs() <= sine::FAR) & (next[i].abs() <= sine::FAR);
        }
    }
}

impl Abreast<2, 3> for Pendulum {
    #[inline]
    fn options(&self) -> [f64; 2] {
        [self.g, 0.0]
    }

    #[inline]
    fn state_mut(&mut self) -> &mut [f64; 2] {
        &mut self.state
    }

    fn advance_all(before: &Before<2>, after: &mut After<2, 3>) {
        advance_all(before, after);
    }

    #[inline]
    fn advance(&mut self, torque: f64) -> Step<[f32; 3]> {
        let sin = self.state[0].sin();
        let (state, reward) = swing::<false>(self.state, torque, self.g, sin);
        self.state = state;
        Step::new(self.observation(), reward, false)
    }
}

/// The torque of an action, in newton metres.
#[inline]
fn torque(action: &[f32; 1]) -> f64 {
    f64::from(action[0].clamp(-MAX_TORQUE, MAX_TORQUE))
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
        Ok(self.advance(torque(action)))
    }

    #[inline(always)] // with what `each` does in it
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[[f32; 1]],
        rngs: &mut [Rng],
        each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 3]>),
    ) -> bool {
        let are_together = are_finite(actions) && actions.len() >= FEW;
        if are_together {
            step_abreast(holders, env, |i| torque(&actions[i]), rngs, each);
        }
        are_together
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
        let angle = normalize_angle::<false>(theta);
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
        assert_eq!(normalize_angle::<false>(PI), -PI);
        assert!((normalize_angle::<false>(-3.0 * PI / 2.0) - PI / 2.0).abs() < 1e-15);
    }

    #[test]
    fn both_ways_to_wrap_an_angle_agree_to_the_bit() {
        let mut rng = Seed::new(0).rng();
        let mut angles = Vec::new();
        for size in [1e-9, 1.0, 10.0, 1e3, sine::FAR] {
            angles.extend((0..10_000).map(|_| rng.random_range(-size..size)));
        }
        for turns in -2_000..2_000 {
            let x = f64::from(turns) * PI;
            angles.extend([x, x.next_up(), x.next_down(), x - PI]);
        }
        for x in angles {
            let (one, other) = (normalize_angle::<true>(x), normalize_angle::<false>(x));
            assert_eq!(one.to_bits(), other.to_bits(), "{x:e}");
        }
    }

    #[test]
    fn nan_is_an_error() {
        let error = Pendulum::default().step(&[f32::NAN], &mut Seed::new(0).rng()).unwrap_err();
        assert!(matches!(error, EnvError::InvalidAction { .. }));
    }
}
