//! MountainCar with a continuous force.

use serde::{Deserialize, Serialize};

use super::mountain_car::{MAX_POSITION, MAX_SPEED, MIN_POSITION, valley};
use crate::{BoxSpace, Env, EnvError, Rng, Step};

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
fn single(x: f64) -> f64 {
    f64::from(x as f32)
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
        let [position, velocity] = self.state;
        let is_single = self.state == self.state.map(single);
        let round = |x: f64| if is_single { single(x) } else { x };
        // A sum or product of f32 numbers, computed in f64 and then rounded, is exact f32
        // arithmetic.
        let slope = 0.0025 * round(3.0 * position).cos();
        let push = if throttle.abs() > 1.0 {
            // A clipped force is one of Python's own numbers, in f64.
            round(throttle.signum() * POWER - slope)
        } else {
            single(single(throttle * single(POWER)) - single(slope))
        };
        let max_speed = round(MAX_SPEED);
        let mut velocity = round(velocity + push).clamp(-max_speed, max_speed);
        let (min, max) = (round(MIN_POSITION), round(MAX_POSITION));
        let position = round(position + velocity).clamp(min, max);
        if position == min && velocity < 0.0 {
            velocity = 0.0;
        }
        let arrived = position >= round(GOAL_POSITION) && velocity >= round(self.goal_velocity);
        self.state = [single(position), single(velocity)];
        let reward = if arrived { 100.0 } else { 0.0 } - throttle * throttle * 0.1;
        Ok(Step::new(self.state.map(|x| x as f32), reward, arrived))
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
