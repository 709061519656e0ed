//! Shared code of the finite environments: moves on a grid, states as numbers, known models.

use serde_json::Value;

use crate::{EnvError, Transition};

/// A step on a grid: columns to the right and rows downwards.
pub(crate) type Heading = [i8; 2];

/// Up, right, down and left.
pub(crate) const COMPASS: [Heading; 4] = [[0, -1], [1, 0], [0, 1], [-1, 0]];

/// A rectangle of tiles, numbered row by row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Grid {
    /// Returns the number of tiles.
    pub(crate) const fn size(self) -> usize {
        self.rows * self.columns
    }

    /// Returns the tile at a row and column.
    pub(crate) const fn tile(self, row: usize, column: usize) -> usize {
        row * self.columns + column
    }

    /// Returns the tile after a step from `tile`. Steps off the grid do not move.
    #[inline]
    pub(crate) const fn go(self, tile: usize, [right, down]: Heading) -> usize {
        let row = along(tile / self.columns, down, self.rows);
        self.tile(row, along(tile % self.columns, right, self.columns))
    }
}

/// Returns the place after a step along a line of `end` places.
const fn along(from: usize, by: i8, end: usize) -> usize {
    let to = from.saturating_add_signed(by as isize);
    if to < end { to } else { end - 1 }
}

/// Returns the transitions of a deterministic step.
pub(crate) fn certain<O>((next_state, reward, terminated): (O, f64, bool)) -> Vec<Transition<O>> {
    vec![Transition { probability: 1.0, next_state, reward, terminated }]
}

/// Converts a number to an index below `size`.
pub(crate) fn index_below(size: usize, number: i64) -> Option<usize> {
    usize::try_from(number).ok().filter(|&index| index < size)
}

/// Returns the only number of a state, if it is an integer below `size`.
pub(crate) fn expect_index(state: &[f64], size: usize) -> Result<usize, EnvError> {
    expect_indices(state, [size]).map(|[index]| index)
}

/// Returns the numbers of a state, if they are integers below these sizes.
pub(crate) fn expect_indices<const N: usize>(
    state: &[f64],
    sizes: [usize; N],
) -> Result<[usize; N], EnvError> {
    let fits = |(&s, &size): (&f64, &usize)| s.fract() == 0.0 && (0.0..size as f64).contains(&s);
    if state.len() == N && state.iter().zip(&sizes).all(fits) {
        return Ok(std::array::from_fn(|i| state[i] as usize));
    }
    let sizes = sizes.map(|size| size.to_string()).join(", ");
    let expected = match N {
        1 => format!("one integer below {sizes}"),
        _ => format!("{N} integers, one each below {sizes}"),
    };
    Err(EnvError::InvalidState { expected, got: format!("{state:?}") })
}

/// Returns an integer of a snapshot, if it is below `size`.
pub(crate) fn snapshot_index(snapshot: &Value, key: &str, size: usize) -> Result<usize, EnvError> {
    let index = snapshot[key].as_u64().and_then(|s| usize::try_from(s).ok());
    index.filter(|&s| s < size).ok_or_else(|| EnvError::InvalidState {
        expected: format!("`{key}`, an integer below {size}"),
        got: snapshot[key].to_string(),
    })
}

/// Returns the last action of a snapshot, if it is one of `actions`.
pub(crate) fn snapshot_action(snapshot: &Value, actions: usize) -> Result<Option<usize>, EnvError> {
    if snapshot["last_action"].is_null() {
        return Ok(None);
    }
    snapshot_index(snapshot, "last_action", actions).map(Some)
}

/// The methods of [`Env`](crate::Env) that step an environment whose actions are numbered below
/// `$actions`; `$advance` takes one and cannot fail.
macro_rules! numbered_actions {
    ($actions:expr, $advance:ident) => {
        #[inline]
        fn step(
            &mut self,
            action: &i64,
            rng: &mut $crate::Rng,
        ) -> Result<$crate::Step<$crate::Obs<Self>>, $crate::EnvError> {
            match usize::try_from(*action).ok().filter(|&action| action < $actions) {
                Some(action) => Ok(self.$advance(action, rng)),
                None => Err($crate::EnvError::invalid_action(&self.action_space(), action)),
            }
        }

        #[inline(always)] // with what `each` does in it
        fn step_together<H>(
            holders: &mut [H],
            env: impl Fn(&mut H) -> &mut Self,
            actions: &[i64],
            rngs: &mut [$crate::Rng],
            mut each: impl FnMut(usize, &mut H, &mut $crate::Rng, $crate::Step<$crate::Obs<Self>>),
        ) -> bool {
            let is_valid = |all: bool, &action: &i64| all & ((action as u64) < $actions as u64);
            if !actions.iter().fold(true, is_valid) {
                return false;
            }
            let each_env = holders.iter_mut().zip(rngs).zip(actions);
            for (i, ((holder, rng), &action)) in each_env.enumerate() {
                let step = env(holder).$advance(action as usize, rng);
                each(i, holder, rng, step);
            }
            true
        }
    };
}
pub(crate) use numbered_actions;

/// The methods of [`Env`](crate::Env) about the state of an environment that is where it is
/// (`self.tile`), and whose pictures show what led there (`self.last_action`). `$tiles` and
/// `$actions` return their numbers.
macro_rules! tile_is_state {
    ($tiles:expr, $actions:expr) => {
        fn save(&self) -> Option<serde_json::Value> {
            Some(serde_json::json!({ "tile": self.tile, "last_action": self.last_action }))
        }

        fn restore(&mut self, snapshot: &serde_json::Value) -> Result<(), $crate::EnvError> {
            let tile = $crate::tiles::snapshot_index(snapshot, "tile", $tiles(self))?;
            self.last_action = $crate::tiles::snapshot_action(snapshot, $actions(self))?;
            self.tile = tile;
            Ok(())
        }

        fn state(&self) -> Option<Vec<f64>> {
            Some(vec![self.tile as f64])
        }

        fn set_state(&mut self, state: &[f64]) -> Result<(), $crate::EnvError> {
            self.tile = $crate::tiles::expect_index(state, $tiles(self))?;
            Ok(())
        }

        fn observe(&self) -> Option<i64> {
            Some(self.tile as i64)
        }
    };
}
pub(crate) use tile_is_state;

#[cfg(test)]
pub(crate) mod testing {
    use crate::{Env, EnvOptions, FiniteSpace, Registry, Space as _};

    /// Every state's and action's probabilities sum to 1, and successors lie in the space.
    pub(crate) fn check_model<E>(env: &E)
    where
        E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace>,
    {
        let (states, actions) = (env.observation_space(), env.action_space());
        for s in 0..states.size() {
            for a in 0..actions.size() {
                let model = env.transitions(&states.element(s), &actions.element(a)).unwrap();
                let total: f64 = model.iter().map(|t| t.probability).sum();
                assert!((total - 1.0).abs() < 1e-12, "{s} {a} {model:?}");
                assert!(model.iter().all(|t| states.contains(&t.next_state)), "{s} {a}");
            }
        }
        let starts = env.initial_states().unwrap();
        assert!((starts.iter().map(|start| start.0).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    /// The best expected discounted return within `steps` steps, by value iteration over the model.
    pub(crate) fn optimum<E>(env: &E, discount: f64, steps: usize) -> f64
    where
        E: Env<ObservationSpace: FiniteSpace, ActionSpace: FiniteSpace>,
    {
        let (states, actions) = (env.observation_space(), env.action_space());
        let mut values = vec![0.0; states.size()];
        for _ in 0..steps {
            let value = |s: usize, a: usize| -> f64 {
                let model = env.transitions(&states.element(s), &actions.element(a)).unwrap();
                let one = |t: &crate::Transition<_>| {
                    let goes_on = f64::from(u8::from(!t.terminated));
                    let next = values[states.index_of(&t.next_state)];
                    t.probability * (t.reward + discount * goes_on * next)
                };
                model.iter().map(one).sum()
            };
            let best = |s| (0..actions.size()).map(|a| value(s, a)).fold(f64::MIN, f64::max);
            values = (0..states.size()).map(best).collect();
        }
        let starts = env.initial_states().unwrap();
        starts.iter().map(|(p, state)| p * values[states.index_of(state)]).sum()
    }

    /// Each option is refused with an error that names it and the environment.
    pub(crate) fn check_refused(options: &[(&str, &str, serde_json::Value)]) {
        for (id, key, value) in options {
            let spec = Registry::builtin().spec(id).unwrap().clone();
            let made = spec.make(0, &EnvOptions::none().with(key, value.clone()));
            let text =
                made.err().unwrap_or_else(|| panic!("{id} took {key} = {value}")).to_string();
            assert!(text.contains(key) && text.contains(id), "{text}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_stops_at_the_edge() {
        let grid = Grid { rows: 3, columns: 4 };
        assert_eq!(COMPASS.map(|heading| grid.go(5, heading)), [1, 6, 9, 4]);
        assert_eq!(COMPASS.map(|heading| grid.go(0, heading)), [0, 1, 4, 0]);
        assert_eq!(COMPASS.map(|heading| grid.go(11, heading)), [7, 11, 11, 10]);
        assert_eq!((grid.go(5, [1, -3]), grid.go(5, [-2, 2])), (2, 8));
    }

    #[test]
    fn indices_are_integers_below_their_sizes() {
        assert_eq!(expect_indices(&[2.0, 0.0], [3, 1]).unwrap(), [2, 0]);
        for bad in [&[3.0, 0.0][..], &[0.0, -1.0], &[0.5, 0.0], &[f64::NAN, 0.0], &[0.0], &[]] {
            assert!(expect_indices(bad, [3, 1]).is_err(), "{bad:?}");
        }
    }
}
