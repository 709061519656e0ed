//! Actions between their bounds, and between −1 and 1, where networks choose them.

use gymnast_envs::BoundedSpace;
use gymnast_harness::AgentError;

/// The linear map between `[−1, 1]` and the bounds of a space, number by number.
///
/// Agents think, store and evaluate actions in `[−1, 1]`, so that noise and steps mean the same in
/// every environment.
pub(crate) struct ActionRange {
    centre: Vec<f32>,
    half: Vec<f32>,
}

impl ActionRange {
    /// The map to the bounds of `space`.
    ///
    /// # Errors
    /// [`AgentError::InvalidConfig`] if a bound is infinite.
    pub(crate) fn new<A: BoundedSpace>(space: &A) -> Result<Self, AgentError> {
        let (low, high) = space.bounds();
        let finite = low.iter().chain(&high).all(|bound| bound.is_finite());
        let expected = "finite bounds: clip or rescale the actions, or use an agent with a policy \
                        that knows none (ppo, a2c)";
        let bounds = format_args!("{}", space.describe());
        AgentError::require(finite, "action_space", &bounds, expected)?;
        // Halved first, as a difference may overflow.
        let pairs = || low.iter().zip(&high).map(|(low, high)| (low / 2.0, high / 2.0));
        let centre = pairs().map(|(low, high)| high + low).collect();
        Ok(Self { centre, half: pairs().map(|(low, high)| high - low).collect() })
    }

    /// How many numbers an action has.
    pub(crate) fn width(&self) -> usize {
        self.half.len()
    }

    /// Takes a row from the bounds to `[−1, 1]`, in place.
    pub(crate) fn to_unit(&self, row: &mut [f32]) {
        for (x, (centre, half)) in row.iter_mut().zip(self.centre.iter().zip(&self.half)) {
            // Bounds that are equal leave nothing to choose.
            *x = if *half > 0.0 { (*x - centre) / half } else { 0.0 };
        }
    }

    /// Takes a row from `[−1, 1]` to the bounds, in place.
    pub(crate) fn to_bounds(&self, row: &mut [f32]) {
        for (x, (centre, half)) in row.iter_mut().zip(self.centre.iter().zip(&self.half)) {
            *x = centre + half * *x;
        }
    }
}

#[cfg(test)]
mod tests {
    use gymnast_envs::{BoundedSpace as _, BoxSpace};

    use super::*;

    #[test]
    fn rows_come_and_go() {
        let space = BoxSpace::new([-2.0, 0.0, 3.0], [2.0, 10.0, 3.0]).unwrap();
        let range = ActionRange::new(&space).unwrap();
        let mut row = [1.0, -0.5, 0.25];
        range.to_bounds(&mut row);
        assert_eq!(row, [2.0, 2.5, 3.0]);
        range.to_unit(&mut row);
        assert_eq!(row, [1.0, -0.5, 0.0]);
    }

    #[test]
    fn the_widest_bounds_do_not_overflow() {
        let space = BoxSpace::symmetric([f32::MAX]);
        let range = ActionRange::new(&space).unwrap();
        let mut row = [1.0];
        range.to_bounds(&mut row);
        assert_eq!(space.clip(&row), [f32::MAX]);
    }

    #[test]
    fn an_infinite_bound_is_an_error() {
        let space = BoxSpace::new([-1.0], [f32::INFINITY]).unwrap();
        let error = ActionRange::new(&space).err().expect("an infinite bound").to_string();
        assert!(error.starts_with("action_space = Box") && error.contains("ppo"), "{error}");
    }
}
