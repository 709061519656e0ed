//! MountainCar: a car too weak to drive straight out of a valley.

use serde::{Deserialize, Serialize};

use crate::{BoxSpace, Discrete, Env, EnvError, Rng, Step, tiles::numbered_actions};

pub(super) const MIN_POSITION: f64 = -1.2;
pub(super) const MAX_POSITION: f64 = 0.6;
pub(super) const MAX_SPEED: f64 = 0.07;
const GOAL_POSITION: f64 = 0.5;
const FORCE: f64 = 0.001;
const GRAVITY: f64 = 0.0025;

/// The methods of [`Env`] that both cars share, whatever drives them. Their field `state` holds the
/// position and the velocity.
macro_rules! valley {
    ($goal_position:expr) => {
        fn observation_space(&self) -> BoxSpace<2> {
            let speed = MAX_SPEED as f32;
            BoxSpace::new([MIN_POSITION as f32, -speed], [MAX_POSITION as f32, speed])
                .expect("the bounds are ordered")
        }

        fn reset(&mut self, rng: &mut Rng) -> Result<[f32; 2], EnvError> {
            self.state = [rand::RngExt::random_range(rng, -0.6..-0.4), 0.0];
            Ok(self.state.map(|x| x as f32))
        }

        fn state(&self) -> Option<Vec<f64>> {
            Some(self.state.to_vec())
        }

        fn observe(&self) -> Option<[f32; 2]> {
            Some(self.state.map(|x| x as f32))
        }

        fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
            self.state = EnvError::expect_state(state, "[position, velocity]")?;
            Ok(())
        }

        fn render_ansi(&self) -> Option<String> {
            let [position, velocity] = self.state;
            Some(format!("position {position:+.4}, velocity {velocity:+.5}\n"))
        }

        #[cfg(feature = "render")]
        fn render_rgb(&self) -> Option<crate::render::Frame> {
            Some(crate::render::classic::mountain_car(self.state[0], $goal_position))
        }

        crate::snapshot!();
    };
}
pub(super) use valley;

/// MountainCar: reach the right hilltop by accelerating left (0), not at all (1) or right (2).
///
/// The observation is the car's position and velocity. Each step gives −1 until the position is at
/// least 0.5. The left wall stops the car.
///
/// Source: Moore, "Efficient memory-based learning for robot control" (1990), as in Gymnasium's
/// `MountainCar-v0`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MountainCar {
    /// The lowest velocity at which arriving at the goal counts.
    pub goal_velocity: f64,
    /// Position, velocity.
    state: [f64; 2],
}

impl MountainCar {
    #[inline]
    fn accelerate(&mut self, action: usize, _rng: &mut Rng) -> Step<[f32; 2]> {
        let [position, velocity] = self.state;
        let push = (action as f64 - 1.0) * FORCE + (3.0 * position).cos() * -GRAVITY;
        let mut velocity = (velocity + push).clamp(-MAX_SPEED, MAX_SPEED);
        let position = (position + velocity).clamp(MIN_POSITION, MAX_POSITION);
        if position == MIN_POSITION && velocity < 0.0 {
            velocity = 0.0;
        }
        self.state = [position, velocity];
        let arrived = position >= GOAL_POSITION && velocity >= self.goal_velocity;
        Step::new(self.state.map(|x| x as f32), -1.0, arrived)
    }
}

impl Env for MountainCar {
    type ObservationSpace = BoxSpace<2>;
    type ActionSpace = Discrete;

    fn action_space(&self) -> Discrete {
        Discrete::new(3)
    }

    numbered_actions!(3, accelerate);

    valley!(GOAL_POSITION);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    fn step_from(state: [f64; 2], action: i64) -> (Vec<f64>, Step<[f32; 2]>) {
        let mut car = MountainCar::default();
        car.set_state(&state).unwrap();
        let step = car.step(&action, &mut Seed::new(0).rng()).unwrap();
        (car.state().unwrap(), step)
    }

    #[test]
    fn at_the_bottom_only_the_engine_acts() {
        // cos(3 · −π/6) = 0, so the velocity becomes the force.
        let (state, step) = step_from([-std::f64::consts::FRAC_PI_6, 0.0], 2);
        assert!((state[1] - 0.001).abs() < 1e-15);
        assert_eq!((step.reward, step.outcome.is_final()), (-1.0, false));
    }

    #[test]
    fn the_left_wall_stops_the_car() {
        assert_eq!(step_from([-1.19, -0.07], 0).0, [-1.2, 0.0]);
    }

    #[test]
    fn the_episode_ends_from_half_on() {
        let (state, step) = step_from([0.47, 0.07], 2);
        assert!(state[0] >= 0.5 && step.outcome.terminated());
        assert!(!step_from([0.42, 0.07], 2).1.outcome.is_final());
    }

    #[test]
    fn an_action_outside_the_space_is_an_error() {
        let mut car = MountainCar::default();
        let error = car.step(&3, &mut Seed::new(0).rng()).unwrap_err();
        assert!(matches!(error, EnvError::InvalidAction { .. }));
    }
}
