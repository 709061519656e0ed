//! MountainCar with a continuous force.

use gymnast_base::wide;
use serde::{Deserialize, Serialize};

use super::abreast::{Abreast, After, BLOCK, Before, FEW, are_finite, step_abreast};
use super::mountain_car::{MAX_POSITION, MAX_SPEED, MIN_POSITION, valley};
use crate::{BoxSpace, Env, EnvError, Rng, Step, sine};

const GOAL_POSITION: f64 = 0.45;
const POWER: f64 = 0.0015;

/// MountainCarContinuous: reach the right hilltop with a force between −1 and 1.
///
/// The observation is the car's position and velocity. Reaching a position of 0.45 gives 100; each
/// step costs a tenth of the squared action. Stronger forces are clipped to ±1, but their cost is
/// that of the original action.
///
/// Gymnasium holds the state in f32 from the first step on (the first one is f64), and numpy
/// rounds each operation of such a step to f32. So does this.
///
/// Source: Moore, "Efficient memory-based learning for robot control" (1990), as in Gymnasium's
/// `MountainCarContinuous-v0`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MountainCarContinuous {
    /// The lowest velocity at which arriving at the goal counts.
    pub goal_velocity: f64,
    /// Position, velocity.
    state: [f64; 2],
}

/// The number nearest to `x` that f32 holds.
#[inline(always)]
fn single(x: f64) -> f64 {
    f64::from(x as f32)
}

/// Returns whether a state is in f32.
#[inline(always)]
fn is_single([position, velocity]: [f64; 2]) -> bool {
    (position == single(position)) & (velocity == single(velocity))
}

/// Returns the angle whose cosine says how steep the valley is.
#[inline(always)]
fn steepness(state: [f64; 2]) -> f64 {
    let angle = 3.0 * state[0];
    if is_single(state) { single(angle) } else { angle }
}

/// Returns the state after a step, before which `cos` is the cosine of the [`steepness`], the reward
/// and whether the car has arrived.
#[inline(always)]
fn drive(state: [f64; 2], throttle: f64, goal_velocity: f64, cos: f64) -> ([f64; 2], f64, bool) {
    let ([position, velocity], is_single) = (state, is_single(state));
    let round = |x: f64| if is_single { single(x) } else { x };
    // `f64::clamp` would compare the bounds too.
    let clamp = |x: f64, min: f64, max: f64| {
        let x = if x < min { min } else { x };
        if x > max { max } else { x }
    };
    // A sum or product of f32 numbers, computed in f64 and then rounded, is exact f32 arithmetic.
    let slope = 0.0025 * cos;
    // A clipped force is one of Python's own numbers, in f64.
    let clipped = round(POWER.copysign(throttle) - slope);
    let push = single(single(throttle * single(POWER)) - single(slope));
    let push = if throttle.abs() > 1.0 { clipped } else { push };
    let max_speed = round(MAX_SPEED);
    let velocity = clamp(round(velocity + push), -max_speed, max_speed);
    let (min, max) = (round(MIN_POSITION), round(MAX_POSITION));
    let position = clamp(round(position + velocity), min, max);
    let velocity = if (position == min) & (velocity < 0.0) { 0.0 } else { velocity };
    let arrived = (position >= round(GOAL_POSITION)) & (velocity >= round(goal_velocity));
    let reward = if arrived { 100.0 } else { 0.0 } - throttle * throttle * 0.1;
    ([single(position), single(velocity)], reward, arrived)
}

wide! {
    fn advance_all<FMA>(before: &Before<2>, after: &mut After<2, 2>) {
        let ([position, velocity], [goal_velocity, _]) = (&before.states, &before.options);
        let mut angles = [0.0; BLOCK];
        for i in 0..BLOCK {
            angles[i] = steepness([position[i], velocity[i]]);
        }
        let [_, cos] = sine::sin_cos::<FMA, BLOCK>(&angles);
        for i in 0..BLOCK {
            let (state, throttle) = ([position[i], velocity[i]], before.pushes[i]);
            let (state, reward, arrived) = drive(state, throttle, goal_velocity[i], cos[i]);
            (after.states[0][i], after.states[1][i]) = (state[0], state[1]);
            after.observations[0][i] = state[0] as f32;
            after.observations[1][i] = state[1] as f32;
            (after.rewards[i], after.terminated[i]) = (reward, arrived);
            after.is_within[i] = angles[i].abs() <= sine::FAR;
        }
    }
}

impl Abreast<2, 2> for MountainCarContinuous {
    #[inline]
    fn options(&self) -> [f64; 2] {
        [self.goal_velocity, 0.0]
    }

    #[inline]
    fn state_mut(&mut self) -> &mut [f64; 2] {
        &mut self.state
    }

    fn advance_all(before: &Before<2>, after: &mut After<2, 2>) {
        advance_all(before, after);
    }

    #[inline]
    fn advance(&mut self, throttle: f64) -> Step<[f32; 2]> {
        let cos = steepness(self.state).cos();
        let (state, reward, arrived) = drive(self.state, throttle, self.goal_velocity, cos);
        self.state = state;
        Step::new(state.map(|x| x as f32), reward, arrived)
    }
}

impl Env for MountainCarContinuous {
    type ObservationSpace = BoxSpace<2>;
    type ActionSpace = BoxSpace<1>;

    fn action_space(&self) -> BoxSpace<1> {
        BoxSpace::symmetric([1.0])
    }

    #[inline]
    fn step(&mut self, action: &[f32; 1], _rng: &mut Rng) -> Result<Step<[f32; 2]>, EnvError> {
        let throttle = f64::from(action[0]);
        if !throttle.is_finite() {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        }
        Ok(self.advance(throttle))
    }

    #[inline(always)] // with what `each` does in it
    fn step_together<H>(
        holders: &mut [H],
        env: impl Fn(&mut H) -> &mut Self,
        actions: &[[f32; 1]],
        rngs: &mut [Rng],
        each: impl FnMut(usize, &mut H, &mut Rng, Step<[f32; 2]>),
    ) -> bool {
        let are_together = are_finite(actions) && actions.len() >= FEW;
        if are_together {
            step_abreast(holders, env, |i| f64::from(actions[i][0]), rngs, each);
        }
        are_together
    }

    valley!(GOAL_POSITION);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn step_from(state: [f64; 2], action: f32) -> (Vec<f64>, Step<[f32; 2]>) {
        let mut car = MountainCarContinuous::default();
        car.set_state(&state).unwrap();
        let step = car.step(&[action], &mut Seed::new(0).rng()).unwrap();
        (car.state().unwrap(), step)
    }

    #[test]
    fn at_the_bottom_only_the_engine_acts() {
        let (state, step) = step_from([-std::f64::consts::FRAC_PI_6, 0.0], 0.5);
        assert!((state[1] - 0.00075).abs() < 1e-9);
        assert_eq!((step.reward, step.outcome.is_final()), (-0.025, false));
    }

    #[test]
    fn the_goal_is_worth_100_less_the_force() {
        let (state, step) = step_from([0.44, 0.05], 1.0);
        assert!(state[0] >= 0.45 && step.outcome.terminated());
        assert!((step.reward - 99.9).abs() < 1e-12);
    }

    #[test]
    fn a_force_beyond_the_bounds_is_clipped_but_paid_in_full() {
        let (state, step) = step_from([-0.5, 0.0], 3.0);
        assert!((state[1] - step_from([-0.5, 0.0], 1.0).0[1]).abs() < 1e-9);
        assert!((step.reward + 0.9).abs() < 1e-12);
    }

    #[test]
    fn the_left_wall_stops_the_car() {
        assert_eq!(step_from([-1.19, -0.07], -1.0).0, [single(-1.2), 0.0]);
    }

    #[test]
    fn nan_is_an_error() {
        let mut car = MountainCarContinuous::default();
        for bad in [f32::NAN, f32::INFINITY] {
            let error = car.step(&[bad], &mut Seed::new(0).rng()).unwrap_err();
            assert!(matches!(error, EnvError::InvalidAction { .. }));
        }
    }
}
