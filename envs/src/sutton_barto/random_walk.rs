//! A random walk without decisions.

use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[cfg(feature = "render")]
use crate::render::{
    Frame,
    grid::{self, Place},
};
use crate::tiles::{certain, expect_index, index_below, snapshot_index};
use crate::{Discrete, Env, EnvError, Rng, Step, Transition, render};

const MAX_STATES: usize = 1000;

crate::documented! {
    /// The options of [`RandomWalk`].
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct RandomWalkConfig {
        /// The number of states between the two ends, from 1 to 1000: 5 in example 6.2, 19 in
        /// example 7.1.
        pub states: usize,
        /// The reward for arriving at the left end; −1 in example 7.1.
        pub left_reward: f64,
        /// The reward for arriving at the right end.
        pub right_reward: f64,
    }
}

impl Default for RandomWalkConfig {
    fn default() -> Self {
        Self { states: 5, left_reward: 0.0, right_reward: 1.0 }
    }
}

/// RandomWalk: a walk that steps left or right with equal probability until it reaches an end.
/// There is nothing to decide (the only action is 0), but values to predict.
///
/// The observation is the place: 0 and `states + 1` are the ends, which are terminal. The walk
/// starts in the middle (left of it if the number of states is even). All rewards except those of
/// the ends are 0. The [`true_values`](Self::true_values) are known; the start's is the expected
/// return, ½ by default.
///
/// Source: Sutton and Barto, "Reinforcement Learning: An Introduction" (2nd edition, 2018),
/// example 6.2.
#[derive(Clone, Debug)]
pub struct RandomWalk {
    config: RandomWalkConfig,
    place: usize,
}

impl RandomWalk {
    /// Creates a walk with these options.
    ///
    /// # Errors
    /// [`EnvError::InvalidOption`] if the number of states is not in 1..=1000, or a reward is not
    /// finite.
    pub fn new(config: RandomWalkConfig) -> Result<Self, EnvError> {
        let invalid = |reason| Err(EnvError::invalid_option("RandomWalk-v0", reason));
        let RandomWalkConfig { states, left_reward, right_reward } = config;
        if !(1..=MAX_STATES).contains(&states) {
            return invalid(format!("`states` must lie in 1..={MAX_STATES}, got {states}"));
        }
        for (name, reward) in [("left_reward", left_reward), ("right_reward", right_reward)] {
            if !reward.is_finite() {
                return invalid(format!("`{name}` must be finite, got {reward}"));
            }
        }
        Ok(Self { config, place: start(states) })
    }

    /// Returns the options.
    #[must_use]
    pub fn config(&self) -> &RandomWalkConfig {
        &self.config
    }

    /// Returns the undiscounted expected return from each state between the ends, from the left:
    /// from the i-th of n the right end is reached with probability i / (n + 1).
    #[must_use]
    pub fn true_values(&self) -> Vec<f64> {
        let RandomWalkConfig { states, left_reward, right_reward } = self.config;
        let to_the_right = |i| i as f64 / (states + 1) as f64;
        (1..=states).map(|i| left_reward + (right_reward - left_reward) * to_the_right(i)).collect()
    }

    fn places(&self) -> usize {
        self.config.states + 2
    }

    fn is_end(&self, place: usize) -> bool {
        place == 0 || place + 1 == self.places()
    }

    fn arrive(&self, next: usize) -> (i64, f64, bool) {
        let reward = match next {
            0 => self.config.left_reward,
            next if self.is_end(next) => self.config.right_reward,
            _ => 0.0,
        };
        (next as i64, reward, self.is_end(next))
    }
}

/// Returns the middle one of this many states.
fn start(states: usize) -> usize {
    states.div_ceil(2)
}

impl Default for RandomWalk {
    fn default() -> Self {
        Self::new(RandomWalkConfig::default()).expect("the defaults are valid")
    }
}

impl Env for RandomWalk {
    type ObservationSpace = Discrete;
    type ActionSpace = Discrete;

    fn observation_space(&self) -> Discrete {
        Discrete::new(self.places())
    }

    fn action_space(&self) -> Discrete {
        Discrete::new(1)
    }

    #[inline]
    fn reset(&mut self, _rng: &mut Rng) -> Result<i64, EnvError> {
        self.place = start(self.config.states);
        Ok(self.place as i64)
    }

    #[inline]
    fn step(&mut self, action: &i64, rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        if *action != 0 {
            return Err(EnvError::invalid_action(&self.action_space(), action));
        }
        if self.is_end(self.place) {
            return Ok(Step::new(self.place as i64, 0.0, true));
        }
        self.place = if rng.random() { self.place + 1 } else { self.place - 1 };
        let (place, reward, terminated) = self.arrive(self.place);
        Ok(Step::new(place, reward, terminated))
    }

    fn save(&self) -> Option<Value> {
        Some(json!({ "place": self.place }))
    }

    fn restore(&mut self, snapshot: &Value) -> Result<(), EnvError> {
        self.place = snapshot_index(snapshot, "place", self.places())?;
        Ok(())
    }

    fn state(&self) -> Option<Vec<f64>> {
        Some(vec![self.place as f64])
    }

    fn set_state(&mut self, state: &[f64]) -> Result<(), EnvError> {
        self.place = expect_index(state, self.places())?;
        Ok(())
    }

    fn observe(&self) -> Option<i64> {
        Some(self.place as i64)
    }

    fn transitions(&self, place: &i64, action: &i64) -> Option<Vec<Transition<i64>>> {
        let place = index_below(self.places(), *place)?;
        index_below(1, *action)?;
        if self.is_end(place) {
            return Some(certain((place as i64, 0.0, true)));
        }
        let walk = |next| {
            let (next_state, reward, terminated) = self.arrive(next);
            Transition { probability: 0.5, next_state, reward, terminated }
        };
        Some(vec![walk(place - 1), walk(place + 1)])
    }

    fn initial_states(&self) -> Option<Vec<(f64, i64)>> {
        Some(vec![(1.0, start(self.config.states) as i64)])
    }

    #[cfg(feature = "render")]
    fn render_rgb(&self) -> Option<Frame> {
        let place = |place| match place {
            place if self.is_end(place) => Place::End,
            place if place == start(self.config.states) => Place::Start,
            _ => Place::Plain,
        };
        let places: Vec<Place> = (0..self.places()).map(place).collect();
        Some(grid::chain(&places, self.place, None))
    }

    /// Renders the places with an `x` for the walk and a `T` at each end.
    fn render_ansi(&self) -> Option<String> {
        Some(render::tiles(1, self.places(), |place| match place {
            place if place == self.place => 'x',
            place if self.is_end(place) => 'T',
            _ => 'o',
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        tiles::testing::{check_model, optimum},
    };

    fn walk(states: usize, left_reward: f64) -> RandomWalk {
        let config = RandomWalkConfig { states, left_reward, ..Default::default() };
        RandomWalk::new(config).unwrap()
    }

    #[test]
    fn true_values_are_the_books_and_value_iterations() {
        let sixths = [1.0, 2.0, 3.0, 4.0, 5.0].map(|i| i / 6.0);
        assert_eq!(RandomWalk::default().true_values(), sixths);
        assert!((optimum(&RandomWalk::default(), 1.0, 500) - 0.5).abs() < 1e-12);
        // Example 7.1: from −0.9 to 0.9.
        let values = walk(19, -1.0).true_values();
        assert!((values[0] + 0.9).abs() < 1e-12 && values[9].abs() < 1e-12);
        assert!(optimum(&walk(19, -1.0), 1.0, 5000).abs() < 1e-12);
        assert!((optimum(&walk(4, 0.0), 1.0, 500) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn the_model_is_complete() {
        check_model(&RandomWalk::default());
        check_model(&walk(1, 0.0));
    }

    #[test]
    fn the_ends_bring_their_rewards_and_are_terminal() {
        let (mut walk, mut rng) = (walk(1, -3.0), Seed::new(0).rng());
        let mut seen = [0, 0];
        for _ in 0..1000 {
            assert_eq!(walk.reset(&mut rng).unwrap(), 1);
            let step = walk.step(&0, &mut rng).unwrap();
            let reward = if step.observation == 0 { -3.0 } else { 1.0 };
            assert_eq!((step.reward, step.outcome.terminated()), (reward, true));
            assert_eq!(walk.step(&0, &mut rng).unwrap(), Step::new(step.observation, 0.0, true));
            seen[usize::from(step.observation == 2)] += 1;
        }
        assert!(seen.iter().all(|&count| (430..570).contains(&count)), "{seen:?}");
        assert!(walk.step(&1, &mut rng).is_err());
    }

    #[test]
    fn text_shows_the_walk() {
        assert_eq!(RandomWalk::default().render_ansi().unwrap(), "TooxooT\n");
    }
}
