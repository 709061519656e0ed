//! A corridor with indistinguishable states, one of which swaps the actions.

use serde_json::{Value, json};

#[cfg(feature = "render")]
use crate::render::{
    Frame,
    grid::{self, Place},
};
use crate::tiles::{expect_index, snapshot_action, snapshot_index};
use crate::{Discrete, Env, EnvError, Rng, Step, render};

/// The places: three to walk through, and the goal.
const PLACES: usize = 4;
const GOAL: usize = 3;
/// Where left leads to the right and right to the left.
const SWITCHED: usize = 1;

/// ShortCorridor: reach the right end of a corridor of three places by going left (0) or right (1).
/// The middle place swaps the two.
///
/// All places look alike: the only observation is 0. A step gives −1. At the left end, going left
/// has no effect. Arriving at the right end is terminal.
///
/// Going right with probability p has the expected return (2p − 4) / (p (1 − p)): −82.1 at p =
/// 0.05, −44.2 at 0.95 (ε-greedy, ε = 0.1), and at best −(6 + 4√2) = −11.66 at p = 2 − √2 = 0.586.
/// A deterministic policy never arrives.
///
/// Source: Sutton and Barto, "Reinforcement Learning: An Introduction" (2nd edition, 2018),
/// example 13.1.
#[derive(Clone, Debug, Default)]
pub struct ShortCorridor {
    place: usize,
    last_action: Option<usize>,
}

impl ShortCorridor {
    /// Returns the expected return of going right with this probability, without a step limit: −∞
    /// at 0 and 1.
    #[must_use]
    pub fn expected_return(probability_of_right: f64) -> f64 {
        let p = probability_of_right;
        (2.0 * p - 4.0) / (p * (1.0 - p))
    }
}

impl Env for ShortCorridor {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(1)
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(2)
    }

    #[inline]
    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        *self = Self::default();
        Ok(0)
    }

    #[inline]
    fn step(&mut self, action: &i64, _rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let is_right = match action {
            0 => false,
            1 => true,
            _ => return Err(EnvError::invalid_action(&self.action_space(), action)),
        };
        self.last_action = Some(usize::from(is_right));
        if self.place == GOAL {
            return Ok(Step::new(0, 0.0, true));
        }
        let goes_right = is_right != (self.place == SWITCHED);
        self.place = if goes_right { self.place + 1 } else { self.place.saturating_sub(1) };
        Ok(Step::new(0, -1.0, self.place == GOAL))
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "place": self.place, "last_action": self.last_action }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        let place = snapshot_index(snapshot, "place", PLACES)?;
        self.last_action = snapshot_action(snapshot, 2)?;
        self.place = place;
        Ok(())
    }

    /// Returns the place, which is not observed.
    fn state(&self) -> Option<Vec<f64>> {
        Some(vec![self.place as f64])
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.place = expect_index(state, PLACES)?;
        Ok(())
    }

    fn observe(&self) -> Option<i64> {
        Some(0)
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, 0)])
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let heading = self.last_action.map(|action| [[-1, 0], [1, 0]][action]);
        let places = [Place::Start, Place::Switched, Place::Plain, Place::Goal];
        Some(grid::chain(&places, self.place, heading))
    }

    /// Renders the places with an `x` for the player, an `s` where actions are swapped and a `G`.
    fn render_ansi(&self) -> Option<String> {
        Some(render::tiles(1, PLACES, |place| match place {
            place if place == self.place => 'x',
            SWITCHED => 's',
            GOAL => 'G',
            _ => 'o',
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    /// Where each action leads from each place, as the environment itself does it.
    fn successors() -> [[usize; 2]; 3] {
        let mut rng = Seed::new(0).rng();
        std::array::from_fn(|place| {
            std::array::from_fn(|action| {
                let mut corridor = ShortCorridor::default();
                corridor.set_state(&[place as f64]).unwrap();
                let step = corridor.step(&(action as i64), &mut rng).unwrap();
                assert_eq!(step, Step::new(0, -1.0, corridor.place == GOAL));
                corridor.place
            })
        })
    }

    /// The value of the start when going right with probability p, by policy evaluation.
    fn evaluate(p: f64) -> f64 {
        let (successors, mut values) = (successors(), [0.0; 4]);
        for _ in 0..20_000 {
            for place in 0..3 {
                let [left, right] = successors[place].map(|next| values[next]);
                values[place] = -1.0 + (1.0 - p) * left + p * right;
            }
        }
        values[0]
    }

    #[test]
    fn the_middle_switches_the_actions() {
        assert_eq!(successors(), [[0, 1], [2, 0], [1, 3]]);
    }

    #[test]
    fn the_best_policy_is_the_books() {
        let best = 2.0 - 2.0_f64.sqrt();
        for p in [0.05, 0.3, best, 0.95] {
            let value = evaluate(p);
            assert!((value - ShortCorridor::expected_return(p)).abs() < 1e-6, "{p}: {value}");
        }
        assert!((ShortCorridor::expected_return(best) + 6.0 + 4.0 * 2.0_f64.sqrt()).abs() < 1e-12);
        for i in 1..1000 {
            let value = ShortCorridor::expected_return(f64::from(i) / 1000.0);
            assert!(value <= ShortCorridor::expected_return(best), "{i}");
        }
    }

    #[test]
    fn an_episode_by_hand() {
        let (mut corridor, mut rng) = (ShortCorridor::default(), Seed::new(0).rng());
        corridor.reset(&mut rng).unwrap();
        assert_eq!(corridor.render_ansi().unwrap(), "xsoG\n");
        for (action, text) in [(0, "xsoG\n"), (1, "oxoG\n"), (0, "osxG\n"), (0, "oxoG\n")] {
            assert_eq!(corridor.step(&action, &mut rng).unwrap(), Step::new(0, -1.0, false));
            assert_eq!(corridor.render_ansi().unwrap(), text);
        }
        corridor.step(&0, &mut rng).unwrap();
        assert_eq!(corridor.step(&1, &mut rng).unwrap(), Step::new(0, -1.0, true));
        assert_eq!(corridor.step(&1, &mut rng).unwrap(), Step::new(0, 0.0, true));
        assert!(corridor.step(&2, &mut rng).is_err());
    }
}
