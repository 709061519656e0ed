//! The grid with an upward wind, with two choices per action.

use serde::{Deserialize, Serialize};

use super::{WindyGridWorld, WindyGridWorldConfig};
use crate::{Discrete, Env, EnvError, MultiDiscrete, Rng, Space as _, Step, Transition};

/// The action of [`WindyGridWorld`] for two choices: left, neither or right, and up, neither or
/// down.
const ACTIONS: [[i64; 3]; 3] = [[7, 3, 6], [0, 8, 2], [4, 1, 5]];

crate::documented! {
    /// The options of [`WindyGridWorldKings`].
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    pub struct WindyGridWorldKingsConfig {
        /// Whether the wind varies: one row weaker, unchanged or one row stronger, with probability
        /// ⅓ each: exercise 6.10.
        pub stochastic_wind: bool,
    }
}

/// [`WindyGridWorld`] with king's moves and standing still, with actions of two choices: left (0),
/// neither (1) or right (2), and up (0), neither (1) or down (2).
///
/// Everything else is as in [`WindyGridWorld`]. The best return is −7, with stochastic wind
/// −10.965.
///
/// Source: Sutton and Barto, "Reinforcement Learning: An Introduction" (2nd edition, 2018),
/// exercise 6.9.
#[derive(Clone, Debug)]
pub struct WindyGridWorldKings {
    env: WindyGridWorld,
}

impl WindyGridWorldKings {
    /// Creates the grid with these options.
    #[must_use]
    pub fn new(config: WindyGridWorldKingsConfig) -> Self {
        let WindyGridWorldKingsConfig { stochastic_wind } = config;
        let config =
            WindyGridWorldConfig { kings_moves: true, standing_still: true, stochastic_wind };
        Self { env: WindyGridWorld::new(config) }
    }

    /// Returns the grid's action for two choices.
    fn action(&self, choices: [i64; 2]) -> Option<i64> {
        let is_action = self.action_space().contains(&choices);
        is_action.then(|| ACTIONS[choices[0] as usize][choices[1] as usize])
    }
}

impl Default for WindyGridWorldKings {
    fn default() -> Self {
        Self::new(WindyGridWorldKingsConfig::default())
    }
}

impl Env for WindyGridWorldKings {
    type ObservationSpace = Discrete;
    type ActionSpace = MultiDiscrete<2>;

    fn action_space(&self) -> MultiDiscrete<2> {
        MultiDiscrete::new([3, 3]).expect("nine combinations fit")
    }

    fn reset(&mut self, rng: &mut Rng) -> Result<i64, EnvError> {
        self.env.reset(rng)
    }

    fn step(&mut self, choices: &[i64; 2], rng: &mut Rng) -> Result<Step<i64>, EnvError> {
        let action = self.action(*choices);
        let action =
            action.ok_or_else(|| EnvError::invalid_action(&self.action_space(), choices))?;
        self.env.step(&action, rng)
    }

    fn transitions(&self, tile: &i64, choices: &[i64; 2]) -> Option<Vec<Transition<i64>>> {
        self.env.transitions(tile, &self.action(*choices)?)
    }

    crate::wrappers::forward! { env: observation_space, snapshot, state, set_state, start, render }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Seed,
        tiles::testing::{check_model, optimum},
    };

    #[test]
    fn each_choice_moves_along_its_axis() {
        let (mut kings, mut rng) = (WindyGridWorldKings::default(), Seed::new(0).rng());
        // From the middle of column 1, where there is no wind, 10 tiles to a row.
        for x in 0..3 {
            for y in 0..3 {
                kings.set_state(&[31.0]).unwrap();
                let next = kings.step(&[x, y], &mut rng).unwrap().observation;
                assert_eq!(next, 31 + (x - 1) + 10 * (y - 1), "{x} {y}");
            }
        }
        for wrong in [[3, 0], [0, -1]] {
            assert!(kings.step(&wrong, &mut rng).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_optima_are_those_of_kings_moves() {
        let gusty = WindyGridWorldKings::new(WindyGridWorldKingsConfig { stochastic_wind: true });
        check_model(&gusty);
        check_model(&WindyGridWorldKings::default());
        assert_eq!(optimum(&WindyGridWorldKings::default(), 1.0, 100), -7.0);
    }
}
